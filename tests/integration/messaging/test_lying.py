"""Messages a consumer leaves lying: told after a minute in which none was taken, and gone with the first that is."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.messaging import inbox, upkeep
from crm_outbox.messaging.attention import Item, Kind
from crm_outbox.messaging.lying import Lying
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from crm_outbox.tables import messages as tables
from tests.builders.receiving import Post
from tests.waiting import eventually

pytestmark = pytest.mark.slow

CONSUMER = "crm-applier"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def clock() -> Lying:
    return Lying(consumer=CONSUMER, command="crm_outbox run applier")


def asked(engine: sa.Engine, lying: Lying, depths: dict[str, int], seconds: float) -> list[Item]:
    """What a clock says so many seconds from the beginning."""
    with engine.connect() as connection:
        return lying.items(connection, tables, depths, NOW + timedelta(seconds=seconds))


def taken(engine: sa.Engine, seconds: float, consumer: str = CONSUMER) -> None:
    """A message was taken so many seconds from the beginning."""
    with engine.begin() as connection:
        row = {"consumer": consumer, "message_id": uuid4(), "body_hash": b"", "taken_at": NOW}
        connection.execute(sa.insert(tables.inbox).values(row | {"taken_at": NOW + timedelta(seconds=seconds)}))


@pytest.mark.parametrize("queue", [f"{CONSUMER}.inbound", f"{CONSUMER}.bulk"])
def test_a_queue_nobody_takes_from_for_a_minute_is_told_with_the_command_that_helps(
    engine: sa.Engine, queue: str
) -> None:
    lying = clock()
    taken(engine, -3600)
    assert asked(engine, lying, {queue: 1}, 0) == []
    assert asked(engine, lying, {queue: 1}, 59) == []
    (item,) = asked(engine, lying, {queue: 3}, 60)
    assert (item.kind, item.id, item.since) == (Kind.INBOX_LATE, queue, NOW)
    assert item.command == "crm_outbox run applier"
    assert asked(engine, lying, {queue: 5}, 600) == [item]


def test_a_consumer_that_takes_something_is_not_late_however_much_lies_there(engine: sa.Engine) -> None:
    lying, queue = clock(), f"{CONSUMER}.inbound"
    for second in range(0, 600, 30):
        taken(engine, second + 1)
        assert asked(engine, lying, {queue: 10_000}, second) == []
    assert asked(engine, lying, {queue: 10_000}, 600) == []
    (item,) = asked(engine, lying, {queue: 10_000}, 660)
    assert item.since == NOW + timedelta(seconds=600)
    taken(engine, 661)
    assert asked(engine, lying, {queue: 10_000}, 670) == []


def test_what_another_consumer_takes_says_nothing_of_this_one(engine: sa.Engine) -> None:
    lying, queue = clock(), f"{CONSUMER}.inbound"
    asked(engine, lying, {queue: 1}, 0)
    taken(engine, 30, consumer="reconciler")
    assert len(asked(engine, lying, {queue: 1}, 60)) == 1


def test_an_empty_queue_is_not_late_and_begins_anew(engine: sa.Engine) -> None:
    lying, queue = clock(), f"{CONSUMER}.inbound"
    asked(engine, lying, {queue: 1}, 0)
    assert asked(engine, lying, {queue: 0, f"{CONSUMER}.inbound.dead": 7}, 50) == []
    assert asked(engine, lying, {queue: 1}, 100) == []
    assert len(asked(engine, lying, {queue: 1}, 160)) == 1


def test_the_operator_sees_it_in_the_broker_and_sees_it_go(
    engine: sa.Engine, broker: Broker, manager: Management, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_outbox.messaging.lying.LATE_SECONDS", 0.0)
    lying = clock()

    def shown() -> list[str | None]:
        upkeep.attend(engine, tables, broker, "crm_outbox", lying)
        return [letter.message_id for letter in manager.look(Kind.INBOX_LATE.queue)]

    assert shown() == []
    post.raw(f"{CONSUMER}.inbound", b"{}")
    eventually(lambda: shown() == [f"{CONSUMER}.inbound"], every=0.2)
    with engine.begin() as connection:
        inbox.take(connection, tables, CONSUMER, [(uuid4(), b"")])
    eventually(lambda: shown() == [], every=0.2)  # what was looked at may still be on its way back into the queue
