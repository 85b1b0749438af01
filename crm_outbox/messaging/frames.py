"""What is on the wire to the broker? AMQP 0-9-1 frames: publishes out, and what a publisher hears back.

Encoded here and not by py-amqp, because a batch of messages then leaves in one write and costs a third of the client's
work (``bench relay``). Connecting, channels and heartbeats stay with kombu.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from crm_outbox.messaging.envelope import CONTENT_TYPE, MAX_BYTES
from crm_outbox.messaging.settlement import Acked, Blocked, Closed, Event, Nacked, Returned, Unblocked

_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_KINDS = frozenset({_METHOD, _HEADER, _BODY, _HEARTBEAT})
_END = b"\xce"
_PERSISTENT = b"\x02"
_CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS, _DELIVERY_MODE = 1 << 15, 1 << 14, 1 << 13, 1 << 12
_PRIORITY, _CORRELATION_ID, _REPLY_TO, _EXPIRATION = 1 << 11, 1 << 10, 1 << 9, 1 << 8
_MESSAGE_ID, _TIMESTAMP, _TYPE = 1 << 7, 1 << 6, 1 << 5

_FRAME = Struct(">BHI")
_HEADER_FRAME = Struct(">BHIHHQH")
_METHOD_ID = Struct(">HH")
_LONG = Struct(">I")
_LONGLONG = Struct(">Q")
_ACK = Struct(">QB")
_CODE = Struct(">H")

_BYTE = tuple(bytes((value,)) for value in range(256))
_BASIC = (60, 0)
_PUBLISH = (60, 40)
_RETURN, _ACKED, _NACKED = (60, 50), (60, 80), (60, 120)
_CHANNEL_CLOSE, _CONNECTION_CLOSE = (20, 40), (10, 50)
_BLOCKED, _UNBLOCKED = (10, 60), (10, 61)


class Outgoing(NamedTuple):
    """One message on its way to the broker; ``id`` is its row in the outbox, ``timestamp`` in seconds since 1970."""

    id: int
    message_id: str
    exchange: str
    routing_key: str
    mandatory: bool
    type: str
    timestamp: int
    traceparent: str | None
    body: bytes


def fault(message: Outgoing) -> str | None:
    """Why a message cannot be said in frames or would not be taken by any consumer; none if it can."""
    if len(message.body) > MAX_BYTES:
        return "too_large"
    for name in (message.exchange, message.routing_key, message.message_id, message.type):
        # A letter takes four bytes at most, so short names need no counting.
        if len(name) > 63 and len(name.encode()) > 255:
            return "name_too_long"
    return None


def publish(messages: Sequence[Outgoing], channel: int, frame_max: int) -> bytes:
    """The frames of these messages, in order, for one write. They have no ``fault``; ``frame_max`` is as negotiated."""
    parts: list[bytes] = []
    largest = frame_max - 8
    for message in messages:
        traceparent = b"" if message.traceparent is None else message.traceparent.encode()
        flags, start = _first_properties(len(traceparent))
        kind = message.type.encode()
        message_id = message.message_id.encode()
        size = len(message.body)
        properties = b"".join((
            start,
            traceparent,
            _PERSISTENT,
            _BYTE[len(message_id)],
            message_id,
            _LONGLONG.pack(message.timestamp),
            _BYTE[len(kind)],
            kind,
        ))  # fmt: skip
        parts += (
            _publish_frame(channel, message.exchange, message.routing_key, message.mandatory),
            _HEADER_FRAME.pack(_HEADER, channel, 14 + len(properties), *_BASIC, size, flags),
            properties,
            _END,
        )
        for at in range(0, size, largest):
            piece = message.body if size <= largest else message.body[at : at + largest]
            parts += (_FRAME.pack(_BODY, channel, len(piece)), piece, _END)
    return b"".join(parts)


class Inbound:
    """Bytes from the broker to what they say; whatever is cut in the middle waits for the next bytes."""

    def __init__(self, channel: int) -> None:
        self._channel = channel
        self._rest = b""
        self._returned: tuple[int, str] | None = None

    def read(self, data: bytes) -> list[Event]:
        """What these bytes complete, in the broker's order; ``ValueError`` if they are no AMQP."""
        buffer = self._rest + data if self._rest else data
        events: list[Event] = []
        at, size = 0, len(buffer)
        while size - at >= 8:
            kind, channel, length = _FRAME.unpack_from(buffer, at)
            if kind not in _KINDS:
                raise ValueError("no such kind of frame")
            end = at + 7 + length
            if end >= size:
                break
            if buffer[end] != 0xCE:
                raise ValueError("a frame without its end")
            try:
                event = self._event(kind, channel, buffer[at + 7 : end])
            except (struct.error, IndexError) as error:
                raise ValueError("a frame that is cut short") from error
            if event is not None:
                events.append(event)
            at = end + 1
        self._rest = buffer[at:]
        return events

    def _event(self, kind: int, channel: int, payload: bytes) -> Event | None:
        if kind == _METHOD:
            return self._method(channel, payload)
        if kind == _HEADER and channel == self._channel and self._returned is not None:
            (code, text), self._returned = self._returned, None
            return Returned(message_id=_message_id(payload), code=code, text=text)
        return None

    def _method(self, channel: int, payload: bytes) -> Event | None:
        method = _METHOD_ID.unpack_from(payload)
        if method == _ACKED and channel == self._channel:
            tag, multiple = _ACK.unpack_from(payload, 4)
            return Acked(tag=tag, multiple=bool(multiple & 1))
        if method == _NACKED and channel == self._channel:
            tag, bits = _ACK.unpack_from(payload, 4)
            return Nacked(tag=tag, multiple=bool(bits & 1))
        if method == _RETURN and channel == self._channel:
            self._returned = _code(payload)
            return None
        if method == _CONNECTION_CLOSE or (method == _CHANNEL_CLOSE and channel == self._channel):
            code, text = _code(payload)
            return Closed(code=code, text=text)
        if method == _BLOCKED:
            return Blocked(reason=_text(payload, 4))
        if method == _UNBLOCKED:
            return Unblocked()
        return None


