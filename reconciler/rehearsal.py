"""What would a message make a link write, until nothing more follows? The steps taken, every write answered as written.

So a preview is no estimate: it is the run itself, on the values recorded now, without anything being sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crm_outbox.contract import ContactPerson, Customer, NotSent, Outcome, Result, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicContact, EconomicCustomer, WriteEconomicCustomer
from reconciler import fields
from reconciler.link import Command, CrmSeen, EconomicSeen, Heard, Kind, Link, Message, Status
from reconciler.rules import Rules, System
from reconciler.step import step
from reconciler.tasks import planned

ROUNDS = 6
"""Writes follow from answers at most so often: a customer, its persons one way, then the other way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One detail of one record as it would be written. ``id`` empty: the record is created."""

    system: System
    record: Kind
    id: str
    field: str
    before: str
    after: str

    @property
    def detail(self) -> str:
        """The detail people choose by; of a contact person with its kind before it."""
        name = next(one.name for one in fields.GROUPS[self.record] if self.field in one.fields)
        return name if self.record == "customer" else f"contact.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What came of it: every write in order, the link and its status at the end, and what still differs, by detail."""

    writes: tuple[Write, ...]
    first: Link
    link: Link
    status: Status
    differing: tuple[str, ...]
    counted: tuple[str, ...]


@dataclass(slots=True)
class _Both:
    crm: Customer | None
    crm_version: Version
    economic: EconomicCustomer | None
    economic_version: Version
    unsendable: NotSent | None = None
    """Why e-conomic's customer came without its contact persons."""
    created: int = 0


def rehearse(
    link: Link,
    message: Message,
    rules: Rules,
    now: datetime,
    *,
    crm: CrmSeen | None = None,
    economic: EconomicSeen | None = None,
) -> Rehearsed:
    """Take the step and all that follow. ``crm`` and ``economic`` are what is recorded of both sides."""
    both = _Both(
        crm=None if crm is None else crm.customer,
        crm_version=Version(1, 0) if crm is None else crm.version,
        economic=None if economic is None else economic.customer,
        economic_version=Version(1, 0) if economic is None else economic.version,
        unsendable=None if economic is None else economic.unsendable,
    )
    already = {one.operation for one in link.pending}
    done = step(link, message, rules, now)
    first, counted = done.link, done.counted
    writes: list[Write] = []
    for _ in range(ROUNDS):
        fresh = [one for one in done.commands if not _repeats(one, already)]
        if not fresh:
            break
        for command in fresh:
            writes += written(command, done.link)
            done = step(done.link, _carried_out(both, command), rules, now)
    return Rehearsed(
        writes=tuple(writes),
        first=first,
        link=done.link,
        status=done.status,
        differing=differing(done.link, rules),
        counted=counted,
    )


def written(command: Command, link: Link, *, by_itself: bool = False) -> list[Write]:
    """What a command writes, detail by detail, with what the decision saw there before; of who is removed, nothing is left.

    ``by_itself``: without what a person decided.
    """
    seen = {one.operation: one.seen for one in link.pending}
    decided = {one.operation: one.decided for one in link.pending} if by_itself else {}
    system = System.CRM if isinstance(command, WriteCustomer) else System.ECONOMIC
    found = []
    for part in command.parts:
        before = seen.get(part.operation, {}) if part.action != "create" else {}
        record = "" if part.action == "create" else str(part.id if hasattr(part, "id") else part.number)
        found += [
            Write(
                system=system,
                record=part.record,
                id=record,
                field=name,
                before=fields.text(before, name),
                after=value,
            )
            for name, value in sorted((part.fields if part.action != "remove" else dict.fromkeys(before, "")).items())
            if name not in decided.get(part.operation, {})
        ]
    return found


def differing(link: Link, rules: Rules) -> tuple[str, ...]:
    """The details that do not agree, once for each record."""
    return tuple(
        one.group.name if pair.kind == "customer" else f"contact.{one.group.name}"
        for pair, one in planned(link, rules)
        if one.differing
    )


def _repeats(command: Command, already: Iterable[object]) -> bool:
    known = set(already)
    return all(part.operation in known for part in command.parts)


def _carried_out(both: _Both, command: Command) -> Heard:
    if isinstance(command, WriteCustomer):
        return _in_crm(both, command)
    return _in_economic(both, command)


def _in_crm(both: _Both, command: WriteCustomer) -> Heard:
    outcomes = []
    for part in command.parts:
        created = None
        if part.action == "create":
            both.created += 1
            created = f"new-{both.created}"
        if part.record == "customer":
            given = {"id": created, "stage": Stage.ACTIVE, "created": _LONG_AGO} if created else {}
            both.crm = (both.crm or _NOBODY).model_copy(update={**given, **part.fields})
        elif both.crm is not None:
            people = _edited(both.crm.contacts, part.id, part.fields)
            if part.action == "remove":
                people = tuple(one for one in people if one.id != part.id)
            if created is not None:
                people = (*people, ContactPerson(id=created, origin=part.operation, **part.fields))
            both.crm = both.crm.model_copy(update={"contacts": people})
        outcomes.append(Outcome(operation=part.operation, result=Result.WRITTEN, created=created))
    both.crm_version = Version(both.crm_version.epoch, both.crm_version.number + 1)
    return Heard(outcomes=tuple(outcomes), crm=CrmSeen(version=both.crm_version, customer=both.crm))


def _in_economic(both: _Both, command: WriteEconomicCustomer) -> Heard:
    outcomes = []
    for part in command.parts:
        both.created += 1
        mark = f"rehearsed-{both.created}"
        created = None
        if part.record == "customer" and part.action == "create":
            number = part.number or _A_NUMBER
            created = str(number)
            both.economic = EconomicCustomer(number=number, object_version=mark, **part.fields)
            both.unsendable = None
        elif part.record == "customer" and both.economic is not None:
            both.economic = both.economic.model_copy(update={"object_version": mark, **part.fields})
        elif both.economic is not None:
            people = tuple(
                one.model_copy(update={"object_version": mark, **part.fields}) if one.number == part.number else one
                for one in both.economic.contacts
                if part.action != "remove" or one.number != part.number
            )
            if part.action == "create":
                created = str(_A_NUMBER + both.created)
                people = (*people, EconomicContact(number=int(created), object_version=mark, **part.fields))
            both.economic = both.economic.model_copy(update={"contacts": people})
        outcomes.append(Outcome(operation=part.operation, result=Result.WRITTEN, created=created))
    both.economic_version = Version(both.economic_version.epoch, both.economic_version.number + 1)
    if both.economic is None:
        return Heard(outcomes=tuple(outcomes))
    seen = EconomicSeen(
        version=both.economic_version,
        number=both.economic.number,
        customer=both.economic,
        unsendable=both.unsendable,
    )
    return Heard(outcomes=tuple(outcomes), economic=seen)


def _edited(people: Sequence[ContactPerson], person: str | None, values: dict[str, str]) -> tuple[ContactPerson, ...]:
    return tuple(one.model_copy(update=values) if one.id == person else one for one in people)


def differs_from(planned: Sequence[Write], now: Sequence[Write]) -> bool:
    """Whether a customer would be written otherwise than it was shown; the order of its details is none of it."""
    return set(planned) != set(now)


def quiet(link: Link) -> Link:
    """The link as it would be without the writes that are under way: they are no part of what a run does."""
    customer, *people = (replace(pair, pending={}) for pair in link.pairs)
    return replace(link, customer=customer, contacts=tuple(people))


_LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_NOBODY = Customer(id="new", created=_LONG_AGO)
_A_NUMBER = 900_000_000
