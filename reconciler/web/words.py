"""How does the product say it? Texts by their English words, in Danish or English; times, numbers and phones as written there.

The Danish texts stand in ``locale/da``: what was agreed in ``agreed.po``, and what a page says besides in a file of its name.
What is missing there is found by a test, and said in English until then.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import Final, get_args

from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from crm_outbox.messaging.danish import danish
from reconciler.person import Language

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_LOCALES: Final[Mapping[Language, str]] = {"da": "da", "en": "en_GB"}


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in one language, at a moment: "today" is a day of ``now`` on a Danish clock."""

    language: Language
    now: datetime

    @property
    def today(self) -> date:
        """The day that is today."""
        return danish(self.now).date()

    def __call__(self, text: str, /, **values: object) -> str:
        """A text by its English words. ``{detail}`` is filled in as given, ``{Detail}`` with a capital first letter."""
        return _filled(_texts(self.language).gettext(text), values)

    def many(self, one: str, more: str, n: int, /, **values: object) -> str:
        """A text in singular or plural; ``{n}`` is the number as it is written there."""
        return _filled(_texts(self.language).ngettext(one, more, n), {"n": self.number(n), **values})

    def number(self, value: int) -> str:
        """1250 as "1.250" or "1,250"."""
        return str(format_decimal(value, locale=_LOCALES[self.language]))

    def decimal(self, value: float) -> str:
        """1.5 as "1,5" or "1.5"."""
        return str(format_decimal(value, locale=_LOCALES[self.language]))

    def amount(self, value: float) -> str:
        """5000 as "5.000" or "5,000", and 25000.5 as "25.000,50" or "25,000.50"."""
        pattern = "#,##0" if value.is_integer() else "#,##0.00####"
        return str(format_decimal(value, pattern, locale=_LOCALES[self.language]))

    def time(self, moment: datetime) -> str:
        """i dag kl. 14.05, i går kl. 14.05, 24. nov. 2026 kl. 14.05."""
        there, today = danish(moment), self.today
        days = {today: self("today"), today - timedelta(days=1): self("yesterday")}
        return f"{days.get(there.date()) or self.day(moment)} {self._clock(there)}"

    def brief(self, moment: datetime) -> str:
        """As ``time``, on the same day the clock alone: "kl. 14.05"."""
        there = danish(moment)
        return self._clock(there) if there.date() == self.today else self.time(moment)

    def exact(self, moment: datetime) -> str:
        """kl. 14.05.07, or at 14:05:07: where it is about seconds, on the same day."""
        pattern = "'kl.' HH.mm.ss" if self.language == "da" else "'at' HH:mm:ss"
        return str(format_datetime(danish(moment), pattern, locale=_LOCALES[self.language]))

    def since(self, moment: datetime) -> str:
        """As ``brief``, after the word "since", which takes no "at" in English."""
        said = self.brief(moment)
        return said.removeprefix("at ").replace(" at ", " ") if self.language == "en" else said

    def day(self, moment: datetime) -> str:
        """24. nov. 2026, or 24 Nov 2026."""
        pattern = "d. MMM y" if self.language == "da" else "d MMM y"
        return str(format_date(danish(moment).date(), pattern, locale=_LOCALES[self.language]))

    def _clock(self, there: datetime) -> str:
        pattern = "'kl.' HH.mm" if self.language == "da" else "'at' HH:mm"
        return str(format_datetime(there, pattern, locale=_LOCALES[self.language]))


def phone(value: str) -> str:
    """Eight digits as Danes write them, "12 34 56 78", also after +45; anything else as it is."""
    digits = re.sub(r"[\s().-]", "", value)
    prefix, local = ("+45 ", digits[3:]) if digits.startswith("+45") else ("", digits)
    if not re.fullmatch(r"[0-9]{8}", local):
        return value
    return prefix + " ".join(local[at : at + 2] for at in range(0, 8, 2))


def language(*wanted: str | None, accepted: str = "") -> Language:
    """The first of these that we speak, else the best of an ``Accept-Language`` header, else Danish."""
    for one in wanted:
        if one in LANGUAGES:
            return one
    ranked = []
    for place, part in enumerate(accepted.split(",")[:20]):
        name, _, weight = part.partition(";")
        found = re.fullmatch(r"\s*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", weight)
        ranked.append((-float(found.group(1)) if found else -1.0, place, name.strip().lower().partition("-")[0]))
    for weight_, _, name in sorted(ranked):
        for known in LANGUAGES:
            if name == known and weight_ < 0:
                return known
    return "da"


class _Values(dict[str, object]):
    def __missing__(self, name: str) -> object:
        lower = name[:1].lower() + name[1:]
        if name == lower or lower not in self:
            raise KeyError(name)
        text = str(self[lower])
        return text[:1].upper() + text[1:]


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text.format_map(_Values(values)) if values else text


@lru_cache
def _texts(language: Language) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    return GNUTranslations(io.BytesIO(compiled.getvalue()))


def catalogue(language: Language) -> Catalog:
    """Every text of a language; ``ValueError`` for one that stands in two files."""
    whole = Catalog(locale=language)
    for file in sorted(
        resources.files("reconciler.web").joinpath("locale", language).iterdir(), key=lambda one: one.name
    ):
        for message in read_po(io.BytesIO(file.read_bytes()), locale=language):
            if message.id and message.id in whole:
                raise ValueError(f"{file.name}: {message.id!r} stands in another file too")
            if message.id:
                whole[message.id] = message
    return whole
