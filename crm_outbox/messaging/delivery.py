"""May this delivery be taken, and what does it say? Pure.

Everything a stranger can put on a queue is judged here, before anything else looks at it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm_outbox.messaging.envelope import CONTENT_TYPE, Envelope, Refused, Registry, decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message as it lay on a queue. ``tag`` is the broker's number for it on its channel."""

    tag: int
    body: bytes
    message_id: str | None = None
    type: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    headers: Mapping[str, Any]


def delivered(message: Any) -> Delivery:
    """A message as py-amqp hands it over."""
    properties = message.properties
    body = message.body
    return Delivery(
        tag=message.delivery_tag,
        body=body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass"),
        message_id=properties.get("message_id"),
        type=properties.get("type"),
        content_type=properties.get("content_type"),
        content_encoding=properties.get("content_encoding"),
        headers=properties.get("application_headers") or {},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A delivery that was judged: its envelope, or the reason it is refused for."""

    delivery: Delivery
    envelope: Envelope | None = None
    body_hash: bytes = b""
    reason: str = ""


def open_all(deliveries: Iterable[Delivery], registry: Registry) -> list[Opened]:
    """Judge these deliveries, each by itself."""
    return [_open(delivery, registry) for delivery in deliveries]


def first_of_each(opened: Iterable[Opened]) -> tuple[dict[UUID, Opened], list[Opened]]:
    """The first delivery of every message id, and those that came with the same id and another body."""
    first: dict[UUID, Opened] = {}
    reused = [
        one
        for one in opened
        if one.envelope is not None and first.setdefault(one.envelope.id, one).body_hash != one.body_hash
    ]
    return first, reused


def _open(delivery: Delivery, registry: Registry) -> Opened:
    try:
        envelope = _read(delivery, registry)
    except Refused as refusal:
        return Opened(delivery=delivery, reason=refusal.reason)
    return Opened(delivery=delivery, envelope=envelope, body_hash=hashlib.sha256(delivery.body).digest())


def _read(delivery: Delivery, registry: Registry) -> Envelope:
    if "compression" in delivery.headers or delivery.content_encoding not in {None, "", "utf-8", "binary"}:
        # Never unpacked: a small message could become a very large one.
        raise Refused("compressed")
    if (delivery.content_type or "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise Refused("content_type")
    return decode(delivery.body, delivery.message_id, registry)
