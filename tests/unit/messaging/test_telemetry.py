"""What a process tells of itself holds no secret and nobody's data."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging import telemetry
from crm_outbox.messaging.envelope import Version

CANARY = "canary0123456789secret"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The JSON lines that a configured process writes; what was configured before is put back."""
    root = logging.getLogger()
    handlers, level, hidden = list(root.handlers), root.level, set(telemetry._hidden)
    stream = io.StringIO()
    telemetry.configure("relay", secrets=[CANARY], stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    telemetry._hidden.clear()
    telemetry._hidden.update(hidden)


def _logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "x0x0x0"},
        {"app_secret_token": "x0x0x0"},
        {"X_AgreementGrantToken": "x0x0x0"},
        {"Authorization": "x0x0x0"},
        {"grant": "x0x0x0"},
        {"body": "x0x0x0"},
        {"email": "x0x0x0"},
        {"fields": {"name": "x0x0x0"}},
        {"headers": {"authorization": "x0x0x0", "cookie": "x0x0x0"}},
        {"data": ["x0x0x0"]},
        {"says": "contact x0x0x0@firma.dk today"},
        {"url": "amqp://relay:x0x0x0@host/sync"},
        {"url": "postgresql+psycopg://u:x0x0x0@h:5432/d"},
        {"says": "Authorization: Bearer x0x0x0"},
        {"says": "X-AgreementGrantToken: x0x0x0"},
        {"says": "host=h user=u password=x0x0x0 dbname=d"},
        {"url": "https://us.example/hooks/economic/x0x0x0x0x0x0x0?new=1"},
        {"path": "/hook/x0x0x0x0x0x0x0"},
        {"url": "https://us.example/connect?token=x0x0x0&agreement=1"},
        {"says": "cpr 010203-4567 x"},
        {"says": "duplicate key\nDETAIL:  Key (email)=(x0x0x0) already exists."},
        {"nested": [{"token": "x0x0x0"}]},
        {"value": b"x0x0x0"},
    ],
    ids=str,
)
def test_it_is_masked(fields: dict[str, Any], lines: io.StringIO) -> None:
    structlog.get_logger("test").info("something.happened", **fields)
    [line] = _logged(lines)
    assert "x0x0x0" not in json.dumps(line)
    assert "010203-4567" not in json.dumps(line)
    assert line["event"] == "something.happened"


def test_what_an_operator_needs_is_there(lines: io.StringIO) -> None:
    one = UUID(int=7)
    structlog.get_logger("test").info("relay.sent", message=one, number=7, ok=True, ids=[one], rate=0.5, queue="a.b")
    [line] = _logged(lines)
    assert {key: line[key] for key in ("message", "number", "ok", "ids", "rate", "queue", "duty", "level", "logger")} == {
        "message": str(one), "number": 7, "ok": True, "ids": [str(one)], "rate": 0.5, "queue": "a.b",
        "duty": "relay", "level": "info", "logger": "test",
    }  # fmt: skip
    assert line["time"].endswith("Z")


def test_a_known_secret_is_masked_wherever_it_stands(lines: io.StringIO) -> None:
    structlog.get_logger("test").info(f"odd {CANARY}", note=f"<{CANARY}>")
    logging.getLogger("some.library").warning("failed with %s", CANARY)
    assert CANARY not in lines.getvalue()


def test_an_exception_is_told_by_class_place_and_masked_words(lines: io.StringIO) -> None:
    personal = "anna@firma.dk"
    try:
        raise ValueError(f"no customer {personal} with {CANARY}")
    except ValueError:
        structlog.get_logger("test").exception("duty.failed")
        logging.getLogger("library").exception("also")
    for line in _logged(lines):
        assert line["error"] == "ValueError"
        assert "no customer" in line["says"]
        assert line["traceback"][-1].endswith("test_an_exception_is_told_by_class_place_and_masked_words")
    assert personal not in lines.getvalue()
    assert CANARY not in lines.getvalue()


def test_a_line_break_in_a_value_starts_no_second_line(lines: io.StringIO) -> None:
    structlog.get_logger("test").info("x", value='a\n{"event": "forged"}')
    assert len(lines.getvalue().splitlines()) == 1


def test_drivers_do_not_chatter(lines: io.StringIO) -> None:
    telemetry.configure("relay", level="DEBUG", stream=lines)
    for name in ("httpx", "httpcore.connection", "amqp.connection.Connection.heartbeat_tick", "pika.channel", "kombu"):
        logging.getLogger(name).info("request with everything")
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get(f"https://restapi.e-conomic.com/?key={CANARY}")
    assert lines.getvalue() == ""


def test_an_object_is_told_by_its_class_only(lines: io.StringIO) -> None:
    structlog.get_logger("test").info("x", thing=object(), error=ValueError("b@firma.dk"), version=Version(1, 2))
    [line] = _logged(lines)
    assert line["thing"] == "<object>"
    assert "firma" not in line["error"]
    assert line["version"] == [1, 2]


@given(
    st.dictionaries(st.text(max_size=10), st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=8))
)
def test_nothing_makes_masking_fail(fields: dict[str, Any]) -> None:
    masked = telemetry.mask(None, "info", dict(fields))
    assert masked.keys() == fields.keys()
    json.dumps(masked)
