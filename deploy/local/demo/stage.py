"""What stands before the tour begins? Servers, tables, topology, the sandbox and the duties, each said with its time."""

import secrets
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from crm_outbox.messaging import database, management
from crm_outbox.messaging.outbox import Doorbell
from deploy.local import ports, servers
from deploy.local.demo.books import Books
from deploy.local.demo.processes import GROUPS, Processes, Say, run_command
from deploy.local.environment import CLOCKS, USERS, environment
from deploy.migrations import histories

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs, and where a person finds it."""

    engine: sa.Engine
    doorbell: Doorbell
    books: Books
    processes: Processes
    environ: dict[str, str]
    management: str
    operator: str

    def command(self, package: str, arguments: list[str], given: str = "") -> str:
        """Run one of the packages' commands as an operator would; its output, or ``RuntimeError`` with what it said."""
        return run_command(ROOT, self.environ, package, arguments, given)


def set_up(stack: ExitStack, provider: str | None, say: Say) -> Stage:
    """Start everything; whatever was started is stopped when the stack closes. Raises ``servers.NoServers``."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "log").mkdir(parents=True)
    say("Setting up")
    running = stack.enter_context(
        servers.start(provider=provider, folder=FOLDER / "servers", say=lambda line: say(f"  {line}"))
    )
    for line in running.report:
        say(f"  {line}")
    with _timed(say, "tables", "3 schemas"):
        histories.up(dict.fromkeys(histories.SCHEMAS, running.database_url))
    passwords = {user: secrets.token_urlsafe(12) for user in USERS}
    with _timed(say, "topology", "exchanges, queues and users of deploy/rabbitmq/definitions.json"):
        management.fill(running.management, running.admin, "sync", passwords)
        with management.Management(running.management, *running.admin, vhost="sync") as admin:
            management.init(admin)
    sandbox_port, hooks_port, web_port, crm_port = ports.free(4)
    books = Books(f"http://127.0.0.1:{sandbox_port}")
    environ = environment(
        database_url=running.database_url,
        amqp=running.amqp,
        management=running.management,
        passwords=passwords,
        sandbox=books.url,
        hooks_port=hooks_port,
        web_port=web_port,
        crm_port=crm_port,
    )
    _write_environment(environ)
    processes = Processes(ROOT, FOLDER / "log", environ)
    stack.callback(processes.stop)
    with _timed(
        say, f"{len(GROUPS)} processes", "relay x3 · applier · intake hooks · worker · reconcile · web · clock x3"
    ):
        processes.start("sandbox", "economic_adapter.sandbox", "--port", str(sandbox_port), "--webhook-http")
        processes.start("crm-pages", "deploy.local.demo.crm", "--port", str(crm_port))
        for name in GROUPS:
            processes.start_group(name)
        _until(books.answers, 30, "the sandbox", processes)
    engine = database.engine(running.database_url, "demo")
    stack.callback(engine.dispose)
    doorbell = Doorbell(engine, "crm")
    clocks = " · ".join(f"{name.lower().replace('_', ' ')} {value}" for name, value in CLOCKS.items())
    say(f"  clocks shortened for the tour: {clocks}")
    return Stage(
        engine=engine,
        doorbell=doorbell,
        books=books,
        processes=processes,
        environ=environ,
        management=running.management,
        operator=passwords["operator"],
    )


def _write_environment(environ: dict[str, str]) -> None:
    """For commands a person types while the demo stays; it holds this run's passwords, which end with it."""
    file = FOLDER / "env"
    file.touch(mode=0o600)
    file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in environ.items()))


@contextmanager
def _timed(say: Say, what: str, how: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    say(f"  {what:<20} ok  {time.monotonic() - begun:5.1f} s   {how}")


def _until(ready: Callable[[], bool], within: float, what: str, processes: Processes) -> None:
    deadline = time.monotonic() + within
    while not ready():
        if (dead := processes.died()) or time.monotonic() > deadline:
            told = [line for name in dead for line in processes.tail(name)]
            raise RuntimeError(f"{what} did not come up: {dead or 'no answer'}\n" + "\n".join(told))
        time.sleep(0.05)
