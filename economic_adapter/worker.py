"""How is the worker woken? dramatiq carries wake-ups that name an agreement; rows in PostgreSQL hold the work.

No global broker, nothing at import. A wake-up may be lost, late or doubled: the clock sends another one while rows are
due. So its queue forgets it after 10 s, dead-letters nothing, and dramatiq retries nothing.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import dramatiq
import sqlalchemy as sa
import structlog
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.middleware import Retries
from pika.exceptions import AMQPError

from crm_outbox.messaging.duty import Turn

log = structlog.get_logger(__name__)

QUEUE = "economic.wake"
STRETCH_SECONDS = 5.0
_FORGET_MILLISECONDS = 10_000
_MOST = 10_000
_STOP_MILLISECONDS = 45_000


class JobsBroker(RabbitmqBroker):
    """dramatiq's broker on quorum queues that forget old wake-ups."""

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:  # noqa: ARG002 - dramatiq's signature
        return {"x-queue-type": "quorum", "x-message-ttl": _FORGET_MILLISECONDS, "x-max-length": _MOST}


def jobs_broker(url: str) -> JobsBroker:
    """A broker of our own; every publish is confirmed and nothing is retried by dramatiq."""
    limits = {"heartbeat": 30, "blocked_connection_timeout": 10, "socket_timeout": 5, "stack_timeout": 10}
    return JobsBroker(url=f"{url}?{urlencode(limits)}", confirm_delivery=True, middleware=[Retries(max_retries=0)])


def declare(broker: JobsBroker, work: Callable[[int, int], None]) -> dramatiq.Actor[[int, int], None]:
    """The one actor: ``wake(agreement, wake)``."""
    return dramatiq.actor(broker=broker, actor_name="wake", queue_name=QUEUE, max_retries=0)(work)


class Waker:
    """Sends wake-ups; owned by one thread, because pika's connections are."""

    def __init__(self, url: str) -> None:
        self._broker = jobs_broker(url)
        self._actor = declare(self._broker, _elsewhere)

    def send(self, agreement: int, wake: int) -> None:
        """One wake-up, confirmed. Raises dramatiq's ``ConnectionClosed`` when the broker is away."""
        self._actor.send(agreement, wake)

    def rest(self) -> int:
        """Answer the broker's heartbeats; a connection found closed is opened anew by the next send. Always 0."""
        if getattr(self._broker.state, "connection", None) is None:
            return 0
        try:
            self._broker.connection.process_data_events(time_limit=0)
        except AMQPError:
            del self._broker.connection
        return 0

    def close(self) -> None:
        """Leave the broker."""
        self._broker.close()


class WorkerLock:
    """This process as others see it: one session advisory lock on a connection of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.key = secrets.randbits(62) | 1
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            self._connection.execute(sa.select(sa.func.pg_advisory_lock(self.key)))
        except BaseException:
            self._connection.close()
            raise

    def check(self) -> None:
        """Raises when the session is gone, and with it the lock."""
        self._connection.execute(sa.select(1))

    def close(self) -> None:
        """Give the lock up. The connection is not kept: a lock must not go back to a pool."""
        self._connection.invalidate()
        self._connection.close()


class Worker:
    """The duty: a dramatiq worker with its threads, alive as long as the lock is held."""

    def __init__(
        self,
        *,
        engine: sa.Engine,
        url: str,
        threads: int,
        step: Callable[[int, int], bool],
        through: Callable[[int, bool], None],
    ) -> None:
        """``step(agreement, worker)`` works one row; ``through(wake, worked)`` says that a wake-up was served."""
        self._stopping = threading.Event()
        self._step, self._through = step, through
        self._lock = WorkerLock(engine)
        self._broker = jobs_broker(url)
        declare(self._broker, self._work)
        self._worker = dramatiq.Worker(self._broker, queues={QUEUE}, worker_timeout=200, worker_threads=threads)
        self._worker.start()
        log.info("worker.started", worker=self._lock.key, threads=threads)

    def run_once(self) -> Turn:
        """Look after the lock; the work itself is done in dramatiq's threads."""
        self._lock.check()
        return Turn(0, 1.0)

    def close(self) -> None:
        """Finish the rows in hand, then leave."""
        self._stopping.set()
        self._worker.stop(timeout=_STOP_MILLISECONDS)
        self._broker.close()
        self._lock.close()

    def _work(self, agreement: int, wake: int) -> None:
        until = time.monotonic() + STRETCH_SECONDS
        worked = False
        try:
            while not self._stopping.is_set() and self._step(agreement, self._lock.key):
                worked = True
                if time.monotonic() > until:
                    break
            self._through(wake, worked)
        except Exception:
            # the row keeps its own account; the wake-up has nothing to add
            log.exception("worker.step_failed", agreement=agreement)


def _elsewhere(_agreement: int, _wake: int) -> None:
    raise AssertionError("wake-ups are served by the worker duty")
