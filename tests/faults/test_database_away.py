"""What if PostgreSQL is killed under load? Nothing that was committed is lost, nothing that was not is sent."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from deploy.local.demo.processes import GROUPS as DEMO_GROUPS
from tests.conftest import Own, OwnServers
from tests.faults.world import World, world
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]


@pytest.fixture
def scene(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Own, World]]:
    with (
        own_servers() as own,
        running_sandbox() as sandbox,
        world(
            own.database,
            own.broker,
            sandbox,
            tmp_path_factory.mktemp("log"),
            seed=12,
            groups=DEMO_GROUPS,
            clocks={"POLL_SECONDS": "1"},
        ) as made,
    ):
        yield own, made


def test_a_database_that_is_killed_twice_under_load_loses_and_doubles_nothing(scene: tuple[Own, World]) -> None:
    own, made = scene
    known = [made.create() for _ in range(3)]
    made.rests()
    numbers = {cvr: made.number(cvr) for cvr in known}
    stop = threading.Event()
    counts = {"crm": 0, "failed": 0}

    def people() -> None:
        while not stop.wait(0.03):
            cvr = known[counts["crm"] % 3]
            made.edit_economic(cvr, numbers[cvr])
            try:
                made.edit_crm(cvr)
                counts["crm"] += 1
            except sa.exc.OperationalError:
                counts["failed"] += 1  # a person would try again: so does the next turn, with a newer number

    writer = threading.Thread(target=people)
    writer.start()
    try:
        for _ in range(2):
            enough = counts["crm"] + 15
            eventually(lambda wanted=enough: counts["crm"] >= wanted, within=120)  # type: ignore[misc]
            failed = counts["failed"]
            own.postgres.kill()
            eventually(lambda before=failed: counts["failed"] > before, within=60)  # type: ignore[misc]
            own.postgres.start()
    finally:
        stop.set()
        writer.join()
    for cvr in known:
        made.edit_crm(cvr)
    made.rests()
