"""Which servers does a test run use? Both started once, by the process that leads the run; never a skip, never a fake.

``--unit`` and runs of tests/unit and tests/contract alone start nothing. Where no server can be had the run ends with exit
code 2 and the ways to get one.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa

from crm_outbox.messaging.database import engine as make_engine
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from deploy.local import browser, servers
from tests.prepared import Database, Vhosts, connect, drop_database, make_database, passwords
from tests.sandbox_fixture import sandbox

__all__ = ["sandbox"]

_UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
"""How long an example takes, to make or to test, says how busy the machine is."""
hypothesis.settings.register_profile("quick", max_examples=25, **_UNHURRIED)
"""For ``--unit`` and ``--quick``: fewer examples of each property; the whole run takes all."""
hypothesis.settings.register_profile("whole", **_UNHURRIED)
hypothesis.settings.load_profile("whole")

_HERE = Path(__file__).parent
_BROWSER = _HERE / "browser"
_NO_SERVERS = (_HERE / "unit", _HERE / "contract", _HERE / "simulation")
_SHORT = (_HERE / "unit", _HERE / "contract", _HERE / "integration")
"""Folders in which a slow test says so."""
_STACK = pytest.StashKey[ExitStack]()
_GIVEN = pytest.StashKey[dict[str, str]]()
_REPORT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--servers", choices=servers.PROVIDERS, help="where PostgreSQL and RabbitMQ come from")
    parser.addoption("--pictures", action="store_true", help="make the pictures in docs/pages anew (tests/browser)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: not part of ./run test --quick")
    if hasattr(config, "workerinput"):
        config.stash[_GIVEN] = config.workerinput["servers"]
        return
    config.stash[_GIVEN] = {}
    if config.option.collectonly or not _needs_servers(config):
        config.stash[_REPORT] = ["servers: none (tests that need none)"]
        return
    stack = config.stash[_STACK] = ExitStack()
    found = None
    try:
        if _needs_browser(config):
            found = browser.find()
    except browser.NoBrowser as error:
        pytest.exit(f"no browser to test with\n{error}", returncode=2)
    try:
        running = stack.enter_context(servers.start(config.option.servers))
    except servers.NoServers as error:
        pytest.exit(f"no servers to test against\n{error}", returncode=2)
    run = f"test_{secrets.token_hex(4)}"
    template = f"{run}_template"
    stack.callback(_forget, running, run)
    make_database(running.database_url, template)
    config.stash[_REPORT] = [f"servers: {line.strip()}" for line in running.report if not line.startswith(" ")]
    if found is not None:
        config.stash[_REPORT].append(f"browser: {found.origin}")
    user, password = running.admin
    config.stash[_GIVEN] = {
        "run": run,
        "template": template,
        "database": running.database_url,
        "amqp": running.amqp,
        "management": running.management,
        "user": user,
        "password": password,
        **{f"password {name}": one for name, one in passwords().items()},
        **({} if found is None else {"browser": found.path, "browser environ": json.dumps(dict(found.environ))}),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """A worker of xdist gets the addresses: a server it started itself would die with it while others still use it."""
    node.workerinput["servers"] = node.config.stash[_GIVEN]  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files whose slow tests may take longest go first: no worker waits at the end for another's long one."""
    most, many = Counter[Path](), Counter[Path]()
    for item in items:
        if item.get_closest_marker("slow") or not any(item.path.is_relative_to(folder) for folder in _SHORT):
            marked = item.get_closest_marker("timeout")
            most[item.path] += int(marked.args[0] if marked else item.config.getini("timeout"))
        many[item.path] += 1
    items.sort(key=lambda item: (-most[item.path], -many[item.path]))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash.get(_STACK, ExitStack()).close()


def pytest_report_header(config: pytest.Config) -> list[str]:
    return config.stash.get(_REPORT, [])


