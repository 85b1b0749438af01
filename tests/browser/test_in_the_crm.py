"""The box inside a page of the CRM on another site, in a browser that refuses third-party cookies, and the way from it and back."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Frame, Locator, Page

from crm_outbox import customers
from crm_outbox.contract import Customer
from crm_outbox.messaging.server import Server
from deploy.local import ports as local_ports
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


@dataclass
class Ours:
    """Our pages, which may be away for a while; on both sides it may be ``later`` than it is."""

    site: Site
    port: int
    later: timedelta
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.come()

    def come(self) -> None:
        self.server = Server(app(self.site), "127.0.0.1", self.port)

    def go(self) -> None:
        self.server.close()


@pytest.fixture
def ports() -> tuple[int, int]:
    ours, theirs = local_ports.free(2)  # none that a browser's own connection may get while our server is away
    return ours, theirs


@pytest.fixture
def ours(engine: sa.Engine, ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    address = f"http://crm.localhost:{ports[1]}"
    site = Site(
        engine=engine,
        now=lambda: datetime.now(UTC) + made.later,
        keys=KEYS,
        public_url=f"http://127.0.0.1:{ports[0]}",
        crm_origin=address,
        crm_launch=f"{address}/economic/launch",
        resend=timedelta(minutes=2),
    )
    made = Ours(site=site, port=ports[0], later=timedelta(0))
    monkeypatch.setattr("deploy.local.demo.crm.app.time", SimpleNamespace(time=lambda: site.now().timestamp()))
    yield made
    made.go()


@pytest.fixture
def crm(engine: sa.Engine, ours: Ours, ports: tuple[int, int]) -> Iterator[str]:
    """The CRM's address: another site than ours, as every CRM is."""
    pages, address = ours.site.public_url, ours.site.crm_origin
    made = Crm(engine=engine, ring=lambda: None, tenant=TENANT, pages=pages, origin=address, key_id="one", key=KEY)
    server = Server(crm_app(made), "127.0.0.1", ports[1])
    yield address
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


def lone(screen: Screen, both: Both) -> Frame:
    """The box of a customer that is not in e-conomic, once the page around it heard from it."""
    customer = saved(both, "Ny Kunde ApS", cvr="20000017", postcode="8000", city="Aarhus C")
    screen.go(f"/customers/{customer.id}")
    frame = box(screen)
    frame.get_by_role("link", name="Opret i e-conomic").wait_for()
    return frame


def carries_newer(frame: Frame, old: str) -> None:
    frame.wait_for_function("old => document.querySelector('input[name=pass]').value !== old", arg=old)


def passes(screen: Screen, until: Locator) -> None:
    """So much time passes in the browser until that is seen; at most a minute."""
    for _ in range(60):
        screen.page.clock.run_for(1000)
        if until.is_visible():
            return
    raise AssertionError("a minute is over")


TURNS_TO = "document.dispatchEvent(new Event('visibilitychange'))"
"""Somebody turns to the CRM's page again, which then renews the pass."""


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


def test_the_frame_grows_to_the_height_of_the_panel(screen: Screen, both: Both) -> None:
    customer = saved(both, "Birk Tømrer ApS", cvr="20000010", street="Havnegade 1", postcode="8000", city="Aarhus C")
    both.in_economic(there(customer, 7, "v1"), why="import")
    from reconciler import joining  # noqa: PLC0415

    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, 123456, customer.id, 7, by="person")
    both.stop_flowing()
    with both.engine.begin() as connection:
        edited = {"name": "Birk & Søn ApS", "phone": "86121212", "email": "post@birk.example", "street": "Kajen 12"}
        customers.change(connection, TENANT, customer.id, customers.Edit(fields=edited))
    both.in_crm(customer.model_copy(update=edited), 2)
    screen.go(f"/customers/{customer.id}")
    frame = box(screen)
    frame.get_by_role("link", name="Opdater i e-conomic").click()
    press = frame.get_by_role("button", name="Opdater", exact=True)
    press.wait_for()
    screen.page.wait_for_function(
        "needed => document.querySelector('iframe').clientHeight >= needed",
        arg=frame.evaluate("document.body.offsetHeight"),
    )
    frame.wait_for_function("document.documentElement.scrollHeight <= innerHeight")
    there_, around = press.bounding_box(), screen.page.locator("iframe").bounding_box()
    assert there_ is not None
    assert around is not None
    assert there_["y"] + there_["height"] <= around["y"] + around["height"], "no scrolling inside the frame"
    screen.flawless()


