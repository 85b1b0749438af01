"""How do bytes come in and go out? HTTP/1.1 on loopback, a thread a connection, answers broken where so asked."""

import contextlib
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from economic_adapter.sandbox.wire import Answer, Request

LARGEST = 4 * 1024 * 1024
Serve = Callable[[Request], Answer]


class Server(ThreadingHTTPServer):
    """Listens until ``stop``; ``serve`` answers each request."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], serve: Serve, failed: Callable[[str], None]) -> None:
        self.serve = serve
        self.failed = failed
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for one connection."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="sandbox", daemon=True
        )
        self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """The connection is over."""
        self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as inherited
        """A connection that broke is part of the play; anything else is our mistake."""
        if not isinstance(sys.exception(), OSError):
            self.failed(traceback.format_exc())

    def stop(self) -> None:
        """Stops listening, closes every connection, and waits for their threads."""
        self.shutdown()
        self.server_close()
        for connection, thread in list(self._open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def _handle(self) -> None:
        if "transfer-encoding" in self.headers:
            self._send(Answer(411), close=True)
            return
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST:
            self._send(Answer(413), close=True)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        try:
            given = self.server.serve(self._request(body))
        except Exception:  # noqa: BLE001 - the caller gets a 500, the test that runs us hears of it
            self.server.failed(traceback.format_exc())
            given = Answer(500)
        self._send(given)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _handle  # noqa: N815 - the library's names

    def _request(self, body: bytes) -> Request:
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        name, port = self.server.server_address[:2]
        return Request(
            method=self.command,
            path=unquote(target.path),
            query={name.lower(): value for name, value in parse_qsl(target.query, keep_blank_values=True)},
            headers=headers,
            body=body,
            base=f"http://{headers.get('host') or f'{name!s}:{port}'}",
            raw_query=target.query,
        )

    def _send(self, given: Answer, *, close: bool = False) -> None:
        if given.manner == "drop":
            self._abort()
            return
        lines = [f"HTTP/1.1 {given.status} {responses.get(given.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in given.headers.items()]
        if given.status != 204:
            lines.append(f"Content-Length: {len(given.body)}")
        if close:
            lines.append("Connection: close")
            self.close_connection = True
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" else given.body
        match given.manner:
            case "half":
                self.wfile.write(head + body[: len(body) // 2])
                self._abort(gently=True)
            case "drip":
                self.wfile.write(head)
                for at in range(len(body)):
                    time.sleep(given.gap)
                    self.wfile.write(body[at : at + 1])
            case _:
                self.wfile.write(head + body)

    def _abort(self, *, gently: bool = False) -> None:
        """Ends the connection without a (whole) answer; not gently = a reset."""
        self.close_connection = True
        if not gently:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Says nothing: the calls are counted."""
