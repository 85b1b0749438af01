"""What comes in over HTTP? Webhooks, which leave a mark, and the connection pages.

An unknown address, an unknown endpoint and a wrong secret get the same answer after the same work. A webhook is
answered 2xx only after its mark is committed; what it says is only a hint and is read from e-conomic later.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import Counter
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from crm_outbox.messaging.limits import Limits, plain
from economic_adapter import activity, addresses, hook, store
from economic_adapter.connecting import PATH, Connecting
from economic_adapter.sentences import say

log = structlog.get_logger(__name__)

HOOKS = Counter("economic_hooks_total", "Webhooks by how they were answered.", ["result"])

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
STRICT_TRANSPORT = {"strict-transport-security": "max-age=31536000"}

_NOBODY = hashlib.sha256(b"no endpoint has this secret").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Takes webhooks; ``gather`` says how long a burst for one customer is gathered.

    ``key`` makes the addresses of webhooks made by hand. ``told`` tells, in the caller's transaction, that one came or was
    refused.
    """

    engine: sa.Engine
    now: Callable[[], datetime]
    gather: store.Gather
    key: bytes = field(default=b"", repr=False)
    told: Callable[[sa.Connection, int], None] = lambda _connection, _agreement: None

    def take(self, request: Request) -> Response:
        """One webhook: 204 once its mark is committed, 404 for whoever does not know the secret."""
        request.state.kind = "webhook"
        given = hashlib.sha256(request.path_params["secret"].encode("utf-8", "surrogatepass")).digest()
        with self.engine.begin() as connection:
            found = addresses.endpoint(connection, request.path_params["endpoint"], self.now(), self.key)
            # as many comparisons for everybody, each in constant time
            first, second, *_ = (*(found.secrets_sha256 if found else ()), _NOBODY, _NOBODY)
            known = hmac.compare_digest(given, first) | hmac.compare_digest(given, second)
            if found is None or not known:
                HOOKS.labels("unknown").inc()
                response = _plain(404)
                # noted when the answer has left, for an unknown address as for a known one: both answers took the same
                response.background = BackgroundTask(self._wrong, request.path_params["endpoint"])
                return response
            content_type = request.headers.get("content-type", "")
            try:
                hint = hook.read(request.url.query, content_type, request.state.body)
            except hook.Malformed as refused:
                HOOKS.labels("malformed").inc()
                log.warning("hooks.malformed", agreement=found.agreement, reason=str(refused))
                if not hook.is_form(content_type):
                    self._refused(connection, found.agreement, "content_type", content_type)
                return Response("Malformed\n", 400, media_type="text/plain")
            if hint.numbers() and activity.arrived(connection, found.agreement, self.now(), by_hand=found.by_hand):
                self.told(connection, found.agreement)
            if found.state in {"on", "access_lost"}:
                if hint.numbers():
                    activity.note(connection, found.agreement, self.now())
                for number in sorted(hint.numbers()):
                    store.mark(
                        connection,
                        found.agreement,
                        number,
                        why="hook",
                        now=self.now(),
                        old_numbers=hint.old_numbers() if number == hint.new else (),
                        gather=self.gather,
                    )
        HOOKS.labels("marked" if hint.numbers() else "empty").inc()
        return Response(status_code=204)

    def _wrong(self, endpoint: str) -> None:
        """Somebody came to an address of ours, or to none, with a secret that does not open it."""
        with self.engine.begin() as connection:
            found = addresses.endpoint(connection, endpoint, self.now(), self.key)
            if found is not None:
                self._refused(connection, found.agreement, "secret")

    def _refused(self, connection: sa.Connection, number: int, why: str, given: str = "") -> None:
        if activity.refused(connection, number, self.now(), why, given):
            self.told(connection, number)


def app(webhooks: Webhooks, connecting: Connecting | None, *, https: bool) -> ASGIApp:
    """The whole HTTP duty as an ASGI app, inside its limits."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    inner.router.add_route("/hooks/economic/{endpoint}/{secret}", webhooks.take, methods=["GET", "POST"])
    if connecting is not None:
        inner.router.add_route(PATH, _named("connect", connecting.page), methods=["GET"])
        inner.router.add_route(PATH, _named("connect", connecting.form), methods=["POST"])
    inner.router.add_route("/healthz", _named("health", lambda _: Response("ok\n", media_type="text/plain")))
    inner.add_exception_handler(HTTPException, _http)
    inner.add_exception_handler(sa.exc.OperationalError, _database_away)
    inner.add_exception_handler(sa.exc.TimeoutError, _database_away)
    return Limits(inner, headers={**HEADERS, **(STRICT_TRANSPORT if https else {})})


def _named(kind: str, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        request.state.kind = kind
        return handler(request)

    return handle


def _plain(status: int) -> Response:
    status, text = plain(status)
    return Response(text, status, media_type="text/plain; charset=utf-8")


def _http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _plain(status if status in {404, 405} else 404)


def _database_away(request: Request, error: Exception) -> Response:
    HOOKS.labels("database_away").inc()
    log.error("hooks.database_away", error=type(error).__name__)
    if getattr(request.state, "kind", "") == "connect":
        return Response(say("da", "delayed") + "\n", 503, {"retry-after": "5"}, "text/plain; charset=utf-8")
    response = _plain(503)
    response.headers["retry-after"] = "5"
    return response
