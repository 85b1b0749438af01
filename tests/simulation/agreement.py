"""What is an agreement here? Its switch and its settings in one value, and the store's functions of it on a dict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from economic_adapter.contract import AgreementObserved, ConfigureAgreement
from reconciler.agreements import Chosen
from reconciler.link import Link, LinkState
from reconciler.rules import Rules
from tests.simulation.store import Session

if TYPE_CHECKING:
    from tests.simulation.sync import Sync

TENANT = "t"
AGREEMENT = 1
_LIKE_CONNECTED = ("switching_on", "refused", "reading")


@dataclass(frozen=True, slots=True)
class Settings:
    """The agreement's row, as steps, flows and the clock look at it; ``rules`` are those of its state."""

    rules: Rules
    state: str = "on"
    busy: UUID | None = None
    read_at: datetime | None = None
    reason: str = ""
    asked: datetime | None = None
    operation: UUID | None = None
    configure: ConfigureAgreement | None = None
    due: datetime | None = None
    resent: int = 0
    seen: datetime | None = None
    customers: int | None = None
    look_again: bool = False
    brake_customers: int = 20
    brake_percent: int = 5
    tenant: str = TENANT
    agreement: int = AGREEMENT
    name: str = ""
    run: UUID | None = None
    pilot: str | None = None
    number_from: int | None = None
    number_to: int | None = None
    hooks: bool = True

    @property
    def since(self) -> datetime | None:
        return self.rules.since

    @property
    def defaults(self) -> Any:
        return self.rules.defaults

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


class Agreements:
    """The store's functions of agreements, by their names there."""

    NAMES = (
        "hold", "lock", "chosen", "insert", "note", "move", "rules_of", "occupy", "try_out", "expect", "answered",
        "unanswered", "to_look_again", "brake", "looked",
    )  # fmt: skip

    def __init__(self, sync: "Sync") -> None:
        self.sync = sync

    def get(self, session: Session) -> Settings:
        """The row as this transaction sees it."""
        found: Settings = session.get(self.sync.settings, AGREEMENT)
        return found

    def _put(self, session: Session, **changes: Any) -> None:
        session.put(self.sync.settings, AGREEMENT, replace(self.get(session), **changes))

    def hold(self, session: Session, _tenant: str, _agreement: int) -> None:
        self.hold_agreement(session)

    def hold_agreement(self, session: Session) -> None:
        session.lock("agreement")

    def lock(self, session: Session, _tenant: str, _agreement: int) -> Settings | None:
        self.hold_agreement(session)
        return self.get(session)

    def chosen(self, session: Session, _tenant: str, _agreement: int | None) -> Chosen | None:
        return Chosen(AGREEMENT, self.get(session).since is not None)

    def insert(self, _session: Session, _tenant: str, _agreement: int) -> None:
        pass

    def note(self, session: Session, _tenant: str, seen: AgreementObserved, _now: datetime) -> None:
        known = self.get(session)
        if known.seen is None or known.seen <= seen.seen:
            customers = known.customers if seen.customers is None else seen.customers
            self._put(session, seen=seen.seen, customers=customers)

    def move(
        self, session: Session, _tenant: str, _agreement: int, state: str, now: datetime, *, reason: str = "",
        transfer: str | None = None, since: datetime | None = None, **other: Any,
    ) -> None:  # fmt: skip
        known = self.get(session)
        as_told: Any = "connected" if state in _LIKE_CONNECTED else state
        rules = replace(known.rules, agreement=as_told, since=since or known.rules.since)
        if transfer is not None:
            rules = replace(rules, transfer=type(rules.transfer)(transfer))
        if known.state != state:
            text = (state, reason)
            session.after.append(lambda: self.sync.world.trace.note("reconciler", "switch", "the agreement", *text))
            if state == "on" and known.state == "switching_on":
                session.after.append(lambda: self.sync.world.trace.count("switch-ons"))
        self._put(session, state=state, reason=reason, rules=rules, **other)
        del now

    def rules_of(self, session: Session, _known: Settings, _resend: timedelta) -> Rules:
        return self.get(session).rules

    def occupy(self, session: Session, _tenant: str, _agreement: int, run: UUID | None) -> None:
        self._put(session, busy=run)

    def try_out(self, session: Session, _tenant: str, _agreement: int, crm_id: str | None) -> None:
        self._put(session, pilot=crm_id)

    def expect(
        self, session: Session, _tenant: str, command: ConfigureAgreement, due: datetime, resent: int = 0
    ) -> None:
        self._put(session, operation=command.operation, configure=command, due=due, resent=resent)

    def answered(self, session: Session, _tenant: str, _agreement: int) -> None:
        self._put(session, operation=None, configure=None, due=None, resent=0)

    def unanswered(self, session: Session, now: datetime) -> Sequence[tuple[str, int]]:
        due = self.get(session).due
        return [(TENANT, AGREEMENT)] if due is not None and due <= now else []

    def to_look_again(self, session: Session) -> Sequence[tuple[str, int]]:
        known = self.get(session)
        return [(TENANT, AGREEMENT)] if known.look_again and known.busy is None and known.state == "on" else []

    def brake(self, session: Session, _tenant: str, _agreement: int) -> int:
        known = self.get(session)
        linked = sum(one.state is LinkState.LINKED for one in session.rows(self.sync.links).values())
        return min(known.brake_customers, max(1, linked * known.brake_percent // 100))

    def looked(self, session: Session, _tenant: str, _agreement: int) -> None:
        self._put(session, look_again=False)
