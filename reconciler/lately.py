"""What was written of a customer last, and who had changed it? Read off the newest rows of its audit, pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from reconciler import fields
from reconciler.pair import Kind
from reconciler.rules import System

JUST_NOW: Final = timedelta(minutes=1)
"""So long it is told that something was transferred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """One row of the audit: a write that reached its side, of these fields. ``by``: flow, rule or person."""

    at: datetime
    system: System
    action: str
    record: Kind
    number: int | None
    by: Literal["flow", "rule", "person"]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Something was written to e-conomic a moment ago; ``created``: the number of the customer that this made."""

    at: datetime
    created: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was written last was an edit of e-conomic's, of these details; of a contact person's with ``contact.`` before."""

    at: datetime
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What is told of the last writes."""

    done: Done | None = None
    fetched: Fetched | None = None


def lately(landed: Sequence[Landed], now: datetime) -> Lately:
    """What is told of these rows, the newest first."""
    there = [one for one in landed if one.system is System.ECONOMIC and now - one.at < JUST_NOW]
    made = next((one.number for one in there if one.action == "create" and one.record == "customer"), None)
    done = Done(at=there[0].at, created=made) if there else None
    if not landed:
        return Lately(done=done)
    last = [one for one in landed if (one.at, one.system) == (landed[0].at, landed[0].system)]
    flowed = [one for one in last if one.system is System.CRM and one.action == "change" and one.by == "flow"]
    details = dict.fromkeys(_detail(one.record, name) for one in flowed for name in one.fields)
    return Lately(done=done, fetched=Fetched(at=landed[0].at, details=tuple(details)) if details else None)


def _detail(record: Kind, field: str) -> str:
    name = next((one.name for one in fields.GROUPS[record] if field in one.fields), field)
    return name if record == "customer" else f"contact.{name}"
