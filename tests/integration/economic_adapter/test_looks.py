"""Somebody waits for a look: it is told under its id, taken, answered or not, and in time; and how e-conomic can be reached."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from economic_adapter import budget, desk, store, tables
from economic_adapter.budget import Lane
from economic_adapter.contract import AgreementObserved, CustomerObserved, LookAtCustomer, Reach, Search
from economic_adapter.protocol import Answer
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from economic_adapter.sandbox.faults import Fault
from tests.builders.economic import FIELDS, Bench, creation


def wait_for(at_desk: Bench, number: int = 0, search: Search | None = None) -> UUID:
    """A look somebody waits for, as intake takes it."""
    words = LookAtCustomer(
        agreement=AGREEMENT, number=number, look=uuid4(), search=search, expires=at_desk.time + timedelta(seconds=30)
    )
    with at_desk.engine.begin() as connection:
        store.receive_look(connection, words, at_desk.message(), at_desk.time)
    assert words.look is not None
    return words.look


def told(at_desk: Bench, look: UUID) -> list[tuple[str, str]]:
    """What was told of that look since the last time."""
    found = [one.look for one in at_desk.new() if one.look is not None]
    assert all(one.look == look for one in found)
    return [(one.how, one.cause) for one in found]


def reaches(at_desk: Bench) -> list[Reach]:
    """Whatever was told of how e-conomic is reached."""
    seen = [one.data for one in at_desk.envelopes() if isinstance(one.data, AgreementObserved)]
    return [one.reach for one in seen if one.reach is not None]


def test_a_look_is_told_when_it_is_taken_and_answered_with_what_was_seen(at_desk: Bench, number: int) -> None:
    ui.edit_customer(at_desk.sandbox.data, number, {"city": "Odense"})
    look = wait_for(at_desk, number)
    assert at_desk.work() == 1
    taken, answered = at_desk.new()
    assert (taken.look, taken.version, taken.number) == (taken.look, None, number)
    assert [one.look.how for one in (taken, answered) if one.look and one.look.look == look] == ["taken", "answered"]
    assert answered.economic is not None
    assert answered.economic.city == "Odense"
    assert sorted(at_desk.calls()) == ["GET /Contacts", "GET /Customers/1001"]
    assert at_desk.rows(tables.work) == []


def test_both_calls_of_a_look_that_somebody_waits_for_are_made_at_the_same_time(
    at_desk: Bench, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2)

    def until_the_other_is_there(_method: str, _path: str) -> list[Fault]:
        both.wait(50)
        return []

    monkeypatch.setattr(desk, "LOOK_SECONDS", 60.0)
    monkeypatch.setattr(at_desk.sandbox.data.faults, "take", until_the_other_is_there)
    wait_for(at_desk, number)
    at_desk.work()
    assert [one.look.how for one in at_desk.new() if one.look] == ["taken", "answered"]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [({"kind": "status", "status": 503}, "away"), ({"kind": "throttle", "retry_after": 30}, "throttled")],
    ids=str,
)
def test_a_look_that_e_conomic_refuses_is_told_and_tried_again_until_it_expires(
    at_desk: Bench, number: int, fault: dict[str, Any], cause: str
) -> None:
    at_desk.sandbox.data.faults.add(fault.pop("kind"), count=2, **fault)
    look = wait_for(at_desk, number)
    assert at_desk.step()
    assert told(at_desk, look) == [("taken", ""), ("unanswered", cause)]
    at_desk.passes(29.0)
    at_desk.work()
    if cause == "away":
        assert told(at_desk, look)[-1] == ("answered", "")
    at_desk.passes(5.0)
    at_desk.work()
    assert at_desk.rows(tables.work) == []


def test_a_look_that_hangs_is_given_up_and_does_not_count_as_an_outage(
    at_desk: Bench, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "LOOK_SECONDS", 0.3)
    at_desk.sandbox.data.faults.add("hang", count=2, seconds=600)
    look = wait_for(at_desk, number)
    began = time.monotonic()
    assert at_desk.step()
    assert time.monotonic() - began < 30, "the hanging itself would take minutes"
    assert told(at_desk, look) == [("taken", ""), ("unanswered", "late")]
    assert at_desk.agreement()["failures"] == 0


def test_a_look_asked_for_while_one_is_on_its_way_is_answered_by_another(at_desk: Bench, number: int) -> None:
    real, looks = at_desk.wire.send, [wait_for(at_desk, number)]

    def send(request: Any, grant: Any, within: float | None = None) -> Answer:
        if len(looks) == 1 and request.path != "/Contacts":
            looks.append(wait_for(at_desk, number))
        return real(request, grant, within)

    at_desk.wire.send = send  # type: ignore[method-assign]
    assert at_desk.work() == 2
    answered = [one.look.look for one in at_desk.new() if one.look and one.look.how == "answered"]
    assert answered == looks
    assert at_desk.rows(tables.work) == []


def test_who_waits_is_served_before_everything_else(at_desk: Bench, number: int) -> None:
    at_desk.hook(2002)
    at_desk.passes(3.0)
    wait_for(at_desk, number)
    assert at_desk.step()
    assert "GET /Customers/1001" in at_desk.calls()


def test_a_customer_seen_missing_once_is_told_to_who_waits_and_believed_when_seen_missing_again(
    at_desk: Bench, number: int
) -> None:
    with at_desk.sandbox.data.lock:
        del at_desk.sandbox.data.agreement().customers[number]
    look = wait_for(at_desk, number)
    at_desk.work()
    assert told(at_desk, look) == [("taken", ""), ("missing", "")]
    at_desk.passes(60.0)
    look = wait_for(at_desk, number)
    at_desk.work()
    (_, seen) = at_desk.new()
    assert (seen.absent, seen.look is not None and seen.look.how) == (True, "answered")


def test_one_without_a_number_is_searched_for_by_one_call_and_found_ones_are_looked_at(at_desk: Bench) -> None:
    at_desk.write(creation())
    with at_desk.engine.begin() as connection:
        connection.execute(sa.delete(tables.mirror))
    at_desk.calls()
    look = wait_for(at_desk, search=Search(customer="99", cvr=FIELDS["cvr"]))
    assert at_desk.step()
    assert at_desk.calls() == ["GET /customers"]
    assert told(at_desk, look) == [("taken", ""), ("answered", "")]
    assert at_desk.work() == 1
    (seen,) = at_desk.new()
    assert (seen.why, seen.number) == ("look", 1001)
    look = wait_for(at_desk, search=Search(customer="99", cvr=FIELDS["cvr"]))
    at_desk.calls()
    at_desk.work()
    assert at_desk.calls() == ["GET /customers"]


def test_that_the_breaker_opens_and_closes_is_told_once_each_with_its_begin(at_desk: Bench, number: int) -> None:
    began = at_desk.time
    at_desk.sandbox.data.faults.add("status", status=503, count=None)
    for _ in range(budget.BREAKER + 2):
        wait_for(at_desk, number)
        at_desk.step()
        at_desk.passes(10.0)
    (down,) = [one for one in reaches(at_desk) if one.down_since is not None]
    assert down.down_since == began
    assert down.next_call is None
    at_desk.sandbox.data.faults.clear()
    at_desk.passes(100.0)
    wait_for(at_desk, number)
    at_desk.work()
    assert [one.down_since for one in reaches(at_desk)][-2:] == [began, None]
    assert at_desk.agreement()["failing_since"] is None


def test_when_e_conomic_says_wait_the_time_is_told(at_desk: Bench, number: int) -> None:
    at_desk.sandbox.data.faults.add("throttle", retry_after=30)
    wait_for(at_desk, number)
    at_desk.work()
    (reach,) = reaches(at_desk)
    assert reach.next_call is not None
    assert timedelta(seconds=30) <= reach.next_call - at_desk.time <= timedelta(seconds=32)


def test_looks_end_with_their_share_of_the_day_and_the_time_is_told(at_desk: Bench, number: int) -> None:
    with at_desk.engine.begin() as connection:
        share = int(budget.DAY_SOFT * budget.LOOKS_SHARE)
        at_desk_day = {"day": at_desk.time.date(), "looks_today": share - 2, "calls_today": share}
        connection.execute(sa.update(tables.agreement).values(**at_desk_day))
    wait_for(at_desk, number)
    assert at_desk.work() == 1
    assert at_desk.agreement()["looks_today"] == share
    (reach,) = reaches(at_desk)
    assert reach.next_call is not None
    assert reach.next_call.date() == at_desk.time.date() + timedelta(days=1)
    wait_for(at_desk, number)
    assert at_desk.work() == 0
    at_desk.hook(number)
    row = at_desk.rows(tables.work)[0]
    assert (row["lane"], row["waiting"]) == (Lane.PERSON, "")
    at_desk.passes(31)
    assert at_desk.work() == 1  # nobody waits any more: what the webhook told is looked at as ever
    assert at_desk.agreement()["looks_today"] == share


def test_a_check_of_the_set_up_is_no_look_and_waits_for_no_share_of_the_day(at_desk: Bench, number: int) -> None:
    with at_desk.engine.begin() as connection:
        share = int(budget.DAY_SOFT * budget.LOOKS_SHARE)
        used = {"day": at_desk.time.date(), "looks_today": share, "calls_today": share}
        connection.execute(sa.update(tables.agreement).values(**used))
        store.plan(connection, AGREEMENT, "check", due_at=at_desk.time, lane=Lane.PERSON, key="")
    assert at_desk.step()
    (row,) = at_desk.rows(tables.work)
    assert row["worker"] is not None
    assert at_desk.agreement()["looks_today"] == share


def test_an_observation_without_a_look_says_none(at_desk: Bench, number: int) -> None:
    seen: CustomerObserved = at_desk.seen(number)
    assert seen.look is None


def test_while_the_breaker_is_open_one_row_is_enough_for_a_probe_every_half_minute(at_desk: Bench, number: int) -> None:
    at_desk.desk = replace(at_desk.desk, backoff_max=900.0)
    at_desk.hook(number)
    at_desk.sandbox.data.faults.add("status", status=503, count=None)
    quiet, longest = 0, 0
    for _ in range(600):
        at_desk.passes(1.0)
        at_desk.work()
        quiet = 0 if at_desk.calls() else quiet + 1
        if at_desk.agreement()["failures"] > budget.BREAKER:
            longest = max(longest, quiet)
    assert 0 < longest <= 30
