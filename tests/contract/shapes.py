"""Does a value have a shape? The small language of ``tests/golden/economic``."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def breaches(value: Any, shape: Mapping[str, Any], named: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """Everything in ``value`` that the shape does not allow; ``named`` holds the shapes a ``ref`` means."""
    if "ref" in shape:
        yield from breaches(value, named[shape["ref"]], named, at)
        return
    kind = shape["type"]
    if kind != "any" and (
        not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind in {"integer", "number"})
    ):
        yield f"{at}: {value!r} is no {kind}"
        return
    if isinstance(value, str):
        yield from _text(value, shape, at)
    elif isinstance(value, int | float) and not shape.get("lowest", value) <= value <= shape.get("highest", value):
        yield f"{at}: {value} is out of range"
    elif isinstance(value, list) and "items" in shape:
        for index, one in enumerate(value):
            yield from breaches(one, shape["items"], named, f"{at}[{index}]")
    elif isinstance(value, dict):
        yield from _object(value, shape, named, at)


def _text(value: str, shape: Mapping[str, Any], at: str) -> Iterator[str]:
    if len(value) > shape.get("max", len(value)) or len(value) < shape.get("min", 0):
        yield f"{at}: {len(value)} characters"
    if "one of" in shape and value not in shape["one of"]:
        yield f"{at}: {value!r} is none of {shape['one of']}"
    if "pattern" in shape and not re.search(shape["pattern"], value):
        yield f"{at}: {value!r} does not match {shape['pattern']}"


def _object(value: dict[str, Any], shape: Mapping[str, Any], named: Mapping[str, Any], at: str) -> Iterator[str]:
    properties = shape.get("properties", {})
    for name in shape.get("required", []):
        if name not in value:
            yield f"{at}.{name} is missing"
    for name, one in value.items():
        if name in properties:
            yield from breaches(one, properties[name], named, f"{at}.{name}")
        elif shape.get("closed"):
            yield f"{at}.{name} is not published"
