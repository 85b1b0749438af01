"""The reconciler dies at every durable step, deciding or re-sending: no decision is lost, and none is carried out twice."""

import pytest

from tests.faults.walk import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CLOCKS = {"RESEND_SECONDS": "0.1"}
"""So short that commands go out again while the first is still at work."""


@pytest.mark.parametrize("point", ["commit.before", "commit.after", "ack.before", "ack.after"])
def test_a_reconciler_that_dies_loses_and_doubles_nothing(walker: Walker, point: str) -> None:
    walker.walk("reconcile", point)


@pytest.mark.parametrize("point", ["commit.before", "commit.after"])
def test_a_clock_that_dies_while_it_sends_again_loses_and_doubles_nothing(walker: Walker, point: str) -> None:
    # So slow that no write is answered before the clock has looked: there is always something to send again.
    walker.walk("clock-sync", point, latency_ms=300)
