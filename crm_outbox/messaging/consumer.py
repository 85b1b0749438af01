"""How do messages come from RabbitMQ? Narrow, then wide; a batch is committed, then acknowledged. The receiving wire.

Two queues, each on a channel of its own: ``inbound`` first, ``bulk`` when nothing is there or one time in ten. A
consumer starts with one message at a time and only after a commit takes a batch's worth, and opens ``bulk`` only once
``inbound`` is known to be harmless: in a crash loop only the message at fault counts up its deliveries.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import sqlalchemy as sa
import structlog
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed
from kombu.connection import Connection
from kombu.entity import Queue

from crm_outbox.messaging import telemetry
from crm_outbox.messaging.database import is_away
from crm_outbox.messaging.delivery import Delivery, delivered
from crm_outbox.messaging.duty import Turn, pause
from crm_outbox.messaging.envelope import Registry
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.tables import MessageTables
from crm_outbox.messaging.taking import Absence, Away, Handle, Prepare, Settled, Taking, unprepared

log = structlog.get_logger(__name__)

HEARTBEAT = 30
IDLE_SECONDS = 1.0
PATIENCE = 300.0
"""Seconds PostgreSQL may be away before the connection to the broker is given up, and opened again only after it."""
_BULK_TURN = 10
_ON_ITS_WAY = 0.005
_LONGEST_WAIT = 5.0
_CONFIGURATION = (AccessRefused, NotAllowed, NotFound, PreconditionFailed)


@dataclass(slots=True)
class _Lane:
    queue: str
    channel: Any = None
    waiting: deque[Delivery] = field(default_factory=deque)
    wide: bool = False


BROKEN = (AMQPError, OSError)
"""What a connection raises that cannot be made, or was lost."""


def nothing() -> None:
    """What a consumer does after a commit unless told otherwise."""


class Consumer:
    """A duty: takes the messages of ``<consumer>.inbound`` and ``.bulk`` and lets ``handle`` have their effect once.

    Declares nothing, requeues nothing, logs no body. ``committed`` is called after each commit and may be lost.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        broker: Broker,
        user: str,
        consumer: str,
        registry: Registry,
        tables: MessageTables,
        handle: Handle,
        name: str,
        committed: Callable[[], None] = nothing,
        prepare: Prepare = unprepared,
        batch: int = 50,
        patience: float = PATIENCE,
    ) -> None:
        self._url = broker.url(user)
        self._consumer = consumer
        self._tag = f"{name}@{socket.gethostname()}"
        self._committed = committed
        self._batch = batch
        self._patience = patience
        self._taking = Taking(
            engine=engine,
            tables=tables,
            consumer=consumer,
            registry=registry,
            handle=handle,
            tick=self._tick,
            prepare=prepare,
        )
        self._wire: Any = None
        self._inbound = _Lane(f"{consumer}.inbound")
        self._bulk = _Lane(f"{consumer}.bulk")
        self._since_bulk = 0
        self._inbound_taken = 0.0
        self._failures = 0
        self._absence = Absence(consumer)
        self._ticked = 0.0

    def run_once(self) -> Turn:
        """Take at most one batch. A broken connection or an absent database becomes a wait, logged and counted."""
        try:
            if self._wire is None and not self._open():
                return Turn(wait=self._wait())
            return self._turn()
        except (AMQPError, OSError, UnicodeError) as error:
            # UnicodeError: a name in a delivery was no text. Its message counts up alone, and the broker ends it.
            self._lost(error)
            return Turn(wait=self._wait(_LONGEST_WAIT if isinstance(error, _CONFIGURATION) else 0.0))

    def close(self) -> None:
        """Leave the broker; what was not settled is delivered again."""
        wire = self._forget()
        if wire is None:
            return
        try:
            wire.sock.settimeout(2.0)
            wire.close()
        except (AMQPError, OSError, AttributeError):
            log.info("consumer.left_without_goodbye")
        finally:
            wire.collect()

    def _open(self) -> bool:
        if not self._taking.ready():
            self._note_away()
            return False
        # Made without kombu's retries, and used without its wrapper, which would quietly connect anew without consumers.
        self._wire = connection(self._url, self._tag, HEARTBEAT).transport.establish_connection()
        self._consume(self._inbound, prefetch=1)
        self._back()
        log.info("consumer.connected", queue=self._inbound.queue)
        return True

    def _turn(self) -> Turn:
        self._drain(0.0 if self._inbound.waiting or self._bulk.waiting else IDLE_SECONDS)
        self._look_for_inbound()
        self._wire.heartbeat_tick()
        if self._bulk.channel is None and (self._inbound.wide or not self._inbound.waiting):
            self._consume(self._bulk, prefetch=1)
        lane = self._next()
        if lane is None:
            return Turn()
        batch = list(islice(lane.waiting, self._batch))
        try:
            settled = self._take(lane, batch)
        except Away:
            self._note_away()
            return Turn(wait=self._wait())
        if lane is self._inbound:
            self._inbound_taken = time.monotonic()
        self._back()
        self._failures = 0 if settled else self._failures + 1
        return Turn(settled, 0.0 if settled else min(self._wait(), _LONGEST_WAIT))

    def _drain(self, wait: float) -> None:
        """Buffer what has come, waiting for a first message; the callback only buffers, so a time-out is no message."""
        while wait > 0.0 or self._readable():
            try:
                # Never a time-out of 0: py-amqp then loses the part of a frame it has read.
                self._wire.drain_events(timeout=wait or 0.05)
            except TimeoutError:
                return
            wait = 0.0

    def _look_for_inbound(self) -> None:
        """Right after a batch of inbound the next may be on its way: bulk yields to that too, for a moment."""
        end = self._inbound_taken + _ON_ITS_WAY
        while self._bulk.waiting and not self._inbound.waiting and (left := end - time.monotonic()) > 0.0:
            self._drain(left)

    def _readable(self) -> bool:
        stream = self._wire.sock
        if callable(pending := getattr(stream, "pending", None)) and pending():
            return True
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        return bool(poll.poll(0))

    def _next(self) -> _Lane | None:
        bulk_is_due = self._since_bulk >= _BULK_TURN - 1 or not self._inbound.waiting
        if self._bulk.waiting and bulk_is_due:
            self._since_bulk = 0
            return self._bulk
        if not self._inbound.waiting:
            return None
        self._since_bulk += 1
        return self._inbound

    def _take(self, lane: _Lane, batch: list[Delivery]) -> int:
        started = time.monotonic()
        try:
            settled = self._taking.together(batch)
        except Exception as error:
            if is_away(error):
                raise Away from error
            log.info("consumer.singly", queue=lane.queue, messages=len(batch), error=type(error).__name__)
            return self._take_singly(lane, batch)
        telemetry.BATCH_SECONDS.labels(self._consumer, lane.queue).observe(time.monotonic() - started)
        self._settle(lane, batch, settled)
        self._after_commit()
        return len(batch)

    def _take_singly(self, lane: _Lane, batch: list[Delivery]) -> int:
        done = 0
        for delivery in batch:
            settled = self._taking.alone(delivery)
            if settled is not Settled.LATER:
                self._settle(lane, [delivery], [settled])
                self._after_commit()
                done += 1
        return done

    def _settle(self, lane: _Lane, batch: Sequence[Delivery], settled: Sequence[Settled]) -> None:
        """Tell the broker. ``multiple`` is safe for a whole prefix of what waits, and used for nothing else."""
        narrow = not lane.wide
        if narrow:
            lane.channel.basic_cancel(self._tag)
        whole = len(batch) > 1
        acked = [one.tag for one, result in zip(batch, settled, strict=True) if result is Settled.ACK]
        for one, result in zip(batch, settled, strict=True):
            if result is Settled.REJECT:
                lane.channel.basic_reject(one.tag, requeue=False)
        if acked:
            lane.channel.basic_ack(acked[-1], multiple=whole)
        gone = {one.tag for one in batch}
        lane.waiting = deque(one for one in lane.waiting if one.tag not in gone)
        if narrow:
            lane.wide = True
            # Twice a batch: with one, nothing of inbound would lie here when it is asked whether bulk must yield.
            self._consume(lane, prefetch=2 * self._batch)

    def _consume(self, lane: _Lane, prefetch: int) -> None:
        if lane.channel is None:
            lane.channel = self._wire.channel()
            lane.channel.auto_decode = False
        lane.channel.basic_qos(0, prefetch, False)
        # kombu's own Consumer would unpack a compressed body before anyone could refuse it.
        Queue(lane.queue, channel=lane.channel, no_declare=True).consume(
            self._tag, callback=lambda message: lane.waiting.append(delivered(message))
        )

    def _after_commit(self) -> None:
        try:
            self._committed()
        except Exception:
            log.exception("consumer.committed_failed")

    def _tick(self) -> None:
        now = time.monotonic()
        if self._wire is None or now - self._ticked < HEARTBEAT / 4:
            return
        self._ticked = now
        try:
            self._wire.send_heartbeat()
        except (AMQPError, OSError):
            log.info("consumer.heartbeat_not_sent")

    def _note_away(self) -> None:
        self._failures += 1
        if self._absence.note() > self._patience and self._wire is not None:
            log.warning("consumer.waits_for_database", queue=self._inbound.queue)
            self.close()

    def _back(self) -> None:
        self._absence.over()
        self._failures = 0

    def _lost(self, error: Exception) -> None:
        wire = self._forget()
        if wire is not None:
            wire.collect()
        self._failures += 1
        telemetry.CONSUMER_LOST.labels(self._consumer, type(error).__name__).inc()
        says = str(getattr(error, "reply_text", "") or error)[:200]
        if isinstance(error, _CONFIGURATION):
            log.error("consumer.configuration", queue=self._inbound.queue, error=type(error).__name__, says=says)
        else:
            log.warning("consumer.connection_lost", queue=self._inbound.queue, error=type(error).__name__, says=says)

    def _forget(self) -> Any:
        """Drop what belongs to a connection: channels, and messages whose tags mean nothing on another one."""
        wire, self._wire = self._wire, None
        self._inbound = _Lane(self._inbound.queue)
        self._bulk = _Lane(self._bulk.queue)
        return wire

    def _wait(self, least: float = 0.0) -> float:
        return max(least, min(pause(max(self._failures, 1)), _LONGEST_WAIT))


def connection(url: str, name: str, heartbeat: int) -> Connection:
    """A connection still to be established, shown by the broker under that name."""
    return Connection(
        url,
        heartbeat=heartbeat,
        connect_timeout=5,
        transport_options={
            "client_properties": {"connection_name": name, "product": "clickmate-economic"},
            "write_timeout": 10,
        },
    )
