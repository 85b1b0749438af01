"""The worker dies after every commit and every acknowledgement: no customer twice, no write lost."""

import pytest

from tests.faults.walk import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("point", ["commit.after", "ack.after"])
def test_a_worker_that_dies_after_a_commit_loses_and_doubles_nothing(walker: Walker, point: str) -> None:
    walker.walk("worker", point)
