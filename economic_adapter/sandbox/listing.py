"""How does an OpenAPI service list, page and count? One way for customers, contact persons and webhooks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from economic_adapter.sandbox import filters, wire
from economic_adapter.sandbox.fields import Flaw, Json, Property, flaws, spelled
from economic_adapter.sandbox.gate import Call
from economic_adapter.sandbox.wire import Answer, Refused, Request

R = TypeVar("R")
REACH = 10_000  # classic paging shows no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[R]):
    """How one kind of record is listed: ``key`` orders and is the cursor, ``get`` reads a property, ``show`` renders."""

    properties: Mapping[str, Property]
    key: Callable[[R], Any]
    get: Callable[[R, str], Any]
    show: Callable[[Call, R], Json]

    def serve(self, call: Call, records: Sequence[R]) -> Answer:
        """``GET`` on the collection, its ``paged`` or its ``count``; the records come in the order of ``key``."""
        tail = call.parts[1:]
        found = self.chosen(call.request, records)
        if tail == ["count"]:
            return wire.answer(200, len(found))
        if tail == ["paged"]:
            return self.paged(call, found)
        return self.cursor(call, found)

    def chosen(self, request: Request, records: Sequence[R]) -> Sequence[R]:
        """The records a filter leaves."""
        text = request.query.get("filter", "").strip()
        if not text:
            return records
        try:
            test = filters.predicate(filters.read(text), self.properties, self.get)
        except filters.BadFilter as bad:
            raise Refused(400, "BadFilterRequest", bad.message, [Flaw("BadFilterRequest", bad.property)]) from None
        return [record for record in records if test(record)]

    def cursor(self, call: Call, found: Sequence[R]) -> Answer:
        """The next up to 1000; ``cursor`` names the first of the set after, and is absent at the end."""
        cursor = call.request.query.get("cursor", "")
        if len(cursor) > 50:
            raise wire.invalid(Flaw("StringTooLong", "cursor", "The cursor has at most 50 letters."))
        if cursor:
            start: Any = int(cursor) if cursor.isdigit() else cursor
            if found and type(start) is not type(self.key(found[0])):
                raise wire.invalid(Flaw("InvalidValue", "cursor", "Invalid value provided."))
            found = [record for record in found if self.key(record) >= start]
        size = call.data.settings.cursor_page
        page: Json = {"items": [self.show(call, record) for record in found[:size]]}
        if len(found) > size:
            page["cursor"] = str(self.key(found[size]))
        return wire.answer(200, page)

    def paged(self, call: Call, found: Sequence[R]) -> Answer:
        """A bare array of up to 100 of the first 10,000, sorted as asked."""
        size = _within(call.request, "pagesize", 20, 1, 100)
        skip = _within(call.request, "skippages", 0, 0, 100)
        try:
            rows = filters.ordered(found, call.request.query.get("sort", ""), self.properties, self.get)
        except filters.BadFilter as bad:
            raise Refused(400, "BadSortRequest", bad.message, [Flaw("BadSortRequest", bad.property)]) from None
        return wire.answer(200, [self.show(call, row) for row in rows[:REACH][skip * size : (skip + 1) * size]])


def _within(request: Request, name: str, default: int, low: int, high: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
        raise wire.invalid(Flaw("InvalidValue", spelled(name), f"The value must be between {low} and {high}."))
    return int(text)


def body_of(request: Request, properties: Mapping[str, Property]) -> Json:
    """The body of a write in the shape of those properties; raises 415 when it is not JSON, 400 for its shape."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "UnsupportedMediaType", "Only application/json is understood.")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise wire.invalid(Flaw("InvalidJson", "", "The body is no JSON.")) from None
    if not isinstance(body, dict):
        raise wire.invalid(Flaw("InvalidValue", "", "The body is no object."))
    if found := list(flaws(body, properties)):
        raise wire.invalid(*found)
    return body


def shown(call: Call, values: Json) -> Json:
    """Values as an answer carries them: false flags left out when so set."""
    if not call.data.settings.omit_false:
        return values
    return {name: value for name, value in values.items() if value is not False}


def number_in(part: str) -> int:
    """The number in a path; raises 404 for anything else."""
    if not part.isdecimal() or not part.isascii() or len(part) > 10:
        raise wire.not_found()
    return int(part)


def wrong_verb() -> Refused:
    """The answer for a verb an address does not know."""
    return Refused(405, "MethodNotAllowed", "The resource does not support this method.")
