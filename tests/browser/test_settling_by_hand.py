"""A person settles a customer: by single keys, by Tab and arrows, without JavaScript, beside a colleague, and on an old page."""

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from tests.browser.gallery import contested
from tests.browser.screens import Screens
from tests.builders.meeting import Both
from tests.builders.sync import there
from tests.integration.web.browsing import CRM, Pages
from tests.integration.web.looking import Watching
from tests.waiting import eventually

MOVED = "er blevet rettet, efter at du åbnede siden. Se den nye værdi, og vælg igen."


def written(both: Both) -> dict[str, str]:
    """What was sent to e-conomic and to the CRM since the last question, by detail."""
    found: dict[str, str] = {}
    for one in both.said():
        if isinstance(one.data, WriteEconomicCustomer):
            found |= {f"e-conomic {name}": value for part in one.data.parts for name, value in part.fields.items()}
        if isinstance(one.data, WriteCustomer):
            found |= {f"Clickmate {name}": value for part in one.data.parts for name, value in part.fields.items()}
    return found


def test_n_details_take_n_keys_and_one_to_save_and_one_to_undo(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    both.said()
    screen = screens.arrive()
    screen.go(f"/customers/{customer.id}")
    keyboard = screen.page.keyboard
    assert screen.page.locator("*:focus").get_attribute("type") == "radio", "the first unchosen row has the focus"
    keyboard.press("1")
    keyboard.press("2")
    assert "e-conomic får: navn." in screen.text
    assert "Clickmate får: e-mail." in screen.text
    screen.flawless()
    keyboard.press("Control+Enter")
    screen.page.wait_for_url("**decision=*")
    assert screen.page.locator("*:focus").get_attribute("id") == "receipt"
    assert written(both) == {"e-conomic name": "Birk & Søn ApS", "Clickmate email": "faktura@birk.example"}
    screen.flawless()


def test_what_would_always_be_done_is_shown_of_what_is_chosen(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    screen = screens.arrive(role="admin", sub="m", name="Mette Krogh")
    screen.go(f"/customers/{customer.id}")
    offered = screen.page.get_by_role("link", name="Gør altid sådan med")
    assert offered.count() == 0, "nothing is chosen"
    screen.page.keyboard.press("2")
    assert offered.all_inner_texts() == ["Gør altid sådan med navn (Behold e-conomics)"]
    screen.flawless()
    offered.click()
    screen.page.get_by_role("heading", name="Se, hvad der vil ske").wait_for()
    screen.flawless()
    plain = screens.arrive(window={"java_script_enabled": False}, role="admin", sub="m", name="Mette Krogh")
    plain.go(f"/customers/{customer.id}")
    assert plain.page.get_by_role("link", name="Gør altid sådan med").count() == 6


def test_the_page_shows_what_e_conomic_answers_and_says_when_what_stands_beside_each_other_is_old(
    screens: Screens, pages: Pages
) -> None:
    watching = Watching(pages, Both(engine=pages.engine, time=pages.time))
    customer = watching.linked(7, cvr="12345678")
    screen = screens.arrive()
    screen.go(f"/customers/{customer.id}")
    assert "Oplysningerne var ens" in screen.text
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(seconds=1)
    watching.answer(look.look, customer, 7, 2)
    screen.page.get_by_text("Sammenlignet nu").first.wait_for()
    assert "Oplysningerne er ens" in screen.text
    assert screen.page.get_by_role("button", name="Genindlæs").count() == 0
    screen.flawless()
    watching.later(minutes=1)
    screen.page.get_by_role("button", name="Sammenlign igen").click()
    (look,) = eventually(watching.looks)
    assert look.look is not None
    watching.answer(look.look, customer, 7, 3, phone="11223344")
    screen.page.get_by_role("button", name="Genindlæs").click()
    screen.page.get_by_text("11 22 33 44").first.wait_for()
    assert screen.page.get_by_role("button", name="Genindlæs").count() == 0


def test_undo_by_one_key_asks_again(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    screen = screens.arrive()
    screen.go(f"/customers/{customer.id}")
    for row in screen.page.locator("input[value=different]").all():
        row.check()
    screen.page.keyboard.press("Control+Enter")
    screen.page.wait_for_url("**decision=*")
    asked = screen.page.locator(".line").filter(has_text="Vælg de rigtige oplysninger")
    assert asked.count() == 0
    screen.page.keyboard.press("u")
    asked.wait_for()
    screen.flawless()


def test_without_javascript_tab_arrows_and_enter_do_it_all(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    both.said()
    screen = screens.arrive(window={"java_script_enabled": False})
    screen.go("/")
    screen.tab_to(f"a[href*='/customers/{customer.id}']")
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_url(f"**/customers/{customer.id}*")
    screen.tab_to("input[name$='.name'][type=radio]")
    screen.page.keyboard.press("Space")
    screen.tab_to("input[name$='.email'][type=radio]")
    screen.page.keyboard.press("ArrowRight")
    screen.tab_to("button.main")
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_url("**decision=*")
    assert written(both) == {"e-conomic name": "Birk & Søn ApS", "Clickmate email": "faktura@birk.example"}
    assert "e-conomic: venter" in screen.text
    screen.tab_to("form.who button")
    with screen.page.expect_response("**/sign-out") as left:
        screen.page.keyboard.press("Enter")
    assert left.value.headers["location"].startswith(CRM)


def test_two_people_at_once_the_second_is_told_and_changes_nothing(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    both.said()
    anne, bo = screens.arrive(), screens.arrive(sub="u2", name="Bo Lund")
    for one in (anne, bo):
        one.go(f"/customers/{customer.id}")
    for one, side in ((anne, "crm"), (bo, "economic")):
        for row in one.page.locator(f"input[value={side}]").all():
            row.check()
        one.page.get_by_role("button", name="Gem").click()
        one.page.wait_for_url(lambda url: "?" in url)
    assert written(both) == {"e-conomic name": "Birk & Søn ApS", "e-conomic email": "anne@birk.example"}, "Anne's alone"
    bo.page.get_by_text("Anne Holm").first.wait_for()
    bo.flawless()


def test_on_an_old_page_what_moved_is_refused_alone(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    both.said()
    screen = screens.arrive()
    screen.go(f"/customers/{customer.id}")
    both.in_economic(there(customer, 10, "v3", name="Birk & Døtre", email="faktura@birk.example", contacts=()), 3)
    for row in screen.page.locator("input[value=crm]").all():
        row.check()
    screen.page.get_by_role("button", name="Gem").click()
    screen.page.wait_for_url("**stale=*")
    assert f"Navn {MOVED}" in screen.text
    assert "Birk & Døtre" in screen.text
    assert written(both) == {"e-conomic email": "anne@birk.example"}
    screen.flawless()


def test_a_reader_sees_both_sides_and_no_button_that_writes(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    screen = screens.arrive(role="reader", sub="l", name="Lars Bak")
    screen.go(f"/customers/{customer.id}")
    assert screen.page.get_by_role("radio").count() == 0
    assert [one.inner_text() for one in screen.page.get_by_role("button").all()] == [
        "Log ud",
        "Kopiér",
        "Sammenlign igen",
    ]


def test_whose_session_ended_is_told_how_to_get_in(screens: Screens, both: Both, pages: Pages) -> None:
    customer = contested(both)
    pages.time = both.time
    screen = screens.arrive()
    screen.go(f"/customers/{customer.id}")
    pages.later(minutes=31)
    for row in screen.page.locator("input[value=crm]").all():
        row.check()
    screen.page.get_by_role("button", name="Gem").click()
    screen.page.get_by_role("heading", name="Dine valg er gemt i 30 minutter.").wait_for()
    screen.flawless()
