"""How does the reconciler run here? Its own flows, unchanged, on tables that are dicts, with locks that can be waited for.

``installed`` puts these tables in the place of the store's functions, for as long as a simulation runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from crm_outbox.contract import WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import LookAtCustomer
from reconciler import (
    agreements,
    decided,
    fields,
    joining,
    keys,
    meeting,
    questions,
    reconcile,
    sides,
    similar,
    stepping,
    store,
    strangers,
)
from reconciler.agreements import Chosen
from reconciler.contract import StatusChanged
from reconciler.decisions import Ended
from reconciler.link import CrmSeen, EconomicSeen, Heard, Link, LinkState, Message, Status, new_link
from reconciler.profiles import Record
from reconciler.rules import Rules, System
from reconciler.step import step
from reconciler.store import Stored
from tests.simulation import ties
from tests.simulation.store import Blocked, Session, transaction

if TYPE_CHECKING:
    from tests.simulation.world import World

NAMESPACE = UUID("6f1f7c1e-4c57-4a4e-8f0e-0d6f6a0b8f11")
TENANT = "t"
AGREEMENT = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The agreement's row, as steps and flows look at it."""

    rules: Rules
    state: str = "on"
    busy: UUID | None = None
    read_at: datetime | None = None

    @property
    def receive(self) -> bool:
        return self.rules.receive

    @property
    def takes_strangers(self) -> bool:
        return self.state in {"on", "access_lost"} and self.receive and self.read_at is not None and self.busy is None

    def as_rules(self, _resend: timedelta) -> Rules:
        return self.rules

    def rules_for(self, link: Link, _resend: timedelta) -> Rules:
        if self.busy is not None and link.state is LinkState.UNLINKED and self.rules.agreement == "on":
            return replace(self.rules, agreement="connected")
        return self.rules


class Sync:
    """The reconciler's tables, and the ways in."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.links: dict[UUID, Link] = {}
        self.told: dict[UUID, Status] = {}
        self.fresh: dict[UUID, bool] = {}
        self.crm_side: dict[str, CrmSeen] = {}
        self.economic_side: dict[int, EconomicSeen] = {}
        self.settings: dict[int, Settings] = {}
        self.held: dict[object, Session] = {}
        self.numbers = count(1)
        self.execute: Callable[[Session, Any, Any], Any] = lambda *_: None
        self.clocked = stepping.Clocked(resend=timedelta(minutes=1), now=lambda: world.now)

    def session(self) -> Session:
        """A transaction of the reconciler's."""
        session = Session(self.held, self.execute)
        session.checks.append(self._unique)
        return session

    def _unique(self, session: Session) -> None:
        """What the indexes of the link table guarantee."""
        links = session.rows(self.links).values()
        for name in ("number", "crm_id"):
            values = [getattr(one, name) for one in links if getattr(one, name)]
            if len(set(values)) != len(values):
                raise Blocked(f"two links with one {name}")

    def run(self, link_id: UUID, message: Message) -> None:
        """The clock's or a person's step on one link, in a transaction of its own."""
        with transaction(self.world.peril, self.session()) as session:
            stored = store.lock_id(session, link_id)
            if stored is not None:
                meeting.take(self.clocked, session, stored, message)

    def due(self, now: datetime) -> list[UUID]:
        """The links that wait for time."""
        return [one.id for one in self.links.values() if one.due is not None and one.due <= now]

    def holder(self, number: int) -> Link | None:
        """The link of a customer of the CRM that has that number."""
        return next((one for one in self.links.values() if one.number == number and one.crm_id), None)

    def hear(self, session: Session, data: Any, version: Version | None) -> None:
        """A message, in the transaction of its inbox row."""
        reconcile.handle(self.clocked, session, SimpleNamespace(tenant=TENANT, data=data, version=version))  # type: ignore[arg-type]

    def of(self, crm_id: str) -> Link | None:
        """The link of a customer of the CRM."""
        return next((one for one in self.links.values() if one.crm_id == crm_id), None)


