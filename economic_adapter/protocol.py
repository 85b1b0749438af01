"""What does one call to e-conomic ask, and what does its answer mean? Values only; ``client`` does the sending.

``decipher`` gives an ``Answer`` or raises one of the ``Failed`` classes; the class decides what happens next, never a
text. Answers are untrusted: whatever is not understood is transient, so that it changes nothing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

RETRY_AFTER_MOST = 3600.0
"""Seconds; a longer wait than this is not believed."""
PAGE = 1000
MESSAGE_LENGTH = 500


class Surface(StrEnum):
    """Which of e-conomic's services a call goes to."""

    REST = "rest"
    CUSTOMERS = "customersapi"
    WEBHOOKS = "webhooksapi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call. Everything but a GET carries an idempotency key. ``path`` is relative to the surface's own address."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    surface: Surface
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    key: UUID | None = None

    def __post_init__(self) -> None:
        if (self.method == "GET") == (self.key is not None):
            raise ValueError("a GET has no idempotency key, everything else has one")
        if not self.path.startswith("/") or any(letter in self.path for letter in "?#\\\r\n ") or "//" in self.path:
            raise ValueError("a path starts with one slash and holds no query")

    @property
    def target(self) -> str:
        """Path and query, percent-encoded whole."""
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query)
        return self.path + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What an answer said of the bucket: how many tokens of how many are used, in a window of so many seconds."""

    limit: int
    window: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing e-conomic found wrong. ``property`` is e-conomic's own name, often empty."""

    code: str
    property: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands around every answer, good or bad."""

    status: int
    rate: Rate | None = None
    request_id: str = ""
    date: datetime | None = None
    from_cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A call that succeeded. ``body`` is the JSON value, none where there was no body."""

    head: Head
    body: Any = None


