"""Many pages stand open and ask again: whoever asks within a moment is told by one statement, in front of the framework."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import store
from reconciler.web import status
from tests.builders.sync import done, economic_answered, there
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


def same(watching: Watching, customer: Customer) -> None:
    """Nothing is the matter; the regular checks saw it a quarter of an hour ago."""


def just_seen(watching: Watching, customer: Customer) -> None:
    with watching.pages.engine.begin() as connection:
        seen = sa.text("update sync.economic_side set seen = :now where number = 7")
        connection.execute(seen, {"now": watching.both.time})


def looked_at(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)


def taken(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "taken")


def throttled(watching: Watching, customer: Customer) -> None:
    watching.reach(next_call=watching.both.time + timedelta(seconds=40))


def on_its_way(watching: Watching, customer: Customer) -> None:
    watching.both.in_crm(customer.model_copy(update={"phone": "12345678"}), 2)


def written(watching: Watching, customer: Customer) -> None:
    on_its_way(watching, customer)
    (command,) = watching.both.said_only(WriteEconomicCustomer)
    held = there(customer.model_copy(update={"phone": "12345678"}), 7, "v2", contacts=())
    watching.both.hear(economic_answered(command, done(command.parts[0].operation), customer=held, version=2))


def differing(watching: Watching, customer: Customer) -> None:
    watching.both.stop_flowing()
    on_its_way(watching, customer)


MOMENTS = [0, 0.1, 0.29, 0.3, 1, 2.9, 3, 4.9, 5, 9.9, 10, 14.9, 15, 29.9, 30, 39.9, 40, 59, 60, 170, 180, 299, 300, 3000,
           3599, 3600, 7200, 40000, 86400, 7 * 86400, 40 * 86400]  # fmt: skip
"""Seconds, about everything that time alone makes another."""


@pytest.mark.parametrize(
    "happens", [same, just_seen, looked_at, taken, throttled, on_its_way, written, differing], ids=lambda one: one.__name__
)  # fmt: skip
def test_what_was_told_before_is_at_every_moment_what_would_be_told_anew(
    watching: Watching, customer: Customer, happens: Callable[[Watching, Customer], None]
) -> None:
    happens(watching, customer)
    watching.follow()
    ask, began, marks = at_once(watching.pages), watching.pages.time, set[str]()
    for seconds in MOMENTS:
        watching.pages.time = began + timedelta(seconds=seconds)
        path = polled(watching.pages, customer)
        mark = ask([(path, "")])[0].headers["etag"]
        told = [one.status_code for one in ask([(path, mark), *((path, one) for one in marks - {mark}), (path, mark)])]
        assert told == [304, *[200] * len(marks - {mark}), 304], seconds
        marks.add(mark)
    assert len(marks) > 1, "a day later the same is said otherwise"


def test_a_box_that_asks_again_is_not_reckoned_again(
    watching: Watching, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ask = polled(watching.pages, customer), at_once(watching.pages)
    had = [(path, ask([(path, "")])[0].headers["etag"])]
    assert ask(had)[0].status_code == 304
    monkeypatch.setattr(status, "standing", None)
    assert ask(had * 2)[1].status_code == 304


def test_who_asks_after_another_was_told_of_a_change_is_told_too(watching: Watching, customer: Customer) -> None:
    path, ask = polled(watching.pages, customer), at_once(watching.pages)
    had = [(path, ask([(path, "")])[0].headers["etag"])]
    assert ask(had)[0].status_code == 304
    watching.both.stop_flowing()
    now = [(path, ask([(path, "")])[0].headers["etag"])]
    assert [one.status_code for one in (*ask(had), *ask(now), *ask(had), *ask(now))] == [200, 304, 200, 304]
