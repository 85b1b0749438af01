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
    headers = {"etag": f'"{mark}"'}
    if mark in re.findall(r'"([^"]*)"', request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(text(), headers=headers, media_type=media_type)
