"""Builders for decisions: a customer in both systems, and a person who chooses, having seen what it holds now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from reconciler import carrying, decisions, fields
from reconciler.decisions import Decision, Ended, Wish
from reconciler.link import Command, Decided, Due, Message, Pair, Status
from reconciler.rules import Rules
from reconciler.step import step
from tests.builders.reconciler import LINK, RULES, Case, linked


@dataclass
class Deciding(Case):
    """A case with a person in it; ``history`` holds how every part of every decision ended."""

    history: list[Ended] = field(default_factory=list)
    last: tuple[Ended, ...] = ()
    made: int = 0

    def hear(self, message: Message) -> tuple[Command, ...]:
        done = step(self.link, message, self.rules, self.now)
        self.link, self.status, self.commands, self.counted = done.link, done.status, done.commands, done.counted
        self.last = done.ended
        self.history += done.ended
        return done.commands

    def hear_again(self) -> tuple[Command, ...]:
        """The rules changed: everything is planned anew."""
        return self.hear(Due())

    def stands(self) -> Status:
        """How the customer stands."""
        return step(self.link, Due(), self.rules, self.now).status

    @property
    def ended(self) -> list[tuple[str, str, str]]:
        """How every part ended so far: detail, result and reason."""
        return [(one.detail, one.result, one.reason) for one in self.history]

    def wish(self, record: UUID | None = None, **take: str | Mapping[str, str]) -> Wish:
        """What a person wants of one detail, who sees both sides as they are now."""
        pair = next(one for one in self.link.pairs if record is None or one.id == record)
        ((name, wanted),) = take.items()
        return a_wish(pair, name, wanted)

    def settle(self, record: UUID | None = None, **take: str | Mapping[str, str]) -> tuple[Command, ...]:
        """A person chooses: ``crm``, ``economic``, ``different``, or a text for both."""
        return self.decide(*(self.wish(record, **{name: wanted}) for name, wanted in take.items()))

    def decide(self, *wishes: Wish, **given: Any) -> tuple[Command, ...]:
        self.made += 1
        decision = a_decision(wishes, **{"id": uuid5(LINK, f"decision/{self.made}"), "at": self.now, **given})
        return self.hear(Decided(decision=decision))

    def undo(self, ended: Iterable[Ended]) -> tuple[Command, ...]:
        wishes = decisions.backwards(ended, carrying.standing_in(self.link))
        return self.decide(*wishes, means="undo")

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Those commands and whatever follows from them are carried out."""
        waiting = list(commands)
        while waiting:
            waiting += self.written(waiting.pop(0))


def a_wish(pair: Pair, name: str, wanted: str | Mapping[str, str]) -> Wish:
    """A wish of somebody who saw that record as it is remembered now."""
    group = next(one for one in fields.GROUPS[pair.kind] if one.name == name)
    assert pair.crm is not None
    assert pair.economic is not None
    crm = {one: fields.text(pair.crm.values, one) for one in group.fields}
    economic = {one: fields.text(pair.economic.values, one) for one in group.fields}
    standing = pair.chosen.get(name)
    seen: dict[str, Any] = {
        "record": pair.id, "detail": name, "seen_crm": crm, "seen_economic": economic,
        "over": None if standing is None else standing.decision,
    }  # fmt: skip
    if wanted == "crm":
        return Wish(take="crm", economic=crm, **seen)
    if wanted == "economic":
        return Wish(take="economic", crm=economic, **seen)
    if wanted == "different":
        return Wish(take="different", **seen)
    text = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(group.fields, wanted)
    return Wish(take="text", crm=text, economic=text, **seen)


def a_decision(wishes: Iterable[Wish] = (), **given: Any) -> Decision:
    """What somebody decided about the customer of the tests."""
    return Decision(
        **{
            "tenant": "t", "agreement": 1, "link": LINK, "means": "settle", "who": "Marie", "wishes": tuple(wishes),
            **given,
        }
    )  # fmt: skip


def deciding(rules: Rules = RULES, **values: str) -> Deciding:
    """A customer that both systems hold, the same in both, with a person beside it."""
    start = linked(values=values)
    case = Deciding(**{name: getattr(start, name) for name in Case.__dataclass_fields__})
    case.rules = rules
    return case
