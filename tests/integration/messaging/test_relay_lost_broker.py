"""A broker that lost its data, was killed or blocks: it is refilled, waited for, and never taken for healthy."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
import sqlalchemy as sa

from crm_outbox.messaging import management, outbox
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.outbox import Selection
from crm_outbox.messaging.relay import Relay
from tests.conftest import Own, OwnServers
from tests.integration.messaging.outages import Lose, beside
from tests.integration.messaging.relaying import QUEUE, TABLES, USER, Line, changed, drive, line, passing, told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # servers of their own are started, killed and started again


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
    drive(told(capsys, "topology init"), relay)
    drive(passing(0.5), relay)
    management.init(lane.manager)
    lane.unbind("crm.events", QUEUE[Lane.LIVE], "crm.customer.changed.v1.live")
    drive(told(capsys, "crm.customer.changed.v1.live is missing"), relay)
    drive(passing(0.5), relay)
    lane.bind("crm.events", QUEUE[Lane.LIVE], "crm.customer.changed.v1.live")
    drive(
        lambda: lane.scalar("select broker from crm.broker where lane = 'live'") == lane.manager.broker_ids()[0], relay
    )
    drive(lambda: not lane.waiting(), relay)
    assert lane.arrived() == ids


@pytest.fixture
def own(own_servers: OwnServers) -> Iterator[tuple[Own, Line]]:
    """Servers that may be killed, and a line on them."""
    with ExitStack() as stack:
        servers = stack.enter_context(own_servers())
        manager = stack.enter_context(Management(servers.broker.management_url, *servers.admin, servers.broker.vhost))
        yield servers, stack.enter_context(line(servers.database, servers.broker, manager))


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
    assert time.monotonic() - begin < 30  # a broker that blocks would be waited for without end
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
    drive(lambda: not starter.is_alive() and not lane.waiting(), relay, within=110)
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
        drive(passing(60.0), relay)
    relay.close()
    servers.postgres.start()
    lane.engine.dispose()
    drive(lambda: not lane.waiting(), lane.relay())
    assert set(lane.arrived()) == set(ids)
