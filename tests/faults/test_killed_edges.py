"""What takes webhooks and what wakes the worker dies at every durable step: no change in e-conomic goes unseen."""

import pytest

from tests.faults.walk import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("point", ["commit.before", "commit.after"])
def test_hooks_that_die_lose_nothing_since_economic_sends_again(walker: Walker, point: str) -> None:
    walker.walk("hooks", point)


@pytest.mark.parametrize("point", ["commit.before", "commit.after", "wake.before", "wake.after"])
def test_a_clock_that_dies_around_a_wake_up_leaves_no_work_undone(walker: Walker, point: str) -> None:
    walker.walk("clock-economic", point)
