"""The import contracts hold, and each was seen to catch a planted breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("crm_outbox", "economic_adapter", "reconciler")

BREACHES = {
    "packages": ("crm_outbox/applier.py", "import reconciler.contract"),
    "doors-crm": ("economic_adapter/store.py", "from crm_outbox import customers"),
    "doors-economic": ("reconciler/store.py", "from economic_adapter import records"),
    "floors-crm": ("crm_outbox/changes.py", "from crm_outbox import customers"),
    "floors-messaging": ("crm_outbox/messaging/outbox.py", "from crm_outbox.messaging import relay"),
    "floors-economic": ("economic_adapter/store.py", "from economic_adapter import work"),
    "floors-reconciler": ("reconciler/store.py", "from reconciler import reconcile"),
    "floors-mail": ("reconciler/mail/dates.py", "from reconciler.mail import letters"),
    "floors-web": ("reconciler/web/doors.py", "from reconciler.web import screen"),
    "sandbox": ("economic_adapter/sandbox/customers.py", "from economic_adapter import mapping"),
    "pure": ("reconciler/plan.py", "import time"),
    "wire-kombu": ("crm_outbox/applier.py", "import kombu"),
    "wire-http": ("economic_adapter/look.py", "import httpx"),
    "wire-dramatiq": ("economic_adapter/clock.py", "import dramatiq"),
}
"""By contract: a file, and a line in it that breaks just that rule (and perhaps others)."""


def lint(root: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    chosen = ["--contract", contract] if contract else []
    command = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--no-logo", *chosen],
        cwd=root,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def contracts() -> set[str]:
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    return {line.split('"')[1] for line in lines if line.startswith("id = ")}


def test_every_contract_has_a_breach_to_catch() -> None:
    assert contracts() == set(BREACHES)


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("contract", sorted(BREACHES))
def test_a_planted_breach_is_caught_and_named(copy: Path, contract: str) -> None:
    name, line = BREACHES[contract]
    file = copy / name
    before = file.read_text("utf-8")
    file.write_text(before + f"\n{line}\n", "utf-8")
    try:
        done = lint(copy, contract)
    finally:
        file.write_text(before, "utf-8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
    assert name.removesuffix(".py").replace("/", ".") in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_without_a_floor_is_caught(copy: Path, package: str) -> None:
    file = copy / package / "homeless.py"
    file.write_text('"""Nobody said on which floor this stands."""\n', "utf-8")
    try:
        done = lint(copy)
    finally:
        file.unlink()
    assert done.returncode == 1
    assert "homeless" in done.stdout


def test_no_file_of_the_product_is_longer_than_one_question() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > 320
    }
    assert long == {}


def test_a_relay_that_starts_again_reads_no_page_and_no_rule() -> None:
    look = "import sys, reconciler.__main__, reconciler.duties; print(*(one for one in sys.modules if one in sys.argv))"
    there = ("reconciler.duties", "reconciler.web", "reconciler.clock", "reconciler.reconcile", "reconciler.operate")
    done = subprocess.run([sys.executable, "-c", look, *there], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["reconciler.duties"]
