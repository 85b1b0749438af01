"""Requests to an ASGI app without a socket, whole or in pieces, and what came back."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an app answered. Header names are lower-case; of a repeated one the last counts, but for ``cookies``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...]


def ask(
    app: ASGIApp,
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    body: bytes | Iterable[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    never_ends: bool = False,
) -> Reply:
    """One request; ``body`` as pieces arrives one by one, ``never_ends`` leaves the last one out."""
    return asyncio.run(_ask(app, path, method, query, body, headers or {}, never_ends=never_ends))


async def _ask(
    app: ASGIApp,
    path: str,
    method: str,
    query: str,
    body: bytes | Iterable[bytes],
    headers: Mapping[str, str],
    *,
    never_ends: bool,
) -> Reply:
    pieces = iter([body] if isinstance(body, bytes) else body)
    sent: list[Message] = []

    async def receive() -> Message:
        piece = next(pieces, None)
        if piece is None and never_ends:
            await asyncio.Event().wait()
        whole = isinstance(body, bytes) and not never_ends
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None and not whole}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8081),
    }
    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    pairs = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return Reply(
        status=start["status"],
        headers=dict(pairs),
        body=b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body"),
        cookies=tuple(value for name, value in pairs if name == "set-cookie"),
    )
