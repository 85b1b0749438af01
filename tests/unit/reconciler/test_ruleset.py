"""Do changes of rules change what was chosen, protect what stands on invoices, and come undone without touching the rest?"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler import fields, plan, ruleset
from reconciler.link import Base
from reconciler.plan import Do
from reconciler.rules import Decides, Direction, Rule, Rules
from reconciler.ruleset import DETAILS, INVOICES, Chosen, Part

NAMES = st.sampled_from(list(DETAILS))
RULES = st.builds(
    Rule,
    direction=st.sampled_from(list(Direction)),
    decides=st.sampled_from(list(Decides)),
    may_be_empty=st.booleans(),
)
PARTS = st.dictionaries(
    NAMES,
    st.builds(
        Part,
        st.none() | st.sampled_from(list(Direction)),
        st.none() | st.sampled_from(list(Decides)),
        st.none() | st.booleans(),
    ),
    max_size=6,
)


@st.composite
def chosen(draw: st.DrawFn) -> Chosen:
    found: Chosen = {}
    for name, rule in draw(st.dictionaries(NAMES, RULES, max_size=len(DETAILS))).items():
        found = ruleset.given(found, name, rule)
    return found


def held(one: Chosen) -> dict[str, Rule]:
    return {name: ruleset.rule(one, name) for name in DETAILS}


@given(chosen(), PARTS)
def test_a_change_changes_what_it_names_and_nothing_else(before: Chosen, parts: dict[str, Part]) -> None:
    after = ruleset.altered(before, parts)
    for name, rule in held(before).items():
        part = parts.get(name, Part())
        wanted = replace(
            rule,
            direction=part.direction or rule.direction,
            decides=part.decides or rule.decides,
            may_be_empty=rule.may_be_empty if part.may_be_empty is None else part.may_be_empty,
        )
        assert ruleset.rule(after, name) == wanted
    assert set(ruleset.moved(before, after)) <= set(parts)


@given(chosen(), NAMES, RULES)
def test_only_what_differs_from_the_usual_is_a_choice(before: Chosen, name: str, rule: Rule) -> None:
    kind, group = DETAILS[name]
    after = ruleset.given(before, name, rule)
    assert (group.name in after.get(kind, {})) is (rule != group.rule)
    assert ruleset.rule(ruleset.changed(after, name), name) == group.rule


@given(chosen())
def test_invoice_details_are_protected_and_who_decides_is_kept_for_later(before: Chosen) -> None:
    after = ruleset.protected(before)
    for name, rule in held(before).items():
        wanted = replace(rule, direction=Direction.ONLY_ECONOMIC) if name in INVOICES else rule
        assert ruleset.rule(after, name) == wanted
    assert ruleset.protected(after) == after


@given(chosen(), PARTS)
def test_a_change_that_is_undone_leaves_nothing(before: Chosen, parts: dict[str, Part]) -> None:
    for after in (ruleset.altered(before, parts), ruleset.protected(before)):
        assert held(ruleset.undone(after, before, after)) == held(before)


@given(chosen(), PARTS, PARTS)
def test_an_undo_leaves_what_was_changed_since_and_what_it_never_changed(
    before: Chosen, parts: dict[str, Part], later: dict[str, Part]
) -> None:
    after = ruleset.altered(before, parts)
    now = ruleset.altered(after, later)
    back = held(ruleset.undone(now, before, after))
    for name in DETAILS:
        mine = name in ruleset.moved(before, after)
        stands = ruleset.rule(now, name) == ruleset.rule(after, name)
        assert back[name] == ruleset.rule(before if mine and stands else now, name)


@given(chosen(), chosen())
def test_two_sets_of_rules_have_one_mark_exactly_when_they_hold_the_same(one: Chosen, other: Chosen) -> None:
    assert (ruleset.mark(one) == ruleset.mark(other)) is (held(one) == held(other))
    assert (ruleset.moved(one, other) == ()) is (held(one) == held(other))


def test_a_change_reaches_whoever_holds_what_it_is_about_and_was_not_compared_in_it() -> None:
    apart = ruleset.changed({}, "phone", Direction.NONE)
    assert ruleset.reach({}, apart) == (frozenset({"phone"}), frozenset(), False, False)
    assert ruleset.reach(apart, {}) == (frozenset({"phone"}), frozenset(), False, True)
    named = ruleset.changed({}, "contact.name", Direction.ONLY_CRM)
    assert ruleset.reach({}, named) == (frozenset(), frozenset({"name"}), True, True)
    address = ruleset.changed({}, "address", Direction.ONLY_CRM)
    assert ruleset.reach({}, address).customer == {"street", "postcode", "city", "country"}


TEXTS = st.sampled_from(["", "11111111", "22222222", "+45 11 11 11 11"])
HELD = st.fixed_dictionaries(dict.fromkeys(fields.FIELDS["customer"], TEXTS))
BASES = st.dictionaries(st.sampled_from(fields.FIELDS["customer"]), st.builds(Base, crm=TEXTS, economic=TEXTS))


def follows(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], one: Chosen
) -> list[tuple[object, ...]]:
    """What is written and asked by these rules, detail by detail."""
    plans = plan.plan("customer", crm, economic, base, Rules(customer=one.get("customer", {})))
    return [
        (each.group.name, each.target, each.values, each.reason)
        for each in plans
        if each.target is not None or each.do is Do.ASK
    ]


@given(HELD, HELD, BASES, chosen(), PARTS)
def test_whoever_is_out_of_reach_of_a_change_is_written_and_asked_nothing_else(
    crm: dict[str, str], economic: dict[str, str], base: dict[str, Base], before: Chosen, parts: dict[str, Part]
) -> None:
    after = ruleset.altered(before, parts)
    reach = ruleset.reach(before, after)
    now, then = follows(crm, economic, base, before), follows(crm, economic, base, after)
    if all(crm[name] == economic[name] for name in reach.customer):
        assert now == then
    compared = plan.plan("customer", crm, economic, base, Rules(customer=before.get("customer", {})))
    if not reach.equals and not any(one.differing for one in compared):
        assert now == then == []
