"""What of a run's writes is put back when it is taken back, and what was left? Values only, detail by detail.

Only what still holds what the run wrote is put back: anything else was edited since.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID

from reconciler import fields
from reconciler.decisions import Wish
from reconciler.link import Choice, Link, Pair
from reconciler.rehearsal import Write
from reconciler.rules import System

DONE = "back"
"""Everything the run wrote of a customer is put back, or on its way."""
EDITED, PERSONS, REFUSED = "edited", "persons", "refused"


def still(made: UUID | None, *, flows: bool) -> Callable[[Link], Link]:
    """The link before anything of it is put back: what the run chose and has not written yet is not written any more.

    One that is about to be unlinked flows no longer, or what the run left to be filled in would be, after all; a lead that
    becomes a customer meanwhile neither, for its number counts as parted from here on.
    """

    def prepare(link: Link) -> Link:
        pairs = [
            replace(pair, chosen={name: one for name, one in pair.chosen.items() if one.decision != made})
            for pair in link.pairs
        ]
        link = replace(link, customer=pairs[0], contacts=tuple(pairs[1:]))
        if flows or link.number is None:
            return link
        return replace(link, flows=False, parted=tuple(dict.fromkeys((*link.parted, link.number))))

    return prepare


def stays(link: Link, writes: Iterable[Write]) -> list[tuple[UUID, str]]:
    """The details that were not put back, by record and detail."""
    found = []
    for write in writes:
        pair = pair_of(link, write)
        side = None if pair is None else pair.side(write.system)
        if pair is None or side is None:
            continue
        if not fields.same(pair.kind, write.field, fields.text(side.values, write.field), write.before):
            found.append((pair.id, next(one.name for one in fields.GROUPS[pair.kind] if write.field in one.fields)))
    return list(dict.fromkeys(found))


def wishes_of(link: Link, writes: Iterable[Write]) -> tuple[list[Wish], str]:
    """What each side is to hold again, detail by detail; and why not everything is."""
    wishes: dict[tuple[UUID, str], Wish] = {}
    reason = DONE
    for write in writes:
        pair = pair_of(link, write)
        if pair is None or pair.crm is None or pair.economic is None:
            reason = PERSONS
            continue
        group = next(one for one in fields.GROUPS[pair.kind] if write.field in one.fields)
        side = pair.crm if write.system is System.CRM else pair.economic
        now = fields.text(side.values, write.field)
        if not fields.same(pair.kind, write.field, now, write.after):
            # what was not written yet, or somebody has put back, is as it was
            reason = reason if fields.same(pair.kind, write.field, now, write.before) else EDITED
            continue
        wish = wishes.get((pair.id, group.name)) or Wish(
            record=pair.id,
            detail=group.name,
            take="undo",
            seen_crm={name: fields.text(pair.crm.values, name) for name in group.fields},
            seen_economic={name: fields.text(pair.economic.values, name) for name in group.fields},
        )
        back = {write.field: write.before}
        if write.system is System.CRM:
            wish = replace(wish, crm={**(wish.crm or {}), **back})
        else:
            wish = replace(wish, economic={**(wish.economic or {}), **back})
        wishes[pair.id, group.name] = wish
    return list(wishes.values()), reason


def pair_of(link: Link, write: Write) -> Pair | None:
    """The record that was written; none for one that was created, or is not there any more."""
    if not write.id:
        return None
    if write.record == "customer":
        return link.customer
    return next((one for one in link.contacts if (side := one.side(write.system)) and side.id == write.id), None)


def touched(link: Link, writes: Iterable[Write]) -> bool:
    """Whether somebody edited a customer of the CRM since a run created it."""
    side = link.customer.crm
    if side is None or side.gone:
        return True
    made = {one.field: one.after for one in writes if one.record == "customer"}
    return any(
        not fields.same("customer", name, fields.text(side.values, name), made.get(name, ""))
        for name in fields.FIELDS["customer"]
    )


def inactive(decision: UUID) -> Callable[[Link], Link]:
    """The link whose customer of the CRM is to be set inactive, for that decision."""

    def prepare(link: Link) -> Link:
        chosen = {**link.customer.chosen, "stage": Choice(decision=decision, seen_crm={}, seen_economic={})}
        return replace(link, customer=replace(link.customer, chosen=chosen))

    return prepare


def left(link: Link, action: str, writes: Iterable[Write], reason: str) -> str:
    """What was not put back after all: refused, or edited meanwhile."""
    if reason != DONE:
        return reason
    if action == "create_here":
        return DONE if link.stage == "inactive" else REFUSED
    for write in writes:
        pair = pair_of(link, write)
        side = None if pair is None else pair.side(write.system)
        if side is not None and not fields.same(
            write.record, write.field, fields.text(side.values, write.field), write.before
        ):
            return REFUSED
    return DONE
