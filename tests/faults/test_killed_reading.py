"""Reading everything is killed at its commits and in its calls: whoever goes on tells each customer once, and closes."""

import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_outbox import backfill, changes, tables
from crm_outbox.contract import BackfillProgressed, CustomerChanged
from crm_outbox.messaging.envelope import Envelope, Registry, decode
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.tables import MessageTables
from economic_adapter import duties
from economic_adapter.contract import CustomerObserved, ImportProgressed, RunImport
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.seeding import seed
from economic_adapter.tables import messages
from tests.integration.economic_adapter.parts import AGREEMENT, Parts, environ, running
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

ROOT = Path(__file__).parents[2]
MOST_DEATHS = 6


@pytest.fixture
def given(database: str, broker: Broker, sandbox: Running) -> dict[str, str]:
    return environ(database, broker, sandbox)


@pytest.fixture
def parts(given: dict[str, str], engine: sa.Engine) -> Iterator[Parts]:
    made = Parts(given, engine)
    yield made
    made.close()


def dies_until(given: Mapping[str, str], folder: Path, point: str, duty: list[str], ended: Callable[[], bool]) -> int:
    """Start a duty that dies at one step after another, again and again, until it is through; how often it died."""
    record, armed = folder / "record", folder / "armed"
    record.touch()
    armed.touch()
    surroundings = {**given, "PATH": os.environ["PATH"], "DYING_ARMED": str(armed), "DYING_RECORD": str(record)}
    deaths = 0
    while True:
        command = [sys.executable, "-m", "tests.faults.dying", point, *duty]
        with subprocess.Popen(command, cwd=ROOT, env=surroundings, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(lambda p=process: p.poll() is not None or ended(), within=120, every=0.05)  # type: ignore[misc]
                if process.poll() is None:
                    return deaths
            finally:
                process.kill()
        deaths += 1
        if deaths == MOST_DEATHS:
            armed.unlink()


def told(engine: sa.Engine, of: MessageTables, registry: Registry) -> list[Envelope]:
    query = sa.select(of.outbox.c.message_id, of.outbox.c.body).order_by(of.outbox.c.id)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [decode(bytes(row.body), str(row.message_id), registry) for row in rows]


@pytest.mark.parametrize("point", ["commit.before", "commit.after", "send.sent"])
def test_a_worker_killed_in_the_middle_of_an_import_tells_everybody_once(
    parts: Parts, given: dict[str, str], sandbox: Running, tmp_path: Path, point: str
) -> None:
    seed(sandbox.data, customers=40, contacts=50)
    sandbox.data.settings.cursor_page = 5
    sandbox.data.settings.latency_ms = 250  # so slow that what is changed in the middle is
    parts.connect()
    run = uuid.uuid4()
    parts.receive(RunImport(run=run, agreement=AGREEMENT))

    def progress() -> list[ImportProgressed]:
        every = [one.data for one in told(parts.engine, messages, duties.OUTBOX.registry)]
        return [one for one in every if isinstance(one, ImportProgressed) and one.run == run]

    def changed_and_ended() -> bool:
        last = progress()[-1]
        if 15 <= last.read < 40 and 999 not in sandbox.data.agreement().customers:
            ui.create_customer(sandbox.data, {"name": "Ny ApS"}, 999)
            ui.edit_customer(sandbox.data, 3, {"name": "Ændret ApS"})
            sandbox.data.settings.latency_ms = 40
        return last.closed

    with running(given, "clock"):  # it wakes workers and frees the claims of dead ones
        deaths = dies_until(given, tmp_path, point, ["economic_adapter", "run", "worker"], changed_and_ended)
    assert deaths >= 3
    last = progress()[-1]
    assert (last.state, last.read, last.count) == ("closed", 41, 41)
    seen = [one.data for one in told(parts.engine, messages, duties.OUTBOX.registry)]
    mine = [one for one in seen if isinstance(one, CustomerObserved) and one.run == run]
    assert Counter(one.number for one in mine) == Counter([*range(1, 41), 3, 999])
    newest = [one.economic.name for one in mine if one.number == 3 and one.economic]
    assert newest == ["Kunde 3 ApS", "Ændret ApS"]


@pytest.mark.parametrize("point", ["commit.before", "commit.after"])
def test_a_clock_killed_in_the_middle_of_a_backfill_publishes_everybody_once(
    given: dict[str, str], engine: sa.Engine, tmp_path: Path, point: str
) -> None:
    ids = [f"c{number:05d}" for number in range(5 * backfill.PAGE + 1)]
    run, long_ago = uuid.uuid4(), datetime(2020, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tables.customer),
            [{"tenant": "t", "id": one, "stage": "active", "name": one, "created": long_ago} for one in ids],
        )
    with engine.begin() as connection:
        backfill.command(connection, "t", run, start=True)

    def closed() -> bool:
        with engine.connect() as connection:
            return connection.scalar(sa.select(tables.backfill.c.state)) == "closed"

    deaths = dies_until(given, tmp_path, point, ["crm_outbox", "run", "clock"], closed)
    assert deaths >= 2
    every = [one.data for one in told(engine, tables.messages, changes.OUTBOX.registry)]
    published = [one.id for one in every if isinstance(one, CustomerChanged) and one.run == run]
    assert published == ids
    assert every[-1] == BackfillProgressed(run=run, read=len(ids), count=len(ids), closed=True)
