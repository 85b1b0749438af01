"""What is left to do of a person's choice for one detail? Values only: what each side holds, was seen to hold, is to hold."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from reconciler import fields
from reconciler.decisions import Wish
from reconciler.fields import Group
from reconciler.link import Base, Choice, Kind
from reconciler.rules import System

Values = Mapping[str, str]


def of(wish: Wish, decision: UUID) -> Choice:
    """The choice that stands for a wish, as it was made in that decision."""
    return Choice(
        decision=decision,
        crm=wish.crm,
        economic=wish.economic,
        seen_crm=wish.seen_crm,
        seen_economic=wish.seen_economic,
    )


def kept(choice: Choice) -> bool:
    """Whether it was chosen that the two stay different."""
    return choice.crm is None and choice.economic is None


def holds(kind: Kind, group: Group, choice: Choice, crm: Values, economic: Values) -> bool:
    """Whether each side still holds what the person saw there, or what was chosen for it already.

    A side that was written holds what was chosen, or it was edited since.
    """
    return all(
        _is(kind, group, now, target) or (system not in choice.written and _is(kind, group, now, seen))
        for system, now, seen, target in _sides(kind, choice, crm, economic)
    )


def left(kind: Kind, group: Group, choice: Choice, crm: Values, economic: Values) -> tuple[System, ...]:
    """The systems still to be written; e-conomic first, for it may refuse what the CRM holds without asking."""
    return tuple(
        system
        for system, now, _, target in _sides(kind, choice, crm, economic)
        if target is not None and system not in choice.written and not _is(kind, group, now, target)
    )


def target(kind: Kind, choice: Choice, system: System) -> Values | None:
    """What that system is to hold; of e-conomic, as far as it can hold it. A field that is not chosen stays as seen."""
    if system is System.CRM:
        return None if choice.crm is None else {**choice.seen_crm, **choice.crm}
    if choice.economic is None:
        return None
    return {**choice.seen_economic, **{name: fields.held(kind, name, value) for name, value in choice.economic.items()}}


def write(
    kind: Kind, group: Group, choice: Choice, crm: Values, economic: Values
) -> tuple[System, Values, Mapping[str, Base]]:
    """The next write of a choice that has one left: where, which values, and the base once it has landed.

    While the other side is still to follow, that base is unknown: if it never does, a person is asked again.
    """
    systems = left(kind, group, choice, crm, economic)
    system = systems[0]
    wanted = target(kind, choice, system) or {}
    over = crm if system is System.CRM else economic
    values = {name: wanted[name] for name in group.fields if not _same(kind, name, wanted, over)}
    unknown = len(systems) > 1 or choice.after == "ask"
    becomes = {}
    for name in group.fields:
        here, there = fields.text(crm, name), fields.text(economic, name)
        new = values.get(name, fields.text(over, name))
        base = Base(crm=new, economic=there) if system is System.CRM else Base(crm=here, economic=new)
        becomes[name] = replace(base, unknown=unknown)
    return system, values, becomes


def landed(kind: Kind, group: Group, choice: Choice, system: System, becomes: Mapping[str, Base]) -> Choice:
    """The choice after a write to that system landed, if it was a write of what was chosen."""
    wanted = target(kind, choice, system)
    if wanted is None or any(name not in becomes for name in group.fields):
        return choice
    wrote = {name: one.crm if system is System.CRM else one.economic for name, one in becomes.items()}
    if not _is(kind, group, wrote, wanted):
        return choice
    return replace(choice, written=(*choice.written, system))


def _sides(
    kind: Kind, choice: Choice, crm: Values, economic: Values
) -> tuple[tuple[System, Values, Values, Values | None], ...]:
    return (
        (System.ECONOMIC, economic, choice.seen_economic, target(kind, choice, System.ECONOMIC)),
        (System.CRM, crm, choice.seen_crm, target(kind, choice, System.CRM)),
    )


def _is(kind: Kind, group: Group, now: Values, wanted: Values | None) -> bool:
    return wanted is not None and all(_same(kind, name, now, wanted) for name in group.fields)


def _same(kind: Kind, name: str, one: Values, other: Values) -> bool:
    return fields.same(kind, name, fields.text(one, name), fields.text(other, name))
