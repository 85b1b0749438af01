"""How does everything the CRM holds leave once more? A run publishes it page by page; its cursor moves with the messages.

A customer is published at the version it has, so whoever knows it already takes no notice. One that is created while a
run goes on leaves by itself, as any change, and is no part of it. Killed at any point, a run goes on where it was.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from crm_outbox import changes, customers
from crm_outbox.contract import BackfillProgressed
from crm_outbox.messaging import outbox
from crm_outbox.messaging.duty import Turn
from crm_outbox.messaging.envelope import Envelope, Lane, Refused, Words
from crm_outbox.tables import backfill, customer

log = structlog.get_logger(__name__)

PAGE = 200
IDLE_SECONDS = 1.0


def command(connection: Connection, tenant: str, run: UUID, *, start: bool, cause: Envelope | None = None) -> None:
    """Begin or end a run, and answer with how far it is; a repeated command only answers. Another tenant's is refused."""
    there = sa.select(sa.func.count()).select_from(customer).where(customer.c.tenant == tenant)
    count = int(connection.scalar(there) or 0)
    moment = sa.func.clock_timestamp()
    open_ = start and count > 0
    connection.execute(
        insert(backfill)
        .values(
            run=run,
            tenant=tenant,
            state="running" if open_ else "closed" if start else "stopped",
            count=count,
            cause=None if cause is None else _kept(cause),
            started_at=moment,
            ended_at=None if open_ else moment,
        )
        .on_conflict_do_nothing()
    )
    row = connection.execute(sa.select(backfill).where(backfill.c.run == run).with_for_update()).mappings().one()
    if row["tenant"] != tenant:
        raise Refused("foreign_run")
    if not start and row["state"] == "running":
        row = _moved(connection, run, state="stopped", ended_at=moment)
    _tell(connection, row)


def page(connection: Connection, most: int = PAGE) -> int:
    """Publish the next page of the run that waits longest; 0 when there is none, or somebody holds it or its next customer.

    Several clocks may do this at once.
    """
    longest = (
        sa.select(backfill)
        .where(backfill.c.state == "running")
        .order_by(backfill.c.started_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(longest).mappings().one_or_none()
    if row is None:
        return 0
    run, tenant = row["run"], row["tenant"]
    found = customers.page(connection, tenant, row["cursor"], row["started_at"], most)
    if found.customers:
        changes.publish_again(connection, tenant, found.customers, run=run, cause=_cause(row))
    elif not found.last:
        return 0
    read = row["read"] + len(found.customers)
    cursor = found.customers[-1].id if found.customers else row["cursor"]
    ended = {"state": "closed", "ended_at": sa.func.clock_timestamp()} if found.last else {}
    _tell(connection, _moved(connection, run, read=read, cursor=cursor, **ended))
    if found.last:
        log.info("backfill.closed", run=str(run), customers=read)
    return max(1, len(found.customers))


class Backfill:
    """The duty: page after page while there is a run."""

    def __init__(self, engine: sa.Engine, committed: Callable[[], None]) -> None:
        """``committed`` is told after each page."""
        self._engine = engine
        self._committed = committed

    def run_once(self) -> Turn:
        """One page."""
        with self._engine.begin() as connection:
            published = page(connection)
        if published:
            self._committed()
        return Turn(published, 0.0 if published else IDLE_SECONDS)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def _moved(connection: Connection, run: UUID, **values: Any) -> sa.RowMapping:
    moved = sa.update(backfill).where(backfill.c.run == run).values(**values).returning(backfill)
    return connection.execute(moved).mappings().one()


def _tell(connection: Connection, row: sa.RowMapping) -> None:
    """How far it is, behind the customers it published: in the same lane."""
    progress = BackfillProgressed(
        run=row["run"],
        read=row["read"],
        count=row["count"],
        closed=row["state"] != "running",
        stopped=row["state"] == "stopped",
    )
    draft = outbox.Draft(
        data=progress, tenant=row["tenant"], subject=f"backfill/{row['run']}", cause=_cause(row), lane=Lane.BULK
    )
    outbox.append(connection, changes.OUTBOX, draft)


def _kept(envelope: Envelope) -> dict[str, str]:
    kept = {"id": str(envelope.id), "correlation": envelope.correlation or str(envelope.id)}
    return kept if envelope.traceparent is None else {**kept, "traceparent": envelope.traceparent}


def _cause(row: sa.RowMapping) -> Envelope | None:
    """The command, as far as what follows from it names it."""
    kept: Mapping[str, str] | None = row["cause"]
    if kept is None:
        return None
    return Envelope(
        id=UUID(kept["id"]),
        type="",
        source="",
        time=datetime.now(UTC),
        tenant=row["tenant"],
        subject="",
        correlation=kept.get("correlation"),
        traceparent=kept.get("traceparent"),
        data=Words(),
    )
