"""Many pages stand open and ask again: an answer that nothing has changed costs one statement, and is never an old one."""

import asyncio
import re
from collections.abc import Callable, Sequence
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from reconciler import people, snapshots, store, views
from reconciler.passes import sign
from reconciler.person import Person
from reconciler.snapshots import Snapshots
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import KEY, Pages
from tests.integration.web.looking import Watching
from tests.integration.web.serving import asgi
from tests.integration.web.statements import sent_by

WRITTEN_WITH_ITS_LINK = {"sync.pair", "sync.field_base", "sync.operation"}
"""Tables that only the statement writes that writes the link's own row too."""


Polled = Sequence[tuple[str, str]]
"""Addresses, each with the mark of what the page has; empty for a page that has nothing yet."""


def polled(pages: Pages, customer: Customer) -> str:
    """What the box beside a customer asks for again and again."""
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": "user", "customer": customer.id,
    }  # fmt: skip
    return f"/widget/status?version=1.1&pass={sign('one', KEY, claims)}"


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


@pytest.fixture
def watching(pages: Pages) -> Watching:
    return Watching(pages, Both(engine=pages.engine, time=pages.time))


@pytest.fixture
def customer(watching: Watching) -> Customer:
    return watching.linked(7, cvr="12345678")


def edited_in_the_crm(watching: Watching, customer: Customer) -> None:
    watching.both.in_crm(customer.model_copy(update={"phone": "12345678"}), 2)


def edited_in_both(watching: Watching, customer: Customer) -> None:
    watching.both.in_economic(there(customer, 7, "v2", contacts=(), name="Sydhavn"), 2, why="hook")
    watching.both.in_crm(customer.model_copy(update={"name": "Nordhavn"}), 2)


def seen_in_economic_again(watching: Watching, customer: Customer) -> None:
    watching.both.in_economic(there(customer, 7, "v1", contacts=()), 2, why="poll")


def seen_in_economic_without_a_step(watching: Watching, customer: Customer) -> None:
    """As when a sweep finds it unchanged: only the row of that side is written."""
    with watching.pages.engine.begin() as connection:
        moved = sa.text("update sync.economic_side set seen = :now where number = 7")
        assert connection.execute(moved, {"now": watching.both.time}).rowcount == 1


def opened_by_another(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)


def a_look_that_was_taken_up(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    watching.watch(customer.id)
    assert look.look is not None
    watching.tell(look.look, "taken")


def out_of_reach(watching: Watching, customer: Customer) -> None:
    watching.reach(down_since=watching.both.time)


def paused(watching: Watching, customer: Customer) -> None:
    watching.both.set(paused='["economic"]')


def another_admin(watching: Watching, customer: Customer) -> None:
    with watching.pages.engine.begin() as connection:
        birthe = Person(tenant=TENANT, id="u9", name="Birthe Holm", role="admin")
        people.meet(connection, birthe, watching.both.time)


def creating_kept_for_admins(watching: Watching, customer: Customer) -> None:
    with watching.pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_create", True)


def flows_no_more(watching: Watching, customer: Customer) -> None:
    watching.both.stop_flowing()


def waits_for_a_person(watching: Watching, customer: Customer) -> None:
    with watching.pages.engine.begin() as connection:
        store.hold(connection, watching.both.of(customer.id).id, uuid4())


CHANGES: list[Callable[[Watching, Customer], None]] = [
    edited_in_the_crm, edited_in_both, seen_in_economic_again, seen_in_economic_without_a_step, opened_by_another, a_look_that_was_taken_up, out_of_reach, paused,
    another_admin, creating_kept_for_admins, flows_no_more, waits_for_a_person,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_is_in_the_very_next_answer(
    watching: Watching, customer: Customer, change: Callable[[Watching, Customer], None]
) -> None:
    engine, kept = watching.pages.engine, Snapshots()

    def known() -> snapshots.Snapshot:
        with engine.connect() as connection:
            return kept.of(connection, TENANT, customer.id, watching.both.time)[0]

    before = known()
    assert known() is before  # remembered
    change(watching, customer)
    after = known()
    with engine.connect() as connection:
        assert after == snapshots.read(connection, TENANT, views.customer(connection, TENANT, customer.id))
    assert after != before


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_open_page_is_told_what_changed_and_else_that_nothing_did(
    watching: Watching, customer: Customer, change: Callable[[Watching, Customer], None]
) -> None:
    browser, path = watching.pages.browser(), polled(watching.pages, customer)
    had = browser.get(path).headers["etag"]
    change(watching, customer)
    first, whole, again = (browser.get(path, **given) for given in ({"if-none-match": had}, {}, {"if-none-match": had}))
    holds = whole.headers["etag"] == had
    for told in (first, again):
        assert told.status_code == (304 if holds else 200)
        assert told.headers["etag"] == whole.headers["etag"]
        assert bool(told.text) == (not holds)


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
    edited_in_the_crm(watching, some[3])
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


def test_the_mark_is_of_every_table_that_a_status_is_read_from(watching: Watching, customer: Customer) -> None:
    with watching.pages.engine.connect() as connection, sent_by(watching.pages.engine) as sent:
        snapshots.marked(connection, [(TENANT, customer.id)])
        (marked,) = sent
        snapshots.read(connection, TENANT, views.customer(connection, TENANT, customer.id))
    tables = [set(re.findall(r"\bsync\.[a-z_]+", one)) for one in (marked, " ".join(sent[1:]))]
    assert tables[1] - WRITTEN_WITH_ITS_LINK <= tables[0]
    assert "sync.look_told" in tables[1]


def test_another_tenants_customer_of_the_same_id_is_another(watching: Watching, customer: Customer) -> None:
    kept = Snapshots()
    with watching.pages.engine.connect() as connection:
        ours, _ = kept.of(connection, TENANT, customer.id, watching.both.time)
        others, _ = kept.of(connection, "another", customer.id, watching.both.time)
    assert ours.found.stored is not None
    assert others.found.stored is None
    assert others.found.agreement is None


def test_only_so_many_customers_are_remembered(watching: Watching, customer: Customer) -> None:
    kept = Snapshots(most=2)
    with watching.pages.engine.connect() as connection:
        first, _ = kept.of(connection, TENANT, customer.id, watching.both.time)
        assert kept.of(connection, TENANT, customer.id, watching.both.time)[0] is first
        for other in ("a", "b"):
            kept.of(connection, TENANT, other, watching.both.time)
        assert kept.of(connection, TENANT, customer.id, watching.both.time)[0] is not first


def test_what_follows_from_the_time_is_reckoned_anew(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    watching.later(seconds=1)
    assert watching.watch(customer.id)["freshness"] == "looking"
    watching.later(minutes=5)
    assert watching.watch(customer.id)["freshness"] != "looking"
