"""How does a test take the network away? A TCP proxy on loopback that can cut, black-hole, delay and refuse."""

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

from deploy.local import ports


class Proxy:
    """Forwards ``127.0.0.1:port`` to a target; what it does with the traffic may be changed at any time."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._closed = False
        self._delay = 0.0
        self._listener: socket.socket | None = None
        self.accepted = 0
        """How many connections came in."""
        (self.port,) = ports.free(1)  # none that somebody's own connection may get while nobody listens there
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def cut(self) -> None:
        """Reset every open connection; new ones are let through."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.reset()

    def black_hole(self) -> None:
        """Let nothing through, either way, and close nothing: as a cable that was pulled."""
        self._open.clear()

    def delay(self, seconds: float) -> None:
        """Hold every piece of traffic back by that long."""
        self._delay = seconds

    def refuse(self) -> None:
        """Reset what is open and refuse new connections."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        self.cut()

    def restore(self) -> None:
        """Let everything through again, on the same port."""
        self._delay = 0.0
        self._open.set()
        if self._listener is None:
            self._listen()

    def close(self) -> None:
        """End for good."""
        self._closed = True
        self._open.set()
        self.refuse()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                there = socket.create_connection(self._target, timeout=30)
            except OSError:
                _abort(here)
                continue
            there.settimeout(None)
            pair = _Pair(here, there)
            with self._lock:
                self._pairs.append(pair)
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pump, args=(pair, source, sink), daemon=True).start()

    def _pump(self, pair: "_Pair", source: socket.socket, sink: socket.socket) -> None:
        try:
            while (piece := source.recv(65536)) and self._passes(pair):
                if self._delay:
                    time.sleep(self._delay)
                sink.sendall(piece)
            if self._passes(pair):
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pair.reset()
        if pair.cut.is_set():
            _abort(source)
        pair.ended()

    def _passes(self, pair: "_Pair") -> bool:
        """Wait until traffic is let through; false when the connection was cut meanwhile."""
        while not self._open.wait(0.05) and not pair.cut.is_set():
            pass
        return not pair.cut.is_set()


class _Pair:
    """A connection that came in and the one that was made for it."""

    def __init__(self, here: socket.socket, there: socket.socket) -> None:
        self.cut = threading.Event()
        self._both = (here, there)
        self._left = [here, there]

    def reset(self) -> None:
        """Have both ends reset: each thread wakes up and closes its own, since only then a reset goes out."""
        self.cut.set()
        for one in self._both:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RD)

    def ended(self) -> None:
        """Close both once neither direction has anything to say."""
        self._left.pop()
        if not self._left:
            for one in self._both:
                one.close()


def _abort(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
