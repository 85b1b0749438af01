"""From any id of a change to all that happened to it: messages of every schema and lines of the logs, in their order."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_outbox.messaging import outbox
from tests.integration.messaging.relaying import OUTBOX, changed

REQUEST = "0HN4A1B2C3"


@pytest.fixture
def story(engine: sa.Engine, tmp_path: Path) -> tuple[str, Path]:
    """A change of customer 48211 and a call it caused, beside a change of another; the first one's message id."""
    with engine.begin() as connection:
        mine, _ = outbox.append_all(
            connection, OUTBOX, [replace(changed(48211), customer="48211"), replace(changed(5), customer="5")]
        )
    line = {"event": "economic.called", "correlation": str(mine), "path": "/Customers/10042", "request_id": REQUEST}
    done = {
        "event": "applier.answered",
        "correlation": str(mine),
        "results": ["written"],
        "reasons": [],
        "request_id": REQUEST,
    }
    other = {"event": "economic.called", "correlation": "another", "path": "/Customers/100421", "request_id": "other"}
    now = datetime.now(UTC).isoformat()
    log = tmp_path / "worker.log"
    log.write_text("".join(f"{json.dumps({'time': now, **one})}\n" for one in (line, done, other)) + "no json\n")
    return str(mine), log


def trace(wanted: str, database: str, log: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.local.trace", wanted, "--log", str(log)]
    environ = {**os.environ, "DATABASE_URL": database}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("wanted", ["message", "48211", REQUEST])
def test_each_id_leads_to_the_whole_change_and_to_no_other(database: str, story: tuple[str, Path], wanted: str) -> None:
    message, log = story
    found = trace(message if wanted == "message" else wanted, database, log)
    assert found.returncode == 0, found.stderr
    first, done, second = found.stdout.splitlines()
    assert "crm.customer.changed.v1" in first
    assert "customer 48211" in first
    assert f"request_id={REQUEST}" in second
    assert "applier.answered" in done
    assert "results=['written']" in done


def test_a_number_of_e_conomic_is_found_in_the_paths_of_its_calls(database: str, story: tuple[str, Path]) -> None:
    found = trace("10042", database, story[1])
    assert REQUEST in found.stdout
    assert "other" not in found.stdout


def test_what_is_not_known_is_said(database: str, story: tuple[str, Path]) -> None:
    found = trace("nothing", database, story[1])
    assert found.returncode == 1
    assert "nothing is known of 'nothing'" in found.stderr


def test_settings_that_are_missing_are_named(story: tuple[str, Path]) -> None:
    found = trace("48211", "", story[1])
    assert found.returncode == 2
    assert "DATABASE_URL is missing" in found.stderr
