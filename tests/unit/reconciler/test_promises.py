"""Do the promises hold whatever happens? Properties P2, P3, P6, P9, P10, P16, P17 over plans; over whole worlds: tests/simulation."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import fields, plan
from reconciler.link import Base, Kind
from reconciler.plan import Detail, Do
from reconciler.rules import Decides, Direction, Rule
from tests.simulation.pools import RULES

VALUES = st.sampled_from(["", "1", " 1 ", "2", "3"])
GROUPS = fields.GROUPS["customer"]
NAMES = fields.FIELDS["customer"]
SIDE = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
BASES = st.dictionaries(
    st.sampled_from(NAMES), st.builds(Base, crm=VALUES, economic=VALUES, unknown=st.sampled_from([False] * 5 + [True]))
)
RULED = st.fixed_dictionaries(
    {
        group.name: st.builds(
            Rule,
            direction=st.sampled_from(Direction),
            decides=st.sampled_from(Decides),
            may_be_empty=st.booleans(),
        )
        for group in GROUPS
    }
)
DIRECTIONS = {Direction.ONLY_CRM: Direction.ONLY_ECONOMIC, Direction.ONLY_ECONOMIC: Direction.ONLY_CRM}
DECIDES = {Decides.CRM: Decides.ECONOMIC, Decides.ECONOMIC: Decides.CRM}
MIRROR = {Do.WRITE_CRM: Do.WRITE_ECONOMIC, Do.WRITE_ECONOMIC: Do.WRITE_CRM}
SEED = st.integers(0, 2**32)
PLANS = settings(max_examples=60, deadline=None)


def planned(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], rules: dict[str, Rule]
) -> tuple[Detail, ...]:
    return plan.plan("customer", crm, economic, base, replace(RULES, customer=rules))


def mirrored(rule: Rule) -> Rule:
    return replace(
        rule,
        direction=DIRECTIONS.get(rule.direction, rule.direction),
        decides=DECIDES.get(rule.decides, rule.decides),
    )


@PLANS
@given(crm=SIDE, economic=SIDE, base=BASES, rules=RULED)
def test_p6_swapping_the_systems_and_mirroring_the_rules_mirrors_the_plan(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], rules: dict[str, Rule]
) -> None:
    swapped = {name: Base(crm=one.economic, economic=one.crm, unknown=one.unknown) for name, one in base.items()}
    one = planned(crm, economic, base, rules)
    other = planned(economic, crm, swapped, {name: mirrored(rule) for name, rule in rules.items()})
    assert [MIRROR.get(detail.do, detail.do) for detail in one] == [detail.do for detail in other]
    assert [(detail.reason, detail.put_back, detail.differing) for detail in one] == [
        (detail.reason, detail.put_back, detail.differing) for detail in other
    ]


@PLANS
@given(crm=SIDE, economic=SIDE, base=BASES, rules=RULED)
def test_p6_the_order_in_which_values_are_kept_does_not_matter(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], rules: dict[str, Rule]
) -> None:
    def turned(values: dict[str, Any]) -> dict[str, Any]:
        return dict(reversed(values.items()))

    assert planned(crm, economic, base, rules) == planned(turned(crm), turned(economic), turned(base), turned(rules))


@PLANS
@given(crm=SIDE, economic=SIDE, base=BASES, rules=RULED)
def test_p17_a_group_is_never_left_half_from_one_side_and_half_from_the_other(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], rules: dict[str, Rule]
) -> None:
    for detail in planned(crm, economic, base, rules):
        if detail.do is Do.WRITE_CRM and not detail.put_back:
            after = crm | dict(detail.values)
            assert all(fields.agree("customer", name, after[name], economic[name]) for name in detail.group.fields)
        if detail.do is Do.WRITE_ECONOMIC and not detail.put_back:
            after = economic | dict(detail.values)
            assert all(fields.agree("customer", name, crm[name], after[name]) for name in detail.group.fields)


@PLANS
@given(crm=SIDE, economic=SIDE, base=BASES, rules=RULED)
def test_p3_p16_what_a_plan_writes_leaves_nothing_to_write_and_a_base_that_agrees(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], rules: dict[str, Rule]
) -> None:
    here, there, bases = dict(crm), dict(economic), dict(base)
    for detail in planned(crm, economic, base, rules):
        (here if detail.do is Do.WRITE_CRM else there).update(detail.values)
        bases |= detail.becomes
    for before, after in zip(planned(crm, economic, base, rules), planned(here, there, bases, rules), strict=True):
        if before.do in {Do.WRITE_CRM, Do.WRITE_ECONOMIC, Do.REMEMBER}:
            assert after.do is Do.NOTHING


@PLANS
@given(crm=SIDE, economic=SIDE, base=BASES, rules=RULED)
def test_p9_nothing_is_asked_while_only_one_side_changed_a_detail_that_may_be_empty(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], rules: dict[str, Rule]
) -> None:
    agreed = {name: Base(crm=crm[name], economic=crm[name]) for name in NAMES}
    free = {name: replace(rule, may_be_empty=True) for name, rule in rules.items()}
    assert all(detail.do is not Do.ASK for detail in planned(crm, economic, agreed, free))
    asked = [one for one in planned(crm, economic, base, rules) if one.do is Do.ASK]
    for one in asked:
        assert one.reason in {"both", "unknown", "empty"}


@pytest.mark.parametrize("kind", ["customer", "contact"])
def test_p10_canonically_equal_values_never_cause_a_request(kind: Kind) -> None:
    for name, one, other in [("phone", "+45 12345678", "12 34 56 78"), ("email", "A@b.dk ", "a@B.dk")]:
        details = plan.plan(kind, {name: one}, {name: other}, {}, RULES)
        assert all(detail.target is None for detail in details)
