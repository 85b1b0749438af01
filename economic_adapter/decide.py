"""What happens next to one write, by what was seen of its record? Send, look, take another number, or answer.

A write that has not left is decided (``decide_*``); one that may be done is settled by looking (``settle_*``), never by
guessing. All values: what was seen is given, the move comes back.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from crm_outbox.contract import unseen as crm_unseen
from economic_adapter import mapping
from economic_adapter import operation as moves
from economic_adapter.contract import EconomicPart
from economic_adapter.operation import Illegal, Operation, State

REMEMBERED = timedelta(minutes=55)
"""So long e-conomic repeats its answer to a call under the same key; it says one hour, and clocks differ."""


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


def decide_change(operation: Operation, body: Mapping[str, Any] | None, *, known: bool) -> Move:
    """A change, bar or removal that has not left, by the record as the mirror keeps it. ``known`` false: look first."""
    _must(operation, State.PLANNED)
    part = operation.part
    if not known:
        return Move(next=Next.LOOK, operation=operation)
    if body is None:
        return _end(moves.refused(operation, "not_found"))
    if part.record == "contact" and mapping.is_deleted(body):
        return _end(moves.unchanged(operation) if part.action == "remove" else moves.refused(operation, "not_found"))
    if part.object_version != mapping.version(body):
        return _end(moves.refused(operation, "version"))
    if part.action == "remove":
        return Move(next=Next.SEND, operation=operation)
    if wrong := _wrong(part):
        return _end(moves.refused(operation, *wrong))
    whole = mapping.bar(body) if part.action == "bar" else mapping.overlay(part.record, body, part.fields)
    if whole == mapping.plain(body):
        return _end(moves.unchanged(operation))
    return Move(next=Next.SEND, operation=operation, body=whole)


def decide_contact(
    operation: Operation, number: int, there: Sequence[Mapping[str, Any]], ours: Collection[int] = ()
) -> Move:
    """A contact person's creation that has not left, by the list just read: one the decision had not seen stops it.

    ``ours`` are contact persons that other operations created: each was told apart when it was decided.
    """
    _must(operation, State.PLANNED)
    part = operation.part
    if wrong := _wrong(part) or (None if part.fields.get("name", "").strip() else ("missing:name", "", "name")):
        return _end(moves.refused(operation, *wrong))
    numbers = [mapping.contact_number(one) for one in there]
    alive = {mapping.contact_number(one) for one in there if not mapping.is_deleted(one)}
    if not alive <= {*part.seen, *ours}:
        return _end(moves.refused(operation, "candidates"))
    return Move(
        next=Next.SEND,
        operation=moves.listed_before(operation, numbers),
        body=mapping.new_contact(number, part.fields),
    )


def decide_creation(operation: Operation, twins: Sequence[int]) -> Move:
    """A customer's creation before a number is chosen: customers the decision had not seen stop it."""
    _must(operation, State.PLANNED)
    part = operation.part
    if wrong := _wrong(part) or lacks(part):
        return _end(moves.refused(operation, *wrong))
    if unseen(twins, part):
        return _end(moves.refused(operation, "candidates"))
    return Move(next=Next.TAKE_NEXT, operation=operation)


def decide_number(operation: Operation, body: Mapping[str, Any] | None) -> Move:
    """A chosen number was looked at: free, so it may leave; else the next one, or the end if the number was asked for."""
    _must(operation, State.PLANNED)
    if body is None:
        part, free = operation.part, moves.found_free(operation)
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
        return _end(moves.written(operation, operation.chosen))
    # somebody may have edited ours before its answer was known: whatever still shows its name or its number may be ours,
    # and without a number that was sent only the name could tell
    same_name = mapping.agrees("customer", body, {"name": fields.get("name", "")})
    digits = re.sub(r"[^0-9]", "", fields.get("cvr", ""))
    possible = same_name or digits == "" or digits == re.sub(r"[^0-9]", "", held["cvr"])
    if operation.free_seen and possible:
        return _end(moves.ambiguous(operation))
    return _taken(operation)


def settle_change(operation: Operation, body: Mapping[str, Any] | None, now: datetime) -> Move:
    """A change, bar or removal that may be done, by a look at its record.

    Where the record moved and does not hold what was sent, either it was not done, or it was and somebody changed it
    since. The same bytes under the same key tell: their version is old, so they are done only if they were before.
    """
    _must(operation, State.SENT)
    part = operation.part
    if part.action == "remove":
        gone = body is None or mapping.is_deleted(body)
        return _end(moves.written(operation)) if gone else Move(next=Next.SEND, operation=operation)
    if body is None or (part.record == "contact" and mapping.is_deleted(body)):
        return _end(moves.refused(operation, "not_found"))
    if mapping.version(body) == part.object_version:
        return Move(next=Next.SEND, operation=operation)
    done = body.get("access") is not True if part.action == "bar" else mapping.agrees(part.record, body, part.fields)
    if done:
        return _end(moves.written(operation))
    if remembered(operation, now):
        return Move(next=Next.SEND, operation=operation)
    return _end(moves.ambiguous(operation))


def remembered(operation: Operation, now: datetime) -> bool:
    """Whether e-conomic still repeats what it answered when the operation left first."""
    return operation.sent_at is not None and now - operation.sent_at < REMEMBERED


def settle_contact(operation: Operation, there: Sequence[Mapping[str, Any]]) -> Move:
    """A contact person's creation that may be done, by a list of that customer's: one more that holds all we sent is ours."""
    _must(operation, State.SENT)
    part = operation.part
    new = [one for one in there if mapping.contact_number(one) not in operation.before and not mapping.is_deleted(one)]
    ours = [one for one in new if mapping.agrees("contact", one, {**dict.fromkeys(mapping.CONTACT, ""), **part.fields})]
    if len(ours) == 1:
        return _end(moves.written(operation, mapping.contact_number(ours[0])))
    alike = [one for one in new if mapping.agrees("contact", one, {"name": part.fields.get("name", "")})]
    return _end(moves.ambiguous(operation)) if alike else Move(next=Next.SEND, operation=operation)


def unseen(twins: Collection[int], part: EconomicPart) -> tuple[int, ...]:
    """Those of the customers found that the decision had not ruled out, sorted."""
    left = crm_unseen([str(one) for one in twins], [str(one) for one in part.seen], part.seen_many)
    return tuple(sorted(int(one) for one in left))


def lacks(part: EconomicPart) -> tuple[str, str, str] | None:
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
        return _end(moves.refused(operation, "taken", "", "number"))
    return Move(next=Next.TAKE_NEXT, operation=moves.take_next(operation))


def _end(operation: Operation) -> Move:
    return Move(next=Next.ANSWER, operation=operation)


def _must(operation: Operation, state: State) -> None:
    if operation.state is not state:
        raise Illegal(f"{operation.state} is not {state}")
