"""The worker dies around every call to e-conomic, also between the request and its answer: no customer twice, no write lost."""

import pytest

from tests.faults.walk import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("point", ["send.before", "send.sent", "send.after"])
def test_a_worker_that_dies_around_a_call_loses_and_doubles_nothing(walker: Walker, point: str) -> None:
    walker.walk("worker", point)
