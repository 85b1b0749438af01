"""The buttons of a linked customer: what they would write is shown first, one press does it once, and what was done is told."""

import re

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import done, economic_answered, refused, there
from tests.integration.web.acting import Door, Opens, decisions, differing, written_here
from tests.integration.web.browsing import CRM, Pages
from tests.integration.web.serving import served
from tests.integration.web.test_tasks_json import Service


def test_update_names_what_it_overwrites_with_both_values_and_leaves_alone_what_only_e_conomic_changed(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    shown = door(customer).get("/update").text
    assert "Opdater i e-conomic: navn, telefon overskrives dér." in shown
    assert "E-mail er rettet i e-conomic og røres ikke." in shown
    for value in ("Nordhavn A", "Nordhavn B", "87 65 43 21", "12 34 56 78"):
        assert value in shown
    assert "b@nordhavn.example" not in shown
    assert "<h1>Opdater i e-conomic</h1>" in shown


def test_update_writes_what_was_shown_once_also_for_a_customer_that_does_not_flow(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    answers = [here.send("update", fields) for _ in range(2)]
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Nordhavn A", "phone": "87654321"}
    assert both.said_only(WriteCustomer) == []
    assert "Sender din rettelse til e-conomic ..." in here.after(answers[0])
    written = there(customer, 7, "v3", contacts=(), name="Nordhavn A", phone="87654321", email="b@nordhavn.example")
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=written, version=3))
    assert decisions(pages) == [("settle", "Anne Holm", "u1", "done")]
    assert here.send("update", fields).status_code == 303
    assert both.said_only(WriteEconomicCustomer) == [], "the same form after it was carried out is the same decision"


def test_a_detail_that_moved_is_left_out_and_named_and_the_others_are_written(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    both.in_economic(there(customer, 7, "v3", contacts=(), name="Nordhavn C", email="b@nordhavn.example"), 3)
    after = here.after(here.send("update", fields))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}
    assert "Navn er blevet rettet, efter at du åbnede siden. Se den nye værdi, og vælg igen." in after
    assert "Nordhavn C" in after


def test_where_everything_moved_nothing_is_decided(pages: Pages, both: Both, door: Opens) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    both.in_crm(customer, 3)
    after = here.after(here.send("update", fields))
    assert both.said_only(WriteEconomicCustomer) == []
    assert decisions(pages) == []
    assert "er blevet rettet" in after


def test_a_detail_that_may_only_be_changed_in_e_conomic_is_named_and_not_overwritten(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    both.set(rules='{"customer": {"name": {"direction": "economic", "decides": "ask", "may_be_empty": false}}}')
    here = door(customer)
    shown = here.get("/update").text
    assert "Navn må kun rettes i e-conomic og røres ikke." in shown
    here.send("update", here.form(shown))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}


def uncorrected(both: Both, pages: Pages) -> Customer:
    """One whose e-mail e-conomic does not accept: it is put right where the CRM has it."""
    customer = both.linked(7, cvr="12345678")
    both.in_crm(customer.model_copy(update={"email": "kaj(a)jensen"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    no = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email")
    both.hear(economic_answered(command, no))
    pages.time = both.time
    return customer


def test_what_is_put_right_at_its_source_leads_to_the_crms_page_of_the_customer(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = uncorrected(both, pages)
    leads = f'<a class="button" href="{CRM}/customers/{customer.id}" target="_top">Ret kunden</a>'
    assert leads in door(customer).status()
    assert ">Prøv igen<" not in door(customer).status()
    assert "Ret kunden" not in door(customer, role="reader").status()


@pytest.mark.parametrize("framed", [True, False])
def test_without_an_address_of_the_customer_in_the_crm_nothing_leads_there(engine: sa.Engine, framed: bool) -> None:
    with served(engine, crm_customer="") as pages:
        both = Both(engine=engine, time=pages.time)
        both.switch_on(Transfer.CREATED)
        customer = uncorrected(both, pages)
        shown = Door(pages, customer.id, framed=framed).status()
        assert ("Kunden kunne ikke overføres" in shown, "Ret kunden" in shown) == (True, False)
        told = Service(pages).get(f"/customers/{customer.id}/status?version=1.2")
        assert {"name": "correct", "allowed": True, "why_not": ""} in told["actions"]


def test_what_was_refused_is_tried_again(pages: Pages, both: Both, door: Opens) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.hear(economic_answered(command, refused(command.parts[0].operation, "CustomerInvalidPriceGroup")))
    pages.time = both.time
    here = door(customer)
    assert "Prøv igen" in here.status()
    after = here.after(here.press_at_once("retry"))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}
    assert "Sender din rettelse til e-conomic ..." in after
    assert decisions(pages) == [("retry", "Anne Holm", "u1", "done")]


def test_it_stops_flowing_at_once_and_flows_again_once_what_that_writes_was_shown(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    pages.time = both.time
    here = door(customer)
    assert "Kunden flyder automatisk" in here.status()
    after = here.after(here.press_at_once("still"))
    assert "Flyder ikke: rettelser sendes ikke" in after
    pages.later(seconds=5)
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    assert both.said_only(WriteEconomicCustomer) == []
    shown = here.get("/flow").text
    assert "Det her vil blive skrevet:" in shown
    assert "87 65 43 21" in shown
    old = here.form(shown)
    both.in_crm(customer.model_copy(update={"phone": "11223344"}), 3)
    moved = here.after(here.send("flow", old))
    assert "Kunden er rettet, efter at du åbnede siden" in moved
    assert "11 22 33 44" in moved
    assert both.said_only(WriteEconomicCustomer) == []
    here.send("flow", here.form(moved))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "11223344"}
    assert [(one[0], one[3]) for one in decisions(pages)] == [("still", "done"), ("flow", "done")]


def test_a_creation_says_its_number_for_a_minute_and_an_edit_of_e_conomics_when_it_was_fetched(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = both.linked(10482, cvr="12345678")
    pages.time = both.time
    here = door(customer)
    assert "Oprettet i e-conomic som kundenr. 10482" in here.status()
    pages.later(minutes=2)
    assert "Oprettet i e-conomic" not in here.status()
    both.in_economic(there(customer, 10482, "v2", contacts=(), phone="11223344"), 2)
    (command,) = both.said_only(WriteCustomer)
    both.hear(written_here(command, customer.model_copy(update={"phone": "11223344"}), 2))
    assert re.search(r"Telefon blev rettet i e-conomic, hentet (i g.r )?kl\. \d\d\.\d\d", here.status())


def test_an_edit_that_was_put_back_says_so_until_that_detail_is_edited(pages: Pages, both: Both, door: Opens) -> None:
    both.set(rules='{"customer": {"phone": {"direction": "economic", "decides": "economic", "may_be_empty": true}}}')
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    (command,) = both.said_only(WriteCustomer)
    both.hear(written_here(command, customer, 3))
    pages.time = both.time
    here = door(customer)
    told = "Telefon må kun rettes i e-conomic. Din rettelse er ført tilbage."
    assert told in here.status()
    both.in_economic(there(customer, 7, "v2", contacts=(), phone="11223344"), 2)
    assert told not in here.status()
