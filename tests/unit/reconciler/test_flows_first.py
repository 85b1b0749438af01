"""Whether a customer flows by itself once it is linked, transferred or created: an admin's choice, from then on (S2, S10)."""

from dataclasses import replace

import pytest

from crm_outbox.contract import Stage
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.agreement import AgreementState
from reconciler.link import Heard, Linked, LinkState, Status, Unlinked
from reconciler.linking import UNDO
from tests.builders.reconciler import RULES, Case, linked, to_economic

RESTS = replace(RULES, flows_first=False)


def of_both(rules: object = RESTS, **facts: object) -> Case:
    """A customer that both have, not linked yet; e-conomic lacks its phone."""
    case = Case(rules=replace(RESTS, agreement="connected"))
    case.facts = dict(facts)
    case.crm(phone="11111111")
    case.rules = rules  # type: ignore[assignment]
    case.economic_values = {name: value for name, value in case.crm_values.items() if name != "phone"}
    case.economic_version += 1
    case.hear(Linked(number=1042, by="person", economic=case.economic_seen()))
    return case


def test_linked_it_is_compared_and_nothing_is_written_until_somebody_turns_it_on() -> None:
    case = of_both()
    assert (case.link.state, case.link.flows, case.commands) == (LinkState.LINKED, False, ())
    assert case.status == Status(state="different", details=("phone",))
    assert case.crm(phone="22222222") == ()
    case.link = replace(case.link, flows=True)
    assert to_economic(case.crm(phone="33333333")) == {"phone": "33333333"}


def test_as_it_comes_it_flows_from_the_first() -> None:
    case = of_both(RULES)
    assert case.link.flows
    assert to_economic(case.commands) == {"phone": "11111111"}


def test_created_it_does_not_flow_either() -> None:
    case = Case(rules=RESTS)
    (creation,) = case.crm(phone="11111111")
    assert isinstance(creation, WriteEconomicCustomer)
    case.written(creation, created="1042")
    assert (case.link.state, case.link.flows) == (LinkState.LINKED, False)
    assert case.crm(phone="22222222") == ()


@pytest.mark.parametrize("rules", [RULES, RESTS])
def test_a_lead_that_becomes_a_customer_flows_from_then_on_where_others_do(rules: object) -> None:
    case = of_both(rules, stage=Stage.LEAD)
    assert not case.link.flows
    case.facts["stage"] = Stage.ACTIVE
    case.crm(phone="11111111")
    assert case.link.flows is (rules is RULES)


def test_who_flows_already_goes_on() -> None:
    case = linked()
    case.rules = RESTS
    assert to_economic(case.crm(phone="22222222")) == {"phone": "22222222"}


def test_an_unlinking_that_is_undone_leaves_it_flowing() -> None:
    case = linked(RESTS)
    case.hear(Unlinked(by="person"))
    case.hear(Linked(number=1042, by=UNDO, economic=case.economic_seen()))
    assert case.link.flows


def test_one_that_is_tried_flows_whatever_holds_for_others() -> None:
    state = AgreementState(
        state="off", since=None, transfer="hand", rules="{}", defaults="{}", paused="[]", busy=False, pilot="c1",
        receive=True, inactive="flows", gone_there="keep", gone_here="keep", flows_first=False, numbers="", read=True,
    )  # fmt: skip
    case = linked()
    assert case.link.crm_id == "c1"
    assert state.rules_for(case.link, RULES.resend).flows_first
    assert not state.rules_for(replace(case.link, crm_id="c2"), RULES.resend).flows_first
    assert case.hear(Heard()) == ()
