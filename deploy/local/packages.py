"""How does a program come here without root? The distribution's own packages, checked by apt, unpacked into ``.servers``."""

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
from dataclasses import dataclass
from pathlib import Path

from deploy.local.account import CACHE
from deploy.local.children import Unavailable

Say = Callable[[str], None]

_NEVER = re.compile(r"libc6|libc-bin|libcrypt1|libgcc-s1|libnss-.*|libpam.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A program as packages: ``ours`` are always taken, any other only if it is a library this system lacks."""

    name: str
    """As people know it."""
    package: str
    ours: re.Pattern[str]
    more: tuple[str, ...] = ()
    """Packages beside it; where these are named, of what it needs only the libraries are asked for."""
    after: Callable[[Path], None] = lambda _tree: None
    """What is put right in the unpacked tree."""

    @property
    def tree(self) -> Path:
        """Where it is unpacked."""
        return CACHE / self.name.lower()


def ready(wanted: Wanted) -> Path | None:
    """The unpacked tree, if an earlier run left a whole one."""
    return wanted.tree if (wanted.tree / ".whole").exists() else None


def possible() -> None:
    """Unavailable if this system has no apt."""
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise Unavailable(
                f"there is no {program} here (this way needs Debian or Ubuntu, this is {platform.system()})"
            )


def fetch(wanted: Wanted, say: Say) -> Path:
    """The folder the packages are unpacked in; the first run downloads them, with a line on its way every 2 s."""
    if found := ready(wanted):
        return found
    possible()
    CACHE.mkdir(exist_ok=True)
    with _alone(wanted.tree.with_suffix(".lock")):
        if found := ready(wanted):
            return found
        work = wanted.tree.with_suffix(".new")
        shutil.rmtree(work, ignore_errors=True)
        (work / "debs").mkdir(parents=True)

        def told(line: str) -> None:
            say(f"{wanted.name}: {line}")

        reasons = []
        for options in (_system, _private):
            try:
                apt = options(work, told)
                _download(apt, _resolve(apt, wanted, work), work / "debs", told)
                break
            except Unavailable as error:
                reasons.append(str(error))
        else:
            shutil.rmtree(work, ignore_errors=True)
            raise Unavailable("; ".join(reasons))
        told("unpacking")
        for package in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(work / "tree")])
        wanted.after(work / "tree")
        (work / "tree/.whole").touch()
        shutil.rmtree(wanted.tree, ignore_errors=True)
        (work / "tree").rename(wanted.tree)
        shutil.rmtree(work, ignore_errors=True)
    return wanted.tree


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
    say("fetching package lists")
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


def _resolve(apt: Sequence[str], wanted: Wanted, work: Path) -> list[str]:
    """The packages to fetch, each with its version: as if nothing was installed, plus libraries that are not."""
    nothing = work / "nothing"
    nothing.touch()
    plan = ["-s", "--no-install-recommends", "install"]
    without = ["-o", f"Dir::State::status={nothing}", *plan]
    needed = [wanted.package]
    if wanted.more:
        needed = libraries(_run(["apt-cache", *apt[2:], "depends", "--important", wanted.package]))
    bare = planned(_run([*apt, *without, wanted.package, *wanted.more]))
    try:
        here = planned(_run([*apt, *plan, *needed]))
    except Unavailable:  # what is installed here is no whole
        here = planned(_run([*apt, *without, *needed])) if wanted.more else {}
    chosen = {name: version for name, version in bare.items() if wanted.ours.fullmatch(name)}
    chosen |= {
        name: version
        for name, version in here.items()
        if name.startswith("lib") and not _NEVER.fullmatch(name) and name in bare
    }
    if wanted.package not in chosen:
        raise Unavailable(f"the package lists have no {wanted.package}")
    return [f"{name}={version}" for name, version in chosen.items()]


def libraries(text: str) -> list[str]:
    """The libraries among what apt-cache says a package depends on."""
    return re.findall(r"^ +Depends: (lib[^\s<>:]+)", text, re.MULTILINE)


def planned(text: str) -> dict[str, str]:
    """The packages apt says it would install, with their versions."""
    return {match[1]: match[2] for match in re.finditer(r"^Inst ([^\s:]+)\S* (?:\[\S+\] )?\((\S+)", text, re.MULTILINE)}


def _download(apt: Sequence[str], packages: Sequence[str], folder: Path, say: Say) -> None:
    uris = _run([*apt, "download", "--print-uris", *packages], cwd=folder)
    whole = sum(int(size) for size in re.findall(r"^'[^']+' \S+ (\d+)", uris, re.MULTILINE))
    say(f"fetching {len(packages)} packages, {whole / 1e6:.1f} MB, once")
    done = threading.Event()

    def tell() -> None:
        while not done.wait(2):
            here = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            say(f"{here / 1e6:.1f} of {whole / 1e6:.1f} MB")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    begin = time.monotonic()
    try:
        _run([*apt, "download", *packages], cwd=folder, timeout=600)
    finally:
        done.set()
        teller.join()
    say(f"{whole / 1e6:.1f} MB in {time.monotonic() - begin:.1f} s")


def relocate(tree: Path) -> None:
    """Debian writes Erlang's folder into its start script; let it look where it stands instead."""
    erl = tree / "usr/lib/erlang/bin/erl"
    text = erl.read_text(encoding="utf-8")
    here = '"$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)"'
    erl.write_text(re.sub(r"\bROOTDIR=/usr/lib/erlang\b", lambda _: f"ROOTDIR={here}", text), encoding="utf-8")


RABBITMQ = Wanted(
    name="RabbitMQ", package="rabbitmq-server", ours=re.compile(r"rabbitmq-server|erlang-.*"), after=relocate
)
"""About 35 MB."""
CHROMIUM = Wanted(
    name="Chromium",
    package="chromium-headless-shell",
    ours=re.compile(r"chromium-(headless-shell|common)|fonts-liberation"),
    more=("fonts-liberation",),
)
"""About 100 MB; its desktop's libraries (GL, X programs) are not asked for, and its font has the letters of Danish."""


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
