"""Who does a row of work, and what becomes of it? Due agreements, claims, and rows given back; all SQL of that.

The caller holds the transaction; nothing here commits. Locks are taken in one order: agreement, mark, work, the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging.envelope import Envelope
from economic_adapter import tables
from economic_adapter.budget import BREAKER, Lane
from economic_adapter.store import Why, cause_from

Kind = Literal["look", "write", "poll", "check", "page"]

STALE_CLAIM = timedelta(minutes=2)
"""A claim older than this is freed, whoever holds it: longer than any row's calls may take in good health."""
ALLOWED: Mapping[str, tuple[Kind, ...]] = {
    "connected": ("look", "page", "check"),
    "on": ("look", "write", "poll", "page", "check"),
    "access_lost": ("check",),
    "off": ("look", "write", "page", "check"),
    "disconnected": ("check",),
}
"""Which kinds of work are done in which state of an agreement; what was sent before switching off is still settled.

What is read because somebody asked (pages, looks) is read whether the agreement is on or not.
"""

LOOK = "look"
"""In the command of a row: the id under which somebody waits for a look."""

_work, _mark = tables.work, tables.mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark as a look remembers it."""

    counter: int
    why: Why
    old_numbers: tuple[int, ...]
    first_at: datetime | None = None
    """When it was set first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One work row in the hands of one worker; ``claimed_at`` tells two claims of the same process apart."""

    id: int
    agreement: int
    tenant: str
    kind: Kind
    key: str
    lane: Lane
    number: int | None
    customer: str | None
    attempts: int
    worker: int
    claimed_at: datetime
    command: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cause: Envelope | None = field(default=None, repr=False)
    mark: Mark | None = None

    @property
    def look(self) -> UUID | None:
        """The look somebody waits for, if this is one."""
        found = self.command.get(LOOK)
        return None if found is None else UUID(found)


def due_agreements(connection: Connection, now: datetime, most: int = 16) -> dict[int, int]:
    """The agreements with work that may be done now, and how many rows of it, counted to ``most``."""
    agreement = tables.agreement
    rows = (
        sa.select(_work.c.id)
        .where(_work.c.agreement == agreement.c.number, _work.c.worker.is_(None), _work.c.due_at <= now)
        .where(allowed(agreement.c.state), _free())
        .limit(most)
        .lateral()
    )
    query = (
        sa.select(agreement.c.number, sa.func.count().label("due"))
        .select_from(agreement.join(rows, sa.true()))
        .where(
            sa.func.coalesce(agreement.c.paused_until, now) <= now,
            sa.or_(agreement.c.failures < BREAKER, sa.func.coalesce(agreement.c.probe_at, now) <= now),
        )
        .group_by(agreement.c.number)
        .order_by(agreement.c.number)
    )
    return {row.number: row.due for row in connection.execute(query)}


def claim(
    connection: Connection,
    agreement: int,
    *,
    state: str,
    tenant: str,
    lanes: Sequence[Lane],
    worker: int,
    now: datetime,
    probe: bool = False,
    looks: bool = True,
) -> Claim | None:
    """Take the best due row of an agreement in these lanes; none when there is none.

    ``looks``: whether a person's look may be made; where not, one that nobody waits for any more still gives way to a mark.

    ``probe``: while nothing seems to be answered, the row that failed least often is tried, whatever its lane, so that one
    customer for whom everything fails does not stand for all the others.

    The caller holds the agreement's row, so claims of one agreement are made one after another. A row whose customer
    is in another worker's hands is passed over.
    """
    for some in [tuple(lanes)] if probe else [(lane,) for lane in lanes]:
        stale = some == (Lane.PERSON,) and not looks
        while (row := _best(connection, agreement, ALLOWED[state], some, now, stale_looks=stale)) is not None:
            marked = _marked(connection, agreement, row["number"]) if row["kind"] == "look" else None
            mine = sa.update(_work).where(_work.c.id == row["id"])
            if row["expires_at"] is None or row["expires_at"] >= now:
                connection.execute(mine.values(worker=worker, claimed_at=now, waiting=""))
                return _claim(row, tenant, worker, now, marked)
            if marked is None:
                connection.execute(sa.delete(_work).where(_work.c.id == row["id"]))
            else:
                connection.execute(mine.values(lane=Lane.HOOK, expires_at=None, cause=None, command={}))
    return None


def _best(
    connection: Connection,
    agreement: int,
    kinds: Sequence[Kind],
    lanes: tuple[Lane, ...],
    now: datetime,
    *,
    stale_looks: bool = False,
) -> sa.RowMapping | None:
    """The row of one lane that waited longest: read in the order of its index, however many are due. Of several lanes the
    one that failed least often."""
    first = [] if len(lanes) == 1 else [_work.c.attempts, _work.c.lane]
    query = (
        sa.select(_work)
        .where(
            _work.c.agreement == agreement,
            _work.c.lane == int(lanes[0]) if len(lanes) == 1 else _work.c.lane.in_([int(one) for one in lanes]),
            _work.c.worker.is_(None),
            _work.c.due_at <= now,
            _work.c.kind.in_(kinds),
            sa.or_(_work.c.kind != "look", _work.c.expires_at < now) if stale_looks else sa.true(),
            _free(),
        )
        .order_by(*first, _work.c.due_at, _work.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(query).mappings().one_or_none()


def still_mine(connection: Connection, claim: Claim) -> bool:
    """Whether the claim is still its own; then the row stays locked until the transaction ends."""
    if claim.mark is not None:  # before the row, as whoever marks does
        connection.execute(
            sa.select(_mark.c.counter)
            .where(_mark.c.agreement == claim.agreement, _mark.c.number == claim.number)
            .with_for_update()
        )
    found = sa.select(_work.c.id).where(*_own(claim)).with_for_update()
    return connection.execute(found).one_or_none() is not None


def hold_number(connection: Connection, claim: Claim, number: int) -> bool:
    """Let the claim hold this customer number too; false when another claim holds it. The agreement's row is held."""
    held = sa.select(_work.c.id).where(
        _work.c.agreement == claim.agreement,
        _work.c.number == number,
        _work.c.worker.is_not(None),
        _work.c.id != claim.id,
    )
    if connection.execute(held).first() is not None:
        return False
    connection.execute(sa.update(_work).where(*_own(claim)).values(number=number))
    return True


