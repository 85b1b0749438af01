"""How do messages get from one package to another? Outboxes, a relay on the product's own settlement, queues, inboxes.

The broker acknowledges singly or many at once, returns, refuses, closes, or falls silent; what is not settled is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from crm_outbox.messaging import settlement
from crm_outbox.messaging.envelope import Version, Words
from crm_outbox.messaging.settlement import Acked, Closed, Event, Nacked, Returned, Sent, Window
from tests.simulation.dice import Dice
from tests.simulation.store import Connection, Session

OWNERS = ("crm", "economic", "sync")
CONSUMERS = ("crm-applier", "economic-adapter", "reconciler")


class Message(NamedTuple):
    """One message: its id, whose outbox it left, which queue it goes to, and what it says."""

    id: int
    owner: str
    to: str
    data: Words
    about: str
    version: Version | None = None


@dataclass
class Bus:
    """Rows that wait in the outboxes, copies that wait in the queues, and the ids each consumer has taken."""

    pending: dict[str, dict[int, Message]] = field(default_factory=lambda: {owner: {} for owner in OWNERS})
    queues: dict[str, list[Message]] = field(default_factory=lambda: {name: [] for name in CONSUMERS})
    taken: dict[str, dict[int, bool]] = field(default_factory=lambda: {name: {} for name in CONSUMERS})
    kept: dict[int, Message] = field(default_factory=dict)
    """Every message of the outboxes of the last day, for a broker that was lost."""
    made: int = 0
    wrong: list[str] = field(default_factory=list)

    def append(
        self,
        connection: Connection | Session,
        owner: str,
        to: str,
        data: Words,
        about: str,
        version: Version | None = None,
    ) -> None:
        """A message in the transaction of what it tells."""
        self.made += 1
        message = Message(self.made, owner, to, data, about, version)
        connection.put(self.pending[owner], message.id, message)
        connection.put(self.kept, message.id, message)

    def relay(self, owner: str, dice: Dice | None, trouble: float = 0.0) -> str:
        """One batch of one outbox: published, and settled by what the broker says. What went wrong, if anything."""
        rows = self.pending[owner]
        batch = list(rows.values())[: 8 if dice is None else 1 + dice.below(8)]
        if not batch:
            return ""
        sent = [Sent(one.id, str(one.id)) for one in batch]
        ends, routed, what = self._broker(batch, dice if dice is not None and dice.percent(trouble) else None)
        window, verdict = settlement.settle(Window().sent(1, sent), ends)
        lost = [one for one in verdict.settled if one not in routed]
        if lost:
            self.wrong.append(f"the relay settled messages {lost}, which the broker never had")
        known = {*verdict.settled, *(one for one, _ in verdict.refused), *(one.id for one in verdict.suspect)}
        known |= {one.id for one in window.waiting.values()}
        if missing := {one.id for one in batch} - known:
            self.wrong.append(f"the relay forgot messages {sorted(missing)}")
        for one in verdict.settled:
            rows.pop(one, None)
        return what

    def _broker(self, batch: Sequence[Message], dice: Dice | None) -> tuple[list[Event], set[int], str]:
        """What the broker says of a batch, the messages it has, and the trouble it made."""
        routed: set[int] = set()
        if dice is None:
            for one in batch:
                self._route(one, routed)
            return [Acked(len(batch), multiple=True)], routed, ""
        events: list[Event] = []
        trouble = dice.pick(("return", "nack", "close", "silence"))
        open_tags: list[int] = []
        stop = dice.below(len(batch))
        for tag, one in enumerate(batch, 1):
            if trouble == "return" and tag - 1 >= stop and dice.percent(50):
                events.append(Returned(str(one.id)))
            elif trouble == "nack" and tag - 1 >= stop and dice.percent(50):
                events += [Acked(other) for other in open_tags]
                open_tags.clear()
                events.append(Nacked(tag))
                continue
            elif trouble == "close" and tag - 1 == stop:
                if dice.percent(50):
                    self._route(one, routed)  # it arrived, and nobody will say so
                events.append(Closed(dice.pick((0, 320, 404, 406))))
                return events, routed, "close"
            else:
                self._route(one, routed)
            open_tags.append(tag)
            if dice.percent(40):
                events.append(Acked(tag, multiple=True))
                open_tags.clear()
        if trouble == "silence":
            return events, routed, trouble  # the last ones are never acknowledged
        events += [Acked(tag) for tag in open_tags]
        return events, routed, trouble

    def _route(self, message: Message, routed: set[int]) -> None:
        routed.add(message.id)
        if message.to:
            self.queues[message.to].append(message)

    def lose_broker(self) -> int:
        """The broker is gone with everything in its queues; what the outboxes kept is published again. How many were lost."""
        lost = sum(len(queue) for queue in self.queues.values())
        for queue in self.queues.values():
            queue.clear()
        for message in self.kept.values():
            self.pending[message.owner].setdefault(message.id, message)
        for rows in self.pending.values():
            ordered = sorted(rows.items())
            rows.clear()
            rows.update(ordered)
        return lost

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return not any(self.queues.values()) and not any(self.pending.values())
