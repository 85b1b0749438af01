"""What is a message? Bytes to a typed envelope and back, by a registry of types.

The body is one CloudEvents 1.0 document in structured JSON mode. It is made once, at insert, and stored, hashed and
published byte for byte. AMQP properties only repeat what an operator reads.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

CONTENT_TYPE = "application/cloudevents+json"
MAX_BYTES = 1024 * 1024
"""A message larger than this is not sent (design: at most 1 MiB; RabbitMQ 4 itself refuses above 16 MiB)."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Version(NamedTuple):
    """The version of one aggregate: ordered first by epoch, then by number. Written ``epoch.number``."""

    epoch: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``epoch.number``; anything else raises ``ValueError``."""
        if not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,18}", text, re.ASCII):
            raise ValueError("a version is written epoch.number")
        epoch, number = text.split(".")
        return cls(int(epoch), int(number))

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}"


class Lane(StrEnum):
    """Which road a message takes: people's edits, or whatever fills in bulk (backfill, import, sweep, replay)."""

    LIVE = "live"
    BULK = "bulk"


class Words(BaseModel):
    """A value of a message: frozen, and a tolerant reader (unknown fields are ignored, so a major may grow)."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """One released type: its name with the major version, its words, where it goes and who may read it."""

    name: str
    data: type[Words]
    exchange: str
    must_route: bool = True
    audience: Literal["public", "internal"] = "internal"

    def routing_key(self, lane: Lane) -> str:
        """The last word is the lane, so that a queue binds to one lane of a type."""
        return f"{self.name}.{lane}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message: what CloudEvents asks for, what every message of ours carries, and its typed data."""

    id: UUID
    type: str
    source: str
    time: datetime
    tenant: str
    subject: str
    """The aggregate the version counts for, such as ``customer/48211``."""
    version: Version | None = None
    causation: UUID | None = None
    correlation: str | None = None
    """One id from the CRM's commit to e-conomic's request id; a message without a cause starts it with its own id."""
    traceparent: str | None = None
    customer: str | None = None
    agreement: int | None = None
    number: int | None = None
    """e-conomic's customer number, when known."""
    data: Words


class Refused(Exception):
    """A message that cannot be taken. The reason is a short code; it never holds a part of the body."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unsendable(Exception):
    """Content that cannot become a message: ``too_large``, ``nul``, ``surrogate`` or ``invalid``, and where it stands."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail


class Registry:
    """The types a package knows, by name and by the class of their data."""

    def __init__(self, types: Iterable[MessageType]) -> None:
        self._by_name = {one.name: one for one in types}
        self._by_data = {one.data: one for one in self._by_name.values()}
        if len(self._by_data) != len(self._by_name):
            raise ValueError("two message types share one class of data")

    def __iter__(self) -> Any:
        return iter(self._by_name.values())

    def named(self, name: str) -> MessageType:
        """The type of that name; ``Refused`` says whether the type or only its major version is unknown."""
        if (known := self._by_name.get(name)) is not None:
            return known
        stem, _, major = name.rpartition(".v")
        if major.isdigit() and any(other.rpartition(".v")[0] == stem for other in self._by_name):
            raise Refused("unknown_major")
        raise Refused("unknown_type")

    def of(self, data: Words) -> MessageType:
        """The type whose words these are; ``KeyError`` for words nobody registered (a programming error)."""
        return self._by_data[type(data)]


def uuid7(at: datetime, randomness: int) -> UUID:
    """A UUIDv7 (RFC 9562, 5.7) of that moment in milliseconds with 74 given random bits."""
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    high, low = (randomness >> 62) & 0xFFF, randomness & (2**62 - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def encode(envelope: Envelope) -> bytes:
    """The body of a message; raises ``Unsendable`` for content that no consumer could take."""
    for needed in ("source", "tenant", "subject"):
        if not getattr(envelope, needed):
            raise Unsendable("invalid", needed)
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": envelope.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "tenant": envelope.tenant,
        "version": None if envelope.version is None else str(envelope.version),
        "causationid": None if envelope.causation is None else str(envelope.causation),
        "correlationid": envelope.correlation or str(envelope.id),
        "traceparent": envelope.traceparent or None,
        "customerid": envelope.customer or None,
        "agreement": None if envelope.agreement is None else str(envelope.agreement),
        "customernumber": None if envelope.number is None else str(envelope.number),
    }
    document = {key: value for key, value in attributes.items() if value is not None}
    document["data"] = envelope.data.model_dump(mode="python", exclude_none=True)
    check_text(document, "")
    try:
        body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise Unsendable("invalid", type(error).__name__) from error
    if len(body) > MAX_BYTES:
        raise Unsendable("too_large", largest_text(document))
    return body


def decode(body: bytes, message_id: str | None, registry: Registry) -> Envelope:
    """The envelope of a body taken from a queue; ``Refused`` with a reason code for anything that is not ours."""
    if len(body) > MAX_BYTES:
        raise Refused("too_large")
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed") from error
    if not isinstance(document, dict) or document.get("specversion") != "1.0":
        raise Refused("bad_envelope")
    if not message_id:
        raise Refused("no_message_id")
    if message_id != document.get("id"):
        raise Refused("odd_message_id")
    try:
        check_text(document, "")
    except Unsendable as unsendable:
        raise Refused(unsendable.reason) from unsendable
    kind = registry.named(_text(document, "type"))
    try:
        data = kind.data.model_validate(document.get("data"))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Refused(f"bad_data:{where}"[:120]) from error
    try:
        return Envelope(
            id=UUID(message_id),
            type=kind.name,
            source=_text(document, "source"),
            time=_moment(_text(document, "time")),
            tenant=_text(document, "tenant"),
            subject=_text(document, "subject"),
            version=None if "version" not in document else Version.parse(_text(document, "version")),
            causation=None if "causationid" not in document else UUID(_text(document, "causationid")),
            correlation=None if "correlationid" not in document else _text(document, "correlationid"),
            traceparent=None if "traceparent" not in document else _text(document, "traceparent"),
            customer=None if "customerid" not in document else _text(document, "customerid"),
            agreement=None if "agreement" not in document else _number(_text(document, "agreement")),
            number=None if "customernumber" not in document else _number(_text(document, "customernumber")),
            data=data,
        )
    except ValueError as error:
        raise Refused("bad_envelope") from error


def check_text(value: Any, where: str) -> None:
    """Refuse text that PostgreSQL or UTF-8 cannot hold: a NUL character, or half of a surrogate pair."""
    match value:
        case str():
            if "\x00" in value:
                raise Unsendable("nul", where)
            if _SURROGATE.search(value):
                raise Unsendable("surrogate", where)
        case Mapping():
            for key, part in value.items():
                check_text(part, f"{where}.{key}".lstrip("."))
        case list() | tuple():
            for part in value:
                check_text(part, where)
        case _:
            pass


def largest_text(value: Any, where: str = "") -> str:
    """Where the longest text of a document stands, to name the detail that is too large."""
    best, size = where, 0
    waiting: list[tuple[str, Any]] = [(where, value)]
    while waiting:
        path, part = waiting.pop()
        match part:
            case str() if len(part) > size:
                best, size = path, len(part)
            case Mapping():
                waiting += [(f"{path}.{key}".lstrip("."), inner) for key, inner in part.items()]
            case list() | tuple():
                waiting += [(path, inner) for inner in part]
            case _:
                pass
    return best


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise Refused("bad_envelope")
    return value


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise ValueError("no whole number")
    return int(text)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its offset")
    return moment


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID | Version):
        return str(value)
    raise TypeError(type(value).__name__)


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")
