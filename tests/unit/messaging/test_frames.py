"""Our frames say to py-amqp what we meant, and what py-amqp writes we understand."""

import struct
from typing import Any

import pytest
from amqp import basic_message, method_framing, serialization, spec
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging import frames
from crm_outbox.messaging.envelope import CONTENT_TYPE, MAX_BYTES
from crm_outbox.messaging.frames import Inbound, Outgoing
from crm_outbox.messaging.settlement import Acked, Blocked, Closed, Event, Nacked, Returned, Unblocked

# py-amqp is typed in part only.
Message: Any = basic_message.Message
frame_writer: Any = method_framing.frame_writer
dumps: Any = serialization.dumps
loads: Any = serialization.loads

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
messages = st.builds(
    Outgoing,
    id=st.integers(1, 2**62),
    message_id=st.uuids().map(str),
    exchange=names,
    routing_key=names,
    mandatory=st.booleans(),
    type=names,
    timestamp=st.integers(0, 2**40),
    traceparent=st.none() | st.text(st.characters(codec="ascii"), min_size=1, max_size=80),
    body=st.binary(max_size=10_000),
)


@given(st.lists(messages, max_size=5), st.integers(1, 2047), st.sampled_from([4096, 8192, 131072]))
def test_py_amqp_reads_what_we_write(batch: list[Outgoing], channel: int, frame_max: int) -> None:
    wire = frames.publish(batch, channel, frame_max)
    for message in batch:
        wire, read = _read_one(wire, channel, frame_max)
        assert read == message._replace(id=0)
    assert wire == b""


def _read_one(wire: bytes, channel: int, frame_max: int) -> tuple[bytes, Outgoing]:
    kind, payload, wire = _frame(wire, channel, frame_max)
    assert kind == 1
    assert struct.unpack_from(">HH", payload) == spec.Basic.Publish
    (_, exchange, routing_key, mandatory, immediate), _ = loads("Bssbb", payload, 4)
    assert not immediate
    content = Message(frame_method=spec.Basic.Publish)
    kind, payload, wire = _frame(wire, channel, frame_max)
    assert kind == 2
    content.inbound_header(payload)
    while not content.ready:
        kind, payload, wire = _frame(wire, channel, frame_max)
        assert kind == 3
        content.inbound_body(payload)
    properties = content.properties
    assert properties.pop("content_type") == CONTENT_TYPE
    assert properties.pop("delivery_mode") == 2
    headers = properties.pop("application_headers", {})
    return wire, Outgoing(
        id=0,
        message_id=properties.pop("message_id"),
        exchange=exchange,
        routing_key=routing_key,
        mandatory=mandatory,
        type=properties.pop("type"),
        timestamp=properties.pop("timestamp"),
        traceparent=headers.pop("traceparent", None),
        body=bytes(content.body or b""),
    )


def _frame(wire: bytes, channel: int, frame_max: int) -> tuple[int, bytes, bytes]:
    kind, number, size = struct.unpack_from(">BHI", wire)
    assert number == channel
    assert size + 8 <= frame_max
    assert wire[7 + size] == 0xCE
    return kind, wire[7 : 7 + size], wire[8 + size :]


class _Wire:
    """py-amqp's own writer, into memory."""

    def __init__(self) -> None:
        self.frame_max = 4096
        self.bytes_sent = 0
        self.data = b""
        self._write = frame_writer(self, self)

    def write(self, data: Any) -> None:
        self.data += bytes(data)

    def say(self, channel: int, method: tuple[int, int], form: str, *values: Any, content: Any = None) -> None:
        self._write(1, channel, method, dumps(form, values), content)


def _returned(message_id: str, body: bytes) -> Any:
    return Message(
        body,
        content_type="text/plain",
        content_encoding="binary",
        application_headers={"traceparent": "00-1", "number": 7},
        delivery_mode=2,
        priority=1,
        correlation_id="c",
        reply_to="r",
        expiration="9",
        message_id=message_id,
        timestamp=1,
        type="t",
    )


events = st.lists(
    st.builds(Acked, tag=st.integers(1, 2**60), multiple=st.booleans())
    | st.builds(Nacked, tag=st.integers(1, 2**60), multiple=st.booleans())
    | st.builds(Returned, message_id=st.uuids().map(str), code=st.just(312), text=st.just("NO_ROUTE"))
    | st.builds(Closed, code=st.sampled_from([404, 406, 320]), text=names)
    | st.builds(Blocked, reason=names)
    | st.just(Unblocked()),
    max_size=20,
)


@given(events, st.lists(st.integers(1, 400), max_size=50), st.data())
def test_we_read_what_the_broker_writes_however_it_is_cut(
    said: list[Event], cuts: list[int], data: st.DataObject
) -> None:
    wire = _Wire()
    for event in said:
        match event:
            case Acked(tag, multiple):
                wire.say(3, spec.Basic.Ack, "Lb", tag, multiple)
            case Nacked(tag, multiple):
                wire.say(3, spec.Basic.Nack, "Lbb", tag, multiple, False)
            case Returned(message_id, code, text):
                body = data.draw(st.binary(max_size=9000))
                wire.say(3, spec.Basic.Return, "Bsss", code, text, "x", "k", content=_returned(message_id, body))
            case Closed(code, text):
                wire.say(3, spec.Channel.Close, "BsBB", code, text, 60, 40)
            case Blocked(reason):
                wire.say(0, spec.Connection.Blocked, "s", reason)
            case Unblocked():
                wire.say(0, spec.Connection.Unblocked, "")
        wire._write(8, 0, None, None, None)  # a heartbeat between any two says nothing
    inbound = Inbound(3)
    heard: list[Event] = []
    rest = wire.data
    for cut in cuts:
        heard += inbound.read(rest[:cut])
        rest = rest[cut:]
    assert heard + inbound.read(rest) == said


def test_a_closed_connection_is_heard_on_channel_0() -> None:
    wire = _Wire()
    wire.say(0, spec.Connection.Close, "BsBB", 320, "CONNECTION_FORCED", 0, 0)
    assert Inbound(1).read(wire.data) == [Closed(320, "CONNECTION_FORCED")]


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n", b"\x01\x00\x01\x00\x00\x00\x02\x00\x3c\x00"])
def test_what_is_no_amqp_is_an_error_and_never_an_answer(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        Inbound(1).read(garbage)


def test_a_message_that_no_frame_can_hold_has_a_fault() -> None:
    fine = Outgoing(1, "id", "x", "k", True, "t", 0, None, b"")
    assert frames.fault(fine) is None
    assert frames.fault(fine._replace(routing_key="æ" * 127)) is None
    assert frames.fault(fine._replace(routing_key="æ" * 128)) == "name_too_long"
    assert frames.fault(fine._replace(body=b"x" * (MAX_BYTES + 1))) == "too_large"
