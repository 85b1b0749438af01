"""How much may a request take? The ASGI shell around the HTTP duty: body, time, crowd, headers and the access log.

It reads the whole body before a handler runs, counting while it reads, so that an endless or slow body costs at most
64 KiB and 5 s. The access log never holds the path, because webhook addresses carry their secret in it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

BODY_BYTES = 64 * 1024
BODY_SECONDS = 5.0
CROWD = 512
_UNCHANGED = 304
"""An answer that says nothing new to one of many that ask again is counted by whoever gives it, and no line in the log."""

_TEXTS = {
    404: b"Not found\n",
    405: b"Method not allowed\n",
    408: b"Too slow\n",
    413: b"Too large\n",
    429: b"Too many requests\n",
    500: b"Something failed here\n",
    503: b"Try again later\n",
}


Refusal = Callable[[Scope, int], Response]
"""What is answered in place of the app: to that request, with that status."""


def plain(status: int) -> tuple[int, bytes]:
    """The one text of a status. Every unknown address answers with the very same bytes."""
    return status, _TEXTS[status]


def _in_a_word(_: Scope, status: int) -> Response:
    return Response(plain(status)[1], status, media_type="text/plain")


class _Gone(Exception):
    """The client left before its body was whole; nothing of it is taken."""


class Limits:
    """Wraps an app. ``headers`` go onto every answer; the body is handed on in ``scope['state']['body']``.

    ``refusal`` makes what is answered where the app is not asked, or failed; without it one plain line.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        headers: Mapping[str, str],
        refusal: Refusal = _in_a_word,
        body_bytes: int = BODY_BYTES,
        body_seconds: float = BODY_SECONDS,
        crowd: int = CROWD,
    ) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._refusal = refusal
        self._body_bytes = body_bytes
        self._body_seconds = body_seconds
        self._crowd = crowd
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; anything but HTTP goes through unseen."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._inside >= self._crowd:
            await self._refuse(scope, send, 429, close=False)
            return
        self._inside += 1
        try:
            await self._take(scope, receive, send)
        finally:
            self._inside -= 1

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await self._read(receive)
        except TimeoutError:
            await self._refuse(scope, send, 408, close=True)
            return
        except _Gone:
            return
        if body is None:
            await self._refuse(scope, send, 413, close=True)
            return
        scope.setdefault("state", {})["body"] = body
        given, begun = False, False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
                _log(scope, message["status"], started)
            await send(message)

        try:
            await self._app(scope, again, answer)
        except Exception as error:  # noqa: BLE001 - whatever it was, the answer is ours and the log stays clean
            # the class only: a text may hold a part of the address
            log.error("http.failed", error=type(error).__name__)  # noqa: TRY400
            if not begun:
                await self._refuse(scope, send, 500, close=True)

    async def _read(self, receive: Receive) -> bytes | None:
        parts = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            parts += message.get("body", b"")
            if len(parts) > self._body_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(parts)

    async def _refuse(self, scope: Scope, send: Send, status: int, *, close: bool) -> None:
        told = self._refusal(scope, status)
        headers = [*told.raw_headers, *self._headers, (b"connection", b"close") if close else (b"retry-after", b"1")]
        _log(scope, status, time.monotonic())
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": told.body})


def _log(scope: Scope, status: int, started: float) -> None:
    if status == _UNCHANGED:
        return
    state: Mapping[str, Any] = scope.get("state", {})
    log.info(
        "http.request",
        kind=state.get("kind", "unknown"),
        method=scope["method"] if scope["method"] in {"GET", "POST", "HEAD"} else "other",
        status=status,
        milliseconds=round((time.monotonic() - started) * 1000, 1),
    )
