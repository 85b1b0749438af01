"""What do the tests of the relay share? A lane on real servers, driven step by step in the test's own thread."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_outbox.contract import TYPES, CustomerChanged, CustomerWritten, Outcome, Result
from crm_outbox.messaging import outbox
from crm_outbox.messaging.database import engine as make_engine
from crm_outbox.messaging.envelope import Lane, Registry, Version, Words
from crm_outbox.messaging.management import Letter, Management
from crm_outbox.messaging.outbox import Draft, Outbox
from crm_outbox.messaging.relay import Relay
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.tables import message_tables

TABLES = message_tables(sa.MetaData(), "crm")
OUTBOX = Outbox(tables=TABLES, registry=Registry(TYPES), source="crm_outbox")
USER = "relay-crm"
QUEUE = {Lane.LIVE: "economic-adapter.inbound", Lane.BULK: "economic-adapter.bulk"}
"""Where ``crm.customer.changed.v1`` arrives; ``crm.customer.written.v1`` arrives at the reconciler."""
ANSWERS = "reconciler.inbound"

T = TypeVar("T")


def changed(number: int = 1, text: str = "", *, lane: Lane = Lane.LIVE) -> Draft:
    return draft(CustomerChanged(id=str(number), change=text or "changed"), number, lane)


def written(number: int = 1, *, lane: Lane = Lane.LIVE) -> Draft:
    answer = Outcome(operation=UUID(int=number), result=Result.WRITTEN)
    return draft(CustomerWritten(id=str(number), agreement=1, outcomes=(answer,)), number, lane)


def draft(data: Words, number: int, lane: Lane) -> Draft:
    return Draft(data=data, tenant="acme", subject=f"customer/{number}", version=Version(1, number), lane=lane)


@dataclass
class Line:
    """One database and one broker with relays on them."""

    database: str
    broker: Broker
    manager: Management
    engine: sa.Engine
    relays: list[Relay] = field(default_factory=list)

    def relay(self, lane: Lane = Lane.LIVE, *, port: int | None = None, **more: Any) -> Relay:
        """A relay of this lane; ``port`` leads it through a proxy. Closed at the end of the test."""
        broker = self.broker
        if port is not None:
            broker = Broker(
                address=f"amqp://127.0.0.1:{port}",
                vhost=broker.vhost,
                management_url=broker.management_url,
                passwords=broker.passwords,
            )
        made = Relay(self.engine, TABLES, broker, USER, lane, "relay", **{"longest_pause": 0.3, **more})
        self.relays.append(made)
        return made

    def append(self, *drafts: Draft) -> list[UUID]:
        """Commit these messages."""
        with self.engine.begin() as connection:
            return outbox.append_all(connection, OUTBOX, list(drafts))

    def scalar(self, statement: str, **given: Any) -> Any:
        """One value from the database."""
        with self.engine.begin() as connection:
            return connection.scalar(sa.text(statement), given)

    def waiting(self, lane: Lane = Lane.LIVE) -> list[UUID]:
        """The ids of the messages still pending, in order."""
        with self.engine.begin() as connection:
            ids = connection.scalars(
                sa.text(
                    "select message_id from crm.outbox_pending p join crm.outbox o using (id, day)"
                    " where p.lane = :lane order by id"
                ),
                {"lane": str(lane)},
            )
            return list(ids)

    def parked(self) -> dict[UUID, str]:
        """The parked messages and why."""
        with self.engine.begin() as connection:
            rows = connection.execute(
                sa.text("select message_id, reason from crm.parked join crm.outbox using (id, day)")
            )
            return {row.message_id: row.reason for row in rows}

    def arrived(self, queue: str = QUEUE[Lane.LIVE]) -> list[UUID]:
        """The ids of the messages in a queue, in order."""
        return [UUID(letter.message_id) for letter in self.letters(queue)]

    def letters(self, queue: str = QUEUE[Lane.LIVE], *, bodies: bool = False) -> list[Letter]:
        """The messages in a queue, in order; they stay there."""
        return self.manager.look(queue, bodies=bodies)

    @property
    def vhost(self) -> str:
        return quote(self.broker.vhost, safe="")

    def unbind(self, source: str, destination: str, key: str) -> None:
        """Remove a binding of the topology."""
        self.manager.delete(f"bindings/{self.vhost}/e/{source}/q/{destination}/{quote(key, safe='')}")

    def bind(self, source: str, destination: str, key: str) -> None:
        """Put it back."""
        self.manager.post(f"bindings/{self.vhost}/e/{source}/q/{destination}", {"routing_key": key, "arguments": {}})

    def close(self) -> None:
        for relay in self.relays:
            relay.close()
        self.engine.dispose()


@contextmanager
def line(database: str, broker: Broker, manager: Management) -> Iterator[Line]:
    made = Line(database, broker, manager, make_engine(database, "test"))
    with made.engine.begin() as connection:
        # The lanes know this broker already, so that a test may damage its topology.
        known = sa.insert(TABLES.broker)
        connection.execute(known, [{"lane": str(one), "broker": manager.broker_ids()[0]} for one in Lane])
    try:
        yield made
    finally:
        made.close()


def drive(check: Callable[[], T], *relays: Relay, within: float = 60.0) -> T:
    """Let relays take their turns until ``check`` is true; gives its answer."""
    deadline = time.monotonic() + within
    answer = check()
    while not answer:
        assert time.monotonic() < deadline, f"not within {within:g} s: {answer!r}"
        turns = [relay.run_once() for relay in relays]
        pause = min(turn.wait for turn in turns)
        if pause:
            time.sleep(min(pause, 0.05))  # what ``duty.run`` does between two turns
        answer = check()
    return answer


def passing(seconds: float) -> Callable[[], bool]:
    """A check for ``drive`` that is true once so much time has passed: for what must not happen meanwhile."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def told(capsys: pytest.CaptureFixture[str], words: str) -> Callable[[], bool]:
    """A check for ``drive`` that is true once these words were logged."""
    said: list[str] = []

    def found() -> bool:
        said.append(capsys.readouterr().out)
        return words in "".join(said)

    return found
