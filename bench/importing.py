"""How many calls, how much time and how much memory does it take to read a whole e-conomic?

A worker and a clock run as processes against a sandbox in a process of its own, which is filled before. The bound is the
same pages read one after another and parsed, by a client that does nothing else. No relay runs: the observations stay in
the outbox.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import sqlalchemy as sa

from bench.product import AGREEMENT, GRANT, ROOT, TENANT, made_ready
from bench.report import Figure, show, write
from crm_outbox.messaging import database
from crm_outbox.messaging.envelope import Envelope
from deploy.local import servers
from deploy.local.demo.processes import Processes
from economic_adapter import duties
from economic_adapter.contract import RunImport
from economic_adapter.intake import Intake
from economic_adapter.tables import import_, messages

FOLDER = ROOT / ".servers" / "bench-import"
PAGE = 1000
SAMPLE = 0.25
"""Seconds between two looks at the worker's memory and at how far the run is."""
APIS = "/customersapi/v3.1.0"


@dataclass(slots=True)
class Watched:
    """What was seen of a run while it went on."""

    seconds: float = 0.0
    peak: float = 0.0
    """Megabytes the worker held at most."""
    sizes: list[float] = field(default_factory=list)
    calls: int = 0

    @property
    def growth(self) -> float:
        """Megabytes by which the last third of the run is above the middle third: nothing, where memory is flat."""
        third = max(1, len(self.sizes) // 3)
        return statistics.median(self.sizes[-third:]) - statistics.median(self.sizes[third : 2 * third] or self.sizes)


def main(arguments: list[str]) -> int:
    """Measure and tell; 0 when it was measured, whatever the figures; 2 where no servers can be had."""
    parser = argparse.ArgumentParser(prog="bench import")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--contacts", type=int, default=60_000)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how long e-conomic takes for a call")
    parser.add_argument("--servers", choices=servers.PROVIDERS)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        try:
            running = stack.enter_context(
                servers.start(options.servers, FOLDER / "servers", durable=True, say=lambda line: print(f"  {line}"))
            )
        except servers.NoServers as error:
            print(error, file=sys.stderr)
            return 2
        sandbox = _sandbox(stack, options.latency_ms)
        print(f"  {options.customers} customers and {options.contacts} contact persons are put there ...", flush=True)
        filled = httpx.post(
            f"{sandbox}/_sandbox/seed",
            json={"customers": options.customers, "contacts": options.contacts},
            timeout=300,
        )
        filled.raise_for_status()
        engine, processes = _start(stack, running, sandbox)
        bare = _bare(sandbox)
        print("  everything is read for the first time ...", flush=True)
        first = _run(engine, processes, sandbox, "import", options.customers)
        print("  a sweep over what is known ...", flush=True)
        sweep = _run(engine, processes, sandbox, "sweep", options.customers)
        told = _told(engine)
    needed = -(-options.customers // PAGE) + -(-options.contacts // PAGE)
    figures = _figures(options.customers, needed, bare, first, sweep)
    facts = {
        "servers": list(running.report),
        "customers": options.customers,
        "contacts": options.contacts,
        "latency_ms": options.latency_ms,
        "observations": told,
        "memory_of_this_process_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    show(f"Reading {options.customers:,} customers with {options.contacts:,} contact persons", figures)
    if told != options.customers:
        print(f"\n{told} customers were told instead of {options.customers}", file=sys.stderr)
        return 1
    print(f"\n{write('import', figures, facts)}")
    return 0


def _figures(customers: int, needed: int, bare: float, first: Watched, sweep: Watched) -> list[Figure]:
    listed = "the pages themselves"
    return [
        Figure(name="calls of an import", value=first.calls, unit="calls", bound=needed, bound_is=listed,
               aim=1.3 * needed),
        Figure(name="calls of a sweep", value=sweep.calls, unit="calls", bound=needed, bound_is=listed,
               aim=1.3 * needed),
        Figure(name="seconds of an import", value=first.seconds, unit="s", bound=bare,
               bound_is="the same pages, read and parsed one after another"),
        Figure(name="customers a second, import", value=customers / first.seconds, unit="/s",
               bound=customers / bare, more=True),
        Figure(name="seconds of a sweep that finds nothing", value=sweep.seconds, unit="s", bound=bare),
        Figure(name="memory of the worker at most", value=max(first.peak, sweep.peak), unit="MB", aim=300),
        Figure(name="growth of its memory during the import", value=first.growth, unit="MB", aim=20),
    ]  # fmt: skip


def _sandbox(stack: ExitStack, latency_ms: float) -> str:
    command = [sys.executable, "-m", "economic_adapter.sandbox", "--port", "0", "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)
    if process.stdout is None:
        raise AssertionError("its output was asked for")
    return process.stdout.readline().split()[-1]


def _start(stack: ExitStack, running: servers.Running, sandbox: str) -> tuple[sa.Engine, Processes]:
    processes, _ = made_ready(stack, running, sandbox, FOLDER / "log")
    processes.command("economic_adapter", ["connect", "--tenant", TENANT, "--yes"], GRANT)
    processes.start("worker", "economic_adapter", "run", "worker")
    processes.start("clock", "economic_adapter", "run", "clock")
    engine = database.engine(running.database_url, "bench")
    stack.callback(engine.dispose)
    return engine, processes


def _bare(sandbox: str) -> float:
    """Seconds to read and parse every page of both listings by a client that does nothing else."""
    tokens = {"X-AppSecretToken": "sandbox-app-secret", "X-AgreementGrantToken": GRANT}
    began = time.perf_counter()
    with httpx.Client(base_url=sandbox, headers=tokens, timeout=60) as client:
        for listing in ("Contacts", "Customers"):
            cursor: str | None = ""
            while cursor is not None:
                query = {"cursor": cursor} if cursor else {}
                answer = client.get(f"{APIS}/{listing}", params=query).raise_for_status()
                cursor = answer.json().get("cursor")
    return time.perf_counter() - began


def _run(engine: sa.Engine, processes: Processes, sandbox: str, kind: str, customers: int) -> Watched:
    """One run from its command to its end, watched."""
    httpx.delete(f"{sandbox}/_sandbox/calls").raise_for_status()
    command = RunImport.model_validate({"run": uuid.uuid4(), "agreement": AGREEMENT, "kind": kind})
    intake = Intake(outbox=duties.OUTBOX, now=partial(datetime.now, UTC))
    with engine.begin() as connection:
        intake.handle(connection, _asked(command))
    began, seen = time.perf_counter(), Watched()
    worker = processes.running["worker"]
    status = Path(f"/proc/{getattr(worker, 'pid', 0)}/status")
    deadline = time.monotonic() + 120 + customers / 50
    query = sa.select(import_.c.state, import_.c.cause, import_.c.read).where(import_.c.run == command.run)
    while True:
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            seen.sizes.append(int(lines["VmRSS"].split()[0]) / 1024)
            seen.peak = int(lines["VmHWM"].split()[0]) / 1024
        with engine.connect() as connection:
            row = connection.execute(query).one()
        if row.state == "closed":
            break
        if row.state != "running" or processes.died() or time.monotonic() > deadline:
            raise RuntimeError(f"the {kind} is {row.state} at {row.read} customers: {row.cause} {processes.died()}")
        time.sleep(SAMPLE)
    seen.seconds = time.perf_counter() - began
    calls = httpx.get(f"{sandbox}/_sandbox/calls", params={"recent": "1"}).raise_for_status().json()
    seen.calls = int(calls["total"])
    return seen


def _asked(command: RunImport) -> Envelope:
    return Envelope(
        id=uuid.uuid4(),
        type="economic.import.run.v1",
        source="bench",
        time=datetime.now(UTC),
        tenant=TENANT,
        subject=f"economic/{AGREEMENT}",
        data=command,
    )


def _told(engine: sa.Engine) -> int:
    """How many observations stand in the outbox."""
    observed = messages.outbox.c.type == "economic.customer.observed.v1"
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(messages.outbox).where(observed)) or 0)
