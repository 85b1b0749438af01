"""What time is it in Denmark? Pure; the rule of summer time is written out, for a machine may lack a time zone database."""

from datetime import UTC, datetime, timedelta


def danish(moment: datetime) -> datetime:
    """The same moment on a Danish clock, without a zone: an hour before UTC, two in summer time."""
    universal = moment.astimezone(UTC)
    summer = _turn(universal.year, 3) <= universal < _turn(universal.year, 10)
    return universal.replace(tzinfo=None) + timedelta(hours=2 if summer else 1)


def _turn(year: int, month: int) -> datetime:
    """When clocks are put forward or back in the whole European Union: the month's last Sunday, one o'clock UTC."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)
