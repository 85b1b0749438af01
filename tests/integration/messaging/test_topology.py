"""What stands in the broker: everything of the file, nothing that could harm us, and rights no wider than the table."""

import json
from collections.abc import Callable
from typing import Any

import amqp
import pytest

import crm_outbox.contract
import economic_adapter.contract
import reconciler.contract
from crm_outbox.messaging import management, topology
from crm_outbox.messaging.attention import Kind
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from tests.builders.receiving import INBOUND, Depths, Post, note
from tests.integration.messaging.users import user
from tests.waiting import eventually

TYPES = (*crm_outbox.contract.TYPES, *economic_adapter.contract.TYPES, *reconciler.contract.TYPES)


def test_a_filled_broker_does_not_differ_from_the_file(manager: Management) -> None:
    assert management.verify(manager) == []


def test_filling_again_changes_nothing_and_keeps_the_passwords(
    broker: Broker, manager: Management, admin: tuple[str, str], depth: Depths, post: Post
) -> None:
    post.send(INBOUND, note())
    management.fill(broker.management_url, admin, broker.vhost, {})
    assert management.verify(manager) == []
    assert depth(INBOUND) == 1
    with user(broker, "crm-applier"):
        pass


def test_the_identity_is_made_once_and_can_be_read_with_the_rights_of_a_relay(
    broker: Broker, manager: Management
) -> None:
    identity = management.init(manager)
    assert management.init(manager) == identity
    for name in ("relay-crm", "relay-economic", "relay-sync"):
        with Management.of(broker, name) as relay:
            assert relay.broker_ids() == [identity]
            assert management.verify(relay) == []


def test_a_broker_without_identity_says_how_to_give_it_one(broker: Broker, manager: Management) -> None:
    [identity] = manager.broker_ids()
    manager.delete(f"queues/{broker.vhost}/broker.{identity}")
    assert manager.broker_ids() == []
    assert management.verify(manager) == ["queue broker.<uuid> is missing: run `crm_outbox topology init`"]


def _fanout(manager: Management, vhost: str) -> None:
    manager.delete(f"exchanges/{vhost}/sync.events")
    manager.put(f"exchanges/{vhost}/sync.events", {"type": "fanout"})


DRIFTS: dict[str, tuple[Callable[[Management, str], object], str]] = {
    "a queue is gone": (
        lambda m, v: m.delete(f"queues/{v}/crm-applier.bulk"),
        "queue crm-applier.bulk is missing",
    ),
    "a queue of another type": (
        lambda m, v: _replace(m, v, "crm-applier.bulk", {"x-queue-type": "classic"}),
        "queue crm-applier.bulk: type is classic, must be quorum",
    ),
    "a queue with arguments of its own": (
        lambda m, v: _replace(m, v, "crm-applier.bulk", {"x-queue-type": "quorum", "x-single-active-consumer": True}),
        "queue crm-applier.bulk has arguments that are not in the file: x-single-active-consumer True",
    ),
    "a queue that pretends to be ours": (
        lambda m, v: m.put(f"queues/{v}/reconciler.extra", {"durable": True}),
        "queue reconciler.extra is not in the file, and its name is ours",
    ),
    "a second identity": (
        lambda m, v: m.put(f"queues/{v}/broker.x", {"durable": True}),
        "there is more than one queue broker.<uuid>",
    ),
    "an exchange is gone": (lambda m, v: m.delete(f"exchanges/{v}/sync.events"), "exchange sync.events is missing"),
    "an exchange of another type": (
        _fanout,
        "exchange sync.events: type is fanout, must be topic",
    ),
    "a binding is gone": (
        lambda m, v: m.delete(f"bindings/{v}/e/crm.events/q/reconciler.inbound/crm.customer.written.v1.live"),
        "binding crm.events -> reconciler.inbound by crm.customer.written.v1.live is missing",
    ),
    "a binding too many": (
        lambda m, v: m.post(f"bindings/{v}/e/crm.events/q/reconciler.inbound", {"routing_key": "#"}),
        "binding crm.events -> reconciler.inbound by # is not in the file, and feeds a queue of ours",
    ),
    "a foreign queue at the identity's exchange": (
        lambda m, v: _bound(m, v, "spy", "broker", {}),
        "binding broker -> spy by #: only queue broker.<uuid> may be bound to exchange broker",
    ),
    "a foreign queue that refuses publishes": (
        lambda m, v: _bound(m, v, "billing", "crm.events", {"x-overflow": "reject-publish"}),
        "queue billing is bound to crm.events and refuses publishes when it is full",
    ),
    "a policy is gone": (
        lambda m, v: m.delete(f"policies/{v}/crm-applier.bulk: 20 tries, then .dead"),
        "policy 'crm-applier.bulk: 20 tries, then .dead' is missing",
    ),
    "a policy was changed": (
        lambda m, v: m.put(
            f"policies/{v}/attention: rebuilt by the clocks",
            {"pattern": "^attention\\.", "apply-to": "queues", "priority": 10, "definition": {"max-length": 5}},
        ),
        "policy 'attention: rebuilt by the clocks': definition is max-length 5, must be max-length 10000, overflow drop-head",
    ),
    "a stronger policy": (
        lambda m, v: m.put(
            f"policies/{v}/ttl", {"pattern": "^crm-applier\\.bulk$", "priority": 99, "definition": {"message-ttl": 1}}
        ),
        "queue crm-applier.bulk: what applies to it is message-ttl 1, must be dead-letter-exchange crm-applier.dlx",
    ),
    "wider rights": (
        lambda m, v: m.put(f"permissions/{v}/relay-crm", {"configure": "^$", "write": ".*", "read": "^$"}),
        "write is '.*', must be '^(crm\\\\.events|broker)$'",
    ),
    "rights are gone": (
        lambda m, v: m.delete(f"permissions/{v}/tail"),
        "user tail has no permissions in vhost",
    ),
    "rights too many": (
        lambda m, v: m.put(f"permissions/{v}-jobs/tail", {"configure": "", "write": "", "read": ".*"}),
        "user tail has permissions in vhost",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRIFTS)
def test_verify_finds_a_planted_drift(name: str, broker: Broker, manager: Management) -> None:
    plant, said = DRIFTS[name]
    plant(manager, broker.vhost)
    problems: list[str] = []

    def found() -> bool:
        problems[:] = management.verify(manager)
        return any(said in problem for problem in problems)

    # the broker's pages may show the first half of a change, or what applied before it
    eventually(found)


def test_verify_leaves_the_queues_of_other_services_alone(broker: Broker, manager: Management) -> None:
    _subscriber(manager, broker.vhost)
    assert management.verify(manager) == []


def test_a_full_queue_of_another_service_makes_no_publish_fail(
    broker: Broker, manager: Management, depth: Depths
) -> None:
    _subscriber(manager, broker.vhost)
    with user(broker, "relay-crm", confirm=True) as channel:
        returned: list[object] = []
        channel.events["basic_return"].add(lambda *one: returned.append(one))
        for _ in range(20):
            message = amqp.Message(b"x" * 100, delivery_mode=2)
            channel.basic_publish_confirm(message, "crm.events", "crm.customer.changed.v1.live", mandatory=True)
    assert returned == []
    assert depth("billing") <= 2
    eventually(lambda: depth("economic-adapter.inbound") == 20)


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind.must_route], ids=lambda kind: kind.name)
def test_every_type_that_must_route_has_a_queue_in_each_lane(
    kind: Any, lane: Lane, broker: Broker, depth: Depths
) -> None:
    relay = {"crm.events": "relay-crm", "economic.events": "relay-economic"}.get(kind.exchange, "relay-sync")
    with user(broker, relay, confirm=True) as channel:
        returned: list[object] = []
        channel.events["basic_return"].add(lambda *one: returned.append(one))
        message = amqp.Message(b"x", delivery_mode=2)
        channel.basic_publish_confirm(message, kind.exchange, kind.routing_key(lane), mandatory=True)
    assert returned == []
    ends = {Lane.LIVE: ".inbound", Lane.BULK: ".bulk"}
    document = management.definitions(broker.vhost)
    filled = eventually(lambda: [queue for queue in topology.queues(document) if depth(queue)])
    assert all(queue.endswith(ends[lane]) for queue in filled)


