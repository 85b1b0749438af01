"""Whatever a stranger puts on a queue is refused, stays visible, and harms no neighbour."""

import json
import logging
import zlib
from contextlib import closing
from typing import Any
from uuid import uuid4

import pika
import pytest
import sqlalchemy as sa
import structlog

from crm_outbox.messaging import consumer as receiving
from crm_outbox.messaging.envelope import encode
from crm_outbox.messaging.settings import Broker
from tests.builders.receiving import (
    INBOUND,
    NAME,
    Depths,
    Effects,
    Post,
    consumer,
    document,
    drive,
    note,
    refusals,
    taken,
    watermarks,
)
from tests.waiting import eventually

_ID = uuid4()
_NOTE = note("anna@firma.dk", message_id=_ID)
_GOOD = encode(_NOTE)

BAD: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "malformed json": (b'{"specversion": "1.0", ', {"message_id": str(_ID), "type": NAME}, "malformed"),
    "an empty body": (b"", {"message_id": str(_ID)}, "malformed"),
    "no utf-8": (b"\xff\xfe", {"message_id": str(_ID)}, "malformed"),
    "json that is no object": (b"[1, 2]", {"message_id": str(_ID)}, "bad_envelope"),
    "very deep json": (b"[" * 200_000, {"message_id": str(_ID)}, "malformed"),
    "another content type": (_GOOD, {"message_id": str(_ID), "content_type": "application/json"}, "content_type"),
    "no content type": (_GOOD, {"message_id": str(_ID), "content_type": None}, "content_type"),
    "a pickle": (_GOOD, {"message_id": str(_ID), "content_type": "application/x-python-serialize"}, "content_type"),
    "a compression header": (
        zlib.compress(_GOOD),
        {"message_id": str(_ID), "application_headers": {"compression": "application/x-gzip"}},
        "compressed",
    ),
    "a content encoding": (zlib.compress(_GOOD), {"message_id": str(_ID), "content_encoding": "gzip"}, "compressed"),
    "no message id": (_GOOD, {}, "no_message_id"),
    "an id that is no uuid": (document(_NOTE, id="seven"), {"message_id": "seven"}, "bad_envelope"),
    "an id that is not the body's": (_GOOD, {"message_id": str(uuid4())}, "odd_message_id"),
    "an id with a NUL": (_GOOD, {"message_id": "a\x00b"}, "odd_message_id"),
    "an unknown type": (document(_NOTE, type="crm.parrot.seen.v1"), {"message_id": str(_ID)}, "unknown_type"),
    "an unknown major version": (document(_NOTE, type="crm.note.made.v2"), {"message_id": str(_ID)}, "unknown_major"),
    "no tenant": (document(_NOTE, tenant=None), {"message_id": str(_ID)}, "bad_envelope"),
    "wrong words": (document(_NOTE, data={"text": ["anna@firma.dk"]}), {"message_id": str(_ID)}, "bad_data:text"),
    "a version nobody can read": (document(_NOTE, version="new"), {"message_id": str(_ID)}, "bad_envelope"),
    "more than a MiB": (b" " * 1_048_577, {"message_id": str(_ID)}, "too_large"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_stays_in_dead_and_its_neighbours_flow(
    name: str,
    engine: sa.Engine,
    broker: Broker,
    post: Post,
    depth: Depths,
    effects: Effects,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    body, properties, reason = BAD[name]
    before, after = note("before", subject="note/before"), note("after", subject="note/after")
    post.send(INBOUND, before)
    post.raw(INBOUND, body, **properties)
    post.send(INBOUND, after)
    with (
        closing(consumer(engine, broker, effects)) as duty,
        structlog.testing.capture_logs() as logs,
        caplog.at_level(logging.DEBUG),
    ):
        drive(duty, lambda: len(watermarks(engine)) == 2 and refusals(engine))
        eventually(lambda: depth(f"{INBOUND}.dead") == 1)
    assert effects.seen == ["before", "after"]
    assert [why for _, why in refusals(engine)] == [reason]
    assert depth(INBOUND) == 0
    assert taken(engine) == 2
    said = json.dumps(logs, default=str) + capsys.readouterr().err + caplog.text
    assert "anna@firma.dk" not in said


def test_the_first_body_of_an_id_wins_and_the_second_is_refused(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    first, second = note("first", message_id=_ID), note("second", message_id=_ID)
    post.send(INBOUND, first)
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: taken(engine) == 1)
        post.send(INBOUND, second)
        drive(duty, lambda: refusals(engine))
        eventually(lambda: depth(f"{INBOUND}.dead") == 1)
    assert effects.seen == ["first"]
    assert refusals(engine) == [(str(_ID), "id_reuse")]


def test_the_first_body_of_an_id_wins_within_one_batch_too(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    with closing(consumer(engine, broker, effects)) as duty:
        post.send(INBOUND, note("wide"))
        drive(duty, lambda: taken(engine) == 1)
        post.send(INBOUND, note("first", message_id=_ID), note("second", message_id=_ID), note("third"))
        drive(duty, lambda: taken(engine) == 3)
        eventually(lambda: depth(f"{INBOUND}.dead") == 1)
    assert effects.seen == ["wide", "first", "third"]
    assert refusals(engine) == [(str(_ID), "id_reuse")]


def test_a_hundred_duplicates_have_one_effect(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    again = note("once", number=1)
    last = note("last", subject="note/last", number=1)
    post.send(INBOUND, *[again] * 100, last)
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: "note/last" in watermarks(engine))
    assert effects.seen == ["once", "last"]
    assert (depth(INBOUND), depth(f"{INBOUND}.dead")) == (0, 0)


def test_older_and_equal_versions_are_taken_and_have_no_effect_and_a_gap_is_applied(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    post.send(INBOUND, *[note(str(number), number=number) for number in (5, 3, 5, 999_999_999)])
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: taken(engine) == 4)
        drive(duty, lambda: depth(INBOUND) == 0)
    assert watermarks(engine) == {"note/1": 999_999_999}
    assert refusals(engine) == []
    assert depth(f"{INBOUND}.dead") == 0


def test_a_name_that_is_no_text_ends_in_dead_by_the_delivery_limit_and_its_neighbours_flow(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "pause", lambda _: 0.01)
    with closing(pika.BlockingConnection(pika.URLParameters(broker.url("operator")))) as stranger:
        properties = pika.BasicProperties(message_id=b"\xff\xfe", delivery_mode=2)
        stranger.channel().basic_publish("replay", INBOUND, b"{}", properties)
    post.send(INBOUND, note("after"))
    with closing(consumer(engine, broker, effects)) as duty:
        drive(duty, lambda: watermarks(engine), within=60)
    assert effects.seen == ["after"]
    eventually(lambda: depth(f"{INBOUND}.dead") == 1)
