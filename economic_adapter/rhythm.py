"""How often is an agreement checked regularly? Often while people work and while things change, seldom otherwise.

People work from 6 to 22, Danish time, on any day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_outbox.messaging.danish import danish

LIVELY = timedelta(minutes=30)
"""How long an agreement counts as active after something changed on either side."""
_OPENS, _CLOSES = 6, 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Seconds between two checks of an agreement that is active, and of one that is idle."""

    active: float = 60.0
    idle: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """When an agreement was last checked (or connected), and when something last changed on either side, if known."""

    agreement: int
    at: datetime
    changed_at: datetime | None = None


def due(rhythm: Rhythm, checked: Iterable[Checked], now: datetime) -> list[int]:
    """The agreements among these whose next regular check is due, in the same order."""
    return [one.agreement for one in checked if now - one.at >= timedelta(seconds=_gap(rhythm, one, now))]


def is_active(changed_at: datetime | None, now: datetime) -> bool:
    """Whether it is a time of work, or something changed a short while ago."""
    return _OPENS <= danish(now).hour < _CLOSES or (changed_at is not None and now - changed_at < LIVELY)


def _gap(rhythm: Rhythm, checked: Checked, now: datetime) -> float:
    return rhythm.active if is_active(checked.changed_at, now) else max(rhythm.active, rhythm.idle)
