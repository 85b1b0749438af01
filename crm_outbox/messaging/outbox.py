"""How does a message get into the outbox, and there again? ``append`` in the caller's transaction, ``replay`` by a person.

What the relay asks of the outbox is in ``pending``; the days it is cut into are in ``days``.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm_outbox.messaging import days
from crm_outbox.messaging.doorbell import Doorbell
from crm_outbox.messaging.envelope import Envelope, Lane, Registry, Version, Words, encode, uuid7
from crm_outbox.messaging.tables import MessageTables

__all__ = [
    "Doorbell",
    "Draft",
    "Figures",
    "Outbox",
    "Selection",
    "append",
    "append_all",
    "figures",
    "replay",
    "retry_parked",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """The outbox of one package: where it stands, which types it knows, and the name its messages carry as source."""

    tables: MessageTables
    registry: Registry
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message still to be made. ``cause`` is the message it answers or follows from."""

    data: Words
    tenant: str
    subject: str
    version: Version | None = None
    cause: Envelope | None = None
    customer: str | None = None
    agreement: int | None = None
    number: int | None = None
    lane: Lane = Lane.LIVE


def append(connection: sa.Connection | Session, outbox: Outbox, draft: Draft) -> UUID:
    """Put one message into the outbox within the caller's transaction, which is never committed here; returns its id.

    Content that no message can carry raises ``Unsendable`` before anything is sent to the database.
    """
    return append_all(connection, outbox, [draft])[0]


