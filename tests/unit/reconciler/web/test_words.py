"""Is everything said as it was agreed, in both languages, with times, numbers and phones as they are written there?"""

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.web.words import LANGUAGES, Words, language, phone

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "texts.csv"
NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
DA, EN = Words("da", NOW), Words("en", NOW)
IN_ENGLISH = {
    "tid": "time", "tid2": "time2", "navn": "name", "dag": "day", "oplysning": "detail", "oplysningen": "detail",
    "oplysninger": "details", "årsag": "reason", "nyt": "new", "gammelt": "old", "firma": "company",
    "firma2": "company2", "kunde": "customer", "kode": "code", "nr": "no", "ny": "new", "dato": "date",
    "regel": "rule", "kald": "calls", "rigtig": "right", "andet": "other", "dokument": "document",
}  # fmt: skip
"""What the agreed Danish texts call a value, by its one name in code."""


def agreed() -> list[tuple[str, str]]:
    """The agreed texts, English and Danish, values by their names in code."""
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return [(row["en"].replace("{the detail}", "{detail}"), _named(row["da"])) for row in csv.DictReader(file)]


def _named(text: str) -> str:
    def name(found: re.Match[str]) -> str:
        one = found.group(1)
        known = IN_ENGLISH.get(one[:1].lower() + one[1:], one)
        return "{" + (known[:1].upper() + known[1:] if one[:1].isupper() and one.lower() in IN_ENGLISH else known) + "}"

    return re.sub(r"\{([^}]*)\}", name, text)


@pytest.mark.parametrize(("english", "danish"), agreed(), ids=[one[:60] for one, _ in agreed()])
def test_every_agreed_text_is_said_word_for_word_in_both_languages(english: str, danish: str) -> None:
    values = dict.fromkeys(re.findall(r"\{([^}]*)\}", english), "X")
    one, _, more = english.partition(" // ")
    first, _, others = danish.partition(" // ")
    if not more:
        assert (DA(one, **values), EN(one, **values)) == (first.format(**values), one.format(**values))
        return
    for n, danish_, english_ in ((1, first, one), (7, others, more)):
        values |= {"n": str(n)}
        said = tuple(words.many(one, more, n, **values) for words in (DA, EN))
        assert said == (danish_.format(**values), english_.format(**values))


def test_a_name_with_a_capital_begins_with_one_and_an_unknown_one_is_a_mistake() -> None:
    assert (
        DA("{Detail} was cleared in {system}.", detail="adresse", system="Clickmate")
        == "Adresse er slettet i Clickmate."
    )
    with pytest.raises(KeyError):
        DA("{Detail} was cleared in {system}.", system="Clickmate")


def test_what_has_no_danish_text_is_said_in_english() -> None:
    assert DA("No such text") == "No such text"


@pytest.mark.parametrize(
    ("moment", "danish", "english"),
    [
        (NOW, "i dag kl. 14.05", "today at 14:05"),
        (NOW - timedelta(hours=14, minutes=5, seconds=1), "i går kl. 23.59", "yesterday at 23:59"),
        (datetime(2026, 8, 3, 7, 4, tzinfo=UTC), "3. aug. 2026 kl. 09.04", "3 Aug 2026 at 09:04"),
    ],
    ids=["today", "yesterday", "in summer"],
)
def test_times_are_a_danish_clocks(moment: datetime, danish: str, english: str) -> None:
    assert (DA.time(moment), EN.time(moment)) == (danish, english)


def test_a_time_of_the_same_day_is_brief_and_takes_no_at_after_since() -> None:
    assert (DA.brief(NOW), EN.brief(NOW)) == ("kl. 14.05", "at 14:05")
    assert (DA.since(NOW), EN.since(NOW)) == ("kl. 14.05", "14:05")
    before = NOW - timedelta(days=1)
    assert (DA.since(before), EN.since(before)) == ("i går kl. 14.05", "yesterday 14:05")


def test_numbers_and_phones() -> None:
    assert (DA.number(1250), EN.number(1250)) == ("1.250", "1,250")
    assert [phone(one) for one in ("12345678", "+4512345678", "+45 12-34 56.78", "+49 30 1234", "1234", "")] == [
        "12 34 56 78", "+45 12 34 56 78", "+45 12 34 56 78", "+49 30 1234", "1234", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "accepted", "spoken"),
    [
        (("en", "da"), "da", "en"),
        ((None, "da"), "en", "da"),
        (("de", None), "", "da"),
        ((), "en-GB,en;q=0.9,da;q=0.8", "en"),
        ((), "de,da;q=0.5,en;q=0.7", "en"),
        ((), "en;q=0,da;q=0.1", "da"),
        ((), "fr", "da"),
    ],
)
def test_the_language_is_the_persons_the_tenants_the_browsers_or_danish(
    wanted: tuple[str | None, ...], accepted: str, spoken: str
) -> None:
    assert language(*wanted, accepted=accepted) == spoken


@given(some.text(max_size=200))
def test_no_header_is_a_mistake(accepted: str) -> None:
    assert language(accepted=accepted) in LANGUAGES
