"""What did a range of schedules find? The unit that processes and tests divide the work by."""

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation import mutants, quick
from tests.simulation.schedule import schedule
from tests.simulation.shrink import lived

_WORLDS = 16
"""So many that ended are collected at one time: looking for what they left in circles costs as much for one."""


@dataclass(kw_only=True)
class Found:
    """How many schedules were lived, what happened in them, and which broke: seed and the violation in words."""

    schedules: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)


def tried(first: int, last: int, without: str | None = None) -> Found:
    """Live the schedules from ``first`` up to, not including, ``last``. Without a safety: only until one breaks."""
    found = Found()
    with quick.core(), mutants.without(without):
        for seed in range(first, last):
            given = schedule(seed)
            if without is not None and without in mutants.THEMES and given.setup.theme not in mutants.THEMES[without]:
                continue
            world = lived(given)
            found.schedules += 1
            found.counts += world.trace.counts
            if world.broken:
                found.broken.append((seed, world.broken[0]))
                if without is not None:
                    break
            vars(world).clear()  # most of it goes at once by that, and only a little is left to be collected
            if not seed % _WORLDS:
                quick.tidy()
    return found
