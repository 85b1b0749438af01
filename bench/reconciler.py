"""How many decisions a second? The pure step, and observations through the database: one process and two, singly and batched.

All are measured beside each other in one run. The bound of the database figures is a bare commit of as many small rows.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa

from bench.report import Figure, show, write
from crm_outbox.contract import Customer
from crm_outbox.messaging import database
from crm_outbox.messaging.envelope import Envelope, Version
from deploy.local import servers
from deploy.migrations import histories
from economic_adapter.contract import CrmState, CustomerObserved, Defaults, EconomicCustomer
from reconciler import agreements, ordering, reconcile, store
from reconciler.link import CrmSeen, EconomicSeen, Heard, Link, Linked, new_link
from reconciler.rules import Area, Rules, Transfer
from reconciler.step import step
from reconciler.stepping import Clocked, take_step

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".servers" / "bench-reconciler"
TENANT, AGREEMENT = "bench", 123456
START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(
    agreement="on",
    since=START,
    transfer=Transfer.HAND,
    defaults={Area.DENMARK: Defaults(group=1, terms=1, zone=1, currency="DKK")},
)
BATCH = 50
SINGLE_AIM, BATCHED_AIM, TWO_AIM = 500.0, 1000.0, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one process does: so many observations of customers that only it touches, so many in a transaction."""

    url: str
    first: int
    customers: int
    rounds: int
    batch: int


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write ``bench/results/reconciler.json``; 0 also where an aim is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="bench reconciler", description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000, help="pure steps")
    parser.add_argument("--customers", type=int, default=500, help="linked customers of each process")
    parser.add_argument("--rounds", type=int, default=6, help="observations of each of them; the best half counts")
    parser.add_argument("--servers", choices=servers.PROVIDERS)
    chosen = parser.parse_args(arguments)
    figures = [_pure(chosen.steps)]
    with ExitStack() as stack:
        try:
            running = stack.enter_context(
                servers.start(chosen.servers, FOLDER / "servers", durable=True, say=lambda line: print(f"  {line}"))
            )
        except servers.NoServers as error:
            print(error, file=sys.stderr)
            return 2
        url = running.database_url
        engine = database.engine(url, "bench")
        histories.up(dict.fromkeys(histories.SCHEMAS, url))
        fill(engine, 2 * chosen.customers)
        bare = _bare(engine, chosen.customers)
        rates = {
            (processes, batch): max(
                _measured(url, chosen.customers, round_, processes, batch, chosen.rounds)
                for round_ in range(chosen.rounds)
            )
            for batch in (1, BATCH)
            for processes in (1, 2)
        }
        engine.dispose()
    figures += _told(rates, bare)
    show("Reconciler: steps and observations", figures)
    facts = {"servers": list(running.report), "customers": chosen.customers, "rounds": chosen.rounds, "batch": BATCH}
    print(f"\n{write('reconciler', figures, facts)}")
    return 0


def _pure(steps: int) -> Figure:
    """Steps on one linked customer with an edit each: planned, recorded, its command made."""
    link = _linked(1)
    heard = [Heard(crm=_crm_seen(1, Version(1, nth + 2), phone=f"{20_000_000 + nth}")) for nth in range(2)]
    begun = time.perf_counter()
    for nth in range(steps):
        step(link, heard[nth % 2], RULES, START)
    return Figure(name="pure steps", value=steps / (time.perf_counter() - begun), unit="/s", more=True)


def fill(engine: sa.Engine, customers: int) -> None:
    """An agreement that is on, and customers linked in it, both sides the same."""
    with engine.begin() as connection:
        agreements.insert(connection, TENANT, AGREEMENT)
        agreements.move(connection, TENANT, AGREEMENT, "on", START, since=START, transfer="hand", read_at=START)
    clocked = _clocked()
    for first in range(1, customers + 1, 100):
        with engine.begin() as connection:
            agreements.hold(connection, TENANT, AGREEMENT)
            for number in range(first, min(first + 100, customers + 1)):
                store.insert(connection, uuid4(), TENANT, AGREEMENT, _id(number))
                stored = store.lock(connection, TENANT, AGREEMENT, _id(number))
                if stored is None:
                    raise LookupError(_id(number))
                take_step(clocked, connection, stored, Heard(crm=_crm_seen(number, Version(1, 1))))
                words = Linked(number=number, by="bench", economic=_economic_seen(number, Version(1, 1)))
                take_step(clocked, connection, store.load(connection, stored.link.id), words)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("analyze"))  # as the server does by itself within a minute


