"""When does a day's allowance of calls begin anew, and what is it called that a write waits for that?"""

from datetime import UTC, datetime, timedelta
from typing import Final

LIMIT: Final = "day_limit"
"""Why a write waits that the day's calls do not reach for."""


def next_day(now: datetime) -> datetime:
    """When the calls of a day are counted from nothing again: a day is one of UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)
