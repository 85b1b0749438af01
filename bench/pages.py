"""How quick are the pages of a company with many customers, alone and while many pages poll? The real server, asked by HTTP.

The bound is the same server's ``/healthz`` by the same client in the same run: HTTP alone, without a page.
"""

import argparse
import hashlib
import http.client
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

import sqlalchemy as sa

from bench import pollers
from bench.reconciler import AGREEMENT, TENANT, fill
from bench.report import Figure, percentile, show, write
from crm_outbox.messaging import database
from deploy.local import ports, servers
from deploy.migrations import histories
from reconciler import people
from reconciler.passes import sign

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / ".servers" / "bench-pages"
KEY: Final = bytes(range(32))
CRM: Final = "http://crm.localhost:9"
AIM: Final = 40.0
"""Milliseconds within which 95 of 100 are answered."""
MOST_BYTES: Final = 60_000
CROWDED_AIM: Final = 1.2
_IDLE: Final = 3.0
"""Seconds after which a connection is opened anew: the server closes it after five."""
BOUND: Final = "the same server's /healthz, by the same client"


@dataclass
class Client:
    """One browser on one connection that stays open; it sends what it is given with every request."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self._used = time.monotonic()

    def get(self, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        """One answer, read whole."""
        if time.monotonic() - self._used > _IDLE:
            self._http.close()
            self._http.connect()
        self._used = time.monotonic()
        self._http.request("GET", path, headers={**self.headers, **headers})
        answer = self._http.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    def sign_in(self) -> None:
        """Come from the CRM as an admin."""
        claims = {"aud": "launch", "sub": "mette", "name": "Mette Krogh", "role": "admin"}
        body = urlencode({"pass": signed(60, **claims), "to": "/"})
        self._http.request("POST", "/launch", body, {"content-type": "application/x-www-form-urlencoded"})
        answer = self._http.getresponse()
        answer.read()
        cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        if answer.status != 303 or not cookie:
            raise RuntimeError(f"nobody was let in: {answer.status}")
        self.headers["cookie"] = cookie


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write ``bench/results/pages.json``; 0 also where an aim is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=300, help="of each kind")
    parser.add_argument("--pollers", type=int, default=500, help="open pages that poll")
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
        url = stack.enter_context(_own_database(running.database_url))
        print(f"  {chosen.customers} customers are linked ...", flush=True)
        key = _filled(url, chosen.customers)
        port, process = stack.enter_context(_serving(url))
        figures = _measure(port, process, key, chosen.customers, chosen.requests, chosen.pollers)
        facts = {"servers": list(running.report), "customers": chosen.customers, "requests": chosen.requests}
    show(f"Pages, {chosen.customers} customers", figures)
    print(f"\n{write('pages', figures, {**facts, 'pollers': chosen.pollers})}")
    return 0


def signed(seconds: int, **claims: object) -> str:
    """A pass of the CRM's for one person of the tenant."""
    at = int(time.time())
    return sign("bench", KEY, {"jti": uuid4().hex, "iat": at, "exp": at + seconds, "tenant": TENANT, **claims})


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


def _filled(url: str, customers: int) -> str:
    """Customers like one that was linked by the product itself, each with a name and numbers of its own; an API key."""
    histories.up(dict.fromkeys(histories.SCHEMAS, url))
    engine = database.engine(url, "bench", statement_seconds=900.0)
    fill(engine, 1)
    with engine.begin() as connection:
        for statement in _COPIES:
            connection.execute(sa.text(statement), {"customers": customers, "agreement": AGREEMENT, "tenant": TENANT})
        _, key = people.make_key(connection, TENANT, "bench", "admin", datetime.now(UTC))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))  # as the server does by itself within minutes
    engine.dispose()
    return key


