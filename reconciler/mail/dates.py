"""When is a mail due? The digest on working days and the letter on Fridays, from eight on a Danish clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from crm_outbox.messaging.danish import danish

HOUR: Final = time(8)
WORKING_DAYS: Final = range(5)
"""Monday to Friday; public holidays are not known."""
FRIDAY: Final = 4
UNTOUCHED: Final = 3
"""Working days after which a question that nobody touched stands first."""


def digest(now: datetime) -> date | None:
    """The day whose digest is due, from eight until midnight; none at other times."""
    there = danish(now)
    return there.date() if there.weekday() in WORKING_DAYS and there.time() >= HOUR else None


def letter(now: datetime) -> tuple[datetime, datetime] | None:
    """The week the letter tells of, from eight on a Friday to eight on the next; none unless it is due today."""
    there = danish(now)
    if there.weekday() != FRIDAY or there.time() < HOUR:
        return None
    until = _at_eight(there.date())
    return _at_eight(there.date() - timedelta(days=7)), until


def working_days(since: datetime, now: datetime) -> int:
    """How many working days began after that moment."""
    first, last = danish(since).date(), danish(now).date()
    weeks, rest = divmod(max(0, (last - first).days), 7)
    return weeks * len(WORKING_DAYS) + sum(
        (first + timedelta(days=weeks * 7 + day)).weekday() in WORKING_DAYS for day in range(1, rest + 1)
    )


def _at_eight(day: date) -> datetime:
    early, late = (datetime.combine(day, HOUR, tzinfo=UTC) - timedelta(hours=hours) for hours in (2, 1))
    return early if danish(early).time() == HOUR else late
