"""How quick are the pages of a company with many customers, alone and while many pages poll? The real server, asked by HTTP."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bench import asked, crowded, looking, many
from bench.report import show, write
from deploy.local import ports, servers

ROOT: Final = Path(__file__).resolve().parents[1]

FOLDER: Final = ROOT / ".servers" / "bench-pages"

CRM: Final = "http://crm.localhost:9"


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write ``bench/results/pages.json``; 0 also where an aim is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=300, help="of each kind")
    parser.add_argument("--pollers", type=int, default=500, help="open pages that poll")
    parser.add_argument("--opened", type=int, default=60, help="customers that are opened, to be looked at")
    parser.add_argument("--servers", choices=servers.PROVIDERS)
    chosen = parser.parse_args(arguments)
    with ExitStack() as stack:
        try:
            running = stack.enter_context(
                servers.start(chosen.servers, FOLDER / "servers", durable=True, say=lambda line: print(f"  {line}"))
            )
        except servers.NoServers as error:
            print(error, file=sys.stderr)
            return 2
        with ExitStack() as whole:
            figures = looking.measure(whole, running, chosen.opened)
        url = stack.enter_context(_own_database(running.database_url))
        print(f"  {chosen.customers} customers are linked ...", flush=True)
        key = many.fill(url, chosen.customers)
        for processes in (1, 2):
            with ExitStack() as started:
                port, process = started.enter_context(_serving(url, processes))
                browser, widget = asked.Client(port), asked.Client(port)
                service = asked.Client(port, {"authorization": f"Bearer {key}"})
                browser.sign_in()
                kinds = asked.kinds(browser, service, widget, chosen.customers)
                if processes == 1:
                    figures += asked.measure(kinds, service, widget, process, chosen.requests)
                figures += crowded.measure(port, processes, chosen.customers, chosen.requests, chosen.pollers, kinds)
        facts = {"servers": list(running.report), "customers": chosen.customers, "requests": chosen.requests}
    show(f"Pages, {chosen.customers} customers", figures)
    print(f"\n{write('pages', figures, {**facts, 'pollers': chosen.pollers})}")
    return 0


@contextmanager
def _own_database(server: str) -> Iterator[str]:
    """A database of its own on that server, gone afterwards."""
    name = f"bench_pages_{os.getpid()}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"drop database {name} with (force)"))
        engine.dispose()


@contextmanager
def _serving(url: str, processes: int) -> Iterator[tuple[int, int]]:
    """The web duty in so many processes of its own on one port: that, and the first process."""
    (port,) = ports.free(1)
    given = {
        "DATABASE_URL": url, "WEB_LISTEN": f"127.0.0.1:{port}", "WEB_PUBLIC_URL": f"http://127.0.0.1:{port}", "CRM_ORIGIN": CRM,
        "CRM_KEYS": f"bench={asked.KEY.hex()}", "WEB_SHARED": "yes" if processes > 1 else "no",
    }  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "web.log"
    with path.open("wb") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "reconciler", "run", "web"], cwd=ROOT, env={**os.environ, **given}, stderr=log
            )
            for _ in range(processes)
        ]
    try:
        deadline = time.monotonic() + 60
        while path.read_bytes().count(b"http.listening") < processes:
            if any(one.poll() is not None for one in started) or time.monotonic() > deadline:
                raise RuntimeError(f"the pages did not start: see {path}")
            time.sleep(0.05)
        yield port, started[0].pid
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(60)
