"""How does one write get from planned to its answer? planned -> sent -> written | unchanged | refused | ambiguous.

A write is recorded as sent before it leaves, with its bytes and its key. Each function is one move; a move that a state
does not have raises ``Illegal``. What to do next is said in ``decide``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from crm_outbox.contract import Outcome, Result
from economic_adapter import mapping
from economic_adapter.contract import EconomicPart
from economic_adapter.protocol import Head, Rejected

MESSAGE_LENGTH = 500


class State(StrEnum):
    """Where an operation is in its life; the last four are for ever."""

    PLANNED = "planned"
    SENT = "sent"
    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"

    @property
    def settled(self) -> bool:
        """Whether it is answered and nothing will happen to it any more."""
        return self not in {State.PLANNED, State.SENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One write to one record, as far as it came."""

    part: EconomicPart
    state: State = State.PLANNED
    key: UUID | None = None
    attempt: int = 0
    """How many numbers or keys were tried before."""
    chosen: int | None = None
    """Creation of a customer: the number it is to get."""
    free_seen: bool = False
    """Whether e-conomic had no customer under the chosen number when it was asked before the sending."""
    before: tuple[int, ...] = ()
    """Creation of a contact person: the contact numbers that were there before the sending."""
    body: str | None = field(default=None, repr=False)
    sent_at: datetime | None = None
    """When it left first under its key."""
    outcome: Outcome | None = None

    @property
    def id(self) -> UUID:
        """The id it was commanded with."""
        return self.part.operation


class Illegal(Exception):
    """A move that this state does not have: a programming error, stopped before it can write."""


def send(operation: Operation, body: str | None, now: datetime) -> Operation:
    """It leaves now. A repeat sends the same bytes under the same key."""
    if operation.state is State.PLANNED:
        key = operation.key or _key(operation)
        return replace(operation, state=State.SENT, key=key, body=body, sent_at=now)
    if operation.state is State.SENT and operation.body == body:
        return operation
    raise Illegal(f"{operation.state} cannot be sent")


def not_sent(operation: Operation) -> Operation:
    """It certainly was not done: back to planned, to be decided anew."""
    _must(operation, State.SENT)
    return replace(operation, state=State.PLANNED, body=None, sent_at=None)


def fresh_key(operation: Operation) -> Operation:
    """Go on under another key, because e-conomic repeats a stored failure under this one."""
    _must(operation, State.SENT)
    following = replace(operation, attempt=operation.attempt + 1)
    return replace(following, key=_key(following))


def choose(operation: Operation, number: int) -> Operation:
    """A creation is to get this number; nothing is known of the number yet."""
    _must(operation, State.PLANNED)
    return replace(operation, chosen=number, free_seen=False)


def found_free(operation: Operation) -> Operation:
    """e-conomic said that no customer has the chosen number."""
    _must(operation, State.PLANNED)
    if operation.chosen is None:
        raise Illegal("no number was chosen")
    return replace(operation, free_seen=True)


def listed_before(operation: Operation, numbers: Sequence[int]) -> Operation:
    """These contact persons were there before the sending."""
    _must(operation, State.PLANNED)
    return replace(operation, before=tuple(sorted(numbers)))


def take_next(operation: Operation) -> Operation:
    """The chosen number belongs to somebody else: another number under another key, and from the start."""
    if operation.state.settled:
        raise Illegal(f"{operation.state} takes no other number")
    following = replace(
        operation,
        state=State.PLANNED,
        attempt=operation.attempt + 1,
        chosen=None,
        free_seen=False,
        body=None,
        sent_at=None,
    )
    return replace(following, key=_key(following))


def written(operation: Operation, created: int | None = None) -> Operation:
    """e-conomic holds it now."""
    _must(operation, State.SENT)
    made = None if created is None else str(created)
    return _answer(operation, State.WRITTEN, Outcome(operation=operation.id, result=Result.WRITTEN, created=made))


def unchanged(operation: Operation) -> Operation:
    """e-conomic held it already."""
    _must(operation, State.PLANNED)
    return _answer(operation, State.UNCHANGED, Outcome(operation=operation.id, result=Result.UNCHANGED))


def refused(
    operation: Operation, reason: str, message: str = "", detail: str = "", head: Head | None = None
) -> Operation:
    """It was not done and will not be. ``head``: of e-conomic's answer that said so, if one did."""
    if operation.state.settled:
        raise Illegal(f"{operation.state} cannot be refused")
    outcome = Outcome(
        operation=operation.id,
        result=Result.REFUSED,
        reason=reason,
        message=message[:MESSAGE_LENGTH],
        detail=detail,
        request_id="" if head is None else head.request_id,
    )
    return _answer(operation, State.REFUSED, outcome)


def ambiguous(operation: Operation) -> Operation:
    """It may be done, and looking cannot tell. A person must; told as refused with this reason."""
    _must(operation, State.SENT)
    outcome = Outcome(operation=operation.id, result=Result.REFUSED, reason="ambiguous")
    return _answer(operation, State.AMBIGUOUS, outcome)


def rejected(operation: Operation, error: Rejected) -> Operation:
    """e-conomic would not take it: answered with its own code and words, and never tried again by itself."""
    first = error.faults[0]
    return refused(operation, first.code, first.message, mapping.detail(operation.part.record, first), error.head)


def _key(operation: Operation) -> UUID:
    # the first key is the operation's own id, so that a person finds it in e-conomic's logs
    return operation.id if operation.attempt == 0 else uuid5(operation.id, str(operation.attempt))


def _answer(operation: Operation, state: State, outcome: Outcome) -> Operation:
    return replace(operation, state=state, outcome=outcome)


def _must(operation: Operation, state: State) -> None:
    if operation.state is not state:
        raise Illegal(f"{operation.state} is not {state}")
