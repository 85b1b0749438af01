"""Builders for the reconciler's pure core: one customer on its way, told message by message."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from crm_outbox.contract import ContactPerson, Customer, NotSent, Outcome, Part, Result, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import Defaults, EconomicContact, EconomicCustomer, EconomicPart, WriteEconomicCustomer
from reconciler.link import Command, CrmSeen, Due, EconomicSeen, Heard, Link, Message, Pair, Status, new_link
from reconciler.rules import Area, Rule, Rules, Transfer
from reconciler.step import step

ON = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DEFAULTS = {
    Area.DENMARK: Defaults(group=1, terms=1, zone=1, currency="DKK"),
    Area.EU: Defaults(group=2, terms=1, zone=2, currency="EUR"),
}
RULES = Rules(agreement="on", since=ON, transfer=Transfer.CREATED, defaults=DEFAULTS)
VALUES = {"name": "Nordhavn Tømrer ApS", "country": "Danmark", "phone": "12345678", "city": "Aarhus"}
LINK = UUID("00000000-0000-4000-8000-000000000001")


def ruled(**rules: Rule) -> Rules:
    """Rules with those of some details of the customer chosen."""
    return replace(RULES, customer=rules)


@dataclass
class Case:
    """One customer: what each system holds, the link, and every command so far."""

    rules: Rules = RULES
    link: Link = field(default_factory=lambda: new_link("t", 1, "c1", LINK))
    now: datetime = NOW
    crm_values: dict[str, str] = field(default_factory=lambda: dict(VALUES))
    crm_contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    economic_values: dict[str, str] = field(default_factory=dict)
    economic_contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    crm_version: int = 0
    economic_version: int = 0
    object_version: int = 1
    status: Status | None = None
    commands: tuple[Command, ...] = ()
    counted: tuple[str, ...] = ()

    def hear(self, message: Message) -> tuple[Command, ...]:
        """One step; the commands it sent."""
        done = step(self.link, message, self.rules, self.now)
        self.link, self.status, self.commands, self.counted = done.link, done.status, done.commands, done.counted
        return done.commands

    def wait(self, gap: timedelta) -> tuple[Command, ...]:
        """Time passes, and the clock looks."""
        self.now += gap
        return self.hear(Due())

    def crm_seen(self, version: int | None = None) -> CrmSeen:
        people = tuple(ContactPerson(id=one, **values) for one, values in self.crm_contacts.items())
        facts = {"created": NOW, "stage": Stage.ACTIVE, **self.facts}
        customer = Customer(id="c1", contacts=people, **facts, **self.crm_values)
        return CrmSeen(version=Version(1, version or self.crm_version), customer=customer)

    def economic_seen(self, version: int | None = None, number: int = 1042, old: tuple[int, ...] = ()) -> EconomicSeen:
        people = tuple(
            EconomicContact(number=one, object_version=f"p{self.object_version}", **values)
            for one, values in self.economic_contacts.items()
        )
        customer = EconomicCustomer(
            number=number,
            object_version=f"v{self.object_version}",
            contacts=people,
            **self.economic_values,
        )
        return EconomicSeen(
            version=Version(1, version or self.economic_version), number=number, customer=customer, old_numbers=old
        )

    def crm(self, **values: str) -> tuple[Command, ...]:
        """A person edits the customer in the CRM, and the change is heard."""
        self.crm_values |= values
        self.crm_version += 1
        return self.hear(Heard(crm=self.crm_seen()))

    def economic(self, **values: str) -> tuple[Command, ...]:
        """A person edits the customer in e-conomic, and it is looked at."""
        self.economic_values |= values
        self.economic_version += 1
        self.object_version += 1
        return self.hear(Heard(economic=self.economic_seen()))

    def unsendable(self) -> tuple[Command, ...]:
        self.crm_version += 1
        seen = CrmSeen(version=Version(1, self.crm_version), unsendable=NotSent(reason="nul", detail="name"))
        return self.hear(Heard(crm=seen))

    def missing(self) -> tuple[Command, ...]:
        """e-conomic no longer has it, and that was confirmed."""
        self.economic_version += 1
        return self.hear(Heard(economic=EconomicSeen(version=Version(1, self.economic_version), number=1042)))

    def written(self, command: Command, *, state: bool = True, created: str | None = None) -> tuple[Command, ...]:
        """The command is carried out and answered, with the state after it or without."""
        return self.hear(self.carried_out(command, state=state, created=created))

    def carried_out(self, command: Command, *, state: bool = True, created: str | None = None) -> Heard:
        for part in command.parts:
            self._apply(part, created)
        outcomes = outcome_of(command, Result.WRITTEN, created=created)
        if isinstance(command, WriteCustomer):
            self.crm_version += 1
            return Heard(outcomes=outcomes, crm=self.crm_seen() if state else None)
        self.economic_version += 1
        self.object_version += 1
        return Heard(outcomes=outcomes, economic=self.economic_seen() if state else None)

    def refused(self, command: Command, reason: str, *, detail: str = "", message: str = "") -> tuple[Command, ...]:
        """The command is refused, with the state as it is there."""
        return self.hear(self.refusal(command, reason, detail=detail, message=message))

    def refusal(self, command: Command, reason: str, *, detail: str = "", message: str = "") -> Heard:
        """What is heard when the command is refused."""
        outcomes = outcome_of(command, Result.REFUSED, reason=reason, detail=detail, message=message)
        if isinstance(command, WriteCustomer):
            return Heard(outcomes=outcomes, crm=self.crm_seen())
        if self.link.number is None:
            return Heard(outcomes=outcomes)
        self.economic_version += 1
        return Heard(outcomes=outcomes, economic=self.economic_seen())

    @property
    def contacts(self) -> tuple[Pair, ...]:
        return self.link.contacts

    def _apply(self, part: Part | EconomicPart, created: str | None) -> None:
        if part.action == "remove":
            people: dict[Any, Any] = self.crm_contacts if isinstance(part, Part) else self.economic_contacts
            del people[part.id if isinstance(part, Part) else part.number]
        elif isinstance(part, Part):
            place = part.id or created or "new"
            extra = {} if part.action == "change" else {"origin": part.operation}
            if part.record == "customer":
                self.crm_values |= part.fields
            else:
                self.crm_contacts.setdefault(place, {}).update(part.fields | extra)
        elif part.record == "customer":
            self.economic_values |= part.fields
        else:
            self.economic_contacts.setdefault(part.number or int(created or 1), {}).update(part.fields)


def outcome_of(command: Command, result: Result, **more: Any) -> tuple[Outcome, ...]:
    """The same outcome for every part of a command."""
    return tuple(Outcome(operation=part.operation, result=result, **more) for part in command.parts)


def linked(rules: Rules = RULES, values: dict[str, str] | None = None) -> Case:
    """A customer created in the CRM that has arrived in e-conomic as number 1042; both agree."""
    case = Case(rules=RULES)
    (creation,) = case.crm(**(values or {}))
    case.written(creation, created="1042")
    assert case.status == Status(state="same")
    case.rules = rules
    return case


def to_crm(commands: Iterable[Command]) -> dict[str, str]:
    """What is written to the CRM's customer."""
    return _fields(commands, WriteCustomer)


def to_economic(commands: Iterable[Command]) -> dict[str, str]:
    """What is written to e-conomic's customer."""
    return _fields(commands, WriteEconomicCustomer)


def _fields(commands: Iterable[Command], kind: type) -> dict[str, str]:
    return {
        name: value
        for command in commands
        if isinstance(command, kind)
        for part in command.parts
        if part.record == "customer"
        for name, value in part.fields.items()
    }


def part_actions(commands: Iterable[Command]) -> list[str]:
    """What the parts of those commands do."""
    return [part.action for command in commands for part in command.parts]