def append_all(connection: sa.Connection | Session, outbox: Outbox, drafts: Sequence[Draft]) -> list[UUID]:
    """Put messages into the outbox in one statement and in their order; one that cannot be sent stops them all."""
    if not drafts:
        return []
    now = datetime.now(UTC)
    envelopes = [_envelope(outbox, draft, now) for draft in drafts]
    types = [outbox.registry.of(draft.data) for draft in drafts]
    connection.execute(
        _append_statement(outbox.tables.schema),
        {
            "lanes": [str(draft.lane) for draft in drafts],
            "message_ids": [envelope.id for envelope in envelopes],
            "types": [kind.name for kind in types],
            "exchanges": [kind.exchange for kind in types],
            "must_routes": [kind.must_route for kind in types],
            "tenants": [envelope.tenant for envelope in envelopes],
            "subjects": [envelope.subject for envelope in envelopes],
            "versions": [None if envelope.version is None else str(envelope.version) for envelope in envelopes],
            "traceparents": [envelope.traceparent for envelope in envelopes],
            "time": now,
            "bodies": [encode(envelope) for envelope in envelopes],
        },
    )
    return [envelope.id for envelope in envelopes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages of the outbox: those that fit everything given; nothing given is everything kept."""

    message: UUID | None = None
    tenant: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def replay(connection: sa.Connection, tables: MessageTables, selection: Selection, *, dry: bool = True) -> int:
    """Make sent messages pending again, in the bulk lane and under their own ids; returns how many, and when dry only that.

    What already waits in either lane is left alone. Consumers take a repeated message once, so this may be repeated.
    """
    days.guard(connection, tables.schema)
    outbox, pending = tables.outbox, tables.pending
    of = outbox.c
    chosen = sa.select(sa.literal(str(Lane.BULK)), of.id, of.day).where(
        ~sa.exists().where(pending.c.id == of.id, pending.c.lane.in_([str(lane) for lane in Lane]))
    )
    if selection.message is not None:
        chosen = chosen.where(of.message_id == selection.message)
    if selection.tenant is not None:
        chosen = chosen.where(of.tenant == selection.tenant)
    if selection.subject is not None:
        chosen = chosen.where(of.subject == selection.subject)
    # A row's day comes from the database's clock and its time from the sender's, so a day is allowed for either side.
    if selection.since is not None:
        chosen = chosen.where(of.time >= selection.since, of.day >= sa.func.date(selection.since) - 1)
    if selection.until is not None:
        chosen = chosen.where(of.time < selection.until, of.day <= sa.func.date(selection.until) + 1)
    if dry:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0)
    return _make_pending(connection, tables, chosen)


def retry_parked(connection: sa.Connection, tables: MessageTables, ids: Sequence[int] | None = None) -> int:
    """Let parked messages (all, or those ids) wait for sending again, each in the lane it came from; returns how many."""
    back = sa.delete(tables.parked).returning(tables.parked.c.lane, tables.parked.c.id, tables.parked.c.day)
    if ids is not None:
        back = back.where(tables.parked.c.id.in_(ids))
    freed = back.cte("freed")
    return _make_pending(connection, tables, sa.select(freed.c.lane, freed.c.id, freed.c.day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How one lane of an outbox stands. ``age`` is the longest wait, in seconds."""

    lane: Lane
    waiting: int
    age: float
    parked: int


def figures(connection: sa.Connection, tables: MessageTables) -> list[Figures]:
    """How many messages wait in each lane, how long already, and how many are parked."""
    statement = sa.text(f"""
        select lane, waiting, coalesce(extract(epoch from clock_timestamp() - oldest), 0) as age, parked
        from unnest(cast(:lanes as text[])) as lane
        cross join lateral (
            select count(*) as waiting, min(since) as oldest from {tables.schema}.outbox_pending p where p.lane = lane.lane
        ) as pending
        cross join lateral (
            select count(*) as parked from {tables.schema}.parked p where p.lane = lane.lane
        ) as parked
    """)
    rows = connection.execute(statement, {"lanes": [str(lane) for lane in Lane]})
    return [
        Figures(lane=Lane(row.lane), waiting=row.waiting, age=max(0.0, float(row.age)), parked=row.parked)
        for row in rows
    ]


def _make_pending(connection: sa.Connection, tables: MessageTables, rows: sa.Select[Any]) -> int:
    again = insert(tables.pending).from_select(["lane", "id", "day"], rows).on_conflict_do_nothing()
    return connection.execute(again, execution_options={"preserve_rowcount": True}).rowcount


def _envelope(outbox: Outbox, draft: Draft, now: datetime) -> Envelope:
    message_id = uuid7(now, secrets.randbits(74))
    cause = draft.cause
    return Envelope(
        id=message_id,
        type=outbox.registry.of(draft.data).name,
        source=outbox.source,
        time=now,
        tenant=draft.tenant,
        subject=draft.subject,
        version=draft.version,
        causation=None if cause is None else cause.id,
        correlation=str(message_id) if cause is None else cause.correlation or str(cause.id),
        traceparent=(cause.traceparent if cause is not None else None)
        or f"00-{message_id.hex}-{secrets.token_hex(8)}-01",
        customer=draft.customer,
        agreement=draft.agreement,
        number=draft.number,
        data=draft.data,
    )


@lru_cache
def _append_statement(schema: str) -> sa.TextClause:
    # Both rows in one statement: a message without a pending row would never leave. The ids come from the insert.
    return sa.text(f"""
        with message as (
            insert into {schema}.outbox (lane, message_id, type, exchange, must_route, tenant, subject,
                                         version, traceparent, time, body)
            select lane, message_id, type, exchange, must_route, tenant, subject,
                   version, traceparent, :time, body
            from unnest(
                cast(:lanes as text[]), cast(:message_ids as uuid[]), cast(:types as text[]), cast(:exchanges as text[]),
                cast(:must_routes as boolean[]), cast(:tenants as text[]),
                cast(:subjects as text[]), cast(:versions as text[]), cast(:traceparents as text[]),
                cast(:bodies as bytea[])
            ) with ordinality as draft (lane, message_id, type, exchange, must_route, tenant, subject,
                                        version, traceparent, body, place)
            order by place
            returning lane, id, day
        )
        insert into {schema}.outbox_pending (lane, id, day) select lane, id, day from message
    """)
