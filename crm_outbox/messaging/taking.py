"""What becomes of deliveries in the database? A batch in one transaction; if that fails, each by itself.

Ids are taken first, so that an effect happens once however often a message comes. A refused message is never taken:
after its cause is mended, the same message can come again.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from crm_outbox.messaging import inbox, telemetry
from crm_outbox.messaging.database import is_away, is_contended
from crm_outbox.messaging.delivery import Delivery, first_of_each, open_all
from crm_outbox.messaging.envelope import Envelope, Refused, Registry
from crm_outbox.messaging.tables import MessageTables

log = structlog.get_logger(__name__)

Handle = Callable[[Connection, Envelope], None]
"""The effect of one message, in the batch's transaction. ``Refused`` refuses it; anything else is tried again."""


class Again(Exception):
    """A transaction must begin anew, because something has to be locked before what it has locked; nothing was settled."""


Prepare = Callable[[Connection, Sequence[Envelope], Collection[Again]], None]
"""What a batch's transaction does before the first message: it is given all of them, and why it began anew before."""


def unprepared(_connection: Connection, _envelopes: Sequence[Envelope], _again: Collection[Again]) -> None:
    """What is done before a batch unless told otherwise."""


TRIES = 3
_ANEW = 20
"""Each time a transaction begins anew it knows more of what it must lock first."""
_PAUSES = (0.1, 0.4)


class Away(Exception):
    """PostgreSQL cannot be reached or cannot work; nothing was settled."""


class Absence:
    """How long PostgreSQL has been away, said in the log when it begins and when it ends."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self.since: float | None = None

    def note(self) -> float:
        """It is away; for how many seconds by now."""
        now = time.monotonic()
        if self.since is None:
            self.since = now
            log.warning("consumer.database_away", consumer=self._consumer)
        return now - self.since

    def over(self) -> None:
        """It answered."""
        if self.since is not None:
            log.info("consumer.database_back", consumer=self._consumer, seconds=round(time.monotonic() - self.since, 1))
            self.since = None


class Settled(StrEnum):
    """What the broker is to be told of a delivery: done, refused for good, or nothing yet."""

    ACK = "ack"
    REJECT = "reject"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """How one consumer takes messages. ``tick`` is called before each one, to keep a connection alive.

    ``prepare`` locks what a batch needs, in order, and ``handle`` raises ``Again`` where it turns out to need more.
    """

    engine: sa.Engine
    tables: MessageTables
    consumer: str
    registry: Registry
    handle: Handle
    tick: Callable[[], None]
    prepare: Prepare = unprepared

    def together(self, deliveries: Sequence[Delivery]) -> list[Settled]:
        """Take a batch in one transaction, committed when this returns. Any exception: nothing of it happened."""
        again: list[Again] = []
        while True:
            try:
                return self._together(deliveries, again)
            except Again as needed:
                if len(again) >= _ANEW:
                    raise
                again.append(needed)

    def _together(self, deliveries: Sequence[Delivery], again: Collection[Again]) -> list[Settled]:
        opened = open_all(deliveries, self.registry)
        first, reused = first_of_each(opened)
        with self.engine.begin() as connection:
            taken = inbox.take(
                connection, self.tables, self.consumer, [(key, one.body_hash) for key, one in first.items()]
            )
            new = [
                one.envelope
                for message_id, one in first.items()
                if message_id in taken.new and one.envelope is not None
            ]
            self.prepare(connection, new, again)
            for envelope in new:
                self._handle(connection, envelope)
            refused = [(one, one.reason) for one in opened if one.envelope is None]
            refused += [(one, "id_reuse") for one in reused]
            refused += [(first[message_id], "id_reuse") for message_id in taken.reused]
            for one, reason in refused:
                self._refuse(connection, one.delivery, reason)
        rejected = {one.delivery.tag: reason for one, reason in refused}
        for reason in rejected.values():
            self._count_refusal(reason)
        self._count("taken", len(taken.new))
        self._count("repeated", len(opened) - len(taken.new) - len(rejected))
        return [Settled.REJECT if one.tag in rejected else Settled.ACK for one in deliveries]

    def alone(self, delivery: Delivery) -> Settled:
        """Take one delivery by itself: tried three times, then refused as ``failed:<Class>``, with its reason kept.

        Where only another transaction was in the way it is left for later, and not counted. ``Away`` when PostgreSQL is.
        """
        for tries in range(1, TRIES + 1):
            try:
                return self.together([delivery])[0]
            except Refused as refusal:
                return self._reject(delivery, refusal.reason)
            except Exception as error:
                if is_away(error):
                    raise Away from error
                if is_contended(error):
                    return Settled.LATER
                log.exception("consumer.failed", message=delivery.message_id, type=delivery.type, tries=tries)
                if tries == TRIES:
                    return self._reject(delivery, f"failed:{type(error).__name__}")
            time.sleep(_PAUSES[tries - 1])
            self.tick()
        raise AssertionError("unreachable")

    def ready(self) -> bool:
        """Whether PostgreSQL answers and takes writes."""
        try:
            with self.engine.connect() as connection:
                return connection.execute(sa.text("select not pg_is_in_recovery()")).scalar_one() is True
        except Exception as error:
            if is_away(error):
                return False
            raise

    def _handle(self, connection: Connection, envelope: Envelope) -> None:
        self.tick()
        with structlog.contextvars.bound_contextvars(message=str(envelope.id), correlation=envelope.correlation):
            self.handle(connection, envelope)

    def _reject(self, delivery: Delivery, reason: str) -> Settled:
        try:
            with self.engine.begin() as connection:
                self._refuse(connection, delivery, reason)
        except Exception as error:
            if is_away(error):
                raise Away from error
            if is_contended(error):
                return Settled.LATER
            raise
        self._count_refusal(reason)
        return Settled.REJECT

    def _refuse(self, connection: Connection, delivery: Delivery, reason: str) -> None:
        inbox.refuse(connection, self.tables, self.consumer, delivery.message_id, delivery.type, reason)
        log.warning("consumer.refused", message=delivery.message_id, type=delivery.type, reason=reason)

    def _count_refusal(self, reason: str) -> None:
        self._count("refused", 1)
        telemetry.REFUSED.labels(self.consumer, reason.partition(":")[0]).inc()

    def _count(self, result: str, number: int) -> None:
        if number:
            telemetry.CONSUMED.labels(self.consumer, result).inc(number)
