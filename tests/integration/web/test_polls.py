"""Many pages stand open and ask again: whoever asks within a moment is told by one statement, in front of the framework."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import uuid4

import httpx
import sqlalchemy as sa

from crm_outbox.contract import Customer
from reconciler import store
from tests.integration.web.browsing import Pages
from tests.integration.web.looking import Watching, polled
from tests.integration.web.serving import asgi
from tests.integration.web.statements import sent_by

Polled = Sequence[tuple[str, str]]
"""Addresses, each with the mark of what the page has; empty for a page that has nothing yet."""


def at_once(pages: Pages) -> Callable[[Polled], list[httpx.Response]]:
    """Asks all of them at one time, of pages of their own that remember from one time to the next."""
    asked = asgi(pages, engine=pages.engine, now=lambda: pages.time)

    async def all_of(some: Polled) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=asked, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=pages.url) as client:
            return await asyncio.gather(
                *(client.get(path, headers={"if-none-match": mark} if mark else {}) for path, mark in some)
            )

    return lambda some: asyncio.run(all_of(some))


def test_what_was_written_and_shows_nowhere_is_no_change(watching: Watching, customer: Customer) -> None:
    browser, path = watching.pages.browser(), polled(watching.pages, customer)
    had = browser.get(path).headers["etag"]
    with watching.pages.engine.begin() as connection:
        store.hold(connection, watching.both.of(customer.id).id, uuid4())
    for _ in range(2):
        told = browser.get(path, **{"if-none-match": had})
        assert (told.status_code, told.headers["etag"], told.text) == (304, had, "")


def test_an_answer_that_nothing_has_changed_costs_one_statement(watching: Watching, customer: Customer) -> None:
    pages = watching.pages
    address = polled(pages, customer)
    mark = pages.browser().get(address).headers["etag"]
    with sent_by(pages.engine) as sent:
        again = pages.browser().get(address, **{"if-none-match": mark})
    assert again.status_code == 304
    assert len(sent) == 1, sent


def test_whoever_asks_within_a_moment_is_told_by_one_statement(watching: Watching) -> None:
    some = [watching.linked(number) for number in range(7, 17)]
    paths, ask = [polled(watching.pages, one) for one in some], at_once(watching.pages)
    had = [(path, told.headers["etag"]) for path, told in zip(paths, ask([(path, "") for path in paths]), strict=True)]
    with sent_by(watching.pages.engine) as sent:
        told = ask(had * 3)
    assert [one.status_code for one in told] == [304] * 30
    assert len(sent) == 1, sent
    watching.both.in_crm(some[3].model_copy(update={"phone": "12345678"}), 2)
    assert [one.status_code for one in ask(had)] == [304] * 3 + [200] + [304] * 6


def test_what_cannot_be_read_is_the_pages_to_say(watching: Watching, customer: Customer) -> None:
    path, ask = polled(watching.pages, customer), at_once(watching.pages)
    had = [(path, ask([(path, "")])[0].headers["etag"])]

    def away(*_: object) -> None:
        raise sa.exc.OperationalError("select", {}, Exception("the server closed the connection"))

    sa.event.listen(watching.pages.engine, "before_cursor_execute", away)
    try:
        assert [one.status_code for one in (*ask([(path, "")]), *ask(had))] == [503, 503]
    finally:
        sa.event.remove(watching.pages.engine, "before_cursor_execute", away)
    assert ask(had)[0].status_code == 304


def test_a_pass_that_ran_out_is_told_nothing(watching: Watching, customer: Customer) -> None:
    address = polled(watching.pages, customer)
    mark = watching.pages.browser().get(address).headers["etag"]
    watching.later(minutes=11)
    assert watching.pages.browser().get(address, **{"if-none-match": mark}).status_code == 401
