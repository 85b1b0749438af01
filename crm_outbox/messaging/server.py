"""How does the HTTP duty run? uvicorn in a thread of its own, looked after by the duty's loop."""

import socket
import threading

import structlog
import uvicorn
from starlette.types import ASGIApp

from crm_outbox.messaging.duty import Turn

log = structlog.get_logger(__name__)

_LEAVE_SECONDS = 20


class Server:
    """Listens from the moment it is made. A port that is taken raises ``OSError``.

    ``shared``: others who say so too, of the same user, may listen there as well; Linux gives each new connection to one of them
    (socket(7), SO_REUSEPORT).
    """

    def __init__(self, app: ASGIApp, host: str, port: int, *, shared: bool = False) -> None:
        self._socket = _prompt(
            socket.create_server((host, port), family=_family(host), backlog=1024, reuse_port=shared)
        )
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=_LEAVE_SECONDS,
            h11_max_incomplete_event_size=16 * 1024,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)
        self._thread.start()
        log.info("http.listening", host=self.address[0], port=self.address[1])

    def run_once(self) -> Turn:
        """Only see that it still listens."""
        if not self._thread.is_alive():
            raise RuntimeError("the HTTP server ended by itself")
        return Turn(0, 0.5)

    def close(self) -> None:
        """Finish the requests in hand and stop listening."""
        self._server.should_exit = True
        self._thread.join(_LEAVE_SECONDS + 5)
        self._socket.close()


def _prompt(listening: socket.socket) -> socket.socket:
    """The same socket, on whose connections a small answer leaves at once.

    It says that it speaks TCP: asyncio turns Nagle's algorithm (RFC 896) off only for those that do. With it, the second part of an
    answer waits up to 40 ms for the other side's delayed acknowledgement of the first.
    """
    family, kind = listening.family, listening.type
    return socket.socket(family, kind, socket.IPPROTO_TCP, fileno=listening.detach())


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