@contextmanager
def _serving(url: str) -> Iterator[tuple[int, int]]:
    """The web duty in a process of its own: its port, and the process."""
    (port,) = ports.free(1)
    given = {
        "DATABASE_URL": url, "WEB_LISTEN": f"127.0.0.1:{port}", "WEB_PUBLIC_URL": f"http://127.0.0.1:{port}", "CRM_ORIGIN": CRM,
        "CRM_KEYS": f"bench={KEY.hex()}",
    }  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "run", "web"], cwd=ROOT, env={**os.environ, **given}, stderr=log
        )
        try:
            deadline = time.monotonic() + 60
            while not ports.open_on(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the pages did not start: see {FOLDER / 'web.log'}")
                time.sleep(0.05)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(60)


def _measure(port: int, process: int, key: str, customers: int, requests: int, polling: int) -> list[Figure]:
    browser, service, widget = Client(port), Client(port, {"authorization": f"Bearer {key}"}), Client(port)
    browser.sign_in()
    kinds: dict[str, Callable[[int], object]] = {
        "list, a page by name": lambda nth: _ok(browser, f"/customers?search={_name(nth, customers)[:2]}"),
        "list, first page": lambda _: _ok(browser, "/customers"),
        "list, one of the six": lambda _: _ok(browser, "/customers?list=choice"),
        "list, far down": _further(browser, customers),
        "search by the beginning of a name": lambda nth: _ok(browser, f"/customers?search={_name(nth, customers)[:6]}"),
        "search by CVR number": lambda nth: _ok(browser, f"/customers?search={10_000_000 + _any(nth, customers)}"),
        "search by customer number": lambda nth: _ok(browser, f"/customers?search={_any(nth, customers)}"),
        "status, JSON": lambda nth: _ok(service, f"/api/v1/customers/bench-{_any(nth, customers)}/status?version=1.1"),
        "status, asked again": lambda nth: _ok(
            service, f"/api/v1/customers/bench-{_any(nth, customers)}/status?version=1.1&look=false"
        ),
        "widget": lambda nth: _ok(widget, f"/widget?{_pass(_any(nth, customers))}"),
        "side by side": lambda nth: _ok(browser, f"/customers/bench-{_any(nth, customers)}"),
        "health": lambda _: _ok(browser, "/health"),
    }
    bare = lambda _: _ok(service, "/healthz")  # noqa: E731 - measured like the others
    for warm in kinds.values():
        _timed(warm, 20)
    before = _processor(process)
    floor = percentile(_timed(bare, requests), 0.95)
    least = (_processor(process) - before) * 1000 / requests
    figures: list[Figure] = []
    spent: list[Figure] = []
    for name, ask in kinds.items():
        before = _processor(process)
        took = _timed(ask, requests)
        used = (_processor(process) - before) * 1000 / requests
        print(f"  {name}: p50 {percentile(took, 0.5):.1f} ms, of the pages' processor {used:.1f} ms", flush=True)
        figures.append(
            Figure(name=f"{name}, p95", value=percentile(took, 0.95), unit="ms", bound=floor, bound_is=BOUND, aim=AIM)
        )
        spent.append(Figure(name=f"{name}, the pages' processor", value=used, unit="ms", bound=least, bound_is=BOUND))
    size = _size(widget)
    figures.append(Figure(name="widget, all in", value=size / 1000, unit="KB", aim=MOST_BYTES / 1000))
    return [*figures, *spent, *_crowded(port, customers, requests, polling, kinds)]


def _crowded(
    port: int, customers: int, requests: int, polling: int, kinds: Mapping[str, Callable[[int], object]]
) -> list[Figure]:
    """The same requests just before and while so many open pages poll."""
    others = ("list, first page", "status, asked again", "side by side")
    alone = {name: percentile(_timed(kinds[name], requests), 0.95) for name in others}
    passes = [_pass(1 + nth % customers) for nth in range(polling)]
    context = multiprocessing.get_context("spawn")
    begun, stop, counts = context.Event(), context.Event(), context.Queue()
    crowd = context.Process(target=pollers.poll, args=(port, passes, begun, stop, counts), daemon=True)
    crowd.start()
    if not begun.wait(60):
        raise RuntimeError("the polling pages did not come")
    crowded = {name: percentile(_timed(kinds[name], requests), 0.95) for name in others}
    stop.set()
    told: Mapping[str, float] = counts.get(timeout=60)
    crowd.join(30)
    print(f"  {polling} pages polled: {json.dumps(told)}", flush=True)
    return [
        *(
            Figure(
                name=f"{name}, p95 while {polling} pages poll", value=crowded[name], unit="ms", bound=alone[name],
                bound_is="the same in the same run, without them", aim=CROWDED_AIM * alone[name],
            )
            for name in others
        ),
        Figure(name="answers to polling pages", value=told["a second"], unit="/s", more=True),
    ]  # fmt: skip


def _processor(process: int) -> float:
    """Seconds of processor that a process has used; 0 where the system does not say."""
    path = Path(f"/proc/{process}/stat")
    if not path.exists():
        return 0.0
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _timed(ask: Callable[[int], object], requests: int) -> list[float]:
    """Milliseconds of each of so many, one after another."""
    took = []
    for nth in range(requests):
        begun = time.perf_counter()
        ask(nth)
        took.append((time.perf_counter() - begun) * 1000)
    return took


def _ok(client: Client, path: str) -> bytes:
    status, body, _ = client.get(path)
    if status != 200:
        raise RuntimeError(f"{path.partition('?')[0]} answered {status}")
    return body


def _further(browser: Client, customers: int) -> Callable[[int], object]:
    """Page after page from the middle on."""
    following = [f"/customers?search={_name(customers // 2, customers)[:1]}"]

    def ask(_: int) -> None:
        found = re.search(rb'href="[^"]*?(/customers\?[^"]+)" rel="next"', _ok(browser, following[0]))
        if found is not None:
            following[0] = found.group(1).decode().replace("&amp;", "&")

    return ask


def _pass(nth: int) -> str:
    claims = {"aud": "widget", "sub": "mette", "name": "Mette Krogh", "role": "user", "customer": f"bench-{nth}"}
    return urlencode({"pass": signed(600, **claims), "version": "1.1"})


def _size(client: Client) -> int:
    """Bytes of the widget with everything it loads, uncompressed."""
    body = _ok(client, f"/widget?{_pass(1)}")
    loaded = set(re.findall(rb'(?:href|src)="[^"]*?(/static/[^"]+)"', body))
    return len(body) + sum(len(_ok(client, one.decode())) for one in loaded)


def _any(nth: int, customers: int) -> int:
    """A customer from all over the place, another each time."""
    return 1 + nth * 7919 % customers


def _name(nth: int, customers: int) -> str:
    """The name of one of them, as ``_NAME`` makes it."""
    number = _any(nth, customers)
    return f"{hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()[:6]} {number} aps"


_NAME: Final = "substr(md5(n::text), 1, 6) || ' ' || n || ' aps'"
_COPIES: Final = (
    f"""
    insert into sync.link select (jsonb_populate_record(t, jsonb_build_object(
        'id', gen_random_uuid(), 'crm_id', 'bench-' || n, 'number', n, 'name_key', {_NAME},
        'category', (array['same', 'choice', 'error', 'different'])[case when n % 50 < 47 then 1 else n % 50 - 45 end]))).*
    from sync.link t, generate_series(2, :customers) n where t.crm_id = 'bench-1'
    """,
    """
    insert into sync.pair select (jsonb_populate_record(p, jsonb_build_object('link', l.id, 'id', l.id))).*
    from sync.link t join sync.pair p on p.link = t.id, sync.link l
    where t.crm_id = 'bench-1' and p.kind = 'customer' and l.crm_id <> 'bench-1'
    """,
    """
    insert into sync.field_base select (jsonb_populate_record(b, jsonb_build_object('link', l.id, 'pair', l.id))).*
    from sync.link t join sync.pair p on p.link = t.id and p.kind = 'customer' join sync.field_base b on b.pair = p.id, sync.link l
    where t.crm_id = 'bench-1' and l.crm_id <> 'bench-1'
    """,
    f"""
    insert into sync.crm_side select (jsonb_populate_record(s, jsonb_build_object(
        'crm_id', 'bench-' || n, 'name_key', {_NAME}, 'keys', array['cvr:' || 10000000 + n],
        'state', jsonb_set(jsonb_set(s.state, '{{customer,name}}', to_jsonb({_NAME})), '{{customer,id}}', to_jsonb('bench-' || n))))).*
    from sync.crm_side s, generate_series(2, :customers) n where s.crm_id = 'bench-1'
    """,
    f"""
    insert into sync.economic_side select (jsonb_populate_record(s, jsonb_build_object(
        'number', n, 'name_key', {_NAME}, 'keys', array['cvr:' || 10000000 + n],
        'state', jsonb_set(jsonb_set(s.state, '{{name}}', to_jsonb({_NAME})), '{{number}}', to_jsonb(n))))).*
    from sync.economic_side s, generate_series(2, :customers) n where s.number = 1
    """,
)
"""Each table filled from the row of the first customer."""
