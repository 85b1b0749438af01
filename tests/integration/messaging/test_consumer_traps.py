"""The known traps of receiving with kombu and quorum queues, each with the number it is known by in our notes.

M: measured on RabbitMQ 3.10 with kombu; A: pitfalls of other outboxes.
"""

import json
import threading
from collections.abc import Callable
from contextlib import closing

import amqp
import pytest
import sqlalchemy as sa
import structlog

from crm_outbox.messaging import consumer as receiving
from crm_outbox.messaging import inbox
from crm_outbox.messaging.envelope import Refused
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from crm_outbox.tables import messages as tables
from tests.builders.receiving import (
    INBOUND,
    Depths,
    Effects,
    Post,
    consumer,
    drive,
    note,
    refusals,
    taken,
    turning,
    watermarks,
)
from tests.integration.messaging.behind import Behind
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TimeoutError("M10"), id="M10 a TimeoutError is not taken for a quiet queue"),
        pytest.param(ConnectionRefusedError("M11"), id="M11 an OSError is not taken for a lost broker"),
        pytest.param(amqp.ConnectionForced("M11"), id="M11 nor is an error of the driver's own kind"),
        pytest.param(KeyError("bug"), id="a bug of our own"),
    ],
)
def test_an_error_of_a_handler_is_tried_three_times_then_refused_while_neighbours_flow(
    error: Exception, engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    effects.fail = lambda text: error if text == "bad" else None
    post.send(
        INBOUND, note("one", subject="note/one"), note("bad", subject="note/bad"), note("two", subject="note/two")
    )
    with closing(consumer(engine, broker, effects)) as duty, structlog.testing.capture_logs() as logs:
        drive(duty, lambda: taken(engine) == 2 and refusals(engine))
        eventually(lambda: depth(f"{INBOUND}.dead") == 1)
    assert [why for _, why in refusals(engine)] == [f"failed:{type(error).__name__}"]
    assert sorted(watermarks(engine)) == ["note/one", "note/two"]
    assert effects.seen.count("two") <= 2
    assert depth(INBOUND) == 0
    assert len([line for line in logs if line["event"] == "consumer.connected"]) == 1


def test_a_handler_may_refuse_with_a_reason_of_its_own(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    effects.fail = lambda text: Refused("unknown_tenant") if text == "bad" else None
    post.send(INBOUND, note("one"), note("bad", subject="note/bad"), note("two"))
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: taken(engine) == 2 and refusals(engine))
    assert [why for _, why in refusals(engine)] == ["unknown_tenant"]
    assert "note/bad" not in watermarks(engine)
    eventually(lambda: depth(f"{INBOUND}.dead") == 1)


def test_m12_a_bad_body_is_neither_logged_nor_acknowledged_away(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    post.raw(INBOUND, b"anna@firma.dk {", message_id="x")
    with (
        closing(consumer(engine, broker, effects)) as duty,
        structlog.testing.capture_logs() as logs,
        caplog.at_level(0),
    ):
        drive(duty, lambda: refusals(engine))
        eventually(lambda: depth(f"{INBOUND}.dead") == 1)
    assert "anna@firma.dk" not in json.dumps(logs, default=str) + caplog.text


def test_m12_a_compressed_body_is_never_unpacked(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(*_: object) -> bytes:
        raise AssertionError("unpacked")

    monkeypatch.setattr("kombu.message.decompress", unpacked)
    post.raw(INBOUND, b"small", message_id="x", application_headers={"compression": "bzip2"})
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: refusals(engine))
    assert refusals(engine) == [("x", "compressed")]


def test_m13_a_queue_with_other_arguments_is_consumed_as_it_is(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects, manager: Management
) -> None:
    path = f"queues/{broker.vhost}/{INBOUND}"
    manager.delete(path)
    manager.put(path, {"durable": True, "arguments": {"x-queue-type": "classic", "x-max-length": 1000}})
    manager.post(f"bindings/{broker.vhost}/e/replay/q/{INBOUND}", {"routing_key": INBOUND})
    post.send(INBOUND, note("here"))
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: watermarks(engine))


def test_m14_a_deleted_queue_is_not_made_again_and_is_used_again_once_it_is_back(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects, manager: Management, quick: None
) -> None:
    path = f"queues/{broker.vhost}/{INBOUND}"
    with closing(consumer(engine, broker, effects)) as duty, structlog.testing.capture_logs() as logs:
        post.send(INBOUND, note("one", number=1))
        drive(duty, lambda: watermarks(engine))
        manager.delete(path)
        drive(duty, lambda: [line for line in logs if line["event"] == "consumer.configuration"])
        assert manager.get(path, missing=None) is None
        manager.put(path, {"durable": True, "arguments": {"x-queue-type": "quorum"}})
        manager.post(f"bindings/{broker.vhost}/e/replay/q/{INBOUND}", {"routing_key": INBOUND})
        post.send(INBOUND, note("two", number=2))
        drive(duty, lambda: watermarks(engine) == {"note/1": 2})


def test_m15_heartbeats_are_on(engine: sa.Engine, broker: Broker, effects: Effects) -> None:
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: duty._wire is not None)
        assert duty._wire.heartbeat == 30


