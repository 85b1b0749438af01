"""A worker's desk on a real database and a running sandbox, without bus and dramatiq: commands in, observations out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result
from crm_outbox.messaging.envelope import Envelope, Registry, decode
from crm_outbox.messaging.outbox import Outbox
from economic_adapter import access, claims, imports, store, tables, work
from economic_adapter.client import Addresses, Client, Grant
from economic_adapter.contract import (
    TYPES,
    CustomerObserved,
    Defaults,
    EconomicPart,
    ImportProgressed,
    LookAtCustomer,
    RunImport,
    WriteEconomicCustomer,
)
from economic_adapter.desk import Desk, Sender
from economic_adapter.protocol import Answer, Failed, Request
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import AGREEMENT, APP_SECRET, GRANT
from economic_adapter.tables import messages

TENANT = "nordhavn"
WORKER = 4711
DEFAULTS = Defaults(group=1, terms=1, zone=1, currency="DKK")
UNBROKEN = timedelta(minutes=4)
"""No day ends (UTC) so soon after a test begins: calls are counted by the day, and tests let a minute or two pass."""
FIELDS = {
    "name": "Nordhavn Tømrer ApS",
    "cvr": "13748136",
    "street": "Havnegade 12\nBaghuset",
    "postcode": "8000",
    "city": "Aarhus C",
    "country": "Danmark",
    "phone": "86 12 34 56",
    "email": "faktura@nordhavn.example",
}


def part(**values: Any) -> EconomicPart:
    """A change of the customer, unless said otherwise."""
    return EconomicPart(**{"operation": uuid4(), "action": "change", "record": "customer", **values})


def creation(**values: Any) -> EconomicPart:
    """The creation of a customer."""
    return part(**{"action": "create", "fields": FIELDS, "defaults": DEFAULTS, **values})


def person(**values: Any) -> EconomicPart:
    """The creation of a contact person."""
    fields = {"name": "Mette Holm", "email": "mh@nordhavn.example"}
    return part(**{"action": "create", "record": "contact", "fields": fields, **values})


class Crash(BaseException):
    """The process dies here: nothing after it is done, as with SIGKILL."""


@dataclass
class Wire:
    """Sends for a desk, keeps what was asked, and dies where a test says: before or after a call."""

    client: Sender
    asked: list[Request] = field(default_factory=list)
    die_before: int | None = None
    die_after: int | None = None

    def send(self, request: Request, grant: Grant, within: float | None = None) -> Answer:
        """One call."""
        if self.die_before == len(self.asked):
            raise Crash
        self.asked.append(request)
        try:
            answer = self.client.send(request, grant, within)
        except Failed:
            if self.die_after == len(self.asked) - 1:
                raise Crash from None
            raise
        if self.die_after == len(self.asked) - 1:
            raise Crash
        return answer

    @property
    def short(self) -> list[str]:
        """What was asked, as ``GET /Customers/1``."""
        return [f"{one.method} {one.path}" for one in self.asked]


@dataclass
class Bench:
    """One agreement that is on, and its worker."""

    engine: sa.Engine
    sandbox: Running
    wire: Wire
    client: Client
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    told: int = 0
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(tables=messages, registry=Registry(TYPES), source="economic_adapter")
        self.desk = Desk(
            engine=self.engine,
            client=self.wire,
            outbox=self.outbox,
            now=lambda: self.time,
            chance=lambda: 0.5,
            open_grant=lambda _connection, _agreement: Grant(GRANT),
            lost=lambda connection, number, failed: access.lose(
                connection, self.outbox, number, failed, self.time, 60.0
            ),
            check=lambda _desk, _claim, _calls: lambda _connection: None,
            reached=lambda connection, number: access.observe(connection, self.outbox, number, self.time),
            backoff_max=10.0,
        )
        with self.engine.begin() as connection:
            connection.execute(
                sa.insert(tables.agreement).values(
                    number=AGREEMENT, tenant=TENANT, name="Nordhavn", state="on", number_from=1001
                )
            )

    def passes(self, seconds: float) -> None:
        """Time goes by, here and in e-conomic."""
        self.time += timedelta(seconds=seconds)
        self.sandbox.data.advance(seconds)

    def step(self) -> bool:
        """One row of work."""
        return work.step(self.desk, AGREEMENT, WORKER)

    def work(self, most: int = 50) -> int:
        """Everything that is due now; how many rows."""
        for done in range(most):
            if not self.step():
                return done
        raise AssertionError("the work never ends")

    def settle(self, seconds: float = 1000.0) -> None:
        """Let time pass until no row is left."""
        for _ in range(30):
            self.work()
            if not self.rows(tables.work):
                return
            self.passes(seconds / 10)
        raise AssertionError(f"rows are left: {self.rows(tables.work)}")

    def command(
        self, *parts: EconomicPart, number: int | None = None, customer: str = "48211", person: bool = False
    ) -> tuple[Outcome, ...]:
        """A command to write, as intake takes it."""
        words = WriteEconomicCustomer(agreement=AGREEMENT, customer=customer, number=number, parts=parts, person=person)
        with self.engine.begin() as connection:
            return store.receive_write(connection, words, self.message(), self.time)

    def write(self, *parts: EconomicPart, number: int | None = None, customer: str = "48211") -> CustomerObserved:
        """A command to write, carried out; its answer."""
        self.command(*parts, number=number, customer=customer)
        self.work()
        (answer,) = self.new()
        return answer

    def look(self, number: int, expires: datetime | None = None) -> None:
        """A command to look."""
        words = LookAtCustomer(agreement=AGREEMENT, number=number, expires=expires)
        with self.engine.begin() as connection:
            store.receive_look(connection, words, self.message(), self.time)

    def hook(self, number: int, *old_numbers: int) -> None:
        """What a webhook leaves."""
        with self.engine.begin() as connection:
            store.mark(connection, AGREEMENT, number, why="hook", now=self.time, old_numbers=old_numbers)

    def seen(self, number: int) -> CustomerObserved:
        """Look at a customer, and what was told of it."""
        self.look(number)
        self.work()
        return self.new()[-1]

    def run(
        self,
        run: UUID | None = None,
        *,
        kind: Literal["import", "sweep"] = "import",
        action: Literal["start", "pause", "resume", "stop"] = "start",
        known: bool = True,
    ) -> UUID:
        """A command to read everything, as intake takes it; the run."""
        words = RunImport(run=run or uuid4(), agreement=AGREEMENT, kind=kind, action=action)
        with self.engine.begin() as connection:
            imports.receive(connection, self.outbox, words, self.message(), self.time, known=known, waiting="")
        return words.run

    def imported(self, **how: Any) -> UUID:
        """Everything read under a new run, all the way."""
        run = self.run(**how)
        self.work(most=500)
        assert self.far(run)[-1].closed, self.far(run)[-1]
        return run

    def far(self, run: UUID) -> list[ImportProgressed]:
        """What was told of how far a run is."""
        told = [one.data for one in self.envelopes()]
        return [one for one in told if isinstance(one, ImportProgressed) and one.run == run]

    def under(self, run: UUID) -> list[CustomerObserved]:
        """What was told of customers under a run, in order."""
        told = [one.data for one in self.envelopes()]
        return [one for one in told if isinstance(one, CustomerObserved) and one.run == run]

    def die(self) -> None:
        """The worker is gone; its claims are freed as the clock does it."""
        self.wire.die_before = self.wire.die_after = None
        self.passes(200)
        with self.engine.begin() as connection:
            claims.free_claims(connection, self.time)

    def message(self) -> Envelope:
        """Some message that caused something."""
        return Envelope(
            id=uuid4(),
            type="economic.customer.write.v1",
            source="reconciler",
            time=self.time,
            tenant=TENANT,
            subject="customer/48211",
            correlation="correlation-1",
            data=TYPES[0].data.model_construct(),
        )

    def envelopes(self) -> Iterator[Envelope]:
        """Every message told so far."""
        query = sa.select(messages.outbox.c.message_id, messages.outbox.c.body).order_by(messages.outbox.c.id)
        with self.engine.connect() as connection:
            for row in connection.execute(query).all():
                yield decode(bytes(row.body), str(row.message_id), Registry(TYPES))

    def new(self) -> list[CustomerObserved]:
        """The observations of customers since the last time."""
        seen = [one.data for one in self.envelopes() if isinstance(one.data, CustomerObserved)]
        fresh, self.told = seen[self.told :], len(seen)
        return fresh

    def outcome(self, operation: UUID) -> Outcome:
        """How an operation was answered; exactly once."""
        answers = [
            outcome
            for envelope in self.envelopes()
            if isinstance(envelope.data, CustomerObserved)
            for outcome in envelope.data.outcomes
            if outcome.operation == operation and outcome.result is not Result.WAITING
        ]
        assert len(answers) == 1, answers
        return answers[0]

    def rows(self, table: sa.Table) -> list[sa.RowMapping]:
        """All rows of a table, operations in the order they were planned."""
        order = [table.c.planned_at] if "planned_at" in table.c else list(table.primary_key)
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(*order)).mappings())

    def agreement(self) -> sa.RowMapping:
        """The agreement's row."""
        return self.rows(tables.agreement)[0]

    def customers(self) -> dict[int, dict[str, Any]]:
        """What e-conomic holds, by number."""
        with self.sandbox.data.lock:
            return {number: dict(one.values) for number, one in self.sandbox.data.agreement().customers.items()}

    def contacts(self) -> dict[int, dict[str, Any]]:
        """The contact persons e-conomic holds, by number."""
        with self.sandbox.data.lock:
            found = self.sandbox.data.agreement().contacts.items()
            return {number: dict(one.values) for number, one in found if not one.deleted}

    def version(self, number: int) -> str:
        """The version a decision about that customer would be made on."""
        return str(self.sandbox.data.agreement().customers[number].version)

    def calls(self) -> list[str]:
        """What was asked since the last time."""
        asked = self.wire.short
        self.wire.asked.clear()
        return asked


def bench(engine: sa.Engine, sandbox: Running) -> Bench:
    """A worker's desk against that e-conomic."""
    addresses = Addresses(rest=sandbox.url, apis=sandbox.url, development={sandbox.host})
    client = Client(app_secret=APP_SECRET, addresses=addresses)
    made = Bench(engine=engine, sandbox=sandbox, wire=Wire(client), client=client)
    if (made.time + UNBROKEN).date() != made.time.date():
        made.passes(UNBROKEN.total_seconds())
    return made
