"""Does one step wait for another on the same link, and nobody for what is older? On real PostgreSQL."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import sqlalchemy as sa

from crm_outbox.messaging.envelope import Version
from reconciler import sides, store
from reconciler.link import (
    Base,
    EconomicSeen,
    Status,
)
from tests.builders.sync import AGREEMENT, MORNING, TENANT
from tests.integration.reconciler.stored import NOTHING, a_link, agreed, make
from tests.waiting import eventually

__all__ = ["agreed"]

Found = TypeVar("Found")


def test_two_steps_on_one_link_wait_for_each_other(agreed: sa.Engine) -> None:
    link = a_link()
    with agreed.begin() as connection:
        store.save(connection, make(connection, link), link, Status(state="same"), NOTHING, MORNING)

    base = {"phone": Base(crm="1", economic="1")}
    moved = replace(link, counter=1, customer=replace(link.customer, base=base))
    with agreed.connect() as first:
        stored = store.lock(first, TENANT, AGREEMENT, link.crm_id)
        assert stored is not None
        second = _in_thread(agreed, lambda connection: store.lock(connection, TENANT, AGREEMENT, link.crm_id))
        _wait_until_blocked(agreed)
        store.save(first, stored, moved, Status(state="same"), NOTHING, MORNING)
        first.commit()
        waited = second()
    # What waited sees the whole of what it waited for, not only the locked row.
    assert waited is not None
    assert waited.link == moved


def test_steps_on_two_links_do_not_wait(agreed: sa.Engine) -> None:
    one, other = a_link(), a_link()
    with agreed.begin() as connection:
        make(connection, one)
        make(connection, other)
    with agreed.connect() as first, agreed.connect() as second:
        assert store.lock(first, TENANT, AGREEMENT, one.crm_id) is not None
        second.execute(sa.text("set local lock_timeout = '200ms'"))
        assert store.lock(second, TENANT, AGREEMENT, other.crm_id) is not None


def test_who_records_an_unlinked_number_waits_for_who_links_it(agreed: sa.Engine) -> None:
    seen = EconomicSeen(version=Version(1, 5), number=7)
    with agreed.connect() as linking:
        assert sides.newest_economic(linking, TENANT, AGREEMENT, 7, MORNING) is None

        def record(connection: sa.Connection) -> int:
            sides.record_economic(connection, TENANT, AGREEMENT, seen, MORNING)
            return len(store.lock_numbers(connection, TENANT, AGREEMENT, [7]))

        found = _in_thread(agreed, record)
        _wait_until_blocked(agreed)
        link = a_link(number=7)
        store.save(linking, make(linking, link), link, Status(state="same"), NOTHING, MORNING)
        linking.commit()
        assert found() == 1


def test_an_older_side_is_not_recorded(agreed: sa.Engine) -> None:
    with agreed.begin() as connection:
        for counter in (5, 4):
            seen = EconomicSeen(version=Version(1, counter), number=7)
            sides.record_economic(connection, TENANT, AGREEMENT, seen, MORNING)
        newest = sides.newest_economic(connection, TENANT, AGREEMENT, 7, MORNING)
    assert newest is not None
    assert newest.version == Version(1, 5)


def _in_thread(engine: sa.Engine, work: Callable[[sa.Connection], Found]) -> Callable[[], Found]:
    results: list[Found] = []

    def run() -> None:
        with engine.begin() as connection:
            results.append(work(connection))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Found:
        thread.join(timeout=60)
        return results[0]

    return result


def _wait_until_blocked(engine: sa.Engine) -> None:
    blocked = sa.text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )

    def check() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(blocked))

    eventually(check)
