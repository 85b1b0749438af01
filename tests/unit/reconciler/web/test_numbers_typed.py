"""A number of customers as a person types it: which are taken, and what is said of the others?"""

from datetime import UTC, datetime

import pytest

from reconciler.web.doors import Senseless
from reconciler.web.set_up_choices import Misread, Misreading, misread, ordered, wanted_of
from reconciler.web.words import Words


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("10000", 10_000), ("10.000", 10_000), ("10,000", 10_000), ("10 000", 10_000), ("10\u00a0000", 10_000),
        ("10\u202f000", 10_000), (" 10.000 ", 10_000), ("1.000.000", 1_000_000), ("999.999.999", 999_999_999),
        ("7", 7), ("007", 7), ("", "any"), ("  ", "any"),
    ],
)  # fmt: skip
def test_a_number_is_taken_as_people_write_it(typed: str, number: int | str) -> None:
    assert wanted_of({"number_from": [typed]}).number_from == number


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("ti", "no_number"), ("10.00", "no_number"), ("1.5", "no_number"), ("10.0000", "no_number"), ("10,5", "no_number"),
        ("1.000,000", "no_number"), (".000", "no_number"), ("-1", "no_number"), ("1e3", "no_number"), ("१२", "no_number"),
        ("1 0", "no_number"), ("10..000", "no_number"), ("0", "out_of_range"), ("0.000", "no_number"),
        ("1.000.000.000", "out_of_range"), ("9" * 5000, "out_of_range"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_said_at_its_field(typed: str, why: Misreading) -> None:
    with pytest.raises(Misread) as refused:
        wanted_of({"number_from": ["5"], "number_to": [typed]})
    assert refused.value.wrong == {"number_to": why}


def test_both_fields_are_said_at_once() -> None:
    with pytest.raises(Misread) as refused:
        wanted_of({"number_from": ["x"], "number_to": ["0"]})
    assert refused.value.wrong == {"number_from": "no_number", "number_to": "out_of_range"}


def test_a_choice_that_no_page_has_comes_before_what_was_mistyped() -> None:
    with pytest.raises(Senseless) as refused:
        wanted_of({"transfer": ["sometimes"], "number_to": ["x"]})
    assert not isinstance(refused.value, Misread)


def test_a_range_does_not_end_before_it_begins() -> None:
    with pytest.raises(Misread) as refused:
        ordered(wanted_of({"number_to": ["9.999"]}), 10_000, None)
    assert refused.value.wrong == {"number_to": "below_lowest"}
    ordered(wanted_of({"number_to": ["10.000"]}), 10_000, None)


@pytest.mark.parametrize(
    ("why", "danish", "english"),
    [
        (
            "no_number",
            '"10.00" er ikke et kundenummer. Skriv kun cifre, f.eks. 10000 eller 10.000.',
            '"10.00" is no customer number. Write digits only, such as 10000 or 10,000.',
        ),
        ("out_of_range", "Skriv et tal mellem 1 og 999.999.999.", "Write a number between 1 and 999,999,999."),
        (
            "below_lowest",
            "Det højeste nummer må ikke være mindre end det laveste.",
            "The highest number may not be less than the lowest.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words(why: Misreading, danish: str, english: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert misread(Words("da", now), why, "10.00") == danish
    assert misread(Words("en", now), why, "10.00") == english
