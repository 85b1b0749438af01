"""Messages that cannot be routed, are refused, or close the channel: rows stay, neighbours arrive, nothing is believed too early."""

import time
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from crm_outbox.messaging import frames, outbox
from crm_outbox.messaging.envelope import Lane, Unsendable
from crm_outbox.messaging.frames import Outgoing
from crm_outbox.messaging.management import DEFINITIONS
from tests.integration.messaging.relaying import (
    ANSWERS,
    OUTBOX,
    QUEUE,
    TABLES,
    USER,
    Line,
    changed,
    drive,
    passing,
    told,
    written,
)
from tests.waiting import eventually

pytestmark = pytest.mark.slow

CHANGED = "crm.customer.changed.v1.live"
WRITTEN = "crm.customer.written.v1.live"


def test_M5_an_unroutable_message_stays_in_the_outbox_and_arrives_when_it_can(  # noqa: N802
    lane: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    lane.unbind("crm.events", QUEUE[Lane.LIVE], CHANGED)
    ids = lane.append(changed(1))
    relay = lane.relay()
    drive(told(capsys, "relay.refused"), relay)
    drive(passing(0.5), relay)
    assert lane.waiting() == ids
    lane.bind("crm.events", QUEUE[Lane.LIVE], CHANGED)
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids


def test_M4_and_pitfall_5_returned_and_then_acked_is_not_delivered(lane: Line) -> None:  # noqa: N802
    """Both kinds in one window: acks come late, out of order and for several, each return before its own."""
    lane.unbind("crm.events", ANSWERS, WRITTEN)
    drafts = [written(n) if n % 3 == 0 else changed(n) for n in range(1, 61)]
    ids = lane.append(*drafts)
    relay = lane.relay()
    routable = [
        one for one, draft in zip(ids, drafts, strict=True) if draft.data.__class__.__name__ == "CustomerChanged"
    ]
    drive(lambda: len(lane.waiting()) == 20, relay)
    assert lane.waiting() == [one for one in ids if one not in routable]
    assert lane.arrived() == routable
    lane.bind("crm.events", ANSWERS, WRITTEN)
    drive(lambda: not lane.waiting(), relay)
    assert set(lane.arrived(ANSWERS)) == set(ids) - set(routable)
    assert set(lane.arrived()) == set(routable)


def test_M5_a_return_holds_only_its_lane(lane: Line) -> None:  # noqa: N802
    lane.unbind("crm.events", QUEUE[Lane.LIVE], CHANGED)
    live = lane.append(changed(1))
    bulk = lane.append(changed(2, lane=Lane.BULK))
    drive(lambda: not lane.waiting(Lane.BULK), lane.relay(), lane.relay(Lane.BULK))
    assert (lane.waiting(), lane.arrived(QUEUE[Lane.BULK])) == (live, bulk)


def test_M6_no_exchange_of_ours_hides_a_return_behind_an_alternate_exchange() -> None:  # noqa: N802
    assert "alternate-exchange" not in DEFINITIONS.read_text("utf-8")


def test_M7_a_missing_exchange_holds_the_lane_and_parks_nothing(  # noqa: N802
    lane: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    relay = lane.relay()
    drive(lambda: relay._greeted, relay)
    lane.manager.delete(f"exchanges/{lane.vhost}/crm.events")
    ids = lane.append(*[changed(number) for number in range(1, 31)])
    drive(told(capsys, "relay.topology_broken"), relay)
    drive(passing(0.5), relay)
    assert (lane.waiting(), lane.parked()) == (ids, {})
    kind = {"type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    lane.manager.put(f"exchanges/{lane.vhost}/crm.events", kind)
    lane.bind("crm.events", QUEUE[Lane.LIVE], CHANGED)
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids


def test_M20_a_user_that_may_not_write_holds_the_lane_and_parks_nothing(lane: Line) -> None:  # noqa: N802
    relay = lane.relay()
    drive(lambda: relay._greeted, relay)
    path = f"permissions/{lane.vhost}/{USER}"
    before = {key: lane.manager.get(path)[key] for key in ("configure", "write", "read")}
    ids = lane.append(changed(1), changed(2))
    lane.manager.put(path, {**before, "write": "^broker$"})
    drive(passing(1.0), relay)
    lane.manager.put(path, before)
    drive(lambda: not lane.waiting(), relay)
    assert (lane.arrived(), lane.parked()) == (ids, {})


def test_M18_and_pitfall_8_a_full_queue_is_waited_for_on_one_connection(lane: Line) -> None:  # noqa: N802
    """A nack is neither an ack nor a lost connection."""
    name = quote("test: full", safe="")
    pattern = "^economic-adapter\\.inbound$"
    definition = {"max-length": 5, "overflow": "reject-publish"}
    lane.manager.put(
        f"policies/{lane.vhost}/{name}",
        {"pattern": pattern, "apply-to": "queues", "priority": 99, "definition": definition},
    )
    queue = f"queues/{lane.vhost}/{QUEUE[Lane.LIVE]}"
    eventually(lambda: lane.manager.get(queue).get("effective_policy_definition", {}).get("max-length") == 5)
    ids = lane.append(*[changed(number) for number in range(1, 41)])
    relay = lane.relay(batch=4, window=4)
    drive(lambda: 0 < len(lane.waiting()) < 40, relay)
    connection = relay._publisher
    drive(passing(1.0), relay)
    left = lane.waiting()
    assert left
    assert relay._publisher is connection
    lane.manager.delete(f"policies/{lane.vhost}/{name}")
    drive(lambda: not lane.waiting(), relay)
    arrived = lane.arrived()
    assert set(arrived) == set(ids)
    assert len(arrived) == 40


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> str:
    """Messages whose customer says ``poison`` leave with a header the broker closes the channel for (406)."""
    publish = frames.publish

    def poisoned(messages: list[Outgoing], channel: int, frame_max: int) -> bytes:
        wire = b""
        for message in messages:
            one = publish([message], channel, frame_max)
            if b'"change":"poison"' in message.body:
                assert message.traceparent is not None
                header = b"\x0btraceparentS\x00\x00\x00\x37" + message.traceparent.encode()
                assert header in one
                one = one.replace(header, b"\x02CCS\x00\x00\x00\x40" + b"x" * 64)
            wire += one
        return wire

    monkeypatch.setattr(frames, "publish", poisoned)
    return "poison"


def test_pitfall_6_a_message_that_closes_the_channel_is_parked_alone_and_neighbours_arrive(
    lane: Line, poison: str
) -> None:
    drafts = [changed(number, poison if number in {50, 51, 140} else "") for number in range(1, 151)]
    ids = lane.append(*drafts)
    bad = [ids[49], ids[50], ids[139]]
    drive(lambda: not lane.waiting(), lane.relay(batch=40, window=120))
    assert lane.parked() == dict.fromkeys(bad, "closed_406")
    arrived = lane.arrived()
    assert set(arrived) == set(ids) - set(bad)
    # Whatever was in flight when the channel closed is unknown and sent once more, under the same id.
    first_seen = list(dict.fromkeys(arrived))
    assert first_seen == sorted(first_seen, key=ids.index)


def test_pitfall_6_a_lone_message_that_closes_the_channel_is_parked_and_can_be_retried(
    lane: Line, poison: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = lane.append(changed(1, poison))
    relay = lane.relay()
    drive(lambda: lane.parked() == {ids[0]: "closed_406"}, relay)
    with lane.engine.begin() as connection:
        assert outbox.retry_parked(connection, TABLES) == 1
    drive(lambda: lane.parked() == {ids[0]: "closed_406"}, relay)
    assert not lane.waiting()
    monkeypatch.undo()
    with lane.engine.begin() as connection:
        assert outbox.retry_parked(connection, TABLES, [lane.scalar("select id from crm.parked")]) == 1
    drive(lambda: not lane.waiting(), relay)
    assert (lane.arrived(), lane.parked()) == (ids, {})


def test_pitfall_6_what_fails_our_own_check_is_parked_without_being_sent(lane: Line) -> None:
    """Rows can come from other hands than ``append``."""
    ids = lane.append(changed(1), changed(2), changed(3))
    with lane.engine.begin() as connection:
        big = sa.text("update crm.outbox set body = convert_to(repeat('x', 1048577), 'UTF8') where message_id = :id")
        connection.execute(big, {"id": ids[0]})
        long = sa.text("update crm.outbox set type = repeat('æ', 130) where message_id = :id")
        connection.execute(long, {"id": ids[2]})
    drive(lambda: not lane.waiting(), lane.relay())
    assert lane.parked() == {ids[0]: "too_large", ids[2]: "name_too_long"}
    assert lane.arrived() == [ids[1]]


def test_a_message_that_need_not_route_is_settled_without_a_queue(lane: Line) -> None:
    [one] = lane.append(changed(1))
    with lane.engine.begin() as connection:
        connection.execute(sa.text("update crm.outbox set must_route = false, type = 'crm.nobody.cares.v1'"))
    drive(lambda: not lane.waiting(), lane.relay())
    assert one not in lane.arrived()


def test_content_that_no_message_can_carry_never_reaches_the_outbox(lane: Line) -> None:
    with lane.engine.begin() as connection:
        for text in ("a\x00b", "x" * 1_100_000):
            with pytest.raises(Unsendable):
                outbox.append(connection, OUTBOX, changed(1, text))
        outbox.append(connection, OUTBOX, changed(2))  # the transaction goes on
    assert len(lane.waiting()) == 1


def test_a_retry_grows_its_pauses(lane: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    lane.unbind("crm.events", QUEUE[Lane.LIVE], CHANGED)
    lane.append(changed(1))
    times: list[float] = []
    relay = lane.relay(longest_pause=1.0)
    judge = relay._judge

    def noted(pending: Any, verdict: Any) -> None:
        if verdict.refused:
            times.append(time.monotonic())
        judge(pending, verdict)

    monkeypatch.setattr(relay, "_judge", noted)
    drive(lambda: len(times) >= 4, relay)
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert all(0.2 < gap < 30 for gap in gaps)  # paused for a second at most; the rest says how busy the machine is
