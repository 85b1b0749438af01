"""What if webhooks are lost, late, doubled or out of order? The same state as with perfect ones."""

import random
from collections.abc import Iterator

import pytest

from deploy.local.demo.processes import GROUPS as DEMO_GROUPS
from tests.faults.world import World, world
from tests.prepared import Database, Vhosts
from tests.sandbox_fixture import running_sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]


@pytest.fixture(scope="module")
def made(_database: Database, _vhosts: Vhosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        running_sandbox() as sandbox,
        world(
            _database.ready(),
            _vhosts.ready(),
            sandbox,
            tmp_path_factory.mktemp("log"),
            seed=15,
            groups=DEMO_GROUPS,
            clocks={"POLL_SECONDS": "1"},
        ) as started,
    ):
        for _ in range(3):
            started.create()
        started.rests()
        yield started


@pytest.mark.parametrize("trouble", ["hook_lost", "hook_late", "hook_doubled", "hook_reordered"])
def test_whatever_happens_to_webhooks_the_state_at_the_end_is_the_same(made: World, trouble: str) -> None:
    data = made.product.sandbox.data
    fault = data.faults.add(trouble, count=None, probability=0.7, seed=7, seconds=0.5)
    choice = random.Random(trouble)
    numbers = {cvr: made.number(cvr) for cvr in list(made.ids)[:3]}
    for _ in range(12):
        cvr = choice.choice(list(numbers))
        made.edit_economic(cvr, numbers[cvr])
        if choice.random() < 0.5:
            made.edit_crm(cvr)
    made.rests()
    assert fault.hits >= 3
    data.faults.clear()
