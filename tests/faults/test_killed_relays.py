"""Every relay dies at every durable step: what was committed arrives, and nothing twice."""

import pytest

from tests.faults.walk import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "point", ["publish.before", "publish.after", "confirm.before", "commit.before", "commit.after"]
)
@pytest.mark.parametrize("victim", ["relay-crm", "relay-economic", "relay-sync"])
def test_a_relay_that_dies_loses_and_doubles_nothing(walker: Walker, victim: str, point: str) -> None:
    walker.walk(victim, point)
