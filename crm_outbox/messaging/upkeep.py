"""What does every package's clock do for its messages? Make days ahead, drop what is old, show what needs a person."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog

from crm_outbox.messaging import attention, days, inbox, outbox, pending, telemetry
from crm_outbox.messaging.attention import Item
from crm_outbox.messaging.lying import Lying
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.tables import MessageTables

KEEP_OUTBOX = timedelta(days=7)
"""How far back can be replayed."""
KEEP_INBOX = timedelta(days=14)
"""Longer than any message can come again, so that a replay never has its effect twice."""
USER = "attention"

Items = Callable[[sa.Connection, datetime], Iterable[Item]]

log = structlog.get_logger(__name__)


def retain(
    engine: sa.Engine,
    tables: MessageTables,
    now: datetime | None = None,
    keep_outbox: timedelta = KEEP_OUTBOX,
    keep_inbox: timedelta = KEEP_INBOX,
) -> int:
    """Make outbox days ahead, drop old ones, forget old inbox ids; returns how many things. Hourly is often enough."""
    if keep_inbox <= keep_outbox:
        raise ValueError("an inbox must remember longer than an outbox can replay")
    today = now or datetime.now(UTC)
    done = days.make_ahead(engine, tables.schema, today.date())
    done += days.drop_old(engine, tables.schema, (today - keep_outbox).date())
    with engine.begin() as connection:
        done += pending.forget_settled(connection, tables)
    with engine.begin() as connection:
        return done + inbox.expire(connection, tables, keep_inbox)


def watch(connection: sa.Connection, tables: MessageTables) -> int:
    """Set the gauges of the outbox; returns how many messages wait."""
    lanes = outbox.figures(connection, tables)
    for lane in lanes:
        telemetry.PENDING.labels(tables.schema, str(lane.lane)).set(lane.waiting)
        telemetry.PENDING_AGE.labels(tables.schema, str(lane.lane)).set(lane.age)
    telemetry.PARKED.labels(tables.schema).set(sum(lane.parked for lane in lanes))
    if strays := days.stray_rows(connection, tables.schema):
        log.error("outbox.days_are_missing", schema=tables.schema, rows=strays)
    return sum(lane.waiting for lane in lanes)


def attend(
    engine: sa.Engine,
    tables: MessageTables,
    broker: Broker,
    package: str,
    lying: Lying,
    own: Items | None = None,
) -> int:
    """Bring the attention queues and the gauges up to date with this package's open items; returns queues changed.

    ``lying`` is the clock's memory of the package's consumer.
    """
    now = datetime.now(UTC)
    with Management.of(broker, USER) as management, engine.begin() as connection:
        watch(connection, tables)
        items = attention.of_outbox(connection, tables, package, now)
        items += attention.of_dead_letters(connection, tables, management, package, lying.consumer, now)
        items += lying.items(connection, tables, management.depths(), now)
        items += list(own(connection, now)) if own is not None else []
        return attention.refresh(management, package, items)
