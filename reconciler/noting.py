"""Which notes does a step leave, and how long do they hold? Until that detail is edited next, and a week at most."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from reconciler import chosen, fields
from reconciler.fields import Group
from reconciler.link import Link, LinkState, Pair, Pending
from reconciler.note import Kind, Note
from reconciler.rules import Direction, Rules, System

KEPT_FOR: Final = timedelta(days=7)
MOST: Final = 20
"""Notes a link keeps at most, the newest."""


def noted(before: Link, link: Link, landed: Sequence[tuple[UUID, Pending]], rules: Rules, now: datetime) -> Link:
    """The link with what this step left worth telling, and without what is over. ``landed``: writes, by their record."""
    fresh = [*_renumbered(before, link, now), *_kept(before, link, now), *_landed(before, link, landed, rules, now)]
    if not fresh and not link.notes:
        return link
    notes: dict[tuple[Kind, UUID | None, str], Note] = {}
    for one in (*link.notes, *fresh):
        if holds(link, one, now):
            notes.pop((one.kind, one.record, one.detail), None)
            notes[one.kind, one.record, one.detail] = one
    return replace(link, notes=tuple(notes.values())[-MOST:])


def holds(link: Link, note: Note, now: datetime) -> bool:
    """Whether that note of the link is still worth telling."""
    if link.state is not LinkState.LINKED or now - note.at >= KEPT_FOR:
        return False
    if note.kind == "renumbered":
        return link.number == note.new
    pair = next((one for one in link.pairs if one.id == note.record), None)
    if pair is None:
        return False
    group = next(one for one in fields.GROUPS[pair.kind] if one.name == note.detail.removeprefix("contact."))
    if note.kind == "kept":
        return group.name in pair.chosen and chosen.kept(pair.chosen[group.name])
    return note.values == _mark(pair, group)


def _renumbered(before: Link, link: Link, now: datetime) -> Iterator[Note]:
    """A customer that has another number since is the same one; who is linked with another customer is not renumbered."""
    went_along = link.linked_at == before.linked_at or before.rest == "renumbered"
    moved = None not in {before.number, link.number} and before.number != link.number
    if link.state is LinkState.LINKED and moved and went_along:
        yield Note(kind="renumbered", at=now, old=before.number, new=link.number)


def _kept(before: Link, link: Link, now: datetime) -> Iterator[Note]:
    known = {
        (pair.id, name): one.decision for pair in before.pairs for name, one in pair.chosen.items() if chosen.kept(one)
    }
    for pair in (one for one in link.pairs if one.chosen):
        for group in fields.GROUPS[pair.kind]:
            choice = pair.chosen.get(group.name)
            if choice is None or not chosen.kept(choice) or known.get((pair.id, group.name)) == choice.decision:
                continue
            yield _note("kept", pair, group, now)


def _landed(
    before: Link, link: Link, landed: Iterable[tuple[UUID, Pending]], rules: Rules, now: datetime
) -> Iterator[Note]:
    then = {pair.id: pair for pair in before.pairs}
    here = {pair.id: pair for pair in link.pairs}
    for record, pending in landed:
        pair = here.get(record)
        if pair is None or record not in then:
            continue
        for group in fields.GROUPS[pair.kind]:
            if _put_back(then[record], group, pending, rules):
                yield _note("put_back", pair, group, now)
            if (limit := _cut(pair, group, pending)) is not None:
                yield replace(_note("shortened", pair, group, now), limit=limit)


def _put_back(then: Pair, group: Group, pending: Pending, rules: Rules) -> bool:
    """Whether that write undid an edit of the CRM's, of what may only be changed in e-conomic."""
    if pending.system is not System.CRM or pending.action != "change":
        return False
    if fields.rule_of(then, group, rules).direction is not Direction.ONLY_ECONOMIC:
        return False
    return any(
        name in pending.values
        and name not in pending.decided
        and name in then.base
        and not fields.same(then.kind, name, fields.text(pending.seen, name), then.base[name].crm)
        for name in group.fields
    )


def _cut(pair: Pair, group: Group, pending: Pending) -> int | None:
    """How many characters e-conomic holds of a value of that detail it could not hold whole; none where it holds all."""
    if pending.system is not System.ECONOMIC:
        return None
    for name in group.fields:
        if name not in pending.values or name not in pending.becomes:
            continue
        one = pending.becomes[name]
        shorter = len(one.economic) < len(one.crm.strip())
        if shorter and not fields.same(pair.kind, name, one.crm, one.economic):
            return fields.limit(pair.kind, name)
    return None


def _note(kind: Kind, pair: Pair, group: Group, now: datetime) -> Note:
    name = group.name if pair.kind == "customer" else f"contact.{group.name}"
    return Note(kind=kind, at=now, record=pair.id, detail=name, values=_mark(pair, group))


def _mark(pair: Pair, group: Group) -> str:
    """A mark of what both sides mean by that detail: another spelling of it is no edit."""
    held = [
        fields.canon(pair.kind, name, "" if side is None else fields.text(side.values, name))
        for side in (pair.crm, pair.economic)
        for name in group.fields
    ]
    return sha256(repr(held).encode("utf-8", "surrogatepass")).hexdigest()[:16]
