"""Who is asked about a difference that a comparison of everything found: it opens, is settled or goes, and is counted once."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import clock, comparisons, nightly, people, runs
from reconciler.contract import TaskClosed, TaskOpened
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.web.browsing import Pages, ask

SAYS = "Den natlige kontrol fandt en forskel, vi ikke havde set. Det er vores fejl."


@pytest.fixture
def customer(both: Both) -> Customer:
    """One whose edit was recorded, while the write that should carry it over was lost from the books."""
    known = both.linked(7, id="seen", phone="11111111")
    edited = known.model_copy(update={"phone": "33333333"})
    both.in_crm(edited, 2)
    with both.engine.begin() as connection:
        assert connection.execute(sa.text("delete from sync.operation where settled is null")).rowcount == 1
    both.said()
    return edited


def compared(both: Both, pages: Pages) -> int:
    """Another night: everything is read, and compared; how many differ without anybody knowing."""
    both.later(days=1)
    pages.time = both.time
    with both.engine.begin() as connection:
        runs.insert(connection, uuid4(), TENANT, AGREEMENT, "sweep", state="done", started=both.time, ended=both.time)
    assert nightly.carry_on(both.engine, both.clocked) == 1
    with both.engine.connect() as connection:
        night = comparisons.last(connection, TENANT, AGREEMENT)
    assert night is not None
    return night.differences


def listed(pages: Pages) -> dict[str, Any]:
    """The questions as a service reads them."""
    found: dict[str, Any] = asked(pages, "/tasks").json()
    return found


def asked(pages: Pages, path: str) -> httpx.Response:
    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, "CRM", "user", pages.time)[1]
    answer = ask(
        "GET", f"{pages.url}/api/v1{path}", headers={"authorization": f"Bearer {key}", "accept-language": "da"}
    )
    assert answer.status_code == 200, answer.text
    return answer


def test_what_a_comparison_finds_is_asked_about_once_and_named_everywhere(
    pages: Pages, both: Both, customer: Customer
) -> None:
    assert compared(both, pages) == 1
    (opened,) = both.said_only(TaskOpened)
    assert (opened.kind, opened.customer, opened.number, opened.details) == ("silent", customer.id, 7, ("phone",))
    assert compared(both, pages) == 1
    assert both.said_only(TaskOpened) == []
    found = listed(pages)
    assert found["total"] == 1
    (task,) = found["tasks"]
    assert (task["kind"], task["text"], task["crm_id"]) == ("silent", SAYS, customer.id)
    assert asked(pages, "/tasks/count").json()["all"] == 1
    whole = asked(pages, f"/tasks/{task['id']}").json()
    assert not whole["closed"]
    assert [(one["field"], one["crm"], one["economic"]) for one in whole["values"]] == [
        ("phone", "33333333", "11111111")
    ]
    browser = pages.arrive(tenant=TENANT, role="user")
    assert SAYS in browser.get("/?kind=silent").text
    leads = browser.get(f"/tasks/{task['id']}")
    assert leads.headers["location"] == f"/customers/{customer.id}?from=list"
    english = browser.get(f"/customers/{customer.id}", **{"accept-language": "en"}).text
    assert "The nightly check found a difference we had not seen. The fault is ours." in english


def test_it_is_settled_by_choosing_between_the_two_values(pages: Pages, both: Both, customer: Customer) -> None:
    compared(both, pages)
    browser = pages.arrive(tenant=TENANT, role="user")
    text = browser.get(f"/customers/{customer.id}").text
    assert SAYS in text
    (key,) = set(re.findall(r'name="choice\.([^"]+\.phone)"', text))
    (mark,) = set(re.findall(rf'name="mark\.{re.escape(key)}" value="([^"]+)"', text))
    token = browser.token(f"/customers/{customer.id}")
    form = {"form_token": token, "decision": str(uuid4()), f"choice.{key}": "economic", f"mark.{key}": mark}
    assert browser.post(f"/customers/{customer.id}", form).status_code == 303
    (closed,) = both.said_only(TaskClosed)
    assert (closed.kind, closed.customer, closed.how) == ("silent", customer.id, "settled")
    assert browser.get(closed.page).status_code == 200
    assert listed(pages)["total"] == 0
    assert SAYS not in browser.get(f"/customers/{customer.id}").text


def test_it_goes_with_the_step_that_writes_what_was_lost(pages: Pages, both: Both, customer: Customer) -> None:
    compared(both, pages)
    both.said()
    both.in_crm(customer.model_copy(update={"mobile": "44444444"}), 3)
    said = [one.data for one in both.said()]
    (command,) = [one for one in said if isinstance(one, WriteEconomicCustomer)]
    assert command.parts[0].fields == {"phone": "33333333", "mobile": "44444444"}
    (closed,) = [one for one in said if isinstance(one, TaskClosed)]
    assert (closed.kind, closed.how) == ("silent", "gone")
    assert compared(both, pages) == 0


def test_it_goes_with_a_comparison_that_finds_nothing_any_more(pages: Pages, both: Both) -> None:
    both.linked(7, id="seen")
    recorded = "update sync.crm_side set number = number + :more where crm_id = 'seen'"
    for more, differences in ((1, 1), (-1, 0)):
        with both.engine.begin() as connection:
            connection.execute(sa.text(recorded), {"more": more})
        assert compared(both, pages) == differences
        assert listed(pages)["total"] == differences
    with both.engine.connect() as connection:
        assert connection.execute(sa.text("select kind, how from sync.task")).all() == [("silent", "gone")]


def test_a_step_after_which_it_still_differs_unknown_does_not_close_it(pages: Pages, both: Both) -> None:
    customer = both.linked(7, id="seen")
    with both.engine.begin() as connection:
        connection.execute(sa.text("update sync.crm_side set number = number + 5 where crm_id = 'seen'"))
    compared(both, pages)
    both.in_economic(there(customer, 7, "v9"), 9)
    assert listed(pages)["total"] == 1


def test_a_write_that_nobody_answers_is_another_question(pages: Pages, both: Both) -> None:
    customer = both.linked(7, id="seen")
    both.in_crm(customer.model_copy(update={"phone": "33333333"}), 2)
    both.later(hours=2)
    clock.tell_due(both.engine, both.clocked)
    assert compared(both, pages) == 0
    assert [one["kind"] for one in listed(pages)["tasks"]] == ["unclear"]


def test_who_is_too_many_to_be_asked_about_is_counted_and_asked_about_as_the_others_are_settled(
    pages: Pages, both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "MOST", 2)
    everybody = {both.linked(number, cvr=f"1234567{number}").id for number in range(1, 6)}
    recorded = sa.text("update sync.crm_side set number = number + :more where crm_id = any(:ids)")
    with both.engine.begin() as connection:
        connection.execute(recorded, {"more": 1, "ids": list(everybody)})
    settled: set[str] = set()
    for left in (5, 3, 1):
        for _ in range(2):  # as long as nothing is settled, nobody else is asked about
            assert compared(both, pages) == left
            asked_about = {one["crm_id"] for one in listed(pages)["tasks"]}
            assert len(asked_about) == min(left, 2)
            assert not asked_about & settled
        with both.engine.begin() as connection:
            connection.execute(recorded, {"more": -1, "ids": list(asked_about)})
        settled |= asked_about
    assert settled == everybody
    assert compared(both, pages) == 0
    assert listed(pages)["total"] == 0
