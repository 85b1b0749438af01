"""What does every package's clock do for its messages? Make days ahead, drop what is old, show what needs a person."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from crm_outbox.messaging import attention, days, inbox, outbox, telemetry
from crm_outbox.messaging.attention import Item
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.tables import MessageTables

KEEP_OUTBOX = timedelta(days=7)
KEEP_INBOX = timedelta(days=14)
"""Longer than any message can come again from an outbox, so that a replay never has its effect twice."""
USER = "attention"

Items = Callable[[sa.Connection, datetime], Iterable[Item]]


def retain(engine: sa.Engine, tables: MessageTables) -> int:
    """Make outbox days ahead, drop old ones that nothing waits in, forget old inbox ids; returns how many things."""
    now = datetime.now(UTC)
    worked = days.make_ahead(engine, tables.schema, now.date())
    worked += days.drop_old(engine, tables.schema, (now - KEEP_OUTBOX).date())
    with engine.begin() as connection:
        return worked + inbox.expire(connection, tables, KEEP_INBOX)


def attend(
    engine: sa.Engine,
    tables: MessageTables,
    broker: Broker,
    package: str,
    consumer: str | None,
    own: Items | None = None,
) -> int:
    """Bring the attention queues and the gauges up to date with this package's open items; returns queues changed."""
    now = datetime.now(UTC)
    with Management.of(broker, USER) as management, engine.begin() as connection:
        items = attention.of_outbox(connection, tables, package, now)
        if consumer is not None:
            items += attention.of_dead_letters(connection, tables, management, package, consumer, now)
        items += list(own(connection, now)) if own is not None else []
        for lane in outbox.figures(connection, tables):
            telemetry.PENDING.labels(tables.schema, lane.lane).set(lane.waiting)
            telemetry.PENDING_AGE.labels(tables.schema, lane.lane).set(lane.age)
        return attention.refresh(management, package, items)
