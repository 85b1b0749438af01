"""How does a call reach e-conomic? The one file that sends; what an answer means is ``protocol``'s.

Tokens go only to the listed hosts, checked for each call before a token is attached. Nothing is followed, nothing is
retried. Beside httpx's limits on silence, a whole call ends after 45 s and an answer after
16 MiB: a thousand contact persons with the longest notes are ten.
"""

import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import httpcore
import httpx
import structlog
from prometheus_client import Counter, Histogram

from economic_adapter.protocol import Ambiguous, Answer, Failed, Head, Misuse, Request, Surface, Unreached, decipher

log = structlog.get_logger(__name__)

HOSTS = frozenset({"restapi.e-conomic.com", "apis.e-conomic.com"})
TIMEOUT = httpx.Timeout(connect=5.0, read=20.0, write=10.0, pool=5.0)
DEADLINE = 45.0
MOST_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024

CALLS = Counter("economic_calls", "Calls to e-conomic by how they ended", ["surface", "method", "result"])
SECONDS = Histogram("economic_call_seconds", "From the first byte sent to the last one read", ["surface", "method"])


@dataclass(frozen=True, slots=True)
class Grant:
    """The token that opens one agreement; never shown."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the surfaces are. Hosts but e-conomic's own two are taken only from ``development`` (``host:port``)."""

    rest: str = "https://restapi.e-conomic.com"
    apis: str = "https://apis.e-conomic.com"
    customersapi: str = "v3.1.0"
    webhooksapi: str = "v1.0.0"
    development: Collection[str] = ()

    def base(self, surface: Surface) -> str:
        """The address under which a surface's paths lie."""
        match surface:
            case Surface.REST:
                return self.rest.rstrip("/")
            case Surface.CUSTOMERS:
                return f"{self.apis.rstrip('/')}/customersapi/{self.customersapi}"
            case Surface.WEBHOOKS:
                return f"{self.apis.rstrip('/')}/webhooksapi/{self.webhooksapi}"

    def allowed(self, url: str) -> bool:
        """Whether a token may be sent there."""
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            return False
        if parts.netloc.lower() in self.development:
            return parts.scheme in {"http", "https"}
        return parts.scheme == "https" and parts.netloc.lower() in HOSTS


class NotAllowed(Exception):
    """An address that gets no token; nothing was sent."""


class Client:
    """One pool of connections for all agreements of a process; safe for several threads."""

    def __init__(
        self,
        *,
        app_secret: str,
        addresses: Addresses,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        deadline: float = DEADLINE,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        """``NotAllowed`` when an address is not listed."""
        for surface in Surface:
            if not addresses.allowed(addresses.base(surface)):
                raise NotAllowed(f"no token is sent to {urlsplit(addresses.base(surface)).netloc}")
        self._app_secret = app_secret
        self._addresses = addresses
        self._now = now
        self._deadline = deadline
        self._http = httpx.Client(
            transport=_Transport(), timeout=timeout, follow_redirects=False, trust_env=False, max_redirects=0
        )

    def send(self, request: Request, grant: Grant, within: float | None = None) -> Answer:
        """One call and its answer; any ``protocol.Failed``. Repeating it is the caller's decision.

        ``within``: seconds after which it is given up, where that is sooner than it would be anyway.
        """
        started = time.monotonic()
        try:
            answer = self._exchange(request, grant, self._deadline if within is None else min(within, self._deadline))
        except Failed as error:
            _tell(request, type(error).__name__.lower(), error.head, started)
            raise
        _tell(request, "ok", answer.head, started)
        return answer

    def close(self) -> None:
        """Close the pool."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._addresses.rest}, {self._addresses.apis})"

    def _exchange(self, request: Request, grant: Grant, deadline: float) -> Answer:
        url = self._addresses.base(request.surface) + request.target
        if not self._addresses.allowed(url):
            raise NotAllowed(f"no token is sent to {urlsplit(url).netloc}")
        headers = {
            "X-AppSecretToken": self._app_secret,
            "X-AgreementGrantToken": grant.token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        if request.key is not None:
            headers["Idempotency-Key"] = str(request.key)
        try:
            with (
                _deadline(deadline),
                self._http.stream(request.method, url, headers=headers, content=request.body) as response,
            ):
                body = _read(response)
                return decipher(response.status_code, dict(response.headers), body, self._now())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreached(type(error).__name__) from None  # the cause holds the request and with it the tokens
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise Misuse(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise Ambiguous(type(error).__name__) from None


def _tell(request: Request, result: str, head: Head | None, started: float) -> None:
    took = time.monotonic() - started
    CALLS.labels(request.surface, request.method, result).inc()
    SECONDS.labels(request.surface, request.method).observe(took)
    log.info(
        "economic.called",
        surface=str(request.surface),
        method=request.method,
        path=request.path,  # never the query: a filter holds what is searched for
        status=0 if head is None else head.status,
        result=result,
        request_id="" if head is None else head.request_id,
        milliseconds=round(took * 1000, 1),
    )


def _read(response: httpx.Response) -> bytes:
    parts = bytearray()
    for chunk in response.iter_bytes(_CHUNK):
        parts += chunk
        if len(parts) > MOST_BYTES:
            raise Ambiguous("too_large")
    return bytes(parts)


# --- the deadline of a whole call: every wait on the wire is cut to what is left of it ---------------------------------

_call = threading.local()


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    _call.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        del _call.ends


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    ends = getattr(_call, "ends", None)
    if ends is None:
        return timeout
    left: float = ends - time.monotonic()
    if left <= 0:
        raise late("the call took too long")
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


class _Transport(httpx.HTTPTransport):
    """httpx's own transport with a pool whose streams know the deadline."""

    def __init__(self) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False, http1=True, http2=False, retries=0)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=20,
            max_keepalive_connections=10,
            keepalive_expiry=15.0,
            http1=True,
            http2=False,
            retries=0,
            network_backend=_Backend(),
        )
