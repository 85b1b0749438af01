"""What does e-conomic receive and answer? Requests, answers, and the two shapes of its errors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from economic_adapter.sandbox.fields import Flaw, Json

Manner = Literal["whole", "half", "drip", "drop"]

_TITLES = {
    400: ("Bad request.", "15.5.1"),
    401: ("Unauthorized access.", "15.5.2"),
    403: ("Access forbidden.", "15.5.4"),
    404: ("Resource not found.", "15.5.5"),
    405: ("Method not allowed.", "15.5.6"),
    409: ("Update conflict.", "15.5.10"),
    415: ("Unsupported media type.", "15.5.16"),
    429: ("Too many requests.", "15.5"),
    500: ("Internal server error.", "15.6.1"),
    503: ("Service unavailable.", "15.6.4"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; names of headers and of the query in lower case, ``path`` without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    raw_query: str = ""

    @property
    def segments(self) -> list[str]:
        """The parts of the path in lower case, since e-conomic does not tell cases apart."""
        return [part.lower() for part in self.path.split("/") if part]

    def json(self) -> Any:
        """The body as JSON; raises ``ValueError``."""
        return json.loads(self.body)


@dataclass(slots=True)
class Answer:
    """One answer, and in which manner it goes out."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    manner: Manner = "whole"
    gap: float = 0.0

    def copy(self) -> "Answer":
        """The same answer with headers of its own."""
        return Answer(self.status, self.body, dict(self.headers))


class Refused(Exception):
    """e-conomic answers with an error."""

    def __init__(self, status: int, code: str, detail: str = "", flaws: Sequence[Flaw] = ()) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.flaws = list(flaws)
        self.headers: dict[str, str] = {}
        self.title = ""


def invalid(*flaws: Flaw) -> Refused:
    """The answer for a request that does not pass validation."""
    return Refused(400, "ValidationFailed", "Check the errors array for more details.", flaws)


def not_found() -> Refused:
    """The answer for what is not there."""
    return Refused(404, "ResourceNotFound", "The resource you have been looking for does not exist.")


def conflict() -> Refused:
    """The answer for a write on a version that is no longer the record's."""
    return Refused(409, "UpdateConflict", "The resource has been updated by another user.")


def answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """``value`` as JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def trace() -> str:
    """An id for the support, in the form seen."""
    return f"{uuid4().hex[:16]}-CPH"


def problem(refused: Refused) -> Answer:
    """The error as the OpenAPI services say it."""
    title, section = _TITLES.get(refused.status, ("Error.", "15"))
    body: Json = {
        "type": f"https://tools.ietf.org/html/rfc9110#section-{section}",
        "title": refused.title or title,
        "status": refused.status,
        "detail": refused.detail,
        "errors": [
            {"message": flaw.message or flaw.code, "errorCode": flaw.code, "property": flaw.property}
            for flaw in refused.flaws
        ],
        "traceId": trace(),
        "traceTimeUtc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "errorCode": refused.code,
    }
    found = answer(refused.status, body, refused.headers)
    found.headers["Content-Type"] = "application/problem+json"
    return found


def legacy_error(status: int, message: str, code: str = "", hint: str = "", **more: Any) -> Answer:
    """The error as the legacy REST API says it; its time is Copenhagen's, without saying so."""
    body: Json = {
        "message": message,
        **({"errorCode": code} if code else {}),
        "developerHint": hint or "Inspect the request and try again.",
        "logId": trace(),
        "httpStatusCode": status,
        "logTime": _copenhagen().strftime("%Y-%m-%dT%H:%M:%S"),
        **more,
    }
    return answer(status, body)


def _copenhagen() -> datetime:
    try:
        return datetime.now(ZoneInfo("Europe/Copenhagen"))
    except ZoneInfoNotFoundError:  # a machine without time zone data
        return datetime.now(UTC)
