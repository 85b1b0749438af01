"""Is every page of a customer flawless in each of its states: both languages, light and dark, readable at 320 px, with nothing wrong to axe?"""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

from playwright.sync_api import Page

from reconciler.passes import sign
from tests.browser.gallery import SCRIPT, contested, hostile, in_state, of_every_state
from tests.browser.screens import Screens
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.browsing import KEY, Pages

ADMIN: dict[str, Any] = {"role": "admin", "sub": "m", "name": "Mette Krogh"}
READER: dict[str, Any] = {"role": "reader", "sub": "l", "name": "Lars Bak"}


def widget(pages: Pages, customer: str, version: str, panel: str = "", **given: object) -> str:
    """The address that the CRM gives its frame, or that of a panel in it."""
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": "user", "customer": customer, **given,
    }  # fmt: skip
    return f"/widget{panel}?version={version}&pass={sign('one', KEY, claims)}"


def test_whoever_is_not_in_or_asks_for_what_is_not_there(screens: Screens) -> None:
    screens.look("not-set-up", "/", role="admin")
    screens.look("not-in", "/", 401, nobody=True)
    screens.look("not-found", "/nothing", 404, nobody=True)
    screens.look("not-allowed", "/transfer", 403)


def test_the_box_at_the_right_in_every_state(screens: Screens, both: Both, pages: Pages) -> None:
    states = of_every_state(both)
    pages.time = both.time
    for state in states:
        back = in_state(both, state)
        address = widget(pages, state.customer.id, state.version)
        screens.look(f"box-{state.name}", address, nobody=True, also=state.name in {"same", "choice"})
        back()
    screens.look("box-not-set-up", widget(pages, "48211", "1.1", tenant="other"), nobody=True)


def test_both_sides_of_a_customer(screens: Screens, both: Both, pages: Pages) -> None:
    states = {one.name: one.customer.id for one in of_every_state(both)}
    pages.time = both.time
    choice = f"/customers/{states['choice']}"
    screens.arrive(sub="b", name="Birthe Lund").go("/")
    screens.look("customer", choice, also=True)
    screens.look("customer-chosen", f"{choice}?all=economic&from=list")
    screens.look("customer-unchosen", f"{choice}?unchosen=1")
    screens.look("customer-everything", choice, then=everything_open)
    screens.look("customer-same", f"/customers/{states['same']}")
    screens.look("customer-error", f"/customers/{states['error']}")
    screens.look("customer-alone", f"/customers/{states['not_there']}")
    screens.look("customer-reader", choice, **READER)


def everything_open(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def test_the_panels_behind_the_buttons(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both, theirs={"phone": "86121415"})
    both.stop_flowing()
    both.set(transfer="hand")
    lone = both.new(id="kunde-19", name="Havblik Camping", cvr="20000019")
    both.in_crm(lone)
    pages.time = both.time
    screens.look("customer-different", f"/customers/{customer.id}")
    screens.look("box-different", widget(pages, customer.id, "1.2"), nobody=True)
    screens.look("box-different-open", widget(pages, customer.id, "1.2"), then=everything_open, nobody=True)
    for panel in ("update", "flow", "unlink"):
        screens.look(f"panel-{panel}", f"/customers/{customer.id}/{panel}")
        screens.look(f"box-panel-{panel}", widget(pages, customer.id, "1.2", f"/{panel}"), nobody=True)
    screens.look("panel-create", f"/customers/{lone.id}/create")
    screens.look("box-panel-create", widget(pages, lone.id, "1.1", "/create"), nobody=True)


def test_script_in_every_field_is_text_on_every_page(screens: Screens, both: Both, pages: Pages) -> None:
    customer = hostile(both)
    pages.time = both.time
    screen = screens.arrive(name=f"Z {SCRIPT}", role="admin")
    here = f"/customers/{quote(customer.id)}"
    for path in (
        "/", here, f"{here}?all=crm", f"{here}/update", f"{here}/unlink", "/customers", "/history", "/settled", "/kept", "/errors",
        widget(pages, customer.id, "1.2", name=SCRIPT), widget(pages, customer.id, "1.2", "/unlink", name=SCRIPT),
    ):  # fmt: skip
        assert screen.go(path) == 200
        assert "<script>hit=1</script>" in screen.text or "widget" in path
        assert screen.page.evaluate("typeof hit") == "undefined"
        assert screen.page.locator("main script, main img").count() == 0
        screen.flawless()
