"""The box inside a page of the CRM on another site, in a browser that refuses third-party cookies, and the way from it and back."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Frame, Page

from crm_outbox import customers
from crm_outbox.contract import Customer
from crm_outbox.messaging.server import Server
from deploy.local.demo.crm.app import Crm
from deploy.local.demo.crm.app import app as crm_app
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.rules import Transfer
from reconciler.web.app import app
from reconciler.web.site import Site
from tests.browser.screens import Screen
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import KEY, KEYS


@pytest.fixture
def both(engine: sa.Engine) -> Both:
    wire = Both(engine=engine, time=datetime.now(UTC))
    wire.switch_on(Transfer.HAND)
    wire.time = datetime.now(UTC)
    return wire


@pytest.fixture
def crm(engine: sa.Engine) -> Iterator[str]:
    """The CRM's address: another site than ours, as every CRM is."""
    free = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ours, theirs = (one.getsockname()[1] for one in free)
    for one in free:
        one.close()
    address, pages = f"http://crm.localhost:{theirs}", f"http://127.0.0.1:{ours}"
    site = Site(
        engine=engine,
        now=lambda: datetime.now(UTC),
        keys=KEYS,
        public_url=pages,
        crm_origin=address,
        crm_launch=f"{address}/economic/launch",
        resend=timedelta(minutes=2),
    )
    made = Crm(engine=engine, ring=lambda: None, tenant=TENANT, pages=pages, origin=address, key_id="one", key=KEY)
    servers = [Server(app(site), "127.0.0.1", ours), Server(crm_app(made), "127.0.0.1", theirs)]
    yield address
    for server in servers:
        server.close()


@pytest.fixture
def screen(chromium: Browser, crm: str) -> Iterator[Screen]:
    """A salesperson's window. It takes no cookie of a site that is not the one in the address line."""
    context = chromium.new_context(locale="da-DK")
    page = context.new_page()
    refuses_third_parties(page)
    yield Screen(context=context, page=page, url=crm)
    context.close()


def refuses_third_parties(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    words = (
        "enableThirdPartyCookieRestriction", "disableThirdPartyCookieMetadata", "disableThirdPartyCookieHeuristics",
    )  # fmt: skip
    session.send("Network.setCookieControls", dict.fromkeys(words, True))


def saved(both: Both, name: str, **fields: str) -> Customer:
    """A customer that the CRM holds and that was heard of."""
    with both.engine.begin() as connection:
        held = customers.create(
            connection, TENANT, customers.Edit(fields={"name": name, "country": "Danmark", **fields})
        )
    customer = held.held.customer
    both.in_crm(customer)
    return customer


def box(screen: Screen) -> Frame:
    """The frame that is ours."""
    screen.page.wait_for_selector("iframe")
    (frame,) = [one for one in screen.page.frames if "/widget" in one.url]
    return frame


def test_a_customer_is_created_from_the_box_without_any_cookie(screen: Screen, both: Both) -> None:
    customer = saved(both, "Ny Kunde ApS", cvr="20000017", postcode="8000", city="Aarhus C")
    screen.go(f"/customers/{customer.id}")
    frame = box(screen)
    assert "Ikke oprettet i e-conomic" in frame.locator("body").inner_text()
    frame.get_by_role("link", name="Opret i e-conomic").click()
    frame.get_by_role("button", name="Opret", exact=True).click()
    frame.get_by_text("Oprettes i e-conomic").wait_for()
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields["name"] == "Ny Kunde ApS"
    mine = [one["domain"] for one in screen.context.cookies()]
    assert "127.0.0.1" not in mine, "the box keeps no cookie"
    both.created(command, customer, 10482)
    screen.page.reload()
    box(screen).get_by_text("Oprettet i e-conomic som kundenr. 10482").wait_for()
    screen.flawless()


def test_from_the_box_to_both_sides_and_back(screen: Screen, both: Both) -> None:
    customer = saved(both, "Birk Tømrer ApS", cvr="20000010", city="Aarhus C")
    both.in_economic(there(customer, 7, "v1"), why="import")
    from reconciler import joining  # noqa: PLC0415

    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, 123456, customer.id, 7, by="person")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="Birk og Søn ApS"), 2)
    with both.engine.begin() as connection:
        edited = customers.change(connection, TENANT, customer.id, customers.Edit(fields={"name": "Birk & Søn ApS"}))
    assert edited is not None
    both.in_crm(customer.model_copy(update={"name": "Birk & Søn ApS"}), 2)
    both.set(paused="[]")
    screen.go(f"/customers/{customer.id}")
    frame = box(screen)
    frame.get_by_text("Vælg de rigtige oplysninger").wait_for()
    frame.get_by_role("link", name="Vælg", exact=True).click()
    screen.page.wait_for_url(f"**/customers/{customer.id}*")
    screen.page.get_by_role("heading", name="Birk & Søn ApS").wait_for()
    screen.page.get_by_role("link", name="Tilbage til kunden").click()
    screen.page.wait_for_url(f"{screen.url}/customers/{customer.id}")
    assert screen.wrong == []


def test_the_browser_of_these_tests_really_refuses_third_parties(screen: Screen, both: Both, crm: str) -> None:
    """Signed in at our own pages, the box is asked for without that cookie."""
    customer = saved(both, "Havblik Camping")
    screen.go("/economic/launch?to=/")
    screen.page.wait_for_url("http://127.0.0.1:*/**")
    assert [one["name"] for one in screen.context.cookies() if one["domain"] == "127.0.0.1"] == ["sync"]
    sent: list[str] = []
    screen.page.on(
        "request",
        lambda request: sent.append(request.all_headers().get("cookie", "")) if "/widget" in request.url else None,
    )
    screen.go(f"/customers/{customer.id}")
    box(screen)
    assert set(sent) == {""}
