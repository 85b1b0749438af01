"""Connections, brokers and relays that go away or stand still: what is uncertain is sent again, what is certain is not lost."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa

from crm_outbox.messaging import management, outbox
from crm_outbox.messaging import relay as relay_module
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.outbox import Selection
from crm_outbox.messaging.publisher import Publisher, Unreachable
from crm_outbox.messaging.relay import Relay
from crm_outbox.messaging.settings import Broker
from deploy.local.containers import ContainedBus
from deploy.local.rabbitmq import RabbitMQ
from tests.conftest import Own, OwnServers
from tests.integration.messaging.relaying import QUEUE, TABLES, USER, Line, changed, drive, line, passing
from tests.proxy import Proxy

pytestmark = pytest.mark.slow


class Lose(Protocol):
    """Takes the broker's data away, vhost and all, and fills it anew; ``named``: with an identity."""

    def __call__(self, *, named: bool = True) -> None: ...


@pytest.fixture
def lane(database: str, broker: Broker, manager: Management) -> Iterator[Line]:
    with line(database, broker, manager) as made:
        yield made


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    address = urlsplit(broker.address)
    with Proxy(str(address.hostname), address.port or 5672) as made:
        yield made


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
    assert set(lane.arrived()) == set(ids)
    assert len(lane.arrived()) >= 600


def test_M15_and_pitfall_7_an_idle_connection_is_kept_alive_by_heartbeats(lane: Line, proxy: Proxy) -> None:  # noqa: N802
    relay = lane.relay(port=proxy.port, heartbeat=1)
    drive(lambda: relay._greeted, relay)
    drive(passing(4.0), relay)
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
        drive(passing(5.0), stalled)
    drive(lambda: not lane.waiting(), other)
    assert set(lane.arrived()) == set(ids)
    assert 10 <= len(lane.arrived()) <= 20


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
    assert len(arrived) <= 1000 + 3 * 60


@pytest.fixture
def lose_broker(lane: Line, server_addresses: dict[str, str]) -> Lose:
    admin = (server_addresses["user"], server_addresses["password"])

    def lose(*, named: bool = True) -> None:
        for vhost in (lane.broker.vhost, f"{lane.broker.vhost}-jobs"):
            lane.manager.delete(f"vhosts/{vhost}")
        management.fill(lane.broker.management_url, admin, lane.broker.vhost, lane.broker.passwords)
        if named:
            management.init(lane.manager)

    return lose


def test_a_lost_broker_is_refilled_with_everything_settled_in_the_last_day(lane: Line, lose_broker: Lose) -> None:
    old = lane.append(*[changed(number) for number in range(3)])
    relay = lane.relay()
    drive(lambda: not lane.waiting(), relay)
    with lane.engine.begin() as connection:
        connection.execute(sa.text("update crm.settled set hour = hour - interval '26 hours'"))
    young = lane.append(*[changed(number) for number in range(3, 40)])
    bulk = lane.append(*[changed(number, lane=Lane.BULK) for number in range(40, 50)])
    other = lane.relay(Lane.BULK)
    drive(lambda: not lane.waiting() and not lane.waiting(Lane.BULK), relay, other)
    assert lane.arrived() == old + young
    before = lane.scalar("select broker from crm.broker where lane = 'live'")
    lose_broker()
    more = lane.append(changed(50))
    drive(lambda: before != lane.scalar("select broker from crm.broker where lane = 'live'"), relay, other)
    drive(lambda: not lane.waiting() and not lane.waiting(Lane.BULK), relay, other)
    assert lane.arrived() == young + more
    assert lane.arrived(QUEUE[Lane.BULK]) == bulk


def test_what_was_replayed_before_a_broker_was_lost_is_replayed_into_the_next(lane: Line, lose_broker: Lose) -> None:
    [old] = lane.append(changed(1))
    live, bulk = lane.relay(), lane.relay(Lane.BULK)
    drive(lambda: not lane.waiting(), live)
    with lane.engine.begin() as connection:
        connection.execute(sa.text("update crm.settled set hour = hour - interval '26 hours'"))
        outbox.replay(connection, TABLES, Selection(message=old), dry=False)
    drive(lambda: not lane.waiting(Lane.BULK), bulk)
    assert lane.arrived(QUEUE[Lane.BULK]) == [old]
    lose_broker()
    drive(
        lambda: lane.scalar(
            "select count(distinct broker) = 1 and max(known_since) > min(known_since) from crm.broker"
        ),
        live,
        bulk,
    )
    drive(lambda: not lane.waiting(Lane.BULK), live, bulk)
    assert lane.arrived(QUEUE[Lane.BULK]) == [old]
    assert lane.arrived() == []


def test_a_broker_without_identity_or_with_another_topology_is_not_filled_and_is_told(
    lane: Line,
    lose_broker: Lose,
    capsys: pytest.CaptureFixture[str],
) -> None:
    relay = lane.relay()
    ids = lane.append(changed(1))
    drive(lambda: not lane.waiting(), relay)
    lose_broker(named=False)
    drive(passing(1.0), relay)
    assert "topology init" in capsys.readouterr().out
    management.init(lane.manager)
    lane.unbind("crm.events", QUEUE[Lane.LIVE], "crm.customer.changed.v1.live")
    drive(passing(1.0), relay)
    assert "crm.customer.changed.v1.live is missing" in capsys.readouterr().out
    lane.bind("crm.events", QUEUE[Lane.LIVE], "crm.customer.changed.v1.live")
    drive(
        lambda: lane.scalar("select broker from crm.broker where lane = 'live'") == lane.manager.broker_ids()[0], relay
    )
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids


