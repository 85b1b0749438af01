"""What is published stays readable: golden messages, an independent reader, schemas and AsyncAPI made from the code."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from crm_outbox.messaging.envelope import Envelope, Lane, MessageType, Registry, Words, decode, encode
from deploy import contracts
from deploy.contracts import TYPES
from tests.contract.samples import GOLDEN, SAMPLES, envelope

REGISTRY = Registry(TYPES)
MESSAGES = [envelope(data, place) for place, data in enumerate(SAMPLES, 1)]
FILES = sorted(GOLDEN.glob("*.json"))


def named(value: Any) -> str:
    return value.type if isinstance(value, Envelope) else value.name


def kept(part: Any, whole: Any) -> bool:
    """Whether everything of a golden message is still there; what was added since does not matter."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and kept(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(kept, part, whole))
    return bool(part == whole)


def test_every_released_type_has_a_sample_and_a_golden_message() -> None:
    released = sorted(kind.name for kind in TYPES)
    assert sorted(message.type for message in MESSAGES) == released
    assert sorted({path.stem.partition("@")[0] for path in FILES}) == released, "run python -m tests.contract.samples"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_message_is_still_understood_with_nothing_lost(path: Path) -> None:
    body = path.read_bytes()
    document = json.loads(body)
    taken = decode(body, document["id"], REGISTRY)
    assert kept(document, json.loads(encode(taken)))


@pytest.mark.parametrize("message", MESSAGES, ids=named)
def test_the_samples_leave_no_field_of_a_type_out(message: Envelope) -> None:
    def empty(words: Words, where: str) -> list[str]:
        found: list[str] = []
        for name in type(words).model_fields:
            value = getattr(words, name)
            inner = value if isinstance(value, tuple) else (value,)
            if value is None or value == ():
                found.append(f"{where}.{name}")
            for part in inner:
                if isinstance(part, Words):
                    found += empty(part, f"{where}.{name}")
        return found

    allowed = {"merged_into", "unsendable", "origin"}
    assert [name for name in empty(message.data, "data") if name.rpartition(".")[2] not in allowed] == []


@pytest.mark.parametrize("message", MESSAGES, ids=named)
def test_an_independent_reader_of_cloudevents_takes_our_messages(message: Envelope) -> None:
    event = JSONFormat().read(CloudEvent, encode(message))
    assert (event.get_id(), event.get_type(), event.get_source()) == (str(message.id), message.type, message.source)
    assert (event.get_subject(), event.get_time(), event.get_specversion()) == (message.subject, message.time, "1.0")
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("tenant") == message.tenant
    assert event.get_extension("version") == str(message.version)
    assert event.get_extension("customernumber") == "1042"
    data = event.get_data()
    assert isinstance(data, dict)
    assert type(message.data).model_validate(data) == message.data


@pytest.mark.parametrize("message", MESSAGES, ids=named)
def test_a_message_fits_its_published_schema(message: Envelope) -> None:
    schema = json.loads((contracts.FOLDER / "schemas" / f"{message.type}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(json.loads(encode(message)))
    damages: list[dict[str, Any]] = [{"tenant": ...}, {"specversion": "0.3"}, {"version": "17"}, {"data": []}]
    for damaged in damages:
        document = {**json.loads(encode(message)), **damaged}
        document = {key: value for key, value in document.items() if value is not ...}
        assert not validator.is_valid(document)


def test_the_published_documents_are_current() -> None:
    assert contracts.stale() == [], "run python -m deploy.contracts"


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = contracts.asyncapi()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [part["$ref"]] if "$ref" in part else [one for value in part.values() for one in references(value)]
        return [one for value in part for one in references(value)] if isinstance(part, list) else []

    for reference in references(document):
        if reference.startswith("#/"):
            place = document
            for step in reference[2:].split("/"):
                place = place[step]
        else:
            assert (contracts.FOLDER / reference).exists()


@pytest.mark.parametrize("kind", TYPES, ids=named)
def test_a_type_that_must_route_has_a_queue_of_its_lane_in_the_topology(kind: MessageType) -> None:
    bound = contracts._bound()
    for lane in Lane:
        queues = bound.get((kind.exchange, kind.routing_key(lane)), [])
        suffix = {Lane.LIVE: ".inbound", Lane.BULK: ".bulk"}[lane]
        assert all(queue.endswith(suffix) for queue in queues)
        assert queues or not kind.must_route


def test_the_contracts_command_says_what_is_not_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    assert contracts.main(["check"]) == 1
    assert "asyncapi.json" in capsys.readouterr().out
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "old.thing.v1.json").write_text("{}")
    assert contracts.main([]) == 0
    assert contracts.main(["check"]) == 0
    assert contracts.main(["sideways"]) == 2
