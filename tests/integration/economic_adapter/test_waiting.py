"""e-conomic is away, throttles or refuses us: work waits with its cause, nothing is lost, nothing is marked failed."""

from datetime import timedelta

import sqlalchemy as sa

from crm_outbox.contract import Result
from economic_adapter import claims, tables
from economic_adapter.budget import BREAKER, Lane
from economic_adapter.contract import AgreementObserved, EconomicPart
from economic_adapter.sandbox.data import AGREEMENT, GRANT
from tests.builders.economic import Bench, creation, part


def waiting(at_desk: Bench) -> list[str]:
    """Why rows wait."""
    return [row["waiting"] for row in at_desk.rows(tables.work)]


def due(at_desk: Bench) -> dict[int, int]:
    """Agreements the clock would wake a worker for."""
    with at_desk.engine.connect() as connection:
        return claims.due_agreements(connection, at_desk.time)


def state(at_desk: Bench, wanted: EconomicPart) -> str:
    """How that write stands. Rows lie in no order."""
    (found,) = [str(row["state"]) for row in at_desk.rows(tables.operation) if row["operation"] == wanted.operation]
    return found


def test_after_a_429_nobody_calls_before_the_named_time(at_desk: Bench) -> None:
    at_desk.sandbox.data.faults.add("throttle", retry_after=30)
    wanted = creation()
    at_desk.command(wanted)
    at_desk.command(creation(fields={"name": "Sydhavn"}), customer="48212")
    at_desk.work()
    assert len(at_desk.calls()) == 1
    assert due(at_desk) == {}
    at_desk.passes(29)
    assert (at_desk.work(), at_desk.calls()) == (0, [])
    at_desk.passes(2)
    assert due(at_desk) == {AGREEMENT: 2}
    at_desk.work()
    assert at_desk.outcome(wanted.operation).result is Result.WRITTEN
    assert [row["attempts"] for row in at_desk.rows(tables.work)] == []


def test_a_429_on_the_write_itself_sends_the_same_bytes_later(at_desk: Bench, number: int) -> None:
    at_desk.sandbox.data.faults.add("throttle", method="PUT", retry_after=5)
    version = at_desk.sandbox.data.agreement().customers[number].version
    wanted = part(number=number, object_version=version, fields={"phone": "1"})
    at_desk.command(wanted, number=number)
    at_desk.work()
    assert state(at_desk, wanted) == "planned"
    at_desk.settle()
    first, second = [one for one in at_desk.wire.asked if one.method == "PUT"]
    assert (first.key, first.body) == (second.key, second.body)
    assert at_desk.outcome(wanted.operation).result is Result.WRITTEN


def test_an_outage_keeps_all_work_and_ends_with_it(at_desk: Bench) -> None:
    at_desk.sandbox.data.faults.take_away(1e9, 503)
    wanted = [creation(fields={"name": f"Customer {one}"}) for one in range(8)]
    for one in wanted:
        at_desk.command(one, customer=str(one.operation))
    for _ in range(20):
        at_desk.work()
        at_desk.passes(3600)
    assert set(waiting(at_desk)) == {"away"}
    assert at_desk.new() == []
    at_desk.sandbox.data.faults.bring_back()
    at_desk.settle()
    assert {at_desk.outcome(one.operation).result for one in wanted} == {Result.WRITTEN}
    assert len(at_desk.customers()) == 8


def test_an_open_breaker_sends_one_probe_at_a_time(at_desk: Bench) -> None:
    at_desk.sandbox.data.faults.take_away(1e9, 503)
    for one in range(12):
        at_desk.command(creation(fields={"name": f"Customer {one}"}), customer=str(one))
    at_desk.work()
    assert len(at_desk.calls()) == BREAKER
    assert due(at_desk) == {}
    at_desk.passes(11)
    assert at_desk.work() == 1
    assert len(at_desk.calls()) == 1


def test_the_first_answer_after_an_outage_wakes_everything_that_waited(at_desk: Bench) -> None:
    at_desk.sandbox.data.faults.take_away(1e9, 503)
    for one in range(12):
        at_desk.command(creation(fields={"name": f"Customer {one}"}), customer=str(one))
    at_desk.work()
    at_desk.sandbox.data.faults.bring_back()
    with at_desk.engine.begin() as connection:
        connection.execute(
            sa.update(tables.work)
            .where(tables.work.c.waiting == "away")
            .values(due_at=at_desk.time + timedelta(hours=1))
        )
    at_desk.passes(11)
    at_desk.work()
    assert len(at_desk.customers()) == 12


