"""Somebody who takes webhooks: answers as told and keeps what came."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from economic_adapter.sandbox.server import Server
from economic_adapter.sandbox.wire import Answer, Request


@dataclass
class Receiver:
    """``statuses`` are the answers to the next calls, then 200; ``got`` what came, in order."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[Request] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, request: Request) -> Answer:
        with self._came:
            self.got.append(request)
            self.at.append(time.monotonic())
            self._came.notify_all()
            return Answer(self.statuses.pop(0) if self.statuses else 200)

    def wait(self, count: int, within: float = 30) -> list[str]:
        """The bodies, once so many have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.got) >= count, within), f"{len(self.got)} of {count} came"
            return [request.body.decode() for request in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens on loopback."""
    receiver = Receiver()
    errors: list[str] = []
    server = Server(("127.0.0.1", 0), receiver.answer, errors.append)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/secret"
    try:
        yield receiver
    finally:
        server.stop()
        thread.join(5)
    assert errors == []
