"""Whole journeys in both languages, by keyboard alone, with scripts and without: set up, switch on, transfer, update, create, compare."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements
from reconciler.web.words import LANGUAGES, Words
from tests.browser.gallery import contested, linked
from tests.browser.screens import Screen, Screens
from tests.browser.test_pages import ADMIN, widget
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, done, economic_answered, there
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company
from tests.integration.web.looking import Watching


class Journey:
    """A person who has a keyboard, in one language; the texts are said by their English words."""

    def __init__(self, screens: Screens, language: Any, *, scripts: bool) -> None:
        self.screens, self.say = screens, Words(language, screens.pages.time)
        self.window = {"locale": {"da": "da-DK", "en": "en-GB"}[language], "java_script_enabled": scripts}
        self.screen: Screen

    def arrive(self, path: str, **who: Any) -> None:
        self.screen = self.screens.arrive(window=self.window, **who)
        self.open(path)

    def stand_at(self, path: str) -> None:
        """A window of nobody: the box, which a pass opens."""
        self.screen = self.screens.window(**self.window)
        self.screen.go(f"{path}&lang={self.say.language}")

    def open(self, path: str) -> None:
        assert self.screen.go(path) == 200

    def follow(self, text: str) -> None:
        """Tab to that link, and Enter."""
        self.screen.tab_to(f"a:has-text({_quoted(self.say(text))})")
        self.enter()

    def press(self, text: str, **values: str) -> None:
        """Tab to that button, and Enter."""
        self.screen.tab_to(f"button:has-text({_quoted(self.say(text, **values))})")
        self.enter()

    def enter(self) -> None:
        """Press Enter; on the page that it leads to."""
        with self.screen.page.expect_navigation():
            self.screen.page.keyboard.press("Enter")

    def take(self, name: str, downs: int) -> None:
        """Tab to the radio buttons of that name, and so many arrows down."""
        self.screen.tab_to(f"input[type=radio][name={name}]")
        for _ in range(downs):
            self.screen.page.keyboard.press("ArrowDown")

    def see(self, text: str, **values: str) -> None:
        """Wait until that is on the page; it comes by itself, or without scripts when it is asked for."""
        found = self.screen.page.get_by_text(self.say(text, **values)).first
        if not self.window["java_script_enabled"] and not found.count():
            self.follow("Reload")
        found.wait_for()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


@pytest.fixture(params=[(one, scripts) for one in LANGUAGES for scripts in (True, False)], ids=str)
def journey(screens: Screens, request: pytest.FixtureRequest) -> Iterator[Journey]:
    language, scripts = request.param
    made = Journey(screens, language, scripts=scripts)
    yield made
    assert made.screen.wrong == []


def test_s3_to_s6_an_admin_sets_up_sees_what_will_happen_and_switches_on(journey: Journey, pages: Pages) -> None:
    admin = Admin(pages, company(pages))
    journey.arrive("/set-up", **ADMIN)
    journey.press("Yes")
    journey.see("Connected to {company}, agreement {no}.", company="Nordhavn Tømrer ApS", no=str(AGREEMENT))
    journey.take("transfer", 1)
    journey.take("receive", 1)
    journey.press("Save")
    journey.see("Saved")
    with pages.engine.connect() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
    assert (known.transfer, known.hooks) == ("active", False)
    journey.follow("See what will happen (nothing is saved yet)")
    journey.press("Read both systems")
    journey.see("Reading both systems: {n} of {total} customers", n="0", total="0")
    admin.turn()
    journey.see("Only in e-conomic ({n})", n="1")
    journey.press("Turn the integration on")
    journey.press("Turn on: {n} linked, 1 detail filled in, {k} created in e-conomic", n="2", k="0")
    journey.see("Checking the list once more ...")
    admin.turn()
    admin.company.wire.switch(customers=4)
    admin.carry_out()
    journey.see("{n} carried out", n="2")
    journey.follow("Set-up")
    journey.see("Integration is on")
    assert admin.company.crm["alike"].phone == "22222222"


def test_s7_all_customers_are_transferred_and_it_is_taken_back(journey: Journey, pages: Pages) -> None:
    admin = Admin(pages, company(pages))
    admin.switch_on()
    with pages.engine.begin() as connection:  # what switching on reads afterwards has been read
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    journey.arrive("/transfer", **ADMIN)
    journey.screen.tab_to("input[name=without_barred]")
    journey.screen.page.keyboard.press("Space")
    journey.press("See what will happen (nothing is saved yet)")
    journey.see("Making the list ...")
    admin.turn()
    journey.see("Transfer: {n} created in Clickmate", n="1")
    journey.press("Transfer: {n} created in Clickmate", n="1")
    admin.turn()
    journey.see("{n} of {total} customers", n="0", total="1")
    admin.carry_out()
    journey.see("Undo the transfer")
    assert [one.stage for one in admin.company.crm.values() if one.name == "Epsilon"] == [Stage.ACTIVE]
    journey.follow("Undo the transfer")
    journey.press("Undo the transfer")
    admin.carry_out()
    journey.see("{n} carried out", n="1")
    assert [one.stage for one in admin.company.crm.values() if one.name == "Epsilon"] == [Stage.INACTIVE]


def test_s10_what_differs_is_overwritten_in_e_conomic_after_it_was_shown(
    journey: Journey, both: Both, pages: Pages
) -> None:
    customer = contested(both)
    both.stop_flowing()
    both.said()
    pages.time = both.time
    journey.stand_at(widget(pages, customer.id, "1.2"))
    assert journey.say.many("1 detail differs", "{n} details differ", 2) in journey.screen.text
    journey.follow("Update in e-conomic")
    journey.see("Update in e-conomic")
    assert "Birk & Søn ApS" in journey.screen.text
    journey.press("Update")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Birk & Søn ApS", "email": "anne@birk.example"}
    held = there(customer, 10, "v3", contacts=())
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=held, version=3))
    journey.stand_at(widget(pages, customer.id, "1.2"))
    journey.see("The details are the same")


def test_s10_a_customer_is_created_in_e_conomic_from_the_box(journey: Journey, both: Both, pages: Pages) -> None:
    both.set(transfer="hand")
    customer = both.new(id="kunde-19", name="Havblik Camping", cvr="20000019")
    both.in_crm(customer)
    pages.time = both.time
    journey.stand_at(widget(pages, customer.id, "1.1"))
    journey.see("Not in e-conomic")
    journey.follow("Create in e-conomic")
    journey.press("Create")
    journey.see("Being created in e-conomic ...")
    (command,) = both.said_only(WriteEconomicCustomer)
    both.created(command, customer, 10482)
    journey.stand_at(widget(pages, customer.id, "1.1"))
    journey.see("Created in e-conomic as customer no. {n}", n="10482")


def test_s8_s9_the_status_is_compared_again_and_says_when_it_was(journey: Journey, pages: Pages) -> None:
    watching = Watching(pages, Both(engine=pages.engine, time=pages.time))
    customer = watching.linked(7, cvr="12345678")
    journey.stand_at(widget(pages, customer.id, "1.1"))
    assert journey.screen.page.locator("[data-state=same]").count() == 1
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(seconds=1)
    watching.answer(look.look, customer, 7, 2)
    if not journey.window["java_script_enabled"]:
        journey.press("Compare again")
    journey.see("The details are the same")
    journey.see("Compared now")


def test_s11_s12_each_detail_is_chosen_and_both_systems_get_it(journey: Journey, both: Both, pages: Pages) -> None:
    contested(both)
    pages.time = both.time
    both.said()
    journey.arrive("/")
    journey.follow("Birk & Søn ApS")
    journey.screen.tab_to("input[name$='.name'][type=radio]")
    journey.screen.page.keyboard.press("Space")
    journey.screen.tab_to("input[name$='.email'][type=radio]")
    journey.screen.page.keyboard.press("ArrowRight")
    journey.screen.tab_to("button.main")
    journey.enter()
    journey.see("Technical")
    said = both.said()
    (there_,) = [one.data for one in said if isinstance(one.data, WriteEconomicCustomer)]
    (here,) = [one.data for one in said if isinstance(one.data, WriteCustomer)]
    assert there_.parts[0].fields == {"name": "Birk & Søn ApS"}
    assert here.parts[0].fields == {"email": "faktura@birk.example"}


def test_a_customer_stops_flowing_and_flows_again_after_what_that_writes_was_shown(
    journey: Journey, both: Both, pages: Pages
) -> None:
    customer = linked(both, 12, "Østergaard VVS ApS")
    pages.time = both.time
    journey.arrive(f"/customers/{customer.id}")
    journey.press("Turn off")
    journey.see("Does not flow: edits are not sent")
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    assert both.said_only(WriteEconomicCustomer) == []
    journey.follow("Turn on")
    journey.see("This would be written:")
    assert "87 65 43 21" in journey.screen.text
    journey.press("Turn on")
    journey.see("Flows automatically")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}
