"""How do messages and work go round? Outboxes are relayed, queues taken, rows of work done, hooks sent: well or badly."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm_outbox.contract import CustomerChanged, Outcome, Result, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter import work
from economic_adapter.contract import (
    AgreementObserved,
    ConfigureAgreement,
    CrmState,
    CustomerObserved,
    LookAtCustomer,
    WriteEconomicCustomer,
)
from tests.simulation import shelf
from tests.simulation.agreement import AGREEMENT
from tests.simulation.bus import CONSUMERS, OWNERS
from tests.simulation.bus import Message as Mail
from tests.simulation.dice import Dice
from tests.simulation.peril import Crash
from tests.simulation.store import Blocked, Connection, Session, transaction

if TYPE_CHECKING:
    from tests.simulation.world import World

_MOST_WORK = 2000


class Machine:
    """What happens without anybody doing it."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.workers = 1
        self._in_hand: set[tuple[str, int]] = set()

    def relay(self, dice: Dice | None, owner: str = "") -> None:
        """One batch of one outbox."""
        if dice is not None:
            waiting = [one for one in OWNERS if self.world.bus.pending[one]]
            if not waiting:
                return
            owner = dice.pick(waiting)
        if what := self.world.bus.relay(owner, dice, self.world.setup.trouble):
            self.world.trace.note(f"relay of {owner}", "trouble", "", what)

    def deliver(self, dice: Dice) -> None:
        """Some messages of one queue, out of their order, some of them to be delivered again, some of them lost."""
        waiting = [one for one in CONSUMERS if self.world.bus.queues[one]]
        if not waiting:
            return
        name = dice.pick(waiting)
        queue = self.world.bus.queues[name]
        for _ in range(dice.pick((1, 1, 2, 4, 8))):
            if not queue:
                return
            at = dice.below(min(len(queue), 4))
            message = queue.pop(at)
            if dice.percent(self.world.setup.lost):
                self.world.missed = True
                self.world.trace.count("losses")
                self.world.trace.note("RabbitMQ", "lost one", message.about, type(message.data).__name__)
                continue
            try:
                self.take(name, message)
            except (Crash, Blocked):
                queue.append(message)
                raise
            if dice.percent(self.world.setup.doubled):
                self.world.trace.count("duplicates")
                queue.append(message)

    def take(self, name: str, message: Mail) -> None:
        """A consumer takes one message: its id and its effect in one transaction."""
        if message.id in self.world.bus.taken[name]:
            return
        if (name, message.id) in self._in_hand:
            raise Blocked
        self._in_hand.add((name, message.id))
        try:
            if name == "crm-applier":
                self.world.peril.point("before the applier's commit")
                connection = Connection()
                self._effect(connection, message)
                connection.put(self.world.bus.taken[name], message.id, True)
                self.world.peril.point("after the applier's commit")
                return
            session = self.world.sync.session() if name == "reconciler" else None
            with transaction(self.world.peril, session) as connection:
                connection.put(self.world.bus.taken[name], message.id, True)
                self._effect(connection, message)
        finally:
            self._in_hand.discard((name, message.id))

    def _effect(self, connection: Any, message: Mail) -> None:
        match message.data:
            case WriteCustomer() as command:
                did = self.world.crm.apply(connection, command, self.world.now)
                for part in command.parts:
                    self.world.answered(self.world.crm.answers[part.operation])
                if did:
                    self.world.receipts.landed("crm", message.about)
                    self.world.trace.note("the product", "wrote in the CRM", message.about, tuple(did))
            case CustomerChanged() as change:
                self._changed(connection, change, message.version or Version(0, 0))
            case WriteEconomicCustomer() as command:
                outcomes = shelf.received(self.world.shelf, connection, command, self.world.now)
                if outcomes:
                    seen = CustomerObserved(
                        agreement=AGREEMENT, why="write", customer=command.customer, number=command.number,
                        outcomes=tuple(outcomes),
                    )  # fmt: skip
                    self.world.bus.append(connection, "economic", "reconciler", seen, message.about)
            case ConfigureAgreement() as words:
                self._configured(connection, words)
            case LookAtCustomer() as look:
                shelf.mark(self.world.shelf, connection, look.number, "look", self.world.now, quiet=timedelta(0))
            case told if isinstance(connection, Session):
                self.world.sync.hear(connection, told, message.version)

    def _configured(self, connection: Connection, words: ConfigureAgreement) -> None:
        """The adapter is switched, and says so."""
        world = self.world
        state: Any = "on" if words.on else "off"
        outcome = Outcome(operation=words.operation, result=Result.WRITTEN)
        asked, before = words.asked, world.shelf.asked.get(AGREEMENT)
        if asked is not None and before is not None and asked < before:  # a later one overtook it on its way
            state = world.shelf.account[AGREEMENT].state
            outcome = Outcome(operation=words.operation, result=Result.REFUSED, reason="superseded")
        else:
            connection.put(world.shelf.account, AGREEMENT, replace(world.shelf.account[AGREEMENT], state=state))
            connection.put(world.shelf.asked, AGREEMENT, asked)
        seen = AgreementObserved(
            agreement=AGREEMENT, state=state, customers=len(world.economic.rows), seen=world.now, outcome=outcome
        )
        world.bus.append(connection, "economic", "reconciler", seen, "the agreement")

    def _changed(self, connection: Connection, change: CustomerChanged, version: Version) -> None:
        known = self.world.shelf.told.get(change.id)
        if known is not None and version <= known:
            return
        connection.put(self.world.shelf.told, change.id, version)
        crm = CrmState(version=str(version), customer=change.customer, unsendable=change.unsendable)
        seen = CustomerObserved(agreement=AGREEMENT, why="crm_changed", customer=change.id, crm=crm)
        self.world.bus.append(connection, "economic", "reconciler", seen, change.id, version)

    def work(self, dice: Dice | None) -> bool:
        """A worker does the best due row of the adapter."""
        self.workers += 1
        return work.step(self.world.desk, AGREEMENT, self.workers)

    def all_work(self) -> None:
        """Workers do whatever is due."""
        for _ in range(_MOST_WORK):
            if not self.world.shelf.is_due(self.world.now) or not self.work(None):
                return
        self.world.wrong.append("the same work is done over and over, and never put off")

    def hook(self, dice: Dice | None, *, newest: bool = False) -> None:
        """e-conomic sends a hook: in any order, twice, or never."""
        hooks = self.world.economic.hooks
        if not hooks:
            return
        new, old = hooks.pop(-1 if newest else 0 if dice is None else dice.below(len(hooks)))
        if dice is not None and dice.percent(self.world.setup.lost):
            self.world.missed = True
            self.world.trace.count("losses")
            self.world.trace.note("e-conomic", "hook lost", str(new or old))
            return
        try:
            with transaction(self.world.peril) as connection:
                for number in sorted({one for one in (new, old) if one is not None}):
                    olds = (old,) if number == new and old not in {None, new} and old is not None else ()
                    shelf.mark(self.world.shelf, connection, number, "hook", self.world.now, olds)
        except Crash:
            hooks.append((new, old))  # without an answer, e-conomic sends it again
            raise
        if dice is not None and dice.percent(self.world.setup.doubled):
            self.world.trace.count("duplicates")
            hooks.append((new, old))
