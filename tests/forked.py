"""How do tests start the product's processes quickly? One process has imported everything, and forks each of them.

Importing a package costs a second of a core, a fork a few milliseconds. A forked process then does what ``python -m``
does: it runs the package's own ``__main__``. ``python -m tests.forked`` is the process that forks: one JSON request per
line on standard input, one JSON answer per line on standard output. It ends with its input, and with it all it started.
"""

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import random
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from deploy.local.demo.processes import Processes, die_with_parent

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("crm_outbox", "economic_adapter", "reconciler")


class Forks:
    """The process that forks; may be asked from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - the child only calls prctl
        )

    def ask(self, **request: Any) -> Any:
        """One request and its answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            return json.loads(stdout.readline())

    def prepare(self, module: str) -> None:
        """Import that module too, so that whoever is forked from now on has it."""
        self.ask(do="import", module=module)

    def close(self) -> None:
        """End it and everything it started."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


_shared: list[Forks] = []


def forks() -> Forks:
    """The one of this test process, started at first use."""
    if not _shared:
        _shared.append(Forks())
        atexit.register(close)
    return _shared[0]


def close() -> None:
    """End what ``forks`` started."""
    while _shared:
        _shared.pop().close()


@dataclass(slots=True)
class Child:
    """One forked process, handled as ``subprocess.Popen`` is."""

    forks: Forks
    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; none while it runs."""
        if self.code is None:
            self.code = self.forks.ask(do="code", pid=self.pid)
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; ``subprocess.TimeoutExpired`` after that many seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(0.005)
        return code

    def kill(self) -> None:
        """SIGKILL, unless it is gone."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM, unless it is gone."""
        self.send_signal(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        """A signal, unless it is gone."""
        self.forks.ask(do="signal", pid=self.pid, number=int(number))


@dataclass(slots=True)
class Forked(Processes):
    """The product's processes, forked. They are ended by SIGKILL: what a test leaves is thrown away."""

    forks: Forks = field(default_factory=forks)
    special: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What is different in the environment of some of them, by name."""

    def start(self, name: str, *arguments: str) -> None:
        """Start what ``python -m arguments`` would; its output goes to its log file."""
        given = self.special.get(name, {})
        self.running[name] = self._fork(self.logs / f"{name}.log", os.devnull, arguments, given)

    def command(self, package: str, arguments: list[str], given: str = "") -> str:
        """Run one of the packages' commands; its output, or ``RuntimeError`` with what it said."""
        said, heard = self.logs / "command.out", self.logs / "command.in"
        said.write_bytes(b"")
        heard.write_text(given, "utf-8")
        code = self._fork(said, str(heard), [package, *arguments]).wait(180)  # longer than any waits by itself
        text = said.read_text("utf-8", "replace").strip()
        if code:
            raise RuntimeError(f"{package} {' '.join(arguments)}: exit {code}\n{text}")
        return text

    def stop(self, within: float = 0.0) -> None:
        """End all at once."""
        for one in self.running.values():
            one.kill()
        for one in self.running.values():
            one.wait()
        self.running.clear()

    def _fork(self, log: Path, stdin: str, arguments: Sequence[str], special: Mapping[str, str] | None = None) -> Child:
        environ = {**os.environ, **self.environ, **(special or {})}
        pid = self.forks.ask(do="start", argv=list(arguments), environ=environ, log=str(log), stdin=stdin)
        return Child(self.forks, int(pid))


def _import_all() -> None:
    for package in _PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith(".__main__") and ".sandbox" not in module.name:
                importlib.import_module(module.name)


def _become(argv: list[str], environ: Mapping[str, str], log: str, stdin: str) -> NoReturn:
    """Turn this fork into ``python -m argv``."""
    code = 1
    try:
        die_with_parent()
        for descriptor, path, flags in (
            (0, stdin, os.O_RDONLY),
            (1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
        ):
            opened = os.open(path, flags, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        os.dup2(1, 2)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter does
        os.environ.clear()
        os.environ.update(environ)
        random.seed()
        sys.argv = list(argv)
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - a fork must never go on as its parent
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


class _Children:
    def __init__(self) -> None:
        self._codes: dict[int, int] = {}

    def answer(self, request: dict[str, Any]) -> int | None:
        match request.pop("do"):
            case "start":
                pid = os.fork()
                if pid == 0:
                    _become(**request)
                return pid
            case "import":
                importlib.import_module(request["module"])
                return None
            case "code":
                return self._code(request["pid"])
            case _:
                if self._code(request["pid"]) is None:
                    os.kill(request["pid"], request["number"])
                return None

    def _code(self, pid: int) -> int | None:
        if pid not in self._codes:
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                return None
            self._codes[pid] = os.waitstatus_to_exitcode(status)
        return self._codes[pid]


def main() -> None:
    """Answer requests until the input ends."""
    _import_all()
    children = _Children()
    with contextlib.suppress(KeyboardInterrupt):
        while line := sys.stdin.buffer.readline():
            answer = json.dumps(children.answer(json.loads(line))) + "\n"
            os.write(1, answer.encode())


if __name__ == "__main__":
    main()
