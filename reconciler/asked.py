"""What is a question to people about one customer? Values only: what it is about, and what both sides hold of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from reconciler.contract import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value a task is about, as a person is shown it. ``base`` is the last common value, in the CRM and in e-conomic."""

    record: UUID
    kind: Literal["customer", "contact"]
    person: str
    """The contact person's name; empty for the customer's own details."""
    detail: str
    field: str
    crm: str
    economic: str
    base: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A question to people about one customer.

    ``subject`` tells several of a kind apart. ``details`` are field names, a contact person's as ``contact.name``.
    ``fingerprint`` is of the values as compared: another one when one of them moves. ``message`` is the other side's own,
    ``request_id`` what e-conomic calls its answer.
    ``choices``: how many there are to make, one for each detail of each person; a group of details is one.
    """

    kind: TaskKind
    customer: str
    number: int | None
    reason: str = ""
    subject: str = ""
    details: tuple[str, ...] = ()
    message: str = ""
    request_id: str = ""
    shown: tuple[Shown, ...] = ()
    candidates: tuple[int, ...] = ()
    candidates_here: tuple[str, ...] = ()
    fingerprint: str = ""
    choices: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A question as it is stored and as the world was told of it."""

    id: UUID
    kind: TaskKind
    subject: str
    reason: str
    details: tuple[str, ...]
    fingerprint: str
    opened: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed of a link's open questions. ``moved`` are about the same, with other values or details than before."""

    opened: tuple[Task, ...] = ()
    closed: tuple[Open, ...] = ()
    moved: tuple[tuple[Open, Task], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.closed or self.moved)


def difference(stored: Iterable[Open], asked: Iterable[Task]) -> Difference:
    """The stored open questions against those there are now; the same kind and subject is the same question."""
    before = {(one.kind, one.subject): one for one in stored}
    opened, moved = [], []
    for task in asked:
        known = before.pop((task.kind, task.subject), None)
        if known is None:
            opened.append(task)
        elif (known.fingerprint, known.reason, known.details) != (task.fingerprint, task.reason, task.details):
            moved.append((known, task))
    return Difference(opened=tuple(opened), closed=tuple(before.values()), moved=tuple(moved))
