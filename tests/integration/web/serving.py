"""The pages on a real socket and a real database, with the settings a test gives them.

Most tests take them as they are: those are built and listen once in a test process, and are lent to one test after another.
Building them anew would cost each test more than most of them take.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_outbox.messaging.server import Server
from deploy.local import ports
from reconciler.web.app import app
from reconciler.web.site import Site
from tests.integration.web.browsing import CONNECT, CONNECT_KEY, CRM, KEYS, Pages
from tests.waiting import eventually


def free_port() -> int:
    """A port that nobody listens on, nor gets for a connection of their own before we do."""
    return ports.free(1)[0]


@contextmanager
def served(engine: sa.Engine, **given: Any) -> Iterator[Pages]:
    """Everything up to the socket, as production has it; the time stands still."""
    if given:
        with _built(engine, given) as made:
            yield made
    else:
        with _lent(engine) as made:
            yield made


@contextmanager
def _built(engine: sa.Engine, given: dict[str, Any]) -> Iterator[Pages]:
    made = _pages(engine, free_port())
    server = _server(made, engine=engine, now=lambda: made.time, **given)
    try:
        yield made
    finally:
        made.close()
        server.close()


@contextmanager
def _lent(engine: sa.Engine) -> Iterator[Pages]:
    standing = _standing[0] if _standing else _Standing()
    assert standing.pages is None, "another test has the pages"
    made = standing.pages = _pages(engine, standing.port)
    try:
        yield made
    finally:
        made.close()
        eventually(lambda: standing.inside == 0, within=30)  # what a test left behind ends on its own database
        standing.pages = None


class _Standing:
    """The pages of this test process, and whose they are just now."""

    def __init__(self) -> None:
        self.port = free_port()
        self.pages: Pages | None = None
        self.inside = 0
        """Requests in hand."""
        whose = _Whose(self)
        self._server = _server(
            _pages(whose, self.port), around=self._counted, engine=whose, now=lambda: self.taken().time
        )
        _standing.append(self)
        atexit.register(self._server.close)

    def taken(self) -> Pages:
        """As the test has them that has them now."""
        if self.pages is None:
            raise RuntimeError("no test has the pages")
        return self.pages

    def _counted(self, inner: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            self.inside += 1
            try:
                await inner(scope, receive, send)
            finally:
                self.inside -= 1

        return asked


_standing: list[_Standing] = []


class _Whose:
    """Stands for the engine of the test that has the pages."""

    def __init__(self, standing: _Standing) -> None:
        self._standing = standing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._standing.taken().engine, name)


def _pages(engine: Any, port: int) -> Pages:
    """The time stands at a working morning of today: what tests let pass until they look ends no day, here or in Denmark."""
    morning = datetime.now(UTC).replace(hour=9, minute=0)
    return Pages(engine=engine, url=f"http://127.0.0.1:{port}", time=morning)


def asgi(made: Pages, **given: Any) -> ASGIApp:
    """The app of those pages, without the socket."""
    words: dict[str, Any] = {
        "keys": KEYS,
        "public_url": made.url,
        "crm_origin": CRM,
        "crm_launch": f"{CRM}/economic/launch",
        "crm_customer": f"{CRM}/customers/{{id}}",
        "resend": timedelta(minutes=2),
        "connect_key": CONNECT_KEY,
        "hooks_url": CONNECT.removesuffix("/connect/economic"),
    }
    return app(Site(**{**words, **given}))


def _server(made: Pages, *, around: Any = lambda inner: inner, **given: Any) -> Server:
    return Server(around(asgi(made, **given)), "127.0.0.1", int(made.url.rpartition(":")[2]))
