"""Which shapes do e-conomic's published descriptions say? Read from the folder beside the project, where it exists.

``python -m tests.contract.published`` writes them anew to ``tests/golden/economic``.
"""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "economic-spec"
GOLDEN = ROOT / "tests" / "golden" / "economic"
OPEN = {"customersapi": "openapi-Customers.json", "webhooksapi": "openapi-webhooks-api.json"}
LEGACY = {
    "self": "self",
    "customers": "customers",
    "customer": "customers.customerNumber",
    "contacts": "customers.customerNumber.contacts",
    "customer-groups": "customer-groups",
    "payment-terms": "payment-terms",
    "vat-zones": "vat-zones",
    "currencies": "currencies",
}
_LEFT_OUT = {"DeliveryLocation", "DeliveryLocationCursorResults"}  # nothing here touches delivery locations


def read(name: str) -> Json:
    """One published file."""
    found: Json = json.loads((FOLDER / name).read_text("utf-8"))
    return found


def legacy_file(name: str) -> Json:
    """The published schema of one legacy answer."""
    return read(f"{LEGACY[name]}.get.schema.json")


def shapes() -> dict[str, Json]:
    """Every committed file as the descriptions say it now, by its name without ``.json``."""
    found = {service: _open(read(name)) for service, name in OPEN.items()}
    found["legacy"] = {
        "answers": {name: _shape(legacy_file(name)) for name in LEGACY},
        "recorded": _recorded(read("customers.collection.json")),
    }
    return found


def committed(name: str) -> Json:
    """One committed file."""
    found: Json = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return found


def _open(described: Json) -> Json:
    schemas = {
        name: _shape(schema) for name, schema in described["components"]["schemas"].items() if name not in _LEFT_OUT
    }
    answers: Json = {}
    for path, verbs in described["paths"].items():
        for verb, operation in verbs.items():
            if "DeliveryLocations" in path:
                continue
            answers[f"{verb.upper()} {path}"] = _answers(operation["responses"])
    return {"schemas": schemas, "answers": answers}


def _answers(responses: Json) -> Json:
    """``problems``: the statuses that carry a ``ProblemDetails``; every other status with its shape, none = no body."""
    found: Json = {"problems": []}
    for status, response in responses.items():
        shape = next((_shape(content["schema"]) for content in response.get("content", {}).values()), None)
        if shape == {"ref": "ProblemDetails"}:
            found["problems"].append(int(status))
        else:
            found[status] = shape
    return found


def _shape(schema: Json) -> Any:
    """A schema as we write it: ``ref``, ``type``, ``max``, ``properties``, ``required``, ``filter``, ``sort`` ..."""
    if "$ref" in schema:
        return {"ref": schema["$ref"].rsplit("/", 1)[1]}
    found: Json = {"type": schema.get("type", "string" if "enum" in schema else "any")}
    names = {"maxLength": "max", "minLength": "min", "maximum": "highest", "minimum": "lowest", "pattern": "pattern"}
    found |= {ours: schema[theirs] for theirs, ours in names.items() if schema.get(theirs)}
    if "enum" in schema:
        found["one of"] = schema["enum"]
    if "items" in schema:
        found["items"] = _shape(schema["items"])
    if properties := schema.get("properties"):
        found["properties"] = {name: _shape(one) for name, one in properties.items()}
        required = schema["required"] if isinstance(schema.get("required"), list) else []
        required = [*required, *(name for name, one in properties.items() if one.get("required") is True)]
        if required:
            found["required"] = sorted(set(required))
    if schema.get("additionalProperties") is False:
        found["closed"] = True
    if schema.get("readOnly"):
        found["read only"] = True
    if (asked := schema.get("x-filterable", "not filterable")) != "not filterable":
        found["filter"] = sorted(asked.split(", "))
    if schema.get("x-sortable"):
        found["sort"] = True
    return found


def _recorded(answer: Json) -> Json:
    return {
        "envelope": sorted(answer),
        "pagination": sorted(answer["pagination"]),
        "customer": sorted({name for customer in answer["collection"] for name in customer}),
    }


def written(value: Any, indent: int = 0) -> str:
    """JSON with one property a line: what fits on a line stays on it."""
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if not isinstance(value, dict) or indent + len(flat) <= 110:
        return flat
    inner = " " * (indent + 1)
    lines = [f"{inner}{json.dumps(name)}: {written(value[name], indent + 1)}" for name in sorted(value)]
    return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for title, content in shapes().items():
        (GOLDEN / f"{title}.json").write_text(written(content) + "\n", "utf-8")
