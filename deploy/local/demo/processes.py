"""Which processes does the demo run? Each duty group as a process of its own that can be killed and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.local.environment import given_to

Say = Callable[[str], None]


class Running(Protocol):
    """A process that was started, as ``subprocess.Popen`` shows it."""

    def poll(self) -> int | None:
        """The exit code; none while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""

    def kill(self) -> None:
        """End it at once."""

    def terminate(self) -> None:
        """Ask it to end."""


GROUPS: Mapping[str, tuple[str, ...]] = {
    "relay-crm": ("crm_outbox", "run", "relay"),
    "relay-economic": ("economic_adapter", "run", "relay"),
    "relay-sync": ("reconciler", "run", "relay"),
    "crm": ("crm_outbox", "run", "applier", "clock"),
    "adapter": ("economic_adapter", "run", "intake", "hooks", "clock"),
    "worker": ("economic_adapter", "run", "worker"),
    "reconciler": ("reconciler", "run", "reconcile", "clock"),
    "web": ("reconciler", "run", "web"),
}
"""Few processes; the relays and the worker each their own, since the tour kills them."""


COMMAND_SECONDS = 330.0
"""After which a command is ended: more than it is ever asked to wait, so that it can say itself what it waited for."""


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent is gone, also when the parent was killed."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - after the fork, on Linux only

        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)


@dataclass(slots=True)
class Processes:
    """The demo's own processes, by name, with their logs in one folder."""

    root: Path
    logs: Path
    environ: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: GROUPS)
    running: dict[str, Running] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> None:
        """Start ``python -m arguments`` under a name; its output goes to its log file."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=self.root,
                env=given_to(arguments[0], {**os.environ, **self.environ}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one thread forks here, and the child only calls prctl
            )

    def start_group(self, name: str) -> None:
        """Start one of the duty groups."""
        self.start(name, *self.groups[name])

    def kill(self, name: str) -> None:
        """End a process at once (SIGKILL), as a power cut would."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def died(self) -> dict[str, int]:
        """The processes that ended though nobody asked, with their exit codes."""
        return {name: code for name, one in self.running.items() if (code := one.poll()) is not None}

    def stop(self, within: float = 8.0) -> None:
        """End all: politely first, and whoever is left after ``within`` seconds at once."""
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + within
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def command(self, package: str, arguments: list[str], given: str = "") -> str:
        """Run one of the packages' commands; its output, or ``RuntimeError`` with what it said."""
        return run_command(self.root, self.environ, package, arguments, given)

    def tail(self, name: str, lines: int = 5) -> list[str]:
        """The last lines a process logged."""
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []


def run_command(root: Path, environ: Mapping[str, str], package: str, arguments: list[str], given: str = "") -> str:
    """Run one of the packages' commands as an operator would; its output, or ``RuntimeError`` with what it said."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", package, *arguments],
            cwd=root,
            env={**os.environ, **environ},
            input=given,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{package} {' '.join(arguments)}: no end after {error.timeout:.0f} s") from error
    if done.returncode:
        raise RuntimeError(f"{package} {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
