"""Everything e-conomic holds is read and told once under a run, whatever happens on the way; then the run closes."""

from collections import Counter

import pytest
import sqlalchemy as sa

from economic_adapter import imports, tables
from economic_adapter.tables import messages
from tests.builders.economic import Bench, Crash
from tests.integration.economic_adapter.reading import at_call, held, latest, numbers, seeded

pytestmark = pytest.mark.slow


def test_every_customer_is_told_once_with_its_persons_and_the_run_closes(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.imported()
    told = at_desk.under(run)
    assert numbers(told) == Counter(range(1, 26))
    assert latest(told) == held(at_desk)
    assert {(one.why, one.version) for one in told} == {("import", "1.1")}
    last = at_desk.far(run)[-1]
    assert (last.state, last.read, last.count, last.contacts) == ("closed", 25, 25, 31)
    assert at_desk.rows(tables.work) == []
    assert at_desk.rows(tables.import_customer) + at_desk.rows(tables.import_contact) == []
    with at_desk.engine.connect() as connection:
        assert set(connection.scalars(sa.select(messages.outbox.c.lane))) == {"bulk"}
    envelopes = list(at_desk.envelopes())
    assert {one.correlation for one in envelopes} == {"correlation-1"}
    assert envelopes[-1].data == last, "the closing comes behind all customers"


def test_progress_is_told_for_each_page_and_never_goes_back(at_desk: Bench) -> None:
    seeded(at_desk, customers=8, contacts=8, page=2)
    run = at_desk.imported()
    far = at_desk.far(run)
    assert [one.contacts for one in far][:6] == [0, 0, 2, 4, 6, 8]
    assert [one.read for one in far][6:10] == [2, 4, 6, 8]
    assert [one.calls for one in far] == sorted(one.calls for one in far)
    assert {one.state for one in far[:-1]} == {"running"}


def test_few_calls_are_made_beyond_the_pages_themselves(at_desk: Bench) -> None:
    seeded(at_desk, customers=120, contacts=150, page=10)
    run = at_desk.imported()
    calls = at_desk.calls()
    needed = 12 + 15
    assert len(calls) == at_desk.far(run)[-1].calls
    assert len(calls) <= 1.3 * needed, calls
    assert Counter(calls)["GET /Customers"] == 12


def test_an_empty_economic_closes_with_nothing_read(at_desk: Bench) -> None:
    run = at_desk.imported()
    last = at_desk.far(run)[-1]
    assert (last.read, last.count, last.closed) == (0, 0, True)
    assert at_desk.under(run) == []


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_a_worker_that_dies_at_any_call_loses_and_doubles_nothing(at_desk: Bench, moment: str) -> None:
    seeded(at_desk, customers=5, contacts=5, page=2)
    for call in range(30):
        run = at_desk.run()
        at_desk.wire.asked.clear()
        setattr(at_desk.wire, f"die_{moment}", call)
        try:
            at_desk.work()
        except Crash:
            at_desk.die()
            at_desk.work()
        else:
            assert call > 10, "it lived because no call is left to die at"
            return
        assert at_desk.far(run)[-1].closed
        assert numbers(at_desk.under(run)) == Counter(range(1, 6)), call
    raise AssertionError("a run without an end")


def test_a_run_that_is_paused_makes_no_call_and_goes_on_where_it_was(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    for _ in range(12):
        assert at_desk.step()
    before = at_desk.far(run)[-1]
    at_desk.run(run, action="pause")
    assert at_desk.far(run)[-1] == before.model_copy(update={"state": "paused"})
    at_desk.calls()
    assert at_desk.work() == 0
    at_desk.run(run, action="resume")
    at_desk.work()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))
    assert Counter(at_desk.calls())["GET /Contacts"] <= 1, "what was read is not read again"


def test_a_page_under_way_when_the_run_is_paused_is_read_again(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    at_call(at_desk, "/Customers", lambda: at_desk.run(run, action="pause"), nth=2)
    at_desk.work()
    assert at_desk.far(run)[-1].state == "paused"
    assert sum(numbers(at_desk.under(run)).values()) == 4
    at_desk.run(run, action="resume")
    at_desk.work()
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def test_a_run_that_is_stopped_tells_nothing_more(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    at_call(at_desk, "/Customers", lambda: at_desk.run(run, action="stop"), nth=2)
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.state, last.read, last.closed) == ("stopped", 4, False)
    assert sum(numbers(at_desk.under(run)).values()) == 4
    at_desk.run(run, action="resume")
    assert at_desk.work() == 0, "ended is ended"
    assert at_desk.rows(tables.import_customer) + at_desk.rows(tables.work) == []


def test_a_repeated_command_only_answers(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.imported()
    told = len(at_desk.under(run))
    at_desk.run(run)
    assert at_desk.far(run)[-1].closed
    assert at_desk.work() == 0
    assert len(at_desk.under(run)) == told


def test_an_agreement_that_was_never_connected_fails_at_once(at_desk: Bench) -> None:
    run = at_desk.run(known=False)
    (answer,) = at_desk.far(run)
    assert (answer.state, answer.cause) == ("failed", imports.NEVER_CONNECTED)
