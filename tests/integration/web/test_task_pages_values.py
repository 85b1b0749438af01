"""The questions about what a customer holds: a contact person, what is lacking, what was cleared, a write nobody knows the end of."""

import pytest

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import questions
from tests.builders.crm import a_person
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, economic_answered, refused, there
from tests.integration.web.asking import arrive, decided, only, press
from tests.integration.web.browsing import Pages


def doubtful(both: Both) -> Customer:
    """Two persons of one name, one on each side, of whom nobody knows whether they are one."""
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    with_person = customer.model_copy(update={"contacts": (a_person(name="Mette Holm"),)})
    both.in_crm(with_person, 2)
    seen = there(
        customer.model_copy(update={"contacts": (a_person(name="Mette Holm", email="mh@n.example"),)}), 7, "v2"
    )
    both.in_economic(seen, 2)
    both.set(paused="[]")
    both.in_crm(with_person, 3)
    both.said()
    return with_person


@pytest.mark.parametrize("button", ["Den samme", "En anden"])
def test_contact_persons_are_one_or_two(pages: Pages, both: Both, button: str) -> None:
    customer = doubtful(both)
    browser = arrive(pages, both)
    with pages.engine.connect() as connection:
        found = [one for one in questions.listed(connection, TENANT) if one.kind == "contact"]
    shown = browser.get(f"/tasks/{found[0].id}").text
    assert "Er Mette Holm og Mette Holm den samme kontaktperson?" in shown
    assert "mh@n.example" in shown
    press(browser, found[0].id, button)
    persons = both.of(customer.id).contacts
    assert len(persons) == (1 if button == "Den samme" else 2)
    with pages.engine.connect() as connection:
        assert [one for one in questions.listed(connection, TENANT) if one.kind == "contact"] == []


def test_what_a_creation_lacks_is_given_for_this_customer(pages: Pages, both: Both) -> None:
    both.in_crm(both.new(country=""))
    browser, task = arrive(pages, both), only(pages, "missing")
    assert "Landet mangler. Vi ved ikke, hvilken momszone kunden skal have." in browser.get("/errors").text
    press(browser, task, "Opret i e-conomic", area="eu", group="", terms="", zone="", currency="")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].defaults is not None
    assert command.parts[0].defaults.zone == 2
    assert decided(pages) == [("Anne Holm", "supply", "done")]


@pytest.mark.parametrize(
    ("button", "value"), [("Hent værdien tilbage", "a@n.example"), ("Lad den være tom i begge", "")]
)
def test_a_cleared_detail_is_brought_back_or_left_empty(pages: Pages, both: Both, button: str, value: str) -> None:
    customer = both.linked(7, cvr="12345678", email="a@n.example")
    both.in_crm(customer.model_copy(update={"email": ""}), 2)
    both.said()
    browser, task = arrive(pages, both), only(pages, "empty")
    assert "E-mail er slettet i Clickmate." in browser.get(f"/tasks/{task}").text
    press(browser, task, button)
    said = both.said()
    written = [one.data.parts[0].fields for one in said if isinstance(one.data, WriteCustomer | WriteEconomicCustomer)]
    assert written == [{"email": value}]


def test_a_creation_nobody_can_tell_the_end_of_is_linked_to_what_was_found(pages: Pages, both: Both) -> None:
    customer = both.new(cvr="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.hear(economic_answered(command, refused(command.parts[0].operation, "ambiguous")))
    browser, task = arrive(pages, both), only(pages, "unclear")
    assert (
        "Vi ved ikke, om rettelsen nåede frem til e-conomic. Se i e-conomic, og vælg."
        in browser.get(f"/tasks/{task}").text
    )
    assert "Skriv et kundenr." in press(browser, task, "Tilknyt")
    press(browser, task, "Tilknyt", number="60")
    assert both.of(customer.id).number == 60


def test_values_lead_to_the_customer(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="B", contacts=()), 2)
    both.in_crm(customer.model_copy(update={"name": "A"}), 2)
    both.set(paused="[]")
    both.in_crm(customer.model_copy(update={"name": "A"}), 3)
    browser = arrive(pages, both)
    answer = browser.get(f"/tasks/{only(pages, 'values')}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/customers/{customer.id}?from=list")
