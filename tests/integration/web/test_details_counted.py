"""Whom would a change of rules concern? Above a thousand the clock counts, and the page says how far it came and when."""

import re

import pytest
import sqlalchemy as sa

from reconciler import foreseeing
from tests.builders.meeting import Both
from tests.builders.sync import there
from tests.integration.web.browsing import Browser, Pages
from tests.integration.web.test_details_page import PAGE, admin, both, call, fields, foreseen

__all__ = ["admin", "both"]


def test_above_a_thousand_the_clock_counts_and_the_page_shows_how_far_it_came(
    pages: Pages, both: Both, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (21, 22, 23):
        different(both, number)
    pages.time = both.time
    at_once = re.search(r"Se, hvad det ændrer nu \((\d) kunder\)", admin.get(PAGE).text)
    assert at_once is not None
    whole = foreseen(admin, direction__email="economic")
    monkeypatch.setattr(foreseeing, "AT_ONCE", 0)
    monkeypatch.setattr(foreseeing, "CHUNK", 2)
    shown = admin.get(PAGE).text
    assert "Tæller, hvem det ændrer: 0 af" in shown
    assert 'data-again="2"' in shown
    assert "again." in shown
    assert foreseeing.carry_on(pages.engine, both.clocked) == 2
    assert "Tæller, hvem det ændrer: 2 af" in admin.get(PAGE).text
    counted(pages, both)
    shown = admin.get(PAGE).text
    assert at_once.group() in shown
    assert "data-again" not in shown
    before = foreseen(admin, direction__email="economic")
    assert "Tæller, hvem det ændrer" in before
    assert "rettet med det samme" not in before
    counted(pages, both)
    assert told(foreseen(admin, direction__email="economic")) == told(whole)


def test_what_was_counted_a_while_ago_is_shown_with_its_time_and_counted_anew(
    pages: Pages, both: Both, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreseeing, "AT_ONCE", 0)
    different(both, 21)
    pages.time = both.time
    admin.get(PAGE)
    counted(pages, both)
    first = re.search(r"Se, hvad det ændrer nu \(\d kunder\)", admin.get(PAGE).text)
    assert first is not None
    different(both, 22)
    both.later(minutes=6)
    pages.time = both.time
    shown = admin.get(PAGE).text
    assert first.group() in shown
    assert "Talt i dag kl." in shown
    assert "Tæller, hvem det ændrer: 0 af" in shown
    counted(pages, both)
    assert first.group() not in admin.get(PAGE).text


def test_counting_ends_where_other_rules_hold_by_then(
    pages: Pages, both: Both, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreseeing, "AT_ONCE", 0)
    different(both, 21)
    pages.time = both.time
    shown = admin.get(PAGE).text
    fields_ = {**fields(shown), "direction.phone": "economic"}
    fields_.pop("preset", None)
    assert admin.post(PAGE, fields_).status_code == 303
    assert foreseeing.carry_on(pages.engine, both.clocked) == 0
    with pages.engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from sync.foresight where asked is not null")) == 0
    assert "Tæller, hvem det ændrer: 0 af" in admin.get(PAGE).text, "those that hold now are counted"


def test_a_service_too_is_told_how_far_the_clock_has_counted(
    pages: Pages, both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (21, 22, 23):
        different(both, number)
    pages.time = both.time
    wanted = {"rules": {"email": {"who_decides": "economic"}}}
    at_once = call(pages, "POST", "/preview", wanted).json()
    assert (at_once["customers"], at_once["questions_settled"], at_once["counting"]) == (3, 3, None)
    monkeypatch.setattr(foreseeing, "AT_ONCE", 0)
    monkeypatch.setattr(foreseeing, "CHUNK", 2)
    numbers = ("customers", "questions_settled", "questions_asked", "counted_at")
    for seen in (0, 2):
        would = call(pages, "POST", "/preview", wanted).json()
        assert [would[one] for one in numbers] == [None] * 4
        assert (would["counting"]["seen"], would["details"], would["named"]) == (seen, {}, [])
        assert would["counting"]["total"] >= 3
        assert foreseeing.carry_on(pages.engine, both.clocked) > 0
    counted(pages, both)
    would = call(pages, "POST", "/preview", wanted).json()
    assert {**would, "named": sorted(would["named"], key=str)} == {
        **at_once,
        "named": sorted(at_once["named"], key=str),
    }
    both.later(minutes=6)
    pages.time = both.time
    anew = call(pages, "POST", "/preview", wanted).json()
    assert (anew["customers"], anew["counted_at"], anew["counting"]["seen"]) == (3, at_once["counted_at"], 0)


def different(both: Both, number: int) -> None:
    """A customer whose e-mail both sides hold otherwise, which waits for a choice."""
    made = both.linked(number, id=f"kunde-{number}", cvr=f"1234{number:04}", email="old@firma.example")
    both.set(paused='["crm", "economic"]')
    both.in_crm(made.model_copy(update={"email": "here@firma.example"}), 2)
    both.in_economic(there(made, number, "v2", contacts=(), email="there@firma.example"), 2)
    both.set(paused="[]")
    both.said()


def counted(pages: Pages, both: Both) -> None:
    while foreseeing.carry_on(pages.engine, both.clocked):
        pass


def told(page: str) -> str:
    """What a page says that a change would do."""
    found = re.search(r"<h2>Det ændrer den nu</h2>(.*?)<form", page, re.DOTALL)
    assert found is not None, page
    return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())