class Failed(Exception):
    """A call without a good answer. The message holds a class and a code, never a part of the body."""

    def __init__(self, code: str = "", head: Head | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.head = head


class Transient(Failed):
    """Try again later; whether a write was done is unknown."""


class Unreached(Transient):
    """The request never left: certainly nothing was done."""


class Ambiguous(Transient):
    """The request left and no usable answer came back."""


class Throttled(Failed):
    """The bucket is empty; nothing was done. ``retry_after`` seconds, none when it was not said."""

    def __init__(self, head: Head, retry_after: float | None) -> None:
        super().__init__("throttled", head)
        self.retry_after = retry_after


class AccessLost(Failed):
    """The grant is not valid any more: a matter of the agreement, of no single customer."""


class Forbidden(Failed):
    """The role or a module is missing: a matter of the agreement."""


class Misuse(Failed):
    """Our own mistake (wrong verb, not JSON): retrying as it is helps nobody."""


class NotFound(Failed):
    """e-conomic itself said that there is no such record."""


class VersionConflict(Failed):
    """Somebody else has written since; nothing was done."""


class Rejected(Failed):
    """e-conomic will not take this content; nothing was done. ``faults`` says why, first the most telling."""

    def __init__(self, head: Head, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults[0].code, head)
        self.faults = faults


def decipher(status: int, headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> Answer:
    """The answer, or one of the ``Failed`` classes raised. ``now`` only reads a Retry-After that is a date."""
    names = {name.lower(): value for name, value in headers.items()}
    head = Head(
        status=status,
        rate=read_rate(names.get("x-ratelimiting", "")),
        request_id=re.sub(r"[^\w.-]", "", names.get("x-requestid", ""))[:64],
        date=_date(names.get("date", "")),
        from_cache=names.get("x-resultfromcache", "").strip().lower() == "true",
    )
    if status in {200, 201, 202, 204}:
        return Answer(head=head, body=_json(body, head) if body.strip() else None)
    if status == 429:
        raise Throttled(head, _retry_after(names.get("retry-after", ""), head.date or now))
    if status == 401:
        raise AccessLost("access_lost", head)
    document = _document(body)
    faults = _faults(document, status)
    match status:
        case 403:
            raise Forbidden(faults[0].code, head)
        case 404 if _says_not_found(document):
            raise NotFound("not_found", head)
        case 409:
            raise VersionConflict("version", head)
        case 405 | 406 | 415 | 501:
            raise Misuse(f"status_{status}", head)
        case 404 | 408 | 425:
            raise Transient(f"status_{status}", head)
        case _ if 400 <= status < 500:
            if not document:  # a page of some proxy in between says nothing about our content
                raise Transient(f"status_{status}", head)
            raise Rejected(head, faults)
        case _:
            raise Transient(f"status_{status}", head)


def read_rate(text: str) -> Rate | None:
    """The bucket as the header tells it; none for a missing or strange one."""
    found = re.search(r"token-limit-(\d{1,9})-per-(\d{1,6})-seconds:\s*(\d{1,9})\s*/\s*(\d{1,9})", text, re.ASCII)
    if found is None or not int(found[1]) or not int(found[2]):
        return None
    return Rate(limit=int(found[1]), window=int(found[2]), used=int(found[3]))


def items(answer: Answer) -> tuple[list[dict[str, Any]], str | None]:
    """The records of one cursor page and the cursor of the next, none at the end; strange ones are transient."""
    found, cursor = _records(answer, "items"), answer.body.get("cursor")
    if cursor is not None and not (isinstance(cursor, str | int) and 0 < len(str(cursor)) <= 50):
        raise Ambiguous("bad_cursor", answer.head)
    return found, None if cursor is None else str(cursor)


def collection(answer: Answer) -> tuple[list[dict[str, Any]], bool]:
    """The records of one legacy page, and whether there is another. Its links are never followed: we count pages."""
    found = _records(answer, "collection")
    paging = answer.body.get("pagination")
    return found, bool(found) and isinstance(paging, dict) and bool(paging.get("nextPage"))


def _records(answer: Answer, name: str) -> list[dict[str, Any]]:
    found = answer.body.get(name) if isinstance(answer.body, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Ambiguous(f"no_{name}", answer.head)
    return found


def _json(body: bytes, head: Head) -> Any:
    try:
        found = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
        # neither PostgreSQL nor UTF-8 can hold these; they come only as escapes
        return _storable(found) if re.search(rb"\\u(0000|[dD][89a-fA-F])", body) else found
    except (ValueError, RecursionError) as error:
        raise Ambiguous("unreadable_answer", head) from error


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _storable(value: Any) -> Any:
    match value:
        case str():
            return "".join(letter for letter in value if letter != "\x00" and not "\ud800" <= letter <= "\udfff")
        case dict():
            return {_storable(key): _storable(part) for key, part in value.items()}
        case list():
            return [_storable(part) for part in value]
        case _:
            return value


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _says_not_found(document: dict[str, Any]) -> bool:
    # absence is believed only when e-conomic itself says it, not a proxy or a mistyped address
    told = document.get("status", document.get("httpStatusCode"))
    return told == 404 or document.get("errorCode") in {"ResourceNotFound", "E06000"}


def _faults(document: dict[str, Any], status: int) -> tuple[Fault, ...]:
    inner = list(_inner(document.get("errors"), "", 0))
    code = _text(document.get("errorCode")) or f"status_{status}"
    message = _text(document.get("detail")) or _text(document.get("message")) or _text(document.get("title"))
    named = (Fault(code=one.code or code, property=one.property, message=one.message) for one in inner[:50])
    return (*named, Fault(code=code, message=message))


def _inner(errors: Any, name: str, depth: int) -> Any:
    """Both surfaces' lists: flat ones of objects or texts, and objects keyed by property, nested."""
    if depth > 6:
        return
    match errors:
        case str():
            yield Fault(code="", property=name, message=_text(errors))
        case {"errorCode": code, **rest} | {"code": code, **rest} if code:
            message = rest.get("errorMessage") or rest.get("message")
            yield Fault(
                code=_text(code, 100),
                property=_text(rest.get("propertyName") or rest.get("property") or name, 100),
                message=_text(message),
            )
        case dict():
            for key, value in errors.items():
                if isinstance(value, dict | list):
                    yield from _inner(value, name if key in {"errors", "items"} else str(key), depth + 1)
        case list():
            for one in errors:
                yield from _inner(one, name, depth + 1)
        case _:
            return


def _text(value: Any, most: int = MESSAGE_LENGTH) -> str:
    """A text of the other side, cut, without control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", value[: most * 2]).strip()[:most] if isinstance(value, str) else ""


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _retry_after(text: str, now: datetime | None) -> float | None:
    text = text.strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text, re.ASCII):
        return min(float(text), RETRY_AFTER_MOST)
    moment = _date(text)
    if moment is None or now is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_MOST)
