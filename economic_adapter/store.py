"""What is there to be done in e-conomic? Marks, commands and planned work come in here; all SQL of that.

The caller holds the transaction; nothing here commits. Who then does it stands in ``claims``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from crm_outbox.contract import Outcome, Result
from crm_outbox.messaging.envelope import Envelope, Words
from economic_adapter import raising, tables
from economic_adapter.budget import BREAKER, LONGEST_BELIEVED, Budget, Lane, used_up
from economic_adapter.contract import DAY_LIMIT, EconomicPart, LookAtCustomer, WriteEconomicCustomer

Why = Literal["hook", "poll", "look", "sweep"]

_work, _mark, _operation = tables.work, tables.mark, tables.operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """How long a burst of hooks for one customer is gathered: quiet seconds, and the most after the first."""

    quiet: float = 2.0
    most: float = 10.0


def mark(
    connection: Connection,
    agreement: int,
    number: int,
    *,
    why: Why,
    now: datetime,
    old_numbers: Sequence[int] = (),
    gather: Gather = Gather(),
) -> None:
    """Note that this customer changed, and have it looked at after a quiet time. Several: sorted by number.

    One that was renumbered again before anybody looked had other numbers before: their marks told them.
    """
    if old_numbers:
        earlier = sa.select(_mark.c.old_numbers).where(_mark.c.agreement == agreement, _mark.c.number.in_(old_numbers))
        before = {one for row in connection.scalars(earlier) for one in row}
        old_numbers = sorted({*old_numbers, *before} - {number})
    fresh = insert(_mark).values(
        agreement=agreement, number=number, counter=1, why=why, first_at=now, last_at=now, old_numbers=list(old_numbers)
    )
    both = sa.func.unnest(_mark.c.old_numbers.concat(fresh.excluded.old_numbers)).column_valued("both")
    statement = fresh.on_conflict_do_update(
        index_elements=[_mark.c.agreement, _mark.c.number],
        set_={
            "counter": _mark.c.counter + 1,
            "last_at": fresh.excluded.last_at,
            "old_numbers": sa.func.array(sa.select(both).distinct().order_by(both).scalar_subquery()),
        },
    ).returning(_mark.c.first_at)
    first = connection.execute(statement).scalar_one()
    due = min(now + timedelta(seconds=gather.quiet), first + timedelta(seconds=gather.most))
    row = insert(_work).values(
        agreement=agreement, kind="look", key=str(number), lane=Lane.HOOK, number=number, due_at=due
    )
    # a person's look and a back-off keep their own time
    keeps = sa.or_(_work.c.expires_at.is_not(None), _work.c.attempts > 0)
    connection.execute(
        row.on_conflict_do_update(
            constraint="work_key", set_={"due_at": sa.case((keeps, _work.c.due_at), else_=row.excluded.due_at)}
        )
    )


def noticed(connection: Connection, agreement: int, number: int | None) -> datetime | None:
    """Since when it is known of a customer that it may have been edited in e-conomic; none while nothing says so."""
    told = _mark.c.why.in_(["hook", "poll"])
    first = sa.select(_mark.c.first_at).where(_mark.c.agreement == agreement, _mark.c.number == number, told)
    found: datetime | None = connection.scalar(first)
    return found


def receive_look(connection: Connection, command: LookAtCustomer, cause: Envelope, now: datetime) -> None:
    """A command to look: a person's may expire, any other becomes a mark, which cannot be lost."""
    if command.expires is None:
        mark(connection, command.agreement, command.number, why="look", now=now, gather=Gather(quiet=0, most=0))
        return
    words = command.model_dump(mode="json", include={"look", "search"}, exclude_none=True)
    searched = command.search if command.number == 0 else None
    row = insert(_work).values(
        agreement=command.agreement,
        kind="look",
        key=str(command.number) if searched is None else f"search/{searched.customer}",
        lane=Lane.PERSON,
        number=command.number if searched is None else None,
        due_at=now,
        expires_at=command.expires,
        command=words,
        cause=cause_of(cause),
    )
    connection.execute(
        row.on_conflict_do_update(
            constraint="work_key",
            set_={
                "lane": row.excluded.lane,
                "due_at": sa.func.least(_work.c.due_at, row.excluded.due_at),
                "expires_at": sa.func.greatest(_work.c.expires_at, row.excluded.expires_at),
                "command": row.excluded.command,
                "cause": row.excluded.cause,
            },
        )
    )


