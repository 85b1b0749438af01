"""What a run waits for, and how that is told: once, with its cause, and it goes on by itself."""

from collections import Counter

import pytest
import sqlalchemy as sa

from economic_adapter import clock, tables
from economic_adapter.budget import UNTIL_RESUMED
from economic_adapter.rhythm import Rhythm
from tests.builders.economic import Bench
from tests.integration.economic_adapter.reading import numbers, seeded

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("state", ["connected", "off", "on"])
def test_an_agreement_is_read_whether_it_is_on_or_not(at_desk: Bench, state: str) -> None:
    seeded(at_desk, customers=3, contacts=1)
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state=state))
    assert numbers(at_desk.under(at_desk.imported())) == Counter([1, 2, 3])


def test_lost_access_is_waited_for_and_told(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    for _ in range(10):
        at_desk.step()
    at_desk.sandbox.data.grants["sandbox-grant"].revoked = True
    at_desk.step()
    last = at_desk.far(run)[-1]
    assert (last.state, last.cause) == ("waiting", "access_lost")
    at_desk.calls()
    at_desk.work()
    assert at_desk.calls() == []
    at_desk.sandbox.data.grants["sandbox-grant"].revoked = False
    with at_desk.engine.begin() as connection:
        access_regained(connection, at_desk)
    at_desk.settle()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def access_regained(connection: sa.Connection, at_desk: Bench) -> None:
    connection.execute(sa.update(tables.agreement).values(state="on"))
    connection.execute(sa.delete(tables.work).where(tables.work.c.kind == "check"))
    connection.execute(sa.update(tables.work).values(due_at=at_desk.time))


def test_a_disconnected_agreement_is_not_called(at_desk: Bench) -> None:
    seeded(at_desk)
    at_desk.run()
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="disconnected"))
    assert at_desk.work() == 0
    assert at_desk.calls() == []


def test_a_run_whose_agreement_waits_for_other_reasons_is_told_by_the_clock_once(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    at_desk.step()
    ticks = clock.Clock(
        engine=at_desk.engine,
        outbox=at_desk.outbox,
        now=lambda: at_desk.time,
        threads=1,
        rhythm=Rhythm(active=1e6),
        probe=60,
    )
    assert ticks.plan() == 0
    for values, cause in (
        ({"paused_until": UNTIL_RESUMED}, "paused"),
        ({"paused_until": None, "state": "disconnected"}, "disconnected"),
    ):
        with at_desk.engine.begin() as connection:
            connection.execute(sa.update(tables.agreement).values(**values))
        assert (ticks.plan(), ticks.plan()) == (1, 0)
        assert (at_desk.far(run)[-1].state, at_desk.far(run)[-1].cause) == ("waiting", cause)
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="on"))
    at_desk.work()
    assert {one.state for one in at_desk.far(run)[5:]} == {"running", "closed"}


def test_an_outage_is_waited_for_and_told_once(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    for _ in range(10):
        at_desk.step()
    at_desk.sandbox.data.faults.take_away(60, 503)
    for _ in range(5):
        at_desk.work()
        at_desk.passes(1)
    waiting = [one for one in at_desk.far(run) if one.state == "waiting"]
    assert [one.cause for one in waiting] == ["away"]
    at_desk.sandbox.data.faults.bring_back()
    at_desk.settle()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def test_people_and_hooks_are_served_before_an_import(at_desk: Bench) -> None:
    seeded(at_desk)
    at_desk.run()
    at_desk.look(1)
    at_desk.step()
    assert at_desk.calls() == ["GET /Customers/1", "GET /Contacts"]
