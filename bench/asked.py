"""How quick is each page, asked one by one on connections that stay open?

The bound is the same server's ``/healthz`` by the same client in the same run: HTTP alone, without a page.
"""

import http.client
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from bench.many import another, name_of_another
from bench.reconciler import TENANT
from bench.report import Figure, percentile
from reconciler.passes import sign

KEY: Final = bytes(range(32))

AIM: Final = 40.0
"""Milliseconds within which 95 of 100 are answered."""

MOST_BYTES: Final = 60_000

_IDLE: Final = 3.0
"""Seconds after which a connection is opened anew: the server closes it after five."""

BOUND: Final = "the same server's /healthz, by the same client"


Ask = Callable[[int], object]


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


def signed(seconds: int, **claims: object) -> str:
    """A pass of the CRM's for one person of the tenant."""
    at = int(time.time())
    return sign("bench", KEY, {"jti": uuid4().hex, "iat": at, "exp": at + seconds, "tenant": TENANT, **claims})


def kinds(browser: Client, service: Client, widget: Client, customers: int) -> dict[str, Ask]:
    """Each kind of request by name; every one asks for another customer."""
    return {
        "list, a page by name": lambda nth: _ok(browser, f"/customers?search={name_of_another(nth, customers)[:2]}"),
        "list, first page": lambda _: _ok(browser, "/customers"),
        "list, one of the six": lambda _: _ok(browser, "/customers?list=choice"),
        "list, far down": _further(browser, customers),
        "search by the beginning of a name": lambda nth: _ok(
            browser, f"/customers?search={name_of_another(nth, customers)[:6]}"
        ),
        "search by CVR number": lambda nth: _ok(browser, f"/customers?search={10_000_000 + another(nth, customers)}"),
        "search by customer number": lambda nth: _ok(browser, f"/customers?search={another(nth, customers)}"),
        "status, JSON": lambda nth: _ok(
            service, f"/api/v1/customers/bench-{another(nth, customers)}/status?version=1.1"
        ),
        "status, asked again": lambda nth: _ok(
            service, f"/api/v1/customers/bench-{another(nth, customers)}/status?version=1.1&look=false"
        ),
        "widget": lambda nth: _ok(widget, f"/widget?{widget_pass(another(nth, customers))}"),
        "side by side": lambda nth: _ok(browser, f"/customers/bench-{another(nth, customers)}"),
        "health": lambda _: _ok(browser, "/health"),
    }


def measure(all_kinds: Mapping[str, Ask], service: Client, widget: Client, process: int, requests: int) -> list[Figure]:
    """Each kind so many times, one after another, and what the process of the pages spent on it."""
    for warm in all_kinds.values():
        timed(warm, 20)
    before = _processor(process)
    floor = percentile(timed(lambda _: _ok(service, "/healthz"), requests), 0.95)
    least = (_processor(process) - before) * 1000 / requests
    figures: list[Figure] = []
    spent: list[Figure] = []
    for name, ask in all_kinds.items():
        before = _processor(process)
        took = timed(ask, requests)
        used = (_processor(process) - before) * 1000 / requests
        print(f"  {name}: p50 {percentile(took, 0.5):.1f} ms, of the pages' processor {used:.1f} ms", flush=True)
        figures.append(
            Figure(name=f"{name}, p95", value=percentile(took, 0.95), unit="ms", bound=floor, bound_is=BOUND, aim=AIM)
        )
        spent.append(Figure(name=f"{name}, the pages' processor", value=used, unit="ms", bound=least, bound_is=BOUND))
    size = _size(widget)
    figures.append(Figure(name="widget, all in", value=size / 1000, unit="KB", aim=MOST_BYTES / 1000))
    return [*figures, *spent]


def _processor(process: int) -> float:
    """Seconds of processor that a process has used; 0 where the system does not say."""
    path = Path(f"/proc/{process}/stat")
    if not path.exists():
        return 0.0
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(ask: Ask, requests: int) -> list[float]:
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
    following = [f"/customers?search={name_of_another(customers // 2, customers)[:1]}"]

    def ask(_: int) -> None:
        found = re.search(rb'href="[^"]*?(/customers\?[^"]+)" rel="next"', _ok(browser, following[0]))
        if found is not None:
            following[0] = found.group(1).decode().replace("&amp;", "&")

    return ask


def widget_pass(nth: int) -> str:
    claims = {"aud": "widget", "sub": "mette", "name": "Mette Krogh", "role": "user", "customer": f"bench-{nth}"}
    return urlencode({"pass": signed(600, **claims), "version": "1.1"})


def _size(client: Client) -> int:
    """Bytes of the widget with everything it loads, uncompressed."""
    body = _ok(client, f"/widget?{widget_pass(1)}")
    loaded = set(re.findall(rb'(?:href|src)="[^"]*?(/static/[^"]+)"', body))
    return len(body) + sum(len(_ok(client, one.decode())) for one in loaded)