def again(connection: Connection, claim: Claim, due_at: datetime) -> None:
    """A part of the row is done: give it back for the next one, without a customer and without attempts."""
    given = {"worker": None, "claimed_at": None, "number": None, "due_at": due_at, "attempts": 0, "waiting": ""}
    connection.execute(sa.update(_work).where(*_own(claim)).values(**given, last_error=""))


def finish(connection: Connection, claim: Claim) -> None:
    """The row is done. A look clears its mark if nobody marked again meanwhile; else the row stays for the newer mark.

    It stays too for who began to wait for a look meanwhile: what was read may be older than that.
    """
    if claim.kind == "look" and _stays(connection, claim):
        return
    connection.execute(sa.delete(_work).where(*_own(claim)))


def _stays(connection: Connection, claim: Claim) -> bool:
    """Whether the row of a look that is done is given back for another look."""
    if claim.mark is not None:
        connection.execute(
            sa.delete(_mark).where(
                _mark.c.agreement == claim.agreement,
                _mark.c.number == claim.number,
                _mark.c.counter == claim.mark.counter,
            )
        )
    given: dict[str, Any] = {"worker": None, "claimed_at": None, "attempts": 0}
    waited_for = connection.scalar(sa.select(_work.c.command[LOOK].astext).where(*_own(claim)))
    if waited_for is None or waited_for == str(claim.look):
        if _marked(connection, claim.agreement, claim.number) is None:
            return False
        given |= {"lane": Lane.HOOK, "expires_at": None, "cause": None, "command": {}}
    connection.execute(sa.update(_work).where(*_own(claim)).values(**given))
    return True


def postpone(
    connection: Connection, claim: Claim, *, due_at: datetime, waiting: str, error: str = "", attempt: bool = False
) -> bool:
    """Give the row back, to be done later; false when it was not its own any more."""
    given = (
        sa.update(_work)
        .where(*_own(claim))
        .values(
            worker=None,
            claimed_at=None,
            due_at=due_at,
            waiting=waiting,
            last_error=error[:200],
            attempts=_work.c.attempts + (1 if attempt else 0),
        )
    )
    return connection.execute(given).rowcount == 1


def hurry(connection: Connection, agreement: int, now: datetime) -> None:
    """e-conomic is back: what waited for it is due now."""
    waits = (_work.c.agreement == agreement, _work.c.worker.is_(None), _work.c.waiting == "away", _work.c.due_at > now)
    connection.execute(sa.update(_work).where(*waits).values(due_at=now))


def free_claims(connection: Connection, now: datetime) -> int:
    """Free the claims of workers whose session lock is gone, and those that are too old; how many.

    A worker's key is the one 64-bit number of its session advisory lock.
    """
    alive = sa.text(
        "select (classid::bigint << 32) | objid::bigint from pg_locks where locktype = 'advisory' and objsubid = 1"
        " and database = (select oid from pg_database where datname = current_database())"
    ).columns(sa.column("key", sa.BigInteger))
    freed = (
        sa.update(_work)
        .where(_work.c.worker.is_not(None))
        .where(sa.or_(_work.c.claimed_at < now - STALE_CLAIM, _work.c.worker.not_in(alive)))
        .values(worker=None, claimed_at=None)
    )
    return connection.execute(freed).rowcount


def allowed(state: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a row of work may be done in that state of its agreement."""
    return sa.or_(*(sa.and_(state == name, _work.c.kind.in_(kinds)) for name, kinds in ALLOWED.items()))


def _free() -> sa.ColumnElement[bool]:
    """No claimed row holds the customer of this one. Two looks, so that each has its partial index."""
    held = _work.alias("held")
    claimed = sa.and_(held.c.agreement == _work.c.agreement, held.c.worker.is_not(None))
    by_number = sa.select(held.c.id).where(claimed, held.c.number == _work.c.number)
    by_customer = sa.select(held.c.id).where(claimed, held.c.customer == _work.c.customer)
    return sa.and_(~by_number.exists(), ~by_customer.exists())


def _own(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return _work.c.id == claim.id, _work.c.worker == claim.worker, _work.c.claimed_at == claim.claimed_at


def _marked(connection: Connection, agreement: int, number: int | None) -> Mark | None:
    row = connection.execute(
        sa.select(_mark.c.counter, _mark.c.why, _mark.c.old_numbers, _mark.c.first_at).where(
            _mark.c.agreement == agreement, _mark.c.number == number
        )
    ).one_or_none()
    if row is None:
        return None
    return Mark(counter=row.counter, why=row.why, old_numbers=tuple(row.old_numbers), first_at=row.first_at)


def _claim(row: sa.RowMapping, tenant: str, worker: int, now: datetime, marked: Mark | None) -> Claim:
    cause = row["cause"]
    return Claim(
        id=row["id"],
        agreement=row["agreement"],
        tenant=tenant,
        kind=row["kind"],
        key=row["key"],
        lane=Lane(row["lane"]),
        number=row["number"],
        customer=row["customer"],
        attempts=row["attempts"],
        worker=worker,
        claimed_at=now,
        command=row["command"],
        cause=None if cause is None else cause_from(cause, tenant, now),
        mark=marked,
    )
