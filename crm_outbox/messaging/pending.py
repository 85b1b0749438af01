"""What does the relay ask of the outbox? The next messages of a lane, and to remember how they ended.

Every statement is a transaction of its own on the relay's one session, the one that holds the lane's lock: a relay that
lost its lane cannot settle anything any more. No transaction is open while a message travels.
"""

from collections.abc import Collection, Sequence
from typing import cast
from uuid import UUID

import psycopg
import sqlalchemy as sa

from crm_outbox.messaging import days
from crm_outbox.messaging.doorbell import channel
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.frames import Outgoing
from crm_outbox.messaging.tables import MessageTables

REMEMBERED_HOURS = 24
"""How far back a lost broker is refilled: whatever was settled in that time may not have been consumed from it."""


def forget_settled(connection: sa.Connection, tables: MessageTables) -> int:
    """Drop what is remembered beyond the time a lost broker is refilled for; returns how many hours."""
    old = sa.func.date_trunc("hour", sa.func.now()) - sa.func.make_interval(0, 0, 0, 0, REMEMBERED_HOURS)
    return connection.execute(sa.delete(tables.settled).where(tables.settled.c.hour < old)).rowcount


class Pending:
    """The pending messages of one lane, on an AUTOCOMMIT connection of the relay's own."""

    def __init__(self, connection: sa.Connection, tables: MessageTables, lane: Lane) -> None:
        self._connection = connection
        self._schema = tables.schema
        self._lane = str(lane)
        self._rang = False

    def take_lane(self) -> bool:
        """Whether this session holds the lane's lock, now or already; the lock ends with the session."""
        statement = sa.text("select pg_try_advisory_lock(hashtextextended(:lock, 0))")
        return bool(self._connection.scalar(statement, {"lock": f"relay.{self._schema}.{self._lane}"}))

    def prepare(self) -> None:
        """Listen for the doorbell, and set up a session that is only the relay's."""
        self._driver.add_notify_handler(self._ring)
        self._connection.exec_driver_sql(f"listen {channel(self._schema)}")
        # Settling need not wait for the disk: what is lost of it is sent once more.
        self._connection.exec_driver_sql("set synchronous_commit = off")
        # The statistics of a table that fills and empties all day mislead the planner; the right plan is always the same.
        for setting in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
            self._connection.exec_driver_sql(f"set enable_{setting} = off")
        self._connection.exec_driver_sql("set plan_cache_mode = force_generic_plan")

    @property
    def fileno(self) -> int:
        """Becomes readable when the doorbell rings, or the session breaks."""
        return int(self._driver.fileno())

    def rang(self) -> bool:
        """Whether the doorbell rang since last asked; raises psycopg's errors if the session broke."""
        self._driver.pgconn.consume_input()
        while self._driver.pgconn.notifies() is not None:
            self._rang = True
        rang, self._rang = self._rang, False
        return rang

    def after(self, last: int, limit: int, most_bytes: int) -> list[Outgoing]:
        """The next messages above an id, in id order: at least one if there is any, further ones within the bytes."""
        return self._read("p.id > %(last)s::bigint", {"last": last}, limit, most_bytes)

    def below(self, last: int, limit: int) -> list[int]:
        """The lowest pending ids up to and including an id, those in flight too."""
        rows = self._connection.exec_driver_sql(
            f"""
            select id from {self._schema}.outbox_pending
            where lane = %(lane)s and id <= %(last)s::bigint order by id limit %(limit)s
            """,
            {"lane": self._lane, "last": last, "limit": limit},
        )
        return list(rows.scalars())

    def these(self, ids: Collection[int], limit: int, most_bytes: int) -> list[Outgoing]:
        """Those of the given messages that are still pending, in id order."""
        return self._read("p.id = any(%(ids)s::bigint[])", {"ids": _array(ids)}, limit, most_bytes)

    def settle(self, ids: Sequence[int]) -> None:
        """These were confirmed. Also keeps the lowest id settled in each hour, for the day a broker is lost."""
        self._connection.exec_driver_sql(
            f"""
            with gone as (
                delete from {self._schema}.outbox_pending p using unnest(%(ids)s::bigint[]) as confirmed (id)
                where p.lane = %(lane)s and p.id = confirmed.id returning p.id
            )
            insert into {self._schema}.settled as s (lane, hour, lowest)
            select %(lane)s, date_trunc('hour', now()), min(id) from gone having count(*) > 0
            on conflict (lane, hour) do update set lowest = excluded.lowest where excluded.lowest < s.lowest
            """,
            {"lane": self._lane, "ids": _array(ids)},
        )

    def park(self, message: int, reason: str) -> None:
        """Take a message that cannot be sent out of the way, until a person lets it try again."""
        self._connection.exec_driver_sql(
            f"""
            with gone as (
                delete from {self._schema}.outbox_pending where lane = %(lane)s and id = %(id)s returning lane, id, day
            )
            insert into {self._schema}.parked (lane, id, day, reason) select lane, id, day, %(reason)s from gone
            on conflict (lane, id) do update set reason = excluded.reason, parked_at = excluded.parked_at
            """,
            {"lane": self._lane, "id": message, "reason": reason},
        )

    def known_broker(self) -> UUID | None:
        """The identity of the broker this lane was last sent to."""
        found = self._connection.exec_driver_sql(
            f"select broker from {self._schema}.broker where lane = %(lane)s", {"lane": self._lane}
        ).scalar()
        return None if found is None else UUID(str(found))

    def refill(self, broker: UUID) -> int:
        """Make everything pending again that a lost broker may have held, and know the new one; returns how many.

        Messages of the live lane that the bulk lane settled were replays; they are found by their ids, which the live
        lane has not settled in the time remembered.
        """
        run = self._connection.exec_driver_sql
        run("begin")
        run("set local statement_timeout = 0")
        days.guard(self._connection, self._schema)
        made = run(
            f"""
            with lowest as (
                select lane, min(lowest) as id from {self._schema}.settled
                where hour >= date_trunc('hour', now()) - make_interval(hours => %(hours)s) group by lane
            ), mine as (
                select id from lowest where lane = %(lane)s
            )
            insert into {self._schema}.outbox_pending (lane, id, day)
            select %(lane)s, o.id, o.day from {self._schema}.outbox o, mine
            where o.id >= mine.id and (
                o.lane = %(lane)s
                or %(lane)s = 'bulk' and o.id < coalesce((select id from lowest where lane = 'live'), o.id + 1)
            )
            on conflict do nothing
            """,
            {"lane": self._lane, "hours": REMEMBERED_HOURS},
        ).rowcount
        run(
            f"""
            insert into {self._schema}.broker (lane, broker) values (%(lane)s, %(broker)s)
            on conflict (lane) do update set broker = excluded.broker, known_since = now()
            """,
            {"lane": self._lane, "broker": broker},
        )
        run("commit")
        return int(made)

    def _ring(self, _: psycopg.Notify) -> None:
        # One that comes in the middle of a statement is handed over by psycopg and is not found by ``rang``.
        self._rang = True

    def _read(self, which: str, given: dict[str, object], limit: int, most_bytes: int) -> list[Outgoing]:
        # A binary cursor, so that a body comes as the bytes that were stored; the window function bounds the memory a
        # batch takes, bodies being up to a MiB each.
        with self._driver.cursor(binary=True) as cursor:
            cursor.execute(
                f"""
                select id, message_id, exchange, routing_key, must_route, type, time, traceparent, body from (
                    select p.id, o.message_id::text, o.exchange, o.type || '.' || p.lane as routing_key, o.must_route,
                        o.type, extract(epoch from o.time)::bigint as time, o.traceparent, o.body,
                        sum(octet_length(o.body)) over (order by p.id) - octet_length(o.body) as before
                    from (
                        select p.id, p.day, p.lane from {self._schema}.outbox_pending p
                        where p.lane = %(lane)s and {which} order by p.id limit %(limit)s
                    ) p join {self._schema}.outbox o on o.id = p.id and o.day = p.day
                ) as next where before < %(most_bytes)s order by id
                """,
                {**given, "lane": self._lane, "limit": limit, "most_bytes": most_bytes},
            )
            return list(map(Outgoing._make, cursor.fetchall()))

    @property
    def _driver(self) -> psycopg.Connection[tuple[object, ...]]:
        return cast("psycopg.Connection[tuple[object, ...]]", self._connection.connection.dbapi_connection)


def _array(ids: Collection[int]) -> str:
    """An array as PostgreSQL writes it: psycopg's own way takes a millisecond for a batch."""
    return f"{{{','.join(map(str, ids))}}}"
