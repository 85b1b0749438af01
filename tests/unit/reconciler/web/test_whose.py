"""Does every sentence about a contact person's detail say whose it is, so that it is no sentence about the company?"""

from dataclasses import replace
from uuid import UUID

import pytest

from reconciler import beside
from reconciler.alone import PERSON
from reconciler.decisions import Ended
from reconciler.link import Refusal
from reconciler.overwriting import overwriting
from reconciler.rules import System
from reconciler.web import asks, panels, reasons, run_words
from reconciler.web.words import Words
from tests.builders.deciding import Deciding, deciding
from tests.builders.reconciler import NOW
from tests.unit.reconciler.test_one_side import ANNE, here, still

DA = Words("da", NOW)
EN = Words("en", NOW)


def both_names() -> Deciding:
    """The company's name and Anne's were changed, and it does not flow."""
    case = deciding()
    case.crm_contacts["p1"] = dict(ANNE)
    (command,) = case.crm()
    case.written(command, created="7")
    case.link = replace(case.link, flows=False)
    case.crm_contacts["p1"]["name"] = "Anne Holm Krag"
    case.crm(name="Nordhavn A")
    return case


@pytest.mark.parametrize(
    ("words", "said"), [(DA, ["navn", "Anne Holm Krag: navn"]), (EN, ["name", "Anne Holm Krag: name"])]
)
def test_what_a_save_writes_is_named_with_whose_it_is(words: Words, said: list[str]) -> None:
    case = both_names()
    rows = [row for row in beside.rows(case.link, case.rules) if row.is_different]
    assert [reasons.named(words, row, inside=True) for row in rows] == said
    sentence = panels.updated(words, overwriting(case.link, case.rules))["sentences"]
    assert [", ".join(said) in one for one in sentence] == [True]


def test_one_without_a_name_is_a_contact_person() -> None:
    case = here(still(), name="")
    (row, *_) = [one for one in beside.rows(case.link, case.rules) if one.stands == "one_side"]
    assert reasons.named(DA, row) == "Kontaktperson: e-mail"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("moved", "{} er blevet rettet, efter at du åbnede siden. Se den nye værdi, og vælg igen."),
        ("chosen", "{} er valgt om i mellemtiden."),
        ("gone", "{} findes ikke længere i begge systemer."),
    ],
)
def test_what_was_refused_is_named_with_whose_it_is(reason: str, said: str) -> None:
    case = both_names()
    (pair,) = case.contacts
    for record, name in ((case.link.customer.id, "Navn"), (pair.id, "Anne Holm Krag: navn")):
        end = Ended(decision=UUID(int=1), record=record, detail="name", result="refused", reason=reason)
        assert reasons.refused(DA, end, case.link) == said.format(name)


def test_a_person_who_was_to_be_created_is_named_alone() -> None:
    case = here(still())
    (pair,) = case.contacts
    end = Ended(decision=UUID(int=1), record=pair.id, detail=PERSON, result="refused", reason="gone")
    assert reasons.refused(EN, end, case.link).startswith("Contact person: Anne Holm was changed after you opened")


def test_what_e_conomic_refused_is_named_with_whose_it_is() -> None:
    case = both_names()
    case.link = replace(case.link, flows=True)
    rows = [row for row in beside.rows(case.link, case.rules) if row.kind == "contact" and row.detail == "name"]
    refused = replace(
        rows[0], stands="refused", refusal=Refusal(system=System.ECONOMIC, code="X", values={"name": ("", "")})
    )
    assert reasons.why(EN, [refused], None) == "e-conomic refused Anne Holm Krag: name."


def test_the_details_of_questions_previews_and_arrivals_are_named_as_a_contact_persons() -> None:
    assert (
        asks.detailed(DA, ("name", "contact.name", "contact.email"))
        == "Navn, Kontaktperson: navn, Kontaktperson: e-mail"
    )
    assert run_words.detail(DA, "contact.name") == "Kontaktperson: navn"
    assert run_words.detail(DA, "name") == "Navn"
