"""How does a test run the product? Its duties as real processes, on the test's database, vhost and sandbox."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.contract import Customer
from crm_outbox.messaging.settings import Broker
from deploy.local import ports
from deploy.local.demo.compare import Entered, Verdict, compare, crm_holdings, economic_holdings
from deploy.local.demo.processes import GROUPS, Processes
from deploy.local.environment import environment
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.control import snapshot
from tests.forked import Forked
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]
TENANT = "t"
AGREEMENT = 123456
GRANT = "sandbox-grant"


@dataclass(slots=True, kw_only=True)
class Product:
    """The running product and both of its ends: what a person would do and see on each side."""

    engine: sa.Engine
    sandbox: Running
    processes: Processes
    environ: Mapping[str, str]

    def command(self, package: str, *arguments: str, given: str = "") -> str:
        """Run one of the commands; its output, or ``RuntimeError`` with what it said."""
        return self.processes.command(package, list(arguments), given)

    def connect(self) -> None:
        """Connect the sandbox's agreement and switch the integration on."""
        self.command("economic_adapter", "connect", "--tenant", TENANT, "--yes", given=GRANT)
        words = "switch-on", "--tenant", TENANT, "--transfer", "created", "--number-from", "10001", "--wait", "120"
        self.command("reconciler", *words, "--yes")

    # The CRM's side

    def create(self, *persons: Mapping[str, str], **fields: str) -> str:
        """A new customer of the CRM; its id."""
        edit = customers.Edit(fields=fields, persons=[customers.PersonEdit(fields=person) for person in persons])
        with self.engine.begin() as connection:
            return customers.create(connection, TENANT, edit).held.customer.id

    def change(self, customer: str, *persons: customers.PersonEdit, **fields: str) -> None:
        """Change a customer of the CRM."""
        with self.engine.begin() as connection:
            customers.change(connection, TENANT, customer, customers.Edit(fields=fields, persons=persons))

    def customer(self, customer: str) -> Customer:
        """A customer as the CRM holds it."""
        with self.engine.connect() as connection:
            held = customers.find(connection, TENANT, customer)
        assert held is not None
        return held.customer

    # e-conomic's side

    def books(self) -> dict[str, Any]:
        """Everything the agreement holds in the sandbox."""
        whole: dict[str, Any] = snapshot(self.sandbox.data, AGREEMENT)[str(AGREEMENT)]
        return whole

    def there(self, cvr: str) -> dict[str, Any] | None:
        """The one customer with that CVR number in e-conomic; none when there is none. Two are a failure at once."""
        found = [one for one in self.books()["customers"] if one.get("cvrNo") == cvr]
        if len(found) > 1:
            raise RuntimeError(f"CVR {cvr} stands {len(found)} times in e-conomic")
        return found[0] if found else None

    def persons_there(self, number: int) -> dict[str, dict[str, Any]]:
        """The contact persons of a customer in e-conomic, by name."""
        return {
            one["name"]: one
            for one in self.books()["contacts"]
            if one["customerNumber"] == number and not one.get("isDeleted")
        }

    # Both

    def status(self, customer: str) -> dict[str, Any]:
        """How the reconciler says that customer stands; empty when it says nothing."""
        row = sa.text(
            "select status as state, status_details as details, status_reason as reason, status_message as message"
            " from sync.link where crm_id = :id"
        )
        with self.engine.connect() as connection:
            found = connection.execute(row, {"id": customer}).mappings().first()
        return dict(found or {})

    def verdict(self, entered: Entered | None = None) -> Verdict:
        """Both systems compared, and with what was entered."""
        with self.engine.connect() as connection:
            every = customers.all_of(connection, TENANT).values()
        return compare(crm_holdings(every), economic_holdings(self.books()), entered or Entered())

    def settles(self, entered: Entered | None = None, within: float = 90.0) -> Verdict:
        """Wait until both sides hold the same, and what was entered."""

        def same() -> Verdict | None:
            verdict = self.verdict(entered)
            assert verdict.same, f"{verdict}: {(verdict.lost + verdict.doubled + verdict.differing)[:4]}"
            return verdict

        found = eventually(same, within=within)
        assert found is not None
        return found

    def logged(self, *names: str) -> list[dict[str, Any]]:
        """What the processes logged, as events."""
        events = []
        for path in self.processes.logs.glob("*.log"):
            if names and path.stem not in names:
                continue
            for line in path.read_text("utf-8", "replace").splitlines():
                try:
                    events.append(json.loads(line))
                except ValueError:
                    continue
        return events


@contextmanager
def product(
    database: str,
    broker: Broker,
    sandbox: Running,
    logs: Path,
    *,
    groups: Mapping[str, tuple[str, ...]] = GROUPS,
    clocks: Mapping[str, str] | None = None,
    special: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[Product]:
    """The product as processes; all of them are gone when the block ends. Not yet connected.

    ``special`` is what some groups have different in their environment.
    """
    hooks_port, web_port = ports.free(2)
    environ = environment(
        database_url=database,
        amqp=broker.address,
        management=broker.management_url,
        passwords=broker.passwords,
        sandbox=sandbox.url,
        hooks_port=hooks_port,
        web_port=web_port,
        vhost=broker.vhost,
    )
    fast = {
        "GATHER_SECONDS": "0.2",
        "GATHER_LIMIT_SECONDS": "1",
        "POLL_SECONDS": "0.5",
        "POLL_IDLE_SECONDS": "0.5",
        "RESEND_SECONDS": "2",
        "SWEEP_AT": "off",  # else a test that runs over that hour of the night sees both sides read in full
    }
    environ |= {**fast, **(clocks or {})}
    processes = Forked(ROOT, logs, environ, groups, special=special or {})
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    try:
        for name in groups:
            processes.start_group(name)
        wanted = [hooks_port, *([web_port] if "web" in groups else [])]
        eventually(lambda: all(map(ports.open_on, wanted)), within=90)
        yield Product(engine=engine, sandbox=sandbox, processes=processes, environ=environ)
    finally:
        processes.stop()
        engine.dispose()
        sys.stdout.flush()
