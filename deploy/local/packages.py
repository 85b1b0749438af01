"""How does RabbitMQ come here without root? The distribution's own packages, checked by apt, unpacked into ``.servers``."""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.account import CACHE
from deploy.local.children import Unavailable

Say = Callable[[str], None]

_TREE = CACHE / "rabbitmq"
_WANTED = "rabbitmq-server"
_OURS = re.compile(r"rabbitmq-server|erlang-.*")
"""Always taken; any other package only if it is a library this system lacks."""
_NEVER = re.compile(r"libc6|libc-bin|libcrypt1|libgcc-s1|libnss-.*|libpam.*")


def ready() -> Path | None:
    """The unpacked tree, if an earlier run left a whole one."""
    return _TREE if (_TREE / ".whole").exists() else None


def possible() -> None:
    """Unavailable if this system has no apt."""
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise Unavailable(
                f"there is no {program} here (this way needs Debian or Ubuntu, this is {platform.system()})"
            )


def fetch(say: Say) -> Path:
    """The folder the packages are unpacked in; the first run downloads about 35 MB, with a line on its way every 2 s."""
    if found := ready():
        return found
    possible()
    CACHE.mkdir(exist_ok=True)
    with _alone(CACHE / "rabbitmq.lock"):
        if found := ready():
            return found
        work = CACHE / "rabbitmq.new"
        shutil.rmtree(work, ignore_errors=True)
        (work / "debs").mkdir(parents=True)
        reasons = []
        for options in (_system, _private):
            try:
                apt = options(work, say)
                _download(apt, _resolve(apt, work), work / "debs", say)
                break
            except Unavailable as error:
                reasons.append(str(error))
        else:
            shutil.rmtree(work, ignore_errors=True)
            raise Unavailable("; ".join(reasons))
        say("RabbitMQ: unpacking")
        for package in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(work / "tree")])
        relocate(work / "tree/usr/lib/erlang/bin/erl")
        (work / "tree/.whole").touch()
        shutil.rmtree(_TREE, ignore_errors=True)
        (work / "tree").rename(_TREE)
        shutil.rmtree(work, ignore_errors=True)
    return _TREE


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _system(_work: Path, _say: Say) -> list[str]:
    """The system's own package lists."""
    return ["apt-get", "-q"]


def _private(work: Path, say: Say) -> list[str]:
    """Lists of our own: where there are none, or they are old, or not readable for this user."""
    say("RabbitMQ: fetching package lists")
    state, cache, sources = work / "apt/state", work / "apt/cache", work / "apt/sources"
    for folder in (state / "lists/partial", cache / "archives/partial", sources):
        folder.mkdir(parents=True)
    # The distribution's own sources only, where they can be told: another's may not answer for minutes.
    distribution = [
        file
        for file in (Path("/etc/apt/sources.list.d") / f"{name}.sources" for name in ("debian", "ubuntu"))
        if os.access(file, os.R_OK)
    ]
    apt = ["apt-get", "-q", "-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}"]
    apt += [
        "-o",
        "Dir::State::status=/var/lib/dpkg/status",
        "-o",
        "APT::Sandbox::User=" + ("root" if os.geteuid() == 0 else ""),
    ]
    apt += ["-o", "Acquire::Languages=none", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    if distribution:
        for file in distribution:
            shutil.copy(file, sources)
        apt += ["-o", f"Dir::Etc::SourceParts={sources}", "-o", "Dir::Etc::SourceList=/dev/null"]
    _run([*apt, "update"], timeout=180)
    return apt


def _resolve(apt: Sequence[str], work: Path) -> list[str]:
    """The packages to fetch, each with its version: as if nothing was installed, plus libraries that are not."""
    nothing = work / "nothing"
    nothing.touch()
    plan = ["-s", "--no-install-recommends", "install", _WANTED]
    bare = planned(_run([*apt, "-o", f"Dir::State::status={nothing}", *plan]))
    try:
        here = planned(_run([*apt, *plan]))
    except Unavailable:
        here = {}
    chosen = {name: version for name, version in bare.items() if _OURS.fullmatch(name)}
    chosen |= {
        name: version
        for name, version in here.items()
        if name.startswith("lib") and not _NEVER.fullmatch(name) and name in bare
    }
    if _WANTED not in chosen:
        raise Unavailable(f"the package lists have no {_WANTED}")
    return [f"{name}={version}" for name, version in chosen.items()]


def planned(text: str) -> dict[str, str]:
    """The packages apt says it would install, with their versions."""
    return {match[1]: match[2] for match in re.finditer(r"^Inst ([^\s:]+)\S* (?:\[\S+\] )?\((\S+)", text, re.MULTILINE)}


def _download(apt: Sequence[str], packages: Sequence[str], folder: Path, say: Say) -> None:
    uris = _run([*apt, "download", "--print-uris", *packages], cwd=folder)
    whole = sum(int(size) for size in re.findall(r"^'[^']+' \S+ (\d+)", uris, re.MULTILINE))
    say(f"RabbitMQ: fetching {len(packages)} packages, {whole / 1e6:.1f} MB, once")
    done = threading.Event()

    def tell() -> None:
        while not done.wait(2):
            here = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            say(f"RabbitMQ: {here / 1e6:.1f} of {whole / 1e6:.1f} MB")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    begin = time.monotonic()
    try:
        _run([*apt, "download", *packages], cwd=folder, timeout=600)
    finally:
        done.set()
        teller.join()
    say(f"RabbitMQ: {whole / 1e6:.1f} MB in {time.monotonic() - begin:.1f} s")


def relocate(erl: Path) -> None:
    """Debian writes Erlang's folder into its start script; let it look where it stands instead."""
    text = erl.read_text(encoding="utf-8")
    here = '"$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)"'
    erl.write_text(re.sub(r"\bROOTDIR=/usr/lib/erlang\b", lambda _: f"ROOTDIR={here}", text), encoding="utf-8")


def _run(argv: Sequence[str], *, cwd: Path | None = None, timeout: float = 60) -> str:
    environ = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{' '.join(argv[:1])} did not end within {timeout:.0f} s") from error
    if done.returncode != 0:
        wrong = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()[-1:]
        raise Unavailable(f"{argv[0]}: {' '.join(wrong) or f'exit {done.returncode}'}")
    return done.stdout
