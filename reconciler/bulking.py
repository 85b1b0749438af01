"""In what order is a decision about many carried out? It is shown first, then the clock deals with it, a customer a transaction.

Each customer's part is a decision of its own, made by the very functions that settle one alone: what moved since it was shown is
refused by itself. Undone as one, by the same road.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from reconciler import (
    bulks,
    choosing,
    decided,
    deciding,
    differences,
    enlisted,
    flowing,
    pairing,
    parts,
    pressing,
    previewing,
    singly,
    suggestions,
    undoable,
    views,
)
from reconciler.bulks import Bulk, Item, Kind, Planned
from reconciler.choosing import Taken
from reconciler.decided import Saved
from reconciler.decisions import KEEP, NotDecided, NotUndone
from reconciler.differences import Difference
from reconciler.enlisted import Made, Marked
from reconciler.link import LinkState
from reconciler.narrowing import Filter
from reconciler.pairing import Answer
from reconciler.parts import Tally
from reconciler.person import Person
from reconciler.pressing import NotThere, Press
from reconciler.stepping import Clocked

log = structlog.get_logger(__name__)

Take = Literal["crm", "economic", "different"]
AT_ONCE: Final = 200
"""Lines that are shown while somebody waits for the page; of more the clock reads what would be written."""
MOST: Final = 10_000
"""Lines that one decision is about at most, as lists count them: what is beyond is shown next."""
KEEP_SHOWN: Final = timedelta(days=1)
"""What was only ever shown is forgotten then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a decision about many was pressed with: the form's id, the session it was pressed in, the filter of its list."""

    id: UUID
    session: str = ""
    filter: str = ""


def settle(
    clocked: Clocked, connection: Connection, person: Person, form: Form, wanted: Filter, take: Take
) -> Bulk | None:
    """Show what taking that side's value, or leaving it different, means for everything a filter shows; nothing is decided yet.

    None where it shows nothing. Sent again it tells how the first stands. Of very many the clock reads what that is.
    """
    if (known := bulks.find(connection, person.tenant, form.id)) is not None:
        return known
    if differences.more_than(connection, person.tenant, wanted, AT_ONCE):
        enlisted.lines(connection, _made(clocked, person, form, "settle", take), wanted, MOST)
        return again(connection, person, form)
    found = differences.shown(connection, person.tenant, wanted, clocked.resend, limit=AT_ONCE)
    able = [one for one in found if all(previewing.may_be(row, take) for row in one.rows)]
    by_link: dict[UUID, list[Difference]] = {}
    for one in able:
        by_link.setdefault(one.link, []).append(one)
    planned = [
        Planned(
            link=link, crm_id=lines[0].crm_id, number=lines[0].number,
            parts=tuple(parts.part(each.detail, each.rows) for each in lines),
        )
        for link, lines in by_link.items()
    ]  # fmt: skip
    if not found:
        return None
    bulks.insert(
        connection, form.id, person.tenant, "settle", (person.name, person.id), clocked.now(), planned, what=take,
        session=form.session, filter=form.filter, excluded=len(found) - len(able),
    )  # fmt: skip
    return bulks.find(connection, person.tenant, form.id)


def pair(
    clocked: Clocked, connection: Connection, person: Person, form: Form, answer: Answer, agreement: int, marked: Marked
) -> tuple[Bulk | None, bool]:
    """Have the suggested pairs that were marked linked, or told apart; and whether any that was marked is suggested.

    None where none of them is, or none in a group that may be linked. Sent again it tells how the first stands.
    """
    state = suggestions.state(connection, person.tenant, agreement)
    able = [one for one in suggestions.EVERY if answer == "apart" or state.may_link(one)]
    any_ = enlisted.pairs(connection, _made(clocked, person, form, answer), agreement, marked, able, MOST)
    return again(connection, person, form), any_


def flow(clocked: Clocked, connection: Connection, person: Person, form: Form, customers: Sequence[str]) -> Bulk | None:
    """Show what would be written if these customers of the CRM flowed automatically; nothing is decided yet.

    ``excluded`` counts those that are not linked, or flow already; none where all are. Sent again it tells how the first stands.
    """
    if (known := bulks.find(connection, person.tenant, form.id)) is not None:
        return known
    planned = []
    wanted = list(dict.fromkeys(customers))[:MOST]
    known_ = views.stored(connection, person.tenant, wanted)
    recorded = pressing.recorded(connection, [one for one in known_.values() if not one.link.flows])
    for crm_id in wanted:
        stored = known_.get(crm_id)
        if stored is None or stored.link.state is not LinkState.LINKED or stored.link.flows:
            continue
        writes = pressing.would_write(stored, recorded[stored.link.id], clocked.resend, clocked.now())
        part = parts.flows(writes, flowing.mark(writes))
        planned.append(Planned(link=stored.link.id, crm_id=crm_id, number=stored.link.number, parts=(part,)))
    if not planned:
        return None
    bulks.insert(
        connection, form.id, person.tenant, "flow", (person.name, person.id), clocked.now(), planned,
        session=form.session, filter=form.filter, excluded=len(wanted) - len(planned),
    )  # fmt: skip
    return again(connection, person, form)


