"""Undone, does each side hold what it held, except where somebody edited since?"""

import pytest

from reconciler import decisions
from reconciler.decisions import Ended
from tests.builders.contested import contested
from tests.builders.reconciler import LINK


@pytest.mark.parametrize(("take", "after"), [("crm", "Nordhavn A"), ("economic", "Nordhavn B"), ("Own", "Own")])
def test_undone_each_side_holds_what_it_held_and_is_asked_about_again(take: str, after: str) -> None:
    case = contested()
    case.carry_out(case.settle(name=take))
    done = case.history[-1]
    assert (case.crm_values["name"], case.economic_values["name"]) == (after, after)
    case.carry_out(case.undo([done]))
    undone = case.history[-1]
    assert undone.result == "written"
    assert (case.crm_values["name"], case.economic_values["name"]) == ("Nordhavn A", "Nordhavn B")
    assert (case.stands().state, case.stands().details) == ("choice", ("name", "phone"))
    case.carry_out(case.undo([undone]))
    assert (case.crm_values["name"], case.economic_values["name"]) == (after, after)
    assert case.stands().details == ("phone",)


def test_undo_leaves_what_somebody_edited_since_and_says_so() -> None:
    case = contested()
    case.carry_out(case.settle(name="crm", phone="crm"))
    done = list(case.history)
    case.carry_out(case.crm(name="Edited Since"))
    case.carry_out(case.undo(done))
    assert ("name", "refused", "moved") in case.ended
    assert (case.crm_values["name"], case.economic_values["name"]) == ("Edited Since", "Edited Since")
    assert (case.crm_values["phone"], case.economic_values["phone"]) == ("11111111", "22222222")


def test_a_kept_difference_is_undone_to_a_question_and_back() -> None:
    case = contested()
    case.settle(name="different")
    kept = case.history[-1]
    assert case.undo([kept]) == ()
    undone = case.history[-1]
    assert case.stands().details == ("name", "phone")
    assert case.undo([undone]) == ()
    assert case.stands().details == ("phone",)
    assert "name" in case.link.customer.chosen


def test_a_refused_part_has_nothing_to_undo() -> None:
    refused = Ended(decision=LINK, record=LINK, detail="name", result="refused", reason="moved")
    assert decisions.backwards([refused], {}) == ()
