"""Is every page of the list of work, and of a question, flawless in each of its states and in both languages?"""

from datetime import timedelta
from uuid import uuid4

import sqlalchemy as sa

from reconciler import letter_links, mailbox, people
from reconciler.letter_links import Change
from tests.browser.gallery import contested, of_every_state
from tests.browser.questions import a_pass_that_stopped, by_rule, of_every_kind, refused_email
from tests.browser.screens import Screens
from tests.browser.test_pages import ADMIN, READER, everything_open
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.browsing import Pages


def test_the_tabs_and_the_customers(screens: Screens, both: Both, pages: Pages) -> None:
    of_every_state(both)
    by_rule(both, 71, "Vestre Mølle A/S")
    refused_email(both, 72, "Bøgely Planteskole")
    pages.time = both.time
    kept(screens, both, pages)
    screens.look("tasks", "/", also=True, **ADMIN)
    screens.look("tasks-filtered", "/?kind=deleted_there", **ADMIN)
    screens.look("tasks-none", "/?kind=merged", **ADMIN)
    screens.look("settled", "/settled")
    screens.look("errors", "/errors", **ADMIN, then=everything_open)
    screens.look("kept", "/kept")
    screens.look("history", "/history")
    screens.look("customers", "/customers", also=True)
    screens.look("customers-searched", "/customers?search=S")
    screens.look("customers-none", "/customers?list=error&search=zzz")
    screens.look("tasks-reader", "/", **READER)
    screens.look("mail", "/set-up/mail", **ADMIN)


def kept(screens: Screens, both: Both, pages: Pages) -> None:
    """A difference that Anne said is to stay."""
    customer = contested(both, 73, "Møller & Co")
    pages.time = both.time
    screen = screens.arrive()
    screen.go(f"/customers/{customer.id}")
    for row in screen.page.locator("input[value=different]").all():
        row.check()
    screen.page.keyboard.press("Control+Enter")
    screen.page.wait_for_url("**decision=*")


def test_a_question_of_each_kind(screens: Screens, both: Both, pages: Pages) -> None:
    found = of_every_kind(both)
    pages.time = both.time + timedelta(minutes=5)
    for kind, address in found.items():
        screens.look(f"question-{kind}", address, **ADMIN)
    assert set(found) >= {
        "candidates", "deleted_there", "deleted_here", "deleted_edited", "renumbered", "other_identity", "merged",
        "contact", "empty", "missing", "unclear",
    }  # fmt: skip
    screens.look("question-reader", found["deleted_there"], **READER)


def test_a_pass_that_stopped_and_a_question_that_is_closed(screens: Screens, both: Both, pages: Pages) -> None:
    address = a_pass_that_stopped(both)
    pages.time = both.time
    screens.look("question-brake", address, **ADMIN)
    screens.look("question-brake-user", address)
    admin = screens.arrive(**ADMIN)
    admin.go(address)
    admin.page.get_by_role("button", name="Godkend netop disse (2)").click()
    admin.page.get_by_text("2 kunder er behandlet, som du valgte.").wait_for()
    screens.look("question-closed", address, **ADMIN)


def test_nothing_waits(screens: Screens, both: Both, pages: Pages) -> None:
    assert both.pairs() == []
    pages.time = both.time
    screens.look("tasks-empty", "/")
    screens.look("customers-empty", "/customers")


def test_what_a_letters_link_opens(screens: Screens, both: Both, pages: Pages) -> None:
    by_rule(both, 71, "Vestre Mølle A/S")
    pages.time = both.time
    mail = uuid4()
    with pages.engine.begin() as connection:
        write = connection.scalar(sa.text("select max(id) from sync.audit where system = 'economic' and by = 'rule'"))
        people.choose(connection, TENANT, mailbox.LETTER_LINKS, value=True)
        one = Change(id=uuid4(), write=int(write or 0), detail="phone", customer="kunde-71")
        letter_links.insert(connection, TENANT, "bogholder@firma.example", mail, [one], pages.time)
        ((_, _, token),) = letter_links.mint(connection, mail, pages.time)
    screens.look("letter", f"/letter/{token}", also=True, nobody=True)
    screens.look("letter-over", "/letter/none", 404, nobody=True)
    reader = screens.window()
    reader.go(f"/letter/{token}")
    reader.page.get_by_role("button", name="Fortryd").click()
    reader.page.get_by_text("Det føres tilbage i e-conomic").wait_for()
    screens.look("letter-used", f"/letter/{token}", nobody=True)