def plan(
    connection: Connection,
    agreement: int,
    kind: Literal["poll", "check", "page"],
    *,
    due_at: datetime,
    lane: Lane = Lane.SWEEP,
    key: str = "",
    command: Mapping[str, Any] | None = None,
    cause: Envelope | None = None,
) -> None:
    """Have this done at that time. Planned already: at the earlier of both times, with the newer command."""
    row = insert(_work).values(
        agreement=agreement,
        kind=kind,
        key=key,
        lane=lane,
        due_at=due_at,
        command=dict(command or {}),
        cause=None if cause is None else cause_of(cause),
    )
    connection.execute(
        row.on_conflict_do_update(
            constraint="work_key",
            set_={
                "lane": sa.func.least(_work.c.lane, row.excluded.lane),
                "due_at": sa.func.least(_work.c.due_at, row.excluded.due_at),
                "command": row.excluded.command if command is not None else _work.c.command,
                "cause": sa.func.coalesce(row.excluded.cause, _work.c.cause),
            },
        )
    )


def told_of(connection: Connection, agreement: int, numbers: Sequence[int]) -> frozenset[int]:
    """Those of these customers that are marked already, or in the hands of a write that will read them back."""
    marked = sa.select(_mark.c.number).where(_mark.c.agreement == agreement, _mark.c.number.in_(numbers))
    written = sa.select(_work.c.number).where(
        _work.c.agreement == agreement, _work.c.number.in_(numbers), _work.c.worker.is_not(None)
    )
    return frozenset(connection.scalars(sa.union(marked, written)))


def receive_write(
    connection: Connection, command: WriteEconomicCustomer, cause: Envelope, now: datetime
) -> tuple[Outcome, ...]:
    """A command to write: its operations are planned, once. Returns the outcomes that are to be told at once:

    of operations answered before, of those that still wait (with the cause), of those that the day's calls do not reach for,
    and of those an agreement that is off refuses.
    """
    agreement = tables.agreement
    # waits for whoever switches the agreement on or off, but not for those who claim and spend
    known = (
        sa.select(agreement).where(agreement.c.number == command.agreement).with_for_update(read=True, key_share=True)
    )
    row = connection.execute(known).mappings().one_or_none()
    state = "disconnected" if row is None else row["state"]
    if command.person:
        raising.raised(connection, command, now)
    there = _there(connection, command.parts)
    fresh = [part for part in command.parts if part.operation not in there]
    if state not in {"on", "access_lost"}:
        reason = "disconnected" if state == "disconnected" else "off"
        outcomes = {part.operation: _refused(part, reason) for part in fresh}
        _insert(connection, command, fresh, None, now, outcomes)
        return (*outcomes.values(), *(_told(one, "") for one in there.values()))
    if fresh:
        _insert(connection, command, fresh, _write_row(connection, command, fresh[0], cause, now), now, {})
    day = Budget(day=None if row is None else row["day"], calls=0 if row is None else row["calls_today"])
    late = {lane: DAY_LIMIT if used_up(day, lane, now) else "" for lane in (Lane.PERSON, Lane.EDIT)}
    held = fresh if late[_lane(command)] else []
    return (
        *(_told(one, waiting_cause(row, now) or late.get(one["lane"], "")) for one in there.values()),
        *(Outcome(operation=one.operation, result=Result.WAITING, reason=DAY_LIMIT) for one in held),
    )


def waiting_cause(agreement: Mapping[str, Any] | sa.RowMapping | None, now: datetime) -> str:
    """Why no work of this agreement is done now: access_lost, throttled, paused, away; empty when some is."""
    if agreement is None:
        return ""
    if agreement["state"] == "access_lost":
        return "access_lost"
    if agreement["paused_until"] is not None and agreement["paused_until"] > now:
        return "throttled" if agreement["paused_until"] - now <= LONGEST_BELIEVED else "paused"
    return "away" if agreement["failures"] >= BREAKER else ""