def ctl(bus: object, *command: str) -> None:
    """Run rabbitmqctl against a RabbitMQ of our own."""
    if isinstance(bus, ContainedBus):
        done = bus.container.exec(["rabbitmqctl", *command])
        assert done.exit_code == 0, done.output
        return
    assert isinstance(bus, RabbitMQ)
    subprocess.run(
        [str((bus.root / bus.scripts.inside).with_name("rabbitmqctl")), *command],
        env=bus._environ(),
        cwd=bus.folder,
        check=True,
        capture_output=True,
        timeout=60,
        user=None if bus.account is None else bus.account.uid,
        group=None if bus.account is None else bus.account.gid,
        extra_groups=None if bus.account is None else [],
    )


@pytest.fixture
def own(own_servers: OwnServers) -> Iterator[tuple[Own, Line]]:
    """Servers that may be killed, and a line on them."""
    with ExitStack() as stack:
        servers = stack.enter_context(own_servers())
        manager = stack.enter_context(Management(servers.broker.management_url, *servers.admin, servers.broker.vhost))
        yield servers, stack.enter_context(line(servers.database, servers.broker, manager))


def beside(relay: Relay, *command: str, servers: Own) -> None:
    """Run rabbitmqctl, which takes seconds, while the relay goes on taking its turns."""
    runner = threading.Thread(target=ctl, args=(servers.rabbitmq, *command))
    runner.start()
    drive(lambda: not runner.is_alive(), relay, within=60)


def test_M8_a_blocking_broker_is_waiting_and_not_a_crash(own: tuple[Own, Line]) -> None:  # noqa: N802
    servers, lane = own
    relay = lane.relay(heartbeat=3)  # a loaded machine may stand still for twice that
    drive(lambda: relay._greeted, relay)
    beside(relay, "set_vm_memory_high_watermark", "absolute", "1", servers=servers)
    drive(lambda: any(one.get("mem_alarm") for one in lane.manager.get("nodes")), relay)
    ids = lane.append(*[changed(number, "x" * 10_000) for number in range(500)])
    drive(lambda: relay._publisher is not None and relay._publisher.blocked, relay)
    connection = relay._publisher
    assert connection is not None
    # more than twice the heartbeat: neither side may take it for dead, nor the kernel, for which nothing is taken
    drive(passing(8.0), relay)
    assert relay._publisher is connection
    connection._wrote = connection._heard = time.monotonic() - 3600  # an hour of it, for the clocks on our side
    drive(passing(0.1), relay)
    assert relay._publisher is connection
    assert len(lane.waiting()) > 0
    # The CRM's transactions go on, and a relay that is told to leave does so at once.
    lane.append(changed(1000))
    newcomer = Relay(lane.engine, TABLES, lane.broker, USER, Lane.BULK, "relay")
    [slow] = lane.append(changed(1001, lane=Lane.BULK))
    drive(lambda: newcomer._publisher is not None and newcomer._publisher.blocked, newcomer, relay)
    begin = time.monotonic()
    newcomer.close()
    assert time.monotonic() - begin < 5  # a broker that blocks would be waited for without end
    beside(relay, "set_vm_memory_high_watermark", "0.6", servers=servers)
    drive(lambda: not lane.waiting(), relay)
    assert relay._publisher is connection
    assert set(ids) <= set(lane.arrived())
    assert lane.waiting(Lane.BULK) == [slow]


def test_M2_a_broker_killed_in_mid_stream_has_everything_that_was_confirmed(own: tuple[Own, Line]) -> None:  # noqa: N802
    servers, lane = own
    relay = lane.relay(batch=50, window=150)
    ids = lane.append(*[changed(number) for number in range(3000)])
    drive(lambda: len(lane.waiting()) < 2500, relay)
    servers.rabbitmq.kill()
    settled = set(ids) - set(lane.waiting())
    drive(lambda: relay._publisher is None, relay)
    starter = threading.Thread(target=servers.rabbitmq.start)
    starter.start()
    drive(lambda: not starter.is_alive() and not lane.waiting(), relay, within=60)
    arrived = lane.arrived()
    assert settled <= set(arrived)
    assert set(arrived) == set(ids)
    assert len(arrived) <= 3000 + 200


def test_a_database_that_restarts_ends_the_turn_and_a_new_relay_goes_on(own: tuple[Own, Line]) -> None:
    servers, lane = own
    relay = lane.relay(batch=50, window=150)
    ids = lane.append(*[changed(number) for number in range(500)])
    drive(lambda: len(lane.waiting()) < 400, relay)
    servers.postgres.kill()
    with pytest.raises((sa.exc.DBAPIError, psycopg.Error)):
        drive(passing(5.0), relay)
    relay.close()
    servers.postgres.start()
    lane.engine.dispose()
    drive(lambda: not lane.waiting(), lane.relay())
    assert set(lane.arrived()) == set(ids)
