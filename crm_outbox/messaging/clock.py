"""What does time ask of messaging? Days made ahead and dropped, ids forgotten, figures for those who watch."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from crm_outbox.messaging import days, inbox, outbox, pending, telemetry
from crm_outbox.messaging.tables import MessageTables

KEEP_OUTBOX = timedelta(days=7)
"""How far back can be replayed."""
KEEP_INBOX = timedelta(days=14)
"""Longer than any message can come again."""

log = structlog.get_logger(__name__)


def retain(
    engine: sa.Engine,
    tables: MessageTables,
    now: datetime,
    keep_outbox: timedelta = KEEP_OUTBOX,
    keep_inbox: timedelta = KEEP_INBOX,
) -> int:
    """Make outbox days ahead, drop old ones, forget old inbox ids; returns how many things. Hourly is often enough."""
    if keep_inbox <= keep_outbox:
        raise ValueError("an inbox must remember longer than an outbox can replay")
    done = days.make_ahead(engine, tables.schema, now.date())
    done += days.drop_old(engine, tables.schema, (now - keep_outbox).date())
    with engine.begin() as connection:
        done += pending.forget_settled(connection, tables)
    with engine.begin() as connection:
        done += inbox.expire(connection, tables, keep_inbox)
    return done


def watch(engine: sa.Engine, tables: MessageTables) -> int:
    """Set the gauges of the outbox; returns how many messages wait. Every few seconds."""
    with engine.begin() as connection:
        lanes = outbox.figures(connection, tables)
        strays = days.stray_rows(connection, tables.schema)
    for lane in lanes:
        telemetry.PENDING.labels(tables.schema, str(lane.lane)).set(lane.waiting)
        telemetry.PENDING_AGE.labels(tables.schema, str(lane.lane)).set(lane.age)
    telemetry.PARKED.labels(tables.schema).set(sum(lane.parked for lane in lanes))
    if strays:
        log.error("outbox.days_are_missing", schema=tables.schema, rows=strays)
    return sum(lane.waiting for lane in lanes)
