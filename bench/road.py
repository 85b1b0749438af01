"""How long does an edit take to the other side, how many calls does it cost, how much memory do the duties take?

The product runs as processes with the clocks of production (2 s of gathering), against a sandbox that answers in 100 ms.
Edits are made at a steady pace, each on a customer that has none under way.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx
import sqlalchemy as sa

from bench.product import AGREEMENT, GRANT, ROOT, TENANT, made_ready
from bench.report import Figure, percentile, show, write
from crm_outbox import customers
from crm_outbox.messaging import database
from crm_outbox.messaging.doorbell import Doorbell
from deploy.local import ports, servers
from deploy.local.demo.processes import GROUPS, Processes
from deploy.local.invented import companies
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running, serve
from economic_adapter.sandbox.data import Data
from economic_adapter.sandbox.settings import Settings

FOLDER = ROOT / ".servers" / "bench"
LATENCY_MS = 100.0
LOOK = 0.005
"""Seconds between two looks at both sides."""
POLL, CONTACTS = "GET /customers", "GET /customersapi/v3.1.0/contacts"
"""What a regular check lists, once each; the second is also how the contact persons of one customer are read."""
PASSES = (POLL, "GET /self")
"""Calls that no edit causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What runs, and both of its ends."""

    engine: sa.Engine
    doorbell: Doorbell
    sandbox: Running
    processes: Processes
    ids: list[str]

    def calls(self) -> Counter[str]:
        """The calls of e-conomic's API so far, by method and route, without those of the regular checks."""
        with self.sandbox.data.lock:
            every = Counter(self.sandbox.data.calls)
        every[CONTACTS] -= every[POLL]
        return Counter({route: count for route, count in every.items() if route not in PASSES})

    def numbers(self) -> dict[str, int]:
        """The customer number of each customer that is linked."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("select crm_id, number from sync.link where state = 'linked'"))
            return {row.crm_id: row.number for row in rows}

    def there(self, number: int, name: str) -> str:
        """What a customer's property is in e-conomic now."""
        with self.sandbox.data.lock:
            return str(self.sandbox.data.agreement(AGREEMENT).customers[number].values.get(name, ""))


def main(arguments: list[str]) -> int:
    """Measure and tell; 0 when it was measured, whatever the figures; 2 where no servers can be had."""
    parser = argparse.ArgumentParser(prog="bench road")
    parser.add_argument("--edits", type=int, default=80, help="edits in each direction")
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
        product = started(stack, running, latency_ms=LATENCY_MS)
        figures = _measure(product, options.edits)
        facts = {"servers": list(running.report), "edits": options.edits, "latency_ms": LATENCY_MS}
    show(f"The road, e-conomic answering in {LATENCY_MS:.0f} ms", figures)
    print(f"\n{write('road', figures, facts)}")
    return 0


def started(stack: ExitStack, running: servers.Running, *, latency_ms: float, web_port: int = 0) -> Product:
    """The whole product, connected and switched on, against a sandbox that answers after so many milliseconds."""
    sandbox = serve(Data(settings=Settings(webhook_http=True, latency_ms=latency_ms)))
    stack.callback(sandbox.close)
    processes, hooks_port = made_ready(stack, running, sandbox.url, FOLDER / "log", web_port=web_port)
    for name in GROUPS:
        processes.start_group(name)
    until("the duties", lambda: ports.open_on(hooks_port), 60)
    processes.command("economic_adapter", ["connect", "--tenant", TENANT, "--yes"], GRANT)
    processes.command("reconciler", ["switch-on", "--tenant", TENANT, "--number-from", "10001", "--yes"])
    engine = database.engine(running.database_url, "bench")
    stack.callback(engine.dispose)
    doorbell = Doorbell(engine, "crm")
    stack.callback(doorbell.close)
    return Product(engine=engine, doorbell=doorbell, sandbox=sandbox, processes=processes, ids=[])


def _measure(product: Product, edits: int) -> list[Figure]:
    one = one_call(product)
    print(f"  {edits} customers with contact persons are created ...", flush=True)
    new = created(product, edits)
    quiet(product)
    print(f"  {edits} edits in the CRM ...", flush=True)
    before = product.calls()
    to_economic = _edited_in_crm(product, edits)
    quiet(product)
    crm_calls = product.calls() - before
    print(f"  {edits} edits in e-conomic ...", flush=True)
    before = product.calls()
    to_crm = _edited_in_economic(product, edits)
    quiet(product)
    economic_calls = product.calls() - before
    memory = product_memory(product.processes)
    print(f"  calls of CRM edits: {dict(crm_calls)}\n  calls of e-conomic edits: {dict(economic_calls)}")
    writes = sum(count for route, count in crm_calls.items() if not route.startswith("GET"))
    bare, gathered = "one call, made bare", "2 s of gathering and two calls, made bare"
    return [
        Figure(name="CRM edit to e-conomic, p50", value=percentile(to_economic, 0.5), unit="s", bound=one,
               bound_is=bare, aim=1.5),
        Figure(name="CRM edit to e-conomic, p95", value=percentile(to_economic, 0.95), unit="s", bound=one,
               bound_is=bare, aim=5),
        Figure(name="e-conomic edit to CRM, p50", value=percentile(to_crm, 0.5), unit="s", bound=2 + 2 * one,
               bound_is=gathered, aim=4),
        Figure(name="e-conomic edit to CRM, p95", value=percentile(to_crm, 0.95), unit="s", bound=2 + 2 * one,
               bound_is=gathered, aim=10),
        Figure(name="new customer with persons, p95", value=percentile(new, 0.95), unit="s", aim=5),
        Figure(name="calls for a CRM edit, echo included", value=crm_calls.total() / edits, unit="calls", bound=2, aim=4,
               bound_is="one write and one read"),
        Figure(name="writes for a CRM edit", value=writes / edits, unit="calls", bound=1, aim=1, bound_is="one write"),
        Figure(name="calls for an e-conomic edit", value=economic_calls.total() / edits, unit="calls", bound=2, aim=2,
               bound_is="customer and contact persons, read once"),
        *(Figure(name=f"memory of {name}", value=size, unit="MB", aim=120) for name, size in memory.items()),
    ]  # fmt: skip


