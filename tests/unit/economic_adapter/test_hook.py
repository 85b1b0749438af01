"""What a webhook says: numbers only, in whatever form they come; anything else is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter.hook import Hint, Malformed, read

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.mark.parametrize(
    ("query", "kind", "body"),
    [
        ("", FORM, b"old=1041&new=1042"),
        ("", "", b"old=1041&new=1042"),
        ("old=1041&new=1042", "", b""),
        ("old=1041", FORM, b"new=1042"),
        ("", JSON, b'{"old":"1041","new":"1042"}'),
        ("", JSON, b'{"old":1041,"new":1042,"more":{"a":[1]}}'),
        ("", "text/plain; charset=utf-8", b' {"OLDNUMBER":"1041","NEWNUMBER":"1042"}'),
        ("", FORM, b"old=1041&new=+1042+"),
    ],
)
def test_form_json_and_query_say_the_same(query: str, kind: str, body: bytes) -> None:
    hint = read(query, kind, body)
    assert hint == Hint(new=1042, old=1041)
    assert hint.numbers() == (1042, 1041)
    assert hint.old_numbers() == (1041,)


@pytest.mark.parametrize(
    ("body", "numbers"),
    [(b"", ()), (b"old=&new=", ()), (b"old=&new=7", (7,)), (b"old=7&new=", (7,)), (b"old=7&new=7", (7,)), (b"a=b", ())],
)
def test_any_field_may_be_missing(body: bytes, numbers: tuple[int, ...]) -> None:
    hint = read("", FORM, body)
    assert hint.numbers() == numbers
    assert hint.old_numbers() == ()


@pytest.mark.parametrize(
    "body",
    [
        b'{"new":1042',
        b'{"new":1042}}',
        b'["new",1042]',
        b'{"new":{"a":1}}',
        b'{"new":[1]}',
        b'{"new":true}',
        b'{"new":1.5}',
        b'{"new":NaN}',
        b'{"new":-1}',
        b'{"new":0}',
        b'{"new":1000000000}',
        b'{"new":' + b"9" * 5000 + b"}",
        b'{"new":1,"new":2}',
        b'{"new":1,"new":1}',
        b'{"new":1,"NEWNUMBER":2}',
        b'{"new":"[NEWNUMBER]"}',
        b'{"new":"\xff"}',
        b"[" * 30000,
        b'{"a":' * 10000,
        b"new=1;drop table",
        b"new=\xd9\xa1",
        b"new=%ff",
        b"&".join(b"a=1" for _ in range(60)),
    ],
)
def test_what_is_no_hint_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read("", JSON if body[:1] in {b"{", b"["} else FORM, body)


@given(st.text(max_size=50), st.sampled_from(["", FORM, JSON, "x"]), st.binary(max_size=300))
def test_nothing_else_is_ever_raised(query: str, kind: str, body: bytes) -> None:
    with suppress(Malformed):
        hint = read(query, kind, body)
        assert all(1 <= number <= 999_999_999 for number in hint.numbers())