def _needs_servers(config: pytest.Config) -> bool:
    paths = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return not all(any(path.resolve().is_relative_to(folder) for folder in _NO_SERVERS) for path in paths)


def _needs_browser(config: pytest.Config) -> bool:
    paths = [(config.invocation_params.dir / one.partition("::")[0]).resolve() for one in config.args]
    return any(path.is_relative_to(_BROWSER) or _BROWSER.is_relative_to(path) for path in paths)


def _forget(running: servers.Running, run: str) -> None:
    """Leave nothing on a server that somebody gave us; our own are thrown away as they are."""
    if isinstance(running.postgres, servers.Given):
        with connect(running.database_url) as connection:
            found = connection.execute("select datname from pg_database where datname like %s", [f"{run}%"]).fetchall()
        for (name,) in found:
            drop_database(running.database_url, str(name))
    if isinstance(running.rabbitmq, servers.Given):
        with Management(running.management, *running.admin, "/") as manager:
            for entry in manager.get("vhosts"):
                if entry["name"].startswith(run):
                    manager.delete(f"vhosts/{entry['name']}")


@pytest.fixture(scope="session")
def server_addresses(request: pytest.FixtureRequest) -> dict[str, str]:
    """The addresses of the run's servers."""
    given = request.config.stash[_GIVEN]
    if not given:
        pytest.fail("this test needs servers: it does not belong in tests/unit or tests/contract")
    return given


@pytest.fixture(scope="session")
def _database(server_addresses: dict[str, str], worker: str) -> Iterator[Database]:
    given = server_addresses
    held = Database(given["database"], f"{given['run']}_{worker}", given["template"])
    yield held
    held.close()


@pytest.fixture(scope="session")
def _vhosts(server_addresses: dict[str, str], worker: str) -> Iterator[Vhosts]:
    given = server_addresses
    users = {name.removeprefix("password "): one for name, one in given.items() if name.startswith("password ")}
    admin = (given["user"], given["password"])
    held = Vhosts(given["amqp"], given["management"], admin, f"{given['run']}_{worker}", users)
    yield held
    held.close()


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this process in the run: ``gw0`` and so on, ``main`` without xdist."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture
def database(_database: Database) -> str:
    """The superuser's address of this worker's database: migrated, emptied. It is dropped after the run."""
    return _database.ready()


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """An engine on ``database``."""
    made = make_engine(database, "test")
    yield made
    made.dispose()


@pytest.fixture
def broker(_vhosts: Vhosts) -> Broker:
    """This worker's vhost pair: topology and users of the definitions, every queue empty, its identity made."""
    return _vhosts.ready()


@pytest.fixture
def manager(broker: Broker, _vhosts: Vhosts) -> Iterator[Management]:
    """RabbitMQ's HTTP API as administrator, in the vhost of ``broker``."""
    with Management(_vhosts.management_url, *_vhosts.admin, _vhosts.vhost) as made:
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Servers of one test's own: to kill, stop, start and restart."""

    postgres: servers.Database
    rabbitmq: servers.Bus
    database: str
    broker: Broker
    admin: tuple[str, str]


OwnServers = Callable[[], AbstractContextManager[Own]]


@pytest.fixture(scope="session")
def own_servers(server_addresses: dict[str, str], request: pytest.FixtureRequest) -> OwnServers:
    """``with own_servers() as own:`` starts a pair that keeps its data when killed (fsync on), migrated and filled."""

    @contextmanager
    def make() -> Iterator[Own]:
        provider = request.config.option.servers
        forced = provider if provider != "url" else None
        with servers.start(forced, durable=True, own=True, say=lambda _: None) as running:
            users = passwords()
            vhosts = Vhosts(running.amqp, running.management, running.admin, "sync", users)
            broker = vhosts.ready()
            vhosts.close()
            yield Own(
                postgres=running.postgres,
                rabbitmq=running.rabbitmq,
                database=make_database(running.database_url, "sync"),
                broker=broker,
                admin=running.admin,
            )

    return make
