"""Every minute the adapter tells how it fares, also what it lacks; and when what it tells of began."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from economic_adapter import activity, commands, tables
from economic_adapter.budget import DAY_SOFT
from economic_adapter.clock import Clock
from economic_adapter.contract import AgreementObserved
from economic_adapter.rhythm import Rhythm
from economic_adapter.sandbox.data import AGREEMENT
from tests.builders.economic import Bench, creation, part


@pytest.fixture
def clock(at_desk: Bench) -> Clock:
    desk = at_desk.desk
    return Clock(engine=at_desk.engine, outbox=desk.outbox, now=desk.now, threads=1, rhythm=Rhythm(), probe=60.0)


def told(at_desk: Bench) -> list[AgreementObserved]:
    """Whatever was told of the agreement."""
    return [one.data for one in at_desk.envelopes() if isinstance(one.data, AgreementObserved)]


def test_the_figures_are_told_without_what_does_not_change(at_desk: Bench, clock: Clock) -> None:
    at_desk.write(creation())
    made = at_desk.agreement()["calls_today"]
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(missed=3, polled_at=at_desk.time, reference={}))
        activity.note(connection, AGREEMENT, at_desk.time)
        assert activity.arrived(connection, AGREEMENT, at_desk.time + timedelta(seconds=5), by_hand=False)
        assert not activity.arrived(connection, AGREEMENT, at_desk.time + timedelta(seconds=9), by_hand=False)
    assert clock.tell() == 1
    seen = told(at_desk)[-1]
    assert seen.reference is None
    figures = seen.figures
    assert figures is not None
    assert (figures.calls, figures.most, figures.missed) == (made, DAY_SOFT, 3)
    assert figures.checked == figures.at == at_desk.time
    assert figures.hooked == at_desk.time + timedelta(seconds=5)
    assert figures.late_since is None


def test_work_that_no_worker_does_is_told_with_its_begin(at_desk: Bench, clock: Clock) -> None:
    at_desk.command(creation())
    due = at_desk.time
    at_desk.passes(61)
    clock.tell()
    at_desk.work()
    clock.tell()
    figures = [one.figures for one in told(at_desk) if one.figures is not None]
    assert [one.late_since for one in figures] == [due, None]


def test_an_agreement_that_was_left_tells_nothing(at_desk: Bench, clock: Clock) -> None:
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="disconnected"))
    assert clock.tell() == 0


def test_an_operators_pause_is_told_at_once_and_its_end_too(at_desk: Bench) -> None:
    for on in (True, False):
        commands.pause(at_desk.engine, AGREEMENT, on=on, do=True, told=at_desk.desk.outbox)
    paused, resumed = told(at_desk)[-2:]
    assert paused.reach is not None
    assert resumed.reach is not None
    assert paused.reach.paused_since is not None
    assert (paused.reach.down_since, paused.reach.next_call, resumed.reach.paused_since) == (None, None, None)


def test_what_a_webhook_told_says_when_it_was_heard(at_desk: Bench) -> None:
    at_desk.write(creation())
    at_desk.new()
    at_desk.hook(1001)
    heard = at_desk.time
    at_desk.passes(3)
    at_desk.work()
    (seen,) = at_desk.new()
    assert (seen.why, seen.caused) == ("hook", heard)
    at_desk.look(1001)
    at_desk.work()
    assert [one.caused for one in at_desk.new()] == [None]


def test_a_write_that_reads_an_edit_before_anybody_looks_says_when_the_webhook_told_of_it(at_desk: Bench) -> None:
    at_desk.write(creation())
    at_desk.new()
    at_desk.hook(1001)
    heard = at_desk.time
    at_desk.passes(1)
    written = at_desk.write(part(fields={"phone": "22222222"}), number=1001)
    assert (written.why, written.caused) == ("write", heard)
