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

from crm_outbox.contract import Outcome, Result, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.budget import Budget
from economic_adapter.desk import Desk
from economic_adapter.records import Account
from reconciler import fields
from reconciler.decisions import Ended
from reconciler.link import Command, Due, Heard, Link, Message, Step
from reconciler.rules import Decides, Direction, Rules, System
from tests.simulation import adapter, asking, checks, resting
from tests.simulation import sync as reconciling
from tests.simulation.admin import Admin
from tests.simulation.agreement import AGREEMENT, Settings
from tests.simulation.books import There
from tests.simulation.bus import Bus
from tests.simulation.calls import Client
from tests.simulation.crm import Crm
from tests.simulation.dice import Dice
from tests.simulation.economic import Economic
from tests.simulation.founding import both_sides
from tests.simulation.machine import Machine
from tests.simulation.people import People
from tests.simulation.peril import Crash, Peril
from tests.simulation.pools import START, details, rule_of
from tests.simulation.receipts import Receipts
from tests.simulation.schedule import SWITCHING, Event, Schedule
from tests.simulation.shelf import Shelf
from tests.simulation.store import Blocked, Engine
from tests.simulation.sync import Sync, plain
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth


class World:
    """Both systems, the bus, the clock, the three packages of the product, and the truth beside them."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.setup = schedule, schedule.setup
        self.rules = replace(self.setup.rules, removes=self.setup.removes)
        self.trace, self.truth, self.peril, self.bus = Trace(START), Truth(), Peril(), Bus()
        self.crm, self.economic, self.shelf = Crm(self.truth, self.bus), Economic(self.truth), Shelf()
        self.economic.companies = lambda key: next((row.who for row in self.crm.rows.values() if row.key == key), key)
        self.sync, self.people = Sync(self), People(self)
        self.machine, self.admin, self.receipts = Machine(self), Admin(self), Receipts(self)
        self.economic.touched = lambda number: self.receipts.touched("economic", str(number))
        self.switching = self.setup.theme == SWITCHING
        self.wrong: list[str] = []
        self.now = START
        self.writes = 0
        self.stuck: There | None = None
        """The customer of e-conomic about whom every call fails."""
        self.jitter = Dice(schedule.seed + 4)
        self.missed = False
        """Whether something was lost that only a sweep can find."""
        self.departed: set[str] = set()
        """Records that were deleted, merged away, or whose number somebody else has."""
        self.outcomes: dict[UUID, Outcome] = {}
        self.removed: set[tuple[System, str]] = set()
        """Contact persons that people removed, by their id in that system."""
        self.wished: dict[tuple[UUID, UUID, str], str] = {}
        """What people decided: by decision, record and detail."""
        self.ended: list[Ended] = []
        self.heard = 0
        state: Any = "connected" if self.switching else "on"
        self.shelf.account[AGREEMENT] = Account(number=AGREEMENT, tenant="t", state=state, budget=Budget())
        self.desk = Desk(
            engine=Engine(self.peril),  # type: ignore[arg-type]
            client=Client(self),
            outbox=None,  # type: ignore[arg-type]
            now=lambda: self.now,
            chance=self._chance,
            open_grant=lambda _connection, _agreement: None,  # type: ignore[arg-type, return-value]
            lost=lambda _connection, _agreement, _failed: None,
            check=lambda _desk, _claim, _calls: None,  # type: ignore[arg-type, return-value]
        )
        dice = Dice(schedule.seed + 1)
        address = {"street", "postcode", "city", "country"}
        fixed = dice.pick(({"cvr", *address}, {"name", "cvr"}, {"name", *address}))  # two that change are another (R19)
        known = list(details(0))
        self.office = sorted({dice.pick(known) for _ in range(self.setup.details)})
        self.bookkeeping = [name for name in self.office if name not in fixed] or ["phone"]
        self.events: list[Event] = []
        self._depth = 0
        self.crm.strict = {(kind, name) for kind in fields.FIELDS for name in fields.FIELDS[kind]}
        self.economic.strict = set(self.crm.strict)
        self.sync.settings[AGREEMENT] = Settings(self.rules, read_at=START)
        if self.switching:
            connected = replace(self.rules, agreement="connected", since=None)
            self.economic.below, self.shelf.next_number[AGREEMENT] = 3000, 3001
            percent = 100 if dice.percent(40) else 5
            self.sync.settings[AGREEMENT] = Settings(connected, state="connected", brake_percent=percent)
        self.change_rules(self.rules)

    # ---- one schedule

    def live(self) -> None:
        """Everything in the schedule, then rest; stops at the first thing that is wrong."""
        with self.at_work():
            dice = Dice(self.schedule.seed + 2)
            if self.switching:
                self.read(dice)
                if self.setup.settled:
                    self.admin.preview(dice)
                    self.admin.confirm(dice)
            else:
                for _ in range(self.setup.customers):
                    self.people.create(dice)
                if self.setup.removes:
                    self.people.staff.come()
            if self.setup.settled:
                resting.drain(self)
            self.events = list(reversed(self.schedule.events))
            self.peril.between = self._between
            while self.events and not self.broken:
                self.happen(self.events.pop())
            if not self.broken:
                resting.rest(self)

    def read(self, dice: Dice) -> None:
        """Both sides have customers, and both are read in full, in one go: no pages, and nobody edits meanwhile."""
        both_sides(self, dice, self.setup.customers)
        resting.sweep(self)
        resting.drain(self)
        self.sync.settings[AGREEMENT] = replace(self.sync.agreement, read_at=self.now)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The product's flows on this world's tables."""
        with adapter.installed(self), reconciling.installed(self.sync):
            yield

    @property
    def inside(self) -> bool:
        """Whether this happens in the middle of something else."""
        return self._depth > 0

    @property
    def broken(self) -> list[str]:
        """Everything that was found wrong."""
        return [*self.truth.wrong, *self.bus.wrong, *self.crm.wrong, *self.economic.wrong, *self.wrong]

    def _chance(self) -> float:
        """The jitter of waiting times; with nothing else going wrong it is still one."""
        return (self.jitter if self.peril.dice is None else self.peril.dice).unit()

    def _between(self) -> None:
        if self._depth < 2 and self.events:
            self._depth += 1
            try:
                self.happen(self.events.pop())
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
                self.machine.take("reconciler", message)
        except Blocked:
            queue.append(message)
        finally:
            self._depth -= 1

    def happen(self, event: Event) -> None:
        """One event."""
        self.now += timedelta(milliseconds=1500)
        self.trace.now = self.now
        if self.setup.stuck and self.stuck is None and self.economic.rows:
            self.stuck = next(iter(self.economic.rows.values()))
            self.trace.note("e-conomic", "stuck", str(next(iter(self.economic.rows))))
        dice = Dice(event.luck)
        try:
            with self.peril.of(dice, crash=self.setup.crash, crowded=self.setup.crowded):
                match event.kind:
                    case "relay":
                        self.machine.relay(dice)
                    case "deliver":
                        self.machine.deliver(dice)
                    case "work":
                        self.machine.work(dice)
                    case "hook":
                        self.machine.hook(dice)
                    case "pass":
                        self.pass_time(timedelta(minutes=dice.pick((1, 1, 2, 5, 20))))
                    case "sweep":
                        resting.sweep(self)
                    case "broker":
                        self.trace.count("losses", lost := self.bus.lose_broker())
                        self.trace.note("RabbitMQ", "lost", "", lost)
                    case kind if kind in self.admin.does:
                        self.admin.does[kind](dice)
                    case kind:
                        self.people.does[kind](dice)
        except Crash as crash:
            self.trace.count("crashes")
            self.trace.note(event.kind, "crashed", "", crash.where)
        except Blocked:
            self.trace.note(event.kind, "waits", "")

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
        self.wrong += asking.unclear(done)
        return done

    def stuck_with(self, number: int | None) -> bool:
        """Whether every call about that number fails."""
        return self.stuck is not None and self.economic.rows.get(number or 0) is self.stuck

    def is_stuck(self, link: Link | None) -> bool:
        """The same of a link, also while its creation is not answered, or has to look at that number first."""
        if link is None or self.stuck is None:
            return False
        row = self.crm.rows.get(link.crm_id)
        if self.stuck_with(link.number) or (row is not None and row.key == self.stuck.key):
            return True
        return any(one.customer == link.crm_id and self.stuck_with(one.number) for one in self.shelf.rows.values())

    def sent(self, command: Command, part: Any) -> None:
        """A part of a command leaves. What goes to the stuck customer goes again and again."""
        known = None if command.customer is None else self.sync.of(command.customer)
        if not self.is_stuck(known):
            self.writes += 1
        target = System.CRM if isinstance(command, WriteCustomer) else System.ECONOMIC
        chosen = part.action == "remove" and part.record == "contact" and target in self.setup.removes
        if part.action in {"remove", "bar"} and not chosen:
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
        self.rules = rules = replace(rules, removes=self.setup.removes)
        known = self.sync.agreement
        before = known.rules
        now = replace(rules, agreement=before.agreement, since=before.since, paused=before.paused)
        self.sync.settings[AGREEMENT] = replace(known, rules=now)
        self.receipts.everything()
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
        for link in () if self.switching else list(self.sync.links):
            self.sync.run(link, Due())