def refuse_planned(
    connection: Connection, agreement: int, reason: Literal["off", "disconnected"], now: datetime
) -> list[tuple[str, int | None, Outcome]]:
    """Answer every write that has not left as refused: (CRM customer, number, outcome) of each. The agreement is locked."""
    planned = (
        sa.select(_operation.c.operation, _operation.c.customer, _operation.c.number, _operation.c.part)
        .where(_operation.c.agreement == agreement, _operation.c.state == "planned", _operation.c.customer.is_not(None))
        .order_by(_operation.c.planned_at, _operation.c.position)
        .with_for_update()
    )
    answers: list[tuple[str, int | None, Outcome]] = []
    for row in connection.execute(planned).all():
        outcome = _refused(EconomicPart.model_validate(row.part), reason)
        connection.execute(
            sa.update(_operation)
            .where(_operation.c.operation == row.operation)
            .values(state="refused", outcome=outcome.model_dump(mode="json"), answered_at=now)
        )
        answers.append((row.customer, row.number, outcome))
    return answers


def cause_of(envelope: Envelope) -> dict[str, str]:
    """What is kept of a message, so that what follows from it names it."""
    kept = {"id": str(envelope.id), "correlation": envelope.correlation or str(envelope.id)}
    return kept if envelope.traceparent is None else {**kept, "traceparent": envelope.traceparent}


def cause_from(kept: Mapping[str, str], tenant: str, at: datetime) -> Envelope:
    """The message of which ``cause_of`` was kept, as far as what follows names it."""
    return Envelope(
        id=UUID(kept["id"]),
        type="",
        source="",
        time=at,
        tenant=tenant,
        subject="",
        correlation=kept.get("correlation"),
        traceparent=kept.get("traceparent"),
        data=Words(),
    )


def _write_row(
    connection: Connection, command: WriteEconomicCustomer, first: EconomicPart, cause: Envelope, now: datetime
) -> int:
    row = sa.insert(_work).values(
        agreement=command.agreement,
        kind="write",
        key=str(first.operation),
        lane=_lane(command),
        number=command.number,
        customer=command.customer,
        due_at=now,
        cause=cause_of(cause),
    )
    return int(connection.execute(row.returning(_work.c.id)).scalar_one())


def _lane(command: WriteEconomicCustomer) -> Lane:
    return Lane.PERSON if command.person else Lane.EDIT


def _insert(
    connection: Connection,
    command: WriteEconomicCustomer,
    parts: Sequence[EconomicPart],
    work: int | None,
    now: datetime,
    outcomes: Mapping[UUID, Outcome],
) -> None:
    rows = [
        {
            "operation": part.operation,
            "agreement": command.agreement,
            "customer": command.customer,
            "number": command.number,
            "work": work,
            "position": position,
            "part": part.model_dump(mode="json", exclude_none=True),
            "state": "refused" if part.operation in outcomes else "planned",
            "outcome": outcomes[part.operation].model_dump(mode="json") if part.operation in outcomes else sa.null(),
            "planned_at": now,
            "answered_at": now if part.operation in outcomes else None,
        }
        for position, part in enumerate(parts)
    ]
    if rows:
        connection.execute(sa.insert(_operation).values(rows))


def _there(connection: Connection, parts: Sequence[EconomicPart]) -> dict[UUID, sa.RowMapping]:
    found = sa.select(_operation.c.operation, _operation.c.outcome, _work.c.waiting, _work.c.lane).select_from(
        _operation.outerjoin(_work, _work.c.id == _operation.c.work)
    )
    ids = [part.operation for part in parts]
    rows = connection.execute(found.where(_operation.c.operation.in_(ids))).mappings()
    return {row["operation"]: row for row in rows}


def _told(row: sa.RowMapping, cause: str) -> Outcome:
    if row["outcome"] is not None:
        return Outcome.model_validate(row["outcome"])
    return Outcome(operation=row["operation"], result=Result.WAITING, reason=cause or row["waiting"] or "")


def _refused(part: EconomicPart, reason: str) -> Outcome:
    return Outcome(operation=part.operation, result=Result.REFUSED, reason=reason)
