"""A creation for which no number is left is an error until an admin chooses another range, and then goes by itself."""

from dataclasses import replace
from datetime import timedelta

from economic_adapter.contract import WriteEconomicCustomer
from reconciler.causes import cause
from reconciler.link import Status
from tests.builders.reconciler import RULES, Case

NARROW = replace(RULES, numbers="1000-1999")


def test_it_is_told_and_tried_again_in_another_range_alone() -> None:
    case = Case(rules=NARROW)
    (creation,) = case.crm()
    case.refused(creation, "no_number")
    assert case.status == Status(state="error", reason="no_number", details=case.status.details if case.status else ())
    assert cause("no_number").step == "admin"
    assert case.wait(timedelta(days=1)) == ()
    case.rules = replace(NARROW, numbers="1000-2999")
    (again,) = case.wait(timedelta(minutes=1))
    assert isinstance(again, WriteEconomicCustomer)
    assert again.parts[0].action == "create"
    case.written(again, created="2000")
    assert case.status == Status(state="same")


def test_another_refusal_does_not_go_with_the_range() -> None:
    case = Case(rules=NARROW)
    (creation,) = case.crm()
    case.refused(creation, "CustomerMissingName", detail="name")
    case.rules = replace(NARROW, numbers="1000-2999")
    assert case.wait(timedelta(minutes=1)) == ()
