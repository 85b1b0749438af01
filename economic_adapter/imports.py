"""Which imports and sweeps are there, and how far did they come? All SQL of their rows, and what is told of them.

The caller holds the transaction; nothing here commits. An import's row is locked before its work row, always.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from crm_outbox.messaging.envelope import Envelope, Refused
from crm_outbox.messaging.envelope import Lane as MessageLane
from crm_outbox.messaging.outbox import Draft, Outbox, append
from economic_adapter import store, tables
from economic_adapter.budget import Lane
from economic_adapter.contract import ImportProgressed, RunImport

Phase = Literal[
    "check", "contacts", "customers", "changed_customers", "changed_contacts", "looks", "count"
]  # fmt: skip
Kind = Literal["import", "sweep"]
State = Literal["running", "paused", "stopped", "failed", "closed"]

NEVER_CONNECTED = "e-conomic was never connected"
FORGOTTEN_AFTER = timedelta(days=90)

_import, _work = tables.import_, tables.work


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One run as far as it came. ``turn`` names its present listing of all customers; ``kept`` see ``records.keep_all``."""

    run: UUID
    agreement: int
    tenant: str
    kind: Kind
    state: State
    phase: Phase
    cause: str
    waiting: str
    cursor: str
    pages: int
    turn: int
    restarts: int
    mismatches: int
    began: datetime | None
    kept: int
    read: int
    count: int | None
    contacts: int
    contacts_count: int
    calls: int
    found: int
    command: Mapping[str, str] | None
    asked_at: datetime


def receive(
    connection: Connection,
    outbox: Outbox,
    command: RunImport,
    envelope: Envelope,
    now: datetime,
    *,
    known: bool,
    waiting: str,
) -> None:
    """Start, pause, resume or stop a run, and answer with how far it is. A repeated command only answers.

    ``known``: the tenant has or had the agreement. ``waiting``: why nothing is read for it now, if so.
    """
    if not known:
        failed = ImportProgressed(
            run=command.run,
            agreement=command.agreement,
            kind=command.kind,
            state="failed",
            cause=NEVER_CONNECTED,
        )
        _append(connection, outbox, envelope.tenant, failed, envelope)
        return
    connection.execute(
        insert(_import)
        .values(
            run=command.run,
            agreement=command.agreement,
            tenant=envelope.tenant,
            kind=command.kind,
            state=_BECOMES[command.action],
            phase="check",
            command=store.cause_of(envelope),
            asked_at=now,
            ended_at=now if command.action == "stop" else None,
        )
        .on_conflict_do_nothing()
    )
    row = lock(connection, command.run)
    if row is None or (row.tenant, row.agreement) != (envelope.tenant, command.agreement):
        raise Refused("foreign_run")
    if row.state in {"running", "paused"} and command.action != "start":
        row = save(connection, row.run, state=_BECOMES[command.action], waiting="")
        if row.state == "stopped":
            row = end(connection, row, "stopped", now)
    if row.state == "running":
        store.plan(
            connection,
            row.agreement,
            "page",
            due_at=now,
            lane=Lane.SWEEP if row.kind == "sweep" else Lane.IMPORT,
            key=str(row.run),
            cause=envelope,
        )
    else:
        mine = (_work.c.agreement == row.agreement, _work.c.kind == "page", _work.c.key == str(row.run))
        connection.execute(sa.delete(_work).where(*mine, _work.c.worker.is_(None)))
    if row.state == "running" and waiting:
        row = save(connection, row.run, waiting=waiting)
    tell(connection, outbox, row, envelope)


def find(connection: Connection, run: UUID) -> Import | None:
    """A run as it stands now."""
    return _one(connection, sa.select(_import).where(_import.c.run == run))


def lock(connection: Connection, run: UUID) -> Import | None:
    """A run, held until the transaction ends."""
    return _one(connection, sa.select(_import).where(_import.c.run == run).with_for_update())


def save(connection: Connection, run: UUID, **values: Any) -> Import:
    """Keep how far a run came."""
    moved = sa.update(_import).where(_import.c.run == run).values(**values).returning(_import)
    return _read(connection.execute(moved).mappings().one())


def end(connection: Connection, row: Import, state: State, now: datetime, cause: str = "") -> Import:
    """A run is over; what it held on the way is thrown away."""
    for table in (tables.import_customer, tables.import_contact):
        connection.execute(sa.delete(table).where(table.c.run == row.run))
    return save(connection, row.run, state=state, cause=cause, waiting="", ended_at=now)


def tell(connection: Connection, outbox: Outbox, row: Import, cause: Envelope | None = None) -> None:
    """How far a run is, behind the customers told under it: in the same lane."""
    progress = ImportProgressed(
        run=row.run,
        agreement=row.agreement,
        kind=row.kind,
        state="waiting" if row.state == "running" and row.waiting else row.state,
        cause=row.cause or row.waiting,
        read=row.read,
        count=row.count,
        contacts=row.contacts,
        calls=row.calls,
        found=row.found,
        closed=row.state == "closed",
    )
    _append(connection, outbox, row.tenant, progress, cause or _cause(row))


def tell_waiting(connection: Connection, outbox: Outbox, now: datetime) -> int:
    """Tell of every run that nothing is read for, because its agreement waits; once for each cause. How many."""
    agreement = tables.agreement
    open_ = sa.select(_import.c.run, _import.c.waiting.label("told"), *agreement.c).join(
        agreement, agreement.c.number == _import.c.agreement
    )
    stopped = 0
    for row in connection.execute(open_.where(_import.c.state == "running")).mappings().all():
        cause = "disconnected" if row["state"] == "disconnected" else store.waiting_cause(row, now)
        if cause in {"", "throttled", row["told"]}:
            continue
        run = lock(connection, row["run"])
        if run is not None and run.state == "running" and run.waiting != cause:
            tell(connection, outbox, save(connection, run.run, waiting=cause))
            stopped += 1
    return stopped


def running(connection: Connection) -> list[Import]:
    """Every run that is not over."""
    query = sa.select(_import).where(_import.c.ended_at.is_(None)).order_by(_import.c.asked_at)
    return [_read(row) for row in connection.execute(query).mappings()]


def forget(connection: Connection, now: datetime) -> int:
    """Forget runs that ended long ago; how many."""
    old = sa.delete(_import).where(_import.c.ended_at < now - FORGOTTEN_AFTER)
    return connection.execute(old).rowcount


_BECOMES: Mapping[str, State] = {"start": "running", "resume": "running", "pause": "paused", "stop": "stopped"}


def _append(
    connection: Connection, outbox: Outbox, tenant: str, progress: ImportProgressed, cause: Envelope | None
) -> None:
    draft = Draft(
        data=progress,
        tenant=tenant,
        subject=f"economic/{progress.agreement}",
        agreement=progress.agreement,
        cause=cause,
        lane=MessageLane.BULK,
    )
    append(connection, outbox, draft)


def _cause(row: Import) -> Envelope | None:
    return None if row.command is None else store.cause_from(row.command, row.tenant, row.asked_at)


def _one(connection: Connection, query: sa.Select[Any]) -> Import | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _read(row)


def _read(row: sa.RowMapping) -> Import:
    names = Import.__dataclass_fields__
    return Import(**cast(dict[str, Any], {name: row[name] for name in names}))
