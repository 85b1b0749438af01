"""Does a decision outlive the process that saves it? Killed as by a power cut, before and after its commit."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import decided, store
from reconciler.decided import Saved
from tests.builders.sync import AGREEMENT, TENANT
from tests.integration.reconciler.desks import Desk, a_desk

__all__ = ["a_desk"]
pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]


def killed(desk: Desk, folder: Path, point: str) -> None:
    """Settle the name with an own text, and die there."""
    armed, record = folder / "armed", folder / f"record-{point}"
    armed.touch()
    record.touch()
    ended = subprocess.run(
        [
            sys.executable, "-m", "tests.faults.dying", point, "reconciler",
            "settle", desk.customer.id, "--text", "name=Nordhavn C", "--who", "Marie", "--yes",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": desk.engine.url.render_as_string(hide_password=False),
            "DYING_ARMED": str(armed),
            "DYING_RECORD": str(record),
        },
        check=False,
        capture_output=True,
        timeout=60,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert record.read_text() != ""


def decisions(engine: sa.Engine, desk: Desk) -> list[Saved]:
    with engine.begin() as connection:
        stored = store.lock(connection, TENANT, AGREEMENT, desk.customer.id)
        assert stored is not None
        return decided.of_link(connection, stored.link.id)


def test_killed_before_its_commit_nothing_was_decided(a_desk: Desk, tmp_path: Path) -> None:
    a_desk.said()
    killed(a_desk, tmp_path, "commit.before")
    assert decisions(a_desk.engine, a_desk) == []
    assert a_desk.said() == []
    assert a_desk.link().customer.chosen == {}


def test_killed_after_its_commit_the_decision_is_carried_out_on_both_sides(a_desk: Desk, tmp_path: Path) -> None:
    a_desk.said()
    killed(a_desk, tmp_path, "commit.after")
    (saved,) = decisions(a_desk.engine, a_desk)
    assert (saved.state, saved.decision.who) == ("open", "Marie")
    (first,) = a_desk.said_only(WriteEconomicCustomer)
    a_desk.carried_out(first, 3)
    (second,) = a_desk.said_only(WriteCustomer)
    a_desk.carried_out(second, 3)
    (saved,) = decisions(a_desk.engine, a_desk)
    assert saved.state == "done"
    assert a_desk.customer.name == "Nordhavn C"
