"""However many lines a page shows, the database is asked as often as for one: each page of a list is counted, with few and with many."""

import re
from uuid import uuid4

import pytest
import sqlalchemy as sa

from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people, pressing, suggesting
from reconciler.person import Person
from reconciler.pressing import Press
from reconciler.rules import Transfer
from tests.builders.crm import a_customer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, done, economic_answered, economic_seen, refused, there
from tests.integration.web.browsing import Browser, Pages, ask
from tests.integration.web.shop import Shop
from tests.integration.web.statements import sent_by

MOST = 30
"""Statements of the page that asks most; a page that needs more says so here first."""


def asked(pages: Pages, browser: Browser, paths: list[str], **headers: str) -> dict[str, int]:
    """How many statements each of these pages needs, and that it shows something."""
    found = {}
    for path in paths:
        with sent_by(pages.engine) as statements:
            answer = browser.get(path, **headers)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = len(statements)
    return found


def lines(both: Both, first: int, many: int) -> None:
    """So many customers of each kind: one question, one error, one write that a rule decided."""
    for nth in range(first, first + many):
        number, cvr = 1000 + 10 * nth, 10_000_000 + 100 * nth
        question = both.linked(number, cvr=f"{cvr}", phone="11111111")
        ruled = both.linked(number + 1, cvr=f"{cvr + 1}", phone="11111111")
        failing = both.linked(number + 2, cvr=f"{cvr + 2}")
        both.set(paused='["crm", "economic"]')
        both.in_economic(there(question, number, "v2", contacts=(), name=f"Derovre {nth}"), 2)
        both.in_economic(there(ruled, number + 1, "v2", contacts=(), phone="33333333"), 2)
        question = question.model_copy(update={"name": f"Herovre {nth}"})
        ruled = ruled.model_copy(update={"phone": "22222222"})
        for one in (question, ruled):
            both.in_crm(one, 2)
        both.set(paused="[]")
        both.said()
        for one in (question, ruled, failing.model_copy(update={"email": "odd"})):
            both.in_crm(one, 3)
        for command in both.said_only(WriteEconomicCustomer):
            wrong = "email" in command.parts[0].fields
            operation = command.parts[0].operation
            outcome = refused(operation, "CustomerInvalidEmail", detail="email") if wrong else done(operation)
            seen = there(failing if wrong else ruled, command.number or 0, "v3", contacts=())
            both.hear(economic_answered(command, outcome, customer=seen, version=3))
        both.said()


def test_every_list_of_work_asks_as_often_for_many_as_for_few(pages: Pages) -> None:
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    lines(both, 0, 2)
    pages.time = both.time
    browser = pages.arrive(tenant=TENANT, role="admin")
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", "admin", pages.time)
    held = {"authorization": f"Bearer {key}"}
    paths = ["/", "/errors", "/settled", "/history", "/kept", "/customers", "/differences", "/health"]
    service = ["/tasks", "/errors", "/settled", "/history", "/customers", "/differences", "/runs"]
    asked(pages, browser, paths)
    few = asked(pages, browser, paths)
    few_told = asked(pages, browser, [f"/api/v1{one}" for one in service], **held)
    assert len(re.findall(r"Herovre", browser.get("/").text)) == 2
    lines(both, 2, 5)
    pages.time = both.time
    assert len(re.findall(r"Herovre", browser.get("/").text)) == 7
    asked(pages, browser, paths)
    assert asked(pages, browser, paths) == few
    assert asked(pages, browser, [f"/api/v1{one}" for one in service], **held) == few_told
    assert max(*few.values(), *few_told.values()) <= MOST


def suggested(shop: Shop, first: int, many: int) -> None:
    """So many pairs that may be one."""
    for nth in range(first, first + many):
        shop.company.here(a_customer(id=f"c{nth}", name=f"Firma {nth}", cvr=f"{10_000_000 + nth * 11}"))
        other = there(a_customer(name=f"Selskab {nth}", cvr=f"{10_000_000 + nth * 11}"), 1000 + nth, "v1", contacts=())
        shop.company.economic[1000 + nth], shop.company.counters[1000 + nth] = other, 1
        shop.both.hear(economic_seen(other, 1, why="import"))


