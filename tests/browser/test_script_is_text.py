"""Does everything that others wrote stay text? Script, quotes, formulas and marks that turn writing round, wherever it is shown."""

import csv
import io
import re
from typing import Any, Final
from uuid import uuid4

import pytest
import sqlalchemy as sa

from economic_adapter.contract import Choice, Figures, Reference, RefusedHook, WriteEconomicCustomer
from reconciler import bulking, pressing, suggesting
from reconciler.person import Person
from reconciler.pressing import Press
from tests.browser.questions import by_rule
from tests.browser.screens import Screen, Screens
from tests.browser.test_pages_of_setting_up import braked
from tests.builders.company import Company
from tests.builders.crm import a_customer, a_person
from tests.builders.meeting import Both
from tests.builders.sync import (
    AGREEMENT,
    REFERENCE,
    TENANT,
    agreement_seen,
    economic_answered,
    economic_seen,
    refused,
    there,
)
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin
from tests.integration.web.shop import Shop

BAD: Final = "<script>hit=1</script><img src=x onerror=hit=1>\"' onfocus=hit=1 autofocus x='{{7*7}}{n}%s&amp;"
"""What must stay text wherever it is written: an element, what ends an attribute, a template's and a format's own marks."""
TURNED: Final = "\u202e\u2067\u200f"
"""An override, an isolate and a mark that turn the writing behind them round, never ended."""
TURNS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FORMULAS: Final = ('=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(1)", "\u200f=1+1", " \u202e=1+1")
"""What a spreadsheet would run, also behind a blank and behind marks that are not seen."""
ADMIN: Final[dict[str, Any]] = {"role": "admin", "sub": "z", "name": f"Z {BAD}{TURNED}"}
KNOWN: Final = frozenset(
    "action aria-current aria-describedby aria-hidden aria-label aria-labelledby aria-live aria-pressed autocomplete checked "
    "class colspan content datetime defer disabled for form hidden href id inputmode lang max maxlength method min name open "
    "pattern placeholder readonly rel required role rows rowspan scope selected size spellcheck src step tabindex title type "
    "value http-equiv charset".split()
)
"""Every attribute of our pages but those that begin with ``data-``."""


def bad(what: str) -> str:
    """A text of others that says what it is: a test that fails says which was let through."""
    return f"{what} {BAD}{TURNED}"


def is_text(screen: Screen, path: str, *shows: str) -> None:
    """Nothing of it ran, broke out of its place or turned the writing round; of these texts of others each stands on the page."""
    assert screen.go(path) == 200, path
    found = screen.page.evaluate(_FOUND)
    assert found["hit"] == "undefined", path
    others = {one for one in found["attributes"] if not one.startswith("data-")} - KNOWN
    assert not others, (path, others)
    assert found["foreign"] == [], path
    text = " ".join(found["text"].split())
    assert not TURNS.search(text), (path, text)
    for what in shows:
        assert f"{what} {BAD}" in text, (path, what, text)
    assert screen.wrong == []


def is_text_everywhere(screen: Screen, *paths: str) -> None:
    """So it is on each of these pages, and each shows something of others."""
    for path in paths:
        is_text(screen, path)
        assert "<script>hit=1</script>" in screen.page.locator("main").inner_text(), path


def runs_nothing(screen: Screen, path: str) -> None:
    """A list for spreadsheets holds what others wrote, and nothing in it is run."""
    answer = screen.context.request.get(screen.url + path)
    assert answer.status == 200, path
    rows = list(csv.reader(io.StringIO(answer.text().removeprefix("\ufeff")), delimiter=";"))
    cells = [cell for row in rows for cell in row]
    assert any("<script>" in cell or "=" in cell for cell in cells), path
    for cell in cells:
        assert not re.match("[=+@\t\r]|-(?![0-9,.]+$)", TURNS.sub("", cell).strip()), (path, cell)


_FOUND: Final = """() => {
  const every = [...document.querySelectorAll('*')], origin = location.origin + '/static/';
  const foreign = ['SCRIPT', 'IMG', 'IFRAME', 'SVG', 'OBJECT', 'EMBED'];
  return {
    hit: typeof hit,
    attributes: [...new Set(every.flatMap(one => one.getAttributeNames()))],
    foreign: every.filter(one => foreign.includes(one.tagName) && !(one.src || '').startsWith(origin)).map(one => one.outerHTML),
    text: document.title + ' ' + document.documentElement.textContent,
  };
}"""


def company(pages: Pages) -> Company:
    """A company of which every text is bad, on both sides and of the agreement itself."""
    made = Company(Both(engine=pages.engine, time=pages.time))
    reference = Reference(
        groups=(Choice(number=1, name=bad("group")),),
        terms=(Choice(number=2, name=bad("terms")),),
        zones=tuple(Choice(number=one.number, name=bad(f"zone{one.number}")) for one in REFERENCE.zones),
        currencies=REFERENCE.currencies,
        base_currency="DKK",
    )
    told: dict[str, Any] = {"name": bad("company"), "reference": reference, "state": "connected"}
    hook = RefusedHook(at=made.wire.time, why="content_type", given=bad("type"))
    figures = Figures(at=made.wire.time, calls=2880, most=45_000, refused=hook)
    made.wire.hear(agreement_seen(made.wire.time, webhooks="refused", cause=f"webhook:{BAD}", figures=figures, **told))
    shared = {"cvr": "13748136", "street": bad("street"), "city": bad("city")}
    alike = a_customer(id="alike", name=bad("alike"), contacts=(a_person(name=bad("person"), email=""),), **shared)
    perhaps = a_customer(id="perhaps", name=bad("perhaps"), email="post@perhaps.example")
    made.here(alike, perhaps, a_customer(id="lead", name=bad("lead"), stage="lead"))
    made.here(a_customer(id="spelled", name=bad("spelled"), cvr="35204539"))
    made.here(a_customer(id="only", name=bad("only"), cvr="11111119"))
    other = there(alike, 1, "a", name=bad("Alike"), phone="22222222", contacts=())
    made.there(other, there(perhaps, 5, "a", name=bad("Perhaps"), barred=True))
    made.there(there(a_customer(name=bad("spelled"), cvr="35204539"), 2, "a"))
    made.there(there(a_customer(name=bad("beyond"), cvr="22222228", contacts=(a_person(name=bad("P")),)), 9, "a"))
    made.wire.later(seconds=1)
    pages.time = made.wire.time
    return made


@pytest.fixture
def admin(pages: Pages) -> Admin:
    made = Admin(pages, company(pages))
    made.browser = pages.arrive(tenant=TENANT, **ADMIN)
    return made


@pytest.fixture
def screen(screens: Screens, pages: Pages) -> Screen:
    return screens.arrive(**ADMIN)


def lists(admin: Admin, page: str) -> set[str]:
    return set(re.findall(r'href="[^"]*(/runs/[^"]+/list\?of=[^"]+)">', admin.text(page)))


def test_on_the_pages_of_setting_up(admin: Admin, screen: Screen) -> None:
    is_text(screen, "/set-up", "company")
    admin.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    is_text(screen, "/set-up", "company", "Z")
    is_text(screen, "/set-up/webhook", "type")
    is_text(screen, "/set-up/new-customers", "group", "terms", "zone1", "zone2", "zone3")
    is_text(screen, "/set-up/mail", "Z")
    is_text(screen, "/set-up/disconnect", "company")
    is_text(screen, "/set-up/pilot?q=alike", "alike")
    admin.previewed("/set-up/pilot", customer="alike")
    is_text(screen, "/set-up/pilot", "alike")
    admin.previewed()
    is_text_everywhere(screen, *lists(admin, "/set-up/preview"))
    for address in lists(admin, "/set-up/preview"):
        runs_nothing(screen, address.replace("/list?", "/list.csv?"))
    is_text(screen, "/set-up/preview")
    admin.switch_on()
    is_text(screen, "/set-up/switch-on")
    is_text(screen, f"/runs/{admin.newest().id}/undo")
    is_text(screen, "/set-up/details")
    is_text(screen, "/set-up/details/change?preset=invoices")
    admin.press("/set-up/pause", to="both", ends="open")
    is_text(screen, "/set-up/pause", "Z")
    admin.press("/set-up/pause/resume", to="both")


def test_on_the_pages_of_runs_and_of_how_everything_fares(admin: Admin, screen: Screen) -> None:
    admin.switch_on()
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    stopped = f"/runs/{braked(admin)}"
    is_text(screen, stopped)
    is_text_everywhere(screen, *set(re.findall(r'href="[^"]*(/tasks/[^"]+)"', admin.text(stopped))))
    admin.confirm(admin.previewed("/transfer"))
    is_text(screen, "/transfer")
    admin.turn()
    admin.carry_out()
    is_text(screen, "/transfer")
    run = admin.newest("transfer").id
    is_text(screen, f"/runs/{run}")
    is_text_everywhere(screen, *lists(admin, "/transfer"))
    is_text(screen, admin.press(f"/runs/{run}/undo"))
    is_text(screen, "/health", "Z")
    is_text(screen, "/customers", "alike", "lead")
    is_text(screen, "/history", "alike")
    runs_nothing(screen, "/history.csv")
    runs_nothing(screen, "/customers.csv")


def test_on_the_pages_of_many_at_once(screens: Screens, pages: Pages, screen: Screen) -> None:
    shop = Shop(pages)
    for number in (101, 102, 103):
        elsewhere: dict[str, object] = {"phone": f"2222{number:04}", "name": bad(f"beyond{number}")}
        shop.linked(number, elsewhere=elsewhere, name=bad(f"here{number}"), phone=f"1111{number:04}")
    mine = shop.arrive(**ADMIN)
    is_text(screen, "/differences", "here101", "beyond101")
    mine.open("/differences?detail=name").press("Brug Clickmate for alle viste (3)")
    is_text(screen, mine.at, "here101", "beyond103")
    shop.company.here(shop.company.crm["c103"].model_copy(update={"name": bad("moved")}))
    mine.press("Gem i e-conomic")
    is_text(screen, mine.at)
    shop.carry_out()
    is_text(screen, mine.at, "moved")
    person = Person(tenant=TENANT, id="z", name=str(ADMIN["name"]), role="admin")
    with pages.engine.begin() as connection:
        pressing.still(shop.both.clocked, connection, Press(person=person, customer="c101", id=uuid4()))
    shop.company.here(shop.company.crm["c101"].model_copy(update={"website": "new.example"}))
    mine.open("/customers?list=left_out").press("Lad de markerede flyde automatisk (0)", customer=["c101"])
    is_text(screen, mine.at, "here101")


def test_on_the_suggestions(pages: Pages, screen: Screen) -> None:
    shop = Shop(pages)
    shop.both.set(state="off")
    for nth, shared in enumerate(({"cvr": "20000012"}, {"phone": "86121314"}, {"email": "post@boegely.example"})):
        customer = a_customer(id=f"s{nth}", name=bad(f"mine{nth}"), contacts=(a_person(name=bad("P")),), **shared)
        shop.company.here(customer)
        other = there(customer, 500 + nth, "v1", name=bad(f"theirs{nth}"), city=bad("city")[:50])
        shop.company.economic[other.number], shop.company.counters[other.number] = other, 1
        shop.both.hear(economic_seen(other, 1, why="import"))
    mine = shop.arrive(**ADMIN)
    mine.open("/suggestions").press("Find forslag")
    is_text(screen, "/suggestions")
    assert suggesting.carry_on(pages.engine, shop.both.clocked) == 1
    is_text(screen, "/suggestions", "mine0", "theirs0", "mine2")
    mine.open("/suggestions").press("Godkend gruppen: Samme telefon (1)")
    is_text(screen, "/suggestions", "Z")
    is_text(screen, "/suggestions?all=1", "Z")
    mine.open("/suggestions?all=1").press("Ikke den samme kunde")
    assert bulking.carry_on(pages.engine, shop.both.clocked)
    is_text(screen, mine.at)


def test_on_what_was_refused_and_in_lists_for_spreadsheets(both: Both, pages: Pages, screen: Screen) -> None:
    customer = both.linked(72, id="refused", name=bad("refused"), cvr="12345678")
    both.in_crm(customer.model_copy(update={"email": f"a@b.example{BAD}"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    no = refused(command.parts[0].operation, bad("code"), detail="email", message=bad("message"))
    both.hear(economic_answered(command, no, customer=there(customer, 72, "v1", contacts=()), version=2))
    pages.time = both.time
    is_text(screen, "/errors", "refused", "message")
    is_text(screen, "/customers/refused", "refused")
    for nth, formula in enumerate(FORMULAS):
        both.linked(80 + nth, id=f"formula{nth}", name=formula)
    by_rule(both, 71, bad("rule"))
    for path in ("/errors.csv", "/settled.csv", "/customers.csv", "/history.csv"):
        runs_nothing(screen, path)
    is_text(screen, "/settled", "rule")
