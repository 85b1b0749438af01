"""Each customer stands in exactly one of six lists; who is left out has a reason, and nobody else has."""

from dataclasses import replace
from typing import get_args

import pytest

from crm_outbox.contract import Stage
from reconciler.categories import Category, category
from reconciler.contract import State
from reconciler.link import Link, LinkState, Side, Status
from reconciler.rules import Rules
from tests.builders.reconciler import NOW, RULES, linked

EXPECTED: dict[State, Category] = {
    "same": "same", "different": "different", "creating": "waiting", "sending": "waiting", "paused": "waiting",
    "choice": "choice", "deleted": "choice", "perhaps": "choice", "error": "error", "not_there": "left_out",
    "not_there_yet": "left_out",
}  # fmt: skip


def listed(link: Link, state: State, rules: Rules = RULES) -> tuple[str, str]:
    return category(link, Status(state=state), rules, NOW)


@pytest.mark.parametrize("state", sorted(get_args(State)))
def test_every_state_has_its_list(state: State) -> None:
    found, why = listed(linked().link, state)
    assert found == EXPECTED.get(state, "same"), (
        "what is said of everybody at once hides how this one stands: it is the same"
    )
    assert (found == "left_out") == bool(why)


@pytest.mark.parametrize("state", sorted(get_args(State)))
def test_a_lead_and_one_that_does_not_flow_are_left_out_whatever_the_state(state: State) -> None:
    assert listed(replace(linked().link, stage=Stage.LEAD), state) == ("left_out", "lead")
    assert listed(replace(linked().link, flows=False), state) == ("left_out", "does_not_flow")


def test_an_inactive_customer_is_listed_by_its_state() -> None:
    assert listed(replace(linked().link, stage=Stage.INACTIVE), "same") == ("same", "")


@pytest.mark.parametrize("agreement", ["off", "access_lost", "connected", "none"])
def test_the_integration_being_off_moves_nobody(agreement: str) -> None:
    rules = replace(RULES, agreement=agreement)  # type: ignore[arg-type]
    assert listed(linked().link, "off", rules) == ("same", "")


def test_what_one_side_alone_has_is_left_out_with_whose_it_is() -> None:
    unlinked = replace(linked().link, state=LinkState.UNLINKED, number=None)
    assert listed(unlinked, "not_there") == ("left_out", "only_crm")
    assert listed(replace(unlinked, crm_id="", number=7), "not_there") == ("left_out", "only_economic")


def test_who_is_gone_from_the_crm_and_linked_with_nobody_stands_in_no_list() -> None:
    link = linked().link
    gone = replace(link.customer, crm=replace(link.customer.crm or Side(id="1"), gone=True))
    assert listed(replace(link, customer=gone, number=None, state=LinkState.UNLINKED), "not_there") == ("", "")
    assert listed(replace(link, merged_into="2", number=None, state=LinkState.UNLINKED), "not_there") == ("", "")
    resting = replace(link, customer=gone, state=LinkState.RESTING, rest="merged")
    assert listed(resting, "choice") == ("choice", "")
