"""What do we know of a customer, of its writes and of the budget? The mirror, its counter, operations, tokens; all SQL of them.

The caller holds the transaction; nothing here commits.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from crm_outbox.contract import Outcome
from crm_outbox.messaging.envelope import Version
from economic_adapter import tables
from economic_adapter.budget import Budget
from economic_adapter.contract import EconomicPart
from economic_adapter.mapping import Body
from economic_adapter.operation import Operation, State

_agreement, _mirror, _operation = tables.agreement, tables.mirror, tables.operation
_KEEP_ALL = sa.text("""
    insert into economic.mirror as held
        (agreement, number, epoch, counter, body, object_version, contacts, absent, seen_at, kept)
    select :agreement, one.number, (select epoch from economic.epoch), 1, one.body, one.version, one.contacts, false,
           :now, nextval('economic.mirror_kept')
    from jsonb_to_recordset(cast(:listed as jsonb))
         as one (number integer, body jsonb, version text, contacts jsonb)
    order by one.number
    on conflict (agreement, number) do update set
        epoch = excluded.epoch, counter = held.counter + 1, body = excluded.body,
        object_version = excluded.object_version, contacts = excluded.contacts, absent = false, missing_since = null,
        retell = false,
        seen_at = excluded.seen_at, kept = excluded.kept
    where held.kept <= :since
    returning number, epoch, counter
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An agreement's row as a worker needs it, locked until the transaction ends."""

    number: int
    tenant: str
    state: str
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What e-conomic held of a customer when it was last seen; ``body`` none when it was never read or is gone."""

    version: Version
    body: Body | None
    contacts: tuple[Body, ...]
    absent: bool
    missing_since: datetime | None
    retell: bool = False
    """Whether a pass has to tell it once more."""


def account(connection: Connection, number: int) -> Account | None:
    """The agreement with its budget, locked."""
    # those who only take part in it (intake) are not kept waiting
    query = sa.select(_agreement).where(_agreement.c.number == number).with_for_update(key_share=True)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Account(number=number, tenant=row["tenant"], state=row["state"], budget=budget_of(row))


def budget(connection: Connection, number: int) -> Budget | None:
    """The budget of an agreement as it is now, not locked."""
    row = connection.execute(sa.select(_agreement).where(_agreement.c.number == number)).mappings().one_or_none()
    return None if row is None else budget_of(row)


def budget_of(agreement: sa.RowMapping) -> Budget:
    """The budget in an agreement's row."""
    return Budget(
        limit=agreement["bucket_limit"],
        window=agreement["bucket_window"],
        used=agreement["bucket_used"],
        seen_at=agreement["bucket_seen_at"],
        paused_until=agreement["paused_until"],
        failures=agreement["failures"],
        failing_since=agreement["failing_since"],
        probe_at=agreement["probe_at"],
        day=agreement["day"],
        calls=agreement["calls_today"],
        looks=agreement["looks_today"],
    )


def keep_budget(connection: Connection, number: int, budget: Budget) -> None:
    """Store the budget of a locked agreement."""
    connection.execute(
        sa.update(_agreement)
        .where(_agreement.c.number == number)
        .values(
            bucket_limit=budget.limit,
            bucket_window=budget.window,
            bucket_used=budget.used,
            bucket_seen_at=budget.seen_at,
            paused_until=budget.paused_until,
            failures=budget.failures,
            failing_since=budget.failing_since,
            probe_at=budget.probe_at,
            day=budget.day,
            calls_today=budget.calls,
            looks_today=budget.looks,
        )
    )


def take_number(connection: Connection, agreement: int) -> int | None:
    """The next number to try for a new customer; the agreement is locked. Never one that was given before; none: no more."""
    highest = sa.select(sa.func.max(_mirror.c.number)).where(_mirror.c.agreement == agreement).scalar_subquery()
    start = sa.func.coalesce(_agreement.c.next_number, _agreement.c.number_from, sa.func.coalesce(highest, 0) + 1)
    moved = (
        sa.update(_agreement)
        .where(_agreement.c.number == agreement, start <= sa.func.coalesce(_agreement.c.number_to, start))
        .values(next_number=start + 1)
        .returning(_agreement.c.next_number)
    )
    found = connection.execute(moved).scalar_one_or_none()
    return None if found is None else int(found) - 1


def held(connection: Connection, agreement: int, number: int) -> Held | None:
    """The mirror of a customer; none when it was never seen or missed."""
    return held_of(connection, agreement, [number]).get(number)


def held_of(connection: Connection, agreement: int, numbers: Sequence[int]) -> dict[int, Held]:
    """The mirrors of several customers."""
    query = sa.select(_mirror).where(_mirror.c.agreement == agreement, _mirror.c.number.in_(numbers))
    return {
        row["number"]: Held(
            version=Version(row["epoch"], row["counter"]),
            body=row["body"],
            contacts=tuple(row["contacts"]),
            absent=row["absent"],
            missing_since=row["missing_since"],
            retell=row["retell"],
        )
        for row in connection.execute(query).mappings()
    }


