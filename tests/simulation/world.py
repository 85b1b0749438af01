"""What happens in a world? Its schedule's events, one after another and inside each other; then everything comes to rest.

Each event that runs a part of the product may die at any commit or call, may meet others in the middle, and may find
e-conomic or the broker unwilling.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm_outbox.contract import CustomerChanged, Outcome, Result, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter import work
from economic_adapter.budget import Budget
from economic_adapter.contract import CrmState, CustomerObserved, LookAtCustomer, WriteEconomicCustomer
from economic_adapter.desk import Desk
from economic_adapter.protocol import Ambiguous, Answer, Head, Request, Throttled, Transient, Unreached
from economic_adapter.records import Account
from reconciler import fields
from reconciler.decisions import Ended
from reconciler.link import Command, Due, Heard, Link, Message, Step
from reconciler.rules import Decides, Direction, Rules
from tests.simulation import adapter, checks
from tests.simulation import sync as reconciling
from tests.simulation.adapter import AGREEMENT, Shelf
from tests.simulation.bus import CONSUMERS, OWNERS, Bus
from tests.simulation.bus import Message as Mail
from tests.simulation.crm import Crm
from tests.simulation.dice import Dice
from tests.simulation.economic import Economic
from tests.simulation.people import People
from tests.simulation.peril import Crash, Peril
from tests.simulation.pools import START, details, rule_of
from tests.simulation.schedule import Event, Schedule
from tests.simulation.store import Blocked, Connection, Engine, Session, transaction
from tests.simulation.sync import Settings, Sync, plain
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth


class World:
    """Both systems, the bus, the clock, the three packages of the product, and the truth beside them."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.setup = schedule, schedule.setup
        self.rules = self.setup.rules
        self.trace, self.truth, self.peril, self.bus = Trace(START), Truth(), Peril(), Bus()
        self.crm, self.economic, self.shelf = Crm(self.truth, self.bus), Economic(self.truth), Shelf()
        self.economic.companies = lambda key: next((row.who for row in self.crm.rows.values() if row.key == key), key)
        self.sync, self.people = Sync(self), People(self)
        self.wrong: list[str] = []
        self.now = START
        self.workers = 1
        self.writes = 0
        self.missed = False
        """Whether something was lost that only a sweep can find."""
        self.departed: set[str] = set()
        """Records that were deleted, merged away, or whose number somebody else has."""
        self.outcomes: dict[UUID, Outcome] = {}
        self.wished: dict[tuple[UUID, UUID, str], str] = {}
        """What people decided: by decision, record and detail."""
        self.ended: list[Ended] = []
        self.heard = 0
        self.shelf.account[AGREEMENT] = Account(number=AGREEMENT, tenant="t", state="on", budget=Budget())
        self.desk = Desk(
            engine=Engine(self.peril),  # type: ignore[arg-type]
            client=Client(self),
            outbox=None,  # type: ignore[arg-type]
            now=lambda: self.now,
            chance=lambda: 0.5 if self.peril.dice is None else self.peril.dice.unit(),
            open_grant=lambda _connection, _agreement: None,  # type: ignore[arg-type, return-value]
            lost=lambda _connection, _agreement, _failed: None,
            check=lambda _desk, _claim, _calls: None,  # type: ignore[arg-type, return-value]
        )
        dice = Dice(schedule.seed + 1)
        identity = {"cvr", "street", "postcode", "city", "country"} if dice.percent(30) else {"name"}
        known = list(details(0))
        self.office = sorted({dice.pick(known) for _ in range(self.setup.details)})
        self.bookkeeping = [name for name in self.office if name not in identity] or ["phone"]
        self._events: list[Event] = []
        self._depth = 0
        self._in_hand: set[tuple[str, int]] = set()
        self.crm.strict = {(kind, name) for kind in fields.FIELDS for name in fields.FIELDS[kind]}
        self.economic.strict = set(self.crm.strict)
        self.change_rules(self.rules)

    # ---- one schedule

    def live(self) -> None:
        """Everything in the schedule, then rest; stops at the first thing that is wrong."""
        with self.at_work():
            dice = Dice(self.schedule.seed + 2)
            for _ in range(self.setup.customers):
                self.people.create(dice)
            if self.setup.settled:
                self.drain()
            self._events = list(reversed(self.schedule.events))
            self.peril.between = self._between
            while self._events and not self.broken:
                self.happen(self._events.pop())
            if not self.broken:
                self.rest()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The product's flows on this world's tables."""
        with adapter.installed(self), reconciling.installed(self.sync):
            yield

    @property
    def broken(self) -> list[str]:
        """Everything that was found wrong."""
        return [*self.truth.wrong, *self.bus.wrong, *self.crm.wrong, *self.economic.wrong, *self.wrong]

    def _between(self) -> None:
        if self._depth < 2 and self._events:
            self._depth += 1
            try:
                self.happen(self._events.pop())
            finally:
                self._depth -= 1

    def second(self) -> None:
        """A second reconciler takes a message of its own while the first one is in the middle of its transaction."""
        queue, dice = self.bus.queues["reconciler"], self.peril.dice
        if self._depth or dice is None or not queue or not self.peril.happens(self.setup.crowded):
            return
        self._depth += 1
        message = queue.pop(dice.below(len(queue)))
        try:
            with self.peril.of(dice):
                self.take("reconciler", message)
        except Blocked:
            queue.append(message)
        finally:
            self._depth -= 1

    def happen(self, event: Event) -> None:
        """One event."""
        self.now += timedelta(milliseconds=1500)
        self.trace.now = self.now
        dice = Dice(event.luck)
        try:
            with self.peril.of(dice, crash=self.setup.crash, crowded=self.setup.crowded):
                match event.kind:
                    case "relay":
                        self.relay(dice)
                    case "deliver":
                        self.deliver(dice)
                    case "work":
                        self.work(dice)
                    case "hook":
                        self.hook(dice)
                    case "pass":
                        self.pass_time(timedelta(minutes=dice.pick((1, 1, 2, 5, 20))))
                    case "sweep":
                        self.sweep()
                    case "broker":
                        self.trace.count("losses", lost := self.bus.lose_broker())
                        self.trace.note("RabbitMQ", "lost", "", lost)
                    case kind:
                        self.people.does[kind](dice)
        except Crash as crash:
            self.trace.count("crashes")
            self.trace.note(event.kind, "crashed", "", crash.where)
        except Blocked:
            self.trace.note(event.kind, "waits", "")

    # ---- the machinery

    def relay(self, dice: Dice | None, owner: str = "") -> None:
        """One batch of one outbox."""
        if dice is not None:
            waiting = [one for one in OWNERS if self.bus.pending[one]]
            if not waiting:
                return
            owner = dice.pick(waiting)
        if what := self.bus.relay(owner, dice, self.setup.trouble):
            self.trace.note(f"relay of {owner}", "trouble", "", what)

    def deliver(self, dice: Dice) -> None:
        """Some messages of one queue, out of their order, some of them to be delivered again, some of them lost."""
        waiting = [one for one in CONSUMERS if self.bus.queues[one]]
        if not waiting:
            return
        name = dice.pick(waiting)
        queue = self.bus.queues[name]
        for _ in range(dice.pick((1, 1, 2, 4, 8))):
            if not queue:
                return
            at = dice.below(min(len(queue), 4))
            message = queue.pop(at)
            if dice.percent(self.setup.lost):
                self.missed = True
                self.trace.count("losses")
                self.trace.note("RabbitMQ", "lost one", message.about, type(message.data).__name__)
                continue
            try:
                self.take(name, message)
            except (Crash, Blocked):
                queue.append(message)
                raise
            if dice.percent(self.setup.doubled):
                self.trace.count("duplicates")
                queue.append(message)

    def take(self, name: str, message: Mail) -> None:
        """A consumer takes one message: its id and its effect in one transaction."""
        if message.id in self.bus.taken[name]:
            return
        if (name, message.id) in self._in_hand:
            raise Blocked
        self._in_hand.add((name, message.id))
        try:
            if name == "crm-applier":
                self.peril.point("before the applier's commit")
                connection = Connection()
                self._effect(connection, message)
                connection.put(self.bus.taken[name], message.id, True)
                self.peril.point("after the applier's commit")
                return
            session = self.sync.session() if name == "reconciler" else None
            with transaction(self.peril, session) as connection:
                connection.put(self.bus.taken[name], message.id, True)
                self._effect(connection, message)
        finally:
            self._in_hand.discard((name, message.id))

    def _effect(self, connection: Any, message: Mail) -> None:
        match message.data:
            case WriteCustomer() as command:
                did = self.crm.apply(connection, command, self.now)
                for part in command.parts:
                    self.answered(self.crm.answers[part.operation])
                if did:
                    self.trace.note("the product", "wrote in the CRM", message.about, tuple(did))
            case CustomerChanged() as change:
                self._changed(connection, change, message.version or Version(0, 0))
            case WriteEconomicCustomer() as command:
                outcomes = adapter.received(self.shelf, connection, command, self.now)
                if outcomes:
                    seen = CustomerObserved(
                        agreement=AGREEMENT, why="write", customer=command.customer, number=command.number,
                        outcomes=tuple(outcomes),
                    )  # fmt: skip
                    self.bus.append(connection, "economic", "reconciler", seen, message.about)
            case LookAtCustomer() as look:
                adapter.mark(self.shelf, connection, look.number, "look", self.now, quiet=timedelta(0))
            case told if isinstance(connection, Session):
                self.sync.hear(connection, told, message.version)

    def _changed(self, connection: Connection, change: CustomerChanged, version: Version) -> None:
        known = self.shelf.told.get(change.id)
        if known is not None and version <= known:
            return
        connection.put(self.shelf.told, change.id, version)
        crm = CrmState(version=str(version), customer=change.customer, unsendable=change.unsendable)
        seen = CustomerObserved(agreement=AGREEMENT, why="crm_changed", customer=change.id, crm=crm)
        self.bus.append(connection, "economic", "reconciler", seen, change.id, version)

    def work(self, dice: Dice | None) -> bool:
        """A worker does the best due row of the adapter."""
        self.workers += 1
        return work.step(self.desk, AGREEMENT, self.workers)

    def hook(self, dice: Dice | None, *, newest: bool = False) -> None:
        """e-conomic sends a hook: in any order, twice, or never."""
        hooks = self.economic.hooks
        if not hooks:
            return
        new, old = hooks.pop(-1 if newest else 0 if dice is None else dice.below(len(hooks)))
        if dice is not None and dice.percent(self.setup.lost):
            self.missed = True
            self.trace.count("losses")
            self.trace.note("e-conomic", "hook lost", str(new or old))
            return
        try:
            with transaction(self.peril) as connection:
                for number in sorted({one for one in (new, old) if one is not None}):
                    olds = (old,) if number == new and old not in {None, new} and old is not None else ()
                    adapter.mark(self.shelf, connection, number, "hook", self.now, olds)
        except Crash:
            hooks.append((new, old))  # without an answer, e-conomic sends it again
            raise
        if dice is not None and dice.percent(self.setup.doubled):
            self.trace.count("duplicates")
            hooks.append((new, old))

    def pass_time(self, gap: timedelta) -> None:
        """Time passes, and brings what is due: the clocks of all three packages."""
        self.now += gap
        self.trace.now = self.now
        for row in list(self.shelf.rows.values()):
            if row.worker is not None and self._depth == 0:  # whoever had it is dead: the claims of the living are kept
                self.shelf.rows[row.id] = replace(row, worker=None, claimed_at=None)
        for link in self.sync.due(self.now):
            try:
                self.sync.run(link, Due())
            except Blocked:
                continue

    def sweep(self) -> None:
        """Both systems are read in full."""
        connection = Connection()
        for crm_id in self.crm.rows:
            self.shelf.told.pop(crm_id, None)
            self.crm.tell(connection, crm_id)
        for number in sorted({*self.economic.rows, *self.shelf.mirror}):
            adapter.mark(self.shelf, connection, number, "poll", self.now)

    def drain(self) -> None:
        """Nothing goes wrong any more: everything under way arrives."""
        for _ in range(400):
            if self.broken:
                return
            before = self.now
            while self.economic.hooks:
                self.hook(None)
            for owner in OWNERS:
                while self.bus.pending[owner]:
                    self.relay(None, owner)
            for name in CONSUMERS:
                queue = self.bus.queues[name]
                while queue and not self.broken:
                    message = queue.pop(0)
                    try:
                        self.take(name, message)
                    except Blocked as why:
                        self.wrong.append(
                            f"{message.about}: its {type(message.data).__name__} can never be taken: {why}"
                        )
            while self.work(None):
                pass
            if self.bus.quiet and not self.economic.hooks:
                waits = [row.due_at for row in self.shelf.rows.values() if row.due_at > self.now]
                if not waits:
                    return
                self.pass_time(max(min(waits) - self.now, timedelta(seconds=1)))
            else:
                self.pass_time(timedelta(seconds=3))
            assert self.now > before
        self.wrong.append("messages go round and round")

    def rest(self) -> None:
        """Faults stop: what was under way arrives, both are swept, and then nothing may move any more."""
        self._events.clear()
        self.trace.note("the world", "rests", "")
        self.pass_time(timedelta(minutes=3))
        self.drain()
        if not self.missed and not self.broken:
            self.wrong += checks.unseen(self)
        rounds = 0
        while not self.broken:
            before = self.writes
            self.sweep()
            self.drain()
            self.pass_time(timedelta(hours=2))
            self.drain()
            rounds += 1
            if self.writes == before and not any(link.pending for link in self.sync.links.values()):
                break
            if rounds > checks.ROUNDS:
                self.wrong.append(f"not at rest after {rounds} rounds")
        if not self.broken:
            self.wrong += checks.at_rest(self)

    # ---- what others call

    def react(self, link: Link, message: Message, rules: Rules, now: datetime) -> Step:
        """One step, looked at: heard twice it changes nothing (P4), and one write at a time is open."""
        done: Step = plain(link, message, rules, now)
        self.heard += 1
        if self.heard % 8 == 0 and isinstance(message, Heard | Due):
            again = plain(done.link, message, rules, now)
            if again.commands or again.link != done.link or again.status != done.status:
                self.wrong.append(f"{link.crm_id}: a message heard twice changed something")
        self.wrong += checks.one_at_a_time(done.link)
        return done

    def sent(self, command: Command, part: Any) -> None:
        """A part of a command leaves."""
        self.writes += 1
        if part.action in {"remove", "bar"}:
            self.wrong.append(f"{command.customer}: {part.action} was ordered without a person's choice")

    def answered(self, outcome: Outcome) -> None:
        """An operation got its answer: one, for ever the same."""
        if outcome.result is Result.WAITING:
            return
        if outcome.reason == "ambiguous":
            self.trace.count("unclear")
        known = self.outcomes.setdefault(outcome.operation, outcome)
        if known != outcome:
            self.wrong.append(f"operation {outcome.operation} was answered {known.result} and then {outcome.result}")

    def looked_at(
        self, number: int, version: Version, body: Mapping[str, Any] | None, contacts: Sequence[Mapping[str, Any]]
    ) -> None:
        """The adapter keeps what it saw."""
        shown = [] if body is None else [body["objectVersion"], *(one["objectVersion"] for one in contacts)]
        self.truth.looked(number, str(version), shown)

    def gone(self, key: str) -> None:
        """A record is not there any more."""
        self.departed.add(key)

    def change_rules(self, rules: Rules) -> None:
        """Other rules hold from now on. Where any of them lets an edit lose, losing one is no error."""
        self.rules = rules
        self.sync.settings[AGREEMENT] = Settings(rules, read_at=START)
        self.trace.count("rules")
        for kind, groups in fields.GROUPS.items():
            for group in groups:
                rule = rule_of(rules, kind, group.name, group.rule)
                names = {(str(kind), name) for name in group.fields}
                both = rule.direction is Direction.BOTH
                if not both or rule.decides is Decides.ECONOMIC:
                    self.crm.strict -= names
                if not both or rule.decides is Decides.CRM:
                    self.economic.strict -= names
        for link in list(self.sync.links):
            self.sync.run(link, Due())


class Client:
    """How a call ends: answered, refused for now, lost on the way there, or lost on the way back."""

    def __init__(self, world: World) -> None:
        self.world = world

    def send(self, request: Request, _grant: object) -> Answer:
        """One call."""
        world, peril = self.world, self.world.peril
        peril.gap()
        peril.point("before a call")
        trouble = peril.happens(world.setup.trouble)
        if trouble and peril.dice is not None:
            match peril.dice.below(5):
                case 0:
                    world.trace.note("e-conomic", "call", request.path, request.method, "429")
                    raise Throttled(Head(status=429), 2.0)
                case 1:
                    world.trace.note("e-conomic", "call", request.path, request.method, "503")
                    raise Transient("status_503", Head(status=503))
                case 2:
                    world.trace.note("e-conomic", "call", request.path, request.method, "not reached")
                    raise Unreached("connect")
                case 3:
                    world.trace.note("e-conomic", "call", request.path, request.method, "lost on the way there")
                    raise Ambiguous("timeout")
        answer = world.economic.serve(request)
        if request.method != "GET":
            world.trace.note("the product", "wrote in e-conomic", request.path, request.method)
        peril.point("after a call")
        peril.gap()
        if trouble:
            world.trace.note("e-conomic", "call", request.path, request.method, "done, and the answer lost")
            raise Ambiguous("timeout")
        return answer
