"""What has a consumer already taken? Message ids, versions and refusals, each written with the effect it guards."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from crm_outbox.messaging import telemetry
from crm_outbox.messaging.envelope import Version
from crm_outbox.messaging.tables import MessageTables

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class Taken(NamedTuple):
    """Of the messages offered: those seen for the first time, those seen before, and ids that came with another body."""

    new: set[UUID]
    repeated: set[UUID]
    reused: set[UUID]


class Advance(StrEnum):
    """How a version stands to the last one: newer and next, newer after a gap, or not newer."""

    NEWER = "newer"
    GAP = "gap"
    OLD = "old"


def take(connection: Connection, tables: MessageTables, consumer: str, messages: Sequence[tuple[UUID, bytes]]) -> Taken:
    """Take these ids, each given once with the SHA-256 of its body, in the transaction of their effect.

    A concurrent taker of the same id is waited for. Safe to repeat: what was taken is ``repeated``. Ids are taken in
    order, so that two takers cannot block each other.
    """
    given = dict(messages)
    if not given:
        return Taken(set(), set(), set())
    ids = sorted(given)
    inbox = tables.inbox
    inserted = connection.execute(
        sa.text(
            f"insert into {inbox.fullname} (consumer, message_id, body_hash)"
            " select :consumer, one.id, one.hash from unnest(:ids, :hashes) with ordinality as one (id, hash, nth)"
            " order by one.nth on conflict do nothing returning message_id"
        ).bindparams(
            sa.bindparam("ids", type_=ARRAY(sa.Uuid)),
            sa.bindparam("hashes", type_=ARRAY(BYTEA)),
        ),
        {"consumer": consumer, "ids": ids, "hashes": [given[one] for one in ids]},
    )
    new = set(inserted.scalars())
    known = set(ids) - new
    if not known:
        return Taken(new, set(), set())
    hashes = connection.execute(
        sa.select(inbox.c.message_id, inbox.c.body_hash).where(
            inbox.c.consumer == consumer, inbox.c.message_id == sa.any_(sa.literal(list(known), ARRAY(sa.Uuid)))
        )
    ).all()
    reused = {message_id for message_id, body_hash in hashes if bytes(body_hash) != given[message_id]}
    return Taken(new, known - reused, reused)


def advance(connection: Connection, tables: MessageTables, consumer: str, aggregate: str, version: Version) -> Advance:
    """Move the watermark of an aggregate to this version if it is newer; it never expires and never goes back.

    A first version and one of a new epoch are ``NEWER`` whatever their number; a gap is counted, and applied.
    """
    row = connection.execute(
        sa.text(
            f"with held as (select epoch, number from {tables.watermark.fullname}"
            "  where consumer = :consumer and aggregate = :aggregate)"
            f" insert into {tables.watermark.fullname} as mark (consumer, aggregate, epoch, number)"
            " values (:consumer, :aggregate, :epoch, :number)"
            " on conflict (consumer, aggregate) do update set epoch = excluded.epoch, number = excluded.number"
            " where (mark.epoch, mark.number) < (excluded.epoch, excluded.number)"
            " returning (select held.epoch = :epoch and held.number + 1 < :number from held)"
        ),
        {"consumer": consumer, "aggregate": aggregate, "epoch": version.epoch, "number": version.number},
    ).one_or_none()
    result = Advance.OLD if row is None else Advance.GAP if row[0] else Advance.NEWER
    telemetry.VERSIONS.labels(consumer, result.value).inc()
    return result


def refuse(
    connection: Connection, tables: MessageTables, consumer: str, message_id: str | None, kind: str | None, reason: str
) -> None:
    """Remember why a message was refused, under its id; nothing of the body. A repeat for the same reason adds nothing."""
    values = {
        "consumer": consumer,
        "message_id": _printable(message_id, 200),
        "type": _printable(kind, 200),
        "reason": _printable(reason, 200),
    }
    connection.execute(
        sa.text(
            f"insert into {tables.refusal.fullname} (consumer, message_id, type, reason)"
            " select :consumer, cast(:message_id as text), cast(:type as text), :reason"
            f" where not exists (select from {tables.refusal.fullname} before"
            "  where before.consumer = :consumer and before.message_id = :message_id and before.reason = :reason)"
        ),
        values,
    )


def reasons(connection: Connection, tables: MessageTables, message_ids: Sequence[str]) -> dict[str, str]:
    """The latest reason for each of these message ids that was refused."""
    refusal = tables.refusal
    rows = connection.execute(
        sa.select(refusal.c.message_id, refusal.c.reason)
        .where(refusal.c.message_id == sa.any_(sa.literal(list(message_ids), ARRAY(sa.Text))))
        .order_by(refusal.c.id)
    )
    return {row.message_id: row.reason for row in rows}


def latest_reasons(
    connection: Connection, tables: MessageTables, consumer: str, number: int
) -> tuple[dict[str, int], datetime | None]:
    """The reasons of a consumer's latest refusals, each with how often, and when the first of those was."""
    refusal = tables.refusal
    latest = (
        sa.select(refusal.c.reason, refusal.c.refused_at)
        .where(refusal.c.consumer == consumer)
        .order_by(refusal.c.id.desc())
        .limit(number)
        .subquery()
    )
    rows = connection.execute(
        sa.select(
            latest.c.reason, sa.func.count().label("often"), sa.func.min(latest.c.refused_at).label("since")
        ).group_by(latest.c.reason)
    ).all()
    return {row.reason: row.often for row in rows}, min((row.since for row in rows), default=None)


def taken_since(connection: Connection, tables: MessageTables, consumer: str, moment: datetime) -> bool:
    """Whether this consumer has taken any message since then."""
    inbox = tables.inbox
    query = sa.select(sa.literal(1)).where(inbox.c.consumer == consumer, inbox.c.taken_at > moment).limit(1)
    return connection.execute(query).first() is not None


def expire(connection: Connection, tables: MessageTables, older_than: timedelta, limit: int = 5000) -> int:
    """Forget ids taken longer ago than this, at most ``limit`` in one statement; versions and refusals stay."""
    return connection.execute(
        sa.text(
            f"delete from {tables.inbox.fullname} where ctid = any(array(select ctid from {tables.inbox.fullname}"
            " where taken_at < now() - cast(:age as interval) limit :limit))"
        ),
        {"age": older_than, "limit": limit},
    ).rowcount


def _printable(text: str | None, longest: int) -> str | None:
    return None if text is None else _UNPRINTABLE.sub("?", text)[:longest]
