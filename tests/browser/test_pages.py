"""Is every page flawless in each of its states: both languages, light and dark, readable at 320 px, with nothing wrong to axe?"""

from urllib.parse import quote
from uuid import uuid4

from reconciler.passes import sign
from tests.browser.gallery import SCRIPT, hostile, in_state, of_every_state
from tests.browser.screens import Screens
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.browsing import KEY, Pages


def widget(pages: Pages, customer: str, version: str, **given: object) -> str:
    """The address that the CRM gives its frame."""
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": "user", "customer": customer, **given,
    }  # fmt: skip
    return f"/widget?version={version}&pass={sign('one', KEY, claims)}"


def test_whoever_is_not_in_or_asks_for_what_is_not_there(screens: Screens) -> None:
    screens.look("not-set-up", "/", role="admin")
    screens.look("not-in", "/", 401, nobody=True)
    screens.look("not-found", "/nothing", 404, nobody=True)


def test_the_box_at_the_right_in_every_state(screens: Screens, both: Both, pages: Pages) -> None:
    states = of_every_state(both)
    pages.time = both.time
    for state in states:
        back = in_state(both, state)
        address = widget(pages, state.customer.id, state.version)
        screens.look(f"box-{state.name}", address, nobody=True)
        back()
    screens.look("box-not-set-up", widget(pages, "48211", "1.1", tenant="other"), nobody=True)


def test_the_list_and_both_sides_of_a_customer(screens: Screens, both: Both, pages: Pages) -> None:
    states = {one.name: one for one in of_every_state(both)}
    pages.time = both.time
    screens.look("tasks", "/", role="admin", sub="m", name="Mette Krogh")
    screens.look("customer-choice", f"/customers/{states['choice'].customer.id}")
    screens.look("customer-same", f"/customers/{states['same'].customer.id}")
    screens.look(
        "customer-reader", f"/customers/{states['choice'].customer.id}", role="reader", name="Lars Bak", sub="l"
    )


def test_script_in_every_field_is_text_on_every_page(screens: Screens, both: Both, pages: Pages) -> None:
    customer = hostile(both)
    pages.time = both.time
    screen = screens.arrive(name=f"Z {SCRIPT}")
    for path in ("/", f"/customers/{quote(customer.id)}", widget(pages, customer.id, "1.2", name=SCRIPT)):
        assert screen.go(path) == 200
        assert "<script>hit=1</script>" in screen.text or "widget" in path
        assert screen.page.evaluate("typeof hit") == "undefined"
        assert screen.page.locator("main script, main img").count() == 0
        screen.flawless()
