"""How does a person write a day? Day, month, year, in digits or with the month's name; read alike in both languages, pure."""

import re
from datetime import date
from typing import Final

from babel.dates import format_date, get_month_names

from reconciler.person import Language

PATTERN: Final = "dd/mm/yyyy"
"""How a day is written in a field, in English; its text in each language says it there."""
LONGEST: Final = 30
_WRITTEN: Final[dict[Language, str]] = {"da": "dd.MM.y", "en": "dd/MM/y"}
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DIGITS: Final = re.compile(r"([0-9]{1,2})\s?[./ -]\s?([0-9]{1,2})\s?[./ -]\s?([0-9]{4}|[0-9]{2})")
_NAMED: Final = re.compile(r"([0-9]{1,2})\.?\s*([a-z]{3,9})\.?\s*([0-9]{4})")
_MONTHS: Final = {
    name.rstrip(".").lower(): number
    for locale in ("da", "en_GB")
    for width in ("wide", "abbreviated")
    for number, name in get_month_names(width, locale=locale).items()
}


def read(text: str) -> date | None:
    """The day; none for what is no day. A year of two digits is one of this century."""
    said = " ".join(text.split()).lower()
    if len(said) > LONGEST:
        return None
    try:
        if found := _ISO.fullmatch(said):
            return date(*(int(one) for one in found.groups()))
        if found := _DIGITS.fullmatch(said):
            day, month, year = (int(one) for one in found.groups())
            return date(year if year > 99 else 2000 + year, month, day)
        if found := _NAMED.fullmatch(said):
            return date(int(found[3]), _MONTHS.get(found[2], 0), int(found[1]))
    except ValueError:
        pass
    return None


def written(language: Language, day: date) -> str:
    """24.11.2026, or 24/11/2026: as it stands in a field."""
    return str(format_date(day, _WRITTEN[language], locale="da" if language == "da" else "en_GB"))
