"""Connections, brokers and relays that go away or stand still: what is uncertain is sent again, what is certain is not lost."""

import socket

import psycopg
import pytest
import sqlalchemy as sa

from crm_outbox.messaging import relay as relay_module
from crm_outbox.messaging.publisher import Publisher, Unreachable
from tests.integration.messaging.relaying import USER, Line, changed, drive, passing
from tests.proxy import Proxy

pytestmark = pytest.mark.slow


def test_M3_and_pitfall_7_no_ack_of_an_older_publish_confirms_a_newer_one(lane: Line, proxy: Proxy) -> None:  # noqa: N802
    """A broker that stands still: the connection is given up, and what was in flight is sent again on another."""
    relay = lane.relay(port=proxy.port, heartbeat=1)
    drive(lambda: relay._greeted, relay)
    proxy.black_hole()
    first = lane.append(*[changed(number) for number in range(20)])
    drive(lambda: relay._publisher is None, relay)
    assert lane.waiting() == first
    proxy.cut()
    proxy.restore()
    second = lane.append(*[changed(number) for number in range(20, 40)])
    drive(lambda: not lane.waiting(), relay)
    assert set(lane.arrived()) == set(first + second)


def test_M9_what_timed_out_may_have_arrived_and_comes_again_under_its_own_id(lane: Line, proxy: Proxy) -> None:  # noqa: N802
    relay = lane.relay(port=proxy.port, batch=10, window=20)
    drive(lambda: relay._greeted, relay)
    ids = lane.append(*[changed(number) for number in range(600)])
    cuts = 0

    def cut_now_and_then() -> bool:
        nonlocal cuts
        left = len(lane.waiting())
        if left < 600 - 40 * (cuts + 1) and cuts < 4:
            cuts += 1
            proxy.cut()
        return left == 0

    drive(cut_now_and_then, relay)
    assert cuts >= 3
    arrived = lane.arrived()
    assert set(arrived) == set(ids)
    assert len(arrived) >= 600


def test_M15_and_pitfall_7_an_idle_connection_is_kept_alive_by_heartbeats(lane: Line, proxy: Proxy) -> None:  # noqa: N802
    relay = lane.relay(port=proxy.port, heartbeat=3)  # a loaded machine may stand still for twice that
    drive(lambda: relay._greeted, relay)
    drive(passing(8.0), relay)
    assert proxy.accepted == 1
    ids = lane.append(changed(1))
    drive(lambda: not lane.waiting(), relay)
    assert (proxy.accepted, lane.arrived()) == (1, ids)


def test_the_connection_says_whose_it_is(lane: Line) -> None:
    relay = lane.relay()
    drive(lambda: relay._greeted, relay)
    name = f"relay.live@{socket.gethostname()}"

    def named() -> bool:
        found = lane.manager.get("connections")
        return any(one.get("client_properties", {}).get("connection_name") == name for one in found)

    drive(named, relay)


def test_a_connection_closed_by_an_operator_is_made_again(lane: Line) -> None:
    relay = lane.relay()
    drive(lambda: relay._greeted, relay)

    def close() -> bool:
        mine = [
            one
            for one in lane.manager.get("connections")
            if one.get("user") == USER and one["vhost"] == lane.broker.vhost
        ]
        for one in mine:
            lane.manager.delete(f"connections/{one['name'].replace(' ', '%20').replace('>', '%3E')}")
        return bool(mine)

    drive(close, relay)
    ids = lane.append(changed(1))
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids


def test_an_unreachable_broker_is_waited_for(lane: Line, proxy: Proxy) -> None:
    proxy.refuse()
    relay = lane.relay(port=proxy.port)
    ids = lane.append(changed(1))
    drive(passing(0.7), relay)
    assert lane.waiting() == ids
    proxy.restore()
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids


def test_a_wrong_password_says_so_without_saying_it(lane: Line) -> None:
    url = lane.broker.url(USER).replace(lane.broker.passwords[USER], "wrong-password")
    with pytest.raises(Unreachable) as caught:
        Publisher(url, name="test")
    assert "wrong-password" not in str(caught.value)


def test_only_one_relay_works_a_lane_and_another_takes_over_when_it_goes(lane: Line) -> None:
    first, second = lane.relay(), lane.relay()
    drive(lambda: first._greeted, first)
    assert second.run_once().wait > 0
    ids = lane.append(*[changed(number) for number in range(5)])
    drive(lambda: not lane.waiting(), first, second)
    assert second._publisher is None
    first.close()
    more = lane.append(changed(6))
    drive(lambda: not lane.waiting(), second)
    assert lane.arrived() == ids + more


def test_pitfall_4_a_relay_that_lost_its_session_cannot_settle_and_the_next_sends_again(
    lane: Line, proxy: Proxy
) -> None:
    """A machine that was paused: its lock is gone, another has the lane; waking up, it must not mark anything done."""
    stalled = lane.relay(port=proxy.port)
    drive(lambda: stalled._greeted, stalled)
    ids = lane.append(*[changed(number) for number in range(10)])
    proxy.black_hole()
    drive(lambda: len(stalled._window.waiting) == 10, stalled)
    proxy.restore()
    with psycopg.connect(lane.database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database ="
            " (select oid from pg_database where datname = current_database())"
        )
    other = lane.relay()
    drive(lambda: other._greeted, other)
    with pytest.raises((sa.exc.DBAPIError, psycopg.Error)):
        drive(passing(60.0), stalled)
    drive(lambda: not lane.waiting(), other)
    arrived = lane.arrived()
    assert set(arrived) == set(ids)
    assert 10 <= len(arrived) <= 20


def test_pitfall_1_a_relay_that_dies_between_publish_and_settle_leaves_nothing_behind(
    lane: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "IDLE", 0.005)  # short turns, so that each dies with much still to do
    ids = lane.append(*[changed(number) for number in range(1000)])
    for left in (900, 600, 300):
        relay = lane.relay(batch=20, window=60)
        drive(lambda relay=relay, left=left: len(lane.waiting()) < left, relay)  # type: ignore[misc]
        assert lane.waiting()
        if relay._publisher is not None:
            relay._publisher.collect()  # as SIGKILL would: the sockets go, nothing is said
        relay.close()
    drive(lambda: not lane.waiting(), lane.relay())
    arrived = lane.arrived()
    assert set(arrived) == set(ids)
    assert len(arrived) <= 1000 + 3 * (60 + 20)  # each time: the window, and what is confirmed and no whole batch yet