def again(connection: Connection, person: Person, form: Form) -> Bulk | None:
    """What a form decided that was sent before; none where it was not."""
    return bulks.find(connection, person.tenant, form.id)


def confirm(connection: Connection, person: Person, bulk: UUID, session: str) -> Bulk | None:
    """Have what was shown carried out, as that person's decision; none where there is none. Confirmed twice is once."""
    bulks.confirm(connection, person.tenant, bulk, (person.name, person.id), session)
    return bulks.find(connection, person.tenant, bulk)


def undo(clocked: Clocked, connection: Connection, person: Person, form: Form, which: Sequence[Bulk]) -> Bulk | None:
    """Undo these as one: what is not begun with is left, what was done is put back where nobody edited since.

    None where nothing of it was done, or it is too old. Sent again it tells how the first stands.
    """
    if (known := bulks.find(connection, person.tenant, form.id)) is not None:
        return known
    now = clocked.now()
    held = undoable.hold(connection, person.tenant, [one.id for one in which], now - KEEP)
    open_ = [one for one in which if one.id in held]
    for one in open_:
        bulks.stop(connection, person.tenant, one.id)
    of = {one.what if one.kind == "undo" else one.kind for one in open_}
    if undoable.insert(
        connection, form.id, person.tenant, (person.name, person.id), now, [one.id for one in open_],
        what=",".join(sorted(of)), session=form.session, filter=form.filter,
    ):  # fmt: skip
        undoable.undone(connection, [one.id for one in open_], form.id)
    return bulks.find(connection, person.tenant, form.id)


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """The next customers of every decision about many, and those whose part has ended; returns how many moved."""
    return previewing.carry_on(engine, clocked) + singly.carry_on(engine, clocked, bulks, _moved, _failed)


def _made(clocked: Clocked, person: Person, form: Form, kind: Kind, what: str = "") -> Made:
    return Made(
        id=form.id, tenant=person.tenant, kind=kind, what=what, who=(person.name, person.id), now=clocked.now(),
        session=form.session, filter=form.filter,
    )  # fmt: skip


def _failed(connection: Connection, item: Item, error: Exception) -> None:
    refused = isinstance(error, NotUndone | NotDecided | NotThere)
    if not refused:
        log.error("bulk.item_failed", bulk=str(item.bulk), position=item.position, exc_info=error)
    if bulks.lock(connection, item) is not None:
        bulks.ended(connection, item, Tally(moved=len(item.parts)) if refused else Tally(failed=len(item.parts)))


def _moved(clocked: Clocked, connection: Connection, item: Item) -> bool:
    """Decide about one customer, or see how its decision ended; whether it moved."""
    bulk = bulks.lock(connection, item)
    if bulk is None:
        return False
    if item.state == "sent":
        saved = None if item.decision is None else decided.get(connection, item.decision)
        outcome = () if saved is None else saved.outcome
        bulks.ended(connection, item, parts.tally(item.parts, item.stale, outcome))
        return True
    saved, stale = _decided(clocked, connection, bulk, item, uuid5(item.bulk, str(item.position)))
    if saved is None:
        bulks.ended(connection, item, Tally(moved=len(item.parts)))
    else:
        bulks.sent(connection, item, saved.decision, stale)
    return True


def _decided(
    clocked: Clocked, connection: Connection, bulk: Bulk, item: Item, decision: UUID
) -> tuple[Saved | None, tuple[str, ...]]:
    """The decision about one customer, none where it is not as it was shown; and which of its values are not."""
    person = Person(tenant=bulk.tenant, id=bulk.who_id, name=bulk.who, role="user")
    press = Press(person=person, customer=item.crm_id or "", id=decision)
    if bulk.kind == "flow":
        return pressing.flow(clocked, connection, press, item.parts[0].mark).saved, ()
    if bulk.kind == "undo" and item.undoes is not None:
        first = decided.get(connection, item.undoes)
        if first is not None and first.decision.means == "flow":
            return pressing.still(clocked, connection, press).saved, ()
        return deciding.undo(
            clocked, connection, bulk.tenant, item.undoes, bulk.who, decision, who_id=bulk.who_id
        ), ()  # fmt: skip
    if bulk.kind in {"link", "apart"}:
        return pairing.decide(clocked, connection, bulk, item, decision), ()
    takes = {value.key: Taken(take=bulk.what, mark=value.mark) for part in item.parts for value in part.values}
    came = choosing.choose(clocked, connection, person, item.crm_id or "", decision, takes)
    return (None, ()) if came is None else (came.saved, came.stale)
