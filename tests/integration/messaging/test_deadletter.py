"""Refused messages stay until a person decides, and attention queues show what waits for one."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.messaging import attention, commands, deadletter, outbox
from crm_outbox.messaging.attention import Item, Kind
from crm_outbox.messaging.commands import Package
from crm_outbox.messaging.envelope import MessageType, Registry, encode
from crm_outbox.messaging.held import Held
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker, password_name
from crm_outbox.tables import messages as tables
from tests.builders.receiving import (
    CONSUMER,
    INBOUND,
    NAME,
    Depths,
    Effects,
    Note,
    Post,
    consumer,
    drive,
    note,
    refusals,
    taken,
    watermarks,
)
from tests.waiting import eventually

pytestmark = pytest.mark.slow

DEAD = f"{INBOUND}.dead"
OTHER = Registry([MessageType(name="crm.parrot.seen.v1", data=Note, exchange="crm.events")])
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def operator(broker: Broker) -> Iterator[Management]:
    with Management.of(broker, "operator") as made:
        yield made


@pytest.fixture
def refused(engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects) -> list[str]:
    """Three messages refused for their type; their ids."""
    notes = [note(f"anna{number}@firma.dk", subject=f"note/{number}") for number in range(3)]
    for one in notes:
        post.raw(
            INBOUND, encode(one), message_id=str(one.id), type=NAME, application_headers={"traceparent": "00-1-2-01"}
        )
    with closing(consumer(engine, broker, effects, registry=OTHER)) as duty:
        drive(duty, lambda: len(refusals(engine)) == 3)
        eventually(lambda: depth(DEAD) == 3)
    return [str(one.id) for one in notes]


@pytest.fixture
def run(
    engine: sa.Engine, broker: Broker, database: str, admin: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command line, as a package mounts it; exit code and output."""
    environ = {
        "DATABASE_URL": database,
        "BROKER_URL": broker.address,
        "BROKER_VHOST": broker.vhost,
        "BROKER_MANAGEMENT_URL": broker.management_url,
        password_name("operator"): broker.passwords["operator"],
    }

    def call(*words: str, admin_too: bool = False, missing: str = "") -> tuple[int, str]:
        given = {key: value for key, value in environ.items() if key != missing}
        if admin_too:
            given["BROKER_ADMIN_URL"] = broker.management_url.replace("//", f"//{admin[0]}:{admin[1]}@")
        parser = argparse.ArgumentParser()
        package = Package(name="crm_outbox", owner="CRM", tables=tables, next_epoch=lambda _: 2, environ=given)
        commands.mount(parser.add_subparsers(required=True), package)
        try:
            code = commands.run(parser.parse_args(words))
        except SystemExit as error:
            code = int(str(error.code))
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


def test_what_was_refused_is_listed_without_its_body(refused: list[str], operator: Management, depth: Depths) -> None:
    lying = deadletter.lying(operator, INBOUND)
    assert [one.letter.message_id for one in lying] == refused
    eventually(lambda: depth(DEAD) == 3)
    assert {(one.letter.type, one.why, one.replays, one.letter.body) for one in lying} == {(NAME, "rejected", 0, b"")}
    assert b"anna0@firma.dk" in deadletter.lying(operator, DEAD, bodies=True)[0].letter.body


def test_looking_often_loses_nothing_and_keeps_the_order(
    refused: list[str], operator: Management, broker: Broker, depth: Depths
) -> None:
    """Every look gives messages back, and quorum queues count that: above 20 they would be dropped by default."""
    for _ in range(30):
        eventually(lambda: depth(DEAD) == 3)
        assert [one.letter.message_id for one in deadletter.lying(operator, INBOUND)] == refused
        eventually(lambda: depth(DEAD) == 3)
        with closing(Held(broker.url("operator"), DEAD, "test")) as held:
            assert len(list(held)) == 3
    eventually(lambda: depth(DEAD) == 3)


def test_a_retried_message_is_taken_once_its_type_is_known(
    refused: list[str],
    operator: Management,
    engine: sa.Engine,
    broker: Broker,
    depth: Depths,
    effects: Effects,
) -> None:
    assert deadletter.retry(broker, operator, INBOUND, refused[:2]) == 2
    eventually(lambda: depth(DEAD) == 1)
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: taken(engine) == 2)
    assert sorted(watermarks(engine)) == ["note/0", "note/1"]
    assert [one.letter.message_id for one in deadletter.lying(operator, INBOUND)] == refused[2:]


def test_a_retry_that_is_refused_again_counts_and_keeps_its_trace(
    refused: list[str], operator: Management, engine: sa.Engine, broker: Broker, depth: Depths, effects: Effects
) -> None:
    for time in (1, 2):
        assert deadletter.retry(broker, operator, INBOUND) == 3
        with closing(consumer(engine, broker, effects, registry=OTHER)) as duty:
            drive(duty, lambda: depth(INBOUND) == 0 and depth(DEAD) == 3)
        assert {one.replays for one in deadletter.lying(operator, INBOUND)} == {time}
        eventually(lambda: depth(DEAD) == 3)
    assert deadletter.lying(operator, INBOUND)[0].letter.headers["traceparent"] == "00-1-2-01"


