"""What is committed arrives, in its order and lane, with what an operator reads; readers of every kind miss nothing."""

import threading
import time
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from crm_outbox.messaging import outbox
from crm_outbox.messaging.doorbell import channel
from crm_outbox.messaging.envelope import Lane, Registry, decode
from crm_outbox.messaging.outbox import Doorbell, Selection
from crm_outbox.messaging.pending import Pending
from crm_outbox.messaging.relay import QUICK
from tests.integration.messaging.relaying import ANSWERS, OUTBOX, QUEUE, TABLES, Line, changed, drive, written


def test_committed_messages_arrive_in_order_and_are_settled(lane: Line) -> None:
    ids = lane.append(*[changed(number) for number in range(1, 1201)])
    relay = lane.relay(batch=100, window=300)
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids
    assert lane.scalar("select count(*) from crm.outbox") == 1200
    assert lane.scalar("select lowest = (select min(id) from crm.outbox) from crm.settled")


def test_the_body_arrives_byte_for_byte_and_properties_repeat_what_an_operator_reads(lane: Line) -> None:
    [one] = lane.append(changed(7, "Blåbærgrød 🫐"))
    drive(lambda: not lane.waiting(), lane.relay())
    [letter] = lane.letters(bodies=True)
    assert letter.body == lane.scalar("select body from crm.outbox")
    assert decode(letter.body, letter.message_id, Registry(OUTBOX.registry)).subject == "customer/7"
    assert (letter.message_id, letter.type, letter.exchange) == (str(one), "crm.customer.changed.v1", "crm.events")
    assert letter.routing_key == "crm.customer.changed.v1.live"
    assert letter.headers["traceparent"] == lane.scalar("select traceparent from crm.outbox")
    assert abs((letter.timestamp or 0) - datetime.now(UTC).timestamp()) < 60


def test_a_message_of_many_frames_arrives_whole(lane: Line) -> None:
    lane.append(changed(1, "x" * 400_000), changed(2), changed(3, "y" * 1_000_000))
    drive(lambda: not lane.waiting(), lane.relay())
    assert [letter.size > 400_000 for letter in lane.letters()] == [True, False, True]


def test_a_rolled_back_message_is_never_sent(lane: Line) -> None:
    with lane.engine.connect() as connection:
        outbox.append(connection, OUTBOX, changed(1))
        connection.rollback()
    [kept] = lane.append(changed(2))
    drive(lambda: not lane.waiting(), lane.relay())
    assert lane.arrived() == [kept]


def test_each_lane_has_its_own_queue_and_relay(lane: Line) -> None:
    [bulk] = lane.append(changed(1, lane=Lane.BULK))
    [live] = lane.append(changed(2))
    drive(lambda: not lane.waiting(), lane.relay())
    assert lane.waiting(Lane.BULK) == [bulk]
    assert (lane.arrived(), lane.arrived(QUEUE[Lane.BULK])) == ([live], [])
    drive(lambda: not lane.waiting(Lane.BULK), lane.relay(Lane.BULK))
    assert lane.arrived(QUEUE[Lane.BULK]) == [bulk]


def test_a_replayed_message_takes_the_bulk_lane_under_its_own_id(lane: Line) -> None:
    first, _ = lane.append(changed(1), changed(2))
    drive(lambda: not lane.waiting(), lane.relay())
    with lane.engine.begin() as connection:
        assert outbox.replay(connection, TABLES, Selection(message=first)) == 1
        assert outbox.replay(connection, TABLES, Selection(tenant="acme", subject="customer/2")) == 1
        assert outbox.replay(connection, TABLES, Selection(tenant="other")) == 0
        assert outbox.replay(connection, TABLES, Selection(until=datetime(2020, 1, 1, tzinfo=UTC))) == 0
        assert outbox.replay(connection, TABLES, Selection(since=datetime(2020, 1, 1, tzinfo=UTC))) == 2
        assert outbox.replay(connection, TABLES, Selection()) == 2
    assert not lane.waiting(Lane.BULK)
    with lane.engine.begin() as connection:
        assert outbox.replay(connection, TABLES, Selection(message=first), dry=False) == 1
        assert outbox.replay(connection, TABLES, Selection(message=first), dry=False) == 0
    drive(lambda: not lane.waiting(Lane.BULK), lane.relay(Lane.BULK))
    assert lane.arrived(QUEUE[Lane.BULK]) == [first]
    assert lane.letters(QUEUE[Lane.BULK])[0].routing_key == "crm.customer.changed.v1.bulk"


def test_pitfall_2_and_M24_a_lower_id_that_commits_late_is_not_lost(lane: Line) -> None:  # noqa: N802 - names of the traps
    relay = lane.relay()
    with lane.engine.connect() as slow:
        late = outbox.append(slow, OUTBOX, changed(1))
        [early] = lane.append(changed(2))
        drive(lambda: not lane.waiting(), relay)
        assert lane.arrived() == [early]
        slow.commit()
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == [early, late]


