"""A message is the same after its journey, and what is not one of ours is refused by a reason and never quoted."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import Field

from crm_outbox.messaging.envelope import (
    MAX_BYTES,
    Envelope,
    Lane,
    MessageType,
    Refused,
    Registry,
    Unsendable,
    Version,
    Words,
    decode,
    encode,
    uuid7,
)


class Thing(Words):
    """Invented words with every kind of value we use."""

    id: str
    text: str = ""
    number: int | None = None
    amount: float = 0.0
    when: datetime | None = None
    parts: tuple[str, ...] = ()
    named: dict[str, str] = Field(default_factory=dict)


REGISTRY = Registry([MessageType(name="crm.thing.changed.v1", data=Thing, exchange="crm.events")])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
full_texts = texts.filter(bool)
moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2), max_value=datetime(9000, 1, 1))  # noqa: DTZ001 - hypothesis wants naive bounds
envelopes = st.builds(
    Envelope,
    id=st.uuids(),
    type=st.just("crm.thing.changed.v1"),
    source=full_texts,
    time=moments,
    tenant=full_texts,
    subject=full_texts,
    version=st.none() | st.builds(Version, st.integers(0, 10**9 - 1), st.integers(0, 10**18 - 1)),
    causation=st.none() | st.uuids(),
    correlation=full_texts,
    traceparent=st.none() | full_texts,
    customer=st.none() | full_texts,
    agreement=st.none() | st.integers(0, 10**9),
    number=st.none() | st.integers(0, 10**9),
    data=st.builds(
        Thing,
        id=texts,
        text=texts,
        number=st.none() | st.integers(),
        amount=st.floats(allow_nan=False, allow_infinity=False),
        when=st.none() | moments,
        parts=st.lists(texts, max_size=3).map(tuple),
        named=st.dictionaries(texts, texts, max_size=3),
    ),
)
ONE = Envelope(
    id=UUID("01932b6f-0d3a-7c11-8c5e-0f6d6c1c2a3b"),
    type="crm.thing.changed.v1",
    source="crm_outbox",
    time=datetime(2026, 3, 4, 5, 6, 7, 89, UTC),
    tenant="acme",
    subject="thing/1",
    version=Version(1, 2),
    data=Thing(id="1", text="Blåbærgrød"),
)


def reason(body: bytes, message_id: str | None = str(ONE.id)) -> str:
    with pytest.raises(Refused) as caught:
        decode(body, message_id, REGISTRY)
    return caught.value.reason


def changed(**attributes: Any) -> bytes:
    document = json.loads(encode(ONE))
    document.update(attributes)
    return json.dumps({key: value for key, value in document.items() if value is not ...}).encode()


@given(envelopes)
def test_a_message_is_the_same_after_its_journey(envelope: Envelope) -> None:
    body = encode(envelope)
    assert decode(body, str(envelope.id), REGISTRY) == envelope
    assert encode(envelope) == body


def test_a_message_without_a_cause_starts_its_correlation_with_its_own_id() -> None:
    assert decode(encode(ONE), str(ONE.id), REGISTRY).correlation == str(ONE.id)


def test_what_is_not_there_is_not_written() -> None:
    document = json.loads(encode(ONE))
    assert not {"causationid", "traceparent", "customerid", "agreement", "customernumber"} & document.keys()
    assert document["data"] == {"id": "1", "text": "Blåbærgrød", "amount": 0.0, "parts": [], "named": {}}


def test_unknown_fields_are_ignored_so_that_a_major_may_grow() -> None:
    grown = changed(data={"id": "1", "colour": "red"}, extension="x")
    assert decode(grown, str(ONE.id), REGISTRY).data == Thing(id="1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b'{"specversion":"1.0","id":NaN}', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b"[]", "bad_envelope"),
        (changed(specversion="0.3"), "bad_envelope"),
        (changed(type="crm.thing.changed.v2"), "unknown_major"),
        (changed(type="crm.thing.vanished.v1"), "unknown_type"),
        (changed(type=7), "bad_envelope"),
        (changed(tenant=...), "bad_envelope"),
        (changed(version="1"), "bad_envelope"),
        (changed(version="1.٢"), "bad_envelope"),
        (changed(time="yesterday"), "bad_envelope"),
        (changed(time="2026-03-04T05:06:07"), "bad_envelope"),
        (changed(agreement="many"), "bad_envelope"),
        (changed(agreement="١"), "bad_envelope"),
        (changed(customernumber=7), "bad_envelope"),
        (changed(correlationid=7), "bad_envelope"),
        (changed(traceparent=["x"]), "bad_envelope"),
        (changed(tenant="a\x00"), "nul"),
        (changed(data={"id": "\ud800"}), "surrogate"),
        (changed(causationid="x"), "bad_envelope"),
        (changed(data={"text": "x"}), "bad_data:id"),
        (changed(data=...), "bad_data:"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_ours_is_refused_with_its_reason(body: bytes, expected: str) -> None:
    assert reason(body) == expected


def test_a_missing_or_odd_message_id_is_refused() -> None:
    assert reason(encode(ONE), None) == "no_message_id"
    assert reason(encode(ONE), "") == "no_message_id"
    assert reason(encode(ONE), str(UUID(int=1))) == "odd_message_id"
    assert reason(changed(id="no uuid"), "no uuid") == "bad_envelope"


def test_a_reason_never_quotes_the_body() -> None:
    assert "secret" not in reason(changed(data={"id": ["secret"]}))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_raise_anything_else(body: bytes) -> None:
    assert reason(body)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (Thing(id="1", text="a\x00b"), ("nul", "data.text")),
        (Thing.model_construct(id="1", text="a\ud800"), ("surrogate", "data.text")),
        (Thing.model_construct(id="1", named={"a": "\udfff"}), ("surrogate", "data.named.a")),
        (Thing(id="1", amount=float("nan")), ("invalid", "ValueError")),
        (Thing(id="1", text="x" * MAX_BYTES), ("too_large", "data.text")),
    ],
)
def test_content_that_no_consumer_could_take_is_unsendable_and_says_where(
    data: Thing, expected: tuple[str, str]
) -> None:
    with pytest.raises(Unsendable) as caught:
        encode(Envelope(id=ONE.id, type=ONE.type, source="s", time=ONE.time, tenant="t", subject="s", data=data))
    assert (caught.value.reason, caught.value.detail) == expected


def test_a_message_needs_a_tenant_and_a_subject() -> None:
    with pytest.raises(Unsendable, match="tenant"):
        encode(replace(ONE, tenant=""))
    with pytest.raises(Unsendable, match="subject"):
        encode(replace(ONE, subject=""))


def test_an_empty_attribute_is_as_good_as_none() -> None:
    assert decode(encode(replace(ONE, customer="", traceparent="")), str(ONE.id), REGISTRY).customer is None


@given(moments, st.integers(0, 2**74 - 1))
def test_an_id_is_a_uuid_of_version_7_that_carries_its_moment(at: datetime, randomness: int) -> None:
    made = uuid7(at, randomness)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=made.int >> 80)
    assert abs(moment - at) <= timedelta(milliseconds=1)


@given(st.tuples(moments, moments))
def test_ids_of_later_moments_are_greater(two: tuple[datetime, datetime]) -> None:
    first, second = sorted(two)
    assume(second - first > timedelta(milliseconds=2))
    assert uuid7(first, 2**74 - 1) < uuid7(second, 0)


def test_versions_are_ordered_by_epoch_then_number_and_read_back() -> None:
    assert Version(1, 99) < Version(2, 1) < Version(2, 10)
    assert Version.parse(str(Version(3, 14))) == Version(3, 14)
    for odd in ("", "1", "1.", "a.b", "1.2.3", "-1.2", " 1.2", "1" * 10 + ".1"):
        with pytest.raises(ValueError, match="version"):
            Version.parse(odd)


def test_the_lane_is_the_last_word_of_the_routing_key() -> None:
    kind = REGISTRY.named("crm.thing.changed.v1")
    assert kind.routing_key(Lane.LIVE) == "crm.thing.changed.v1.live"
    assert kind.routing_key(Lane.BULK) == "crm.thing.changed.v1.bulk"


def test_two_types_may_not_share_their_words() -> None:
    other = MessageType(name="crm.other.v1", data=Thing, exchange="crm.events")
    with pytest.raises(ValueError, match="share"):
        Registry([*REGISTRY, other])
