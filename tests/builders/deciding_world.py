"""A small world for decisions: two systems that check versions, messages in a bag, people who edit, choose and undo.

Everything follows from one seed. What each side ever held, and when, is remembered, so that a test can judge.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from crm_outbox.contract import Outcome, Result, WriteCustomer
from reconciler import carrying, decisions, fields
from reconciler.decisions import Decision, Ended, Wish
from reconciler.link import Command, Decided, Due, Heard, Step
from reconciler.rules import Decides, Rule, Rules, System
from reconciler.step import step
from tests.builders.deciding import Deciding, a_decision, a_wish, deciding
from tests.builders.reconciler import LINK, ruled

DETAILS = ("name", "phone", "email")
RULES = ruled(
    name=Rule(decides=Decides.ASK, may_be_empty=False),
    phone=Rule(decides=Decides.CRM),
    email=Rule(decides=Decides.ASK, may_be_empty=False),
)
POOL = {
    "name": ("Nord", "Syd", "Vest"),
    "phone": ("11111111", "22222222", "+45 11 11 11 11", ""),
    "email": ("a@x.example", "b@x.example", "A@X.example", ""),
}


@dataclass
class Written:
    """One write of a decision as it landed: where, what it overwrote, and with what."""

    decision: UUID
    detail: str
    system: System
    over: str
    value: str


@dataclass
class World:
    seed: int
    rules: Rules = RULES
    react: Any = step
    case: Deciding = field(default_factory=lambda: deciding(RULES, email="a@x.example"))
    bag: list[tuple[str, Any]] = field(default_factory=list)
    answers: dict[UUID, Outcome] = field(default_factory=dict)
    made: dict[UUID, Decision] = field(default_factory=dict)
    ended: dict[tuple[UUID, str], list[Ended]] = field(default_factory=dict)
    landed: list[Written] = field(default_factory=list)
    edits: list[tuple[int, System, str]] = field(default_factory=list)
    """When a person edited what, counted in steps."""
    held: dict[System, dict[str, list[str]]] = field(default_factory=dict)
    decided_at: dict[UUID, int] = field(default_factory=dict)
    ended_at: dict[tuple[UUID, str], int] = field(default_factory=dict)
    tick: int = 0
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.held = {system: {name: [self.value(system, name)] for name in DETAILS} for system in System}

    def value(self, system: System, name: str) -> str:
        values = self.case.crm_values if system is System.CRM else self.case.economic_values
        return values.get(name, "")

    # ---- people

    def edit(self, system: System, name: str, value: str) -> None:
        """A person edits one detail in one system, and a message about it sets out."""
        self._set(system, name, value)
        self.edits.append((self.tick, system, name))
        self._moved(system)
        self._seen(system)

    def decide(self, *wishes: Wish, means: str = "settle") -> UUID:
        decision = a_decision(
            wishes, id=uuid5(LINK, f"d{len(self.made)}"), at=self.case.now, means=means, who=f"person {len(self.made)}"
        )
        self.made[decision.id] = decision
        self.decided_at[decision.id] = self.tick
        self.hear(Decided(decision=decision))
        return decision.id

    def wishes(self) -> list[Wish]:
        """What somebody wants of some details, who sees what is remembered now."""
        chosen = self.dice.sample(DETAILS, self.dice.choice([1, 1, 2, 3]))
        taken = []
        for name in chosen:
            text = f"text{len(self.made)}.{self.dice.randrange(1000)}"
            if name == "email":
                text += "@x.example"
            what = self.dice.choice(["crm", "economic", "different", text])
            taken.append(a_wish(self.case.link.customer, name, what))
        return taken

    def undo(self, decision: UUID) -> UUID | None:
        ended = [one for (of, _), all_ in self.ended.items() if of == decision for one in all_]
        wishes = decisions.backwards(ended, carrying.standing_in(self.case.link))
        return self.decide(*wishes, means="undo") if wishes else None

    # ---- the road

    def hear(self, message: Any) -> None:
        self.tick += 1
        done = self.react(self.case.link, message, self.rules, self.case.now)
        self.case.link, self.case.status = done.link, done.status
        self.steps.append(done)
        for one in done.ended:
            self.ended.setdefault((one.decision, one.detail), []).append(one)
            self.ended_at[one.decision, one.detail] = self.tick
        self.bag += [("command", command) for command in done.commands]

    def deliver(self, kind: str, what: Any) -> None:
        if kind == "command":
            self.bag.append(("answer", self._carried_out(what)))
        else:
            self.hear(what)

    def happen(self) -> None:
        """One thing happens, as the dice will have it."""
        roll = self.dice.random()
        if roll < 0.22:
            system, name = self.dice.choice(list(System)), self.dice.choice(DETAILS)
            self.edit(system, name, self.dice.choice(POOL[name]))
        elif roll < 0.32:
            self.decide(*self.wishes())
        elif roll < 0.38:
            stale = self.wishes()
            for _ in range(self.dice.randrange(3)):
                self.happen()
            self.decide(*stale)
        elif roll < 0.43 and self.made:
            self.undo(self.dice.choice(list(self.made)))
        elif roll < 0.50:
            self.case.now += timedelta(minutes=self.dice.choice([1, 5, 20]))
            self.hear(Due())
        elif roll < 0.53:
            self.rules = replace(self.rules, paused=self.dice.choice([frozenset(), frozenset({System.ECONOMIC})]))
            self.hear(Due())
        else:
            self._pick()

    def rest(self) -> None:
        """Faults stop: everything is delivered, read and sent again until nothing is on its way."""
        self.rules = replace(self.rules, paused=frozenset())
        for _ in range(12):
            while self.bag:
                self.deliver(*self.bag.pop(self.dice.randrange(len(self.bag))))
            for system in System:
                self._seen(system)
            while self.bag:
                self.deliver(*self.bag.pop(0))
            self.case.now += timedelta(hours=2)
            self.hear(Due())

    def _pick(self) -> None:
        if not self.bag:
            return
        kind, what = self.dice.choice(self.bag)
        if self.dice.random() < 0.85:
            self.bag.remove((kind, what))
        if self.dice.random() < 0.9:  # else it is lost
            self.deliver(kind, what)

    # ---- the systems

    def _carried_out(self, command: Command) -> Heard:
        crm = isinstance(command, WriteCustomer)
        system = System.CRM if crm else System.ECONOMIC
        outcomes = []
        for part in command.parts:
            if part.operation not in self.answers:
                version = (
                    command.version if isinstance(command, WriteCustomer) else getattr(part, "object_version", None)
                )
                now = f"1.{self.case.crm_version}" if crm else f"v{self.case.object_version}"
                self.answers[part.operation] = self._written(system, part.operation, part.fields, version == now)
            outcomes.append(self.answers[part.operation])
        bare = self.dice.random() < 0.15
        if crm:
            return Heard(outcomes=tuple(outcomes), crm=None if bare else self.case.crm_seen())
        self.case.economic_version += 1
        return Heard(outcomes=tuple(outcomes), economic=None if bare else self.case.economic_seen())

    def _written(self, system: System, operation: UUID, values: dict[str, str], holds: bool) -> Outcome:
        if not holds:
            return Outcome(operation=operation, result=Result.REFUSED, reason="version")
        odd = next((name for name, value in values.items() if name == "email" and value.endswith("7@x.example")), None)
        if odd and system is System.ECONOMIC:
            return Outcome(operation=operation, result=Result.REFUSED, reason="CustomerInvalidEmail", detail=odd)
        decided = next((one.decided for one in self.case.link.pending if one.operation == operation), {})
        for name, value in values.items():
            if name in decided:
                over = self.value(system, name)
                self.landed.append(Written(decided[name], name, system, over, value))
            self._set(system, name, value)
        self._moved(system)
        return Outcome(operation=operation, result=Result.WRITTEN)

    def _set(self, system: System, name: str, value: str) -> None:
        values = self.case.crm_values if system is System.CRM else self.case.economic_values
        values[name] = value
        self.held[system][name].append(value)

    def _moved(self, system: System) -> None:
        if system is System.CRM:
            self.case.crm_version += 1
        else:
            self.case.object_version += 1

    def _seen(self, system: System) -> None:
        if system is System.CRM:
            self.bag.append(("seen", Heard(crm=self.case.crm_seen())))
        else:
            self.case.economic_version += 1
            self.bag.append(("seen", Heard(economic=self.case.economic_seen())))


def same(name: str, one: str, other: str) -> bool:
    """Whether two values of a detail of the customer are one."""
    return fields.same("customer", name, one, other)


def lived(seed: int, steps: int = 60, **given: Any) -> World:
    """A world after so many things happened in it, at rest."""
    world = World(seed, **given)
    for _ in range(steps):
        world.happen()
    world.rest()
    return world
