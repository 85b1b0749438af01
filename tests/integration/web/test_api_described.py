"""Does ``/api/v1`` answer as its description says, whatever is sent? schemathesis asks what it allows and what it does not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.account import ROOT
from tests.integration.web.browsing import Pages
from tests.integration.web.everything import everything

EXAMPLES = 10
CONFIG = """
generation = {{ allow-extra-parameters = false }}  # an address with an unknown parameter is refused, as it is said

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "413"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "422"]  # 413: what has too many parts is too large

[parameters]
{bound}

{known}
"""
"""400 is what was understood and cannot be done; 422, what was not understood, is for what the description forbids."""


def config(found: dict[str, list[Any]]) -> str:
    """What schemathesis is told: mostly it asks about what there is."""
    return CONFIG.format(
        bound="\n".join(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.8 }}' for name in found),
        known="\n".join(f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in found.items()),
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_answer_is_a_described_one_whatever_is_sent(pages: Pages, tmp_path: Path) -> None:
    tenant = everything(pages)
    (tmp_path / "schemathesis.toml").write_text(config(tenant.ids))
    given = [
        "--header", f"Authorization: Bearer {tenant.key}", "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1",
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
    said = "\n".join(line[:500] for line in done.stdout.splitlines())
    assert done.returncode == 0, said[-20_000:] + done.stderr[-2000:]
