"""A request that is not as it is described is told what is wrong with it, where, and in Danish where that was asked for."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.person import Language
from reconciler.web.api import wrongs
from reconciler.web.api.strict import ASKED_FLAG, ASKED_WHOLE, WHOLE, Day, Flag, Moment, Text
from reconciler.web.words import Words

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Asked(BaseModel):
    """One of each kind that our shapes have."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    take: Literal["crm", "economic"] = "crm"
    text: Text = ""
    short: Annotated[str, Field(min_length=1, max_length=3, pattern="^[A-Z]*$")] = "A"
    number: Annotated[int, Field(ge=1, le=9), WHOLE] = 1
    over: Annotated[int, Field(gt=0, lt=9)] = 1
    limit: Annotated[int, ASKED_WHOLE] = 1
    flag: Flag = True
    asked: Annotated[bool, ASKED_FLAG] = True
    at: Moment | None = None
    day: Day | None = None
    some: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = ("a",)
    groups: frozenset[str] = frozenset()
    map: dict[str, str] = {}
    more: "Asked | None" = None
    need: int


GIVEN: list[tuple[dict[str, Any], str, str]] = [
    ({"need": None}, "need: ikke et helt tal", "need: no whole number"),
    ({}, "need: mangler", "need: missing"),
    ({"other": 1}, "other: kendes ikke her", "other: not known here"),
    ({"o" * 900: 1}, "o" * 64 + ": kendes ikke her", "o" * 64 + ": not known here"),
    ({"id": "x"}, "id: ikke et UUID", "id: no UUID"),
    ({"id": 7}, "id: ikke et UUID", "id: no UUID"),
    ({"take": "both"}, "take: ingen af crm, economic", "take: none of crm, economic"),
    ({"text": 1}, "text: ikke en tekst", "text: no text"),
    ({"text": "x" * 2001}, "text: længere end 2000 tegn", "text: longer than 2000 characters"),
    ({"short": ""}, "short: kortere end 1 tegn", "short: shorter than 1 characters"),
    ({"short": "a"}, "short: ikke skrevet, som ^[A-Z]*$ foreskriver", "short: not written as ^[A-Z]*$ has it"),
    ({"number": "1"}, "number: ikke et helt tal", "number: no whole number"),
    ({"number": 0}, "number: mindre end 1", "number: less than 1"),
    ({"number": 10}, "number: mere end 9", "number: more than 9"),
    ({"over": 0}, "over: ikke mere end 0", "over: not more than 0"),
    ({"over": 9}, "over: ikke mindre end 9", "over: not less than 9"),
    ({"over": 1.5}, "over: ikke et helt tal", "over: no whole number"),
    ({"limit": "many"}, "limit: ikke et helt tal", "limit: no whole number"),
    ({"flag": "perhaps"}, "flag: hverken true eller false", "flag: neither true nor false"),
    ({"asked": "1"}, "asked: hverken true eller false", "asked: neither true nor false"),
    ({"at": "tomorrow"}, "at: ikke skrevet efter ISO 8601", "at: not written as ISO 8601 has it"),
    ({"at": "2026-11-24T10:00:00"}, "at: ikke skrevet efter ISO 8601", "at: not written as ISO 8601 has it"),
    ({"at": "2026-13-24T10:00:00Z"}, "at: ikke skrevet efter ISO 8601", "at: not written as ISO 8601 has it"),
    ({"day": "2026-02-30"}, "day: ikke skrevet efter ISO 8601", "day: not written as ISO 8601 has it"),
    ({"some": []}, "some: færre end 1", "some: fewer than 1"),
    ({"some": ["a", "b", "c"]}, "some: flere end 2", "some: more than 2"),
    ({"some": "a"}, "some: ikke en liste", "some: no list"),
    ({"groups": 1}, "groups: ikke en liste", "groups: no list"),
    ({"map": 1}, "map: ikke et objekt", "map: no object"),
    ({"more": {"need": 1, "take": "x"}}, "more.take: ingen af crm, economic", "more.take: none of crm, economic"),
    ({"more": 1}, "more: ikke et objekt", "more: no object"),
]


@pytest.mark.parametrize(("given", "danish", "english"), GIVEN, ids=[one[2][:40] for one in GIVEN])
def test_what_is_wrong_is_said_in_both_languages(given: dict[str, Any], danish: str, english: str) -> None:
    whole = {"need": 1, **given} if "mangler" not in danish else given
    assert [told(whole, language) for language in ("da", "en")] == [danish, english]


def told(given: object, language: Language) -> str:
    with pytest.raises(ValidationError) as wrong:
        Asked.model_validate(given)
    errors: list[Any] = [one | {"loc": ("body", *one["loc"])} for one in wrong.value.errors()]
    return wrongs.said(errors, Words(language, NOW))


def test_of_what_is_no_json_no_character_is_named() -> None:
    error = {
        "type": "json_invalid",
        "loc": ("body", 12),
        "msg": "JSON decode error",
        "ctx": {"error": "Expecting value"},
    }
    assert wrongs.said([error], Words("da", NOW)) == "body: ikke JSON i UTF-8"


def test_all_that_is_wrong_is_said() -> None:
    assert told({"flag": 1, "text": 2}, "en") == "text: no text; flag: neither true nor false; need: missing"


@pytest.mark.parametrize(
    "error",
    [{"type": "frozen_instance", "loc": ("body",), "msg": "Instance is frozen"}, {"type": "value_error", "loc": ("body",), "msg": "x"}],
)  # fmt: skip
def test_what_nobody_thought_of_is_said_in_the_language_too(error: dict[str, Any]) -> None:
    assert wrongs.said([error], Words("da", NOW)) == "body: ikke som beskrevet på /api/v1/openapi.json"
