"""How is every durable step of a duty died at? One scenario after another, each killing it one step later, until it lives.

The victim that was killed is started again at once; all others run on. A walk that killed nothing has tested nothing and
fails.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults.world import GROUPS, World, world
from tests.prepared import Database, Vhosts
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

MOST = 150
"""Steps no scenario comes near: a walk that goes on and on is counting something that has no end."""
TURNS = 5
"""Scenarios of which at least the last kills."""
QUIET = 0.3
"""Seconds of rest after which a victim that lives will not die any more."""
_READY: Mapping[str, str] = {
    "relay": "relay.holds_lane",
    "applier": "consumer.connected",
    "intake": "consumer.connected",
    "reconcile": "consumer.connected",
    "hooks": "http.listening",
    "worker": "worker.started",
    "clock": "duty.started",
}


@dataclass(slots=True)
class Walker:
    """A world in which duties die, made anew after a walk that failed."""

    database: Database
    vhosts: Vhosts
    folder: Path
    seed: int
    clocks: Mapping[str, str]
    _stack: ExitStack = field(default_factory=ExitStack)
    _world: World | None = None
    _known: str = ""
    """CVR number of the customer that is edited."""
    _worlds: int = 0

    def walk(self, victim: str, point: str, *, latency_ms: float = 0.0) -> int:
        """Walk one point of one duty; how many times it died, at least once. Every call to e-conomic takes ``latency_ms``."""
        made, self._world = self._ready(), None
        made.product.sandbox.data.settings.latency_ms = latency_ms
        number = made.number(self._known)
        record = self.folder / f"{victim}-{point}.txt"
        record.touch()
        armed = record.with_suffix(".armed")
        dying = replace(
            made.product.processes,
            environ={**made.product.environ, "DYING_ARMED": str(armed), "DYING_RECORD": str(record)},
        )

        def start() -> None:
            if victim in dying.running:
                dying.kill(victim)
            log = dying.logs / f"{victim}.log"
            before = log.stat().st_size
            dying.start(victim, "tests.faults.dying", point, *GROUPS[victim])
            ready = _READY[victim.partition("-")[0] if victim not in _READY else victim]
            eventually(lambda: ready in _written(log, before), within=90)

        start()
        for turn in range(1, MOST + 1):
            armed.touch()
            made.create()
            made.edit_crm(self._known)
            made.edit_economic(self._known, number)
            died = _dies(made, victim)
            armed.unlink()
            if not died:
                made.check()
                if not record.read_text("utf-8") and turn < TURNS:
                    continue  # what it does by the clock may all have been done by others, before it came to it
                dying.kill(victim)
                made.product.processes.start_group(victim)
                self._world = made
                deaths = record.read_text("utf-8").splitlines()
                assert deaths, "a walk that kills nothing tests nothing"
                print(f"{victim} died {len(deaths)} times", *deaths, sep="\n  ")  # noqa: T201 - for ``pytest -rP``
                return len(deaths)
            start()
            made.rests()
        raise AssertionError(f"{MOST} deaths and no end")

    def close(self) -> None:
        """End the world."""
        self._stack.close()

    def _ready(self) -> World:
        if self._world is None:
            self._stack.close()
            self._worlds += 1
            logs = self.folder / f"logs-{self._worlds}"
            logs.mkdir()
            self._stack = ExitStack()
            sandbox = self._stack.enter_context(running_sandbox())
            sandbox.data.settings.hook_gaps = [0.1] * 100
            self._world = self._stack.enter_context(
                world(self.database.ready(), self.vhosts.ready(), sandbox, logs, seed=self.seed, clocks=self.clocks)
            )
            self._known = self._world.create()
            self._world.rests()
        return self._world


def _dies(made: World, victim: str) -> bool:
    """Wait until the victim is dead, or everything came to rest with it alive."""
    process = made.product.processes.running[victim]
    rested: float | None = None

    def ended() -> bool:
        nonlocal rested
        if process.poll() is not None:
            return True
        try:
            made.at_rest()
        except AssertionError:
            rested = None
            raise
        rested = rested or time.monotonic()
        return time.monotonic() - rested > QUIET and not made.wakes()

    eventually(ended, within=180, every=0.03)
    return process.poll() is not None


def _written(log: Path, since: int) -> str:
    with log.open("rb") as file:
        file.seek(since)
        return file.read().decode("utf-8", "replace")
