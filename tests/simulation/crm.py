"""What do the CRM and its applier do? One version per customer, an outbox row with every change, each operation answered once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_outbox.contract import (
    ContactPerson,
    Customer,
    CustomerChanged,
    CustomerWritten,
    Outcome,
    Part,
    Result,
    Stage,
    WriteCustomer,
)
from crm_outbox.messaging.envelope import Version
from reconciler.fields import canon
from tests.simulation.bus import Bus
from tests.simulation.store import Connection
from tests.simulation.truth import Truth


@dataclass
class Here:
    """A contact person here; ``key`` is the record's name in the truth."""

    key: str
    values: dict[str, str] = field(default_factory=dict)
    origin: UUID | None = None


@dataclass
class Row:
    """A customer here. ``who`` is the real company."""

    key: str
    who: str
    created: datetime
    values: dict[str, str] = field(default_factory=dict)
    version: int = 0
    stage: Stage = Stage.ACTIVE
    active_since: datetime | None = None
    deleted: bool = False
    merged_into: str | None = None
    number: int | None = None
    origin: UUID | None = None
    made_by: str = "person"
    contacts: dict[str, Here] = field(default_factory=dict)


class Crm:
    """The CRM. Its transactions never overlap: each holds what it changes from its first statement on."""

    def __init__(self, truth: Truth, bus: Bus) -> None:
        self.truth = truth
        self.bus = bus
        self.rows: dict[str, Row] = {}
        self.answers: dict[UUID, Outcome] = {}
        self.everyone: dict[str, Here] = {}
        """Every contact person that ever was: a write may be under way for one who is gone."""
        self.made = 0
        self.strict: set[tuple[str, str]] = set()
        self.wrong: list[str] = []
        self.companies: dict[UUID, str] = {}
        """Which real company a creation is of, by its operation."""

    def state(self, crm_id: str) -> tuple[Version, Customer]:
        """The customer as it stands, and the truth is told that it was."""
        row = self.rows[crm_id]
        version = Version(1, row.version)
        self.truth.told("crm", crm_id, str(version), (row.key, *(one.key for one in row.contacts.values())))
        persons = tuple(
            ContactPerson.model_construct(
                id=one, origin=person.origin, name="", email="", phone="", notes=""
            ).model_copy(update=person.values)
            for one, person in row.contacts.items()
        )
        values: dict[str, Any] = dict(row.values)
        customer = Customer.model_construct(
            None,
            id=crm_id,
            stage=row.stage,
            deleted=row.deleted,
            merged_into=row.merged_into,
            origin=row.origin,
            created=row.created,
            active_since=row.active_since,
            number=row.number,
            contacts=persons,
            **values,
        )
        return version, customer

    def changed(self, connection: Connection, crm_id: str, change: str = "changed") -> None:
        """The customer's next version goes out."""
        self.rows[crm_id].version += 1
        self.tell(connection, crm_id, change)

    def tell(self, connection: Connection, crm_id: str, change: str = "changed", run: UUID | None = None) -> None:
        """The customer goes out as it stands."""
        version, customer = self.state(crm_id)
        data = CustomerChanged(id=crm_id, change=change, customer=customer, run=run)
        self.bus.append(connection, "crm", "economic-adapter", data, crm_id, version)

    def set(self, crm_id: str, name: str, value: str) -> None:
        """A person types a value."""
        row = self.rows[crm_id]
        row.values[name] = value
        self.truth.edited("crm", row.key, name, value)

    def add_person(self, crm_id: str, values: dict[str, str]) -> str:
        """A person adds a contact person."""
        self.made += 1
        one = f"p{self.made}"
        self.everyone[one] = self.rows[crm_id].contacts[one] = Here(key=one)
        for name, value in values.items():
            self.set_person(crm_id, one, name, value)
        return one

    def set_person(self, crm_id: str, person: str, name: str, value: str) -> None:
        """A person types a value of a contact person."""
        row = self.rows[crm_id].contacts[person]
        row.values[name] = value
        self.truth.edited("crm", row.key, name, value)

    # ---- the applier

    def apply(self, connection: Connection, command: WriteCustomer, now: datetime) -> list[str]:
        """One command, all of its parts or none; answered whatever happens. What it did, in words."""
        crm_id = command.customer
        operations = [part.operation for part in command.parts]
        did: list[str] = []
        unseen: tuple[str, ...] = ()
        if not any(one in self.answers for one in operations):
            if crm_id is None:
                unseen = self._unseen(command)
                crm_id = self._create(connection, command, unseen, now, did)
            else:
                self._change(connection, command, crm_id, did)
        outcomes = tuple(self.answers[one] for one in operations)
        crm_id = crm_id or outcomes[0].created
        there = crm_id if crm_id in self.rows else None
        version, customer = self.state(there) if there else (None, None)
        answer = CustomerWritten(
            id=crm_id or "",
            agreement=command.agreement,
            customer=customer,
            outcomes=outcomes,
            candidates=unseen,  # an answer that is told again names nobody
        )
        self.bus.append(connection, "crm", "reconciler", answer, crm_id or "", version)
        return did

    def _refuse(self, command: WriteCustomer, reason: str) -> None:
        for part in command.parts:
            self.answers[part.operation] = Outcome(operation=part.operation, result=Result.REFUSED, reason=reason)

    def _change(self, connection: Connection, command: WriteCustomer, crm_id: str, did: list[str]) -> None:
        row = self.rows.get(crm_id)
        if row is None or row.deleted:
            return self._refuse(command, "not_found")
        if self.conflicts(command, row):
            return self._refuse(command, "version")
        gone = [one for one in command.parts if one.record == "contact" and one.id and one.id not in row.contacts]
        if gone:
            return self._refuse(command, "not_found")
        for part in command.parts:
            did += self._part(row, part)
        return self.changed(connection, crm_id)

    def conflicts(self, command: WriteCustomer, row: Row) -> bool:
        """Whether the customer is not any more as the decision saw it."""
        return command.version != str(Version(1, row.version))

    def _part(self, row: Row, part: Part) -> list[str]:
        created = None
        target: Row | Here = row
        if part.record == "contact" and part.action == "create":
            self.made += 1
            created = f"p{self.made}"
            key = self.truth.keys[part.operation]
            if any(one.key == key for one in row.contacts.values()):
                self.wrong.append(f"contact person {key} was created a second time in the CRM")
            made = Here(key=key, origin=self.origin(part.operation))
            target = row.contacts[created] = self.everyone[created] = made
            self.truth.created("contact", "crm", "economic", key, part.fields, part.operation)
        elif part.record == "contact":
            target = row.contacts[part.id or ""]
        did = []
        if part.action == "remove":
            removed = row.contacts.pop(part.id or "")
            did.append(f"removed {removed.values.get('name', '')!r}")
        for name, value in part.fields.items():
            before = target.values.get(name, "")
            if part.action == "change" and before != value:
                strict = (part.record, name) in self.strict
                self.truth.written(
                    part.record, "crm", "economic", target.key, name, value, part.operation, strict=strict
                )
            target.values[name] = value
            did.append(f"{name} {before!r} -> {value!r}")
        self._stage(row, part)
        self.answers[part.operation] = Outcome(operation=part.operation, result=Result.WRITTEN, created=created)
        return did

    def _stage(self, row: Row, part: Part) -> None:
        unasked = part.operation not in (self.truth.removing if part.action == "remove" else self.truth.by_person)
        if unasked and (part.action == "remove" or part.stage is not None):
            self.wrong.append(f"{row.key}: {part.action} {part.stage} in the CRM without a person's choice")
        if part.stage is not None:
            row.stage = part.stage

    def origin(self, operation: UUID) -> UUID | None:
        """What a created record carries for life."""
        return operation

    def _unseen(self, command: WriteCustomer) -> tuple[str, ...]:
        whole = next(part for part in command.parts if part.record == "customer")
        return tuple(one for one in self.twins(whole.fields) if one not in command.ruled_out)

    def _create(
        self, connection: Connection, command: WriteCustomer, unseen: tuple[str, ...], now: datetime, did: list[str]
    ) -> str | None:
        whole = next(part for part in command.parts if part.record == "customer")
        if unseen:
            self._refuse(command, "candidates")
            return None
        crm_id = f"c{len(self.rows) + 1}"
        key = self.truth.keys[whole.operation]
        if any(row.key == key and not row.deleted for row in self.rows.values()):
            self.wrong.append(f"{key} was created a second time in the CRM")
        row = Row(
            key=key, who=self.companies.get(whole.operation, key), created=now, active_since=now, made_by="product"
        )
        row.origin = self.origin(whole.operation)
        self.rows[crm_id] = row
        self.truth.created("customer", "crm", "economic", key, whole.fields, whole.operation)
        row.values = dict(whole.fields)
        row.stage = whole.stage or Stage.ACTIVE
        self.answers[whole.operation] = Outcome(operation=whole.operation, result=Result.WRITTEN, created=crm_id)
        for part in command.parts:
            if part is not whole:
                self._part(row, part)
        did.append(f"created {crm_id} {row.values.get('name', '')!r}")
        self.changed(connection, crm_id, "created")
        return crm_id

    def twins(self, fields: dict[str, str]) -> list[str]:
        """The customers that may be the same company, as the applier's search finds them."""
        return [
            crm_id
            for crm_id, row in self.rows.items()
            if not row.deleted
            and (
                _same("cvr", fields, row.values)
                or _same("ean", fields, row.values)
                or (
                    fields.get("email")
                    and fields.get("name")
                    and row.values.get("email", "").lower() == fields["email"].lower()
                    and row.values.get("name", "").lower() == fields["name"].lower()
                )
            )
        ]


def _same(name: str, one: dict[str, str], other: dict[str, str]) -> bool:
    value = canon("customer", name, one.get(name, ""))
    return value != "" and value == canon("customer", name, other.get(name, ""))
