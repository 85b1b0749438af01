"""Does the sandbox read e-conomic's filter language, quirks included?"""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter.sandbox.fields import Property, moment
from economic_adapter.sandbox.filters import BadFilter, Joined, ordered, predicate, read

ANY = frozenset({"eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "like"})
PROPERTIES = {
    "name": Property(filters=ANY, sortable=True),
    "city": Property(filters=ANY),
    "number": Property(kind="integer", filters=ANY, sortable=True),
    "when": Property(kind="moment", filters=ANY),
    "flag": Property(kind="flag", filters=frozenset({"eq"})),
    "closed": Property(),
}
ROWS: list[dict[str, Any]] = [
    {"name": "Nordhavn (Tømrer)", "city": "Aarhus", "number": 2, "when": moment("2026-01-02T00:00:00Z"), "flag": True},
    {"name": "Bageri $100*", "city": None, "number": 10, "when": moment("2026-02-02T10:00:00Z"), "flag": False},
    {"name": "Hansen, [Vest]", "city": "Esbjerg", "number": 30, "when": None, "flag": False},
]


def held(row: dict[str, Any], name: str) -> Any:
    return row.get(name)


def found(text: str) -> list[int]:
    test = predicate(read(text), PROPERTIES, held)
    return [row["number"] for row in ROWS if test(row)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("number$eq:10", [10]),
        ("NUMBER$EQ:10", [10]),
        ("number$ne:10", [2, 30]),
        ("number$gt:2$and:number$lte:30", [10, 30]),
        ("number$eq:2$or:number$gt:2$and:city$eq:esbjerg", [2, 30]),
        ("(number$eq:2$or:number$gt:2)$and:city$eq:esbjerg", [30]),
        ("number$in:[2,30]", [2, 30]),
        ("number$nin:[2,30]", [10]),
        ("city$eq:$null:", [10]),
        ("city$in:[$null:,Aarhus]", [2, 10]),
        ("city$eq:AARHUS", [2]),
        ("name$eq:Nordhavn $(Tømrer$)", [2]),
        ("name$eq:Bageri $$100$*", [10]),
        ("name$like:hansen$, ", [30]),
        ("name$like:havn", [2]),
        ("name$like:havn*", []),
        ("name$like:*tømrer*", [2]),
        ("name$like:*$*", [10]),
        ("name$eq:Hansen, [Vest]", [30]),
        ("name$eq:Hansen, $[Vest$]", []),
        ("name$like:[hx]ansen", [30]),
        ("name$like:[[]Vest", [30]),
        ("when$gte:2026-01-02", [2, 10]),
        ("when$gt:2026-01-02T00:00:00Z", [10]),
        ("when$lt:2026-02-02T10:00:01Z", [2, 10]),
        ("flag$eq:true", [2]),
    ],
)
def test_a_filter_finds_what_it_says(text: str, numbers: list[int]) -> None:
    assert found(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "unknown$eq:1",
        "closed$eq:1",
        "flag$gt:true",
        "number$in:1,2",
        "number$eq:x",
        "when$gte:i går",
        "(number$eq:1",
        "number$eq:1)",
        "number",
        "$eq:1",
        "number$in:[1,2",
        f"number$in:[{','.join(['1'] * 201)}]",
        "name$like:[z-a]",
    ],
)
def test_a_filter_that_cannot_be_served_is_refused(text: str) -> None:
    with pytest.raises(BadFilter):
        found(text)


def test_two_hundred_values_in_a_list_are_allowed() -> None:
    assert found(f"number$in:[{','.join(['2'] * 200)}]") == [2]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(BadFilter):
        found(text)


@given(st.text(alphabet=st.characters(exclude_characters="[]\ue000", exclude_categories=["Cs"]), min_size=1))
def test_an_escaped_value_is_found_as_it_is(value: str) -> None:
    escaped = "".join(f"${letter}" if letter in "$()*," else letter for letter in value)
    clause = read(f"name$eq:{escaped}")
    assert not isinstance(clause, Joined)
    test = predicate(clause, PROPERTIES, held)
    assert test({"name": value})


def test_sorting_by_several_properties_upwards_downwards_and_as_text() -> None:
    def numbers(sort: str) -> list[int]:
        return [row["number"] for row in ordered(ROWS, sort, PROPERTIES, held)]

    assert numbers("-number") == [30, 10, 2]
    assert numbers("~number") == [10, 2, 30]
    assert numbers("name,-number") == [10, 30, 2]
    with pytest.raises(BadFilter):
        numbers("city")
