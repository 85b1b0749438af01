"""What passes on the bus just now? A queue of this moment's own, which gets a copy of everything and is gone with us."""

import socket
from collections import deque
from collections.abc import Iterable, Iterator
from secrets import token_hex
from typing import Any, Final

from crm_outbox.messaging.consumer import connection

USER: Final = "tail"
EXCHANGES: Final = ("crm.events", "crm.commands", "economic.events", "economic.commands", "sync.events")
_MOST: Final = 10_000
"""Messages that wait for us at most; the oldest go first, so that a slow reader holds nothing up."""


class Passing:
    """The bodies of all messages from now on; nobody else gets one less."""

    def __init__(self, url: str, exchanges: Iterable[str] = EXCHANGES) -> None:
        self._wire = connection(url, f"{USER}@{socket.gethostname()}", heartbeat=0).transport.establish_connection()
        self._channel = self._wire.channel()
        self._channel.auto_decode = False
        queue = f"tail.{token_hex(6)}"
        limits = {"x-max-length": _MOST, "x-overflow": "drop-head"}
        self._channel.queue_declare(queue, exclusive=True, auto_delete=True, arguments=limits)
        for exchange in exchanges:
            self._channel.queue_bind(queue, exchange, "#")
        self._came: deque[bytes] = deque()
        self._channel.basic_consume(queue, no_ack=True, callback=self._keep)

    def within(self, seconds: float) -> Iterator[bytes]:
        """What comes until nothing came for so long."""
        while True:
            while self._came:
                yield self._came.popleft()
            try:
                self._wire.drain_events(timeout=seconds)
            except TimeoutError:
                return

    def close(self) -> None:
        """Leave; the queue goes with the connection."""
        self._wire.collect()

    def _keep(self, message: Any) -> None:
        body = message.body
        self._came.append(body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass"))
