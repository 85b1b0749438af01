"""T15: what follows when a release compares values otherwise? More may be equal, and what nobody edited is not written."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from reconciler import fields, keys
from reconciler.link import Due, Status
from reconciler.rules import System
from reconciler.tasks import tasks
from tests.builders.reconciler import RULES, linked, to_crm

Releases = Callable[..., None]
SAME = {
    "name": [("Nordhavn  ApS", "Nordhavn ApS"), ("Nordhavn\u200b ApS", "Nordhavn ApS"), ("Cafe\u0301", "Caf\u00e9")],
    "cvr": [("DK12345678", "12345678"), ("12 34 56 78", "12345678"), ("dk-12345678", "DK 12345678")],
    "ean": [("5790000 123456", "5790000123456"), ("5790-000123456", "5790000123456")],
    "pnumber": [("1 012 345 678", "1012345678")],
    "street": [("Havnegade 1\n2. sal", "Havnegade 1 2. sal")],
    "postcode": [("DK-8000", "8000"), ("sw1a 1aa", "SW1A1AA")],
    "city": [("Aarhus  C", "Aarhus C")],
    "country": [("DK", "Danmark"), ("denmark", "Danmark"), ("Tyskland", "DE")],
    "phone": [("+45 12 34 56 78", "12345678"), ("0045 12345678", "12345678"), ("+46 (0)8-123 45", "+46812345")],
    "mobile": [("12-34-56-78", "12345678")],
    "email": [("Mette@Nordhavn.DK", "mette@nordhavn.dk")],
    "website": [("https://www.nordhavn.dk/", "nordhavn.dk"), ("NORDHAVN.dk/Om", "nordhavn.dk/Om")],
}
"""Pairs that a release has called equal. They stay equal: a pair is only taken away together with a preview of what follows."""


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    """A release in which that detail of customers is compared by another canonical value."""

    def compares(field: str, by: Callable[[str], str]) -> None:
        monkeypatch.setattr(fields, "_CUSTOMER", {**fields._CUSTOMER, field: by})
        fields._canon.cache_clear()

    yield compares
    fields._canon.cache_clear()


@pytest.mark.parametrize("field", fields.FIELDS["customer"])
def test_what_one_release_called_equal_stays_equal(field: str) -> None:
    assert SAME[field]
    for one, other in SAME[field]:
        assert fields.same("customer", field, one, other), (one, other)


def test_keys_made_otherwise_have_another_version() -> None:
    values = {field: pairs[0][0] for field, pairs in SAME.items()} | {"cvr": "DK-13748136", "ean": "5790000 123454"}
    assert (keys.VERSION, keys.of(values, [{"email": "Mette@Nordhavn.DK"}])) == (
        1,
        (
            "cvr:13748136", "ean:5790000123454", "email:mette@nordhavn.dk", "keys:1", "name:nordhavn", "phone:12345678",
            "pnumber:1012345678", "postcode:8000",
        ),
    )  # fmt: skip


def test_what_was_agreed_is_compared_anew_from_what_both_sides_held(release: Releases) -> None:
    case = linked(values={"city": "Aarhus C"})
    assert to_crm(case.economic(city="AARHUS C")) == {"city": "AARHUS C"}
    case = linked(values={"city": "Aarhus C"})
    release("city", str.lower)
    assert case.economic(city="AARHUS C") == ()
    assert case.status == Status(state="same")
    assert to_crm(case.economic(city="Odense C")) == {"city": "Odense C"}


def test_a_question_about_values_that_are_equal_now_is_closed(release: Releases) -> None:
    case = linked(replace(RULES, paused=frozenset(System)), values={"city": "Aarhus"})
    case.economic(city="Odense SØ")
    case.crm(city="Odense Sø")
    case.rules = RULES
    assert case.hear(Due()) == ()
    assert [one.kind for one in tasks(case.link, case.rules, case.now)] == ["values"]
    release("city", str.lower)
    assert case.hear(Due()) == ()
    assert tuple(tasks(case.link, case.rules, case.now)) == ()
    assert case.status == Status(state="same")


@pytest.mark.parametrize("field", fields.FIELDS["customer"])
def test_nothing_that_nobody_edited_is_written_by_a_release_that_finds_more_different(
    release: Releases, field: str
) -> None:
    case = linked(values={one: pairs[0][0] for one, pairs in SAME.items()})
    release(field, lambda value: value)
    assert case.hear(Due()) == ()
    assert set(to_crm(case.economic(email="ny@nordhavn.dk"))) == {"email"}
