"""What may another service rely on? JSON Schemas and an AsyncAPI document, made from the code into ``docs/bus``.

``python -m deploy.contracts`` writes them, ``python -m deploy.contracts check`` only looks (1 when they are not current).
"""

import json
import sys
from pathlib import Path
from typing import Any

from crm_outbox.contract import TYPES as CRM
from crm_outbox.messaging.envelope import CONTENT_TYPE, MAX_BYTES, Lane, MessageType
from crm_outbox.messaging.management import DEFINITIONS
from economic_adapter.contract import TYPES as ECONOMIC
from reconciler.contract import TYPES as SYNC

FOLDER = Path(__file__).parents[1] / "docs" / "bus"
TYPES: tuple[MessageType, ...] = (*CRM, *ECONOMIC, *SYNC)
_SENDERS = {
    "crm.events": "crm_outbox",
    "crm.commands": "reconciler",
    "economic.events": "economic_adapter",
    "economic.commands": "reconciler",
    "sync.events": "reconciler",
}
_ATTRIBUTES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "id": ("UUIDv7 made when the change was committed; the key under which a consumer takes a message once",
           {"type": "string", "format": "uuid"}, True),
    "source": ("the package that says it", {"type": "string", "minLength": 1}, True),
    "subject": ("the aggregate the version counts for", {"type": "string", "minLength": 1}, True),
    "time": ("when it was said", {"type": "string", "format": "date-time"}, True),
    "tenant": ("whose it is", {"type": "string", "minLength": 1}, True),
    "version": ("epoch.number; a state with an older or equal one is ignored",
                {"type": "string", "pattern": "^[0-9]{1,9}\\.[0-9]{1,18}$"}, False),
    "causationid": ("the message this one follows from", {"type": "string", "format": "uuid"}, False),
    "correlationid": ("one id from a change's commit to its last effect", {"type": "string", "minLength": 1}, False),
    "traceparent": ("W3C trace context", {"type": "string", "minLength": 1}, False),
    "customerid": ("the customer's id in the CRM", {"type": "string", "minLength": 1}, False),
    "agreement": ("the agreement number", {"type": "string", "pattern": "^-?[0-9]+$"}, False),
    "customernumber": ("the customer number in e-conomic", {"type": "string", "pattern": "^-?[0-9]+$"}, False),
}  # fmt: skip


def schema(kind: MessageType) -> dict[str, Any]:
    """The JSON Schema of one type's whole document. Unknown properties are allowed: a major may grow."""
    data = kind.data.model_json_schema()
    definitions = data.pop("$defs", {})
    properties = {name: {**rule, "description": text} for name, (text, rule, _) in _ATTRIBUTES.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name,
        "description": data.pop("description", ""),
        "type": "object",
        "required": ["specversion", "type", *(name for name, (_, _, needed) in _ATTRIBUTES.items() if needed), "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"const": kind.name},
            "datacontenttype": {"const": "application/json"},
            **properties,
            "data": data,
        },
        **({"$defs": definitions} if definitions else {}),
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document: every type, who sends it, which of our queues take it, who may read it."""
    bound = _bound()
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for kind in TYPES:
        messages[kind.name] = {
            "name": kind.name,
            "title": kind.name,
            "summary": (kind.data.__doc__ or "").strip().split("\n")[0],
            "contentType": CONTENT_TYPE,
            "payload": {"$ref": f"schemas/{kind.name}.json"},
            "x-audience": kind.audience,
            "x-must-route": kind.must_route,
        }
        for lane in Lane:
            key = kind.routing_key(lane)
            channels[key] = {
                "address": key,
                "messages": {kind.name: {"$ref": f"#/components/messages/{kind.name}"}},
                "bindings": {
                    "amqp": {
                        "is": "routingKey",
                        "exchange": {"name": kind.exchange, "type": "topic", "durable": True, "vhost": "sync"},
                    }
                },
            }
            operations[f"send {key}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{key}"},
                "x-by": _SENDERS[kind.exchange],
                "bindings": {"amqp": {"deliveryMode": 2, "mandatory": kind.must_route}},
            }
            for queue in bound.get((kind.exchange, key), []):
                operations[f"receive {key} in {queue}"] = {
                    "action": "receive",
                    "channel": {"$ref": f"#/channels/{key}"},
                    "x-queue": queue,
                    "bindings": {"amqp": {"ack": True}},
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The bus between the CRM, the e-conomic adapter and the reconciler",
            "version": "1.0.0",
            "description": f"CloudEvents 1.0 in structured mode, at most {MAX_BYTES} bytes. Each message carries state, "
            "never a delta, and may come twice or out of order: take an id once and ignore older versions. "
            "The last word of a routing key is the lane: live, or bulk for backfills, imports, sweeps and replays. "
            "Types with x-audience public are for any service; internal ones may change with any release.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def documents() -> dict[Path, str]:
    """Every file and what belongs in it."""
    made = {FOLDER / "schemas" / f"{kind.name}.json": schema(kind) for kind in TYPES}
    made[FOLDER / "asyncapi.json"] = asyncapi()
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in made.items()}


def stale() -> list[Path]:
    """The files that are missing, differ from the code, or belong to no type."""
    wanted = documents()
    there = {*FOLDER.glob("schemas/*.json"), *FOLDER.glob("asyncapi.json")}
    differing = [path for path, text in wanted.items() if path not in there or path.read_text("utf-8") != text]
    return sorted([*differing, *(there - wanted.keys())])


def _bound() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for binding in json.loads(DEFINITIONS.read_text("utf-8"))["bindings"]:
        found.setdefault((binding["source"], binding["routing_key"]), []).append(binding["destination"])
    return found


def main(arguments: list[str]) -> int:
    """Write the files, or say which are not current."""
    if arguments not in ([], ["check"]):
        print("usage: python -m deploy.contracts [check]", file=sys.stderr)
        return 2
    if arguments:
        for path in (late := stale()):
            print(f"not current: {path.relative_to(FOLDER)}")
        return 1 if late else 0
    wanted = documents()
    for path in stale():
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"{len(wanted)} files in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
