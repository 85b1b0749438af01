"""Does ``/api/v1`` answer as its description says, whatever is sent? schemathesis asks what it allows and what it does not."""

import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.local.account import ROOT
from reconciler.web.api import wrongs
from reconciler.web.words import Words
from tests.integration.web.answerable import Request, answerable
from tests.integration.web.browsing import Pages
from tests.integration.web.everything import everything
from tests.integration.web.routes import SERVICES

EXAMPLES = 10
LEAST = 2_000
"""Answers that were looked at."""
NOBODY_TRIES = "POST /api/v1/trial/end"
"""The one operation nothing can be done with here: a customer is tried while the integration is off, and here it is on."""
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
    known = answerable(pages, tenant)
    (tmp_path / "schemathesis.toml").write_text(config(tenant.ids))
    operations = [f"{method} {path}" for method, path in SERVICES]
    only = [f"^{re.escape(path)}$" for path in {one.partition(" ")[2] for one in known}]
    first = asked(pages, tenant.key, tmp_path, known, "--include-path-regex", "|".join(only))
    then = asked(pages, tenant.key, tmp_path, {})
    succeeded = {one for one in operations for told in (first, then) if any(200 <= code < 300 for code in told[one])}
    missed = [(one, dict(first[one]), dict(then[one])) for one in operations if one not in succeeded]
    assert [one for one, *_ in missed] == [NOBODY_TRIES], missed
    assert sum(then.values(), Counter()).total() > LEAST


def asked(
    pages: Pages, key: str, folder: Path, known: Mapping[str, list[Request]], *more: str
) -> Mapping[str, Counter[int]]:
    """Have schemathesis ask; how often each operation was answered with what."""
    told = folder / "told.har"
    given = [
        "--header", f"Authorization: Bearer {key}", "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--generation-deterministic", "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color",
        "--request-timeout", "60", "--suppress-health-check", "too_slow",
        "--report", "har", "--report-har-path", str(told), *more,
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{pages.url}/api/v1/openapi.json", *given],
        cwd=folder,
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", "ANSWERABLE": json.dumps(known),
            "SCHEMATHESIS_HOOKS": "tests.integration.web.answerable",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    said = "\n".join(line[:500] for line in done.stdout.splitlines())
    assert done.returncode == 0, said[-20_000:] + done.stderr[-2000:]
    har = json.loads(told.read_text("utf-8"))
    assert not (vague := sorted(vaguely(har))), vague[:20]
    return answered(har)


def vaguely(har: Any) -> set[str]:
    """Where a request was not understood, and the problem does not say what is wrong with it."""
    danish = Words("da", datetime(2026, 11, 24, tzinfo=UTC))(wrongs.OTHERWISE)
    return {
        f"{one['request']['method']} {one['request']['url']}: {text}"
        for one in har["log"]["entries"]
        if one["response"]["status"] == 422
        for text in [json.loads(body(one["response"]["content"]))["detail"]]
        if danish in text or wrongs.OTHERWISE in text
    }


def body(content: Mapping[str, str]) -> str:
    """What was answered; a report may have it in base64."""
    text = content["text"]
    return b64decode(text).decode("utf-8") if content.get("encoding") == "base64" else text


def answered(har: Any) -> Mapping[str, Counter[int]]:
    """The codes each operation was answered with, by operation; an address that fits several is of the one with fewest names."""
    shapes = [
        (f"{method} {path}", method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for method, path in sorted(SERVICES, key=lambda one: one[1].count("{"))
    ]
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for one in har["log"]["entries"]:
        path = urlsplit(one["request"]["url"]).path
        fits = (name for name, method, shape in shapes if method == one["request"]["method"] and shape.fullmatch(path))
        if (name := next(fits, None)) is not None:
            found[name][one["response"]["status"]] += 1
    return found