@lru_cache(maxsize=1024)
def _publish_frame(channel: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:
    payload = b"".join(
        (_METHOD_ID.pack(*_PUBLISH), b"\0\0", _short(exchange), _short(routing_key), b"\1" if mandatory else b"\0")
    )
    return _FRAME.pack(_METHOD, channel, len(payload)) + payload + _END


@lru_cache(maxsize=16)
def _first_properties(traceparent: int) -> tuple[int, bytes]:
    """The flags of a message's properties, and what stands before the traceparent of that length (0: there is none)."""
    flags = _CONTENT_TYPE | _DELIVERY_MODE | _MESSAGE_ID | _TIMESTAMP | _TYPE
    if not traceparent:
        return flags, _short(CONTENT_TYPE)
    table = _short("traceparent") + b"S" + _LONG.pack(traceparent)
    return flags | _HEADERS, _short(CONTENT_TYPE) + _LONG.pack(len(table) + traceparent) + table


def _short(text: str) -> bytes:
    value = text.encode()
    return _BYTE[len(value)] + value


def _code(payload: bytes) -> tuple[int, str]:
    return _CODE.unpack_from(payload, 4)[0], _text(payload, 6)


def _text(payload: bytes, at: int) -> str:
    return payload[at + 1 : at + 1 + payload[at]].decode("utf-8", "replace")


def _message_id(payload: bytes) -> str:
    """The message id among the properties of a content header; empty if it has none."""
    flags = _CODE.unpack_from(payload, 12)[0]
    at = 14
    for flag in (_CONTENT_TYPE, _CONTENT_ENCODING):
        if flags & flag:
            at += 1 + payload[at]
    if flags & _HEADERS:
        at += 4 + _LONG.unpack_from(payload, at)[0]
    at += bool(flags & _DELIVERY_MODE) + bool(flags & _PRIORITY)
    for flag in (_CORRELATION_ID, _REPLY_TO, _EXPIRATION):
        if flags & flag:
            at += 1 + payload[at]
    return _text(payload, at) if flags & _MESSAGE_ID else ""
