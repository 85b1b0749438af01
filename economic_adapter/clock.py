"""What is due, by the clock? Wake-ups, claims of workers that are gone, polls, lost access, retention, attention."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy import Connection

from crm_outbox.messaging import upkeep
from crm_outbox.messaging.attention import Item, Kind
from crm_outbox.messaging.outbox import Outbox
from economic_adapter import access, activity, agreements, claims, figures, imports, overdue, rhythm, store
from economic_adapter.budget import UNTIL_RESUMED, Lane
from economic_adapter.rhythm import Rhythm
from economic_adapter.tables import agreement, messages, operation, wake, work

log = structlog.get_logger(__name__)

PACKAGE = "economic_adapter"
GONE = timedelta(seconds=2)
"""A wake-up sent longer ago counts as lost."""
REST = timedelta(seconds=0.2)
"""How long a wake-up that found nothing to do keeps its place."""
ANSWERED_AGE = timedelta(days=90)
"""An operation answered longer ago is forgotten, unless it created something."""

DUE_AGE = Gauge("economic_work_oldest_due_age_seconds", "How long the most overdue row of work has waited")
WAITING = Gauge("economic_work_waiting", "Rows of work by why they wait", ["cause"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The actions of the clock; each may be repeated, and several clocks may run."""

    engine: sa.Engine
    outbox: Outbox
    now: Callable[[], datetime]
    threads: int
    rhythm: Rhythm
    probe: float

    def wake(self, send: Callable[[int, int], None]) -> int:
        """Send wake-ups for agreements with due work, so many that at most ``threads`` are outstanding for each."""
        with self.engine.begin() as connection:
            wanted = self._wakes(connection)
        for number, one in wanted:
            send(number, one)
        return len(wanted)

    def free_claims(self) -> int:
        """Free what dead workers and stuck ones hold."""
        with self.engine.begin() as connection:
            freed = claims.free_claims(connection, self.now())
        if freed:
            log.warning("clock.claims_freed", claims=freed)
        return freed

    def plan(self) -> int:
        """Plan the polls that are due, and a probe for every agreement whose access is lost; tell of runs that wait."""
        now = self.now()
        with self.engine.begin() as connection:
            idle = activity.checked_before(connection, now - timedelta(seconds=self.rhythm.active))
            planned = activity.plan_polls(connection, rhythm.due(self.rhythm, idle, now), now)
            for number in self._unprobed(connection):
                due = now + timedelta(seconds=self.probe)
                store.plan(connection, number, "check", due_at=due, lane=Lane.PERSON, key=access.PROBE)
                planned += 1
            planned += imports.tell_waiting(connection, self.outbox, now)
        return planned

    def retain(self) -> int:
        """Make partitions ahead, drop old ones, forget what is too old to matter."""
        now = self.now()
        done = upkeep.retain(self.engine, messages)
        with self.engine.begin() as connection:
            old = (
                sa.select(operation.c.operation)
                .where(operation.c.answered_at < now - ANSWERED_AGE, operation.c.outcome["created"].is_(None))
                .limit(5000)
            )
            done += connection.execute(sa.delete(operation).where(operation.c.operation.in_(old))).rowcount
            done += imports.forget(connection, now)
        return done

    def measure(self) -> int:
        """Set the gauges of waiting work."""
        now = self.now()
        with self.engine.begin() as connection:
            oldest = connection.scalar(sa.select(sa.func.min(work.c.due_at)).where(work.c.worker.is_(None)))
            counted = connection.execute(sa.select(work.c.waiting, sa.func.count()).group_by(work.c.waiting)).all()
        DUE_AGE.set(0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
        WAITING.clear()
        for cause, count in counted:
            WAITING.labels(cause or "due").set(count)
        return 0

    def tell(self) -> int:
        """Tell how the adapter fares with each agreement; that it is told says that the adapter is there."""
        now = self.now()
        with self.engine.begin() as connection:
            late = overdue.unserved(connection, now)
            found = figures.every(connection, late, self.rhythm, now)
            for number, one in found:
                access.observe(connection, self.outbox, number, now, figures=one)
        return len(found)

    def _wakes(self, connection: Connection) -> list[tuple[int, int]]:
        lock = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended("economic.wake", 0)))
        if not connection.scalar(lock):
            return []
        now = self.now()
        connection.execute(sa.delete(wake).where(wake.c.sent_at < now - GONE))
        due = claims.due_agreements(connection, now, self.threads)
        if not due:
            return []
        counts = sa.select(wake.c.agreement, sa.func.count().label("sent")).group_by(wake.c.agreement)
        outstanding = {row.agreement: row.sent for row in connection.execute(counts)}
        rows = [
            {"agreement": number, "sent_at": now}
            for number, count in due.items()
            for _ in range(min(count, self.threads - outstanding.get(number, 0)))
        ]
        if not rows:
            return []
        made = connection.execute(sa.insert(wake).values(rows).returning(wake.c.agreement, wake.c.id))
        return [(row.agreement, row.id) for row in made]

    def _unprobed(self, connection: Connection) -> list[int]:
        probes = sa.select(work.c.id).where(
            work.c.agreement == agreement.c.number, work.c.kind == "check", work.c.key == access.PROBE
        )
        lost = sa.select(agreement.c.number).where(agreement.c.state == "access_lost", ~probes.exists())
        return list(connection.scalars(lost))


def served(engine: sa.Engine, one: int, now: datetime, *, worked: bool) -> None:
    """A wake-up was served. Said by the worker; a wake-up of which it is never said counts as lost.

    One that found nothing to do stays outstanding for a moment, so that rows nobody may do yet keep nobody busy.
    """
    mine = wake.c.id == one
    rest = sa.update(wake).where(mine).values(sent_at=now - GONE + REST)
    with engine.begin() as connection:
        connection.execute(sa.delete(wake).where(mine) if worked else rest)


def open_items(connection: Connection, now: datetime) -> list[Item]:
    """What waits for a person: agreements that refuse us or are paused, writes that cannot be settled, late work."""
    lost = [
        Item(
            kind=Kind.AGREEMENT_PAUSED,
            id=f"agreement-{found.number}",
            since=found.seen_at or now,
            cause=f"e-conomic refuses our access: {found.cause}",
            command=f"{PACKAGE} connect-link --tenant {found.tenant}",
        )
        for found in agreements.every(connection)
        if found.state == "access_lost"
    ]
    resting = sa.select(
        agreement.c.number,
        sa.func.coalesce(agreement.c.rights[access.PAUSED_AT].astext, sa.cast(agreement.c.connected_at, sa.Text)).label(
            "at"
        ),
    ).where(agreement.c.paused_until >= UNTIL_RESUMED)
    paused = [
        Item(
            kind=Kind.AGREEMENT_PAUSED,
            id=f"pause-{row.number}",
            since=datetime.fromisoformat(row.at),
            cause="an operator stopped all calls until further notice",
            command=f"{PACKAGE} resume --agreement {row.number} --yes",
        )
        for row in connection.execute(resting)
    ]
    unclear = (
        sa.select(operation.c.operation, operation.c.answered_at)
        .where(operation.c.state == "ambiguous")
        .order_by(operation.c.answered_at)
        .limit(1000)
    )
    stuck = [
        Item(
            kind=Kind.UNCLEAR_WRITE,
            id=f"operation-{row.operation}",
            since=row.answered_at,
            cause="a write may be done and looking cannot tell",
            command=f"{PACKAGE} op {row.operation}",
        )
        for row in connection.execute(unclear)
    ]
    return [*lost, *paused, *stuck, *overdue.items(connection, now)]
