"""Does the README's first screen work as it is printed? Its commands are read off it and run; what it names is there."""

import os
import re
import shlex
import subprocess

import pytest

from deploy.local.account import ROOT

README = (ROOT / "README.md").read_text("utf-8")
SCREEN = README.partition("## More commands")[0]


def printed() -> list[str]:
    """The commands of the first screen, without what is said about them."""
    return [re.split(r"\s{2,}", line.strip())[0] for line in SCREEN.splitlines() if line.startswith("    ./run ")]


def ran(command: str, *more: str) -> subprocess.CompletedProcess[str]:
    """A command as a newcomer types it; what this test run keeps in its environment is not there."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TEST_"))}
    words = [*shlex.split(command), *more]
    return subprocess.run(
        words,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1140,
        check=False,
    )


def test_the_commands_are_these() -> None:
    """The demo as printed is played by the check that every change passes (``.ci/run``), the others below."""
    assert printed() == [
        "./run demo",
        "./run test --unit",
        "./run test --quick",
        "./run test",
        "./run simulate --schedules 2000 --seed 1",
        "./run simulate --without version-check --seed 1",
    ]
    assert "./run demo --once" in (ROOT / ".ci/run").read_text("utf-8")


def test_what_it_names_is_there() -> None:
    named = re.findall(r"`((?:docs|deploy)/[^`]+|[A-Z]+\.md)`|\]\(([^)#]+)\)", SCREEN)
    paths = [one or other for one, other in named]
    assert "docs/pages/customer-da.png" in paths
    assert [one for one in paths if not (ROOT / one).exists()] == []
    anchors = re.findall(r"\]\(#([^)]+)\)", SCREEN)
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in README.splitlines() if line.startswith("#")}
    assert [one for one in anchors if one not in headings] == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_unit_tests_run_without_servers() -> None:
    done = ran("./run test --unit")
    assert done.returncode == 0, done.stdout[-2000:]
    assert re.search(r"\d{3,} passed", done.stdout)
    assert "servers: none" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("command", ["./run test --quick", "./run test"])
def test_the_tests_are_found(command: str) -> None:
    done = ran(command, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout[-2000:]
    quick, whole = "tests/integration/" in done.stdout, "tests/browser/" in done.stdout
    assert (quick, whole) == (True, command == "./run test")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_simulation_breaks_nothing_and_is_not_blind() -> None:
    held = ran("./run simulate --schedules 2000 --seed 1")
    assert (held.returncode, "nothing broke" in held.stdout) == (0, True), held.stdout[-2000:]
    broke = ran("./run simulate --without version-check --seed 1")
    assert broke.returncode == 1
    assert re.search(r"to see it: \./run simulate --seed \d+ --without version-check --tell", broke.stdout)
