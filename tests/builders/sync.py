"""What the reconciler hears in tests: envelopes of both systems, and what it said since it was last asked."""

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa

from crm_outbox.contract import BackfillProgressed, Customer, CustomerWritten, NotSent, Outcome, Result, WriteCustomer
from crm_outbox.messaging.envelope import Envelope, Version, Words, decode
from economic_adapter.contract import (
    EVERY_TENANT,
    AgreementObserved,
    Choice,
    ConfigureAgreement,
    CrmState,
    CustomerObserved,
    EconomicContact,
    EconomicCustomer,
    ImportProgressed,
    InstallationObserved,
    Reference,
    RunImport,
    WriteEconomicCustomer,
)
from reconciler import bus, ordering, reconcile, runs
from reconciler.contract import StatusChanged
from reconciler.reconcile import Clocked
from reconciler.rules import System
from reconciler.runs import Told

TENANT = "acme"
AGREEMENT = 123456
MORNING = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REFERENCE = Reference(
    groups=(Choice(number=1, name="Danske kunder"),),
    terms=(Choice(number=2, name="Netto 14 dage"),),
    zones=(
        Choice(number=1, name="Indland"),
        Choice(number=2, name="EU"),
        Choice(number=3, name="Udland"),
    ),
    currencies=("DKK", "EUR"),
    base_currency="DKK",
)
_Said = TypeVar("_Said", bound=Words)


@dataclass
class Wire:
    """The reconciler's two wires, without a broker: what is heard is handled in a transaction, what is said is read back."""

    engine: sa.Engine
    time: datetime = MORNING
    resend: timedelta = timedelta(seconds=120)
    counters: dict[int, int] = field(default_factory=dict)
    read: int = 0

    @property
    def clocked(self) -> Clocked:
        return Clocked(resend=self.resend, now=lambda: self.time)

    def later(self, **span: float) -> None:
        """Time passes; a relay takes meanwhile what was to leave."""
        self.time += timedelta(**span)
        self.relay()

    def relay(self) -> None:
        """What was to leave has left. A relay is another process: whoever counts a step's statements does not count it."""
        with closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute("delete from sync.outbox_pending")
            connection.commit()

    def hear(self, envelope: Envelope) -> None:
        """Take one message in a transaction of its own."""

        def take(connection: sa.Connection) -> None:
            ordering.prepare(connection, [envelope], ())
            reconcile.handle(self.clocked, connection, envelope)

        ordering.within(self.engine, take)
        self.relay()

    def said(self) -> list[Envelope]:
        """Every message that was put into the outbox since the last question, in order."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.text("select id, message_id, body from sync.outbox where id > :read order by id"),
                {"read": self.read},
            ).all()
        self.read = max((row.id for row in rows), default=self.read)
        return [decode(bytes(row.body), str(row.message_id), bus.OUTBOX.registry) for row in rows]

    def said_only(self, kind: type[_Said]) -> list[_Said]:
        """The words of that kind among what was said since the last question."""
        return [one.data for one in self.said() if isinstance(one.data, kind)]

    def read_both(self, crm: Iterable[str] = (), economic: Iterable[int] = ()) -> None:
        """Answer the reading that was asked for last: both sides told these customers, and closed."""
        (asked,) = self.said_only(RunImport)[-1:]
        here, there = list(crm), list(economic)
        with self.engine.begin() as connection:
            told = [Told(run=asked.run, system=System.CRM, customer=one) for one in here]
            told += [Told(run=asked.run, system=System.ECONOMIC, customer=str(number)) for number in there]
            runs.entered(connection, told)
        self.hear(envelope(BackfillProgressed(run=asked.run, read=len(here), count=len(here), closed=True)))
        closed = ImportProgressed(
            run=asked.run,
            agreement=asked.agreement,
            kind=asked.kind,
            state="closed",
            read=len(there),
            count=len(there),
            closed=True,
        )
        self.hear(envelope(closed, agreement=asked.agreement))

    def switch(self, *, customers: int | None = 0, outcome: Result = Result.WRITTEN, **given: Any) -> None:
        """Answer the configuration that was asked for last."""
        asked = self.said_only(ConfigureAgreement)[-1]
        answer = Outcome(operation=asked.operation, result=outcome, **given)
        self.hear(agreement_seen(self.time, customers=customers, outcome=answer))


def envelope(data: Words, **given: Any) -> Envelope:
    """A message with these words; only what the test names matters."""
    kind = bus.OUTBOX.registry.of(data)
    return Envelope(
        **{
            "id": uuid4(),
            "type": kind.name,
            "source": "test",
            "time": MORNING,
            "tenant": TENANT,
            "subject": "customer/x",
            "data": data,
            **given,
        }
    )


def crm_changed(
    customer: Customer,
    version: int,
    *,
    agreement: int | None = AGREEMENT,
    epoch: int = 1,
    caused: datetime | None = None,
) -> Envelope:
    """The CRM's customer changed; the adapter passes it on."""
    state = CrmState(version=f"{epoch}.{version}", customer=customer)
    return envelope(
        CustomerObserved(agreement=agreement, why="crm_changed", customer=customer.id, crm=state, caused=caused),
        customer=customer.id,
        agreement=agreement,
    )


