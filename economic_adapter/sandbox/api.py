"""How is a call to e-conomic served? Counted, delayed, broken as asked, admitted, and handed to its service."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from economic_adapter.sandbox import changes, contacts, customers, gate, legacy, webhooks, wire
from economic_adapter.sandbox.data import Data
from economic_adapter.sandbox.faults import Fault
from economic_adapter.sandbox.gate import Call
from economic_adapter.sandbox.texts import worded
from economic_adapter.sandbox.wire import Answer, Refused, Request

SERVICES = {"customersapi": "v3.1.0", "webhooksapi": "v1.0.0"}
_OF_ANSWERS = frozenset({"half", "drip", "foreign_next", "repeat", "endless", "shrink"})
_HTML = b"<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"


def serve(data: Data, request: Request) -> Answer:
    """One call, with everything that may go wrong on the way."""
    faults = data.faults.take(request.method, request.path.lower())
    given = _gone(data) or _before(data, faults)
    if given is None:
        data.pause(data.settings.latency_ms / 2000)
        given = _work(data, _bent(data, faults, request))
        data.pause(data.settings.latency_ms / 2000)
        given = _gone(data) or _after(data, faults, given)
    given.headers.setdefault("X-RequestId", wire.trace())
    given.headers.setdefault("X-EconomicVersion", "2026.11.1")
    _count(data, request, given)
    return given


def _count(data: Data, request: Request, given: Answer) -> None:
    route = f"{request.method} {route_of(request)}"
    status = 0 if given.manner == "drop" else given.status
    with data.lock:
        data.calls[route] += 1
        grant = data.grants.get(request.headers.get("x-agreementgranttoken", ""))
        data.recent.append(
            {
                "at": data.clock(),
                "agreement": None if grant is None else grant.agreement,
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "status": status,
                "key": request.headers.get("idempotency-key", ""),
                "cached": "X-ResultFromCache" in given.headers,
            }
        )


def route_of(request: Request) -> str:
    """The path in lower case with its numbers replaced: what calls are counted by."""
    parts = ["{number}" if part.isdigit() else part for part in request.segments]
    if len(parts) == 4 and parts[2] == "webhooks" and parts[3] not in {"paged", "count"}:
        parts[3] = "{eventtype}"
    return "/" + "/".join(parts)


def _gone(data: Data) -> Answer | None:
    seconds, status = data.faults.away()
    if not seconds:
        return None
    return _html(status) if status else Answer(0, manner="drop")


def _html(status: int) -> Answer:
    return Answer(status, _HTML, {"Content-Type": "text/html; charset=utf-8"})


def _before(data: Data, faults: list[Fault]) -> Answer | None:
    """What happens before any work is done."""
    for fault in faults:
        if fault.when != "before" or fault.kind in _OF_ANSWERS:
            continue
        if (given := _broken(data, fault)) is not None:
            return given
    return None


def _after(data: Data, faults: list[Fault], given: Answer) -> Answer:
    """What happens to the answer once the work is done."""
    for fault in faults:
        match fault.kind:
            case "half":
                given.manner = "half"
            case "drip":
                given.manner, given.gap = "drip", fault.wait
            case "foreign_next":
                given = _elsewhere(given, fault.location)
            case "endless":
                given = _endless(given, fault.hits)
            case "repeat" | "shrink":
                pass
            case _ if fault.when == "after":
                given = _broken(data, fault) or given
            case _:
                pass
    return given


def _bent(data: Data, faults: list[Fault], request: Request) -> Request:
    """The request as it is served: a listing that repeats begins again, one that shrinks has lost its first customer."""
    for fault in faults:
        if fault.kind == "repeat":
            query = {name: value for name, value in request.query.items() if name not in {"cursor", "skippages"}}
            request = replace(request, query=query)
        elif fault.kind == "shrink":
            with data.lock:
                grant = data.grants.get(request.headers.get("x-agreementgranttoken", ""))
                place = None if grant is None else data.agreements[grant.agreement]
                if place is not None and place.customers:
                    changes.delete_customer(data, place, place.customers[min(place.customers)])
    return request


def _broken(data: Data, fault: Fault) -> Answer | None:
    match fault.kind:
        case "slow":
            data.pause(fault.wait)
            return None
        case "hang":
            data.pause(fault.wait)
            return Answer(0, manner="drop")
        case "drop":
            return Answer(0, manner="drop")
        case "html":
            return _html(fault.status or 200)
        case "redirect":
            return Answer(fault.status or 302, headers={"Location": fault.location})
        case "throttle":
            refused = Refused(429, "TooManyRequests", "You are over your quota.")
            refused.headers = gate.limits(data, 1, data.settings.bucket_limit)
            if fault.retry_after is not None:
                refused.headers["Retry-After"] = f"{fault.retry_after:g}"
            return wire.problem(refused)
        case _:
            return wire.problem(Refused(fault.status or 500, "InternalServerError", "Something went wrong."))


def _endless(given: Answer, times: int) -> Answer:
    """The same page with the numbers of other records, and a next one."""
    try:
        body: dict[str, Any] = json.loads(given.body)
        if "items" in body:
            for one in body["items"]:
                key = "number" if "number" in one else "customerNumber"
                one[key] += times * 1_000_000
            body["cursor"] = str(times)
        else:
            body["pagination"]["nextPage"] = body["pagination"]["firstPage"]
    except (ValueError, KeyError, TypeError):
        return given
    return wire.answer(given.status, body, given.headers)


def _elsewhere(given: Answer, location: str) -> Answer:
    """The same page, what follows it on another host."""
    try:
        body = json.loads(given.body)
        if "items" in body:
            return wire.answer(given.status, body | {"cursor": location}, given.headers)
        following = urlsplit(body["pagination"].get("nextPage") or body["pagination"]["firstPage"])
    except (ValueError, KeyError, TypeError):
        return given
    body["pagination"]["nextPage"] = f"{location.rstrip('/')}{following.path}?{following.query}"
    return wire.answer(given.status, body, given.headers)


def _work(data: Data, request: Request) -> Answer:
    service, parts = _service(request)
    with data.lock:
        headers = gate.limits(data, gate.cost(data, request), 0)
        grant = None
        try:
            grant = gate.grant_of(data, request)
            headers = gate.charge(data, grant, request)
            gate.admit(grant, request, service)
            given = gate.kept(data, grant, request)
            if given is None:
                agreement = data.agreements[grant.agreement]
                given = _route(service, Call(data=data, agreement=agreement, grant=grant, request=request, parts=parts))
                gate.keep(data, grant, request, given)
        except legacy.LegacyRefused as refused:
            given = refused.answer
        except Refused as refused:
            given = _refusal(data, service, refused)
            if grant is not None and refused.status in {400, 404, 409}:
                gate.keep(data, grant, request, given)
        given.headers = {**headers, **given.headers}
    return given


def _refusal(data: Data, service: str, refused: Refused) -> Answer:
    if service == "legacy":
        return legacy.refusal(refused)
    language = data.settings.language
    refused.flaws = [
        flaw if flaw.message else flaw._replace(message=worded(flaw.code, language)) for flaw in refused.flaws
    ]
    return wire.problem(refused)


def _service(request: Request) -> tuple[str, list[str]]:
    """Which service is meant, and the path below it."""
    segments = request.segments
    if len(segments) >= 3 and SERVICES.get(segments[0]) == segments[1]:
        return segments[0], segments[2:]
    return ("legacy", segments) if not segments or not re.fullmatch(r".+api", segments[0]) else (segments[0], [])


def _route(service: str, call: Call) -> Answer:
    match service, call.parts[:1]:
        case "customersapi", ["customers"]:
            return customers.serve(call)
        case "customersapi", ["contacts"]:
            return contacts.serve(call)
        case "customersapi", ["setup"]:
            return customers.setup(call)
        case "webhooksapi", ["webhooks"]:
            return webhooks.serve(call)
        case "webhooksapi", ["eventtypes"]:
            return webhooks.event_types(call)
        case "legacy", _:
            return legacy.serve(call)
        case _:
            raise wire.not_found()