def test_a_retry_whose_queue_is_gone_leaves_the_message_where_it_is(
    refused: list[str], operator: Management, broker: Broker, depth: Depths, manager: Management
) -> None:
    manager.delete(f"queues/{broker.vhost}/{INBOUND}")
    assert deadletter.retry(broker, operator, INBOUND) == 0
    eventually(lambda: depth(DEAD) == 3)


def test_a_dropped_message_is_gone_and_the_others_stay(
    refused: list[str], operator: Management, broker: Broker, depth: Depths
) -> None:
    assert deadletter.drop(broker, INBOUND, [refused[1]]) == 1
    eventually(lambda: depth(DEAD) == 2)
    assert [one.letter.message_id for one in deadletter.lying(operator, INBOUND)] == [refused[0], refused[2]]


def test_commands_tell_and_only_with_yes_do(refused: list[str], run: Run, depth: Depths) -> None:
    code, said = run("deadletter", INBOUND, "list")
    assert code == 1
    assert said.count("unknown_type") == 3
    assert "firma.dk" not in said
    eventually(lambda: depth(DEAD) == 3)  # what was looked at goes back a moment after the answer
    assert "firma.dk" not in run("deadletter", INBOUND, "show")[1]
    eventually(lambda: depth(DEAD) == 3)
    assert "anna1@firma.dk" in run("deadletter", INBOUND, "show", refused[1], "--body")[1]
    eventually(lambda: depth(DEAD) == 3)
    assert run("deadletter", INBOUND, "drop", refused[0]) == (0, "1 messages would be dropped; repeat with --yes\n")
    eventually(lambda: depth(DEAD) == 3)
    assert run("deadletter", INBOUND, "drop", refused[0], "--yes") == (0, "1 messages dropped\n")
    eventually(lambda: depth(DEAD) == 2)
    assert run("deadletter", INBOUND, "retry", "--all", "--yes") == (0, "2 messages sent to their queue again\n")
    eventually(lambda: depth(DEAD) == 0)
    assert run("deadletter", INBOUND, "list") == (0, "")


def test_a_wrong_call_is_2_and_missing_settings_are_all_named(run: Run) -> None:
    assert run("deadletter", INBOUND, "drop")[0] == 2
    assert run("outbox", "replay")[0] == 2
    assert run("outbox", "replay", "--everything", "--tenant", "x")[0] == 2
    assert run("outbox", "retry")[0] == 2
    assert run("outbox", "status", missing="DATABASE_URL") == (2, "CRM_DATABASE_URL or DATABASE_URL is missing\n")
    assert run("deadletter", INBOUND, "list", missing="BROKER_URL") == (2, "BROKER_URL is missing\n")
    assert run("topology", "init") == (2, "BROKER_ADMIN_URL is missing\n")


def test_topology_commands(run: Run, manager: Management, broker: Broker) -> None:
    assert run("topology", "verify", admin_too=True) == (0, "the broker is as the definitions say\n")
    code, said = run("topology", "verify")
    assert code == 0
    assert "users and permissions" in said
    manager.delete(f"queues/{broker.vhost}/{INBOUND}")
    assert run("topology", "verify")[0] == 1
    code, said = run("topology", "init", admin_too=True)
    assert code == 0
    assert f"queue {INBOUND} is missing" in said
    assert run("topology", "verify")[0] == 1
    assert run("topology", "init", "--yes", admin_too=True)[0] == 0
    assert run("topology", "verify", admin_too=True)[0] == 0


def test_outbox_and_epoch_commands(run: Run, engine: sa.Engine) -> None:
    assert run("outbox", "status")[0] == 0
    assert run("outbox", "parked") == (0, "")
    assert run("outbox", "replay", "--everything") == (0, "0 messages would be sent again; repeat with --yes\n")
    made = outbox.Outbox(tables=tables, registry=_registry(), source="test")
    with engine.begin() as connection:
        outbox.append(connection, made, outbox.Draft(data=Note(text="x"), tenant="t", subject="note/1"))
        connection.execute(
            sa.insert(tables.parked).from_select(
                ["lane", "id", "day", "reason"],
                sa.select(tables.pending.c.lane, tables.pending.c.id, tables.pending.c.day, sa.literal("too_large")),
            )
        )
        connection.execute(sa.delete(tables.pending))
    code, said = run("outbox", "parked")
    assert (code, "too_large" in said, "crm_outbox outbox retry" in said) == (1, True, True)
    assert run("outbox", "status")[0] == 1
    assert run("outbox", "retry", "--all")[1] == "1 parked messages would be made ready to send; repeat with --yes\n"
    assert run("outbox", "parked")[0] == 1
    assert run("outbox", "retry", "--all", "--yes")[0] == 0
    assert run("outbox", "parked")[0] == 0
    assert run("epoch", "next") == (0, "epoch 2 would be begun; repeat with --yes\n")


def _registry() -> Registry:
    return Registry([MessageType(name=NAME, data=Note, exchange="crm.events")])


