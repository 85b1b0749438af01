"""How does a lane of the outbox empty into the broker? Read a batch, publish it, hear how it ended, settle.

Several batches are in flight at a time and no transaction is open meanwhile. What is uncertain is sent again: consumers
take a message once. A message that must route and does not, or that is refused, holds its lane and nothing else.
"""

import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import sqlalchemy as sa
import structlog

from crm_outbox.messaging import frames, greeting, telemetry
from crm_outbox.messaging.duty import Turn
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.frames import Outgoing
from crm_outbox.messaging.pauses import Pauses
from crm_outbox.messaging.pending import Pending
from crm_outbox.messaging.publisher import Publisher, Unreachable
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.settlement import BROKEN_TOPOLOGY, Closed, Sent, Verdict, Window, settle, to_probe
from crm_outbox.messaging.tables import MessageTables

BUSY, IDLE = 0.02, 0.1
"""Seconds between two looks at the outbox while there was something lately, and while there was not."""
QUICK = 0.02
"""A look below the last row that takes no longer (seconds) comes with every look."""
PATIENT = 0.25
"""One that takes no longer (seconds) comes with every batch that has something to send: order is worth that much."""
STAND_BY = 1.0
BATCH_BYTES = 4 * 1024 * 1024
CONFIRM_WITHIN = 60.0
"""Seconds without a word about what is in flight, the broker not blocking, after which a connection is given up."""

log = structlog.get_logger(__name__)


