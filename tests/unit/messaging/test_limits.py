"""What one request may take: bytes, seconds, a place in the crowd; and a log that never holds an address."""

import asyncio
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send

from crm_outbox.messaging.limits import BODY_BYTES, Limits
from tests.builders.http import ask

SECRET = "canary-secret-in-the-path"


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    size = str(len(scope["state"]["body"])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": size})


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(SECRET)


def test_a_body_up_to_the_limit_arrives_whole() -> None:
    app = Limits(counting, headers={})
    assert ask(app, "/", method="POST", body=b"x" * BODY_BYTES).body == str(BODY_BYTES).encode()
    assert ask(app, "/", method="POST", body=[b"ab", b"", b"c"]).body == b"3"


def test_a_body_above_the_limit_is_refused_while_it_is_read() -> None:
    app = Limits(counting, headers={})
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for piece in repeat(b"x" * 1024):
            taken += 1
            yield piece

    reply = ask(app, "/", method="POST", body=endless())
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert taken == BODY_BYTES // 1024 + 1


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    app = Limits(counting, headers={}, body_seconds=0.05)
    reply = ask(app, "/", method="POST", body=[b"half"], never_ends=True)
    assert (reply.status, reply.headers["connection"]) == (408, "close")


def test_a_crowd_is_sent_away_and_comes_back() -> None:
    app = Limits(counting, headers={}, crowd=0)
    reply = ask(app, "/")
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")


def test_whoever_leaves_early_is_not_answered() -> None:
    reached: list[Any] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        reached.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(Limits(inner, headers={})(scope, gone, send))
    assert reached == []


def test_a_mistake_of_ours_is_answered_and_its_text_stays_here() -> None:
    with structlog.testing.capture_logs() as logs:
        reply = ask(Limits(broken, headers={}), f"/hooks/economic/x/{SECRET}")
    assert reply.status == 500
    assert SECRET not in str(logs) + reply.body.decode()


@pytest.mark.parametrize("path", [f"/hooks/economic/x/{SECRET}", "/connect/economic"])
def test_the_access_log_never_holds_an_address(path: str) -> None:
    with structlog.testing.capture_logs() as logs:
        ask(Limits(counting, headers={}), path, query=f"token={SECRET}")
    (line,) = logs
    assert (line["event"], line["status"], line["method"]) == ("http.request", 200, "GET")
    assert SECRET not in str(line)
    assert path not in str(line)
