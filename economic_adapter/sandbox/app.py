"""Where does a request go, and how is the sandbox started? The API, the control room or the pages; in a thread."""

import threading
from dataclasses import dataclass

from economic_adapter.sandbox import api, control, page
from economic_adapter.sandbox.data import Data
from economic_adapter.sandbox.server import Server
from economic_adapter.sandbox.wire import Answer, Request


def handle(data: Data, request: Request) -> Answer:
    """One request of any kind."""
    first = request.segments[:1]
    if first == ["_sandbox"]:
        return control.serve(data, request)
    if page.owns(first):
        return page.serve(data, request)
    return api.serve(data, request)


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers at ``url``."""

    url: str
    data: Data
    server: Server
    thread: threading.Thread

    @property
    def host(self) -> str:
        """``127.0.0.1:port``, as allow lists name it."""
        return self.url.removeprefix("http://")

    def close(self) -> None:
        """Stops answering and sending; may be repeated."""
        if self.data.closing.is_set():
            return
        self.data.closing.set()
        self.server.stop()
        self.data.outgoing.close()
        self.thread.join(timeout=5)


def serve(data: Data | None = None, port: int = 0, host: str = "127.0.0.1") -> Running:
    """Starts a sandbox in threads; port 0 takes a free one. Raises ``OSError`` when the port is taken."""
    data = data or Data()
    server = Server((host, port), lambda request: handle(data, request), data.errors.append)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox-listen", daemon=True)
    thread.start()
    data.outgoing.start()
    return Running(f"http://{host}:{server.server_address[1]}", data, server, thread)
