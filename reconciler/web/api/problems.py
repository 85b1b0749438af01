"""What is a service told when it did not get what it asked for? problem+json (RFC 9457): what happened, and what to do."""

import secrets
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
import structlog
from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from reconciler.web import doors
from reconciler.web.api import wrongs
from reconciler.web.run_words import in_the_way
from reconciler.web.words import Words

log = structlog.get_logger(__name__)


class Said(BaseModel):
    """Part of an answer; nothing but what is named is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Said):
    """What went wrong (RFC 9457): what happened, to what, and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


MEDIA_TYPE: Final = "application/problem+json"
AWAY: Final = (sa.exc.OperationalError, sa.exc.TimeoutError)
"""The database cannot be reached, or cannot work."""


REFUSED: Final = {
    408: ("Too slow", "The request did not come in whole within 5 seconds. Nothing was changed; send it again."),
    413: ("Too large", "A request may take 64 KiB. Nothing was changed; send less at one time."),
    429: ("Too many at one time", "Others are being answered. Nothing was changed; send it again in a second."),
    500: ("Our mistake", "Something went wrong on our side. Nothing is lost."),
}
"""What is told before a request is looked at, by status: its title, and what happened and what to do."""
SAID: Final = {
    400: ("Refused", "That cannot be done: {why}. Nothing was changed."),
    401: ("No key", "Send an API key of the tenant that holds: `Authorization: Bearer cme_...`."),
    403: ("No right", "The key's role may not do this; an administrator's may."),
    404: ("Not found", "Nothing of that id is in this tenant."),
    405: ("Method not allowed", "That address takes {methods} only."),
    409: ("Not now", "That is not so now: {why}. Nothing was changed."),
    422: ("Not understood", "{wrong}. Nothing was changed."),
    503: ("Try again later", "Our database does not answer. Nothing is lost; repeat it in a few seconds."),
}
"""The same of one that was."""
NO_ADDRESS: Final = "There is no such address. The description is at /api/v1/openapi.json."


def refused(status: int, words: Words) -> Response:
    """What a service is told whose request was not looked at."""
    title, detail = REFUSED[status]
    return _response(words, status, words(title), words(detail))


def problem(error: Exception, words: Words) -> Response:
    """What a service is told instead of an answer."""
    headers: dict[str, str] = {}
    values: dict[str, str] = {}
    match error:
        case doors.NotIn():
            status = 401
        case doors.Lacking():
            status = 403
        case doors.Unknown():
            status = 404
        case doors.Conflict() | doors.Senseless():
            status = 409 if isinstance(error, doors.Conflict) else 400
            if whole := _sentence(error, words):
                return _response(words, status, words(SAID[status][0]), whole)
            values = {"why": words(error.text, **error.values)} if error.text else {"why": ""}
        case RequestValidationError():
            status, values = 422, {"wrong": wrongs.said(error.errors(), words)}
        case HTTPException(status_code=405):
            headers = dict(error.headers or {})
            status, values = 405, {"methods": headers.get("Allow", words("other methods"))}
        case HTTPException():
            title = words(SAID[404 if error.status_code == 404 else 400][0])
            return _response(words, error.status_code, title, words(NO_ADDRESS), dict(error.headers or {}))
        case _ if isinstance(error, AWAY):
            status, headers = 503, {"retry-after": "5"}
        case _:
            known_as = secrets.token_hex(6)
            log.error("api.failed", id=known_as, error=type(error).__name__)
            title, detail = REFUSED[500]
            return _response(words, 500, words(title), f"{words(detail)} {words('Technical')}: {known_as}")
    title, detail = SAID[status]
    return _response(words, status, words(title), words(detail, **values), headers)


def _sentence(error: doors.Conflict | doors.Senseless, words: Words) -> str:
    """Where a page says why in a sentence of its own: that, and the code it stands for; else nothing."""
    if said := in_the_way(words, error.text):
        return f"{said} {words('Technical')}: {error.text}"
    return words(error.text, **error.values) if error.text.endswith(".") else ""


def _response(words: Words, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    told = Problem(title=title, status=status, detail=detail)
    spoken = {**(headers or {}), "content-language": words.language}
    return Response(told.model_dump_json(), status, spoken, MEDIA_TYPE)
