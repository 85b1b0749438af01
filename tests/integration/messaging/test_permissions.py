"""What may each user of the broker do? What the table says, and nothing else."""

from collections.abc import Callable
from functools import partial

import amqp
import pytest
import structlog

from crm_outbox.messaging import management
from crm_outbox.messaging.management import Management, ManagementError
from crm_outbox.messaging.settings import Broker
from tests.builders.receiving import INBOUND
from tests.integration.messaging.users import user

RELAYS = {
    "relay-crm": {"crm.events", "broker"},
    "relay-economic": {"economic.events", "broker"},
    "relay-sync": {"crm.commands", "economic.commands", "sync.events", "broker"},
}


WRITES: dict[str, set[str]] = {
    **RELAYS,
    "crm-applier": set(),
    "economic-adapter": set(),
    "reconciler": set(),
    "operator": {"replay"},
    "attention": {"attention"},
    "tail": set(),
}


READS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(RELAYS, lambda _: False),
    **{
        name: lambda queue, name=name: queue in {f"{name}.inbound", f"{name}.bulk"}  # type: ignore[misc]
        for name in ("crm-applier", "economic-adapter", "reconciler")
    },
    "operator": lambda queue: queue.endswith(".dead") or queue.startswith("attention."),
    "attention": lambda queue: queue.startswith("attention."),
    "tail": lambda _: False,
}


@pytest.mark.parametrize("name", WRITES)
def test_a_user_publishes_where_the_table_says_and_nowhere_else(name: str, broker: Broker) -> None:
    exchanges = {entry["name"] for entry in management.definitions(broker.vhost)["exchanges"]} | {"amq.topic"}
    allowed = {exchange for exchange in exchanges if _may(broker, name, partial(_publish, exchange=exchange))}
    assert allowed == WRITES[name]
    assert not _may(broker, name, partial(_publish, exchange="")), "the default exchange reaches any queue"


@pytest.mark.parametrize("name", READS)
def test_a_user_reads_and_purges_what_the_table_says_and_nothing_else(name: str, broker: Broker) -> None:
    queues = {entry["name"] for entry in management.definitions(broker.vhost)["queues"]}
    expected = {queue for queue in queues if READS[name](queue)}
    assert {queue for queue in queues if _may(broker, name, partial(_get, queue=queue))} == expected
    assert {queue for queue in queues if _may(broker, name, partial(_purge, queue=queue))} == expected


@pytest.mark.parametrize("name", [name for name in WRITES if name != "tail"])
def test_a_user_declares_deletes_and_binds_nothing(name: str, broker: Broker) -> None:
    assert not _may(broker, name, lambda channel: channel.queue_declare("mine", durable=True, auto_delete=False))
    assert not _may(
        broker, name, lambda channel: channel.exchange_declare("mine", "topic", durable=True, auto_delete=False)
    )
    assert not _may(broker, name, lambda channel: channel.queue_delete(INBOUND))
    assert not _may(broker, name, lambda channel: channel.queue_bind(INBOUND, "crm.events", "#"))


def test_tail_makes_queues_of_its_own_and_sees_every_event_and_command(broker: Broker) -> None:
    with user(broker, "tail") as channel:
        channel.queue_declare("tail.me", durable=False, exclusive=True)
        for exchange in ("crm.events", "crm.commands", "economic.events", "economic.commands", "sync.events"):
            channel.queue_bind("tail.me", exchange, "#")
    assert not _may(broker, "tail", lambda channel: channel.queue_declare("other", durable=True))
    assert not _may(broker, "tail", lambda channel: _bind_own(channel, "replay"))


def test_only_the_jobs_user_enters_the_vhost_of_wake_ups_and_it_enters_no_other(broker: Broker) -> None:
    for name in broker.passwords:
        assert _enters(broker, name, jobs=True) == (name == "economic-jobs")
        assert _enters(broker, name, jobs=False) == (name != "economic-jobs")


def test_the_http_api_is_open_to_those_who_need_it(broker: Broker) -> None:
    let_in = set()
    for name in broker.passwords:
        with Management.of(broker, name) as one:
            try:
                one.get("overview")
            except ManagementError:
                continue
            assert "users" not in one.found()
            let_in.add(name)
    assert let_in == {"relay-crm", "relay-economic", "relay-sync", "operator", "attention"}


def test_a_management_api_that_is_away_says_so_without_a_credential(broker: Broker) -> None:
    with (
        Management("http://127.0.0.1:9", "operator", "canary-secret", broker.vhost) as nobody,
        pytest.raises(ManagementError, match="is away") as raised,
        structlog.testing.capture_logs(),
    ):
        nobody.depths()
    assert "canary-secret" not in str(raised.value)


def _may(broker: Broker, name: str, act: Callable[[amqp.Channel], object]) -> bool:
    try:
        with user(broker, name) as channel:
            act(channel)
            channel.basic_qos(0, 1, False)  # a round trip: what was refused has been said by then
    except amqp.AccessRefused:
        return False
    return True


def _enters(broker: Broker, name: str, *, jobs: bool) -> bool:
    try:
        with user(broker, name, jobs=jobs):
            return True
    except (amqp.NotAllowed, amqp.AccessRefused):
        return False


def _publish(channel: amqp.Channel, exchange: str) -> None:
    channel.basic_publish(amqp.Message(b"x"), exchange, INBOUND)


def _get(channel: amqp.Channel, queue: str) -> None:
    channel.basic_get(queue)


def _purge(channel: amqp.Channel, queue: str) -> None:
    channel.queue_purge(queue)


def _bind_own(channel: amqp.Channel, exchange: str) -> None:
    channel.queue_declare("tail.me", durable=False, exclusive=True)
    channel.queue_bind("tail.me", exchange, "#")
