"""What is remembered of links and of both sides here? The store's functions, on dicts, with locks that can be waited for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import ConfigureAgreement, LookAtCustomer, WriteEconomicCustomer
from reconciler.decisions import Ended
from reconciler.link import CrmSeen, EconomicSeen, Heard, Link, LinkState, Message, Status, new_link
from reconciler.rules import Rules
from reconciler.store import Stored, Waiting
from tests.simulation import ties, written
from tests.simulation.agreement import AGREEMENT, TENANT
from tests.simulation.store import Session

if TYPE_CHECKING:
    from tests.simulation.sync import Sync

NAMESPACE = UUID("6f1f7c1e-4c57-4a4e-8f0e-0d6f6a0b8f11")

_JOINING = frozenset({LinkState.UNLINKED, LinkState.CREATING})


class Links:
    """The store's functions of links and sides, by their names there."""

    STORE = (
        "lock", "lock_numbers", "lock_both", "lock_id", "lock_operation", "lock_due", "load", "insert",
        "insert_stranger", "insert_missing", "remove", "remove_stranger", "save", "hold", "of_agreement",
        "to_look_again", "look_again", "merged_into",
    )  # fmt: skip
    SIDES = (
        "record_crm",
        "record_economic",
        "newest_economic",
        "economic",
        "crm",
        "all_crm",
        "all_economic",
        "recorded_since",
        "vacate",
    )

    def __init__(self, sync: "Sync") -> None:
        self.sync, self.world = sync, sync.world

    # ---- links

    def _stored(self, session: Session, link: Link) -> Stored:
        session.lock(("link", link.id))
        return Stored(
            link=link,
            fresh=bool(session.get(self.sync.fresh, link.id)),
            told=session.get(self.sync.told, link.id),
            held=session.get(self.sync.holds, link.id) is not None,
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
        self,
        session: Session,
        stored: Stored,
        link: Link,
        status: Status,
        message: Message,
        _now: datetime,
        _listed: object = None,
    ) -> None:
        self.world.second()
        self.world.peril.gap()
        before = stored.link
        session.put(self.sync.links, link.id, link)
        session.put(self.sync.fresh, link.id, False)
        session.put(self.sync.told, link.id, status)
        if session.get(self.sync.again, link.id):
            session.put(self.sync.again, link.id, False)
        heard = message if isinstance(message, Heard) else Heard()
        if heard.crm is not None and link.crm_id:
            self._keep_crm(session, link.crm_id, heard.crm)
        if heard.economic is not None:
            self._keep_economic(session, heard.economic)
        if fresh := written.fresh(before, link):
            by_itself = written.fresh(before, link, by_itself=True)
            session.wrote.append((link.id, fresh, by_itself))
            self.world.receipts.held(session, link)
            decided = {one for pending in link.pending for one in pending.decided.values()}
            chosen = [one for one in fresh if one not in by_itself]
            session.after.append(partial(self.world.receipts.wrote, link.id, fresh, chosen, decided))
            if by_itself and session.passing == link.id and not stored.fresh and not self._new(before):
                session.after.append(partial(self.world.receipts.passed, before))
        session.after.append(lambda: ties.saved(self.world, before, link, status, stored.told))

    def lock_due(self, session: Session, link: UUID, now: datetime) -> Stored | None:
        known = session.get(self.sync.links, link)
        waits = known is not None and (
            session.get(self.sync.again, link) or (known.due is not None and known.due <= now)
        )
        if not waits or not session.free(("link", link)):
            return None
        session.passing = link if session.get(self.sync.again, link) else None
        return self._stored(session, known)

    def _new(self, link: Link) -> bool:
        """Whether a customer is so new that creating it is what the transfer setting is for."""
        made = link.active_since or link.created
        return link.state is LinkState.UNLINKED and made is not None and self.world.now - made < timedelta(hours=1)

    def merged_into(self, session: Session, _tenant: str, _agreement: int, crm_id: str) -> list[UUID]:
        links = session.rows(self.sync.links).values()
        gone = {crm_id}
        while more := {one.crm_id for one in links if one.crm_id and one.merged_into in gone} - gone:
            gone |= more
        return sorted(one.id for one in links if one.crm_id in gone and one.rest == "merged" and one.number is not None)

    def of_agreement(self, session: Session, _tenant: str, _agreement: int) -> Iterator[Link]:
        yield from session.rows(self.sync.links).values()

    def insert_missing(self, session: Session, tenant: str, agreement: int, _limit: int) -> int:
        known = {one.crm_id for one in session.rows(self.sync.links).values()}
        missing = [one for one in session.rows(self.sync.crm_side) if one not in known]
        for crm_id in missing:
            self.insert(session, NAMESPACE, tenant, agreement, crm_id)
            session.put(self.sync.again, uuid5(NAMESPACE, crm_id), True)
        return len(missing)

    def remove_stranger(self, session: Session, _tenant: str, _agreement: int, number: int) -> None:
        for one in list(session.rows(self.sync.links).values()):
            if one.number == number and not one.crm_id and one.state is LinkState.UNLINKED:
                session.drop(self.sync.links, one.id)

    def hold(self, session: Session, link: UUID, run: UUID | None) -> None:
        session.put(self.sync.holds, link, run)

    def to_look_again(self, session: Session, limit: int) -> list[Waiting]:
        if session.get(self.sync.settings, AGREEMENT).busy is not None:
            return []
        links = session.rows(self.sync.links)
        found = [links[one] for one, due in session.rows(self.sync.again).items() if due and one in links]
        return [
            Waiting(id=one.id, tenant=TENANT, agreement=AGREEMENT, joining=one.state in _JOINING)
            for one in found[:limit]
        ]

    def look_again(self, session: Session, _tenant: str, _agreement: int) -> int:
        links = session.rows(self.sync.links)
        for one in links:
            session.put(self.sync.again, one, True)
        return len(links)

    # ---- sides

    def _keep_crm(self, session: Session, crm_id: str, seen: CrmSeen) -> bool:
        known = session.get(self.sync.crm_side, crm_id)
        if known is not None and seen.version <= known.version:
            return False
        session.put(self.sync.crm_side, crm_id, seen)
        session.put(self.sync.seen, crm_id, self.world.now)
        return True

    def _keep_economic(self, session: Session, seen: EconomicSeen) -> bool:
        session.lock(("side", seen.number))
        known = session.get(self.sync.economic_side, seen.number)
        if known is not None and seen.version <= known.version:
            return False
        session.put(self.sync.economic_side, seen.number, seen)
        session.put(self.sync.seen, str(seen.number), self.world.now)
        return True

    def record_crm(self, session: Session, _tenant: str, crm_id: str, seen: CrmSeen, _now: datetime) -> None:
        self._keep_crm(session, crm_id, seen)

    def record_economic(
        self, session: Session, _tenant: str, _agreement: int, seen: EconomicSeen, _now: datetime
    ) -> bool:
        return self._keep_economic(session, seen)

    def vacate(self, session: Session, link: Link) -> None:
        known = session.get(self.sync.economic_side, link.number)
        if known is not None and known.version == link.economic_version:
            session.put(self.sync.economic_side, link.number, replace(known, customer=None))

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

    def recorded_since(self, session: Session, _system: Any, _link: Link, ids: Sequence[str], since: datetime) -> bool:
        return any(session.get(self.sync.seen, one) > since for one in ids)

    def all_crm(self, session: Session, _tenant: str, _run: UUID | None) -> Iterator[tuple[str, CrmSeen]]:
        yield from sorted(session.rows(self.sync.crm_side).items())

    def all_economic(
        self, session: Session, _tenant: str, _agreement: int, _run: UUID | None
    ) -> Iterator[EconomicSeen]:
        for _, seen in sorted(session.rows(self.sync.economic_side).items()):
            if seen.customer is not None:
                yield replace(seen, old_numbers=())

    # ---- what is told

    def append_all(self, session: Session, _outbox: Any, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            data, about = draft.data, draft.customer or str(draft.number)
            match data:
                case WriteCustomer():
                    to = "crm-applier"
                case WriteEconomicCustomer() | LookAtCustomer() | ConfigureAgreement():
                    to = "economic-adapter"
                case _:
                    continue
            self.world.bus.append(session, "sync", to, data, about)
            if isinstance(data, WriteCustomer | WriteEconomicCustomer):
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
