"""What is a service told when it did not get what it asked for? problem+json (RFC 9457): what happened, and what to do."""

import secrets
from typing import Final

import sqlalchemy as sa
import structlog
from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from reconciler.web import doors

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


def refused(status: int) -> Response:
    """What a service is told whose request was not looked at."""
    title, detail = REFUSED[status]
    return Response(Problem(title=title, status=status, detail=detail).model_dump_json(), status, media_type=MEDIA_TYPE)


def problem(error: Exception) -> Response:
    """What a service is told instead of an answer."""
    headers: dict[str, str] = {}
    match error:
        case doors.NotIn():
            said = "No key", 401, "Send an API key of the tenant that holds: `Authorization: Bearer cme_...`."
        case doors.Lacking():
            said = "No right", 403, "The key's role may not do this; an administrator's may."
        case doors.Unknown():
            said = "Not found", 404, "Nothing of that id is in this tenant."
        case doors.Conflict():
            said = "Not now", 409, f"That is not so now: {error}. Nothing was changed."
        case doors.Senseless():
            said = "Refused", 400, f"That cannot be done: {error}. Nothing was changed."
        case RequestValidationError():
            wrong = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
            said = "Not understood", 422, f"{wrong}. Nothing was changed."
        case HTTPException(status_code=405):
            headers = dict(error.headers or {})
            said = "Method not allowed", 405, f"That address takes {headers.get('Allow', 'other methods')} only."
        case HTTPException():
            headers = dict(error.headers or {})
            title = "Not found" if error.status_code == 404 else "Refused"
            said = title, error.status_code, "There is no such address. The description is at /api/v1/openapi.json."
        case _ if isinstance(error, AWAY):
            headers = {"retry-after": "5"}
            said = "Try again later", 503, "Our database does not answer. Nothing is lost; repeat it in a few seconds."
        case _:
            known_as = secrets.token_hex(6)
            log.error("api.failed", id=known_as, error=type(error).__name__)
            said = "Our mistake", 500, f"Something went wrong on our side. Nothing is lost. Technical: {known_as}"
    title, status, detail = said
    told = Problem(title=title, status=status, detail=detail)
    return Response(told.model_dump_json(), status, headers, MEDIA_TYPE)