def test_the_file_holds_no_secret_and_only_what_every_broker_takes() -> None:
    text = management.DEFINITIONS.read_text("utf-8")
    document = json.loads(text)
    assert "password" not in text
    assert {entry["apply-to"] for entry in document["policies"]} == {"queues"}, "M19: 3.10 refuses quorum_queues"
    assert all(entry["durable"] for entry in document["queues"] + document["exchanges"])
    assert {queue.removesuffix(".dead") for queue in map(_name, document["queues"]) if queue.endswith(".dead")} == set(
        topology.queues(document)
    )
    for entry in document["queues"]:
        quorum = not entry["name"].startswith("attention.")
        assert entry["arguments"] == {"x-queue-type": "quorum" if quorum else "classic"}
    assert {entry["name"] for entry in document["queues"]} >= {kind.queue for kind in Kind}
    for queue in topology.queues(document):
        [policy] = [entry for entry in document["policies"] if entry["name"].startswith(f"{queue}:")]
        assert policy["definition"].keys() == {
            "dead-letter-exchange",
            "dead-letter-routing-key",
            "dead-letter-strategy",
            "delivery-limit",
            "max-length-bytes",
            "overflow",
        }


def test_it_can_be_imported_under_any_vhost_name() -> None:
    document = management.definitions("t3-sync")
    assert [entry["name"] for entry in document["vhosts"]] == ["t3-sync", "t3-sync-jobs"]
    assert {entry["vhost"] for entry in document["queues"]} == {"t3-sync"}
    assert {entry["vhost"] for entry in document["permissions"]} == {"t3-sync", "t3-sync-jobs"}


def _replace(manager: Management, vhost: str, queue: str, arguments: dict[str, object]) -> None:
    manager.delete(f"queues/{vhost}/{queue}")
    manager.put(f"queues/{vhost}/{queue}", {"durable": True, "arguments": arguments})


def _bound(manager: Management, vhost: str, queue: str, exchange: str, arguments: dict[str, object]) -> None:
    manager.put(f"queues/{vhost}/{queue}", {"durable": True, "arguments": arguments})
    manager.post(f"bindings/{vhost}/e/{exchange}/q/{queue}", {"routing_key": "#"})


def _subscriber(manager: Management, vhost: str) -> None:
    arguments = {"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "drop-head"}
    manager.put(f"queues/{vhost}/billing", {"durable": True, "arguments": arguments})
    manager.post(f"bindings/{vhost}/e/crm.events/q/billing", {"routing_key": "crm.customer.changed.v1.*"})


def _name(entry: dict[str, Any]) -> str:
    return str(entry["name"])