def one_call(product: Product) -> float:
    """The median of one call to the sandbox, by a client that does nothing else."""
    tokens = {"X-AppSecretToken": "sandbox-app-secret", "X-AgreementGrantToken": GRANT}
    took = []
    with httpx.Client(base_url=product.sandbox.url, headers=tokens) as client:
        for _ in range(20):
            begun = time.perf_counter()
            client.get("/self").raise_for_status()
            took.append(time.perf_counter() - begun)
    return percentile(took, 0.5)


def created(product: Product, count: int) -> list[float]:
    """Seconds from the commit of a new customer to where it and its persons stand in e-conomic; four a second."""

    def create(_: int) -> Callable[[], bool]:
        company = next(invented)
        persons = [customers.PersonEdit(fields=person) for person in company.persons]
        with product.engine.begin() as connection:
            made = customers.create(connection, TENANT, customers.Edit(fields=company.fields, persons=persons))
        product.doorbell.ring()
        product.ids.append(made.held.customer.id)
        cvr, wanted = company.fields["cvr"], len(persons)
        return lambda: _stands(product, cvr, wanted)

    invented = islice(companies(7), count)
    return _paced(count, 2.0, create, within=120)


def _edited_in_crm(product: Product, count: int) -> list[float]:
    """Seconds from the commit of an edit in the CRM to where it stands in e-conomic; two a second."""
    numbers = product.numbers()

    def edit(nth: int) -> Callable[[], bool]:
        customer = product.ids[nth]
        phone, number = f"20 30 {nth // 100:02d} {nth % 100:02d}", numbers[customer]
        with product.engine.begin() as connection:
            customers.change(connection, TENANT, customer, customers.Edit(fields={"phone": phone}))
        product.doorbell.ring()
        return lambda: product.there(number, "phone") == phone

    return _paced(count, 2.0, edit, within=60)


def _edited_in_economic(product: Product, count: int) -> list[float]:
    """Seconds from an edit in e-conomic, whose webhook leaves at once, to where the CRM committed it; two a second."""
    numbers = product.numbers()
    known = sa.text("select street from crm.customer where tenant = :tenant and id = :id")

    def edit(nth: int) -> Callable[[], bool]:
        customer = product.ids[nth]
        street = f"Prøvevej {nth + 1}"
        ui.edit_customer(product.sandbox.data, numbers[customer], {"address1": street}, agreement=AGREEMENT)

        def arrived() -> bool:
            with product.engine.connect() as connection:
                held = str(connection.scalar(known, {"tenant": TENANT, "id": customer}))
            return held.split("\n", maxsplit=1)[0] == street

        return arrived

    return _paced(count, 2.0, edit, within=60)


def _paced(count: int, rate: float, act: Callable[[int], Callable[[], bool]], within: float) -> list[float]:
    """Act at a steady rate; how long each action took to show, looked at every few milliseconds."""
    began = time.perf_counter()
    waiting: dict[int, tuple[float, Callable[[], bool]]] = {}
    took: list[float] = []
    acted = 0
    while len(took) < count:
        now = time.perf_counter()
        if acted < count and now >= began + acted / rate:
            shows = act(acted)
            waiting[acted] = (time.perf_counter(), shows)
            acted += 1
        for nth, (since, shows) in list(waiting.items()):
            if shows():
                took.append(time.perf_counter() - since)
                del waiting[nth]
            elif time.perf_counter() - since > within:
                raise RuntimeError(f"action {nth} did not arrive within {within:g} s")
        time.sleep(LOOK)
    return took


def _stands(product: Product, cvr: str, persons: int) -> bool:
    with product.sandbox.data.lock:
        place = product.sandbox.data.agreement(AGREEMENT)
        number = next((one for one, held in place.customers.items() if held.values.get("cvrNo") == cvr), None)
        return number is not None and sum(one.customer == number for one in place.contacts.values()) == persons


def quiet(product: Product) -> None:
    """Wait until every customer is the same on both sides and no call has been made for five seconds."""
    odd = sa.text("select count(*) from sync.link where status is distinct from 'same'")

    def settled() -> bool:
        with product.engine.connect() as connection:
            return not connection.scalar(odd)

    until("the same on both sides", settled, 120)
    before, since = product.calls(), time.monotonic()
    while time.monotonic() - since < 5:
        time.sleep(0.2)
        if (now := product.calls()) != before:
            before, since = now, time.monotonic()


def product_memory(processes: Processes) -> Mapping[str, float]:
    """The resident memory of each process, in MB."""
    return dict(_memory(processes))


def _memory(processes: Processes) -> Iterator[tuple[str, float]]:
    for name, process in processes.running.items():
        status = Path(f"/proc/{getattr(process, 'pid', 0)}/status")
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            yield name, int(lines["VmRSS"].split()[0]) / 1024


def until(what: str, ready: Callable[[], bool], within: float) -> None:
    """Wait for that, at most so many seconds."""
    deadline = time.monotonic() + within
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {within:g} s: {what}")
        time.sleep(0.05)
