"""Since when has each edit waited to be on the other side? Noted with the record, taken along by the write that carries it.

Pure. An edit is known from when it was made, or noticed. One that waits for a person, for a pause or for the integration to
be on is no edit that is on its way: what it takes from then on is not ours to measure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from crm_outbox.contract import Stage
from reconciler import contacts, fields
from reconciler.link import Link, LinkState, Pair
from reconciler.plan import Detail, Do
from reconciler.rules import Direction, Rules, System
from reconciler.settle import put

RECORD = ""
"""The name under which a record that only one side has waits as a whole."""


def heard(before: Link, link: Link, caused: datetime | None, refused: Collection[UUID] = ()) -> Link:
    """The link with the edits that a message told of, and again with those whose write was refused.

    ``caused``: when what it tells was made, or noticed; none, and none of it is noted. An edit of a detail whose last one
    still waits is the same edit: the other side has lacked it since then.
    """
    known = {pair.id: pair for pair in before.pairs}
    awoken = before.stage is Stage.LEAD and link.stage is Stage.ACTIVE
    for pair in link.pairs:
        old = known.get(pair.id)
        edited = {system: dict(marks) for system, marks in pair.edited.items()}
        for one in () if old is None else old.pending.values():
            if one.operation in refused:
                marks = edited.setdefault(one.system.other, {})
                marks |= {name: min(at, marks.get(name, at)) for name, at in one.caused.items()}
        if caused is not None:
            for system in System:
                for name in _moved(old, pair, system, awoken=awoken):
                    edited.setdefault(system, {}).setdefault(name, caused)
        link = _with(link, pair, edited)
    return link


def whole(link: Link, system: System, caused: datetime | None) -> Link:
    """The link of a customer that only that system has and that is news: it waits as a whole, with its contact persons."""
    if caused is None:
        return link
    for pair in link.pairs:
        if contacts.alive(pair.side(system)):
            link = _with(link, pair, {system: {RECORD: caused}})
    return link


def carried(pair: Pair, target: System, names: Collection[str], *, whole: bool) -> Mapping[str, datetime]:
    """The edits that a write of these fields to that system carries; ``whole``: it creates the record there."""
    marks = pair.edited.get(target.other, {})
    if whole:
        return {RECORD: min(marks.values())} if marks else {}
    return {name: at for name, at in marks.items() if name in names}


def taken(pair: Pair, target: System, edits: Mapping[str, datetime], *, whole: bool) -> Pair:
    """The record of which a write to that system took those edits along."""
    if not edits:
        return pair
    marks = pair.edited.get(target.other, {})
    left = {} if whole else {name: at for name, at in marks.items() if name not in edits}
    return replace(pair, edited=_filled({**pair.edited, target.other: left}))


def kept(link: Link, open_to: Collection[System], rules: Rules, plans: Sequence[tuple[Pair, Detail]]) -> Link:
    """The link without the edits that are on their way no longer: done, taken back, or waiting for somebody.

    ``open_to``: the systems that are written to now.
    """
    for pair in link.pairs:
        if not pair.edited:
            continue
        edited = {}
        for source, marks in pair.edited.items():
            goes = set() if source.other not in open_to else _going(link, pair, source, marks, rules, plans)
            edited[source] = {name: at for name, at in marks.items() if name in goes}
        link = _with(link, pair, edited)
    return link


def _moved(old: Pair | None, pair: Pair, system: System, *, awoken: bool) -> Iterator[str]:
    """What was edited on that side: fields that are another, but for what a write of ours brought; or the record is new."""
    before, now = None if old is None else old.side(system), pair.side(system)
    if now is None or now.gone:
        return
    ours = None if old is None else old.pending.get(system)
    if before is None:
        if pair.side(system.other) is None and ours is None:
            yield RECORD
        return
    if awoken and pair.side(system.other) is None:
        yield RECORD
    if before is now:
        return
    for name in fields.FIELDS[pair.kind]:
        was, new = fields.text(before.values, name), fields.text(now.values, name)
        if fields.same(pair.kind, name, was, new):
            continue
        if ours is None or not fields.same(pair.kind, name, ours.values.get(name, was), new):
            yield name


def _going(
    link: Link, pair: Pair, source: System, marks: Mapping[str, datetime], rules: Rules, plans: Sequence[tuple[Pair, Detail]]
) -> Collection[str]:  # fmt: skip
    """The marked edits of that side that still go to the other one."""
    target = source.other
    if link.state is LinkState.CREATING or (link.state is LinkState.LINKED and _under_way(pair, target)):
        return marks
    if link.state is not LinkState.LINKED:
        return ()
    if pair.side(target) is None:
        refused = any(one.action == "create" for one in pair.refusals)
        return () if refused or pair.rest or not _creates(pair, target, rules) else marks
    return {
        name
        for owner, one in plans
        if owner.id == pair.id and (one.target is target or one.do is Do.WAIT)
        for name in one.group.fields
    }


def _under_way(pair: Pair, target: System) -> bool:
    return target in pair.pending or target in pair.pause


def _creates(pair: Pair, target: System, rules: Rules) -> bool:
    """Whether a person that only one side has comes into being on the other: it has a name, and names may go there."""
    side = pair.side(target.other)
    if not contacts.alive(side) or side is None or fields.blank(fields.text(side.values, "name")):
        return False
    return names_flow(target, rules)


def names_flow(target: System, rules: Rules) -> bool:
    """Whether the names of contact persons may be written to that system."""
    naming = fields.rule("contact", fields.GROUPS["contact"][0], rules).direction
    closed = Direction.ONLY_CRM if target is System.CRM else Direction.ONLY_ECONOMIC
    return naming not in {Direction.NONE, closed}


def _with(link: Link, pair: Pair, edited: Mapping[System, Mapping[str, datetime]]) -> Link:
    filled = _filled(edited)
    return link if filled == pair.edited else put(link, replace(pair, edited=filled))


def _filled(edited: Mapping[System, Mapping[str, datetime]]) -> dict[System, Mapping[str, datetime]]:
    return {system: marks for system, marks in edited.items() if marks}
