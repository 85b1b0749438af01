"""When have both sides been read in full? The reading of an agreement, on a real database."""

from dataclasses import replace
from uuid import UUID

import pytest

from crm_outbox.contract import BackfillProgressed, RunBackfill
from crm_outbox.messaging.envelope import Refused
from economic_adapter.contract import CrmState, CustomerObserved, ImportProgressed, LookAtCustomer, RunImport
from reconciler import agreements, clock, reading, runs
from reconciler.__main__ import main
from reconciler.contract import RunProgressed
from reconciler.rules import System
from reconciler.runs import Told
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen, crm_changed, economic_seen, envelope, there


@pytest.fixture
def wire(wire: Wire) -> Wire:
    wire.hear(agreement_seen(wire.time, state="connected", customers=2))
    return wire


def _ask(wire: Wire, **given: str) -> UUID:
    with wire.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        return reading.ask(connection, known, wire.time, wire.resend, **given)  # type: ignore[arg-type]


def _state(wire: Wire) -> str:
    with wire.engine.connect() as connection:
        return agreements.of_tenant(connection, TENANT)[0].state


def _run(wire: Wire, run: UUID) -> runs.Run:
    with wire.engine.connect() as connection:
        found = runs.find(connection, run)
    assert found is not None
    return found


def _enter(wire: Wire, run: UUID, system: System, *ids: str) -> None:
    with wire.engine.begin() as connection:
        runs.entered(connection, [Told(run=run, system=system, customer=one) for one in ids])


def _backfilled(wire: Wire, run: UUID, read: int, *, closed: bool = True) -> None:
    wire.hear(envelope(BackfillProgressed(run=run, read=read, count=read, closed=closed)))


def _imported(wire: Wire, run: UUID, read: int, **given: object) -> None:
    words = {"state": "closed", "closed": True, "count": read, "read": read, **given}
    wire.hear(envelope(ImportProgressed(run=run, agreement=AGREEMENT, **words)))


def test_both_sides_are_asked_under_one_run(wire: Wire) -> None:
    run = _ask(wire)
    said = [one.data for one in wire.said()]
    (imports,) = [one for one in said if isinstance(one, RunImport)]
    (backfill,) = [one for one in said if isinstance(one, RunBackfill)]
    assert imports.run == backfill.run == run
    assert imports.action == "start"
    assert _state(wire) == "reading"


def test_asking_while_it_is_read_gives_the_same_run(wire: Wire) -> None:
    run = _ask(wire)
    wire.said()
    assert _ask(wire) == run
    assert wire.said() == []


def test_it_is_complete_when_both_closed_and_every_customer_told_was_entered(wire: Wire) -> None:
    run = _ask(wire)
    _enter(wire, run, System.CRM, "a", "b")
    _imported(wire, run, 2)
    _backfilled(wire, run, 2)
    assert _state(wire) == "reading"
    _enter(wire, run, System.ECONOMIC, "1", "2", "2")
    assert clock.follow_runs(wire.engine, wire.clocked) == 1
    assert _state(wire) == "connected"
    assert _run(wire, run).state == "done"
    with wire.engine.connect() as connection:
        assert agreements.of_tenant(connection, TENANT)[0].read_at == wire.time
    assert [one.state for one in wire.said_only(RunProgressed)] == ["running", "done"]


def test_who_is_told_in_a_version_that_is_none_is_refused_and_not_entered(wire: Wire) -> None:
    run = _ask(wire)
    told = crm_changed(a_customer(id="a"), 1)
    state = CrmState(version="many", customer=a_customer(id="a"))
    with pytest.raises(Refused, match="bad_data:version"):
        wire.hear(replace(told, data=told.data.model_copy(update={"run": run, "crm": state})))
    with wire.engine.connect() as connection:
        assert runs.seen(connection, run) == {}


def test_it_is_complete_at_once_when_both_sides_hold_nothing(wire: Wire) -> None:
    run = _ask(wire)
    _backfilled(wire, run, 0)
    _imported(wire, run, 0)
    assert _run(wire, run).state == "done"


def test_an_older_word_of_progress_takes_nothing_back(wire: Wire) -> None:
    run = _ask(wire)
    _imported(wire, run, 2)
    _imported(wire, run, 1, state="running", closed=False, count=2)
    assert _run(wire, run).economic_closed
    assert _run(wire, run).economic_read == 2


def test_what_is_not_answered_is_asked_again_by_the_clock(wire: Wire) -> None:
    run = _ask(wire)
    wire.said()
    wire.later(seconds=121)
    assert clock.follow_runs(wire.engine, wire.clocked) == 1
    assert {type(one.data) for one in wire.said()} == {RunImport, RunBackfill}
    _backfilled(wire, run, 5, closed=False)
    wire.later(seconds=500)
    assert clock.follow_runs(wire.engine, wire.clocked) == 1
    assert [type(one.data) for one in wire.said()] == [RunImport]
    _imported(wire, run, 1, state="running", closed=False)
    wire.later(seconds=5000)
    wire.said()
    clock.follow_runs(wire.engine, wire.clocked)
    assert wire.said_only(RunImport) == []


