"""What if a cable is pulled? Between relays, consumers, worker or database and the other end: delayed, never lost."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from deploy.local.demo.processes import GROUPS as DEMO_GROUPS
from tests.faults.world import World, world
from tests.prepared import Database, Vhosts
from tests.proxy import Proxy
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

RELAYS = ("relay-crm", "relay-economic", "relay-sync")
LINKS = ("relays to broker", "consumers to broker", "worker to e-conomic", "all to database")


@dataclass(frozen=True, slots=True)
class Scene:
    """A product whose every connection runs through a proxy."""

    world: World
    links: dict[str, Proxy]
    known: list[str]

    def edits(self, count: int) -> None:
        """Edits on both sides, and a new customer."""
        for turn in range(count):
            cvr = self.known[turn % len(self.known)]
            self.world.edit_crm(cvr)
            self.world.edit_economic(cvr, self.world.number(cvr))
        self.world.create()


@pytest.fixture(scope="module")
def scene(_database: Database, _vhosts: Vhosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox())
        database, broker = _database.ready(), _vhosts.ready()
        ends = (broker.address, broker.address, sandbox.url, sa.make_url(database).render_as_string())
        links = {}
        for name, end in zip(LINKS, ends, strict=True):
            parts = urlsplit(end)
            links[name] = stack.enter_context(Proxy(parts.hostname or "", parts.port or 0))
        through = sa.make_url(database).set(port=links["all to database"].port)
        both = {"DATABASE_URL": through.render_as_string(hide_password=False)}
        economic = f"127.0.0.1:{links['worker to e-conomic'].port}"
        others = {
            **both,
            "BROKER_URL": f"amqp://127.0.0.1:{links['consumers to broker'].port}",
            "ECONOMIC_REST_URL": f"http://{economic}",
            "ECONOMIC_APIS_URL": f"http://{economic}",
            "ECONOMIC_DEVELOPMENT_HOSTS": f"{economic},{sandbox.host}",
        }
        relays = {**both, "BROKER_URL": f"amqp://127.0.0.1:{links['relays to broker'].port}"}
        made = stack.enter_context(
            world(
                database,
                broker,
                sandbox,
                tmp_path_factory.mktemp("log"),
                seed=13,
                groups=DEMO_GROUPS,
                clocks={"POLL_SECONDS": "1"},
                special={name: relays if name in RELAYS else others for name in DEMO_GROUPS},
            )
        )
        known = [made.create() for _ in range(3)]
        made.rests()
        assert all(proxy.accepted for proxy in links.values())
        yield Scene(made, links, known)


@pytest.mark.parametrize("link", LINKS)
def test_connections_that_are_reset_again_and_again_lose_nothing(scene: Scene, link: str) -> None:
    proxy = scene.links[link]
    for _ in range(3):
        before = proxy.accepted
        scene.edits(2)
        proxy.cut()
        eventually(lambda seen=before: proxy.accepted > seen, within=60)  # type: ignore[misc]
    scene.world.rests()


@pytest.mark.parametrize("link", LINKS)
def test_a_connection_that_swallows_everything_and_then_breaks_loses_nothing(scene: Scene, link: str) -> None:
    proxy = scene.links[link]
    proxy.black_hole()
    scene.edits(3)
    eventually(scene.world.unfinished)
    proxy.cut()  # whatever was in it is gone, and nobody knows what had arrived
    scene.edits(1)
    proxy.restore()
    scene.world.rests()


@pytest.mark.parametrize("link", LINKS)
def test_an_end_that_refuses_connections_is_waited_for(scene: Scene, link: str) -> None:
    proxy = scene.links[link]
    proxy.refuse()
    scene.edits(3)
    eventually(scene.world.unfinished)
    proxy.restore()
    scene.world.rests()


def test_a_slow_network_is_only_slow(scene: Scene) -> None:
    for proxy in scene.links.values():
        proxy.delay(0.005)
    scene.edits(3)
    scene.world.rests()
    for proxy in scene.links.values():
        proxy.restore()
