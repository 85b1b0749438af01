"""How did a publish end? A window of sent tags and what the broker said about them, to settled, refused, suspect.

Nothing is settled that was not acknowledged, or that was returned; nothing that was sent disappears.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Sent(NamedTuple):
    """A message in flight: its row in the outbox, and the id a return will name."""

    id: int
    message_id: str


class Acked(NamedTuple):
    """The broker has it, or has returned it before; ``multiple``: and every one still open before it."""

    tag: int
    multiple: bool = False


class Nacked(NamedTuple):
    """The broker refuses it: a full queue, or an error of its own."""

    tag: int
    multiple: bool = False


class Returned(NamedTuple):
    """It could not be routed. Names no tag; always comes before the ack."""

    message_id: str
    code: int = 312
    text: str = ""


class Closed(NamedTuple):
    """The broker closed the channel or the connection (code), or it was lost (code 0)."""

    code: int
    text: str = ""


class Blocked(NamedTuple):
    """The broker reads no more from this connection: memory or disk is short."""

    reason: str


class Unblocked(NamedTuple):
    """The broker reads again."""


Event = Acked | Nacked | Returned | Closed | Blocked | Unblocked

BROKEN_TOPOLOGY = frozenset({403, 404})
"""No such exchange, or not allowed to write there: no message's fault, so none is parked for it."""
LOST = frozenset({0, 320, 541})
"""A lost connection, one closed by an operator, an error inside the broker: no message's fault either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is in flight on one channel: tag to message, in the order of sending; and which of them were returned."""

    waiting: Mapping[int, Sent] = field(default_factory=dict)
    returned: Mapping[str, str] = field(default_factory=dict)

    def sent(self, first_tag: int, messages: Iterable[Sent]) -> "Window":
        """The window after a batch left, its tags counting up from ``first_tag``."""
        return Window(waiting={**self.waiting, **dict(enumerate(messages, first_tag))}, returned=self.returned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How messages ended. Refused ones carry the reason; suspects may or may not have arrived."""

    settled: tuple[int, ...] = ()
    refused: tuple[tuple[int, str], ...] = ()
    suspect: tuple[Sent, ...] = ()
    closed: Closed | None = None


def settle(window: Window, events: Sequence[Event]) -> tuple[Window, Verdict]:
    """What the broker's words mean for the window: the window that is left, and how the others ended.

    A tag already settled, a return of something not in flight and an unknown tag are no errors. After a close the
    window is empty: what was not returned is suspect, and never the one that happens to come next.
    """
    waiting = dict(window.waiting)
    returned = dict(window.returned)
    settled: list[int] = []
    refused: list[tuple[int, str]] = []
    for event in events:
        match event:
            case Acked(tag, multiple):
                for sent in _take(waiting, tag, multiple):
                    reason = returned.pop(sent.message_id, None)
                    if reason is None:
                        settled.append(sent.id)
                    else:
                        refused.append((sent.id, reason))
            case Nacked(tag, multiple):
                taken = _take(waiting, tag, multiple)
                refused += [(sent.id, returned.pop(sent.message_id, "nacked")) for sent in taken]
            case Returned(message_id, code):
                returned[message_id] = f"returned_{code}"
            case Closed():
                refused += [
                    (sent.id, returned[sent.message_id]) for sent in waiting.values() if sent.message_id in returned
                ]
                suspect = tuple(sent for sent in waiting.values() if sent.message_id not in returned)
                return Window(), Verdict(settled=tuple(settled), refused=tuple(refused), suspect=suspect, closed=event)
            case _:
                pass
    if returned:
        open_ids = {sent.message_id for sent in waiting.values()}
        returned = {message_id: reason for message_id, reason in returned.items() if message_id in open_ids}
    return Window(waiting=waiting, returned=returned), Verdict(settled=tuple(settled), refused=tuple(refused))


def to_probe(verdict: Verdict) -> bool:
    """Whether one of the suspects may itself have closed the channel, so that they must be sent one at a time."""
    return verdict.closed is not None and verdict.closed.code not in BROKEN_TOPOLOGY | LOST


def _take(waiting: dict[int, Sent], tag: int, multiple: bool) -> list[Sent]:
    if not multiple:
        one = waiting.pop(tag, None)
        return [] if one is None else [one]
    # Sent in tag order and a dict keeps it, so the first tag above ends the search; tag 0 means all.
    tags = []
    for other in waiting:
        if tag and other > tag:
            break
        tags.append(other)
    return [waiting.pop(other) for other in tags]
