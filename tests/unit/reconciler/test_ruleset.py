"""Do changes of rules change what was chosen, protect what stands on invoices, and come undone without touching the rest?"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler import ruleset
from reconciler.rules import Decides, Direction, Rule
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


def test_whoever_was_not_compared_is_reached_by_a_rule_that_compares_again() -> None:
    apart = ruleset.changed({}, "phone", Direction.NONE)
    assert not ruleset.reaches_equals({}, apart)
    assert ruleset.reaches_equals(apart, {})
    assert ruleset.reaches_equals({}, ruleset.changed({}, "contact.name", Direction.ONLY_CRM))
