"""How are many open pages that ask again answered? Together, in front of the framework, where nothing has changed.

Every few seconds each open box beside a customer asks whether what it shows still holds, and nearly always it does. So those who
ask within a moment are looked up in one statement, and told at once. Whoever has nothing yet, wants a look, has no valid pass, or
whose customer was written meanwhile goes on to the page itself.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_outbox.messaging.telemetry import UNCHANGED
from reconciler import snapshots
from reconciler.snapshots import Customers, Mark
from reconciler.web import acting, doors, etag, widget
from reconciler.web.site import Site

log = structlog.get_logger(__name__)

POLLED: Final = "/widget/status"
APART: Final = 0.05
"""Seconds from the end of one statement to the next: so long somebody waits who asks just after another, and nobody else."""


class Polls:
    """Wraps an app. Its statements go one after another, in one thread at a time."""

    def __init__(self, site: Site, app: ASGIApp) -> None:
        self._site = site
        self._app = app
        self._waiting: dict[tuple[str, str], asyncio.Future[Mark | None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._next = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that nothing has changed, or hand it on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == POLLED:
            request = Request(scope, receive)
            if (mark := await self._held(request)) is not None:
                await etag.same(mark)(scope, receive, send)
                UNCHANGED.inc()
                return
        await self._app(scope, receive, send)

    async def _held(self, request: Request) -> str | None:
        """The mark of what whoever asks has, where it still holds."""
        if "if-none-match" not in request.headers or request.query_params.get("look") == "true":
            return None
        try:
            at = acting.of_widget(self._site, request)
        except doors.NotIn:
            return None
        mark = await self._mark(at.person.tenant, at.customer)
        return None if mark is None else widget.as_told(self._site, request, at, mark)

    async def _mark(self, tenant: str, customer: str) -> Mark | None:
        """The mark of that customer's rows at some moment after this was called; none where the database did not answer."""
        asked = self._waiting.setdefault((tenant, customer), asyncio.get_running_loop().create_future())
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_on())
        return await asyncio.shield(asked)

    async def _read_on(self) -> None:
        """Read for whoever waits, until nobody does."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(self._next - loop.time())
            asked, self._waiting = self._waiting, {}
            found: Mapping[tuple[str, str], Mark] = {}
            try:
                found = await run_in_threadpool(self._read, asked)
            except Exception as error:  # noqa: BLE001 - whatever it was, the page itself meets it and says so
                log.warning("polls.not_read", error=type(error).__name__)
            self._next = loop.time() + APART
            for wanted, one in asked.items():
                one.set_result(found.get(wanted))
        self._reader = None

    def _read(self, wanted: Customers) -> Mapping[tuple[str, str], Mark]:
        with self._site.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            return snapshots.marked(connection, wanted)
