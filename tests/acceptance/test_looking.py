"""What stands beside a customer while e-conomic is slow, hangs, refuses, is away or the way there is, in real processes.

Each row is a switch of the sandbox or a process that is killed; what is said is the JSON, calls are counted at the sandbox.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.messaging.settings import Broker
from economic_adapter.sandbox.app import Running
from reconciler import people
from tests.duties import TENANT, Product, product
from tests.waiting import eventually

SKOVBO = {"name": "Skovbo VVS ApS", "cvr": "13748136", "country": "Danmark"}
CLOCKS = {"POLL_SECONDS": "600", "POLL_IDLE_SECONDS": "600", "BACKOFF_MAX_SECONDS": "4"}
"""So that all calls but the first ones are those of looks."""
DEADLINE, GIVEN_UP = 5.0, 10.0
"""Seconds after which a look that nobody took, and one that was taken, is told as such: what ``reconciler.freshness`` promises."""


class Person:
    """Somebody who opens customers and watches what stands there."""

    def __init__(self, running: Product) -> None:
        self.running = running
        self.last: dict[str, Any] = {}
        self.asked: dict[str, float] = {}
        with running.engine.begin() as connection:
            self.key = people.make_key(connection, TENANT, "CRM", "user", datetime.now(UTC))[1]

    def ask(self, customer: str, version: str = "1.1", **query: str) -> dict[str, Any]:
        address = f"{self.running.environ['WEB_PUBLIC_URL']}/api/v1/customers/{customer}/status"
        given = {"version": version, **query}
        answer = httpx.get(address, params=given, headers={"authorization": f"Bearer {self.key}"}, timeout=60)
        assert answer.status_code == 200, answer.text
        self.last = answer.json()
        return self.last

    def watches(self, customer: str, *wanted: str) -> list[tuple[str, float]]:
        """Open it and watch until the last of these is said; each with when it was said first.

        The whole answer that said the last one stays in `last`: asked again, another look may have ended meanwhile.
        When each was asked for last stays in `asked`, in seconds after the opening was answered.
        """
        began, seen = time.monotonic(), [(self.ask(customer)["freshness"], 0.0)]
        opened = time.monotonic()
        self.asked = {}
        while seen[-1][0] != wanted[-1]:
            asking = time.monotonic()
            now, passed = self.ask(customer, look="false")["freshness"], time.monotonic() - began
            assert passed < 60, seen
            self.asked[now] = asking - opened
            if now != seen[-1][0]:
                seen.append((now, passed))
            time.sleep(0.05)
        assert [name for name, _ in seen if name in wanted] == list(wanted), seen
        return seen

    def is_told_by(self, *before: str, after: float) -> None:
        """Nobody who asked so many seconds after the opening was still told one of these.

        How soon the next one is seen says how busy the machine is: what counts is when the question left.
        """
        assert all(self.asked.get(one, 0.0) < after for one in before), self.asked

    def calls(self) -> int:
        """Calls e-conomic was asked since the last time."""
        made = int(self.running.sandbox.data.calls.total())
        self.running.sandbox.data.forget_calls()
        return made


@pytest.fixture
def running(database: str, broker: Broker, sandbox: Running, tmp_path: Path) -> Iterator[Product]:
    with product(database, broker, sandbox, tmp_path, clocks=CLOCKS) as started:
        started.connect()
        yield started


def taken(running: Product, kind: str) -> list[str]:
    """What the adapter has taken of that kind and not done yet: the looks by the id under which they were asked for."""
    named = sa.text("select coalesce(command ->> 'look', key) from economic.work where kind = :kind")
    with running.engine.connect() as connection:
        return sorted(connection.execute(named, {"kind": kind}).scalars())


def linked(running: Product, cvr: str = "13748136", **fields: str) -> str:
    """A customer that is linked, and that nobody has looked at for a while."""
    customer = running.create(**{**SKOVBO, "cvr": cvr, **fields})
    settled(running, customer)
    return customer


def settled(running: Product, customer: str) -> None:
    """Wait until it is the same on both sides and nothing of it is on its way; that is then a while ago."""
    eventually(lambda: running.status(customer).get("state") == "same")
    eventually(lambda: is_quiet(running))
    old(running)


def is_quiet(running: Product) -> bool:
    """Whether e-conomic is asked no more about what was just written there: its own word of it was looked at too, and heard.

    What is only heard later would be seen later too, and then nobody has to look.
    """
    if running.sandbox.data.outgoing.waiting():
        return False
    with running.engine.connect() as connection:
        return not any(connection.scalar(sa.text(query)) for query in _ON_ITS_WAY)


_ON_ITS_WAY = (
    "select count(*) from crm.outbox_pending",
    "select count(*) from sync.outbox_pending",
    "select count(*) from sync.operation where settled is null",
    "select count(*) from economic.work where kind in ('look', 'write', 'check')",
    "select count(*) from economic.outbox_pending",
    """
    select count(*) from economic.outbox o
    where not exists (select from sync.inbox i where i.consumer = 'reconciler' and i.message_id = o.message_id)
    """,
)
"""In the order in which it passes, so that it is met in one of them."""


def old(running: Product) -> None:
    """What was seen of e-conomic was seen ten minutes ago, and no look was made since."""
    with running.engine.begin() as connection:
        connection.execute(sa.text("update sync.economic_side set seen = seen - interval '10 minutes'"))
        connection.execute(sa.text("delete from sync.look"))


def test_an_answer_makes_it_true_now_with_two_calls_however_many_watch_and_a_slow_one_says_so(running: Product) -> None:
    customer, person = linked(running), Person(running)
    running.sandbox.data.faults.add("slow", seconds=0.3, count=2)
    person.calls()
    assert person.ask(customer)["state"] == "same"
    seen = person.watches(customer, "fresh")
    for _ in range(5):
        person.ask(customer)
    told = person.ask(customer, look="false")
    assert (told["compared"]["live"], told["state"], person.calls()) == (True, "same", 2), seen
    old(running)
    with running.sandbox.data.lock:  # e-conomic answers as soon as it was said to be slow, and that is soon enough
        person.watches(customer, "looking", "slow")
    eventually(lambda: person.ask(customer, look="false")["freshness"] == "fresh")
    assert person.calls() == 2


def test_one_that_hangs_and_one_whose_worker_is_dead_are_told_apart_and_both_end(running: Product) -> None:
    customer, person = linked(running), Person(running)
    # two looks of two calls each: the next one begins a moment after the first is given up, and would be answered at once
    running.sandbox.data.faults.add("hang", seconds=60, count=4)
    person.watches(customer, "looking", "slow", "no_answer")
    person.is_told_by("looking", "slow", after=GIVEN_UP)
    told = person.last
    assert (told["state"], told["compared"]["live"]) == ("same", False)
    eventually(lambda: person.ask(customer, look="false")["freshness"] == "fresh")
    old(running)
    running.processes.kill("worker")
    seen = dict(person.watches(customer, "looking", "slow", "delayed"))
    assert seen["delayed"] >= DEADLINE
    person.is_told_by("looking", "slow", after=DEADLINE)
    running.processes.start_group("worker")
    eventually(lambda: person.ask(customer, look="false")["freshness"] == "fresh")


def first_cause(running: Product) -> str:
    """Why the first look that was not answered was not."""
    told = sa.text("select cause from sync.look_told where how = 'unanswered' order by at limit 1")
    with running.engine.connect() as connection:
        return str(connection.scalar(told))


def test_refused_ones_open_the_breaker_then_no_call_is_made_and_afterwards_all_who_watch_see_it(
    running: Product,
) -> None:
    cvrs = ("13748136", "25313763", "10403782")
    customers, person = [linked(running, cvr, name=f"Kunde {cvr}") for cvr in cvrs], Person(running)
    old(running)
    running.sandbox.data.faults.take_away(3600, 503)
    person.watches(customers[0], "no_answer")
    assert first_cause(running) == "away", "it was refused, and not given up as late"
    person.ask(customers[1])
    eventually(lambda: person.ask(customers[1], look="false")["freshness"] == "down")
    last = person.ask(customers[2])
    assert (last["freshness"], last["compared"]["live"], last["look_id"]) == ("down", False, None)
    running.sandbox.data.faults.bring_back()
    eventually(lambda: {person.ask(one, look="false")["freshness"] for one in customers[:2]} == {"fresh"}, within=60)


def test_where_nothing_may_be_asked_nothing_is(running: Product) -> None:
    customer, person = linked(running), Person(running)
    running.sandbox.data.faults.add("throttle", retry_after=180, count=2)  # longer than this test
    person.ask(customer)
    eventually(lambda: person.ask(customer, look="false")["freshness"] == "throttled")
    assert person.last["next_try_at"] is not None
    person.calls()
    looks = taken(running, "look")
    old(running)
    assert person.ask(customer)["freshness"] == "throttled"
    running.change(customer, phone="86 12 34 57")
    eventually(lambda: taken(running, "write"))  # it came by the same road, after any look that was asked for
    assert not set(taken(running, "look")) - set(looks)
    assert person.calls() == 0


def test_an_edit_that_has_not_left_the_crm_yet_is_on_its_way_and_lost_access_is_said_of_all(running: Product) -> None:
    customer, person = linked(running), Person(running)
    running.processes.kill("relay-crm")
    running.change(customer, phone="86 12 34 57")
    told = person.ask(customer, version="1.2")
    assert (told["state"], told["compared"]["live"]) == ("sending", False)
    running.processes.start_group("relay-crm")
    eventually(lambda: person.ask(customer, version="1.2", look="false")["compared"]["live"])
    settled(running, customer)
    running.sandbox.data.faults.add("status", status=401, count=None)
    person.ask(customer)
    eventually(lambda: person.ask(customer, look="false")["state"] == "access_lost")
