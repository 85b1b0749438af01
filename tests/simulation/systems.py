"""What do the two systems do? A CRM with one version per customer, an e-conomic with one per record that cuts values."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from crm_outbox.contract import ContactPerson, Customer, Outcome, Result, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicContact, EconomicCustomer, EconomicPart, WriteEconomicCustomer, hold
from reconciler.link import CrmSeen, EconomicSeen, Heard, Kind
from tests.simulation.pools import START
from tests.simulation.truth import Truth

DONE = Result.WRITTEN


@dataclass
class Row:
    """A record in either system. ``key`` is the name of the record in the truth: the same on both sides once linked."""

    key: str
    values: dict[str, str] = field(default_factory=dict)
    version: int = 1
    origin: UUID | None = None
    made_by: str = ""


@dataclass
class CrmRow(Row):
    stage: Stage = Stage.ACTIVE
    created: datetime = START
    deleted: bool = False
    contacts: dict[str, Row] = field(default_factory=dict)


@dataclass
class EconomicRow(Row):
    contacts: dict[int, Row] = field(default_factory=dict)


class Crm:
    """The CRM and its applier."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.rows: dict[str, CrmRow] = {}
        self.answers: dict[UUID, Outcome] = {}
        self.made = 0
        self.strict: set[tuple[str, str]] = set()

    def state(self, crm_id: str) -> CrmSeen:
        row = self.rows[crm_id]
        persons = tuple(
            ContactPerson(id=one, origin=person.origin, **person.values) for one, person in row.contacts.items()
        )  # fmt: skip
        customer = Customer(
            id=crm_id,
            stage=row.stage,
            deleted=row.deleted,
            created=row.created,
            active_since=row.created,
            contacts=persons,
            **row.values,
        )
        version = Version(1, row.version)
        self.truth.told("crm", crm_id, str(version), (row.key, *(one.key for one in row.contacts.values())))
        return CrmSeen(version=version, customer=customer)

    def apply(self, command: WriteCustomer) -> Heard:
        """Write all parts or none, once per operation."""
        crm_id = command.customer or ""
        row = self.rows[crm_id]
        operations = [part.operation for part in command.parts]
        if any(one in self.answers for one in operations):
            return Heard(outcomes=tuple(self.answers[one] for one in operations), crm=self.state(crm_id))
        if command.version != str(Version(1, row.version)):
            for one in operations:
                self.answers[one] = Outcome(operation=one, result=Result.REFUSED, reason="version")
            return Heard(outcomes=tuple(self.answers[one] for one in operations), crm=self.state(crm_id))
        for part in command.parts:
            created = None
            person: Row = row
            if part.record == "contact" and part.action == "create":
                self.made += 1
                created = f"p{self.made}"
                key = self.truth.keys[part.operation]
                person = row.contacts[created] = Row(key=key, origin=part.operation, made_by="product")
                self.truth.created("contact", "crm", "economic", key, part.fields, part.operation)
            elif part.record == "contact":
                person = row.contacts[part.id or ""]
            for name, value in part.fields.items():
                if part.action == "change":
                    strict = (part.record, name) in self.strict
                    self.truth.written(
                        part.record, "crm", "economic", person.key, name, value, part.operation, strict=strict
                    )
                person.values[name] = value
            self.answers[part.operation] = Outcome(operation=part.operation, result=DONE, created=created)
        row.version += 1
        return Heard(outcomes=tuple(self.answers[one] for one in operations), crm=self.state(crm_id))


