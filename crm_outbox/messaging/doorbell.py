"""How does a relay hear at once that there is work? A ring after the commit, which may be lost."""

import threading

import sqlalchemy as sa
import structlog

SHORTEST_GAP = 0.005
"""Seconds between two rings of one process: a busy relay looks by itself, and every ring is a small commit."""

log = structlog.get_logger(__name__)


def channel(schema: str) -> str:
    """The name on which the relays of a schema listen."""
    return f"outbox_{schema}"


class Doorbell:
    """Rings for the relays of one schema from a connection and a thread of its own, started by the first ring.

    Never a NOTIFY in the business transaction: those commits would queue behind one lock of the whole server. Rings
    that come close together become one. A lost ring costs one poll of the relay.
    """

    def __init__(self, engine: sa.Engine, schema: str) -> None:
        self._engine = engine
        self._notify = sa.text(f"notify {channel(schema)}")
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Say that something was committed. Returns at once, never raises, may be called from any thread."""
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                    self._thread.start()
        self._rung.set()

    def close(self) -> None:
        """Stop ringing; waits for the ring in hand, at most 5 seconds."""
        self._closed.set()
        self._rung.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    self._ring_on(connection)
            except sa.exc.SQLAlchemyError as error:
                log.warning("doorbell.lost", error=type(error).__name__)
                self._closed.wait(1)

    def _ring_on(self, connection: sa.Connection) -> None:
        while self._rung.wait() and not self._closed.is_set():
            self._rung.clear()
            connection.execute(self._notify)
            self._closed.wait(SHORTEST_GAP)
