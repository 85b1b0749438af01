"""When mail is due, on a Danish clock: working days at eight, Fridays at eight, across the change of summer time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging.danish import danish
from reconciler.mail import dates

MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 27, 6, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 27, 7, 0, tzinfo=UTC), date(2026, 11, 27)),
        (datetime(2026, 7, 3, 6, 0, tzinfo=UTC), date(2026, 7, 3)),
        (datetime(2026, 11, 28, 9, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 29, 9, 0, tzinfo=UTC), None),
    ],
)
def test_a_digest_is_due_on_working_days_from_eight(moment: datetime, day: date | None) -> None:
    assert dates.digest(moment) == day


def test_a_letter_tells_of_the_week_from_friday_to_friday() -> None:
    week = datetime(2026, 11, 20, 7, tzinfo=UTC), datetime(2026, 11, 27, 7, tzinfo=UTC)
    assert dates.letter(datetime(2026, 11, 27, 15, tzinfo=UTC)) == week
    assert dates.letter(datetime(2026, 11, 27, 6, 59, tzinfo=UTC)) is None
    assert dates.letter(datetime(2026, 11, 26, 15, tzinfo=UTC)) is None


def test_a_week_in_which_clocks_change_has_an_hour_more_or_less() -> None:
    assert dates.letter(datetime(2026, 10, 30, 8, tzinfo=UTC)) == (
        datetime(2026, 10, 23, 6, tzinfo=UTC),
        datetime(2026, 10, 30, 7, tzinfo=UTC),
    )


@given(MOMENTS)
def test_two_letters_leave_nothing_between_them_and_nothing_twice(moment: datetime) -> None:
    week = dates.letter(moment)
    if week is not None:
        later = dates.letter(week[1] + timedelta(days=7, hours=1))
        assert later is not None
        assert later[0] == week[1]
        assert week[0] < week[1] <= moment


@given(MOMENTS, st.integers(0, 40))
def test_working_days_are_counted_one_by_one(since: datetime, days: int) -> None:
    now = since + timedelta(days=days)
    first, last = danish(since).date(), danish(now).date()
    every = (first + timedelta(days=one) for one in range(1, (last - first).days + 1))
    assert dates.working_days(since, now) == sum(one.weekday() < 5 for one in every)
