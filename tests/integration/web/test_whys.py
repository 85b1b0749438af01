"""Any value tells where it comes from: who, in which system, when, by rule or person, and what stood there before."""

import re

import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from tests.builders.meeting import Both
from tests.builders.sync import crm_answered, done, economic_answered, there
from tests.integration.web.browsing import Pages
from tests.integration.web.test_decisions_json import Service
from tests.integration.web.test_settling import arrive, choice, contested, form


def why(pages: Pages, customer: Customer, detail: str) -> str:
    """What stands under a detail's question, in plain text."""
    shown = arrive(pages).get(f"/customers/{customer.id}").text
    (body,) = [
        one
        for one in re.findall(r"<tbody.*?</tbody>", shown, re.DOTALL)
        if re.search(rf"{detail}\s*(<br|<details|\n)", one)
    ]
    (told,) = re.findall(r"Hvorfor står der det\?</summary>(.*?)</details>", body, re.DOTALL)
    return re.sub(r"<[^>]+>", " ", told).replace("&#34;", '"').replace("&amp;", "&")


def written_there(both: Both, customer: Customer, **held: str) -> None:
    both.later(seconds=1)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(customer, 7, "v3", contacts=(), **held)
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))


def edits(pages: Pages) -> list[tuple[str, str, str, str]]:
    with pages.engine.connect() as connection:
        rows = connection.execute(sa.text("select system, field, before, after from sync.edit order by id"))
        return [tuple(row) for row in rows]


def test_an_edit_and_what_was_carried_over_of_it(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    edited = customer.model_copy(update={"phone": "87654321"})
    both.in_crm(edited, 2)
    written_there(both, edited)
    both.in_economic(there(edited, 7, "v3", contacts=()), 4)
    pages.time = both.time
    told = why(pages, customer, "Telefon")
    assert re.search(r'Clickmate: Det blev rettet i Clickmate .*kl\. \d\d\.\d\d\. Før stod der "12 34 56 78"\.', told)
    assert re.search(r'e-conomic: Det blev rettet i Clickmate .*og ført over\. Før stod der "12 34 56 78"\.', told)
    assert edits(pages) == [("crm", "phone", "12345678", "87654321")], "the echo of our own write is no edit"


def test_a_person_is_named_with_what_stood_before(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "name"): "crm"})
    written_there(both, customer)
    pages.time = both.time
    told = why(pages, customer, "Navn")
    assert re.search(
        r'e-conomic: Anne Holm rettede det i e-conomic kl\. \d\d\.\d\d\. Før stod der "Birk og Søn ApS"\.', told
    )
    service = Service(pages, "reader")
    (name,) = [
        one for one in service.get(f"/customers/{customer.id}/details").json()["rows"] if one["detail"] == "name"
    ]
    assert name["why"]["economic"]["who"] == "Anne Holm"
    assert (name["why"]["economic"]["by"], name["why"]["economic"]["before"]) == ("person", "Birk og Søn ApS")


def test_a_rule_is_named_and_what_it_settled_is_listed(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", contacts=(), phone="11111111"), 2)
    edited = customer.model_copy(update={"phone": "22222222"})
    both.set(paused="[]")
    both.said()
    both.in_crm(edited, 2)
    written_there(both, edited)
    pages.time = both.time
    assert re.search(
        r'Reglen "Behold Clickmates" valgte Clickmate .*\. Før stod der "11 11 11 11"\.',
        why(pages, customer, "Telefon"),
    )
    assert "Løst automatisk (1)" in arrive(pages).get(f"/customers/{customer.id}").text


def test_what_a_person_had_refused_is_not_said_of_another_value(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    told = why(pages, customer, "Navn")
    assert re.search(r'e-conomic: Det blev rettet i e-conomic .*Før stod der "Nordhavn Tømrer ApS"\.', told)
    assert "ført over" not in told


def test_an_answer_that_was_lost_leaves_no_edit_behind(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_economic(there(customer, 7, "v2", contacts=(), phone="11111111"), 2)
    (command,) = both.said_only(WriteCustomer)
    written = customer.model_copy(update={"phone": "11111111"})
    both.in_crm(written, 2)
    both.hear(crm_answered(command, done(command.parts[0].operation), customer=written, version=2))
    assert edits(pages) == [("economic", "phone", "12345678", "11111111")]
