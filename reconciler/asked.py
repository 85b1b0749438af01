"""What is a question to people about one customer? Values only: what it is about, and what both sides hold of it."""

from dataclasses import dataclass
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
    ``fingerprint`` is of the values as compared: another one when one of them moves. ``message`` is the other side's own.
    """

    kind: TaskKind
    customer: str
    number: int | None
    reason: str = ""
    subject: str = ""
    details: tuple[str, ...] = ()
    message: str = ""
    shown: tuple[Shown, ...] = ()
    candidates: tuple[int, ...] = ()
    candidates_here: tuple[str, ...] = ()
    fingerprint: str = ""
