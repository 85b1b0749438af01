"""What a creation lacks can be given for one customer alone: a country's area, or group, terms, VAT zone and currency."""

from dataclasses import replace
from typing import Any

import pytest

from economic_adapter.contract import Defaults, WriteEconomicCustomer
from reconciler.decisions import Supplied
from reconciler.link import Command
from reconciler.rules import Area, System
from reconciler.tasks import tasks
from tests.builders.deciding import Deciding
from tests.builders.reconciler import RULES, linked


def waiting(country: str, **rules: Any) -> Deciding:
    """A new customer that cannot be created, because something is missing."""
    case = Deciding(rules=replace(RULES, **rules))
    assert case.crm(country=country) == ()
    (task,) = tasks(case.link, case.rules, case.now)
    assert task.kind == "missing"
    return case


def sent(commands: tuple[Command, ...]) -> Defaults:
    (command,) = commands
    assert isinstance(command, WriteEconomicCustomer)
    defaults = command.parts[0].defaults
    assert defaults is not None
    return defaults


def supply(case: Deciding, **given: Any) -> tuple[Command, ...]:
    (task,) = tasks(case.link, case.rules, case.now)
    return case.decide(means="supply", task=task.fingerprint, supplied=Supplied(**given))


@pytest.mark.parametrize("country", ["", "Langtbortistan"])
def test_the_area_that_was_chosen_stands_for_a_country_nobody_knows(country: str) -> None:
    case = waiting(country)
    assert sent(supply(case, area=Area.EU)) == RULES.defaults[Area.EU]
    assert case.ended == [("", "done", "")]
    assert tasks(case.link, case.rules, case.now) == ()


def test_a_country_that_is_known_goes_before_the_area() -> None:
    case = waiting("")
    case.rules = replace(case.rules, paused=frozenset(System))
    supply(case, area=Area.EU)
    case.rules = replace(case.rules, paused=frozenset())
    assert sent(case.crm(country="Danmark")) == RULES.defaults[Area.DENMARK]


def test_a_zone_goes_before_the_defaults_of_the_area_and_the_rest_stays_as_an_admin_chose() -> None:
    case = waiting("")
    known = RULES.defaults[Area.DENMARK]
    assert sent(supply(case, area=Area.DENMARK, zone=7)) == known.model_copy(update={"zone": 7})


def test_without_any_defaults_all_four_must_be_given() -> None:
    case = waiting("Danmark", defaults={})
    assert supply(case, group=3, terms=4) == ()
    (task,) = tasks(case.link, case.rules, case.now)
    assert task.details == ("defaults",)
    whole = {"group": 3, "terms": 4, "zone": 5, "currency": "SEK"}
    assert sent(supply(case, **whole)) == Defaults(**whole)


def test_it_is_about_this_customer_alone_and_outlives_a_refusal() -> None:
    case = waiting("")
    (command,) = supply(case, area=Area.EU, group=9)
    case.refused(command, "CustomerInvalidEmail", detail="email")
    assert sent(case.crm(email="x@nordhavn.example")).group == 9
    other = Deciding()
    assert sent(other.crm()) == RULES.defaults[Area.DENMARK]


def test_what_was_refused_for_its_terms_is_tried_again_with_others() -> None:
    case = Deciding()
    (command,) = case.crm()
    case.refused(command, "CustomerGroupInvalid")
    assert sent(case.decide(means="supply", supplied=Supplied(group=9))).group == 9


def test_a_customer_that_is_there_needs_nothing_and_an_answer_to_another_question_is_refused() -> None:
    start = linked()
    case = Deciding(**{name: getattr(start, name) for name in type(start).__dataclass_fields__})
    case.decide(means="supply", supplied=Supplied(group=9))
    other = waiting("")
    other.decide(means="supply", task="0" * 32, supplied=Supplied(group=9))
    assert case.ended == [("", "refused", "gone")]
    assert other.ended == [("", "refused", "moved")]
    assert other.link.supplied is None