def crm_unsendable(customer: str, version: int) -> Envelope:
    """The CRM's customer holds what no message can carry."""
    state = CrmState(version=f"1.{version}", unsendable=NotSent(reason="too_large", detail="street"))
    return envelope(
        CustomerObserved(agreement=AGREEMENT, why="crm_changed", customer=customer, crm=state), customer=customer
    )


def economic_seen(customer: EconomicCustomer, version: int, **given: Any) -> Envelope:
    """e-conomic's customer was read because of a hook."""
    return envelope(
        CustomerObserved(
            **{
                "agreement": AGREEMENT,
                "why": "hook",
                "number": customer.number,
                "version": f"1.{version}",
                "economic": customer,
                **given,
            }
        ),
        agreement=AGREEMENT,
        number=customer.number,
    )


def economic_answered(
    command: WriteEconomicCustomer, *outcomes: Outcome, customer: EconomicCustomer | None = None, version: int = 0
) -> Envelope:
    """The adapter's answer to a write, with what was read back."""
    return envelope(
        CustomerObserved(
            agreement=command.agreement,
            why="write",
            customer=command.customer,
            number=None if customer is None else customer.number,
            version=None if customer is None else f"1.{version}",
            economic=customer,
            outcomes=outcomes,
        ),
        customer=command.customer,
        agreement=command.agreement,
    )


def crm_answered(command: WriteCustomer, *outcomes: Outcome, customer: Customer, version: int) -> Envelope:
    """The CRM's answer to a write, with what it holds now."""
    return envelope(
        CustomerWritten(id=customer.id, agreement=command.agreement, customer=customer, outcomes=outcomes),
        customer=customer.id,
        agreement=command.agreement,
        version=Version(1, version),
    )


def agreement_seen(at: datetime, *, state: str = "on", tenant: str = TENANT, **given: Any) -> Envelope:
    """What the adapter knows of the agreement."""
    words: dict[str, Any] = {"agreement": AGREEMENT, "name": "Nordhavn Tømrer ApS", "state": state, "seen": at}
    return envelope(AgreementObserved(**{**words, "reference": REFERENCE, **given}), agreement=AGREEMENT, tenant=tenant)


def installation_seen(at: datetime, *lacks: str) -> Envelope:
    """What the adapter says of itself: that it lacks these settings."""
    return envelope(InstallationObserved(at=at, lacks=lacks), tenant=EVERY_TENANT, subject="economic/installation")


def done(operation: UUID, **given: Any) -> Outcome:
    """That operation was written."""
    return Outcome(operation=operation, result=Result.WRITTEN, **given)


def refused(operation: UUID, reason: str, **given: Any) -> Outcome:
    """That operation was refused."""
    return Outcome(operation=operation, result=Result.REFUSED, reason=reason, **given)


def there(customer: Customer, number: int, object_version: str, **given: Any) -> EconomicCustomer:
    """The same customer as e-conomic holds it, its contact persons numbered from 1."""
    fields = json.loads(customer.model_dump_json(include={
        "name", "cvr", "ean", "pnumber", "street", "postcode", "city", "country", "phone", "mobile", "email", "website",
    }))  # fmt: skip
    contacts = tuple(
        EconomicContact(number=nth, object_version="a", name=one.name, email=one.email, phone=one.phone)
        for nth, one in enumerate(customer.contacts, 1)
    )
    return EconomicCustomer(
        **{**fields, "number": number, "object_version": object_version, "contacts": contacts, **given}
    )


def statuses(said: list[Envelope]) -> list[str]:
    """The states that were told, in order."""
    return [one.data.state for one in said if isinstance(one.data, StatusChanged)]
