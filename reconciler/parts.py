"""What of a customer is a decision about many about, and what came of it? Parts as they were shown, counted as people see them, pure.

A part is what one line of a list says: a detail of a customer, the details of its contact persons, or the customer as such.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.beside import Row
from reconciler.decisions import Ended
from reconciler.rehearsal import Write
from reconciler.rules import System

MOVED: Final = frozenset(
    {"moved", "chosen", "gone", "expired", "edited", "linked_elsewhere", "under_way", "absent", "unknown"}
)
"""Reasons that say that it is not as it was shown; every other one is the other side's refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value as it was shown, named as in a form; ``mark`` is what ``beside`` marks it by."""

    key: str
    detail: str
    person: str = ""
    mark: str = ""
    crm: str = ""
    economic: str = ""
    system: str = ""
    """Where it would be written, of what follows from something else: then the other side holds what it becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of a list, and the values it is made of."""

    detail: str
    values: tuple[Value, ...] = ()
    mark: str = ""
    """Marks all that was shown of it as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many parts were done, had moved since they were shown, and were refused otherwise."""

    done: int = 0
    moved: int = 0
    failed: int = 0


def part(detail: str, rows: Iterable[Row]) -> Part:
    """A line of the list of differences, of the rows that stand in it."""
    return Part(
        detail=detail,
        values=tuple(
            Value(
                key=row.key, detail=row.detail, person=row.person, mark=row.mark, crm=row.crm, economic=row.economic
            )
            for row in rows
        ),
    )  # fmt: skip


def flows(writes: Iterable[Write], mark: str) -> Part:
    """That a customer flows automatically from then on, and what would be written at once."""
    return Part(detail="flow", mark=mark, values=tuple(_written(one) for one in writes))


def tally(parts: Sequence[Part], stale: Collection[str], outcome: Sequence[Ended]) -> Tally:
    """What parts came to: one of which any value had moved has moved, and one of which any was refused was refused."""
    refused = {_key(one): one.reason for one in outcome if one.result == "refused"}
    whole = refused.get("")
    done = moved = failed = 0
    for one in parts:
        keys = [value.key for value in one.values if value.key]
        reasons = [refused[key] for key in keys if key in refused] + ([] if whole is None else [whole])
        if any(key in stale for key in keys) or any(reason in MOVED for reason in reasons):
            moved += 1
        elif reasons:
            failed += 1
        else:
            done += 1
    return Tally(done=done, moved=moved, failed=failed)


def _written(one: Write) -> Value:
    to_crm = one.system is System.CRM
    return Value(
        key="",
        detail=one.field if one.record == "customer" else f"contact.{one.field}",
        crm=one.before if to_crm else one.after,
        economic=one.after if to_crm else one.before,
        system=str(one.system),
    )


def _key(one: Ended) -> str:
    return f"{one.record}.{one.detail}" if one.record is not None else ""
