"""On a phone a list begins on the first screen: its filter is folded away, says what is chosen, and opens by key and without a script."""

import pytest
from playwright.sync_api import Page

from reconciler import suggesting
from tests.browser.gallery import of_every_state
from tests.browser.questions import by_rule, refused_email
from tests.browser.screens import PHONE, WIDE, Screen, Screens
from tests.browser.test_many import clicked, differing, suggested
from tests.browser.test_pages import ADMIN
from tests.browser.test_pages_of_work import kept
from tests.builders.meeting import Both
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Shop

IN_HAND = {"viewport": {"width": PHONE, "height": 844}}
ROWS = "ul.questions li, table.rows tbody tr, table.list tbody tr"
FILTER = "details.fold + *"


def first_row(page: Page) -> float:
    """How far down the first row of a list begins, in px."""
    found = page.locator(ROWS).first.bounding_box()
    assert found is not None
    return found["y"]


def folded(screen: Screen, path: str) -> str:
    """See that the list begins on the first screen, with its filter folded away; what the fold says."""
    assert screen.go(path) == 200
    assert first_row(screen.page) < 700, path
    assert screen.page.locator(FILTER).is_hidden()
    screen.fits()
    return screen.page.locator("details.fold summary").inner_text()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_lists_of_work_begin_on_the_first_screen(
    screens: Screens, both: Both, pages: Pages, *, script: bool
) -> None:
    of_every_state(both)
    by_rule(both, 71, "Vestre Mølle A/S")
    refused_email(both, 72, "Bøgely Planteskole")
    pages.time = both.time
    kept(screens, both, pages)
    mine = screens.arrive(window={**IN_HAND, "java_script_enabled": script}, **ADMIN)
    for path in ("/", "/settled", "/errors", "/kept", "/history"):
        assert folded(mine, path) == "Filtre"
        mine.flawless() if script else None
    assert folded(mine, "/customers") == "Filtre: Alle (14)"
    assert folded(mine, "/customers?list=error&lang=en") == "Filters: Error (2)"
    mine.flawless() if script else None


def test_what_many_at_once_is_narrowed_by_is_folded_too(screens: Screens, pages: Pages) -> None:
    shop = Shop(pages)
    differing(shop)
    mine = screens.arrive(window=IN_HAND, **ADMIN)
    assert folded(mine, "/differences") == "Filtre: Alle oplysninger 11"
    assert folded(mine, "/differences?detail=phone") == "Filtre: 6 telefon"
    mine.flawless()
    suggested(shop)
    mine.go("/suggestions")
    clicked(mine, "Find forslag")
    assert suggesting.carry_on(pages.engine, shop.both.clocked) == 1
    assert folded(mine, "/suggestions?lang=en") == "Filters: All 5"
    mine.flawless()
    assert folded(mine, "/suggestions?evidence=cvr&lang=da") == "Filtre: Samme CVR-nr. 1"


def test_a_filter_is_opened_used_and_read_by_key(screens: Screens, both: Both, pages: Pages) -> None:
    of_every_state(both)
    pages.time = both.time
    mine = screens.arrive(window=IN_HAND, **ADMIN)
    mine.go("/history")
    mine.tab_to("details.fold summary")
    mine.page.keyboard.press("Enter")
    mine.flawless()
    mine.tab_to("select[name=system]")
    mine.page.keyboard.press("e")
    mine.tab_to("input[name=since]")
    mine.page.keyboard.type("1/1-2020")
    mine.tab_to("form.filter button")
    mine.page.keyboard.press("Enter")
    mine.page.wait_for_url("**system=economic**")
    says = mine.page.locator("details.fold summary")
    assert says.inner_text() == "Filtre: System: e-conomic · Siden: 01.01.2020"
    assert mine.page.locator(FILTER).is_hidden()
    says.click()
    with mine.page.expect_navigation():
        mine.page.get_by_role("link", name="Vis alt").click()
    assert mine.page.locator("details.fold summary").inner_text() == "Filtre"
    mine.go("/history?since=nothing")
    assert mine.page.locator("input[name=since]").is_visible()  # what must be put right is not folded away


def test_on_a_wide_screen_the_filter_is_there_without_a_fold(screens: Screens, both: Both, pages: Pages) -> None:
    of_every_state(both)
    pages.time = both.time
    for script in (True, False):
        mine = screens.arrive(window={"java_script_enabled": script, "viewport": {"width": WIDE, "height": 700}})
        for path in ("/", "/history", "/customers"):
            mine.go(path)
            assert mine.page.locator(FILTER).is_visible()
            assert mine.page.locator("details.fold").is_hidden()
