"""How does a person look into a queue? One message after another, each held until it is let go or put back."""

import socket
from collections.abc import Iterator

from crm_outbox.messaging.consumer import connection
from crm_outbox.messaging.delivery import Delivery, delivered


class Held:
    """The messages of one queue, held for a person: each stays there unless it is let go with ``drop``.

    Looking at them this way counts no neighbour's deliveries against a limit that could end them.
    """

    def __init__(self, url: str, queue: str, name: str) -> None:
        self._queue = queue
        self._wire = connection(url, f"{name}@{socket.gethostname()}", heartbeat=0).transport.establish_connection()
        self._channel = self._wire.channel()
        self._channel.auto_decode = False

    def __iter__(self) -> Iterator[Delivery]:
        """What lies in the queue now, in its order; each is held from then on."""
        while (message := self._channel.basic_get(self._queue)) is not None:
            yield delivered(message)

    def drop(self, tag: int) -> None:
        """Take a held message out of the queue for good."""
        self._channel.basic_ack(tag)

    def close(self) -> None:
        """Put back what is still held."""
        try:
            self._channel.close()
        finally:
            self._wire.collect()