def test_a_pass_renewed_while_a_panel_is_open_lets_its_form_through(screen: Screen, both: Both, ours: Ours) -> None:
    frame = lone(screen, both)
    frame.get_by_role("link", name="Opret i e-conomic").click()
    press = frame.get_by_role("button", name="Opret", exact=True)
    press.wait_for()
    old = frame.locator("input[name=pass]").input_value()
    ours.later = timedelta(minutes=11)
    screen.page.evaluate(TURNS_TO)
    carries_newer(frame, old)
    press.click()
    frame.get_by_text("Oprettes i e-conomic").wait_for()
    assert len(both.said_only(WriteEconomicCustomer)) == 1


def test_what_is_opened_with_a_pass_that_ran_out_is_opened_anyway(screen: Screen, both: Both, ours: Ours) -> None:
    frame = lone(screen, both)
    frame.get_by_role("link", name="Opret i e-conomic").click()
    leave = frame.get_by_role("link", name="Annuller")
    leave.wait_for()
    ours.later = timedelta(minutes=11)
    leave.click()
    frame.get_by_role("link", name="Opret i e-conomic").wait_for()


def test_what_is_pressed_with_a_pass_that_ran_out_says_so_and_leads_back(
    screen: Screen, both: Both, ours: Ours
) -> None:
    frame = lone(screen, both)
    frame.get_by_role("link", name="Opret i e-conomic").click()
    press = frame.get_by_role("button", name="Opret", exact=True)
    press.wait_for()
    ours.later = timedelta(minutes=11)
    press.click()
    frame.get_by_role("heading", name="Siden skal åbnes igen. Intet er ændret.").wait_for()
    frame.get_by_role("link", name="Genindlæs").click()
    frame.get_by_role("link", name="Opret i e-conomic").wait_for()
    assert both.said_only(WriteEconomicCustomer) == []
    screen.flawless()


def test_a_pass_that_never_holds_is_asked_for_once(screen: Screen, both: Both, ours: Ours) -> None:
    frame = lone(screen, both)
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url) if "/widget" in request.url else None)
    ours.site = replace(ours.site, keys={"one": bytes(32)})
    ours.go()
    ours.come()
    frame.get_by_role("link", name="Opret i e-conomic").click()
    frame.get_by_role("link", name="Genindlæs").wait_for()
    frame.wait_for_url("**#renewed")
    assert "Siden skal åbnes igen" in frame.locator("body").inner_text()
    assert len([one for one in asked if "/widget/create" in one]) == 2


def test_while_our_server_is_away_a_press_says_so_and_the_box_comes_back_by_itself(
    screen: Screen, both: Both, ours: Ours
) -> None:
    screen.page.clock.install()
    frame = lone(screen, both)
    away = screen.page.get_by_text("Status kan ikke vises lige nu")
    assert not away.is_visible()
    ours.go()
    frame.get_by_role("link", name="Opret i e-conomic").click()
    frame.wait_for_url("chrome-error://**")
    passes(screen, away)
    assert not screen.page.locator("iframe").is_visible()
    ours.come()
    with screen.page.expect_response(lambda answer: "/widget?" in answer.url and answer.ok):
        screen.page.clock.run_for(30_500)
    screen.page.frame_locator("iframe").get_by_role("link", name="Opret i e-conomic").wait_for()
    assert not away.is_visible()


def test_the_list_behind_the_number_opens_in_the_box_by_keyboard_and_stays_open(screen: Screen, both: Both) -> None:
    customer = saved(both, "Birk Tømrer ApS", cvr="20000010", phone="11111111")
    both.in_economic(there(customer, 7, "v1"), why="import")
    from reconciler import joining  # noqa: PLC0415

    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, 123456, customer.id, 7, by="person")
    both.stop_flowing()
    both.in_economic(there(customer, 7, "v2", phone="22222222", city="Odense"), 2)
    screen.go(f"/customers/{customer.id}")
    frame = box(screen)
    line = frame.locator("summary")
    line.get_by_text("2 oplysninger er forskellige").wait_for()
    height = "document.querySelector('iframe').offsetHeight"
    before = screen.page.evaluate(height)
    line.focus()
    screen.page.keyboard.press("Enter")
    frame.get_by_text("22 22 22 22").wait_for()
    screen.page.wait_for_function(f"{height} > {before}")
    frame.wait_for_function("document.documentElement.scrollHeight <= innerHeight")  # nothing of it is cut off
    assert frame.get_by_role("link", name="Vis forskelle").is_visible()
    both.in_economic(there(customer, 7, "v3", phone="22222222"), 3)
    frame.get_by_role("button", name="Sammenlign igen").click()
    line.get_by_text("1 oplysning er forskellig").wait_for()
    assert frame.get_by_text("22 22 22 22").is_visible(), "it stays open when it is told anew"
    assert screen.wrong == []
