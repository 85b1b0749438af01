"""Is a day read as people here write it, alike in both languages, and is nothing else taken for a day?"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.person import Language
from reconciler.web.days import read, written

DAYS = st.dates(min_value=date(1000, 1, 1))


@given(DAYS, st.sampled_from(("da", "en")))
def test_what_stands_in_a_field_is_read_as_the_day_it_was(day: date, language: Language) -> None:
    assert read(written(language, day)) == day
    assert read(day.isoformat()) == day


def test_it_is_written_as_in_each_language() -> None:
    assert (written("da", date(2026, 3, 4)), written("en", date(2026, 3, 4))) == ("04.03.2026", "04/03/2026")


@pytest.mark.parametrize(
    "text",
    [
        "24.11.2026", "24-11-2026", "24/11/2026", "24 11 2026", " 24. 11. 2026 ", "24.11.26", "2026-11-24",
        "24. nov. 2026", "24. november 2026", "24 Nov 2026", "24 NOVEMBER 2026",
    ],
)  # fmt: skip
def test_the_ways_to_write_a_day(text: str) -> None:
    assert read(text) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "month"), [("1. maj 2026", 5), ("1 May 2026", 5), ("1. okt. 2026", 10), ("1 Oct 2026", 10)]
)
def test_the_months_of_both_languages(text: str, month: int) -> None:
    assert read(text) == date(2026, month, 1)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "i morgen", "31.02.2026", "32.01.2026", "01.13.2026", "0000-00-00", "24.11", "2026", "24.11.202", "24112026",
        "24. foo 2026", "24.11.2026 x", "\u0662\u0664.11.2026", "2" * 400, "1" * 5 + ".1.2026", "\0",
    ],
)  # fmt: skip
def test_what_is_no_day(text: str) -> None:
    assert read(text) is None


@given(st.text(max_size=40))
def test_whatever_is_written_it_is_a_day_or_none(text: str) -> None:
    found = read(text)
    assert found is None or isinstance(found, date)
