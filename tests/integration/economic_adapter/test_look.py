"""What changed in e-conomic is looked at and told: hooks gathered, marks never lost, absence only when it was said twice."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from economic_adapter import store, tables
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from tests.builders.economic import Bench


def poll(at_desk: Bench) -> None:
    """One poll, and what it marked."""
    with at_desk.engine.begin() as connection:
        store.plan(connection, AGREEMENT, "poll", due_at=at_desk.time)
    at_desk.work()


def test_a_burst_of_hooks_for_one_customer_takes_two_calls(at_desk: Bench, number: int) -> None:
    ui.edit_customer(at_desk.sandbox.data, number, {"city": "Odense"})
    for _ in range(20):
        at_desk.hook(number)
    assert at_desk.work() == 0
    at_desk.passes(2.1)
    assert at_desk.work() == 1
    assert at_desk.calls() == ["GET /Customers/1001", "GET /Contacts"]
    (seen,) = at_desk.new()
    assert (seen.why, seen.version, seen.customer) == ("hook", "1.2", None)
    assert seen.economic is not None
    assert seen.economic.city == "Odense"
    assert (at_desk.rows(tables.mark), at_desk.rows(tables.work)) == ([], [])


def test_hooks_that_never_stop_are_looked_at_after_ten_seconds(at_desk: Bench, number: int) -> None:
    for _ in range(11):
        at_desk.hook(number)
        at_desk.passes(1.0)
    assert at_desk.work() == 1


def test_a_mark_set_during_the_look_is_looked_at_again(at_desk: Bench, number: int) -> None:
    real = at_desk.wire.send

    def send(request: object, grant: object) -> object:
        if at_desk.wire.short == []:
            at_desk.hook(number)
        return real(request, grant)  # type: ignore[arg-type]

    at_desk.hook(number)
    at_desk.passes(2.1)
    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
    assert at_desk.work() == 1
    assert [row["counter"] for row in at_desk.rows(tables.mark)] == [2]
    at_desk.passes(2.1)
    assert at_desk.work() == 1
    assert at_desk.rows(tables.mark) == []


def test_a_renumbered_customer_goes_on_above_the_counter_of_its_old_number(at_desk: Bench, number: int) -> None:
    at_desk.seen(number)
    ui.renumber_customer(at_desk.sandbox.data, number, 2002)
    at_desk.hook(2002, number)
    at_desk.hook(2002, number)
    at_desk.passes(2.1)
    at_desk.work()
    (seen,) = at_desk.new()
    assert (seen.number, seen.old_numbers, seen.version) == (2002, (number,), "1.3")


def test_a_customer_renumbered_again_before_anybody_looked_tells_both_numbers(at_desk: Bench, number: int) -> None:
    at_desk.seen(number)
    ui.renumber_customer(at_desk.sandbox.data, number, 2002)
    at_desk.hook(2002, number)
    ui.renumber_customer(at_desk.sandbox.data, 2002, 3003)
    at_desk.hook(3003, 2002)
    at_desk.passes(2.1)
    while at_desk.work():
        pass
    told = {one.number: one.old_numbers for one in at_desk.new()}
    assert told[3003] == (number, 2002)


def test_a_missing_customer_is_told_absent_only_when_it_is_missing_again_later(at_desk: Bench, number: int) -> None:
    ui.delete_customer(at_desk.sandbox.data, number)
    at_desk.hook(number)
    at_desk.passes(2.1)
    at_desk.work()
    assert at_desk.new() == []
    assert not at_desk.rows(tables.mirror)[0]["absent"]
    at_desk.passes(61)
    at_desk.work()
    (seen,) = at_desk.new()
    assert (seen.absent, seen.economic, seen.version) == (True, None, "1.2")
    assert at_desk.rows(tables.work) == []


def test_a_customer_missing_once_and_there_again_is_told_as_it_is(at_desk: Bench, number: int) -> None:
    data = at_desk.sandbox.data
    data.faults.add("status", status=404, path="*/customers/*")
    at_desk.hook(number)
    at_desk.passes(2.1)
    at_desk.settle()
    assert [one.absent for one in at_desk.new()] == [False]


@pytest.mark.parametrize("fault", ["html", "half", "drop"])
def test_a_bad_answer_is_no_absence_and_changes_nothing(at_desk: Bench, number: int, fault: str) -> None:
    at_desk.sandbox.data.faults.add(fault)
    at_desk.new()
    at_desk.hook(number)
    at_desk.passes(2.1)
    at_desk.step()
    assert at_desk.new() == []
    assert at_desk.rows(tables.mark)
    at_desk.settle()
    assert [one.absent for one in at_desk.new()] == [False]


def test_a_number_nobody_ever_had_is_told_absent_at_once(at_desk: Bench) -> None:
    assert at_desk.seen(555).absent


def test_a_persons_look_that_was_not_served_in_time_expires(at_desk: Bench, number: int) -> None:
    at_desk.look(number, at_desk.time + timedelta(seconds=30))
    at_desk.passes(31)
    assert at_desk.work() == 0
    assert (at_desk.calls(), at_desk.rows(tables.work)) == ([], [])


def test_a_persons_look_clears_the_mark_too(at_desk: Bench, number: int) -> None:
    at_desk.hook(number)
    at_desk.look(number, at_desk.time + timedelta(seconds=30))
    assert at_desk.work() == 1
    assert (at_desk.rows(tables.mark), at_desk.rows(tables.work)) == ([], [])


def test_an_expired_look_leaves_the_mark_to_be_looked_at(at_desk: Bench, number: int) -> None:
    at_desk.look(number, at_desk.time + timedelta(seconds=30))
    at_desk.hook(number)
    at_desk.passes(31)
    assert at_desk.work() == 1
    assert [one.why for one in at_desk.new()] == ["hook"]


def test_what_was_seen_names_the_message_that_asked_for_it(at_desk: Bench, number: int) -> None:
    at_desk.look(number, at_desk.time + timedelta(seconds=30))
    at_desk.work()
    assert [one.correlation for one in at_desk.envelopes()][-1] == "correlation-1"


def test_a_poll_marks_what_no_hook_told_and_counts_it(at_desk: Bench, number: int) -> None:
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(webhooks="registered"))
    poll(at_desk)
    assert at_desk.calls() == ["GET /customers", "GET /Contacts"]
    at_desk.new()
    ui.edit_customer(at_desk.sandbox.data, number, {"city": "Odense"})
    ui.create_contact(at_desk.sandbox.data, number, {"name": "Mette Holm"})
    poll(at_desk)
    (seen,) = at_desk.new()
    assert seen.why == "poll"
    assert seen.economic is not None
    assert (seen.economic.city, [one.name for one in seen.economic.contacts]) == ("Odense", ["Mette Holm"])
    assert at_desk.agreement()["missed"] == 1
    at_desk.calls()
    poll(at_desk)
    assert at_desk.calls() == ["GET /customers", "GET /Contacts"]


def test_a_poll_does_not_count_what_a_hook_has_marked(at_desk: Bench, number: int) -> None:
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(webhooks="registered"))
    ui.edit_customer(at_desk.sandbox.data, number, {"city": "Odense"})
    at_desk.hook(number)
    poll(at_desk)
    assert at_desk.agreement()["missed"] == 0


def test_a_poll_reaches_back_no_further_than_its_overlap(at_desk: Bench, number: int) -> None:
    long_ago = at_desk.time - timedelta(hours=1)
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(customers_since=long_ago, contacts_since=long_ago))
    ui.create_contact(at_desk.sandbox.data, number, {"name": "Mette Holm"})
    poll(at_desk)
    row = at_desk.agreement()
    assert min(row["customers_since"], row["contacts_since"]) > at_desk.time - timedelta(seconds=60)
    first = dict(at_desk.wire.asked[0].query)["filter"]
    assert first == f"lastUpdated$gte:{long_ago - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