def _item(kind: Kind, name: str, cause: str = "because") -> Item:
    return Item(kind=kind, id=name, since=datetime(2026, 1, 31, tzinfo=UTC), cause=cause, command=f"do {name}")


def _shown(manager: Management, kind: Kind) -> list[tuple[str, str]]:
    letters = [json.loads(letter.body) for letter in manager.look(kind.queue, bodies=True)]
    return [(letter["package"], letter["id"]) for letter in letters]


def test_attention_shows_exactly_the_open_items_of_each_package(broker: Broker, manager: Management) -> None:
    with Management.of(broker, "attention") as clock:
        assert attention.refresh(clock, "one", [_item(Kind.PARKED, "a"), _item(Kind.UNCLEAR_WRITE, "b")]) == 2
        assert attention.refresh(clock, "two", [_item(Kind.PARKED, "c")]) == 1
        eventually(lambda: _shown(manager, Kind.PARKED) == [("one", "a"), ("two", "c")])
        eventually(lambda: len(_shown(manager, Kind.UNCLEAR_WRITE)) == 1)
        eventually(
            lambda: attention.refresh(clock, "one", [_item(Kind.PARKED, "a"), _item(Kind.UNCLEAR_WRITE, "b")]) == 0
        )
        assert attention.refresh(clock, "one", [_item(Kind.PARKED, "a", "another cause")]) == 2
        eventually(lambda: sorted(_shown(manager, Kind.PARKED)) == [("one", "a"), ("two", "c")])
        assert _shown(manager, Kind.UNCLEAR_WRITE) == []
        assert attention.refresh(clock, "one", []) == 1
        assert attention.refresh(clock, "two", []) == 1
    assert all(manager.look(kind.queue) == [] for kind in Kind)


def test_attention_that_was_purged_is_back_at_the_next_turn(broker: Broker, depth: Depths, manager: Management) -> None:
    with Management.of(broker, "attention") as clock:
        attention.refresh(clock, "one", [_item(Kind.PARKED, "a")])
        manager.delete(f"queues/{broker.vhost}/{Kind.PARKED.queue}/contents")
        assert depth(Kind.PARKED.queue) == 0
        attention.refresh(clock, "one", [_item(Kind.PARKED, "a")])
    assert depth(Kind.PARKED.queue) == 1


def test_two_clocks_at_once_end_with_each_item_once(broker: Broker, manager: Management) -> None:
    items = [_item(Kind.PARKED, str(number)) for number in range(5)]
    with Management.of(broker, "attention") as clock:
        for _ in range(2):  # as two copies of a clock would that saw the queue empty at one moment
            for item in items:
                clock.publish(
                    "attention",
                    Kind.PARKED.queue,
                    b"{}",
                    {"message_id": item.id, "headers": {"package": "one", "digest": "x"}},
                )
        attention.refresh(clock, "one", items)
    eventually(lambda: sorted(_shown(manager, Kind.PARKED)) == [("one", str(number)) for number in range(5)])


def test_what_the_outbox_and_dead_letters_have_to_say(
    refused: list[str], engine: sa.Engine, broker: Broker, manager: Management
) -> None:
    made = outbox.Outbox(tables=tables, registry=_registry(), source="test")
    with engine.begin() as connection:
        for number in range(2):
            outbox.append(connection, made, outbox.Draft(data=Note(), tenant="t", subject=f"note/{number}"))
        parked = connection.execute(sa.select(tables.pending).limit(1)).one()
        connection.execute(
            sa.insert(tables.parked).values(lane=parked.lane, id=parked.id, day=parked.day, reason="too_large")
        )
    soon = datetime.now(UTC)
    with engine.connect() as connection, Management.of(broker, "attention") as clock:
        eventually(lambda: clock.depths().get(DEAD) == 3)
        at_once = attention.of_outbox(connection, tables, "crm_outbox", soon)
        late = attention.of_outbox(connection, tables, "crm_outbox", soon + timedelta(minutes=2))
        [dead] = attention.of_dead_letters(connection, tables, clock, "crm_outbox", CONSUMER, soon)
    assert [item.kind for item in at_once] == [Kind.PARKED]
    assert {item.kind for item in late} == {Kind.PARKED, Kind.OUTBOX_LATE}
    assert at_once[0].command == f"crm_outbox outbox retry {parked.id} --yes"
    assert dead.cause == "3 refused: unknown_type (3)"
    assert dead.command == f"crm_outbox deadletter {INBOUND} list"


def test_a_message_without_an_id_can_be_dropped_with_all(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects, run: Run
) -> None:
    post.raw(INBOUND, b"?")
    post.raw(INBOUND, b"?", message_id=str(uuid4()))
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: len(refusals(engine)) == 2)
    eventually(lambda: depth(DEAD) == 2)
    assert "(no id)" in run("deadletter", INBOUND, "list")[1]
    eventually(lambda: depth(DEAD) == 2)
    assert run("deadletter", DEAD, "drop", "--all", "--yes") == (0, "2 messages dropped\n")
