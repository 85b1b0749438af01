"""What happens next to one write? planned -> sent -> written | unchanged | refused | ambiguous, and nothing else.

A write is recorded as sent before it leaves, with its bytes and its key. One found sent again is settled by looking at
the record, never by guessing. All values: what was seen is given, the move comes back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from crm_outbox.contract import Outcome, Result
from economic_adapter import mapping
from economic_adapter.contract import EconomicPart
from economic_adapter.protocol import Rejected

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
    outcome: Outcome | None = None

    @property
    def id(self) -> UUID:
        """The id it was commanded with."""
        return self.part.operation


class Illegal(Exception):
    """A move that this state does not have: a programming error, stopped before it can write."""


class Next(StrEnum):
    """What to do with an operation now."""

    LOOK = "look"
    SEND = "send"
    TAKE_NEXT = "take_next"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What to do next, and the operation as it then stands. ``body`` is there to be sent."""

    next: Next
    operation: Operation
    body: mapping.Body | None = None


# --- the transitions --------------------------------------------------------------------------------------------------


def send(operation: Operation, body: str | None) -> Operation:
    """It leaves now. A repeat sends the same bytes under the same key."""
    if operation.state is State.PLANNED:
        key = operation.key or _key(operation)
        return replace(operation, state=State.SENT, key=key, body=body)
    if operation.state is State.SENT and operation.body == body:
        return operation
    raise Illegal(f"{operation.state} cannot be sent")


def not_sent(operation: Operation) -> Operation:
    """It certainly was not done: back to planned, to be decided anew."""
    _must(operation, State.SENT)
    return replace(operation, state=State.PLANNED, body=None)


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
        operation, state=State.PLANNED, attempt=operation.attempt + 1, chosen=None, free_seen=False, body=None
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


def refused(operation: Operation, reason: str, message: str = "", detail: str = "") -> Operation:
    """It was not done and will not be."""
    if operation.state.settled:
        raise Illegal(f"{operation.state} cannot be refused")
    outcome = Outcome(
        operation=operation.id,
        result=Result.REFUSED,
        reason=reason,
        message=message[:MESSAGE_LENGTH],
        detail=detail,
    )
    return _answer(operation, State.REFUSED, outcome)


def ambiguous(operation: Operation) -> Operation:
    """It may be done, and looking cannot tell. A person must; told as refused with this reason."""
    _must(operation, State.SENT)
    outcome = Outcome(operation=operation.id, result=Result.REFUSED, reason="ambiguous")
    return _answer(operation, State.AMBIGUOUS, outcome)


# --- what next --------------------------------------------------------------------------------------------------------


def decide_change(operation: Operation, body: Mapping[str, Any] | None, *, known: bool) -> Move:
    """A change, bar or removal that has not left, by the record as the mirror keeps it. ``known`` false: look first."""
    _must(operation, State.PLANNED)
    part = operation.part
    if not known:
        return Move(next=Next.LOOK, operation=operation)
    if body is None:
        return _end(refused(operation, "not_found"))
    if part.record == "contact" and mapping.is_deleted(body):
        return _end(unchanged(operation) if part.action == "remove" else refused(operation, "not_found"))
    if part.object_version != mapping.version(body):
        return _end(refused(operation, "version"))
    if part.action == "remove":
        return Move(next=Next.SEND, operation=operation)
    if wrong := _wrong(part):
        return _end(refused(operation, *wrong))
    whole = mapping.bar(body) if part.action == "bar" else mapping.overlay(part.record, body, part.fields)
    if whole == mapping.plain(body):
        return _end(unchanged(operation))
    return Move(next=Next.SEND, operation=operation, body=whole)


def decide_contact(operation: Operation, number: int, there: Sequence[Mapping[str, Any]]) -> Move:
    """A contact person's creation that has not left, by the list just read: one the decision had not seen stops it."""
    _must(operation, State.PLANNED)
    part = operation.part
    if wrong := _wrong(part) or (None if part.fields.get("name", "").strip() else ("missing:name", "", "name")):
        return _end(refused(operation, *wrong))
    numbers = [mapping.contact_number(one) for one in there]
    alive = {mapping.contact_number(one) for one in there if not mapping.is_deleted(one)}
    if not alive <= set(part.seen):
        return _end(refused(operation, "candidates"))
    return Move(
        next=Next.SEND,
        operation=listed_before(operation, numbers),
        body=mapping.new_contact(number, part.fields),
    )


def decide_creation(operation: Operation, twins: Sequence[int]) -> Move:
    """A customer's creation before a number is chosen: customers the decision had not seen stop it."""
    _must(operation, State.PLANNED)
    part = operation.part
    if wrong := _wrong(part) or missing(part):
        return _end(refused(operation, *wrong))
    if not set(twins) <= set(part.seen):
        return _end(refused(operation, "candidates"))
    return Move(next=Next.TAKE_NEXT, operation=operation)


