"""Several workers on one agreement, with hooks, polls and faults all at once: nothing lost, doubled, or told out of order."""

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Result
from crm_outbox.messaging.envelope import Version
from economic_adapter import store, tables, work
from economic_adapter.contract import CustomerObserved
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from tests.builders.economic import Bench, creation, part, person
from tests.waiting import eventually

AT_ONCE = store.Gather(quiet=0, most=0)


@pytest.mark.slow
def test_four_workers_share_an_agreement(at_desk: Bench) -> None:
    data, chance = at_desk.sandbox.data, random.Random(7)
    at_desk.desk = replace(at_desk.desk, now=lambda: datetime.now(UTC), backoff_max=0.2, chance=chance.random)
    creations = {f"crm-{one}": creation(fields={"name": f"Customer {one}"}) for one in range(30)}
    for customer, one in creations.items():
        at_desk.command(one, customer=customer)
    for kind in ("drop", "status"):
        for when in ("before", "after"):
            data.faults.add(
                kind, when=when, probability=0.1, count=None, **({"status": 503} if kind == "status" else {})
            )
    stop, failures = threading.Event(), list[BaseException]()

    def run(worker: int) -> None:
        try:
            while not stop.is_set():
                if not work.step(at_desk.desk, AGREEMENT, worker):
                    stop.wait(0.01)
        except BaseException as error:
            failures.append(error)
            raise

    def done(count: int) -> bool:
        if failures:
            raise failures[0]
        with at_desk.engine.connect() as connection:
            answered = sa.select(sa.func.count()).where(tables.operation.c.outcome.is_not(None))
            rows = connection.scalar(sa.select(sa.func.count()).select_from(tables.work))
            return connection.scalar(answered) == count and rows == 0

    workers = [threading.Thread(target=run, args=(one,)) for one in range(1, 5)]
    for thread in workers:
        thread.start()
    try:
        eventually(lambda: done(30), within=60)
        edits = []
        for number, held in data.agreement().customers.items():
            edits += [part(number=number, object_version=held.version, fields={"phone": f"p{number}"}), person()]
            at_desk.command(edits[-2], number=number, customer=f"of {number}")
            at_desk.command(edits[-1], number=number, customer=f"of {number}")
            ui.edit_customer(data, number, {"homepage": f"https://{number}.example"}) if number % 3 == 0 else None
            with at_desk.engine.begin() as connection:
                store.mark(connection, AGREEMENT, number, why="hook", now=datetime.now(UTC), gather=AT_ONCE)
        with at_desk.engine.begin() as connection:
            store.plan(connection, AGREEMENT, "poll", due_at=datetime.now(UTC))
        eventually(lambda: done(90), within=60)
    finally:
        stop.set()
        for thread in workers:
            thread.join()
    names = Counter(values["name"] for values in at_desk.customers().values())
    assert names == Counter({f"Customer {one}": 1 for one in range(30)})
    for one in creations.values():
        assert at_desk.outcome(one.operation).result is Result.WRITTEN
    for one in edits:
        outcome = at_desk.outcome(one.operation)
        assert (outcome.result, outcome.reason) in {(Result.WRITTEN, ""), (Result.REFUSED, "version")}
        if one.record == "customer" and outcome.result is Result.WRITTEN:
            assert at_desk.customers()[one.number or 0]["phone"] == f"p{one.number}"
    people = Counter(one.customer for one in data.agreement().contacts.values())
    assert set(people.values()) == {1}
    assert len(people) == 30
    versions: dict[int, list[Version]] = {}
    last: dict[int, CustomerObserved] = {}
    for envelope in at_desk.envelopes():
        seen = envelope.data
        if isinstance(seen, CustomerObserved) and seen.number is not None and seen.version is not None:
            versions.setdefault(seen.number, []).append(Version.parse(seen.version))
            last[seen.number] = seen
    assert all(told == sorted(told) for told in versions.values())
    for number, seen in last.items():
        assert seen.economic is not None
        assert seen.economic.object_version == data.agreement().customers[number].version
        assert len(seen.economic.contacts) == 1
