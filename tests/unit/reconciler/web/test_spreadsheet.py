"""Does a Danish spreadsheet open a download right, and does nothing in it run?"""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.web.spreadsheet import cell, download, pieces


def read(data: bytes) -> list[list[str]]:
    """What a spreadsheet with Danish settings makes of it."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_it_begins_with_the_mark_of_utf_8_and_its_lines_end_as_windows_ends_them() -> None:
    data = b"".join(pieces(["Hvem", "Før"], [["Anne Ærø", "12;13"]]))
    assert data == b"\xef\xbb\xbf" + 'Hvem;Før\r\nAnne Ærø;"12;13"\r\n'.encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1250, "1250"), (12.5, "12,5"), (Decimal("-3.25"), "-3,25"), (None, ""), ("", ""),
        (datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "2026-11-24 14:05:00"),
        (datetime(2026, 7, 1, 13, 5, tzinfo=UTC), "2026-07-01 15:05:00"),
        ("=1+1", "'=1+1"), ("+45 12 34 56 78", "'+45 12 34 56 78"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("＝1", "'＝1"),
        ("\u200f=1", "'\u200f=1"), (" \u202e@1", "' \u202e@1"), ("\ufeff+1", "'\ufeff+1"), ("\u202eab", "\u202eab"),
        ("0123", "'0123"), ("5790000000000", "'5790000000000"), ("12345678", "12345678"), ("0", "0"),
        ("Birk & Søn", "Birk & Søn"), ("a=b", "a=b"),
    ],
)  # fmt: skip
def test_a_cell(value: object, written: str) -> None:
    assert cell(value) == written  # type: ignore[arg-type]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2)))
def test_every_text_comes_back_and_none_is_a_formula(rows: list[list[str]]) -> None:
    _, *back = read(b"".join(pieces(["a", "b"], rows)))
    assert [[one.removeprefix("'") if one != given else one for one, given in zip(here, there, strict=True)]
            for here, there in zip(back, rows, strict=True)] == rows  # fmt: skip
    assert not any(one.lstrip()[:1] in tuple("=+-@") for row in back for one in row if one.strip())


def test_thousands_of_rows_come_in_pieces() -> None:
    found = list(pieces(["n"], ([n] for n in range(1200))))
    assert len(found) == 3
    assert read(b"".join(found))[-1] == ["1199"]


def test_the_browser_is_told_to_keep_it_under_its_name() -> None:
    answer = download("historik", ["n"], [])
    assert answer.headers["content-disposition"] == 'attachment; filename="historik.csv"'
    assert answer.media_type == "text/csv; charset=utf-8"