def test_pitfall_3_per_aggregate_the_order_on_the_queue_is_version_order(lane: Line) -> None:
    counter = dict.fromkeys(range(3), 0)
    locks = {number: threading.Lock() for number in counter}

    def write() -> None:
        for turn in range(40):
            number = turn % 3
            with lane.engine.connect() as connection, locks[number]:  # stands for the row lock a store takes first
                counter[number] += 1
                outbox.append(connection, OUTBOX, changed(number, str(counter[number])))
                connection.commit()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    relay = lane.relay(batch=7, window=21)
    drive(lambda: not any(writer.is_alive() for writer in writers) and not lane.waiting(), relay)
    seen: dict[str, list[int]] = {}
    for letter in lane.letters(bodies=True):
        envelope = decode(letter.body, letter.message_id, OUTBOX.registry)
        seen.setdefault(envelope.subject, []).append(int(envelope.data.change))  # type: ignore[attr-defined]
    assert {subject: len(versions) for subject, versions in seen.items()} == {
        "customer/0": 56, "customer/1": 52, "customer/2": 52,
    }  # fmt: skip
    # A transaction that took its id first and committed last may be overtaken; within one aggregate none can.
    assert all(versions == sorted(versions) for versions in seen.values())


def test_pitfall_9_no_transaction_is_open_while_messages_travel(lane: Line) -> None:
    lane.append(*[changed(number) for number in range(50)])
    relay = lane.relay(batch=10, window=10)
    seen: list[tuple[str, int | None]] = []

    def look() -> bool:
        with psycopg.connect(lane.database.replace("+psycopg", ""), autocommit=True) as connection:
            row = connection.execute(
                "select state, backend_xmin::text::bigint from pg_stat_activity"
                " where datname = current_database() and query ~ 'outbox_pending' and pid <> pg_backend_pid()"
                " and backend_type = 'client backend' order by query_start desc limit 1"
            ).fetchone()
            if row is not None:
                seen.append((row[0], row[1]))
        return not lane.waiting()

    drive(look, relay)
    assert seen
    assert {state for state, _ in seen} == {"idle"}
    assert {xmin for _, xmin in seen} == {None}


def test_pitfall_10_a_business_transaction_notifies_nobody_and_the_doorbell_does(lane: Line) -> None:
    plain = lane.database.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as listener:
        listener.execute(f"listen {channel('crm')}")
        lane.append(changed(1))
        assert list(listener.notifies(timeout=0.2)) == []
        bell = Doorbell(lane.engine, "crm")
        bell.ring()
        bell.ring()
        assert list(listener.notifies(timeout=30, stop_after=1))
        bell.close()


def test_pitfall_10_a_doorbell_that_is_never_rung_costs_a_poll_and_nothing_more(lane: Line) -> None:
    relay = lane.relay()
    drive(lambda: relay._greeted, relay)
    [one] = lane.append(changed(1))
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == [one]


def test_a_doorbell_without_a_database_raises_nothing(lane: Line) -> None:
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    bell = Doorbell(away, "crm")
    bell.ring()
    bell.close()


def test_both_queues_of_two_types_get_their_own(lane: Line) -> None:
    one, two = lane.append(changed(1), written(1))
    drive(lambda: not lane.waiting(), lane.relay())
    assert (lane.arrived(), lane.arrived(ANSWERS)) == ([one], [two])


def test_figures_tell_how_each_lane_stands(lane: Line) -> None:
    lane.append(changed(1), changed(2, lane=Lane.BULK))
    with lane.engine.begin() as connection:
        connection.execute(sa.text("update crm.outbox_pending set since = since - interval '90 s' where lane = 'live'"))
        live, bulk = outbox.figures(connection, TABLES)
    assert (live.lane, live.waiting, bulk.waiting, live.parked) == (Lane.LIVE, 1, 1, 0)
    assert live.age > 89 > bulk.age


def test_an_id_is_the_message_id_everywhere(lane: Line) -> None:
    [one] = lane.append(changed(1))
    assert isinstance(one, UUID)
    assert lane.waiting() == [one]


def test_order_holds_within_an_aggregate_also_where_the_look_for_late_commits_is_slow(
    lane: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Pending.below

    def slowly(pending: Pending, last: int, limit: int) -> list[int]:
        time.sleep(2 * QUICK)  # an index full of dead rows
        return looks(pending, last, limit)

    monkeypatch.setattr(Pending, "below", slowly)
    relay = lane.relay()
    with lane.engine.connect() as slow:
        first = outbox.append(slow, OUTBOX, changed(1, "first"))
        [other] = lane.append(changed(2))
        drive(lambda: not lane.waiting(), relay)
        slow.commit()
    [second] = lane.append(changed(1, "second"))
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == [other, first, second]