def test_numbers_that_are_missing_after_five_minutes_are_looked_at_and_the_crm_is_asked_again(wire: Wire) -> None:
    wire.hear(economic_seen(there(a_customer(), 77, "a"), 1))
    wire.later(seconds=1)
    run = _ask(wire)
    _enter(wire, run, System.CRM, "a")
    _imported(wire, run, 1)
    _backfilled(wire, run, 2)
    wire.said()
    wire.later(minutes=5)
    assert clock.follow_runs(wire.engine, wire.clocked) == 1
    said = [one.data for one in wire.said()]
    assert [one.number for one in said if isinstance(one, LookAtCustomer)] == [77]
    (again,) = [one for one in said if isinstance(one, RunBackfill)]
    assert again.run != run
    _enter(wire, again.run, System.CRM, "a", "b")
    _enter(wire, run, System.ECONOMIC, "77")
    _backfilled(wire, again.run, 2)
    assert _run(wire, run).state == "done"


def test_what_never_arrives_ends_the_run_with_its_cause(wire: Wire) -> None:
    run = _ask(wire)
    _imported(wire, run, 3)
    _backfilled(wire, run, 0)
    for _ in range(7):
        wire.later(minutes=5)
        clock.follow_runs(wire.engine, wire.clocked)
    assert _run(wire, run).state == "failed"
    assert "3 of the customers" in _run(wire, run).reason
    assert _state(wire) == "connected"


def test_an_import_that_failed_ends_the_run_and_the_other_side_is_told(wire: Wire) -> None:
    run = _ask(wire)
    wire.said()
    _imported(wire, run, 1, state="failed", closed=False, cause="the list never ended")
    assert _run(wire, run).state == "failed"
    assert _run(wire, run).reason == "the list never ended"
    assert [one.start for one in wire.said_only(RunBackfill)] == [False]
    assert _state(wire) == "connected"
    _enter(wire, run, System.CRM, "late")
    with wire.engine.connect() as connection:
        assert runs.seen(connection, run) == {}


def test_pausing_is_asked_until_it_is_answered_and_then_resumed(wire: Wire) -> None:
    run = _ask(wire)
    _backfilled(wire, run, 0)
    _imported(wire, run, 1, state="running", closed=False)
    _steer(wire, run, "pause")
    wire.said()
    wire.later(seconds=121)
    clock.follow_runs(wire.engine, wire.clocked)
    assert [one.action for one in wire.said_only(RunImport)] == ["pause"]
    _imported(wire, run, 1, state="paused", closed=False)
    assert _run(wire, run).state == "paused"
    wire.later(hours=2)
    clock.follow_runs(wire.engine, wire.clocked)
    assert wire.said_only(RunImport) == []
    _steer(wire, run, "resume")
    assert [one.action for one in wire.said_only(RunImport)] == ["resume"]
    _enter(wire, run, System.ECONOMIC, "1")
    _imported(wire, run, 1)
    assert _run(wire, run).state == "done"


def test_stopping_tells_both_sides_and_ends_it(wire: Wire) -> None:
    run = _ask(wire)
    wire.said()
    _steer(wire, run, "stop")
    said = [one.data for one in wire.said()]
    assert [one.action for one in said if isinstance(one, RunImport)] == ["stop"]
    assert [one.start for one in said if isinstance(one, RunBackfill)] == [False]
    assert _run(wire, run).state == "stopped"
    assert _state(wire) == "connected"


def _steer(wire: Wire, run: UUID, action: str) -> None:
    with wire.engine.begin() as connection:
        locked = runs.lock(connection, run)
        assert locked is not None
        reading.steer(connection, locked, action, wire.time, wire.resend)  # type: ignore[arg-type]


def test_a_sweep_counts_of_both_sides_what_nobody_had_told(
    wire: Wire, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    for name in ("told", "missed", "told-later"):
        wire.hear(crm_changed(a_customer(id=name), 1))
    run = _ask(wire, kind="sweep")
    wire.hear(crm_changed(a_customer(id="told-later", phone="22222222"), 2))
    for name, version in (("told", 1), ("missed", 2), ("told-later", 2), ("never-heard-of", 4)):
        _told_under(wire, run, name, version)
    _told_under(wire, run, "missed", 3)
    _backfilled(wire, run, 4)
    _imported(wire, run, 2, kind="sweep", found=1)
    ended = _run(wire, run)
    assert (ended.state, ended.found, ended.found_crm) == ("done", 1, 2)
    assert main(["runs", "--tenant", TENANT]) == 0
    assert "1 in e-conomic, 2 in Clickmate" in capsys.readouterr().out


def test_a_first_reading_finds_nothing_that_was_missed(wire: Wire) -> None:
    run = _ask(wire)
    _told_under(wire, run, "c1", 1)
    _backfilled(wire, run, 1)
    _imported(wire, run, 0)
    assert (_run(wire, run).state, _run(wire, run).found_crm) == ("done", 0)


def _told_under(wire: Wire, run: UUID, name: str, version: int) -> None:
    told = crm_changed(a_customer(id=name), version)
    assert isinstance(told.data, CustomerObserved)
    wire.hear(replace(told, data=told.data.model_copy(update={"run": run})))
