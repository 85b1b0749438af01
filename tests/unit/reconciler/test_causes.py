"""Does every code of the agreed catalogue have its very sentence, in both languages, and an unknown one e-conomic's own?"""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.causes import CAUSES, NEXT, OURS, UNKNOWN, cause
from reconciler.web.words import Words

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "texts.csv"


def agreed() -> list[tuple[str, str]]:
    """Each code of the catalogue with its English sentence."""
    found = []
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["section"] == "8.3" and row["place"] != "unknown":
                found += [(code, row["en"]) for place in _split(row["place"]) for code in _expanded(place)]
    return found


def _split(places: str) -> list[str]:
    return [one.strip().partition(" ")[0] for one in re.split(r",(?![^{]*\})", places)]


def _expanded(code: str) -> list[str]:
    found = re.fullmatch(r"(.*)\{(.*)\}(.*)", code)
    return [found.group(1) + one + found.group(3) for one in found.group(2).split(",")] if found else [code]


@pytest.mark.parametrize(("code", "sentence"), agreed())
def test_a_code_has_the_agreed_sentence(code: str, sentence: str) -> None:
    assert cause(code).text == sentence


def test_the_whole_agreed_catalogue_is_here() -> None:
    assert len(agreed()) > 35
    assert {code for code, _ in agreed()} <= set(CAUSES)
    assert not OURS & set(CAUSES)


@pytest.mark.parametrize("code", [*CAUSES, "WebhookInvalidUrl", "SomethingNew"])
def test_every_sentence_and_next_step_is_said_in_danish_too(code: str) -> None:
    danish = Words("da", datetime(2026, 11, 24, tzinfo=UTC))
    one = cause(code)
    names = dict.fromkeys(re.findall(r"\{([^}]*)\}", one.text), "x")
    assert danish(one.text, **names) != one.text.format(**names)
    if (step := NEXT.get(one.step)) is not None:
        assert danish(step) != step
    if one.about:
        assert isinstance(danish(one.about), str)


def test_a_code_nobody_agreed_on_shows_e_conomics_own_words() -> None:
    assert cause("SomethingNew") is UNKNOWN
    assert cause("WebhookInvalidUrl").step == "help"
