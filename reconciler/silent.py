"""Does a customer differ without anybody knowing? Everything that differs is asked about, accepted, refused or on its way.

Pure. What is left is a silent difference: an error of ours, and the number to publish is 0.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler import alone, plan, tasks
from reconciler.link import Due, Link, LinkState, Pair, flows
from reconciler.plan import Do
from reconciler.rules import Rules
from reconciler.step import step


class Standing(StrEnum):
    """How a linked customer stands in a comparison of everything."""

    SAME = "same"
    ACCEPTED = "accepted"
    """It differs, and was left so."""
    ASKED = "asked"
    REFUSED = "refused"
    ON_ITS_WAY = "on_its_way"
    HELD = "held"
    """It differs and does not flow, or writes to that side are paused or not received."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One customer: how it stands, and the details that differ; of silent ones those nobody knows of."""

    standing: Standing
    details: tuple[str, ...] = ()


def compared(link: Link, rules: Rules, now: datetime, *, told: bool = True) -> Compared | None:
    """How that customer stands; none where there is nothing to compare.

    ``told`` off: a newer state of one side is recorded than the link has been told.
    """
    if link.state is not LinkState.LINKED:
        return None
    plans = [(pair, one) for pair, one in tasks.planned(link, rules) if one.differing]
    differing = tuple(dict.fromkeys(_named(pair, one.group.name) for pair, one in plans))
    if not told:
        return Compared(standing=Standing.SILENT, details=differing or ("state",))
    if not flows(link, rules) or rules.agreement != "on":
        return Compared(standing=Standing.HELD if differing else Standing.SAME, details=differing)
    known = {one.operation for one in link.pending}
    done = step(link, Due(), rules, now).link
    fresh = tuple(
        _named(pair, name)
        for pair in done.pairs
        for one in pair.pending.values()
        if one.operation not in known
        for name in one.becomes or ("",)
    )
    if fresh:
        return Compared(standing=Standing.SILENT, details=tuple(dict.fromkeys(fresh)))
    asked = {detail for one in tasks.tasks(link, rules, now) for detail in one.details}
    unasked = _unasked(plans, asked)
    if unasked:
        return Compared(standing=Standing.SILENT, details=unasked)
    return Compared(standing=_standing(link, plans, rules), details=differing)


def _unasked(plans: Collection[tuple[Pair, plan.Detail]], asked: Collection[str]) -> tuple[str, ...]:
    """Details that wait for a person whom nobody asks."""
    return tuple(
        _named(pair, one.group.name)
        for pair, one in plans
        if one.do is Do.ASK
        and not any(_named(pair, name) in asked for name in (one.group.name, *one.group.fields, *one.differing))
    )


def _standing(link: Link, plans: Collection[tuple[Pair, plan.Detail]], rules: Rules) -> Standing:
    found = {one.do for _, one in plans}
    if link.pending:
        return Standing.ON_ITS_WAY
    if Do.ASK in found:
        return Standing.ASKED
    if Do.REFUSED in found:
        return Standing.REFUSED
    if found & {Do.WRITE_CRM, Do.WRITE_ECONOMIC, Do.WAIT}:
        waits = any(pair.pause for pair in link.pairs) and not rules.paused
        return Standing.ON_ITS_WAY if waits else Standing.HELD
    if any(alone.stands_in(pair) for pair, _ in plans):
        return Standing.HELD
    return Standing.ACCEPTED if plans else Standing.SAME


def _named(pair: Pair, name: str) -> str:
    return name if pair.kind == "customer" else f"contact.{name}"
