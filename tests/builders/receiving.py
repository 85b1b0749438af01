"""Messages as strangers and friends put them on a queue, and a consumer whose effects can be counted."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import amqp
import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging import inbox
from crm_outbox.messaging.consumer import Consumer
from crm_outbox.messaging.duty import Duty
from crm_outbox.messaging.envelope import CONTENT_TYPE, Envelope, MessageType, Registry, Version, Words, encode
from crm_outbox.messaging.settings import Broker
from crm_outbox.tables import messages as tables

CONSUMER = "crm-applier"
INBOUND = f"{CONSUMER}.inbound"
BULK = f"{CONSUMER}.bulk"
NAME = "crm.note.made.v1"


class Note(Words):
    """The words of an invented message type."""

    text: str = ""


REGISTRY = Registry([MessageType(name=NAME, data=Note, exchange="crm.events")])


def note(
    text: str = "", *, subject: str = "note/1", number: int | None = None, message_id: UUID | None = None
) -> Envelope:
    """One message of that type; with ``number`` it carries a version."""
    return Envelope(
        id=message_id or uuid4(),
        type=NAME,
        source="test",
        time=datetime(2026, 1, 31, 8, 0, tzinfo=UTC),
        tenant="tenant-1",
        subject=subject,
        version=None if number is None else Version(1, number),
        data=Note(text=text),
    )


class Post:
    """Puts anything on a queue, as a person with rights would: through ``replay``, confirmed."""

    def __init__(self, broker: Broker) -> None:
        address = broker.address.removeprefix("amqp://")
        self._connection = amqp.Connection(
            address,
            userid="operator",
            password=broker.passwords["operator"],
            virtual_host=broker.vhost,
            confirm_publish=True,
        )
        self._connection.connect()
        self._channel = self._connection.channel()

    def send(self, queue: str, *envelopes: Envelope) -> None:
        """Well-made messages."""
        for envelope in envelopes:
            self.raw(queue, encode(envelope), message_id=str(envelope.id), type=envelope.type)

    def raw(self, queue: str, body: bytes, *, content_type: str | None = CONTENT_TYPE, **properties: Any) -> None:
        """Any bytes with any properties."""
        given = {key: value for key, value in properties.items() if value is not None}
        if content_type is not None:
            given["content_type"] = content_type
        message = amqp.Message(body, delivery_mode=2, **given)
        self._channel.basic_publish_confirm(message, "replay", queue, mandatory=True)

    def close(self) -> None:
        self._connection.collect()


def document(envelope: Envelope, **changes: Any) -> bytes:
    """The body of a message with parts of its document changed; ``None`` removes one."""
    content = json.loads(encode(envelope)) | changes
    return json.dumps({key: value for key, value in content.items() if value is not None}).encode()


class Effects:
    """A handler whose effect is the version watermark of the subject, and which can be told to fail."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        """The texts handled, tries that failed included."""
        self.fail: Callable[[str], Exception | None] = lambda _: None
        self.commits = 0

    def __call__(self, connection: Connection, envelope: Envelope) -> None:
        assert isinstance(envelope.data, Note)
        self.seen.append(envelope.data.text)
        inbox.advance(connection, tables, CONSUMER, envelope.subject, envelope.version or Version(1, 1))
        if (error := self.fail(envelope.data.text)) is not None:
            raise error

    def committed(self) -> None:
        self.commits += 1


def consumer(engine: sa.Engine, broker: Broker, handle: Effects, **other: Any) -> Consumer:
    """A consumer of the applier's queues whose effects are counted."""
    given: dict[str, Any] = {
        "engine": engine,
        "broker": broker,
        "user": CONSUMER,
        "consumer": CONSUMER,
        "registry": REGISTRY,
        "tables": tables,
        "handle": handle,
        "committed": handle.committed,
        "name": "applier",
    }
    return Consumer(**given | other)


def drive(duty: Duty, until: Callable[[], object], within: float = 60.0) -> None:
    """Turn a duty's loop in this thread until something holds."""
    end = time.monotonic() + within
    while not until():
        assert time.monotonic() < end, "the duty did not get there"
        turn = duty.run_once()
        time.sleep(min(turn.wait, 0.2))


@contextmanager
def turning(duty: Duty) -> Iterator[None]:
    """Turn a duty's loop in a thread."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            stop.wait(duty.run_once().wait)
        duty.close()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def refusals(engine: sa.Engine) -> list[tuple[str | None, str]]:
    """Ids and reasons of what was refused, in order."""
    with engine.connect() as connection:
        refusal = tables.refusal
        return [(row.message_id, row.reason) for row in connection.execute(sa.select(refusal).order_by(refusal.c.id))]


def watermarks(engine: sa.Engine) -> dict[str, int]:
    """The effects: the number of every subject."""
    with engine.connect() as connection:
        return {row.aggregate: row.number for row in connection.execute(sa.select(tables.watermark))}


def taken(engine: sa.Engine) -> int:
    """How many messages are in the inbox."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.inbox)) or 0


class Depths:
    """How many messages wait in queues, asked by AMQP, which is never late; held ones are not counted."""

    def __init__(self, broker: Broker, admin: tuple[str, str]) -> None:
        address = broker.address.removeprefix("amqp://")
        self._connection = amqp.Connection(address, userid=admin[0], password=admin[1], virtual_host=broker.vhost)
        self._connection.connect()
        self._channel = self._connection.channel()

    def __call__(self, queue: str) -> int:
        return int(self._channel.queue_declare(queue, passive=True).message_count)

    def close(self) -> None:
        self._connection.collect()
