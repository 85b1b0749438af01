"""Has what is asked for changed since it was told? A mark of the whole answer (RFC 9110 8.8.3), and 304 where it is the same."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from fastapi import Request, Response

MOST: Final = 4000
"""Answers whose marks are remembered."""


class Marks:
    """The marks of answers, each under who asks for what, with all that it was made from; for one thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[object, str]] = OrderedDict()

    def of(self, asked: Hashable, made_from: object) -> str | None:
        """The mark of the answer to that, if it was made from the same."""
        known, mark = self._kept.get(asked, (None, ""))
        return mark if known == made_from else None

    def keep(self, asked: Hashable, made_from: object, mark: str) -> None:
        """Remember the mark of that answer, and forget the one that was remembered longest ago."""
        self._kept[asked] = made_from, mark
        self._kept.move_to_end(asked)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


def of(text: str) -> str:
    """The mark of an answer."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def answer(request: Request, mark: str, text: Callable[[], str], media_type: str) -> Response:
    """That text under its mark, or only that it is what was told before: then it is not even written."""
    if has(request, mark):
        return same(mark)
    return Response(text(), headers=_named(mark), media_type=media_type)


def has(request: Request, mark: str) -> bool:
    """Whether whoever asks has the answer of that mark."""
    return mark in re.findall(r'"([^"]*)"', request.headers.get("if-none-match", ""))


def same(mark: str) -> Response:
    """That the answer of that mark still holds."""
    return Response(status_code=304, headers=_named(mark))


def _named(mark: str) -> dict[str, str]:
    return {"etag": f'"{mark}"'}