def test_a_refused_connection_is_certainly_not_done(at_desk: Bench, number: int) -> None:
    at_desk.sandbox.close()
    wanted = part(number=number, object_version="x", fields={"phone": "1"})
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.mirror).values(body=tables.mirror.c.body.concat({"objectVersion": "x"})))
    at_desk.command(wanted, number=number)
    at_desk.step()
    assert state(at_desk, wanted) == "planned"
    assert waiting(at_desk) == ["away"]


def test_a_lost_grant_stops_the_agreement_and_fails_no_customer(at_desk: Bench, number: int) -> None:
    data = at_desk.sandbox.data
    data.grants[GRANT].revoked = True
    version = data.agreement().customers[number].version
    wanted = part(number=number, object_version=version, fields={"phone": "1"})
    at_desk.passes(1)
    at_desk.command(wanted, number=number)
    at_desk.hook(number)
    at_desk.passes(3)
    at_desk.work()
    assert at_desk.agreement()["state"] == "access_lost"
    told = [one.data for one in at_desk.envelopes() if isinstance(one.data, AgreementObserved)]
    assert [one.state for one in told] == ["access_lost"]
    assert len(at_desk.calls()) == 1
    assert state(at_desk, wanted) == "planned"
    (again,) = at_desk.command(wanted, number=number)
    assert (again.result, again.reason) == (Result.WAITING, "access_lost")
    data.grants[GRANT].revoked = False
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="on"))
        connection.execute(sa.delete(tables.work).where(tables.work.c.kind == "check"))
    at_desk.settle()
    assert at_desk.outcome(wanted.operation).result is Result.WRITTEN


def test_a_row_that_fails_by_our_own_mistake_rests_and_disturbs_no_other(at_desk: Bench, number: int) -> None:
    real = at_desk.wire.send

    def send(request: object, grant: object) -> object:
        if request.path == "/Customers/666":  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return real(request, grant)  # type: ignore[arg-type]

    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
    at_desk.look(666)
    at_desk.look(number)
    at_desk.work()
    for _ in range(3):
        at_desk.passes(20)
        at_desk.work()
    (row,) = at_desk.rows(tables.work)
    assert (row["number"], row["waiting"], row["attempts"], row["last_error"]) == (666, "bug", 3, "ZeroDivisionError")
    assert row["due_at"] > at_desk.time + timedelta(minutes=30)


def test_calls_are_counted_and_the_bucket_is_read_from_the_answers(at_desk: Bench, number: int) -> None:
    row = at_desk.agreement()
    assert row["calls_today"] == 4
    assert (row["bucket_limit"], row["bucket_window"]) == (10_000, 60)
    assert 0 < row["bucket_used"] < 100


def test_two_workers_never_hold_the_same_customer(at_desk: Bench, number: int) -> None:
    version = at_desk.sandbox.data.agreement().customers[number].version
    at_desk.command(part(number=number, object_version=version, fields={"phone": "1"}), number=number)
    at_desk.look(number)
    with at_desk.engine.begin() as connection:
        first = claims.claim(
            connection, AGREEMENT, state="on", tenant="t", lanes=list(Lane), worker=1, now=at_desk.time
        )
        second = claims.claim(
            connection, AGREEMENT, state="on", tenant="t", lanes=list(Lane), worker=2, now=at_desk.time
        )
    assert first is not None
    assert (first.kind, second) == ("write", None)


def test_the_clock_frees_the_claims_of_a_worker_that_is_gone(at_desk: Bench, number: int) -> None:
    at_desk.look(number)
    with at_desk.engine.connect() as alive, at_desk.engine.begin() as connection:
        alive.execute(sa.select(sa.func.pg_advisory_lock(2**40 + 5)))
        connection.execute(sa.update(tables.work).values(worker=2**40 + 5, claimed_at=at_desk.time))
        assert claims.free_claims(connection, at_desk.time) == 0
        assert claims.free_claims(connection, at_desk.time + timedelta(minutes=3)) == 1
        connection.execute(sa.update(tables.work).values(worker=2**40 + 6, claimed_at=at_desk.time))
        assert claims.free_claims(connection, at_desk.time) == 1
        alive.rollback()
