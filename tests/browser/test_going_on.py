"""Is whoever is at a page that goes on by itself left in peace? Focus, choices and place stay, by keyboard, with a script and without."""

import contextlib
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator
from playwright.sync_api import TimeoutError as TooLate

from tests.browser.screens import Screen, Screens
from tests.browser.test_pages import ADMIN
from tests.builders.sync import AGREEMENT
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company

SOON = 2_500
"""Milliseconds after which each of these pages has looked once."""
LONG = 60_000
ASKS = "Spørger e-conomic ..."
NEWS = "Der er nyt på siden."
STILL = "button:has-text('Hold siden stille')"
AGAIN = "a:has-text('Genindlæs')"


@pytest.fixture
def admin(pages: Pages) -> Admin:
    made = Admin(pages, company(pages))
    made.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    return made


def arrive(screens: Screens, *, script: bool = True) -> Screen:
    """An admin in front of a page whose time passes when the test says so."""
    screen = screens.arrive(window={"java_script_enabled": script}, **ADMIN)
    if script:
        screen.page.clock.install()
    return screen


def asked(admin: Admin, screen: Screen) -> None:
    """The set-up, while e-conomic is asked how the access is."""
    admin.press("/set-up/check", agreement=str(AGREEMENT))
    screen.go("/set-up")
    assert ASKS in screen.page.inner_text("main")


def looks(screen: Screen) -> None:
    """Time passes until the page has asked for itself once more: it may still be busy with the answer before."""
    for _ in range(20):
        with contextlib.suppress(TooLate):
            with screen.page.expect_request(lambda one: one.resource_type == "fetch", timeout=3000) as asked:
                screen.page.clock.run_for(SOON)
            asked.value.response()
            return
    raise AssertionError("it asks no more")


def choose(screen: Screen) -> Locator:
    """By keyboard another choice than the one that stands, not saved yet."""
    screen.tab_to("input[name=transfer]")
    screen.page.keyboard.press("ArrowDown")
    chosen = screen.page.locator("input[name=transfer]:checked")
    assert chosen.get_attribute("value") == "active"
    return chosen


def has_focus(screen: Screen, what: Locator) -> bool:
    return screen.page.locator("*:focus").and_(what).count() == 1


def test_a_choice_that_is_not_saved_stays_when_the_answer_comes_and_news_is_told(
    screens: Screens, admin: Admin
) -> None:
    screen = arrive(screens)
    asked(admin, screen)
    chosen = choose(screen)
    admin.company.wire.switch()
    looks(screen)
    screen.page.get_by_text(NEWS).wait_for()
    assert ASKS not in screen.page.inner_text("main"), "what goes on is shown as it is"
    assert chosen.get_attribute("value") == "active"
    assert has_focus(screen, chosen)
    assert screen.page.locator("[role=status]", has_text=NEWS).count() == 1, "a screen reader is told"
    screen.flawless()
    screen.tab_to(AGAIN)
    with screen.page.expect_navigation():
        screen.page.keyboard.press("Enter")
    assert NEWS not in screen.page.inner_text("main")


def test_who_is_at_nothing_gets_the_new_page_by_itself(screens: Screens, admin: Admin) -> None:
    screen = arrive(screens)
    asked(admin, screen)
    admin.company.wire.switch()
    with screen.page.expect_navigation():
        looks(screen)
    screen.page.get_by_text(ASKS).wait_for(state="detached")


def test_the_page_is_held_still_and_goes_on_when_it_is_let_go(screens: Screens, admin: Admin) -> None:
    screen = arrive(screens)
    asked(admin, screen)
    screen.tab_to(STILL)
    screen.page.keyboard.press("Space")
    held = screen.page.locator(STILL)
    assert held.get_attribute("aria-pressed") == "true"
    asks: list[str] = []
    screen.page.on("request", lambda request: asks.append(request.url))
    screen.page.clock.run_for(LONG)
    assert asks == []
    screen.flawless()
    screen.page.keyboard.press("Space")
    assert held.get_attribute("aria-pressed") == "false"
    looks(screen)
    assert has_focus(screen, held)


def test_a_button_that_goes_on_about_has_the_focus_until_it_is_left(screens: Screens, admin: Admin) -> None:
    running(admin)
    screen = arrive(screens)
    screen.go("/transfer")
    screen.tab_to("button:has-text('Sæt på pause')")
    admin.company.wire.later(seconds=1)
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set done = 3, total = 7 where state = 'running'"))
    looks(screen)
    pause = screen.page.locator("button:has-text('Sæt på pause')")
    assert has_focus(screen, pause), "nothing is swapped under it"
    screen.tab_to(STILL)
    looks(screen)
    screen.page.get_by_text("3 af 7 kunder").wait_for()
    assert has_focus(screen, screen.page.locator(STILL))


def running(admin: Admin) -> None:
    """A transfer that is under way."""
    admin.switch_on()
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    admin.confirm(admin.previewed("/transfer"))
    admin.turn()


def reading(admin: Admin) -> None:
    admin.press("/set-up/preview")


def checking(admin: Admin) -> None:
    admin.press("/set-up/check", agreement=str(AGREEMENT))


def nothing(_: Admin) -> None:
    pass


@pytest.mark.parametrize(
    ("path", "does"),
    [("/set-up", checking), ("/set-up/preview", reading), ("/set-up/webhook", nothing), ("/transfer", running)],
)
def test_without_a_script_a_page_is_fetched_anew_by_hand_alone(
    screens: Screens, admin: Admin, path: str, does: Callable[[Admin], Any]
) -> None:
    does(admin)
    answer = admin.browser.get(path)
    assert "refresh" not in answer.headers
    assert not re.search(r"http-equiv=.?refresh", answer.text, re.IGNORECASE)
    screen = arrive(screens, script=False)
    screen.go(path)
    again = screen.tab_to(AGAIN)
    assert again.is_visible()
    with screen.page.expect_navigation():
        screen.page.keyboard.press("Enter")
    assert screen.page.url == screen.url + path
    assert screen.page.locator(STILL).is_hidden(), "what needs the script is not offered"
