"""Which schedules does a test run live? Twenty thousand, in ranges that several processes share."""

from tests.simulation.run import tried

FIRST = 1
RANGE = 1000
RANGES = 5
"""Ranges of one test file; there are four files."""


def of(file: int) -> list[int]:
    """The first seed of each range of that file."""
    return [FIRST + (file * RANGES + place) * RANGE for place in range(RANGES)]


def held(first: int) -> None:
    """Every schedule of the range that begins there keeps every promise."""
    found = tried(first, first + RANGE)
    assert found.schedules == RANGE
    assert not found.broken, "\n".join(
        f"./run simulate --seed {seed} --tell   # {wrong}" for seed, wrong in found.broken[:5]
    )
