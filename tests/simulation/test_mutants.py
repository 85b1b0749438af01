"""Would the simulation notice? Each safety is taken away in turn, and some schedule must then break."""

import pytest

from tests.simulation import mutants
from tests.simulation.run import tried

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WITHIN = 5000
"""Schedules within which every missing safety shows."""


@pytest.mark.parametrize("name", mutants.NAMES)
def test_a_missing_safety_breaks_a_schedule(name: str) -> None:
    found = tried(1, 1 + WITHIN, name)
    assert found.broken, f"nothing broke in {WITHIN} schedules without {name}"


def test_taking_a_safety_away_is_undone() -> None:
    for name in mutants.NAMES:
        with mutants.without(name):
            pass
    assert not tried(1, 40).broken