def _measured(url: str, customers: int, round_: int, processes: int, batch: int, rounds: int) -> float:
    """Observations a second of so many processes at once, each on customers of its own."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    version = 2 + round_ + rounds * (2 * (batch == BATCH) + (processes == 2))
    loads = [
        Load(url=url, first=1 + nth * customers, customers=customers, rounds=version, batch=batch)
        for nth in range(processes)
    ]
    started = [context.Process(target=_observe, args=(one, barrier), daemon=True) for one in loads]
    for one in started:
        one.start()
    barrier.wait(120)
    begun = time.perf_counter()
    barrier.wait(600)
    took = time.perf_counter() - begun
    for one in started:
        one.join(30)
    return processes * customers / took


def _observe(load: Load, barrier: Barrier) -> None:
    """One process: each of its customers was looked at in e-conomic, and has another phone number there."""
    engine = database.engine(load.url, f"bench.{os.getpid()}")
    clocked = _clocked()
    numbers = range(load.first, load.first + load.customers)
    messages = [_message(number, Version(1, load.rounds)) for number in numbers]
    with engine.connect() as connection:
        connection.execute(sa.text("select 1"))
    barrier.wait(120)
    for first in range(0, len(messages), load.batch):
        batch = messages[first : first + load.batch]
        with engine.begin() as connection:
            ordering.prepare(connection, batch, ())
            for one in batch:
                reconcile.handle(clocked, connection, one)
    barrier.wait(600)
    engine.dispose()


def _bare(engine: sa.Engine, rows: int) -> float:
    """Transactions a second that only insert one small row: what the disk and the driver give."""
    with engine.begin() as connection:
        connection.execute(sa.text("create table if not exists public.bare (id bigint, body text)"))
    begun = time.perf_counter()
    for nth in range(rows):
        with engine.begin() as connection:
            connection.execute(sa.text("insert into public.bare values (:id, :body)"), {"id": nth, "body": "x" * 500})
    return rows / (time.perf_counter() - begun)


def _told(rates: dict[tuple[int, int], float], bare: float) -> list[Figure]:
    bound = "transactions that insert one small row"
    return [
        Figure(
            name="observations, one process, singly",
            value=rates[1, 1],
            unit="/s",
            bound=bare,
            bound_is=bound,
            aim=SINGLE_AIM,
            more=True,
        ),
        Figure(name="observations, one process, batched", value=rates[1, BATCH], unit="/s", aim=BATCHED_AIM, more=True),
        Figure(name="observations, two processes, singly", value=rates[2, 1], unit="/s", more=True),
        Figure(name="observations, two processes, batched", value=rates[2, BATCH], unit="/s", more=True),
        Figure(
            name="two processes against one, singly", value=rates[2, 1] / rates[1, 1], unit="x", aim=TWO_AIM, more=True
        ),
        Figure(
            name="two processes against one, batched",
            value=rates[2, BATCH] / rates[1, BATCH],
            unit="x",
            aim=TWO_AIM,
            more=True,
        ),
    ]


def _linked(number: int) -> Link:
    link = new_link(TENANT, AGREEMENT, _id(number), UUID(int=number))
    link = step(link, Heard(crm=_crm_seen(number, Version(1, 1))), RULES, START).link
    words = Linked(number=number, by="bench", economic=_economic_seen(number, Version(1, 1)))
    return step(link, words, RULES, START).link


def _id(number: int) -> str:
    return f"bench-{number}"


def _details(number: int) -> dict[str, str]:
    return {
        "name": f"Kunde {number} ApS",
        "cvr": f"{10_000_000 + number}",
        "street": f"Industrivej {number}",
        "postcode": "8000",
        "city": "Aarhus C",
        "country": "Danmark",
        "phone": f"{70_000_000 + number}",
        "email": f"kontakt{number}@kunde.example",
    }


def _crm_seen(number: int, version: Version, **values: str) -> CrmSeen:
    customer = Customer(id=_id(number), created=START - timedelta(days=1), **{**_details(number), **values})
    return CrmSeen(version=version, customer=customer)


def _economic_seen(number: int, version: Version) -> EconomicSeen:
    customer = EconomicCustomer(number=number, object_version="1", **_details(number))
    return EconomicSeen(version=version, number=number, customer=customer)


def _message(number: int, version: Version) -> Envelope:
    """Every round edits the CRM's phone anew: recorded and decided each time, the first one written, the others waiting."""
    customer = _crm_seen(number, version, phone=f"{20_000_000 + 100_000 * version.number + number}").customer
    words = CustomerObserved(
        agreement=AGREEMENT,
        why="crm_changed",
        customer=_id(number),
        crm=CrmState(version=str(version), customer=customer),
    )
    return Envelope(
        id=uuid4(),
        type="economic.customer.observed.v1",
        source="bench",
        time=START,
        tenant=TENANT,
        subject=f"customer/{_id(number)}",
        data=words,
    )


def _clocked() -> Clocked:
    return Clocked(resend=timedelta(hours=1), now=lambda: datetime.now(UTC))
