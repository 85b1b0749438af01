"""How does a test take the network away? A TCP proxy on loopback that can cut, black-hole, delay and refuse."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards ``127.0.0.1:port`` to a target; what it does with the traffic may be changed at any time."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._closed = False
        self._delay = 0.0
        self._listener: socket.socket | None = None
        self.accepted = 0
        """How many connections came in."""
        self.port = 0
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
            for one in pair:
                _reset(one)

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
        self.port = listener.getsockname()[1]
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
                there = socket.create_connection(self._target, timeout=5)
            except OSError:
                _reset(here)
                continue
            there.settimeout(None)
            with self._lock:
                self._pairs.append((here, there))
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self._open.wait()
                if self._delay:
                    time.sleep(self._delay)
                sink.sendall(piece)
            self._open.wait()
            sink.shutdown(socket.SHUT_WR)
            return
        _reset(sink)


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
