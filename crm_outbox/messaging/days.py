"""Which days does the outbox have a partition for? Made ahead, and dropped when old and done."""

from collections.abc import Callable
from datetime import date, timedelta

import sqlalchemy as sa
import structlog

AHEAD = 14
"""Days made ahead, so that a clock that stands still for two weeks is not noticed by any insert."""

log = structlog.get_logger(__name__)


def make_ahead(engine: sa.Engine, schema: str, today: date, ahead: int = AHEAD) -> int:
    """Make the partitions from today on that are missing; returns how many. Safe to repeat and to run twice at once.

    Rows that fell into the default partition, because their day was missing, are moved to their own.
    """
    with engine.connect() as connection:
        strays = set(connection.scalars(sa.text(f"select distinct day from {schema}.outbox_default")))
        connection.rollback()
        wanted = sorted(strays | {today + timedelta(days=n) for n in range(ahead + 1)})
        made = [day for day in wanted if _alone(_make, connection, schema, day)]
    if strays:
        log.error("outbox.days_were_missing", schema=schema, days=[str(day) for day in sorted(strays)])
    return len(made)


def drop_old(engine: sa.Engine, schema: str, before: date) -> int:
    """Drop the partitions of days before a date in which nothing is pending or parked; returns how many."""
    with engine.connect() as connection:
        old = sorted(day for day in _days(connection, schema) if day < before)
        connection.rollback()
        return sum(_alone(_drop, connection, schema, day) for day in old)


def stray_rows(connection: sa.Connection, schema: str) -> int:
    """How many messages stand in the default partition; anything above none deserves an alarm."""
    return int(connection.scalar(sa.text(f"select count(*) from {schema}.outbox_default")) or 0)


def guard(connection: sa.Connection, schema: str) -> None:
    """Until the end of the transaction, keep days from being dropped while messages are made pending again."""
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:lock, 0))"), {"lock": f"outbox.days.{schema}"}
    )


def _alone(step: Callable[[sa.Connection, str, date], bool], connection: sa.Connection, schema: str, day: date) -> bool:
    """Run one step in a transaction of its own, giving up quickly: inserts queue behind a lock that we wait for."""
    try:
        with connection.begin():
            connection.execute(sa.text("set local lock_timeout = '250ms'"))
            guard(connection, schema)
            return step(connection, schema, day)
    except sa.exc.OperationalError as error:
        log.warning("outbox.day_is_locked", schema=schema, day=str(day), error=type(error.orig).__name__)
        return False


def _make(connection: sa.Connection, schema: str, day: date) -> bool:
    name = f"{schema}.outbox_{day:%Y%m%d}"
    if connection.scalar(sa.text("select to_regclass(:name)"), {"name": name}) is not None:
        return False
    # Attaching locks less than "create table ... partition of": inserts on other days go on.
    connection.execute(sa.text(f"create table {name} (like {schema}.outbox including defaults including constraints)"))
    moved = sa.text(f"""
        with stray as (delete from {schema}.outbox_default where day = :day returning *)
        insert into {name} select * from stray
    """)
    connection.execute(sa.text(f"lock table {schema}.outbox_default in access exclusive mode"))
    connection.execute(moved, {"day": day})
    bounds = f"from ('{day}') to ('{day + timedelta(days=1)}')"
    connection.execute(sa.text(f"alter table {schema}.outbox attach partition {name} for values {bounds}"))
    return True


def _drop(connection: sa.Connection, schema: str, day: date) -> bool:
    busy = sa.text(f"""
        select exists (select from {schema}.outbox_pending where day = :day)
            or exists (select from {schema}.parked where day = :day)
    """)
    if connection.scalar(busy, {"day": day}):
        return False
    connection.execute(sa.text(f"drop table {schema}.outbox_{day:%Y%m%d}"))
    return True


def _days(connection: sa.Connection, schema: str) -> list[date]:
    names = sa.text("""
        select child.relname from pg_inherits
        join pg_class child on child.oid = inhrelid
        where inhparent = to_regclass(:outbox) and child.relname ~ '^outbox_[0-9]{8}$'
    """)
    found = connection.scalars(names, {"outbox": f"{schema}.outbox"})
    return [date(int(name[7:11]), int(name[11:13]), int(name[13:15])) for name in found]
