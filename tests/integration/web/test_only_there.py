"""What e-conomic alone holds of a customer stands on its page and in the JSON, as it was told last, and moves nothing else."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from economic_adapter.contract import EconomicContact, EconomicCustomer, Shown
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, agreement_seen, there
from tests.integration.web.browsing import Browser, Pages
from tests.integration.web.test_decisions_json import Service
from tests.integration.web.test_status_on_page import asked, follows

METTE = EconomicContact(number=4, object_version="a", name="Mette Holm", e_invoice_id="57-4")
WHOLE: dict[str, Any] = {
    "group": 1, "zone": 3, "terms": 9, "currency": "DKK",
    "shown": Shown(invoice_recipient="faktura@nordhavn.example", credit_limit=25000.5, attention=4),
}  # fmt: skip


def held(customer: Customer, version: str, **given: Any) -> EconomicCustomer:
    """The same in both systems, with what e-conomic alone holds."""
    return there(customer, 7, version, **{"contacts": (), **WHOLE, **given})


@pytest.fixture
def customer(pages: Pages, both: Both) -> Customer:
    both.hear(agreement_seen(both.time))
    made = both.linked(7, cvr="12345678")
    both.in_economic(held(made, "v2"), 2)
    both.said()
    pages.time = both.time
    return made


def rows(browser: Browser, customer: Customer) -> list[tuple[str, str, str]]:
    """What stands under *Vis alle oplysninger* with nothing of ours beside it: label, Clickmate's column, e-conomic's."""
    page = browser.get(f"/customers/{customer.id}").text
    table = page.partition('<caption class="hidden">Vis alle oplysninger</caption>')[2].partition("</table>")[0]
    if not table:
        table = page.partition('<caption class="hidden">Show all details</caption>')[2].partition("</table>")[0]
    found = []
    for body in re.findall(r"<tbody>(.*?)</tbody>", table, re.DOTALL):
        cells = [
            " ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in re.findall(r"<t[hd].*?</t[hd]>", body, re.DOTALL)
        ]
        if cells[1] in {"Kun i e-conomic", "Only in e-conomic"}:
            assert cells[3] == ""
            found.append((cells[0], cells[1], cells[2]))
    return found


def test_each_has_a_row_of_its_own_in_both_languages(pages: Pages, both: Both, customer: Customer) -> None:
    both.in_economic(held(customer, "v3", contacts=(METTE,)), 3)
    alone = "Kun i e-conomic"
    assert rows(pages.arrive(tenant=TENANT), customer) == [
        ("Faktura-e-mail", alone, "faktura@nordhavn.example"),
        ("Kundegruppe", alone, "Danske kunder"),
        ("Momszone", alone, "Udland"),
        ("Betalingsbetingelse", alone, "9"),
        ("Valuta", alone, "DKK"),
        ("Kreditmaksimum", alone, "25.000,50"),
        ("Att.", alone, "Mette Holm"),
        ("Mette Holm ID (e-faktura)", alone, "57-4"),
    ]
    english = rows(pages.arrive(tenant=TENANT, lang="en"), customer)
    assert english[5] == ("Credit limit", "Only in e-conomic", "25,000.50")
    assert [one[0] for one in english] == [
        "Invoice e-mail", "Customer group", "VAT zone", "Payment terms", "Currency", "Credit limit", "Attn.",
        "Mette Holm ID (e-invoice)",
    ]  # fmt: skip


def test_a_service_reads_the_same(pages: Pages, customer: Customer) -> None:
    told = Service(pages, "reader").get(f"/customers/{customer.id}/details").json()["only_in_economic"]
    assert told == [
        {"detail": "invoice_recipient", "value": "faktura@nordhavn.example", "number": None, "person": ""},
        {"detail": "group", "value": "Danske kunder", "number": 1, "person": ""},
        {"detail": "zone", "value": "Udland", "number": 3, "person": ""},
        {"detail": "terms", "value": "9", "number": 9, "person": ""},
        {"detail": "currency", "value": "DKK", "number": None, "person": ""},
        {"detail": "credit_limit", "value": "25000.5", "number": None, "person": ""},
        {"detail": "attention", "value": "4", "number": 4, "person": ""},
    ]


def test_what_changed_is_shown_and_nothing_is_said_to_anybody(pages: Pages, both: Both, customer: Customer) -> None:
    before = both.of(customer.id)
    both.in_economic(held(customer, "v3", group=2, shown=Shown(credit_limit=100)), 3)
    assert both.said() == []
    after = both.of(customer.id)
    assert (after.customer.base, after.pending) == (before.customer.base, ())
    found = [(label, value) for label, _, value in rows(pages.arrive(tenant=TENANT), customer)]
    assert ("Kundegruppe", "2") in found
    assert ("Kreditmaksimum", "100") in found
    assert "Faktura-e-mail" not in dict(found)


def test_an_open_page_says_that_it_shows_older_values(pages: Pages, both: Both, customer: Customer) -> None:
    browser = pages.arrive(tenant=TENANT)
    address, mark = follows(browser.get(f"/customers/{customer.id}").text)
    both.in_economic(held(customer, "v3"), 3)
    assert "data-reload" not in asked(browser, address).text
    both.in_economic(held(customer, "v4", shown=Shown(credit_limit=100)), 4)
    assert "data-reload" in asked(browser, address, mark).text


def test_of_one_that_is_deleted_there_nothing_is_shown(pages: Pages, both: Both, customer: Customer) -> None:
    both.gone(7, 3)
    assert rows(pages.arrive(tenant=TENANT), customer) == []
    assert Service(pages).get(f"/customers/{customer.id}/details").json()["only_in_economic"] == []


def test_what_an_older_release_recorded_is_read(pages: Pages, both: Both, customer: Customer) -> None:
    with both.engine.begin() as connection:
        older = "update sync.economic_side set state = state - '{shown,group,zone,terms,currency}'::text[]"
        connection.execute(sa.text(older))
    assert rows(pages.arrive(tenant=TENANT), customer) == []


def test_nobody_is_looked_at_again_because_of_it(both: Both) -> None:
    """Unlinked customers are, when a customer of e-conomic they may be is another."""
    both.set(transfer="hand")
    lead = both.new(cvr="12345678")
    both.in_crm(lead)
    both.in_economic(held(lead, "v1"), 1, why="import")
    with both.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set suggested = '{7}', look_again = false"))

    def again() -> bool:
        with both.engine.connect() as connection:
            return bool(connection.scalar(sa.text("select look_again from sync.link where crm_id is not null")))

    both.in_economic(held(lead, "v2", group=2, shown=Shown(credit_limit=1)), 2, why="import")
    assert not again()
    both.in_economic(held(lead, "v3", name="Sydhavn"), 3, why="import")
    assert again()


def test_who_gets_invoices_is_a_badge_of_the_customer(pages: Pages, both: Both, customer: Customer) -> None:
    shown = f"/customers/{customer.id}"
    assert "Modtager fakturaer" not in pages.arrive(tenant=TENANT).get(shown).text
    person = METTE.model_copy(update={"receives": ("e_invoices",)})
    both.in_economic(held(customer, "v3", contacts=(person,)), 3)
    status = pages.arrive(tenant=TENANT).get(shown).text.partition('<div id="status"')[2].partition('<p id="said"')[0]
    assert '<span class="badge">Modtager fakturaer</span>' in status
    told = Service(pages).get(f"/customers/{customer.id}/status?look=false").json()
    assert told["badges"] == ["receives_invoices"]
