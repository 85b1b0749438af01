"""The demo's CRM and our pages, each on its own socket: a salesperson saves there, and is led here and back, signed in."""

import html
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.messaging.server import Server
from deploy.local.demo.books import Books
from deploy.local.demo.crm import states
from deploy.local.demo.crm.app import Crm, app
from deploy.local.demo.crm.breaking import Breaking
from reconciler.contract import State
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.browsing import CRM, KEY, Pages, ask

DEMO = "demo"


@pytest.fixture
def crm(pages: Pages, engine: sa.Engine, tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Crm(
        engine=engine, ring=lambda: None, tenant=DEMO, pages=pages.url, origin=CRM, key_id="one", key=KEY,
        breaking=Breaking(Books("http://127.0.0.1:1"), tmp_path / "asked"),
    )  # fmt: skip
    pages.time = datetime.now(UTC)  # the CRM signs by the clock
    server = Server(app(made), "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    server.close()


@pytest.fixture
def customer(engine: sa.Engine) -> str:
    edit = customers.Edit(fields={"name": "Birk & Søn ApS"}, persons=[customers.PersonEdit(fields={"name": "Mette"})])
    with engine.begin() as connection:
        return customers.create(connection, DEMO, edit).held.customer.id


def test_a_customer_is_shown_with_the_box_and_saved(crm: str, customer: str, engine: sa.Engine) -> None:
    shown = ask("GET", f"{crm}/customers/{customer}").text
    assert "Birk &amp; Søn ApS" in shown
    (frame,) = re.findall(r'<iframe src="([^"]+)"', shown)
    box = ask("GET", html.unescape(frame))
    assert (box.status_code, "Integrationen med e-conomic er ikke sat op" in box.text) == (200, True)
    person = re.findall(r'name="person\.([^."]+)\.name"', shown)[0]
    given = {"name": "Birk og Søn ApS", f"person.{person}.phone": "12345678", "person.new.name": ""}
    assert ask("POST", f"{crm}/customers/{customer}", data=given).status_code == 303
    with engine.connect() as connection:
        held = customers.find(connection, DEMO, customer)
    assert held is not None
    assert (held.customer.name, [one.phone for one in held.customer.contacts]) == ("Birk og Søn ApS", ["12345678"])


def test_only_what_somebody_typed_is_saved(crm: str, customer: str, engine: sa.Engine) -> None:
    shown = ask("GET", f"{crm}/customers/{customer}").text
    came = {
        name: html.unescape(value) for name, value in re.findall(r'<input [^>]*name="([^"]+)" value="([^"]*)"', shown)
    }
    assert came["was.name"] == came["name"] == "Birk & Søn ApS"
    with engine.begin() as connection:
        meanwhile = customers.Edit(fields={"name": "Birk & Søn A/S", "street": "Havnegade 14\n2. sal"})
        customers.change(connection, DEMO, customer, meanwhile)
    form = {**came, "phone": "86123457", "street": "", "stage": came["was.stage"]}
    assert ask("POST", f"{crm}/customers/{customer}", data=form).status_code == 303
    with engine.connect() as connection:
        held = customers.find(connection, DEMO, customer)
        assert held is not None
    assert (held.customer.name, held.customer.street, held.customer.phone) == (
        "Birk & Søn A/S",
        "Havnegade 14\n2. sal",
        "86123457",
    )
    assert ask("POST", f"{crm}/customers/{customer}", data={**came, "stage": came["was.stage"]}).status_code == 303
    with engine.connect() as connection:
        again = customers.find(connection, DEMO, customer)
    assert again == held, "nothing was typed, and nothing is said to have changed"


def test_who_is_signed_in_there_is_signed_in_here(crm: str, pages: Pages) -> None:
    there = ask("GET", f"{crm}/economic/launch?to=/", headers={"cookie": "who=mette"}).text
    fields = dict(re.findall(r'name="(pass|to)" value="([^"]*)"', there))
    browser = pages.browser()
    assert browser.client.post(f"{pages.url}/launch", data=fields, headers={"origin": CRM}).status_code == 303
    assert "Mette Krogh, Administrator" in browser.get().text


def test_a_customer_that_is_not_there_is_said_so(crm: str) -> None:
    assert ask("GET", f"{crm}/customers/nobody").status_code == 404
    assert ask("GET", f"{crm}/?q=birk").status_code == 200


def test_a_relay_is_asked_to_be_killed_and_the_visitor_told(crm: str, tmp_path: Path) -> None:
    answer = ask("POST", f"{crm}/break", data={"what": "relay"}, headers={"referer": f"{CRM}/customers/1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers/1?broken=relay")
    assert (tmp_path / "asked" / "relay").exists()
    shown = ask("GET", f"{crm}/?broken=relay", headers={"cookie": "lang=en"}).text
    assert "The relay was killed and starts again in 5 seconds." in shown
    assert "Take e-conomic away for 30 s" in shown
    assert ask("POST", f"{crm}/break", data={"what": "disk"}).status_code == 400


def test_a_state_leads_to_a_customer_that_stands_so_or_says_how_to_make_one(crm: str) -> None:
    answer = ask("GET", f"{crm}/?demo_state=choice")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (
        "<h1>Ingen kunde er choice lige nu</h1>\n<p>Ret det samme navn forskelligt i begge systemer.</p>" in answer.text
    )


@pytest.mark.parametrize(
    ("language", "heading"), [("da", "Sådan en tilstand er der ikke"), ("en", "There is no such state")]
)
def test_a_state_that_is_none_leads_to_all_that_are(crm: str, customer: str, language: str, heading: str) -> None:
    answer = ask("GET", f"{crm}/?demo_state=<b>", headers={"cookie": f"lang={language}"})
    assert (answer.status_code, f"<h1>{heading}</h1>" in answer.text) == (404, True)
    named = re.findall(r"<tr><td>(?:<a [^>]*>)?(\w+)(?:</a>)?</td><td>\d+</td>", answer.text)
    assert sorted(named) == sorted(get_args(State))
    assert "<b>" not in answer.text


def test_a_state_counts_those_who_stand_so(both: Both) -> None:
    customer = both.linked(7)
    counts = states.counted(both.engine, TENANT)
    assert {state for state, n in counts.items() if n} == {"same", "not_set_up"}
    assert {states.found(both.engine, TENANT, state) for state, n in counts.items() if n} == {customer.id}
    assert states.found(both.engine, TENANT, "choice") is None


def test_of_a_tenant_that_never_connected_nothing_is_set_up(crm: str, customer: str) -> None:
    shown = ask("GET", f"{crm}/customers/{customer}?tenant=nobody").text
    (frame,) = re.findall(r'<iframe src="([^"]+)"', shown)
    assert "Integrationen med e-conomic er ikke sat op" in ask("GET", html.unescape(frame)).text
