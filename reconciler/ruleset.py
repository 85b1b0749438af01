"""Which rule holds for each detail, and what does another choice change, protect and take back? Values only."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from reconciler import fields
from reconciler.fields import Group
from reconciler.link import Kind
from reconciler.rules import Decides, Direction, Rule

Chosen = Mapping[str, Mapping[str, Rule]]
"""What an admin chose, by kind of record and detail; what is missing has the rule of ``fields``."""
DETAILS: Mapping[str, tuple[Kind, Group]] = {
    group.name if kind == "customer" else f"contact.{group.name}": (kind, group)
    for kind, groups in fields.RULED.items()
    for group in groups
}
"""Every detail that a rule can be chosen for, by the name people say."""
INVOICES = tuple(name for name, (_, group) in DETAILS.items() if group.invoices)
"""What is printed on invoices, or steers where they go."""


class Part(NamedTuple):
    """What is chosen of a detail's rule; none: as it is."""

    direction: Direction | None = None
    decides: Decides | None = None
    may_be_empty: bool | None = None


class Reach(NamedTuple):
    """Whom a change of rules may concern: customers in which one of these fields is not the same on both sides.

    ``lone``: also those with a contact person whom one side lacks. ``equals``: also those that are known to be the same.
    """

    customer: frozenset[str]
    contact: frozenset[str]
    lone: bool
    equals: bool


def rule(chosen: Chosen, name: str) -> Rule:
    """The rule that holds for a detail: the one that was chosen, else the one it comes with."""
    kind, group = DETAILS[name]
    return chosen.get(kind, {}).get(group.name, group.rule)


def given(chosen: Chosen, name: str, wanted: Rule) -> Chosen:
    """Those rules with this one for that detail; the one it comes with is no choice."""
    kind, group = DETAILS[name]
    others = {one: rule for one, rule in chosen.get(kind, {}).items() if one != group.name}
    return {**chosen, kind: others if wanted == group.rule else {**others, group.name: wanted}}


def changed(chosen: Chosen, name: str, direction: Direction | None = None, decides: Decides | None = None) -> Chosen:
    """Those rules with another one for that detail; with neither, the one it comes with."""
    if direction is None and decides is None:
        return given(chosen, name, DETAILS[name][1].rule)
    now = rule(chosen, name)
    return given(chosen, name, replace(now, direction=direction or now.direction, decides=decides or now.decides))


def altered(chosen: Chosen, parts: Mapping[str, Part]) -> Chosen:
    """Those rules with what is given of each detail; what is not given of it stays."""
    for name, part in parts.items():
        now = rule(chosen, name)
        wanted = Rule(
            direction=part.direction or now.direction,
            decides=part.decides or now.decides,
            may_be_empty=now.may_be_empty if part.may_be_empty is None else part.may_be_empty,
        )
        chosen = given(chosen, name, wanted)
    return chosen


def protected(chosen: Chosen) -> Chosen:
    """Those rules where what stands on invoices may be changed in e-conomic only."""
    for name in INVOICES:
        chosen = changed(chosen, name, Direction.ONLY_ECONOMIC)
    return chosen


def moved(before: Chosen, after: Chosen) -> tuple[str, ...]:
    """The details for which another rule holds, in the order of the table."""
    return tuple(name for name in DETAILS if rule(before, name) != rule(after, name))


def undone(now: Chosen, before: Chosen, after: Chosen) -> Chosen:
    """``now`` without the change from ``before`` to ``after``; a detail that was changed again since stays as it is."""
    for name in moved(before, after):
        if rule(now, name) == rule(after, name):
            now = given(now, name, rule(before, name))
    return now


def reach(before: Chosen, after: Chosen) -> Reach:
    """Which customers that change may concern at once.

    What is not kept the same was not compared, so that nobody is known to be the same in it; and persons whom one side lacks
    are made where their names may be changed.
    """
    details = moved(before, after)
    lone = "contact.name" in details
    fields_of: dict[Kind, set[str]] = {"customer": set(), "contact": set()}
    for name in details:
        kind, group = DETAILS[name]
        fields_of[kind].update(group.fields)
    return Reach(
        customer=frozenset(fields_of["customer"]),
        contact=frozenset(fields_of["contact"]),
        lone=lone,
        equals=lone or any(rule(before, name).direction is Direction.NONE for name in details),
    )


def written(one: Rule) -> str:
    """A rule in one text: where, who decides, and whether it may be empty."""
    return f"{one.direction} {one.decides} {'empty' if one.may_be_empty else 'filled'}"


def read(text: str) -> Rule | None:
    """The rule of such a text; none for what is none."""
    direction, _, rest = text.partition(" ")
    decides, _, empty = rest.partition(" ")
    try:
        return Rule(direction=Direction(direction), decides=Decides(decides), may_be_empty=empty != "filled")
    except ValueError:
        return None


def mark(chosen: Chosen) -> str:
    """A mark of the rules that hold: another one as soon as any of them is another."""
    held = [(name, rule(chosen, name)) for name in DETAILS]
    return hashlib.sha256(repr(held).encode()).hexdigest()[:16]
