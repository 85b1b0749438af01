"""Whose turn is it? Inbound's, and bulk's when there is nothing else or for one batch in ten."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging.consumer import Consumer
from crm_outbox.messaging.delivery import Delivery, first_of_each, open_all
from crm_outbox.messaging.envelope import CONTENT_TYPE, encode
from crm_outbox.messaging.settings import Broker
from crm_outbox.tables import messages as tables
from tests.builders.receiving import REGISTRY, note


def _consumer() -> Consumer:
    return Consumer(
        engine=sa.create_engine("postgresql+psycopg://"),
        broker=Broker(address="amqp://h:1", vhost="sync", management_url="", passwords={"x": "p"}),
        user="x",
        consumer="c",
        registry=REGISTRY,
        tables=tables,
        handle=lambda *_: None,
        name="c",
    )


def _delivery(tag: int = 1, **other: object) -> Delivery:
    one = note()
    given: dict[str, object] = {
        "tag": tag, "body": encode(one), "message_id": str(one.id), "content_type": CONTENT_TYPE, "headers": {},
    }  # fmt: skip
    return Delivery(**given | other)  # type: ignore[arg-type]


def _turns(duty: Consumer, number: int) -> str:
    return "".join((lane.queue[2] if (lane := duty._next()) is not None else "-") for _ in range(number))


def test_bulk_has_one_turn_in_ten_while_inbound_has_something() -> None:
    duty = _consumer()
    duty._inbound.waiting.append(_delivery())
    duty._bulk.waiting.append(_delivery())
    assert _turns(duty, 30) == ("i" * 9 + "b") * 3


def test_each_has_every_turn_when_the_other_has_nothing() -> None:
    duty = _consumer()
    assert _turns(duty, 2) == "--"
    duty._bulk.waiting.append(_delivery())
    assert _turns(duty, 12) == "b" * 12
    duty = _consumer()
    duty._inbound.waiting.append(_delivery())
    assert _turns(duty, 12) == "i" * 12


@given(
    body=st.binary(max_size=200),
    message_id=st.none() | st.text(max_size=40),
    content_type=st.none() | st.text(max_size=40) | st.just(CONTENT_TYPE),
    encoding=st.none() | st.text(max_size=10),
)
def test_no_delivery_makes_judging_fail(
    body: bytes, message_id: str | None, content_type: str | None, encoding: str | None
) -> None:
    [opened] = open_all(
        [_delivery(body=body, message_id=message_id, content_type=content_type, content_encoding=encoding)], REGISTRY
    )
    assert opened.envelope is None
    assert opened.reason


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json; charset=utf-8", "Application/CloudEvents+JSON"]
)
def test_the_content_type_may_be_written_as_others_write_it(content_type: str) -> None:
    [opened] = open_all([_delivery(content_type=content_type)], REGISTRY)
    assert opened.envelope is not None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=30))
def test_of_each_id_the_first_body_holds_and_only_other_bodies_are_reused(pairs: list[tuple[int, int]]) -> None:
    ids = [uuid4() for _ in range(5)]
    deliveries = [
        _delivery(tag, body=encode(note(str(body), message_id=ids[at])), message_id=str(ids[at]))
        for tag, (at, body) in enumerate(pairs)
    ]
    first, reused = first_of_each(open_all(deliveries, REGISTRY))
    expected: dict[int, int] = {}
    for at, body in pairs:
        expected.setdefault(at, body)
    assert {ids.index(key) for key in first} == set(expected)
    assert [one.delivery.tag for one in reused] == [tag for tag, (at, body) in enumerate(pairs) if expected[at] != body]
