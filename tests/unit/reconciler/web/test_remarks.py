"""Is what stands under a status's line said in the agreed words, in both languages?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.freshness import Layer
from reconciler.lately import Done, Fetched, Lately
from reconciler.link import Status
from reconciler.note import Note
from reconciler.rules import System
from reconciler.standing import Standing
from reconciler.web.says import remarks
from reconciler.web.words import Words

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
DA, EN = Words("da", NOW), Words("en", NOW)
AT = NOW - timedelta(minutes=3)
KNOWN = Layer(freshness="known", present=True, behind=False, ahead=False, seen=AT, since=AT)
SAME = Standing(status=Status(state="same"))


@pytest.mark.parametrize(
    ("note", "danish", "english"),
    [
        ({"kind": "put_back", "detail": "phone"}, "Telefon må kun rettes i e-conomic. Din rettelse er ført tilbage.",
         "Phone may only be changed in e-conomic. Your change was put back."),
        ({"kind": "put_back", "detail": "contact.email"},
         "Kontaktperson: e-mail må kun rettes i e-conomic. Din rettelse er ført tilbage.",
         "Contact person: e-mail may only be changed in e-conomic. Your change was put back."),
        ({"kind": "shortened", "detail": "notes", "limit": 2000},
         "Bemærkninger: e-conomic kan kun gemme 2.000 tegn. Den fulde tekst bliver i Clickmate.",
         "Notes: e-conomic can only hold 2,000 characters. The full text stays in Clickmate."),
        ({"kind": "renumbered", "old": 7, "new": 10482}, "Kunden har fået nyt nummer i e-conomic: 10482 (før 7)",
         "New number in e-conomic: 10482 (was 7)"),
        ({"kind": "kept", "detail": "name"}, "Navn: Beholdt forskellige", "Name: Kept different"),
        ({"kind": "not_found"}, "Kundenr. 7 blev ikke fundet. Vi kontrollerer igen i nat.",
         "Customer no. 7 was not found. We check again tonight."),
    ],
)  # fmt: skip
def test_notes(note: dict[str, Any], danish: str, english: str) -> None:
    standing = replace(SAME, notes=(Note(at=AT, **note),))
    assert remarks(DA, standing, KNOWN, Lately(), 7) == [danish]
    assert remarks(EN, standing, KNOWN, Lately(), 7) == [english]


@pytest.mark.parametrize(
    ("lately", "danish", "english"),
    [
        (Lately(done=Done(at=AT, created=None)), "Overført til e-conomic kl. 14.02", "Transferred to e-conomic at 14:02"),
        (Lately(done=Done(at=AT, created=10482)), "Oprettet i e-conomic som kundenr. 10482",
         "Created in e-conomic as customer no. 10482"),
        (Lately(fetched=Fetched(at=AT, details=("address", "contact.phone"))),
         "Adresse, telefon blev rettet i e-conomic, hentet kl. 14.02",
         "Address, phone was changed in e-conomic, fetched at 14:02"),
    ],
)  # fmt: skip
def test_what_was_written_last(lately: Lately, danish: str, english: str) -> None:
    assert remarks(DA, SAME, KNOWN, lately, 7) == [danish]
    assert remarks(EN, SAME, KNOWN, lately, 7) == [english]


LATER = "Sendes, når e-conomic svarer. Du kan lukke siden."


@pytest.mark.parametrize(
    ("state", "reason", "towards", "freshness", "later"),
    [
        ("creating", "away", None, "known", True),
        ("creating", "", None, "down", True),
        ("creating", "", None, "known", False),
        ("sending", "throttled", System.ECONOMIC, "known", True),
        ("sending", "", System.ECONOMIC, "no_answer", True),
        ("sending", "", System.CRM, "down", False),
        ("sending", "brake", System.ECONOMIC, "known", False),
        ("same", "", None, "down", False),
    ],
)
def test_whoever_waits_for_e_conomic_may_close_the_page(
    state: Any, reason: str, towards: System | None, freshness: Any, later: bool
) -> None:
    standing = Standing(status=Status(state=state, reason=reason), towards=towards)
    said = remarks(DA, standing, replace(KNOWN, freshness=freshness), Lately(), None)
    assert said == ([LATER] if later else [])