def keep(
    connection: Connection,
    agreement: int,
    number: int,
    *,
    body: Mapping[str, Any] | None,
    contacts: Sequence[Mapping[str, Any]],
    now: datetime,
    old_numbers: Sequence[int] = (),
) -> Version:
    """Keep what was seen (``body`` none: it is gone) under the next number of the customer's counter; gives its version.

    A customer that had other numbers goes on above the counters of all of them.
    """
    counter = sa.select(sa.func.coalesce(sa.func.max(_mirror.c.counter), 0) + 1).where(
        _mirror.c.agreement == agreement, _mirror.c.number.in_([number, *old_numbers])
    )
    values = {
        "epoch": epoch(connection),
        "body": None if body is None else dict(body),
        "object_version": "" if body is None else str(body.get("objectVersion", "")),
        "contacts": [dict(one) for one in contacts],
        "absent": body is None,
        "missing_since": None,
        "retell": False,
        "seen_at": now,
        "kept": connection.scalar(tables.KEPT),
    }
    stored = values if body is not None else {**values, "body": sa.null()}
    statement = insert(_mirror).values(agreement=agreement, number=number, counter=counter.scalar_subquery(), **stored)
    moved = statement.on_conflict_do_update(
        index_elements=[_mirror.c.agreement, _mirror.c.number],
        set_={
            **{name: statement.excluded[name] for name in values},
            "counter": sa.func.greatest(statement.excluded.counter, _mirror.c.counter + 1),
        },
    ).returning(_mirror.c.epoch, _mirror.c.counter)
    return Version(*connection.execute(moved).one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A customer as a listing of all of them showed it, with its contact persons."""

    body: Body
    contacts: Sequence[Body]


def keep_all(
    connection: Connection, agreement: int, listed: Mapping[int, Listed], *, since: int, now: datetime
) -> dict[int, Version]:
    """Keep what a listing showed, each under the next number of its counter; gives the versions of those that were kept.

    A customer that was kept after ``since``, a place among all keepings, stays as it is: what the listing shows of it
    may be older.
    """
    if not listed:
        return {}
    # one document: an array would be escaped letter by letter
    document = [
        {
            "number": number,
            "body": one.body,
            "version": str(one.body.get("objectVersion", "")),
            "contacts": list(one.contacts),
        }
        for number, one in listed.items()
    ]
    given = {"agreement": agreement, "listed": _json(document), "now": now, "since": since}
    rows = connection.execute(_KEEP_ALL, given)
    return {row.number: Version(row.epoch, row.counter) for row in rows}


def kept_now(connection: Connection) -> int:
    """The place of this moment among all keepings of the mirror."""
    return int(connection.execute(sa.select(tables.KEPT.next_value())).scalar_one())


def miss(connection: Connection, agreement: int, number: int, now: datetime) -> None:
    """Note that a customer was not there; believed when that is seen again later."""
    since = sa.func.coalesce(_mirror.c.missing_since, now)
    connection.execute(
        sa.update(_mirror)
        .where(_mirror.c.agreement == agreement, _mirror.c.number == number)
        .values(missing_since=since)
    )


def epoch(connection: Connection) -> int:
    """The first half of every version given now."""
    return int(connection.execute(sa.select(tables.epoch.c.epoch)).scalar_one())


def open_operations(connection: Connection, work: int) -> list[Operation]:
    """The operations of a work row that are not answered yet, in their order."""
    query = (
        sa.select(_operation)
        .where(_operation.c.work == work, _operation.c.state.in_([State.PLANNED, State.SENT]))
        .order_by(_operation.c.position)
    )
    return [_read(row) for row in connection.execute(query).mappings()]


def save(connection: Connection, operation: Operation, now: datetime, number: int | None = None) -> bool:
    """Store an operation's move; false when it was answered by somebody else meanwhile, and then nothing may be done."""
    values: dict[str, Any] = {
        "state": str(operation.state),
        "key": operation.key,
        "attempt": operation.attempt,
        "chosen_number": operation.chosen,
        "free_seen": operation.free_seen,
        "seen_before": list(operation.before),
        "body": operation.body,
        "sent_at": operation.sent_at,
        "outcome": sa.null() if operation.outcome is None else operation.outcome.model_dump(mode="json"),
    }
    if operation.state.settled:
        values["answered_at"] = now
    if number is not None:
        values["number"] = number
    moved = (
        sa.update(_operation)
        .where(_operation.c.operation == operation.id, _operation.c.state.in_([State.PLANNED, State.SENT]))
        .values(**values)
    )
    return connection.execute(moved).rowcount == 1


def created_contacts(connection: Connection, agreement: int, number: int) -> frozenset[int]:
    """The contact persons of a customer that operations of ours created."""
    made = _operation.c.outcome["created"].astext
    query = sa.select(made).where(
        _operation.c.agreement == agreement,
        _operation.c.number == number,
        _operation.c.part["record"].astext == "contact",
        _operation.c.state == State.WRITTEN,
        made.is_not(None),
    )
    return frozenset(int(text) for text in connection.scalars(query))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _read(row: sa.RowMapping) -> Operation:
    return Operation(
        part=EconomicPart.model_validate(row["part"]),
        state=State(row["state"]),
        key=row["key"],
        attempt=row["attempt"],
        chosen=row["chosen_number"],
        free_seen=row["free_seen"],
        before=tuple(row["seen_before"]),
        body=row["body"],
        sent_at=row["sent_at"],
        outcome=None if row["outcome"] is None else Outcome.model_validate(row["outcome"]),
    )