class _Tables:
    """The store's functions, by their names there."""

    def __init__(self, sync: Sync) -> None:
        self.sync, self.world = sync, sync.world

    # ---- links

    def _stored(self, session: Session, link: Link) -> Stored:
        session.lock(("link", link.id))
        return Stored(
            link=link,
            fresh=bool(session.get(self.sync.fresh, link.id)),
            told=session.get(self.sync.told, link.id),
            held=False,
            agreement=session.get(self.sync.settings, AGREEMENT),
        )

    def _where(self, session: Session, which: Callable[[Link], bool]) -> list[Stored]:
        found = [one for one in session.rows(self.sync.links).values() if which(one)]
        found.sort(key=lambda one: one.id)
        return [self._stored(session, one) for one in found]

    def lock(self, session: Session, _tenant: str, _agreement: int, crm_id: str) -> Stored | None:
        found = self._where(session, lambda one: one.crm_id == crm_id)
        return found[0] if found else None

    def lock_numbers(self, session: Session, _tenant: str, _agreement: int, numbers: Sequence[int]) -> list[Stored]:
        return self._where(session, lambda one: one.number in numbers)

    def lock_both(self, session: Session, _tenant: str, _agreement: int, crm_id: str, number: int) -> list[Stored]:
        return self._where(session, lambda one: one.crm_id == crm_id or one.number == number)

    def lock_id(self, session: Session, link: UUID) -> Stored | None:
        found = self._where(session, lambda one: one.id == link)
        return found[0] if found else None

    def lock_operation(
        self, session: Session, _tenant: str, _agreement: int, operations: Sequence[UUID]
    ) -> Stored | None:
        wanted = set(operations)
        found = self._where(session, lambda one: any(open_.operation in wanted for open_ in one.pending))
        return found[0] if found else None

    def merged_into(self, session: Session, _tenant: str, _agreement: int, crm_id: str) -> list[UUID]:
        links = session.rows(self.sync.links).values()
        gone = {crm_id}
        while more := {one.crm_id for one in links if one.crm_id and one.merged_into in gone} - gone:
            gone |= more
        return sorted(one.id for one in links if one.crm_id in gone and one.rest == "merged" and one.number is not None)

    def load(self, session: Session, link: UUID) -> Stored:
        return self._stored(session, session.get(self.sync.links, link))

    def insert(self, session: Session, _link: UUID, tenant: str, agreement: int, crm_id: str) -> None:
        session.lock(("crm", crm_id))
        if any(one.crm_id == crm_id for one in session.rows(self.sync.links).values()):
            return
        link = new_link(tenant, agreement, crm_id, uuid5(NAMESPACE, crm_id))
        session.put(self.sync.links, link.id, link)
        session.put(self.sync.fresh, link.id, True)

    def insert_stranger(self, session: Session, _link: UUID, tenant: str, agreement: int, number: int) -> None:
        session.lock(("number", number))
        if any(one.number == number for one in session.rows(self.sync.links).values()):
            return
        made = uuid5(NAMESPACE, f"stranger {number} {next(self.sync.numbers)}")
        link = replace(new_link(tenant, agreement, "", made), number=number)
        session.put(self.sync.links, link.id, link)
        session.put(self.sync.fresh, link.id, True)

    def remove(self, session: Session, link: UUID) -> None:
        session.drop(self.sync.links, link)

    def save(
        self, session: Session, stored: Stored, link: Link, status: Status, message: Message, _now: datetime
    ) -> None:
        self.world.second()
        self.world.peril.gap()
        before = stored.link
        session.put(self.sync.links, link.id, link)
        session.put(self.sync.fresh, link.id, False)
        session.put(self.sync.told, link.id, status)
        heard = message if isinstance(message, Heard) else Heard()
        if heard.crm is not None and link.crm_id:
            self._keep_crm(session, link.crm_id, heard.crm)
        if heard.economic is not None:
            self._keep_economic(session, heard.economic)
        session.after.append(lambda: ties.saved(self.world, before, link, status, stored.told))

    # ---- sides

    def _keep_crm(self, session: Session, crm_id: str, seen: CrmSeen) -> bool:
        known = session.get(self.sync.crm_side, crm_id)
        if known is not None and seen.version <= known.version:
            return False
        session.put(self.sync.crm_side, crm_id, seen)
        return True

    def _keep_economic(self, session: Session, seen: EconomicSeen) -> bool:
        session.lock(("side", seen.number))
        known = session.get(self.sync.economic_side, seen.number)
        if known is not None and seen.version <= known.version:
            return False
        session.put(self.sync.economic_side, seen.number, seen)
        return True

    def record_crm(self, session: Session, _tenant: str, crm_id: str, seen: CrmSeen, _now: datetime) -> None:
        self._keep_crm(session, crm_id, seen)

    def record_economic(
        self, session: Session, _tenant: str, _agreement: int, seen: EconomicSeen, _now: datetime
    ) -> bool:
        return self._keep_economic(session, seen)

    def newest_economic(
        self, session: Session, _tenant: str, _agreement: int, number: int, _now: datetime
    ) -> EconomicSeen | None:
        session.lock(("side", number))
        return self.economic(session, TENANT, AGREEMENT, number)

    def economic(self, session: Session, _tenant: str, _agreement: int, number: int) -> EconomicSeen | None:
        seen = session.get(self.sync.economic_side, number)
        return None if seen is None else replace(seen, old_numbers=())

    def crm(self, session: Session, _tenant: str, crm_id: str) -> CrmSeen | None:
        found: CrmSeen | None = session.get(self.sync.crm_side, crm_id)
        return found

    # ---- the agreement

    def hold(self, session: Session, _tenant: str, _agreement: int) -> None:
        self.hold_agreement(session)

    def hold_agreement(self, session: Session) -> None:
        session.lock("agreement")

    def lock_agreement(self, session: Session, _tenant: str, _agreement: int) -> Settings | None:
        self.hold(session, TENANT, AGREEMENT)
        found: Settings | None = session.get(self.sync.settings, AGREEMENT)
        return found

    def chosen(self, session: Session, _tenant: str, _agreement: int | None) -> Chosen | None:
        return Chosen(AGREEMENT, session.get(self.sync.settings, AGREEMENT).rules.since is not None)

    # ---- who is alike

    def search(self, session: Session, side: System, _tenant: str, _agreement: int, record: Record) -> list[Record]:
        wanted = keys.strong(keys.of(record.values, record.persons))
        if not wanted:
            return []
        if side is System.CRM:
            found = [
                _record_of(seen.customer.id, seen.customer)
                for seen in session.rows(self.sync.crm_side).values()
                if seen.customer is not None and not seen.customer.deleted and seen.customer.merged_into is None
            ]
        else:
            found = [
                similar._of_economic(seen.customer)
                for seen in session.rows(self.sync.economic_side).values()
                if seen.customer is not None
            ]
        return [one for one in found if not set(wanted).isdisjoint(keys.of(one.values, one.persons))]

    def links(
        self, session: Session, _tenant: str, _agreement: int, own: Sequence[Record], others: Sequence[Record]
    ) -> list[Any]:
        ids = {one.id for one in (*own, *others)}
        return [
            similar._Link(
                id=one.id, crm_id=one.crm_id, number=one.number, state=str(one.state), apart=frozenset(one.apart)
            )
            for one in session.rows(self.sync.links).values()
            if one.crm_id in ids or str(one.number) in ids
        ]

    def linked(self, session: Session, key: Mapping[str, Any], wanted: Sequence[str]) -> list[strangers.Known]:
        found = []
        for one in session.rows(self.sync.links).values():
            seen = session.get(self.sync.economic_side, one.number)
            if not one.crm_id or one.number is None or one.number == key["number"] or key["number"] in one.apart:
                continue
            if seen is not None and seen.customer is not None and _shares(seen.customer, wanted):
                persons = frozenset(person.number for person in seen.customer.contacts)
                values = strangers.values_of(seen.customer)
                found.append(
                    strangers.Known(link=one.id, crm_id=one.crm_id, number=one.number, values=values, persons=persons)
                )
        return sorted(found, key=lambda one: one.number)

    def gone(self, session: Session, key: Mapping[str, Any]) -> list[strangers.Known]:
        found = []
        for one in session.rows(self.sync.links).values():
            there = one.customer.economic
            if one.rest != "deleted_there" or one.number is None or there is None or key["number"] in one.apart:
                continue
            persons = frozenset(int(pair.economic.id) for pair in one.contacts if pair.economic is not None)
            found.append(
                strangers.Known(
                    link=one.id, crm_id=one.crm_id, number=one.number, values=there.values, persons=persons, gone=True
                )
            )
        return sorted(found, key=lambda one: one.link)

    def execute(self, session: Session, statement: Any, values: Mapping[str, Any]) -> Any:
        """The statements that the flows send themselves."""
        links = list(session.rows(self.sync.links).values())
        if statement is similar._CREATING:
            return [
                _Row(link=one.id, values=dict(sent.values))
                for one in links
                if one.state is LinkState.CREATING
                for sent in one.customer.pending.values()
                if sent.action == "create"
                and sent.system is System.ECONOMIC
                and sent.values.get("name", "").casefold() == values["name"]
            ]
        if statement is similar._BUSY:
            busy = [one.id for one in links if one.crm_id == values["crm_id"] and one.state is LinkState.CREATING]
            return _Scalar(busy[0] if busy else None)
        if statement is similar._ASKED_ABOUT:
            number = values["number"]
            return [
                _Row(crm_id=one.crm_id)
                for one in sorted(links, key=lambda one: one.crm_id)
                if number in one.candidates
                and number not in one.apart
                and one.state is LinkState.UNLINKED
                and one.crm_id
            ]
        if statement is similar._FORMER:
            return [
                _Row(crm_id=one.crm_id, parted=one.parted, gone=self._deleted(session, one.crm_id))
                for one in links
                if not set(values["numbers"]).isdisjoint(one.old_numbers)
                and one.state is LinkState.UNLINKED
                and one.crm_id
            ]
        raise AssertionError(f"the simulation does not know this statement: {statement}")

    def _deleted(self, session: Session, crm_id: str) -> bool:
        seen = session.get(self.sync.crm_side, crm_id)
        return seen is not None and seen.customer is not None and seen.customer.deleted

    # ---- what is told

    def append_all(self, session: Session, _outbox: Any, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            data, about = draft.data, draft.customer or str(draft.number)
            match data:
                case WriteCustomer():
                    to = "crm-applier"
                case StatusChanged():
                    continue
                case _:
                    to = "economic-adapter"
            self.world.bus.append(session, "sync", to, data, about)
            if not isinstance(data, LookAtCustomer):
                session.after.append(partial(ties.commanded, self.world, data, about))

    def note(self, session: Session, ended: Iterable[Ended], _now: datetime) -> None:
        parts = list(ended)
        session.after.append(lambda: self.world.ended.extend(parts))

    def ask(self, *_: Any) -> list[Any]:
        return []

    def append(self, session: Session, outbox: Any, draft: Any) -> None:
        self.append_all(session, outbox, [draft])

    def step(self, link: Link, message: Message, rules: Rules, now: datetime) -> Any:
        return self.world.react(link, message, rules, now)


class _Row:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class _Scalar:
    def __init__(self, value: Any) -> None:
        self.scalar = lambda: value


def _record_of(crm_id: str, customer: Any) -> Record:
    values = {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
    return Record(id=crm_id, values=values, persons=_persons(customer))


def _persons(customer: Any) -> tuple[dict[str, str], ...]:
    return tuple({name: getattr(one, name) for name in fields.FIELDS["contact"]} for one in customer.contacts)


def _shares(customer: Any, wanted: Sequence[str]) -> bool:
    values = {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
    persons = tuple({"email": one.email} for one in customer.contacts)
    return not set(wanted).isdisjoint(keys.of(values, persons))


@contextmanager
def installed(sync: Sync) -> Iterator[None]:
    """The reconciler on these tables, for one world."""
    tables = _Tables(sync)
    places: dict[Any, dict[str, Any]] = {
        store: {
            name: getattr(tables, name)
            for name in (
                "merged_into", "lock", "lock_numbers", "lock_both", "lock_id", "lock_operation", "load", "insert",
                "insert_stranger", "remove", "save",
            )
        },
        sides: {
            name: getattr(tables, name)
            for name in ("record_crm", "record_economic", "newest_economic", "economic", "crm")
        },
        agreements: {"hold": tables.hold, "lock": tables.lock_agreement, "chosen": tables.chosen},
        similar: {
            "_search": tables.search, "_links": tables.links,
            "_linked": tables.linked, "_gone": tables.gone,
        },
        stepping: {"append_all": tables.append_all, "step": tables.step},
        joining: {"append": tables.append},
        decided: {"note": tables.note},
        questions: {"save": tables.ask},
    }  # fmt: skip
    before = [(module, name, getattr(module, name)) for module, names in places.items() for name in names]
    quiet: tuple[Any, ...] = (meeting, reconcile)
    logs = [(module, module.log) for module in quiet]
    for module, names in places.items():
        for name, function in names.items():
            setattr(module, name, function)
    for module, _ in logs:
        module.log = ties.Silent()
    sync.execute = tables.execute
    try:
        yield
    finally:
        for module, name, function in before:
            setattr(module, name, function)
        for module, log in logs:
            module.log = log


def plain(link: Link, message: Message, rules: Rules, now: datetime) -> Any:
    """The product's step."""
    return step(link, message, rules, now)
