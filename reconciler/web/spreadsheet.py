"""How is a list downloaded so that a Danish spreadsheet opens it right? CSV: UTF-8 with its mark, semicolons, decimal comma.

Nothing in it is run: a text that a spreadsheet would take for a formula, or for a number it is not, gets an apostrophe.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from fastapi.responses import StreamingResponse

from crm_outbox.messaging.danish import danish

Cell = str | int | float | Decimal | datetime | None
_MARK: Final = "\ufeff"
"""The byte order mark, by which a spreadsheet knows UTF-8."""
_PIECE: Final = 500
"""Rows that are written at once."""
_FORMULA: Final = re.compile(r"[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_DIGITS: Final = re.compile(r"0[0-9]+|[0-9]{12,}")
"""Texts of digits that would lose a zero, or be shown as a power of ten."""


def download(name: str, header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> StreamingResponse:
    """A CSV file of that name (ASCII, without its ending), sent as the rows come."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(pieces(header, rows), headers=headers, media_type="text/csv; charset=utf-8")


def pieces(header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    """The file in pieces of bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    text.write(_MARK)
    writer.writerow([cell(one) for one in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(one) for one in row])
        if number % _PIECE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def cell(value: Cell) -> str:
    """A value as it is written: numbers with a decimal comma, moments on a Danish clock, texts as texts only."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{danish(value):%Y-%m-%d %H:%M:%S}"
        case int() | float() | Decimal():
            return str(value).replace(".", ",")
        case _:
            return f"'{value}" if _FORMULA.match(value) or _DIGITS.fullmatch(value) else value
