"""What if RabbitMQ is stopped, killed, emptied or blocked? The CRM's transactions go on, and nothing is lost afterwards."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest

from crm_outbox.messaging import management
from crm_outbox.messaging.management import Management
from deploy.local import servers
from deploy.local.demo.processes import GROUPS as DEMO_GROUPS
from deploy.local.rabbitmq import RabbitMQ
from tests.conftest import Own, OwnServers
from tests.faults.world import World, world
from tests.prepared import Vhosts
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

LONGEST = 10.0
"""Seconds the slowest of the CRM's transactions may take on a busy machine, which says little.

That none waits for the broker is seen by what follows: the broker comes back only after all of them. One that waited for it
and gave up would do so each time: that is what the median bounds.
"""


@dataclass(slots=True)
class Scene:
    """A product on servers of its own."""

    own: Own
    world: World
    known: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def edits(self, count: int) -> None:
        """Edits on both sides, and a new customer; the CRM's transactions are timed."""
        for turn in range(count):
            cvr = self.known[turn % len(self.known)]
            began = time.monotonic()
            self.world.edit_crm(cvr)
            self.took.append(time.monotonic() - began)
            self.world.edit_economic(cvr, self.world.number(cvr))
        began = time.monotonic()
        self.world.create()
        self.took.append(time.monotonic() - began)

    def never_waited(self) -> None:
        """The CRM's transactions took what they always take."""
        assert max(self.took) < LONGEST
        assert median(self.took) < LONGEST / 10


@pytest.fixture(scope="module")
def running(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with (
        own_servers() as own,
        running_sandbox() as sandbox,
        world(
            own.database,
            own.broker,
            sandbox,
            tmp_path_factory.mktemp("log"),
            seed=11,
            groups=DEMO_GROUPS,
            clocks={"POLL_SECONDS": "1"},
        ) as made,
    ):
        scene = Scene(own=own, world=made)
        scene.known = [made.create() for _ in range(3)]
        made.rests()
        yield scene


@pytest.fixture
def scene(running: Scene) -> Scene:
    running.took.clear()
    return running


def test_what_is_entered_while_the_broker_is_stopped_arrives_once_it_is_back(scene: Scene) -> None:
    scene.own.rabbitmq.stop()
    scene.edits(6)
    scene.own.rabbitmq.start()
    scene.world.rests()
    scene.never_waited()


def test_a_broker_that_is_killed_in_the_middle_loses_nothing(scene: Scene) -> None:
    scene.edits(6)
    scene.own.rabbitmq.kill()
    scene.edits(3)
    scene.own.rabbitmq.start()
    scene.edits(3)
    scene.world.rests()
    scene.never_waited()


def test_a_broker_that_lost_all_its_data_is_filled_again_from_what_was_settled(scene: Scene) -> None:
    made = scene.world
    for name in ("adapter", "reconciler"):
        made.product.processes.kill(name)
    scene.edits(4)
    # Confirmed and settled: what lies in the queues now stands nowhere else but in the outbox.
    eventually(lambda: "pending: crm" not in made.unfinished(), within=60)
    _lose_everything(scene.own)
    for name in ("adapter", "reconciler"):
        made.product.processes.start_group(name)
    made.rests()
    scene.never_waited()
    assert any(event.get("event") == "relay.new_broker" for event in made.product.logged("relay-crm"))


def test_a_broker_that_takes_nothing_for_want_of_memory_blocks_no_transaction_of_the_crm(scene: Scene) -> None:
    with _memory_alarm(scene.own.rabbitmq):
        began = time.monotonic()
        blocked = scene.world.product
        scene.edits(1)
        eventually(lambda: any(one.get("event") == "relay.blocked" for one in blocked.logged("relay-crm")), within=60)
        scene.edits(6)
        waiting = scene.world.unfinished()
        outage = time.monotonic() - began
    assert waiting["pending: crm"] > 0
    scene.world.rests()
    scene.never_waited()
    assert sum(scene.took) < outage


def _lose_everything(own: Own) -> None:
    """A new, empty node in the place of the old one, set up as a new broker is."""
    own.rabbitmq.kill()
    if isinstance(own.rabbitmq, RabbitMQ):
        shutil.rmtree(own.rabbitmq.folder / "data")
    own.rabbitmq.start()
    passwords = {user: str(password) for user, password in own.broker.passwords.items()}
    vhosts = Vhosts(own.rabbitmq.amqp, own.rabbitmq.management, own.admin, own.broker.vhost, passwords)
    with Management(own.rabbitmq.management, *own.admin, own.broker.vhost) as manager:
        vhosts.remove(manager)  # a container keeps its data
    management.fill(own.rabbitmq.management, own.admin, own.broker.vhost, passwords)
    with Management(own.rabbitmq.management, *own.admin, own.broker.vhost) as manager:
        management.init(manager)


@contextmanager
def _memory_alarm(bus: servers.Bus) -> Iterator[None]:
    _control(bus, "set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        yield
    finally:
        _control(bus, "set_vm_memory_high_watermark", "0.4")


def _control(bus: servers.Bus, *arguments: str) -> None:
    """Run rabbitmqctl beside the node."""
    if not isinstance(bus, RabbitMQ):
        from deploy.local.containers import ContainedBus  # noqa: PLC0415 - slow to import

        assert isinstance(bus, ContainedBus)
        done = bus.container.exec(["rabbitmqctl", *arguments])
        assert done.exit_code == 0, done.output
        return
    program = bus.root / Path(bus.scripts.inside).with_name("rabbitmqctl")
    account = bus.account
    subprocess.run(
        [program, *arguments],
        env=bus._environ(),
        cwd=bus.folder,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        check=True,
        timeout=120,
    )
