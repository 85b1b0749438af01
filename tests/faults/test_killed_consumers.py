"""Applier and intake die at every durable step: what was sent has its effect, and once."""

import pytest

from tests.faults.walk import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("point", ["commit.before", "commit.after", "ack.before", "ack.after"])
@pytest.mark.parametrize("victim", ["applier", "intake"])
def test_a_consumer_that_dies_loses_and_doubles_nothing(walker: Walker, victim: str, point: str) -> None:
    walker.walk(victim, point)
