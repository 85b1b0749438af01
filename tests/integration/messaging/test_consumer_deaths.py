"""A consumer that dies, loses its acknowledgement or its connection: everything has its effect, once."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import amqp
import pytest
import sqlalchemy as sa
import structlog

from crm_outbox.messaging import consumer as receiving
from crm_outbox.messaging.envelope import encode
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from tests.builders.receiving import (
    BULK,
    CONSUMER,
    INBOUND,
    Depths,
    Effects,
    Post,
    consumer,
    drive,
    note,
    refusals,
    taken,
    watermarks,
)
from tests.integration.messaging.trapped import Killed, bus_behind, through_it
from tests.waiting import eventually

pytestmark = pytest.mark.slow


_MESSAGING = Path(receiving.__file__).parent


def test_a12_nothing_is_ever_requeued(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected: list[bool] = []
    real = amqp.Channel.basic_reject

    def spy(channel: amqp.Channel, tag: int, requeue: bool) -> None:
        rejected.append(requeue)
        real(channel, tag, requeue)

    monkeypatch.setattr(amqp.Channel, "basic_reject", spy)
    effects.fail = lambda text: ValueError(text) if text == "bad" else None
    post.send(INBOUND, note("bad"))
    post.raw(INBOUND, b"?")
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: len(refusals(engine)) == 2)
        eventually(lambda: depth(f"{INBOUND}.dead") == 2)
    assert rejected == [False, False]
    for word in ("requeue=True", "basic_nack", "basic_recover", ".requeue("):
        assert not [path for path in _MESSAGING.glob("*.py") if word in path.read_text("utf-8")]


def test_a12_prefetch_is_per_consumer_first_one_then_two_batches(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    ready: list[int] = []
    effects.fail = lambda _: ready.append(depth(INBOUND))
    post.send(INBOUND, *[note(str(number)) for number in range(30)])
    with closing(consumer(engine, broker, effects, batch=10)) as duty:
        drive(duty, lambda: taken(engine) == 30)
    assert ready[0] == 29
    assert ready[1] == 9


def test_m22_a_message_that_kills_the_process_goes_to_dead_alone(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    effects.fail = _kill_on("poison")
    good = [note(str(number), subject=f"note/{number}") for number in range(5)]
    other = [note(f"bulk {number}", subject=f"bulk/{number}") for number in range(5)]
    post.send(INBOUND, note("first", subject="note/first"), *good[:2], note("poison"), *good[2:])
    post.send(BULK, *other)
    deaths = 0
    while not depth(f"{INBOUND}.dead"):
        duty = consumer(engine, broker, effects)
        try:
            drive(duty, lambda: depth(f"{INBOUND}.dead") or len(watermarks(engine)) == 11)
        except Killed:
            deaths += 1
        if duty._wire is not None:
            duty._wire.collect()
        assert deaths <= 25
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: len(watermarks(engine)) == 11)
        drive(duty, lambda: depth(INBOUND) + depth(BULK) == 0)
    assert 20 <= deaths <= 22
    assert (depth(f"{INBOUND}.dead"), depth(f"{BULK}.dead")) == (1, 0)
    assert refusals(engine) == []


def test_m22_bulk_is_opened_only_once_inbound_is_known_to_be_harmless(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    bulk_ready: list[int] = []
    effects.fail = lambda text: bulk_ready.append(depth(BULK)) if text == "first" else None
    post.send(BULK, *[note(f"bulk {number}") for number in range(3)])
    post.send(INBOUND, note("first"))
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: taken(engine) == 4)
    assert bulk_ready == [3]


def test_a_lost_acknowledgement_means_delivered_again_and_no_second_effect(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects, quick: None
) -> None:
    with bus_behind(broker) as proxy:
        through = through_it(broker, proxy)
        cuts = iter([True])

        def cut(_: object) -> None:
            if next(cuts, False):
                proxy.cut()

        with closing(consumer(engine, through, effects)) as duty:
            post.send(INBOUND, note("wide", subject="note/wide"))
            drive(duty, lambda: taken(engine) == 1)
            sa.event.listen(engine, "commit", cut)
            post.send(INBOUND, note("once", number=1))
            drive(duty, lambda: taken(engine) == 2)
            drive(duty, lambda: proxy.accepted == 2 and depth(INBOUND) == 0)
            drive(duty, lambda: duty._inbound.wide)
    assert effects.seen == ["wide", "once"]
    assert refusals(engine) == []


def test_py_amqp_a_drain_without_waiting_never_has_a_timeout_of_zero() -> None:
    """With 0 the socket does not block, and py-amqp forgets the part of a frame it has read."""
    assert "timeout=0)" not in (_MESSAGING / "consumer.py").read_text("utf-8")


def test_py_amqp_a_delivery_that_comes_in_pieces_is_whole(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects
) -> None:
    with bus_behind(broker) as proxy:
        proxy.delay(0.05)
        through = through_it(broker, proxy)
        large = [note("x" * 900_000, subject=f"note/{number}") for number in range(2)]
        assert len(encode(large[0])) > 6 * 131_072
        with closing(consumer(engine, through, effects)) as duty:
            post.send(INBOUND, *large)
            drive(duty, lambda: taken(engine) == 2, within=60)
            assert proxy.accepted == 1


def test_a_connection_that_is_refused_or_lost_is_made_again(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects, quick: None
) -> None:
    with bus_behind(broker) as proxy:
        through = through_it(broker, proxy)
        with closing(consumer(engine, through, effects)) as duty, structlog.testing.capture_logs() as logs:
            drive(duty, lambda: duty._wire is not None)
            proxy.refuse()
            drive(duty, lambda: len([line for line in logs if line["event"] == "consumer.connection_lost"]) > 2)
            post.send(INBOUND, note("later"))
            proxy.restore()
            drive(duty, lambda: watermarks(engine))


@pytest.mark.parametrize("wrong", ["password", "vhost", "rights"])
def test_a_wrong_configuration_is_said_as_such_and_tried_on(
    wrong: str, engine: sa.Engine, broker: Broker, effects: Effects, quick: None
) -> None:
    other = Broker(
        address=broker.address,
        vhost="nowhere" if wrong == "vhost" else broker.vhost,
        management_url=broker.management_url,
        passwords={**broker.passwords, **({CONSUMER: "wrong"} if wrong == "password" else {})},
    )
    user = "reconciler" if wrong == "rights" else CONSUMER
    with closing(consumer(engine, other, effects, user=user)) as duty, structlog.testing.capture_logs() as logs:
        drive(duty, lambda: len([line for line in logs if line["event"] == "consumer.configuration"]) == 2)
    assert all(line["log_level"] == "error" for line in logs if line["event"] == "consumer.configuration")


def test_connection_and_consumer_are_called_duty_at_host(
    engine: sa.Engine, broker: Broker, effects: Effects, manager: Management
) -> None:
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: duty._bulk.channel is not None)
        wanted = {(INBOUND, duty._tag), (BULK, duty._tag)}
        eventually(
            lambda: (
                wanted
                <= {(one["queue"]["name"], one["consumer_tag"]) for one in manager.get(f"consumers/{broker.vhost}")}
            ),
            every=0.2,
        )
        assert duty._tag.startswith("applier@")
        eventually(
            lambda: (
                duty._tag
                in {
                    one.get("client_properties", {}).get("connection_name")
                    for one in manager.get(f"vhosts/{broker.vhost}/connections")
                }
            ),
            every=0.2,
        )


def _kill_on(poison: str) -> Callable[[str], None]:
    def fail(text: str) -> None:
        if text == poison:
            raise Killed

    return fail
