"""The adapter's duties on both servers: wake-ups may be lost, workers may die, and nothing is."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_outbox.messaging.settings import Broker
from economic_adapter import claims, duties
from economic_adapter.contract import Defaults, EconomicPart, WriteEconomicCustomer
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.faults import Fault
from economic_adapter.settings import DUTIES
from economic_adapter.tables import operation, wake, work
from economic_adapter.worker import QUEUE, WorkerLock, jobs_broker
from tests.integration.economic_adapter.parts import AGREEMENT, GRANT, TENANT, Parts, configure, environ, now, running
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)  # processes of their own are started, and waited for
ROOT = Path(__file__).parents[3]


@pytest.fixture
def given(database: str, broker: Broker, sandbox: Running) -> dict[str, str]:
    return environ(database, broker, sandbox)


@pytest.fixture
def parts(given: dict[str, str], engine: sa.Engine) -> Iterator[Parts]:
    made = Parts(given, engine)
    yield made
    made.close()


@contextmanager
def process(given: Mapping[str, str], *names: str) -> Iterator[subprocess.Popen[bytes]]:
    """These duties in a process of their own."""
    command = [sys.executable, "-m", "economic_adapter", "run", *names]
    started = subprocess.Popen(command, cwd=ROOT, env={**given, "PATH": os.environ["PATH"]}, stderr=subprocess.PIPE)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def creation(name: str) -> WriteEconomicCustomer:
    part = EconomicPart(
        operation=uuid.uuid4(),
        action="create",
        record="customer",
        fields={"name": name},
        defaults=Defaults(group=1, terms=1, zone=1, currency="DKK"),
    )
    return WriteEconomicCustomer(agreement=AGREEMENT, customer=name, parts=(part,))


def results(parts: Parts) -> list[str]:
    query = sa.select(operation.c.state).where(operation.c.customer.is_not(None))
    with parts.engine.begin() as connection:
        return sorted(connection.scalars(query))


def empty_jobs(broker: Broker) -> None:
    """Throw away every wake-up that is on its way."""
    jobs = jobs_broker(broker.url("economic-jobs", jobs=True))
    jobs.flush(QUEUE)
    jobs.close()


def test_what_is_due_is_done_by_woken_workers(parts: Parts, given: dict[str, str], sandbox: Running) -> None:
    parts.connect()
    with running(given, "worker", "clock"):
        parts.receive(configure(on=True))
        eventually(lambda: parts.agreement().state == "on")
        for number in range(20):
            parts.receive(creation(f"Kunde {number}"))
        eventually(lambda: results(parts) == ["written"] * 20, within=60)
    assert len(sandbox.data.agreement().customers) == 20
    with parts.engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(work.c.worker.is_not(None))) == 0


@pytest.mark.slow
def test_wake_ups_that_are_lost_cost_time_and_nothing_else(
    parts: Parts, given: dict[str, str], broker: Broker, sandbox: Running
) -> None:
    parts.switch_on()
    for number in range(5):
        parts.receive(creation(f"Kunde {number}"))
    with running(given, "clock"):
        eventually(lambda: outstanding(parts) > 0)
    empty_jobs(broker)
    with running(given, "worker", "clock"):
        eventually(lambda: results(parts) == ["written"] * 5, within=60)
    assert len(sandbox.data.agreement().customers) == 5


def test_no_more_wake_ups_are_outstanding_than_there_are_threads(parts: Parts, given: dict[str, str]) -> None:
    parts.switch_on()
    for number in range(20):
        parts.receive(creation(f"Kunde {number}"))
    sent: list[tuple[int, int]] = []
    moment = now()  # the time stands still: sent two seconds ago, a wake-up counts as lost
    ticks = replace(duties.ticking(parts.settings, parts.engine), now=lambda: moment)
    for _ in range(3):
        ticks.wake(lambda agreement, one: sent.append((agreement, one)))
    assert len(sent) == parts.settings.worker_threads
    with parts.engine.begin() as connection:
        connection.execute(sa.update(wake).values(sent_at=moment - timedelta(seconds=3)))
    ticks.wake(lambda agreement, one: sent.append((agreement, one)))
    assert len(sent) == 2 * parts.settings.worker_threads


def test_the_claims_of_a_worker_whose_session_is_gone_are_freed_at_once(parts: Parts) -> None:
    parts.switch_on()
    parts.receive(creation("Kunde"))
    lock = WorkerLock(parts.engine)
    with parts.engine.begin() as connection:
        connection.execute(sa.update(work).values(worker=lock.key, claimed_at=now()))
    ticks = duties.ticking(parts.settings, parts.engine)
    assert ticks.free_claims() == 0
    lock.close()
    assert eventually(ticks.free_claims) == 1


def test_a_claim_that_is_too_old_is_freed_although_its_worker_lives(parts: Parts) -> None:
    parts.switch_on()
    parts.receive(creation("Kunde"))
    lock = WorkerLock(parts.engine)
    with parts.engine.begin() as connection:
        connection.execute(sa.update(work).values(worker=lock.key, claimed_at=now() - 2 * claims.STALE_CLAIM))
    assert duties.ticking(parts.settings, parts.engine).free_claims() == 1
    lock.close()


@pytest.mark.slow
def test_a_worker_killed_in_a_call_loses_and_doubles_nothing(
    parts: Parts, given: dict[str, str], sandbox: Running
) -> None:
    parts.switch_on()
    sandbox.data.faults.add("hang", method="POST", path="/customersapi/*", when="after", seconds=20)
    with running(given, "clock"):
        with process(given, "worker") as first:
            parts.receive(creation("Kunde"))
            eventually(lambda: results(parts) == ["sent"] and sandbox.data.agreement().customers, within=60)
            first.kill()
            first.wait()
        with process(given, "worker"):
            eventually(lambda: results(parts) == ["written"], within=60)
    assert len(sandbox.data.agreement().customers) == 1


@pytest.mark.slow
def test_a_signal_lets_the_row_in_hand_be_finished(
    parts: Parts, given: dict[str, str], sandbox: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.switch_on()
    take, answered = sandbox.data.faults.take, threading.Event()

    def held(method: str, path: str) -> list[Fault]:
        if method == "POST" and path.startswith("/customersapi/"):
            answered.wait(60)
        return take(method, path)

    monkeypatch.setattr(sandbox.data.faults, "take", held)
    with running(given, "clock"), process(given, "worker", "intake", "hooks", "relay") as started:
        parts.receive(creation("Kunde"))
        eventually(lambda: results(parts) == ["sent"], within=60)
        started.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(timeout=1)
        assert results(parts) == ["sent"], "it is still in hand"
        answered.set()
        assert started.wait(timeout=60) == 0
        assert results(parts) == ["written"]
    with parts.engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(work.c.worker.is_not(None))) == 0


def test_wrong_settings_are_named_at_once_and_nothing_starts(given: dict[str, str]) -> None:
    wrong = {**given, "ECONOMIC_KEYS": "k1:short", "ECONOMIC_REST_URL": "http://evil.example", "HOOKS_PUBLIC_URL": ""}
    with process(wrong, "worker", "hooks") as started:
        _, errors = started.communicate(timeout=120)
        assert started.returncode == 2
    for name in (b"ECONOMIC_KEYS", b"ECONOMIC_REST_URL", b"HOOKS_PUBLIC_URL"):
        assert name in errors


def test_a_stored_grant_under_an_unknown_key_keeps_the_duties_from_starting(
    parts: Parts, given: dict[str, str]
) -> None:
    parts.connect()
    other = {**given, "ECONOMIC_KEYS": given["ECONOMIC_KEYS"].replace("k1:", "k9:")}
    with process(other, "worker") as started:
        _, errors = started.communicate(timeout=120)
        assert started.returncode == 2
    assert b"k1" in errors


@pytest.mark.slow
def test_neither_grant_nor_secrets_stand_in_any_table_or_log(
    parts: Parts, given: dict[str, str], sandbox: Running
) -> None:
    """The canaries: our app's secret, the grant, the key, and the secret in the webhook's address."""
    grant = "canary-grant-7d1f0c"
    sandbox.data.add_grant(grant, app=given["ECONOMIC_APP_SECRET"], agreement=AGREEMENT)
    connect = [sys.executable, "-m", "economic_adapter", "connect", "--tenant", TENANT, "--yes"]
    environment = {**given, "PATH": os.environ["PATH"]}
    said = subprocess.run(connect, cwd=ROOT, env=environment, input=grant.encode(), capture_output=True, check=True)
    with process(given, *DUTIES) as started:
        parts.receive(configure(on=True))
        eventually(lambda: parts.agreement().webhooks == "registered", within=60)
        parts.receive(creation("Kunde"))
        eventually(lambda: results(parts) == ["written"], within=60)
        sandbox.data.grants[grant].revoked = True
        parts.receive(creation("En til"))
        eventually(lambda: parts.agreement().state == "access_lost", within=60)
        started.send_signal(signal.SIGTERM)
        _, logged = started.communicate(timeout=120)
    address = sandbox.data.agreement().webhooks["CUSTOMER_UPDATED"].values["url"]
    key = given["ECONOMIC_KEYS"].partition(":")[2]
    canaries = [grant, GRANT, given["ECONOMIC_APP_SECRET"], key, address.rpartition("/")[2], *passwords(given)]
    everything = (said.stdout + said.stderr + logged).decode() + dump(parts.engine)
    assert "economic.called" in everything
    assert [canary for canary in canaries if canary in everything] == []


def passwords(given: Mapping[str, str]) -> list[str]:
    return [value for name, value in given.items() if name.startswith("BROKER_PASSWORD_") and value != "no password"]


def outstanding(parts: Parts) -> int:
    with parts.engine.begin() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(wake)) or 0)


def dump(engine: sa.Engine) -> str:
    """Every row of the schema as text, bytes decoded."""
    inspector = sa.inspect(engine)
    texts: list[str] = []
    with engine.begin() as connection:
        for name in inspector.get_table_names(schema="economic"):
            for row in connection.execute(sa.text(f"select * from economic.{name}")):
                texts += [bytes(one).decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in row]
    return "\n".join(texts)
