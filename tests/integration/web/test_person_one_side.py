"""A contact person in one system only: the box says that they differ, the panel creates them, the page says why it does not."""

from crm_outbox.contract import ContactPerson, Customer
from economic_adapter.contract import EconomicContact, WriteEconomicCustomer
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, there
from tests.integration.web.acting import Opens, decisions, still
from tests.integration.web.browsing import Pages

IDA = ContactPerson(id="p1", name="Ida Krag", email="ida@nordhavn.example", phone="23456789")
BO = EconomicContact(number=4, object_version="a", name="Bo Bang", phone="34567890")
CARRIED = "Oprettes i e-conomic med: Opdater i e-conomic"


def alone(both: Both, pages: Pages) -> Customer:
    """One that does not flow: Ida is in Clickmate only, Bo in e-conomic only."""
    customer = both.linked(7)
    still(both)
    both.in_economic(there(customer, 7, "v2", contacts=(BO,)), 2)
    customer = customer.model_copy(update={"contacts": (IDA,)})
    both.in_crm(customer, 2)
    both.said()
    pages.time = both.time
    return customer


def test_the_panel_says_who_is_created_and_who_is_not_and_one_press_creates_them_once(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = alone(both, pages)
    here = door(customer)
    assert "oplysninger er forskellige" in here.status()
    assert "0 af 2 kontaktpersoner er ens" in here.status() or not here.framed
    shown = here.get("/update").text
    assert "Oprettes i e-conomic: Ida Krag" in shown
    assert "Ida Krag: telefon" in shown
    assert "Bo Bang: Oprettes i Clickmate, når kunden flyder automatisk." in shown
    assert "overskrives" not in shown
    fields = here.form(shown)
    for _ in range(2):
        here.send("update", fields)
    (command,) = both.said_only(WriteEconomicCustomer)
    (part,) = command.parts
    assert (part.action, part.record, part.fields["name"]) == ("create", "contact", "Ida Krag")
    made = EconomicContact(number=5, object_version="a", name=IDA.name, email=IDA.email, phone=IDA.phone)
    seen = there(customer, 7, "v3", contacts=(BO, made))
    both.hear(economic_answered(command, done(part.operation, created="5"), customer=seen, version=3))
    assert decisions(pages) == [("settle", "Anne Holm", "u1", "done")]
    assert "Ida Krag" not in here.get("/update").text


def test_who_moved_while_the_panel_was_open_is_not_created(pages: Pages, both: Both, door: Opens) -> None:
    customer = alone(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    both.in_crm(customer.model_copy(update={"contacts": (IDA.model_copy(update={"phone": "87654321"}),)}), 3)
    after = here.after(here.send("update", fields))
    assert both.said_only(WriteEconomicCustomer) == []
    assert "er blevet rettet, efter at du åbnede siden" in after


def test_the_page_shows_them_among_what_differs_with_what_becomes_of_each(pages: Pages, both: Both) -> None:
    customer = alone(both, pages)
    text = pages.arrive(tenant=TENANT).get(f"/customers/{customer.id}").text
    assert text.count('class="one_side"') == 5
    assert text.count(CARRIED) == 1
    assert text.count("Oprettes i Clickmate, når kunden flyder automatisk.") == 1
    assert 'type="radio"' not in text