class Economic:
    """e-conomic and its adapter: operations are planned when they come, and carried out later."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.rows: dict[int, EconomicRow] = {}
        self.answers: dict[UUID, Outcome] = {}
        self.planned: dict[UUID, WriteEconomicCustomer] = {}
        self.counters: dict[int, int] = {}
        self.renumbered: dict[int, tuple[int, ...]] = {}
        self.made = 0
        self.strict: set[tuple[str, str]] = set()

    def look(self, number: int) -> EconomicSeen:
        """Read a customer: each read has the next number of its counter."""
        olds = self.renumbered.get(number, ())
        self.counters[number] = max(self.counters.get(one, 0) for one in (number, *olds)) + 1
        version = Version(1, self.counters[number])
        if (row := self.rows.get(number)) is None:
            return EconomicSeen(version=version, number=number)
        self.truth.told("economic", str(number), str(version), (row.key, *(one.key for one in row.contacts.values())))
        persons = tuple(
            EconomicContact(number=one, object_version=str(person.version), **person.values)
            for one, person in row.contacts.items()
        )
        customer = EconomicCustomer(
            number=number,
            object_version=str(row.version),
            contacts=persons,
            **row.values,
        )
        return EconomicSeen(version=version, number=number, customer=customer, old_numbers=olds)

    def renumber(self, number: int) -> int:
        """A person gives a customer another number."""
        new = max(self.rows) + 1
        self.rows[new] = self.rows.pop(number)
        self.renumbered[new] = (*self.renumbered.pop(number, ()), number)
        return new

    def take(self, command: WriteEconomicCustomer) -> Heard | None:
        """Plan what is new; a repeat of what was answered is answered again, of what waits acknowledged."""
        known = [part.operation for part in command.parts if part.operation in self.answers]
        waiting = [part.operation for part in command.parts if part.operation in self.planned]
        for part in command.parts:
            if part.operation not in self.answers and part.operation not in self.planned:
                self.planned[part.operation] = command.model_copy(update={"parts": (part,)})
        outcomes = [self.answers[one] for one in known]
        outcomes += [Outcome(operation=one, result=Result.WAITING, reason="away") for one in waiting]
        return Heard(outcomes=tuple(outcomes)) if outcomes else None

    def work(self, operation: UUID, *, unclear: bool = False, loses: bool = False) -> Heard | None:
        """Carry out one planned operation. ``unclear``: nobody can tell; ``loses``: it is not even known to have run."""
        command = self.planned.pop(operation)
        part = command.parts[0]
        number = command.number
        landed = not unclear or operation.int % 2 == 0
        outcome = self._do(command, part) if landed else Outcome(operation=operation, result=Result.REFUSED)
        if unclear:
            outcome = Outcome(operation=operation, result=Result.REFUSED, reason="ambiguous")
        self.answers[operation] = outcome
        if outcome.created and part.record == "customer":
            number = int(outcome.created)
        if loses:
            return None
        return Heard(outcomes=(outcome,), economic=None if number is None else self.look(number))

    def _do(self, command: WriteEconomicCustomer, part: EconomicPart) -> Outcome:
        def refused(reason: str, detail: str = "") -> Outcome:
            return Outcome(operation=part.operation, result=Result.REFUSED, reason=reason, detail=detail)

        if "bad" in part.fields.get("email", ""):
            return refused("CustomerInvalidEmail", "email")
        if part.record == "customer" and part.action == "create":
            number = max(self.rows, default=1000) + 1
            self.rows[number] = EconomicRow(key=command.customer, made_by="product", origin=part.operation)
            self._fill("customer", self.rows[number], part)
            return Outcome(operation=part.operation, result=DONE, created=str(number))
        row = self.rows.get(command.number or 0)
        if row is None:
            return refused("not_found")
        if part.action == "create":
            if set(row.contacts) - set(part.seen) - {n for n, one in row.contacts.items() if one.made_by == "product"}:
                return refused("candidates")
            if any(one.values.get("name") == part.fields.get("name") for one in row.contacts.values()):
                return refused("CustomerContactNameAlreadyExists", "name")
            self.made += 1
            key = self.truth.keys[part.operation]
            row.contacts[self.made] = Row(key=key, made_by="product", origin=part.operation)
            self._fill("contact", row.contacts[self.made], part)
            return Outcome(operation=part.operation, result=DONE, created=str(self.made))
        record = row if part.record == "customer" else row.contacts.get(part.number or 0)
        if record is None:
            return refused("not_found")
        if part.object_version != str(record.version):
            return refused("version")
        for name, value in part.fields.items():
            strict = (part.record, name) in self.strict
            self.truth.written(part.record, "economic", "crm", record.key, name, value, part.operation, strict=strict)
            record.values[name] = hold(part.record, name, value)
        record.version += 1
        return Outcome(operation=part.operation, result=DONE)

    def _fill(self, kind: Kind, record: Row, part: EconomicPart) -> None:
        record.values = {name: hold(kind, name, value) for name, value in part.fields.items()}
        self.truth.created(kind, "economic", "crm", record.key, part.fields, part.operation)
