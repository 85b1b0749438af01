"""A customer that is inactive in the CRM may rest: then nothing of it flows and nothing is asked, until it is active again."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import Stage
from reconciler.categories import category
from reconciler.link import Status, flows
from tests.builders.reconciler import RULES, Case, linked, to_economic

RESTS = replace(RULES, inactive_rests=True)
MINUTE = timedelta(minutes=1)


def inactive(case: Case) -> Case:
    case.link = replace(case.link, stage=Stage.INACTIVE)
    return case


def test_it_rests_and_what_differs_is_shown() -> None:
    case = inactive(linked(RESTS))
    case.facts["stage"] = Stage.INACTIVE
    assert case.crm(phone="22222222") == ()
    assert case.status == Status(state="different", details=("phone",))
    assert category(case.link, case.status, case.rules, case.now) == ("left_out", "inactive")
    case.facts["stage"] = Stage.ACTIVE
    assert to_economic(case.crm(phone="22222222")) == {"phone": "22222222"}


def test_it_is_asked_nothing() -> None:
    case = inactive(linked(RESTS))
    case.facts["stage"] = Stage.INACTIVE
    case.crm(name="Nordhavn Tag ApS")
    case.economic(name="Nordhavn Mur ApS")
    assert case.status == Status(state="different", details=("name",))
    case.rules = RULES
    case.wait(MINUTE)
    assert case.status == Status(state="choice", reason="both", details=("name",))


@given(st.sampled_from(list(Stage)), st.booleans(), st.booleans())
def test_who_flows(stage: Stage, on: bool, rests: bool) -> None:
    link = replace(linked().link, stage=stage, flows=on)
    assert flows(link, replace(RULES, inactive_rests=rests)) is (on and not (rests and stage is Stage.INACTIVE))
