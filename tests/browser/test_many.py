"""Many at once in a real browser: the clicks a person needs are counted, every page and state is looked at, also without a script."""

from reconciler import bulking, suggesting
from tests.browser.screens import Screen, Screens
from tests.browser.test_pages import ADMIN, READER
from tests.builders.crm import a_customer, a_person
from tests.builders.sync import economic_seen, there
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Shop

NAMES = ("Birk Tømrer", "Østergaard VVS", "Skovby Gartneri", "Møller & Co", "Vestre Mølle", "Havblik Camping")


def differing(shop: Shop) -> None:
    """Six customers that differ in eleven details, of which one is a contact person's."""
    for nth, name in enumerate(NAMES):
        number = 101 + nth
        elsewhere: dict[str, object] = {"phone": f"8612{number:04}"}
        if nth > 2:
            elsewhere["name"] = f"{name} ApS"
        if nth < 2:
            elsewhere["street"] = f"Havnegade {number}"
        shop.linked(number, name=name, elsewhere=elsewhere, phone=f"2233{number:04}", street="Strandvej 4", postcode="8000", city="Aarhus")  # fmt: skip


def clicked(screen: Screen, *steps: str) -> int:
    """Click the links and buttons that say so, one after another, each on the page that the one before led to; how many."""
    for says in steps:
        found = screen.page.get_by_role("link", name=says).or_(screen.page.get_by_role("button", name=says))
        with screen.page.expect_navigation():  # what was clicked has been done, and the address is the new one
            found.first.click()
    return len(steps)


def test_differences_in_three_details_are_settled_and_undone_by_clicks(pages: Pages, screens: Screens) -> None:
    shop = Shop(pages)
    differing(shop)
    screens.look("differences-reader", "/differences", **READER)
    mine = screens.arrive()
    mine.go("/differences")
    clicks = clicked(mine, "6 telefon", "Brug e-conomic for alle viste (6)")
    preview = mine.page.url.removeprefix(pages.url)
    screens.look("bulk-shown", preview, also=True)
    clicks += clicked(mine, "Gem i Clickmate")
    mine.page.get_by_text("0 af 6").wait_for()
    screens.look("bulk-goes-on", preview)
    shop.company.here(shop.company.crm["c103"].model_copy(update={"phone": "99887766"}))
    shop.carry_out()
    mine.page.get_by_text("5 afgjort. 1 er rettet i mellemtiden og venter på dit valg.").wait_for()  # by itself
    screens.look("bulk-moved", preview, also=True)
    clicks += clicked(mine, "3 navn", "Brug Clickmate for alle viste (3)", "Gem i e-conomic")
    shop.carry_out()
    mine.page.get_by_text("3 afgjort.").wait_for()
    clicks += clicked(mine, "2 adresse", "Lad alle viste være forskellige (2)")
    screens.look("bulk-shown-different", mine.page.url.removeprefix(pages.url))
    clicks += clicked(mine, "Lad dem være forskellige")
    shop.carry_out()
    mine.page.get_by_text("2 forbliver forskellige.").wait_for()
    assert clicks <= 10
    shop.company.here(shop.company.crm["c103"].model_copy(update={"phone": "86120103"}))
    shop.carry_out()
    mine.page.reload()
    assert "Alt er på plads. 8 afgjort, 2 forskelle beholdt." in mine.text
    mine.flawless()
    assert clicked(mine, "Fortryd alle (10)") <= 2
    shop.carry_out()
    mine.page.get_by_text("10 fortrudt.").wait_for()
    screens.look("bulk-undone", mine.page.url.removeprefix(pages.url))
    assert shop.company.economic[104].name == "Møller & Co ApS"


def suggested(shop: Shop) -> None:
    """A pair of each kind of evidence, and a customer that is not active in e-conomic."""
    shop.both.set(state="off")
    pairs: tuple[tuple[dict[str, str], dict[str, object]], ...] = (
        ({"cvr": "20000012", "name": "Østergaard VVS ApS"}, {"name": "Ostergaard VVS"}),
        ({"ean": "5798000000017", "name": "Skovby Skole"}, {}),
        ({"name": "Vestre Mølle A/S", "postcode": "6700", "city": "Esbjerg"}, {"barred": True}),
        ({"name": "Havblik Camping ApS", "phone": "86121314"}, {"name": "Nordstrand ApS"}),
        ({"name": "Bøgely Planteskole ApS", "email": "post@boegely.example"}, {"name": "Lindely ApS"}),
    )
    for nth, (given, elsewhere) in enumerate(pairs):
        customer = a_customer(id=f"s{nth}", contacts=(a_person(name="Anne Holm", email=""),), **given)
        shop.company.here(customer)
        other = there(customer, 500 + nth, "v1", **elsewhere)
        shop.company.economic[other.number], shop.company.counters[other.number] = other, 1
        shop.both.hear(economic_seen(other, 1, why="import"))


def test_suggested_links_are_marked_and_linked_by_clicks(pages: Pages, screens: Screens) -> None:
    shop = Shop(pages)
    suggested(shop)
    mine = screens.arrive(**ADMIN)
    mine.go("/suggestions")
    clicked(mine, "Find forslag")
    assert suggesting.carry_on(pages.engine, shop.both.clocked) == 1
    mine.page.get_by_text("Samme CVR-nr.").first.wait_for()
    screens.look("suggestions-reader", "/suggestions", **READER)
    mark_one(mine)
    clicks = clicked(mine, "Godkend gruppen: Samme navn og postnr.", "Godkend gruppen: Samme telefon")
    clicks += clicked(mine, "Godkend gruppen: Samme e-mail", "Vælg alle viste (5)")
    screens.look("suggestions-all", "/suggestions?all=1", **ADMIN)
    mine.page.locator("input[name=pair]").last.uncheck()
    assert mine.page.get_by_role("button", name="Tilknyt de markerede (4)").count() == 1
    clicks += clicked(mine, "Tilknyt de markerede (4)")
    shop.carry_out()
    mine.page.get_by_text("4 afgjort.").wait_for()
    assert clicks <= 12
    screens.look("bulk-linked", mine.page.url.removeprefix(pages.url), **ADMIN)
    mine.go("/suggestions")
    mine.page.locator("input[name=pair]").first.check()
    clicked(mine, "Ikke den samme kunde")
    shop.carry_out()
    mine.page.get_by_text("1 afgjort.").wait_for()
    assert clicked(mine, "Fortryd alle (5)") <= 2
    while bulking.carry_on(pages.engine, shop.both.clocked):
        shop.carry_out()
    mine.page.get_by_text("5 fortrudt.").wait_for()
    assert not any(one.number for one in shop.both.links() if one.crm_id)


def mark_one(screen: Screen) -> None:
    """Ticking a box is counted on the button at once."""
    box = screen.page.locator("input[name=pair]").first
    box.check()
    assert screen.page.get_by_role("button", name="Tilknyt de markerede (1)").count() == 1
    box.uncheck()


def test_without_a_script_the_same_is_done(pages: Pages, screens: Screens) -> None:
    shop = Shop(pages)
    differing(shop)
    mine = screens.arrive(window={"java_script_enabled": False})
    mine.go("/differences?detail=phone")
    clicked(mine, "Brug Clickmate for alle viste (6)", "Gem i e-conomic")
    shop.carry_out()
    mine.page.reload()
    assert "6 afgjort." in mine.page.content()
    assert shop.company.economic[101].phone == "22330101"