def test_suggested_links_are_read_in_as_many_statements_as_one(pages: Pages) -> None:
    shop = Shop(pages)
    shop.both.set(state="off")
    browser = pages.arrive(tenant=TENANT, role="admin")
    found = []
    for first, many in ((0, 2), (2, 9)):
        suggested(shop, first, many)
        browser.post("/suggestions/search", {"form_token": browser.token()})
        assert suggesting.carry_on(pages.engine, shop.both.clocked) == 1
        assert browser.get("/suggestions").text.count('name="pair"') == first + many
        found.append(asked(pages, browser, ["/suggestions"]))
    assert found[0] == found[1]
    assert found[0]["/suggestions"] <= MOST


def test_candidates_of_a_question_are_read_together(pages: Pages) -> None:
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    found = []
    for nth, many in enumerate((2, 11)):
        customer = both.new(cvr=f"{20_000_000 + nth}", name=f"Tvilling {nth}")
        for other in range(many):
            both.in_economic(there(customer, 100 * (nth + 1) + other, "v1", contacts=()), 1)
        both.in_crm(customer)
        both.said()
        pages.time = both.time
        browser = pages.arrive(tenant=TENANT)
        with pages.engine.connect() as connection:
            task = connection.scalar(
                sa.text("""select t.id from sync.task t join sync.link l on l.id = t.link
                           where l.crm_id = :id and t.kind = 'candidates' and t.closed is null"""),
                {"id": customer.id},
            )
        shown = asked(pages, browser, [f"/tasks/{task}"])
        assert browser.get(f"/tasks/{task}").text.count("Findes måske allerede") == many
        found.append(list(shown.values()))
    assert found[0] == found[1]
    assert found[0][0] <= MOST


def test_what_many_that_begin_to_flow_would_have_written_is_read_together(pages: Pages) -> None:
    shop = Shop(pages)
    anne = Person(tenant=TENANT, id="u1", name="Anne Holm", role="user")
    browser = shop.pages.arrive(tenant=TENANT, role="admin")
    token, found = browser.token(), []
    for first, many in ((0, 2), (2, 7)):
        for number in range(101 + first, 101 + first + many):
            shop.linked(number, phone=f"1111{number:04}")
            with pages.engine.begin() as connection:
                pressing.still(shop.both.clocked, connection, Press(person=anne, customer=f"c{number}", id=uuid4()))
        customers = [f"c{number}" for number in range(101 + first, 101 + first + many)]
        with sent_by(pages.engine) as statements:
            answer = browser.post("/flow", {"form_token": token, "bulk": str(uuid4()), "customer": customers})
        assert answer.status_code == 303, answer.text
        assert shop.bulk(answer.headers["location"]).customers == many
        found.append(len(statements))
        paths = [answer.headers["location"].removeprefix(pages.url)]
        found.append(asked(pages, browser, paths)[paths[0]])
    assert found[:2] == found[2:]


@pytest.mark.parametrize("many", [1, 12])
def test_runs_are_told_together(pages: Pages, many: int) -> None:
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    pages.time = both.time
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", "admin", pages.time)
        for nth in range(many):
            connection.execute(
                sa.text("""
                    insert into sync.run (id, tenant, agreement, kind, state, started, ended)
                    values (gen_random_uuid(), :tenant, :agreement, :kind, 'done', :now, :now)
                """),
                {"tenant": TENANT, "agreement": AGREEMENT, "kind": ("read", "transfer")[nth % 2], "now": pages.time},
            )
    held = {"authorization": f"Bearer {key}"}
    with sent_by(pages.engine) as statements:
        told = ask("GET", f"{pages.url}/api/v1/runs", headers=held).json()["runs"]
    assert len(told) >= many
    assert len(statements) <= 8, statements
