"""Work that waits is told to the operator, with what it waits for and what helps; what is done in time is not."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_outbox.messaging.attention import Item, Kind
from economic_adapter import clock, commands, tables
from economic_adapter.budget import DAY_SOFT, UNTIL_RESUMED, Lane
from economic_adapter.sandbox.data import AGREEMENT
from tests.builders.economic import Bench, creation, part

pytestmark = pytest.mark.slow


def shown(at_desk: Bench) -> list[Item]:
    """What the clock would show."""
    with at_desk.engine.connect() as connection:
        return clock.open_items(connection, at_desk.time)


def late(at_desk: Bench) -> list[tuple[str, str]]:
    """What is late, and the command that helps."""
    return [(item.id, item.command) for item in shown(at_desk) if item.kind is Kind.INBOX_LATE]


def values(at_desk: Bench, **given: object) -> None:
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(**given))


def aged(at_desk: Bench) -> None:
    """The rows were made by the database's own clock; let them be as old as the desk says."""
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.work).values(created_at=at_desk.time))


def test_work_nobody_does_for_a_minute_is_told_and_gone_when_done(at_desk: Bench) -> None:
    at_desk.command(creation())
    at_desk.passes(59)
    assert late(at_desk) == []
    at_desk.passes(1)
    (item,) = shown(at_desk)
    assert (item.id, item.command) == (f"worker-{AGREEMENT}-due", "economic_adapter run worker")
    assert item.since == at_desk.time - timedelta(seconds=60)
    assert "Nordhavn" not in f"{item.cause}{item.command}"
    at_desk.work()
    assert late(at_desk) == []


def test_what_is_due_later_or_in_a_workers_hands_is_not_late(at_desk: Bench) -> None:
    at_desk.command(creation())
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.work).values(worker=1, claimed_at=at_desk.time))
    at_desk.passes(100)
    assert late(at_desk) == []
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.work).values(worker=None, due_at=at_desk.time + timedelta(hours=1)))
    assert late(at_desk) == []


def test_an_outage_is_named_as_such_until_it_ends(at_desk: Bench) -> None:
    at_desk.sandbox.data.faults.take_away(1e9, 503)
    for one in range(8):
        at_desk.command(creation(), customer=str(one))
    aged(at_desk)
    for _ in range(10):
        at_desk.work()
        at_desk.passes(10)
    assert late(at_desk) == [(f"worker-{AGREEMENT}-away", "economic_adapter status")]
    at_desk.sandbox.data.faults.bring_back()
    at_desk.settle()
    assert late(at_desk) == []


def test_a_429_is_named_as_throttling(at_desk: Bench) -> None:
    at_desk.sandbox.data.faults.add("throttle", retry_after=300)
    at_desk.command(creation())
    at_desk.command(creation(), customer="48212")
    aged(at_desk)
    at_desk.work()
    at_desk.passes(61)
    assert late(at_desk) == [(f"worker-{AGREEMENT}-throttled", "economic_adapter status")]


def test_hooks_of_a_day_whose_calls_are_used_up_are_throttled_and_writes_are_still_made(at_desk: Bench) -> None:
    values(at_desk, day=at_desk.time.date(), calls_today=DAY_SOFT)
    for number in range(1, 4):
        at_desk.hook(number)
    at_desk.command(creation())
    at_desk.passes(10)
    at_desk.work()
    assert len(at_desk.customers()) == 1
    at_desk.passes(70)
    assert late(at_desk) == [(f"worker-{AGREEMENT}-throttled", "economic_adapter status")]


def test_where_only_the_reserve_of_a_day_is_left_an_edit_waits_and_what_a_person_decided_goes(at_desk: Bench) -> None:
    values(at_desk, day=at_desk.time.date(), calls_today=Lane.EDIT.most)
    at_desk.command(creation(), customer="edit")
    at_desk.command(creation(), customer="person", person=True)
    at_desk.work()
    (answered,) = at_desk.new()
    assert [one.result for one in answered.outcomes] == ["written"]
    assert answered.customer == "person"
    aged(at_desk)
    at_desk.passes(70)
    assert late(at_desk) == [(f"worker-{AGREEMENT}-throttled", "economic_adapter status")]
    at_desk.passes(24 * 3600)
    at_desk.work()
    assert [one.customer for one in at_desk.new()] == ["edit"]


def test_looks_that_used_their_share_do_not_keep_what_a_person_decided(at_desk: Bench) -> None:
    values(at_desk, day=at_desk.time.date(), looks_today=DAY_SOFT, calls_today=DAY_SOFT)
    at_desk.command(creation(), person=True)
    aged(at_desk)
    at_desk.passes(61)
    assert late(at_desk) == [(f"worker-{AGREEMENT}-due", "economic_adapter run worker")]
    at_desk.work()
    assert len(at_desk.customers()) == 1


@pytest.mark.parametrize("given", [{"state": "access_lost"}, {"paused_until": UNTIL_RESUMED}])
def test_what_waits_for_a_person_is_told_of_the_agreement_and_not_of_its_work(
    at_desk: Bench, given: dict[str, object]
) -> None:
    at_desk.command(creation())
    values(at_desk, **given)
    at_desk.passes(100)
    assert [item.kind for item in shown(at_desk)] == [Kind.AGREEMENT_PAUSED]


def test_a_pause_until_further_notice_is_told_with_the_command_that_ends_it(at_desk: Bench) -> None:
    assert shown(at_desk) == []
    commands.pause(at_desk.engine, AGREEMENT, on=True, do=True, told=at_desk.desk.outbox)
    (item,) = shown(at_desk)
    assert (item.kind, item.command) == (
        Kind.AGREEMENT_PAUSED,
        f"economic_adapter resume --agreement {AGREEMENT} --yes",
    )
    assert abs(item.since - at_desk.time) < timedelta(minutes=5)
    commands.pause(at_desk.engine, AGREEMENT, on=False, do=True, told=at_desk.desk.outbox)
    assert shown(at_desk) == []
    values(at_desk, paused_until=at_desk.time + timedelta(hours=1))
    assert shown(at_desk) == []


def test_work_no_worker_may_do_is_not_late(at_desk: Bench) -> None:
    at_desk.command(part(number=7, object_version="1"), number=7)
    values(at_desk, state="disconnected")
    at_desk.passes(100)
    assert late(at_desk) == []


def test_a_row_that_fails_by_our_own_mistake_is_told(at_desk: Bench) -> None:
    at_desk.command(creation())
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.work).values(waiting="bug", due_at=at_desk.time + timedelta(hours=1)))
    aged(at_desk)
    at_desk.passes(60)
    assert late(at_desk) == [(f"worker-{AGREEMENT}-bug", "economic_adapter status")]