def decide_number(operation: Operation, body: Mapping[str, Any] | None) -> Move:
    """A chosen number was looked at: free, so it may leave; else the next one, or the end if the number was asked for."""
    _must(operation, State.PLANNED)
    if body is None:
        part, free = operation.part, found_free(operation)
        if part.defaults is None or free.chosen is None:
            raise Illegal("a creation without defaults or number")
        return Move(next=Next.SEND, operation=free, body=mapping.new_customer(free.chosen, part.fields, part.defaults))
    return _taken(operation)


def settle_customer(operation: Operation, body: Mapping[str, Any] | None) -> Move:
    """A customer's creation that may be done, by a look at its number: ours, somebody else's, or not there."""
    _must(operation, State.SENT)
    if body is None:
        return Move(next=Next.SEND, operation=operation)
    fields = operation.part.fields
    held = mapping.customer_values(body)
    if operation.free_seen and mapping.agrees("customer", body, {"name": "", "cvr": "", **fields}):
        return _end(written(operation, operation.chosen))
    same_name = mapping.agrees("customer", body, {"name": fields.get("name", "")})
    same_cvr = mapping.agrees("customer", body, {"cvr": fields.get("cvr", "")})
    possible = same_cvr if held["cvr"] and fields.get("cvr") else same_name
    if operation.free_seen and possible:
        return _end(ambiguous(operation))
    return _taken(operation)


def settle_change(operation: Operation, body: Mapping[str, Any] | None) -> Move:
    """A change, bar or removal that may be done, by a look at its record."""
    _must(operation, State.SENT)
    part = operation.part
    if part.action == "remove":
        gone = body is None or mapping.is_deleted(body)
        return _end(written(operation)) if gone else Move(next=Next.SEND, operation=operation)
    if body is None or (part.record == "contact" and mapping.is_deleted(body)):
        return _end(refused(operation, "not_found"))
    if mapping.version(body) == part.object_version:
        return Move(next=Next.SEND, operation=operation)
    done = body.get("access") is not True if part.action == "bar" else mapping.agrees(part.record, body, part.fields)
    return _end(written(operation) if done else refused(operation, "version"))


def settle_contact(operation: Operation, there: Sequence[Mapping[str, Any]]) -> Move:
    """A contact person's creation that may be done, by a list of that customer's: one more that holds all we sent is ours."""
    _must(operation, State.SENT)
    part = operation.part
    new = [one for one in there if mapping.contact_number(one) not in operation.before and not mapping.is_deleted(one)]
    ours = [one for one in new if mapping.agrees("contact", one, {**dict.fromkeys(mapping.CONTACT, ""), **part.fields})]
    if len(ours) == 1:
        return _end(written(operation, mapping.contact_number(ours[0])))
    alike = [one for one in new if mapping.agrees("contact", one, {"name": part.fields.get("name", "")})]
    return _end(ambiguous(operation)) if alike else Move(next=Next.SEND, operation=operation)


def rejected(operation: Operation, error: Rejected) -> Operation:
    """e-conomic would not take it: answered with its own code and words, and never tried again by itself."""
    first = error.faults[0]
    return refused(operation, first.code, first.message, mapping.detail(operation.part.record, first))


def missing(part: EconomicPart) -> tuple[str, str, str] | None:
    """What a customer's creation lacks, as a refusal."""
    if not part.fields.get("name", "").strip():
        return "missing:name", "", "name"
    if part.defaults is None:
        return "missing:defaults", "", ""
    return None


def _wrong(part: EconomicPart) -> tuple[str, str, str] | None:
    unknown = mapping.unknown_fields(part.record, part.fields)
    return ("unknown_field", "", unknown[0]) if unknown else None


def _taken(operation: Operation) -> Move:
    if operation.part.number is not None:
        return _end(refused(operation, "taken", "", "number"))
    return Move(next=Next.TAKE_NEXT, operation=take_next(operation))


def _end(operation: Operation) -> Move:
    return Move(next=Next.ANSWER, operation=operation)


def _key(operation: Operation) -> UUID:
    # the first key is the operation's own id, so that a person finds it in e-conomic's logs
    return operation.id if operation.attempt == 0 else uuid5(operation.id, str(operation.attempt))


def _answer(operation: Operation, state: State, outcome: Outcome) -> Operation:
    return replace(operation, state=state, outcome=outcome)


def _must(operation: Operation, state: State) -> None:
    if operation.state is not state:
        raise Illegal(f"{operation.state} is not {state}")
