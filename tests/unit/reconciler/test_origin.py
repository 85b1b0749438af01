"""Where a value comes from is read off what happened to it, and never said of another value than the one that stands there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler import fields
from reconciler.origin import By, Event, Origin, origin, settled_by_rule
from reconciler.rules import System

NAME = next(one for one in fields.GROUPS["customer"] if one.name == "name")
ADDRESS = next(one for one in fields.GROUPS["customer"] if one.name == "address")
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def event(minutes: int, system: System, by: By, before: str, after: str, who: str = "", field: str = "name") -> Event:
    return Event(
        at=AT + timedelta(minutes=minutes), record="customer", system=system, by=by, before={field: before},
        after={field: after}, who=who,
    )  # fmt: skip


def of(values: Mapping[str, str], *newest_first: Event, system: System = System.ECONOMIC) -> Origin | None:
    return origin("customer", NAME, system, values, newest_first)


def test_an_edit_stands_where_it_was_made() -> None:
    found = of({"name": "B"}, event(1, System.ECONOMIC, "edit", "A", "B"))
    assert found is not None
    assert (found.by, found.system, found.before) == ("edit", System.ECONOMIC, {"name": "A"})


def test_a_value_carried_over_was_edited_on_the_other_side_and_then() -> None:
    edited, carried = event(1, System.CRM, "edit", "A", "B"), event(3, System.ECONOMIC, "flow", "A", "B")
    found = of({"name": "B"}, carried, edited)
    assert found is not None
    assert (found.by, found.system, found.at) == ("flow", System.CRM, edited.at)


def test_a_person_is_named_and_a_rule_chose_the_other_side() -> None:
    by_person = of({"name": "B"}, event(1, System.ECONOMIC, "person", "A", "B", "Anne Holm"))
    by_rule = of({"name": "B"}, event(1, System.ECONOMIC, "rule", "C", "B"))
    assert by_person is not None
    assert by_rule is not None
    assert (by_person.who, by_person.system) == ("Anne Holm", System.ECONOMIC)
    assert (by_rule.system, by_rule.before) == (System.CRM, {"name": "C"})


def test_where_something_else_stands_nothing_is_claimed() -> None:
    assert (
        of({"name": "Z"}, event(2, System.ECONOMIC, "edit", "A", "B"), event(1, System.ECONOMIC, "edit", "B", "Z"))
        is None
    )
    assert of({"name": "B"}) is None


def test_of_a_group_what_did_not_change_is_as_it_stands() -> None:
    values = {"street": "Havnegade 14", "city": "Odense"}
    moved = event(1, System.CRM, "edit", "Havnegade 12", "Havnegade 14", field="street")
    found = origin("customer", ADDRESS, System.CRM, values, [moved])
    assert found is not None
    assert (found.before["street"], found.before["city"]) == ("Havnegade 12", "Odense")


def test_only_what_rules_chose_lately_is_settled_by_rule() -> None:
    old, new = event(-5, System.CRM, "rule", "A", "B"), event(5, System.CRM, "rule", "A", "B")
    assert settled_by_rule([new, event(1, System.CRM, "flow", "A", "B"), old], AT) == [new]


_EVENTS = st.lists(
    st.builds(
        event, st.integers(0, 9), st.sampled_from(System), st.sampled_from(("edit", "flow", "rule", "person")),
        st.sampled_from("ABC"), st.sampled_from("ABC"), st.just("Anne"),
    ),
    max_size=8,
)  # fmt: skip


@given(_EVENTS, st.sampled_from("ABC"), st.sampled_from(System))
def test_whatever_happened_the_newest_change_of_that_side_brought_what_is_explained(
    events: list[Event], value: str, system: System
) -> None:
    newest_first = sorted(events, key=lambda one: one.at, reverse=True)
    found = of({"name": value}, *newest_first, system=system)
    mine = [one for one in newest_first if one.system is system]
    assert (found is None) == (not mine or mine[0].after["name"] != value)
    if found is not None:
        assert (found.by, found.before) == (mine[0].by, mine[0].before)
