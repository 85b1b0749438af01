"""What does messaging remember? The same tables for any schema.

``outbox`` only grows and is cut into days; whatever changes or vanishes quickly is in the small ``outbox_pending``.
"""

from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTables:
    """The messaging tables of one schema."""

    schema: str
    outbox: sa.Table
    pending: sa.Table
    parked: sa.Table
    broker: sa.Table
    settled: sa.Table
    inbox: sa.Table
    watermark: sa.Table
    refusal: sa.Table


def message_tables(metadata: sa.MetaData, schema: str) -> MessageTables:
    """Declare the messaging tables of a schema, as ``deploy/migrations/messaging_0001.sql`` creates them."""
    now = sa.func.now()
    moment = sa.TIMESTAMP(timezone=True)
    outbox = sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Sequence("outbox_id", schema=schema), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True, server_default=sa.text("((now() at time zone 'UTC')::date)")),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("must_route", sa.Boolean, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("traceparent", sa.Text),
        sa.Column("time", moment, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Index("outbox_message_id", "message_id"),
        schema=schema,
        postgresql_partition_by="range (day)",
    )
    pending = sa.Table(
        "outbox_pending",
        metadata,
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("since", moment, nullable=False, server_default=now),
        schema=schema,
    )
    parked = sa.Table(
        "parked",
        metadata,
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("parked_at", moment, nullable=False, server_default=now),
        schema=schema,
    )
    broker = sa.Table(
        "broker",
        metadata,
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("broker", sa.Uuid, nullable=False),
        sa.Column("known_since", moment, nullable=False, server_default=now),
        schema=schema,
    )
    settled = sa.Table(
        "settled",
        metadata,
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("hour", moment, primary_key=True),
        sa.Column("lowest", sa.BigInteger, nullable=False),
        schema=schema,
    )
    inbox = sa.Table(
        "inbox",
        metadata,
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Uuid, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("taken_at", moment, nullable=False, server_default=now),
        sa.Index("inbox_taken_at", "taken_at", postgresql_using="brin"),
        schema=schema,
    )
    watermark = sa.Table(
        "watermark",
        metadata,
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("aggregate", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        schema=schema,
    )
    refusal = sa.Table(
        "refusal",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("refused_at", moment, nullable=False, server_default=now),
        sa.Index("refusal_message_id", "message_id"),
        schema=schema,
    )
    return MessageTables(
        schema=schema,
        outbox=outbox,
        pending=pending,
        parked=parked,
        broker=broker,
        settled=settled,
        inbox=inbox,
        watermark=watermark,
        refusal=refusal,
    )
