"""An admin pauses a direction: edits and choices wait and say so, and go out in their order when it goes on; so for a service."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from crm_outbox.contract import Customer, WriteCustomer
from crm_outbox.messaging.danish import danish
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements, clock, pausing, people, runs
from reconciler.person import Role
from reconciler.rules import System, Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.web.browsing import Browser, Pages, ask

PAGE = "/set-up/pause"


@pytest.fixture
def both(pages: Pages) -> Both:
    made = Both(engine=pages.engine, time=pages.time)
    made.switch_on(Transfer.CREATED)
    pages.time = made.time
    return made


@pytest.fixture
def three(both: Both) -> list[Customer]:
    """Three linked customers, and a pass may write to one."""
    found = [
        both.linked(number, id=f"k{number}", name=f"Kunde {number}", cvr=cvr, phone="11111111")
        for number, cvr in ((7, "12345678"), (8, "87654321"), (9, "13748136"))
    ]
    both.set(brake_customers=1, brake_percent=100)
    return found


@pytest.fixture
def admin(pages: Pages, both: Both) -> Browser:
    return pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin", to=PAGE)


def press(admin: Browser, path: str = PAGE, **fields: str) -> httpx.Response:
    return admin.post(path, {"form_token": admin.token(PAGE), **fields})


def paused(both: Both) -> frozenset[System]:
    with both.engine.connect() as connection:
        return agreements.current(connection, TENANT, AGREEMENT).as_rules(both.resend).paused


def turn(both: Both) -> None:
    """The clock looks until nothing is left to tell."""
    both.later(seconds=1)
    while pausing.end_due(both.engine, both.clocked) + clock.tell_paused(both.engine, both.clocked):
        pass


def edited(both: Both, customer: Customer, version: int, **values: str) -> None:
    both.later(seconds=1)
    both.in_crm(customer.model_copy(update=values), version)


def told(both: Both) -> list[tuple[str, dict[str, str]]]:
    return [
        (str(one.customer), dict(one.parts[0].fields))
        for one in (envelope.data for envelope in both.said())
        if isinstance(one, WriteEconomicCustomer | WriteCustomer)
    ]


def test_edits_wait_and_go_out_in_their_order_when_it_goes_on_past_the_brake(
    both: Both, three: list[Customer], admin: Browser
) -> None:
    assert press(admin, to="economic", ends="open").headers["location"] == PAGE
    assert paused(both) == {System.ECONOMIC}
    shown = unescape(admin.get(PAGE).text)
    assert "Rettelser til e-conomic er sat på pause" in shown
    assert "sat på pause af Mette Krogh" in shown
    for place in (2, 0, 1):
        edited(both, three[place], 2, phone=f"2222222{place}")
    turn(both)
    assert told(both) == []
    assert "3 kunder har noget, der venter." in admin.get(PAGE).text
    assert press(admin, f"{PAGE}/resume", to="both").headers["location"] == PAGE
    turn(both)
    assert told(both) == [
        ("k9", {"phone": "22222222"}),
        ("k7", {"phone": "22222220"}),
        ("k8", {"phone": "22222221"}),
    ]
    with both.engine.connect() as connection:
        assert runs.open_pass(connection, TENANT, AGREEMENT) is None, "going on is no pass"
    assert "Sat på pause nu" not in admin.get(PAGE).text
    turn(both)
    assert told(both) == []


def test_the_status_says_until_when_and_by_whom_and_leads_to_going_on(
    pages: Pages, both: Both, three: list[Customer], admin: Browser
) -> None:
    day = danish(both.time + timedelta(days=9)).date()
    press(admin, to="economic", ends="day", until=f"{day.day}.{day.month}.{day.year}")
    edited(both, three[0], 2, phone="22222222")
    shown = unescape(admin.get("/customers/k7").text)
    assert "Rettelser til e-conomic er sat på pause" in shown
    assert f"indtil {day.day}. " in shown
    assert "sat på pause af Mette Krogh" in shown
    assert 'href="' + pages.url + '/set-up/pause">Genoptag</a>' in shown
    other = unescape(admin.get("/customers/k8").text)
    assert "sat på pause" not in other, "nothing of it waits"
    assert "until" in unescape(admin.get("/customers/k7?lang=en").text)
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", "admin", pages.time)
    status = ask("GET", f"{pages.url}/api/v1/customers/k7/status", headers={"authorization": f"Bearer {key}"}).json()
    assert (status["state"], status["reason"]) == ("paused", "economic")
    assert [(one["system"], one["who"]) for one in status["pauses"]] == [("economic", "Mette Krogh")]


def test_a_pause_ends_by_itself_when_its_day_begins(both: Both, three: list[Customer], admin: Browser) -> None:
    press(admin, to="both", ends="day", until=danish(both.time + timedelta(days=2)).date().isoformat())
    edited(both, three[0], 2, phone="22222222")
    turn(both)
    assert told(both) == []
    assert paused(both) == set(System)
    both.later(days=2)
    turn(both)
    assert told(both) == [("k7", {"phone": "22222222"})]
    assert paused(both) == set()


def test_one_direction_goes_on_and_the_other_waits(both: Both, three: list[Customer], admin: Browser) -> None:
    press(admin, to="both", ends="open")
    edited(both, three[0], 2, phone="22222222")
    both.in_economic(there(three[1], 8, "v2", contacts=(), phone="33333333"), 2)
    turn(both)
    assert told(both) == []
    press(admin, f"{PAGE}/resume", to="crm")
    turn(both)
    assert told(both) == [("k8", {"phone": "33333333"})]
    assert paused(both) == {System.ECONOMIC}
    press(admin, f"{PAGE}/resume", to="economic")
    turn(both)
    assert told(both) == [("k7", {"phone": "22222222"})]


def test_a_new_customer_waits_for_a_pause_too(both: Both, admin: Browser) -> None:
    press(admin, to="economic", ends="open")
    both.in_crm(both.new(id="ny", name="Ny kunde", cvr="35204539"))
    turn(both)
    assert told(both) == []
    press(admin, f"{PAGE}/resume", to="economic")
    turn(both)
    ((customer, _),) = told(both)
    assert customer == "ny"


def test_a_choice_that_is_saved_during_a_pause_waits_and_says_so(
    both: Both, three: list[Customer], admin: Browser
) -> None:
    press(admin, to="both", ends="open")
    edited(both, three[0], 2, name="Kunde Syv")
    both.in_economic(there(three[0], 7, "v2", contacts=(), name="Kunde 7 ApS"), 2)
    page = admin.get("/customers/k7").text
    hidden = dict(_hidden(page))
    mark = next(name for name in hidden if name.startswith("mark.") and name.endswith(".name"))
    saved = admin.post("/customers/k7", {**hidden, mark.replace("mark.", "choice."): "crm"})
    receipt = admin.get(saved.headers["location"]).text
    assert "Dit valg er gemt og bliver skrevet, når pausen er slut." in receipt
    turn(both)
    assert told(both) == []
    press(admin, f"{PAGE}/resume", to="both")
    turn(both)
    assert told(both) == [("k7", {"name": "Kunde Syv"})]


def test_whoever_begins_to_wait_as_a_pause_ends_is_found(both: Both, three: list[Customer], admin: Browser) -> None:
    press(admin, to="economic", ends="open")
    edited(both, three[0], 2, phone="22222222")
    press(admin, f"{PAGE}/resume", to="economic")
    # an edit that had read the pause before it ended is stored after it
    both.set(paused='["economic"]')
    edited(both, three[1], 2, phone="33333333")
    both.set(paused="[]")
    turn(both)
    assert [one for one, _ in told(both)] == ["k7", "k8"]


@pytest.mark.parametrize("until", ["yesterday", "0000-00-00", "9999-99-99", "31.02.2027"])
def test_what_is_no_day_is_said_with_how_to_write_it_and_stays_in_its_field(
    both: Both, admin: Browser, until: str
) -> None:
    answer = press(admin, to="both", ends="day", until=until)
    assert answer.status_code == 400
    assert f"&#34;{until}&#34; er ikke en dato. Skriv den som dd.mm.åååå. Intet er sat på pause." in answer.text
    field = re.search(
        r'<input type="text" class="day" name="until" value="([^"]*)"[^>]*aria-describedby="wrong">', answer.text
    )
    assert field is not None
    assert field.group(1) == until
    assert paused(both) == set()


@pytest.mark.parametrize("until", ["", "2020-01-01", "1.1.2020"])
def test_a_day_that_is_past_is_said_and_nothing_is_paused(both: Both, admin: Browser, until: str) -> None:
    answer = press(admin, to="both", ends="day", until=until)
    assert answer.status_code == 400
    assert "Vælg en dag, der ikke er kommet endnu. Intet er sat på pause." in answer.text
    assert paused(both) == set()


@pytest.mark.parametrize("fields", [{}, {"to": "all"}, {"to": "crm", "ends": "never"}, {"to": "crm", "more": "1"}])
def test_what_no_form_of_ours_sends_is_refused(both: Both, admin: Browser, fields: dict[str, str]) -> None:
    assert press(admin, **fields).status_code == 400
    assert paused(both) == set()


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admin_pauses(pages: Pages, both: Both, admin: Browser, role: Role) -> None:
    other = pages.arrive(tenant=TENANT, sub="o", role=role)
    token = other.token()
    assert other.get(PAGE).status_code == 403
    assert other.post(PAGE, {"form_token": token, "to": "all"}).status_code == 403
    assert other.post(f"{PAGE}/resume", {"form_token": token, "to": "both"}).status_code == 403
    assert paused(both) == set()


def test_nothing_is_connected(pages: Pages) -> None:
    alone = pages.arrive(tenant="new", role="admin")
    assert "Integrationen med e-conomic er ikke sat op" in alone.get(PAGE).text
    assert alone.post(PAGE, {"form_token": alone.token(), "to": "both"}).status_code == 404


def call(pages: Pages, method: str, path: str = "", body: Any = None, role: Role = "admin") -> httpx.Response:
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", role, pages.time)
    headers = {"authorization": f"Bearer {key}"}
    return ask(method, f"{pages.url}/api/v1/set-up/pause{path}", json=body, headers=headers)


def test_a_service_sees_pauses_and_goes_on(pages: Pages, both: Both, three: list[Customer]) -> None:
    assert call(pages, "GET").json() == {"paused": [], "waiting": 0}
    until = (both.time + timedelta(hours=5)).isoformat()
    begun = call(pages, "POST", body={"to": "both", "until": until}).json()
    assert [(one["system"], one["who"]) for one in begun["paused"]] == [("crm", "crm"), ("economic", "crm")]
    edited(both, three[0], 2, phone="22222222")
    assert call(pages, "GET").json()["waiting"] == 1
    assert [one["system"] for one in call(pages, "POST", "/resume", {"to": "crm"}).json()["paused"]] == ["economic"]
    assert call(pages, "POST", "/resume", {"to": "both"}).json()["paused"] == []
    assert call(pages, "POST", "/resume", {"to": "both"}).status_code == 200
    past = (both.time - timedelta(hours=5)).isoformat()
    for body, status in (
        ({"to": "both", "until": past}, 400),
        ({"to": "both", "until": "2026-11-24T10:00:00"}, 422),
        ({"to": "all"}, 422),
        ({}, 422),
        ({"to": "crm", "more": 1}, 422),
    ):
        answer = call(pages, "POST", body=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert call(pages, "POST", body={"to": "both"}, role="user").status_code == 403
    assert paused(both) == set()


def _hidden(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page)
