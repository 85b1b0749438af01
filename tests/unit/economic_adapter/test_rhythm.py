"""When is the next regular check due? By the hours of work, Danish time, and by what changed a short while ago."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging.danish import danish
from economic_adapter.rhythm import Checked, Rhythm, due, is_active

NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
DAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
RHYTHM = Rhythm(active=60, idle=300)


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def is_due(now: datetime, ago: float, changed: float | None = None) -> bool:
    """Whether an agreement is due that was checked so many seconds ago, and changed so many seconds ago."""
    changed_at = None if changed is None else now - timedelta(seconds=changed)
    return due(RHYTHM, [Checked(agreement=7, at=now - timedelta(seconds=ago), changed_at=changed_at)], now) == [7]


def test_by_day_it_is_due_every_minute_whether_anything_changed_or_not() -> None:
    assert [is_due(DAY, ago) for ago in (59.9, 60)] == [False, True]
    assert [is_due(DAY, ago, changed=86400) for ago in (59.9, 60)] == [False, True]


def test_by_night_it_is_due_every_five_minutes() -> None:
    assert [is_due(NIGHT, ago) for ago in (60, 299.9, 300)] == [False, False, True]


def test_by_night_it_is_due_every_minute_for_half_an_hour_after_a_change() -> None:
    assert [is_due(NIGHT, 60, changed) for changed in (0, 1799.9, 1800)] == [True, True, False]


@pytest.mark.parametrize(
    ("moment", "active"),
    [
        ("2026-01-15T04:59:59", False),
        ("2026-01-15T05:00:00", True),
        ("2026-01-15T20:59:59", True),
        ("2026-01-15T21:00:00", False),
        ("2026-07-15T03:59:59", False),
        ("2026-07-15T04:00:00", True),
        ("2026-07-15T19:59:59", True),
        ("2026-07-15T20:00:00", False),
        ("2026-07-18T12:00:00", True),  # a Saturday
        ("2026-12-25T12:00:00", True),
    ],
)
def test_work_is_from_six_to_twenty_two_danish_time_on_any_day(moment: str, active: bool) -> None:
    assert is_active(None, at(moment)) is active


@given(st.integers(0, 100 * 365 * 24 * 60))
def test_the_danish_clock_is_the_one_of_the_time_zone_database(minutes: int) -> None:
    moment = at("2000-01-01T00:00:00") + timedelta(minutes=minutes)
    assert danish(moment) == moment.astimezone(ZoneInfo("Europe/Copenhagen")).replace(tzinfo=None)


@pytest.mark.parametrize("turn", ["2026-03-29T01:00:00", "2026-10-25T01:00:00", "2027-03-28T01:00:00"])
def test_the_clock_is_put_forward_and_back_at_one_utc(turn: str) -> None:
    for moment in (at(turn) - timedelta(microseconds=1), at(turn)):
        assert danish(moment) == moment.astimezone(ZoneInfo("Europe/Copenhagen")).replace(tzinfo=None)


def test_idle_is_never_more_often_than_active() -> None:
    slow = Rhythm(active=3600, idle=1)
    checked = [Checked(agreement=7, at=NIGHT - timedelta(minutes=30))]
    assert due(slow, checked, NIGHT) == []


def test_each_agreement_has_its_own_time() -> None:
    checked = [
        Checked(agreement=1, at=NIGHT - timedelta(seconds=70)),
        Checked(agreement=2, at=NIGHT - timedelta(seconds=70), changed_at=NIGHT - timedelta(minutes=1)),
        Checked(agreement=3, at=NIGHT - timedelta(seconds=310)),
    ]
    assert due(RHYTHM, checked, NIGHT) == [2, 3]