def test_a7_a_batch_that_takes_longer_than_two_heartbeats_keeps_its_connection(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "HEARTBEAT", 3)
    pause = threading.Event()
    effects.fail = lambda text: _after(pause.wait, 0.0 if text == "first" else 0.5)
    with closing(consumer(engine, broker, effects)) as duty, structlog.testing.capture_logs() as logs:
        post.send(INBOUND, note("first"))
        drive(duty, lambda: taken(engine) == 1)
        post.send(INBOUND, *[note(f"slow {number}") for number in range(18)])
        drive(duty, lambda: taken(engine) == 19)
        drive(duty, lambda: depth(INBOUND) == 0)
    assert len([line for line in logs if line["event"] == "consumer.connected"]) == 1
    assert len(effects.seen) == 19


def test_a7_heartbeats_go_on_while_the_database_is_away(
    database: str, broker: Broker, post: Post, effects: Effects, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    monkeypatch.setattr(receiving, "HEARTBEAT", 3)
    with Behind(database) as behind, closing(consumer(behind.engine, broker, effects)) as duty:
        drive(duty, lambda: duty._wire is not None)
        wire = duty._wire
        behind.proxy.refuse()
        post.send(INBOUND, note("waits"))
        sent = wire.bytes_sent
        with turning(duty):
            eventually(lambda: wire.bytes_sent - sent >= 3)
            assert effects.seen == []
            behind.proxy.restore()
            eventually(lambda: watermarks(behind.engine))
            assert duty._wire is wire


def test_a11_the_key_is_consumer_and_message(engine: sa.Engine) -> None:
    one = note()
    with engine.begin() as connection:
        assert inbox.take(connection, tables, "first", [(one.id, b"h")]).new == {one.id}
        assert inbox.take(connection, tables, "second", [(one.id, b"h")]).new == {one.id}


def test_a11_a_failing_message_undoes_nothing_of_its_batch_and_its_own_effect_entirely(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects
) -> None:
    effects.fail = lambda text: ValueError(text) if text == "7" else None
    with closing(consumer(engine, broker, effects)) as duty:
        post.send(INBOUND, note("wide", subject="note/wide"))
        drive(duty, lambda: taken(engine) == 1)
        post.send(INBOUND, *[note(str(number), subject=f"note/{number}") for number in range(20)])
        drive(duty, lambda: taken(engine) == 20 and refusals(engine))
    assert set(watermarks(engine)) == {f"note/{number}" for number in range(20) if number != 7} | {"note/wide"}
    assert [why for _, why in refusals(engine)] == ["failed:ValueError"]


def _after(wait: Callable[[float], object], seconds: float) -> None:
    wait(seconds)
