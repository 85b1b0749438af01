"""A direction is paused: what does the status of a customer say that has something waiting for it, and of the others?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.braking import still
from reconciler.link import Status
from reconciler.rules import Rules, System
from tests.builders.reconciler import RULES, Case, linked, to_crm, to_economic

TO_ECONOMIC = replace(RULES, paused=frozenset({System.ECONOMIC}))
TO_CRM = replace(RULES, paused=frozenset({System.CRM}))
BOTH = replace(RULES, paused=frozenset(System))
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("rules", "reason"), [(TO_ECONOMIC, "economic"), (BOTH, "both")])
def test_what_waits_for_the_pause_is_named(rules: Rules, reason: str) -> None:
    case = linked(rules)
    assert case.crm(phone="22222222") == ()
    assert case.status == Status(state="paused", reason=reason, details=("phone",))
    case.rules = RULES
    assert to_economic(case.wait(MINUTE)) == {"phone": "22222222"}
    assert case.status == Status(state="sending", details=("phone",))


def test_the_other_direction_flows_and_its_status_says_so() -> None:
    case = linked(TO_CRM)
    assert to_economic(case.crm(phone="22222222")) == {"phone": "22222222"}
    assert case.status == Status(state="sending", details=("phone",))
    case.written(case.commands[0])
    assert case.economic(mobile="33333333") == ()
    assert case.status == Status(state="paused", reason="crm", details=("mobile",))


def test_a_customer_with_nothing_waiting_stands_as_ever() -> None:
    case = linked(BOTH)
    case.wait(MINUTE)
    assert case.status == Status(state="same")
    case.link = replace(case.link, flows=False)
    case.crm(phone="22222222")
    assert case.status == Status(state="different", details=("phone",))


def test_it_comes_before_a_question_and_after_lost_access() -> None:
    case = linked(BOTH)
    case.crm(name="Nordhavn Tag ApS", phone="22222222")
    case.economic(name="Nordhavn Mur ApS")
    assert case.status == Status(state="paused", reason="both", details=("phone",))
    case.rules = replace(BOTH, agreement="access_lost")
    case.wait(MINUTE)
    assert case.status == Status(state="access_lost")


def test_a_question_alone_is_a_question_also_while_paused() -> None:
    case = linked(BOTH)
    case.crm(name="Nordhavn Tag ApS")
    case.economic(name="Nordhavn Mur ApS")
    assert case.status == Status(state="choice", reason="both", details=("name",))


def test_a_customer_or_a_person_that_would_be_created_waits_too() -> None:
    case = Case(rules=TO_ECONOMIC)
    assert case.crm() == ()
    assert case.status == Status(state="paused", reason="economic")
    case = linked(TO_ECONOMIC)
    case.crm_contacts["p1"] = {"name": "Ida Holm"}
    assert case.crm() == ()
    assert case.status == Status(state="paused", reason="economic")


def test_what_is_on_its_way_already_is_no_part_of_the_pause() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    case.rules = TO_ECONOMIC
    case.wait(timedelta(seconds=1))
    assert case.status == Status(state="sending", details=("phone",))
    case.written(command)
    assert case.status == Status(state="same")


def test_a_customer_that_a_pass_holds_is_not_called_paused() -> None:
    case = linked(still(RULES))
    case.crm(phone="22222222")
    assert case.status == Status(state="sending", reason="brake", details=("phone",))
    case.rules = RULES
    assert to_crm(case.wait(MINUTE)) == {}