class Relay:
    """The duty of one lane. Only the holder of the lane's lock works; others stand by and look every second."""

    def __init__(
        self,
        engine: sa.Engine,
        tables: MessageTables,
        broker: Broker,
        user: str,
        lane: Lane,
        name: str,
        window: int = 1500,
        batch: int = 500,
        *,
        meet: Callable[[], UUID] | None = None,
        heartbeat: int = 20,
        longest_pause: float = 30.0,
    ) -> None:
        """``name`` is the duty's, shown by the broker; ``meet`` is asked about a broker that is not the known one."""
        self._engine, self._tables, self._lane = engine, tables, lane
        self._publisher_to = partial(
            Publisher, broker.url(user), name=f"{name}.{lane}@{socket.gethostname()}", heartbeat=heartbeat
        )
        self._meet = meet or partial(greeting.meet, broker, user)
        self._most, self._batch = window, batch
        self._labels = (tables.schema, str(lane))
        self._log = log.bind(schema=tables.schema, lane=str(lane))
        self._lost, self._held_back = Pauses(0.1, min(5.0, longest_pause)), Pauses(0.5, longest_pause)
        self._connection: sa.Connection | None = None
        self._pending: Pending | None = None
        self._publisher: Publisher | None = None
        self._greeted = False
        self._window = Window()
        self._batches: deque[tuple[int, float]] = deque()
        self._confirmed: list[int] = []
        self._refused: set[int] = set()
        self._suspects: set[int] = set()
        self._resume = self._look_at = self._below_at = self._worked_at = 0.0
        self._heard_at = self._confirmed_at = self._below_took = 0.0
        self._last = 0

    def run_once(self) -> Turn:
        """A tenth of a second of work, or of waiting for some. Raises when the database fails; then make another."""
        pending = self._hold()
        if pending is None:
            return Turn(wait=STAND_BY)
        worked, end = 0, time.monotonic() + IDLE
        while (now := time.monotonic()) < end:
            if self._publisher is None and not self._open(pending):
                return Turn(worked, max(0.0, min(self._resume - now, 1.0)))
            if self._publisher is not None:
                worked += self._step(pending, self._publisher, end)
        return Turn(worked)

    def close(self) -> None:
        """Give up the lane; what is in flight is sent again by whoever holds it next."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            # The lock is the session's, so the session ends here and does not go back to a pool.
            connection.invalidate()
            connection.close()

    def _hold(self) -> Pending | None:
        if self._pending is not None:
            return self._pending
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        pending = Pending(self._connection, self._tables, self._lane)
        if not pending.take_lane():
            return None
        pending.prepare()
        self._pending = pending
        self._log.info("relay.holds_lane")
        return pending

    def _open(self, pending: Pending) -> bool:
        """Connect and greet; false when that has to wait."""
        if time.monotonic() < self._resume:
            return False
        known = pending.known_broker()
        if known is None and not self._new_broker(pending, None):
            return False
        try:
            publisher = self._publisher_to()
        except Unreachable as error:
            self._pause(self._lost)
            self._log.warning("relay.broker_away", reason=str(error))
            return False
        self._publisher, self._greeted = publisher, False
        self._dispatch(publisher, [greeting.message(known or pending.known_broker())])
        return True

    def _new_broker(self, pending: Pending, known: UUID | None) -> bool:
        """Refill a broker that is not the known one; false, loudly, while it is not ready."""
        try:
            found = self._meet()
        except greeting.NotMet as error:
            self._pause(self._held_back)
            self._log.error("relay.broker_not_met", problems=error.problems)
            return False
        if found == known:
            self._pause(self._held_back)
            self._log.error("relay.broker_does_not_answer", broker=str(found))
            return False
        self._log.warning("relay.new_broker", broker=str(found), before=str(known), again=pending.refill(found))
        return True

    def _step(self, pending: Pending, publisher: Publisher, end: float) -> int:
        heard = self._hear(pending, publisher)
        if self._publisher is None:
            return self._settle(pending, at_once=True)
        sent = self._send(pending, publisher)
        late = time.monotonic() - self._confirmed_at > BUSY
        settled = self._settle(pending, at_once=late or not self._window.waiting)
        if not (heard or sent or settled):
            now = time.monotonic()
            due = now + IDLE if self._is_full(publisher) else max(self._look_at, self._resume)
            publisher.wait(min(due, end, now + (BUSY if self._confirmed else IDLE)) - now, pending.fileno)
            if pending.rang():
                self._look_at = 0.0
        return settled

    def _hear(self, pending: Pending, publisher: Publisher) -> bool:
        was_blocked = publisher.blocked
        events = publisher.hear()
        now = time.monotonic()
        if publisher.blocked != was_blocked:
            telemetry.BLOCKED.labels(*self._labels).set(publisher.blocked)
            self._log.warning("relay.blocked" if publisher.blocked else "relay.unblocked")
        if events or publisher.blocked:
            self._heard_at = now
        elif self._window.waiting and now - self._heard_at > CONFIRM_WITHIN:
            events = [Closed(0, "no confirm")]
        if not events:
            return False
        self._window, verdict = settle(self._window, events)
        first_open = next(iter(self._window.waiting), None)
        while self._batches and (first_open is None or self._batches[0][0] < first_open):
            telemetry.CONFIRM_SECONDS.labels(*self._labels).observe(now - self._batches.popleft()[1])
        if not self._greeted:
            self._greet(pending, publisher, verdict)
        else:
            self._judge(pending, verdict)
        return True

    def _greet(self, pending: Pending, publisher: Publisher, verdict: Verdict) -> None:
        if verdict.settled:
            self._greeted = True
            self._lost.reset()
            self._look_at = 0.0
        elif greeting.is_stranger(verdict):
            self._drop(publisher)
            self._new_broker(pending, pending.known_broker())
        elif verdict.closed is not None or verdict.refused:
            self._drop(publisher)
            self._pause(self._lost)
            self._log.warning("relay.broker_lost", closed=verdict.closed, refused=dict(verdict.refused))

    def _judge(self, pending: Pending, verdict: Verdict) -> None:
        if verdict.settled:
            if not self._confirmed:
                self._confirmed_at = time.monotonic()
            self._confirmed += verdict.settled
            self._suspects.difference_update(verdict.settled)
            self._refused.difference_update(verdict.settled)
            if not self._refused:
                self._held_back.reset()
        if verdict.refused:
            self._refused.update(message for message, _ in verdict.refused)
            self._pause(self._held_back)
            self._below_at = 0.0
            self._count("refused", len(verdict.refused))
            reasons = sorted(set(dict(verdict.refused).values()))
            self._log.error("relay.refused", count=len(verdict.refused), reasons=reasons, first=verdict.refused[0][0])
        if verdict.closed is not None and self._publisher is not None:
            self._drop(self._publisher)
            self._closed(pending, verdict, verdict.closed)

    def _closed(self, pending: Pending, verdict: Verdict, closed: Closed) -> None:
        self._count("unknown", len(verdict.suspect))
        if not to_probe(verdict):
            broken = closed.code in BROKEN_TOPOLOGY
            self._pause(self._held_back if broken else self._lost)
            say = self._log.error if broken else self._log.warning
            say("relay.topology_broken" if broken else "relay.broker_lost", code=closed.code, reason=closed.text)
        elif len(verdict.suspect) == 1:
            self._park(pending, verdict.suspect[0].id, f"closed_{closed.code}")
        else:
            self._suspects = {sent.id for sent in verdict.suspect}
            self._log.warning("relay.suspects", count=len(self._suspects), code=closed.code, reason=closed.text)

    def _is_full(self, publisher: Publisher) -> bool:
        flying = len(self._window.waiting)
        full = flying > 0 if self._suspects else flying + self._batch > max(self._most, self._batch)
        return full or not self._greeted or publisher.blocked or publisher.is_writing

    def _send(self, pending: Pending, publisher: Publisher) -> int:
        now = time.monotonic()
        if self._is_full(publisher) or now < max(self._resume, self._look_at):
            return 0
        messages = self._next(pending, now)
        faults = {message.id: fault for message in messages if (fault := frames.fault(message)) is not None}
        for message_id, fault in faults.items():
            self._park(pending, message_id, fault)
        self._dispatch(publisher, [message for message in messages if message.id not in faults] if faults else messages)
        if messages:
            self._worked_at = now
        if len(messages) < self._batch and not self._suspects:
            self._look_at = now + (BUSY if now - self._worked_at < 1.0 else IDLE)
        return len(messages)

    def _next(self, pending: Pending, now: float) -> list[Outgoing]:
        if self._suspects:
            if not (found := pending.these(self._suspects, 1, BATCH_BYTES)):
                self._suspects.clear()
            return found
        found = pending.after(self._last, self._batch, BATCH_BYTES)
        # Below the last one stands what committed late, or was refused, or is replayed. It goes first. Asked after what
        # is above was read, it holds every earlier version of what was read: so order holds within an aggregate.
        due = now >= self._below_at or (found and self._below_took <= PATIENT)
        if due and (late := self._late(pending)):
            return pending.these(late, self._batch, BATCH_BYTES)
        if found:
            self._last = max(self._last, found[-1].id)
        return found

    def _late(self, pending: Pending) -> list[int]:
        known = {sent.id for sent in self._window.waiting.values()}.union(self._confirmed)
        asked = time.monotonic()
        below = pending.below(self._last, len(known) + self._batch)
        took = self._below_took = time.monotonic() - asked
        # Dead rows that nobody may remove yet (an old snapshot somewhere) can make this slow, so then it gets a share;
        # beyond all patience a late commit may be overtaken by its own next version, which consumers ignore as older.
        self._below_at = asked + min(1.0, 20 * took) if took > QUICK else 0.0
        return [message for message in below if message not in known]

    def _dispatch(self, publisher: Publisher, messages: Sequence[Outgoing]) -> None:
        if not messages:
            return
        if not self._window.waiting:
            self._heard_at = time.monotonic()
        first = publisher.send(messages)
        self._window = self._window.sent(first, [Sent(message.id, message.message_id) for message in messages])
        self._batches.append((first + len(messages) - 1, time.monotonic()))

    def _settle(self, pending: Pending, *, at_once: bool) -> int:
        count = len(self._confirmed)
        if not count or not (at_once or count >= self._batch):
            return 0
        pending.settle(self._confirmed)
        self._count("confirmed", count)
        self._confirmed = []
        return count

    def _park(self, pending: Pending, message: int, reason: str) -> None:
        pending.park(message, reason)
        self._suspects.discard(message)
        self._count("parked", 1)
        self._log.error("relay.parked", id=message, reason=reason)

    def _drop(self, publisher: Publisher) -> None:
        """Throw the connection away, with what is uncertain on it."""
        publisher.collect()
        self._publisher, self._window = None, Window()
        self._last, self._below_at = 0, 0.0
        self._batches.clear()
        telemetry.BLOCKED.labels(*self._labels).set(0)

    def _pause(self, pauses: Pauses) -> None:
        self._resume = time.monotonic() + pauses.next()

    def _count(self, result: str, number: int) -> None:
        telemetry.PUBLISHED.labels(*self._labels, result).inc(number)
