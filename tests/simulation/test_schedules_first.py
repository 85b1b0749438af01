"""Do the promises hold in the first five thousand schedules?"""

import pytest

from tests.simulation import ranges

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("first", ranges.of(0))
def test_every_schedule_keeps_every_promise(first: int) -> None:
    ranges.held(first)
