"""What happens between the systems? Messages in a bag, delivered in any order, late, twice or never; crashes; people.

Everything follows from one seed. The bag stands for both roads of the broker; a step and the commands it sends are one
transaction, as in the real flow.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer, hold
from reconciler import fields
from reconciler.link import Command, Due, EconomicSeen, Heard, Kind, Link, Message, Step, new_link
from reconciler.rules import Decides, Direction, Rules, System
from reconciler.step import step
from tests.simulation.pools import PERSON, POOL, RULES, START
from tests.simulation.systems import Crm, CrmRow, Economic, Row
from tests.simulation.truth import Truth

NAMESPACE = UUID("6f1f7c1e-4c57-4a4e-8f0e-0d6f6a0b8f11")


@dataclass(frozen=True)
class Mail:
    """One message in flight: which customer or number it is about, and what it says."""

    kind: str
    about: str
    what: Heard | WriteCustomer | WriteEconomicCustomer


@dataclass
class World:
    seed: int
    rules: Rules = RULES
    unclear: bool = False
    """Whether the adapter sometimes cannot tell how a write ended."""
    details: tuple[str, ...] = ()
    """What people edit; by default what the dice choose."""
    mails: list[Mail] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    strangers: dict[int, EconomicSeen] = field(default_factory=dict)
    now: datetime = START
    writes: int = 0
    sent: list[Command] = field(default_factory=list)
    everyone: dict[tuple[System, str, str], Row] = field(default_factory=dict)
    react: Callable[[Link, Message, Rules, datetime], Step] = step

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.truth = Truth()
        self.crm, self.economic = Crm(self.truth), Economic(self.truth)
        # name and CVR number or address changed together in e-conomic are another identity (R19), which is not tried here
        identity = {"cvr", "street", "postcode", "city", "country"} if self.seed % 3 == 0 else {"name"}
        chosen = list(POOL) if self.seed % 2 else self.dice.sample(list(POOL), 4)  # few details: more clashes
        self.office = list(self.details) or chosen
        self.bookkeeping = [name for name in self.office if name not in identity] or ["phone"]
        for kind, groups in fields.GROUPS.items():
            for group in groups:
                rule = fields.rule(kind, group, self.rules)
                names = {(str(kind), name) for name in group.fields} if rule.direction is Direction.BOTH else set()
                self.crm.strict |= names if rule.decides is not Decides.ECONOMIC else set()
                self.economic.strict |= names if rule.decides is not Decides.CRM else set()

    @property
    def flowing(self) -> set[tuple[Kind, str]]:
        """The fields that are kept the same at all."""
        return {
            (kind, name)
            for kind, groups in fields.GROUPS.items()
            for group in groups
            if fields.rule(kind, group, self.rules).direction is not Direction.NONE
            for name in group.fields
        }

    @property
    def all_both(self) -> bool:
        """Whether every detail that flows may be changed on both sides."""
        return all(
            fields.rule(kind, group, self.rules).direction in {Direction.BOTH, Direction.NONE}
            for kind, groups in fields.GROUPS.items()
            for group in groups
        )

    # ---- people

    def create(self, **values: str) -> str:
        """A person creates a customer in the CRM."""
        crm_id = f"c{len(self.crm.rows) + 1}"
        start = {name: self.dice.choice(pool) for name, pool in POOL.items()} | {"email": "", **values}
        self.crm.rows[crm_id] = CrmRow(key=crm_id, created=self.now)
        for name, value in start.items():
            self.set(System.CRM, "customer", self.crm.rows[crm_id], name, value)
        self.changed(crm_id)
        return crm_id

    def set(self, system: System, kind: Kind, row: Row, name: str, value: str) -> None:
        """A person sets a value; what e-conomic's own window takes, e-conomic can hold."""
        row.values[name] = hold(kind, name, value) if system is System.ECONOMIC else value
        self.truth.edited(system, row.key, name, row.values[name])

    def edit(self, crm_id: str, system: System, name: str, value: str) -> None:
        """A person edits one detail of a customer in one system."""
        if system is System.CRM:
            self.set(system, "customer", self.crm.rows[crm_id], name, value)
            self.changed(crm_id)
        elif number := self.number(crm_id):
            row = self.economic.rows[number]
            self.set(system, "customer", row, name, value)
            row.version += 1
            self.mails.append(Mail("hook", str(number), Heard()))

    def persons(self, crm_id: str, system: System) -> None:
        """A person adds, edits or removes a contact person."""
        number = self.number(crm_id)
        if system is System.ECONOMIC and not number:
            return
        self._meet(crm_id)
        people: dict[Any, Row] = (
            self.crm.rows[crm_id].contacts if system is System.CRM else self.economic.rows[number or 0].contacts
        )
        if not people or self.dice.random() < 0.4:
            self.truth.edits += 1
            person = Row(key=f"{system}-{self.truth.edits}", made_by="person")
            for name, pool in PERSON.items():
                self.set(system, "contact", person, name, self.dice.choice(pool))
            if system is System.ECONOMIC:
                self.economic.made += 1
                people[self.economic.made] = person
            else:
                people[person.key] = person
        elif self.dice.random() < 0.25:
            people.pop(self.dice.choice(list(people)))
        else:
            person = people[self.dice.choice(list(people))]
            name = self.dice.choice(list(PERSON))
            self.set(system, "contact", person, name, self.dice.choice(PERSON[name]))
            person.version += 1
        self._meet(crm_id)
        if system is System.CRM:
            self.changed(crm_id)
        else:
            self.mails.append(Mail("hook", str(number), Heard()))

    def changed(self, crm_id: str) -> None:
        self.crm.rows[crm_id].version += 1
        self.mails.append(Mail("seen", crm_id, Heard(crm=self.crm.state(crm_id))))

    def number(self, crm_id: str) -> int | None:
        return next((number for number, row in self.economic.rows.items() if row.key == crm_id), None)

    # ---- the road

    def hear(self, crm_id: str, message: Message) -> None:
        """One step and the commands it sends, in one transaction; then what had been seen of its number before."""
        link = self.links.get(crm_id) or new_link("t", 1, crm_id, uuid5(NAMESPACE, crm_id))
        done = self.react(link, message, self.rules, self.now)
        self.links[crm_id] = done.link
        self._remember_keys(crm_id, link, done.link)
        for command in done.commands:
            self.writes += 1
            self.sent.append(command)
            self.mails.append(Mail("command", crm_id, command))
        number = done.link.number
        if number is not None and (stranger := self.strangers.pop(number, None)) is not None:
            self.hear(crm_id, Heard(economic=stranger))

    def deliver(self, mail: Mail) -> None:
        match mail.what:
            case WriteCustomer() as command:
                before = self.crm.rows[mail.about].version
                self.mails.append(Mail("answer", mail.about, self.crm.apply(command)))
                if self.crm.rows[mail.about].version != before:
                    self.mails.append(Mail("seen", mail.about, Heard(crm=self.crm.state(mail.about))))
            case WriteEconomicCustomer() as command:
                if (answer := self.economic.take(command)) is not None:
                    self.mails.append(Mail("answer", mail.about, answer))
            case Heard() if mail.kind == "hook":
                self.mails.append(Mail("look", mail.about, Heard(economic=self.economic.look(int(mail.about)))))
            case Heard(economic=EconomicSeen() as seen) if mail.kind == "look":
                numbers = (seen.number, *seen.old_numbers)
                found = next((one for one, link in self.links.items() if link.number in numbers), None)
                if found is not None:
                    self.hear(found, mail.what)
                elif self.strangers.get(seen.number, seen).version <= seen.version:
                    self.strangers[seen.number] = seen
            case Heard() as heard:
                self.hear(mail.about, heard)

    def work(self, operation: UUID, *, loses: bool = False, unclear: bool = False) -> None:
        command = self.economic.planned[operation]
        if (answer := self.economic.work(operation, loses=loses, unclear=unclear)) is not None:
            bare = self.dice.random() < 0.15  # as a repeated answer is: without the state
            self.mails.append(Mail("answer", command.customer, replace(answer, economic=None) if bare else answer))
        if number := self.number(command.customer):
            self.mails.append(Mail("hook", str(number), Heard()))  # hooks come for our own writes too

    def _remember_keys(self, crm_id: str, before: Link, after: Link) -> None:
        """Tell the truth which record a creation is of, and which two records were found to be one."""
        self._meet(crm_id)
        states = {
            System.CRM: ("crm", crm_id, str(after.crm_version)),
            System.ECONOMIC: ("economic", str(after.number), str(after.economic_version)),
        }
        for one in after.pending:
            self.truth.decided.setdefault(one.operation, states[one.system.other])
        for pair in after.contacts:
            for system, one in pair.pending.items():
                source = pair.side(system.other)
                if one.action == "create" and source is not None and one.operation not in self.truth.keys:
                    self.truth.keys[one.operation] = self._row(crm_id, system.other, source.id).key
        joined = {(pair.crm.id, pair.economic.id) for pair in before.contacts if pair.crm and pair.economic}
        for pair in after.contacts:
            if pair.crm and pair.economic and (pair.crm.id, pair.economic.id) not in joined:
                here = self._row(crm_id, System.CRM, pair.crm.id)
                there = self._row(crm_id, System.ECONOMIC, pair.economic.id)
                if here.key != there.key:
                    self.truth.joined("contact", here.key, there.key, states[System.CRM], states[System.ECONOMIC])
                    there.key = here.key

    def _row(self, crm_id: str, system: System, record: str) -> Row:
        return self.everyone[system, crm_id, record]

    def _meet(self, crm_id: str) -> None:
        """Keep every person that ever was, for a write may be under way for one who is gone."""
        for one, row in self.crm.rows[crm_id].contacts.items():
            self.everyone[System.CRM, crm_id, one] = row
        if number := self.number(crm_id):
            for place, row in self.economic.rows[number].contacts.items():
                self.everyone[System.ECONOMIC, crm_id, str(place)] = row

    # ---- chance

    def live(self, steps: int) -> None:
        """So many things happen, as the dice will have it."""
        for _ in range(steps):
            self.happen()

    def happen(self) -> None:
        dice = self.dice
        crm_id = dice.choice(list(self.crm.rows))
        roll = dice.random()
        if roll < 0.20:
            system = dice.choice(list(System))
            name = dice.choice(self.office if system is System.CRM else self.bookkeeping)
            before = self.truth.cell(system, crm_id, name).entries[-2:]
            back = len(before) == 2 and dice.random() < 0.3  # there and back
            self.edit(crm_id, system, name, before[0].value if back else dice.choice(POOL[name]))
        elif roll < 0.26:
            self.persons(crm_id, dice.choice(list(System)))
        elif roll < 0.27 and (number := self.number(crm_id)) and dice.random() < 0.3:
            self.mails.append(Mail("hook", str(self.economic.renumber(number)), Heard()))
        elif roll < 0.36:
            self.pass_time(timedelta(minutes=dice.choice([1, 2, 5, 20])))
        elif roll < 0.58 and self.economic.planned:
            self.work(
                dice.choice(list(self.economic.planned)),
                loses=dice.random() < 0.1,
                unclear=self.unclear and dice.random() < 0.2,
            )
        else:
            for _ in range(min(dice.choice([1, 1, 2, 4, 8]), len(self.mails))):
                self.pick()

    def pick(self) -> None:
        """One message out of the bag: delivered, mostly; it may stay to be delivered again, or be lost."""
        mail = self.mails[self.dice.randrange(len(self.mails))]
        if self.dice.random() < 0.85:
            self.mails.remove(mail)
        if self.dice.random() < 0.96:  # else it is lost, or the taker died before its commit
            self.deliver(mail)

    def pass_time(self, gap: timedelta) -> None:
        self.now += gap
        for crm_id, link in list(self.links.items()):
            if link.due is not None and link.due <= self.now:
                self.hear(crm_id, Due())

    # ---- rest

    def settle(self, *, rounds: int = 14) -> int:
        """Faults stop: everything is delivered and swept until nothing is written any more. The rounds it took."""
        for taken in range(1, rounds + 1):
            before = self.writes
            self.drain()
            self.sweep()
            self.drain()
            self.pass_time(timedelta(hours=2))
            if self.writes == before and not self.mails and not any(link.pending for link in self.links.values()):
                return taken
        return rounds + 1

    def drain(self) -> None:
        while self.mails or self.economic.planned:
            while self.mails:
                self.deliver(self.mails.pop(self.dice.randrange(len(self.mails))))
            for operation in list(self.economic.planned):
                self.work(operation)

    def sweep(self) -> None:
        """Both systems are read in full."""
        for crm_id in self.crm.rows:
            self.mails.append(Mail("seen", crm_id, Heard(crm=self.crm.state(crm_id))))
        for number in self.economic.rows:
            self.mails.append(Mail("hook", str(number), Heard()))
