"""What becomes of a customer that is just being taken back? Of the run nothing more is written; once begun, it is finished."""

from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage
from economic_adapter.contract import CustomerObserved
from reconciler import clock, items, restoring, running, runs, undoing
from reconciler.__main__ import main
from reconciler.link import Link
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT, envelope, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, previewed
from tests.integration.reconciler.test_undoing import UNDO, _configured, links, on, undone

pytestmark = pytest.mark.slow

__all__ = ["on"]


def paused(company: Company, systems: str) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set paused = cast(:paused as jsonb)"), {"paused": systems})


def state(company: Company) -> str:
    with company.wire.engine.connect() as connection:
        return str(connection.scalar(sa.text("select state from sync.agreement")))


def the_undo(company: Company) -> runs.Run:
    with company.wire.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["undo"])
    assert found is not None
    return found


def begun(company: Company, monkeypatch: pytest.MonkeyPatch) -> runs.Run:
    """One of two is begun with: what was filled in is asked back, and not answered yet."""
    monkeypatch.setattr(running, "CHUNK", 1)
    assert main([*UNDO, "--yes"]) == 3
    assert undoing.undo(company.wire.engine, company.wire.clocked) == 1
    return the_undo(company)


def test_what_the_run_has_not_filled_in_yet_is_not_filled_in_any_more(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    one = a_customer(id="one", cvr="13748136", phone="", website="one.dk")
    company.here(one)
    company.there(there(one.model_copy(update={"phone": "22222222", "website": ""}), 1, "a"))
    company.wire.later(seconds=1)
    confirmed = counts(previewed(company, capsys))
    paused(company, '["economic"]')
    assert main([*ON, "--yes", "--confirm", confirmed]) == 3
    carried_out(company)
    company.work()
    assert (company.crm["one"].phone, company.economic[1].website) == ("22222222", "")
    assert main([*UNDO, "--yes"]) == 3
    undoing.undo(company.wire.engine, company.wire.clocked)
    paused(company, "[]")
    run = undone(company)
    assert (run.state, run.done, run.left_out) == ("done", 1, 0)
    assert (company.crm["one"].phone, company.economic[1].website) == ("", "")
    assert links(company) == {"one": ("unlinked", None)}


def test_one_that_is_stopped_finishes_whom_it_has_begun_with_and_leaves_all_others(
    on: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(on, monkeypatch)
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id), "--steer", "stop", "--yes"]) == 0
    assert the_undo(on).ended is None
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("stopped", 1, 1)
    assert sorted(links(on).values()) == [("linked", 2), ("unlinked", None)]
    assert (on.crm["one"].phone, on.economic[1].website, on.crm["two"].email) == ("", "", "b@b.dk")
    assert state(on) == "on"
    assert run.of_run is not None
    with on.wire.engine.connect() as connection:
        assert [one.reason for one in items.listed(connection, run.id, ["left_out"])] == ["stopped"]
        assert sorted(one.state for one in items.listed(connection, run.of_run)) == ["done", "undone"]
    assert main([*UNDO, "--yes"]) == 3
    assert undone(on).state == "done"
    assert on.crm["two"].email == ""


def test_one_that_is_gone_from_its_number_meanwhile_is_unlinked_all_the_same(
    on: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(on, monkeypatch)
    gone = CustomerObserved(agreement=AGREEMENT, why="look", number=1, version="1.99", absent=True)
    on.wire.hear(envelope(gone, agreement=AGREEMENT, number=1))
    assert links(on) == {"one": ("resting", 1), "two": ("linked", 2)}
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("done", 2, 0)
    assert links(on) == {"one": ("unlinked", None), "two": ("unlinked", None)}


def test_a_lead_that_becomes_a_customer_while_it_is_taken_back_does_not_flow_again(
    on: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    on.here(on.crm["one"].model_copy(update={"stage": Stage.LEAD}))
    begun(on, monkeypatch)
    on.here(on.crm["one"].model_copy(update={"stage": Stage.ACTIVE, "city": "Odense"}))
    undone(on)
    assert links(on) == {"one": ("unlinked", None), "two": ("unlinked", None)}
    assert (on.economic[1].website, on.economic[1].city) == ("", "")


def test_one_that_is_stopped_before_it_began_ends_at_once(on: Company) -> None:
    assert main([*UNDO, "--yes"]) == 3
    run = the_undo(on)
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id), "--steer", "stop", "--yes"]) == 0
    assert (the_undo(on).state, the_undo(on).left_out) == ("stopped", 2)
    assert sorted(links(on).values()) == [("linked", 1), ("linked", 2)]


def test_switched_off_in_the_middle_it_finishes_whom_it_has_begun_with_while_it_is_off(
    on: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(on, monkeypatch)
    assert main(["switch-off", "--tenant", TENANT, "--yes"]) == 0
    assert (state(on), _configured(on)) == ("off", [False])
    assert undoing.undo(on.wire.engine, on.wire.clocked) == 0
    on.wire.switch()
    assert undoing.undo(on.wire.engine, on.wire.clocked) == 0
    assert _configured(on) == [True]
    on.wire.switch()
    on.wire.later(seconds=180)
    clock.tell_due(on.wire.engine, on.wire.clocked)  # what was told before it was off is told again
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("stopped", 1, 1)
    assert sorted(links(on).values()) == [("linked", 2), ("unlinked", None)]
    assert (on.crm["one"].phone, on.economic[1].website, on.crm["two"].email) == ("", "", "b@b.dk")
    assert (state(on), _configured(on)) == ("off", [False])


def test_one_that_begins_late_waits_for_its_answers_all_the_same(on: Company) -> None:
    assert main([*UNDO, "--yes"]) == 3
    on.wire.later(minutes=40)  # it was paused, or there were many before these
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("done", 2, 0)
    assert (on.crm["one"].phone, on.economic[1].website, on.crm["two"].email) == ("", "", "")


def test_one_that_fails_by_a_mistake_of_ours_holds_up_nobody_and_is_finished_when_the_undo_is_repeated(
    on: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = restoring.left

    def broken(link: Link, *given: Any) -> str:
        if link.crm_id == "one":
            raise ZeroDivisionError
        return left(link, *given)

    on.wire.said()
    assert main([*UNDO, "--yes"]) == 3
    with monkeypatch.context() as patched:
        patched.setattr(restoring, "left", broken)
        while undoing.undo(on.wire.engine, on.wire.clocked) and the_undo(on).ended is None:
            on.work()
            on.wire.later(seconds=2)
    on.wire.switch()
    run = the_undo(on)
    assert (run.state, run.done, run.left_out) == ("done", 1, 1)
    assert links(on) == {"one": ("linked", 1), "two": ("unlinked", None)}
    capsys.readouterr()
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id)]) == 0
    assert "an error of ours; see the log" in capsys.readouterr().out
    assert main([*UNDO, "--yes"]) == 3
    on.wire.switch()
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("done", 1, 0)
    assert links(on) == {"one": ("unlinked", None), "two": ("unlinked", None)}
    assert (on.crm["one"].phone, on.economic[1].website, on.crm["two"].email) == ("", "", "")
