"""A company that has customers on both sides before it is switched on: what is heard of them, and what answers writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from crm_outbox.contract import ContactPerson, Customer, Stage, WriteCustomer
from economic_adapter.contract import EconomicContact, EconomicCustomer, WriteEconomicCustomer
from reconciler.rehearsal import Write
from reconciler.rules import System
from tests.builders.sync import Wire, crm_answered, crm_changed, done, economic_answered, economic_seen


@dataclass
class Company:
    """Both systems, as far as a test needs them: they hold customers, tell them, and carry out what they are told."""

    wire: Wire
    crm: dict[str, Customer] = field(default_factory=dict)
    economic: dict[int, EconomicCustomer] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    counters: dict[int, int] = field(default_factory=dict)
    written: list[Write] = field(default_factory=list)

    def catches_up(self) -> None:
        """No earlier than the command that was just given, however long it took: commands go by the machine's clock."""
        self.wire.time = max(self.wire.time, datetime.now(UTC))

    def here(self, *customers: Customer) -> None:
        """The CRM holds them, and it was heard of."""
        for one in customers:
            self.crm[one.id] = one
            self.versions[one.id] = self.versions.get(one.id, 0) + 1
            self.wire.hear(crm_changed(one, self.versions[one.id]))

    def there(self, *customers: EconomicCustomer) -> None:
        """e-conomic holds them, and they were read."""
        for one in customers:
            self.economic[one.number] = one
            self.counters[one.number] = self.counters.get(one.number, 0) + 1
            self.wire.hear(economic_seen(one, self.counters[one.number]))

    def read(self) -> None:
        """Both sides are told in full."""
        self.wire.read_both(self.crm, self.economic)

    def work(self) -> Sequence[WriteCustomer | WriteEconomicCustomer]:
        """Carry out and answer everything that was told since, until nothing more is; what it was."""
        found: list[WriteCustomer | WriteEconomicCustomer] = []
        while told := [
            one.data for one in self.wire.said() if isinstance(one.data, WriteCustomer | WriteEconomicCustomer)
        ]:
            for command in told:
                found.append(command)
                if isinstance(command, WriteCustomer):
                    self._in_crm(command)
                else:
                    self._in_economic(command)
        return found

    def _in_crm(self, command: WriteCustomer) -> None:
        crm_id = command.customer or f"made-{uuid4()}"
        customer = self.crm.get(crm_id)
        outcomes = []
        for part in command.parts:
            created: dict[str, Any] = {}
            record = "" if part.action == "create" else str(part.id)
            holder: Any = customer
            if part.record == "contact" and customer is not None:
                holder = next((one for one in customer.contacts if one.id == part.id), None)
            self._note(System.CRM, part.record, record, part.fields, holder)
            if part.record == "customer" and customer is None:
                customer = Customer(
                    id=crm_id,
                    created=self.wire.time,
                    stage=part.stage or Stage.ACTIVE,
                    origin=part.operation,
                    **part.fields,
                )
                created = {"created": crm_id}
            elif part.record == "customer" and customer is not None:
                stage = {} if part.stage is None else {"stage": part.stage}
                customer = customer.model_copy(update={**part.fields, **stage})
            elif customer is not None and part.action == "create":
                person = ContactPerson(id=f"made-{uuid4()}", origin=part.operation, **part.fields)
                customer = customer.model_copy(update={"contacts": (*customer.contacts, person)})
                created = {"created": person.id}
            elif customer is not None:
                people = tuple(
                    one.model_copy(update=part.fields) if one.id == part.id else one for one in customer.contacts
                )
                customer = customer.model_copy(update={"contacts": people})
            outcomes.append(done(part.operation, **created))
        assert customer is not None
        self.crm[crm_id] = customer
        self.versions[crm_id] = self.versions.get(crm_id, 0) + 1
        self.wire.hear(crm_answered(command, *outcomes, customer=customer, version=self.versions[crm_id]))

    def _in_economic(self, command: WriteEconomicCustomer) -> None:
        outcomes = []
        number = command.number
        customer = None if number is None else self.economic[number]
        for part in command.parts:
            created: dict[str, Any] = {}
            mark = str(uuid4())
            record = "" if part.action == "create" else str(part.number)
            holder: Any = customer
            if part.record == "contact" and customer is not None:
                holder = next((one for one in customer.contacts if one.number == part.number), None)
            self._note(System.ECONOMIC, part.record, record, part.fields, holder)
            if part.record == "customer" and customer is None:
                number = part.number or 1 + max(self.economic, default=0)
                customer = EconomicCustomer(number=number, object_version=mark, **part.fields)
                created = {"created": str(number)}
            elif part.record == "customer" and customer is not None:
                customer = customer.model_copy(update={"object_version": mark, **part.fields})
            elif customer is not None and part.action == "create":
                person = EconomicContact(number=1000 + len(customer.contacts), object_version=mark, **part.fields)
                customer = customer.model_copy(update={"contacts": (*customer.contacts, person)})
                created = {"created": str(person.number)}
            elif customer is not None:
                people = tuple(
                    one.model_copy(update={"object_version": mark, **part.fields}) if one.number == part.number else one
                    for one in customer.contacts
                )
                customer = customer.model_copy(update={"contacts": people})
            outcomes.append(done(part.operation, **created))
        assert customer is not None
        assert number is not None
        self.economic[number] = customer
        self.counters[number] = self.counters.get(number, 0) + 1
        answer = economic_answered(command, *outcomes, customer=customer, version=self.counters[number])
        self.wire.hear(answer)

    def _note(self, system: System, kind: Any, record: str, values: dict[str, str], holder: Any) -> None:
        for name, value in values.items():
            before = getattr(holder, name) if record and holder is not None else ""
            self.written.append(Write(system=system, record=kind, id=record, field=name, before=before, after=value))
