"""Has what is asked for changed since it was told? A mark of the whole answer (RFC 9110 8.8.3), and 304 where it is the same."""

import hashlib
import re
from collections.abc import Callable

from fastapi import Request, Response


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
