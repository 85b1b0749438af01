"""Does ``/api/v1`` answer as its description says, whatever is sent? schemathesis asks what it allows and what it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.account import ROOT
from reconciler import people
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.browsing import Pages

EXAMPLES = 10
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409"]
"""
"""400 is what was understood and cannot be done; 422, what was not understood, is for what the description forbids."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_answer_is_a_described_one_whatever_is_sent(pages: Pages, tmp_path: Path) -> None:
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    both.linked(7, id="48211", cvr="12345678")
    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, "schemathesis", "admin", pages.time)[1]
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    given = [
        "--header", f"Authorization: Bearer {key}", "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--generation-deterministic", "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{pages.url}/api/v1/openapi.json", *given],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
