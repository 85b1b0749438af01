"""What may a test or the demo ask of the sandbox itself? Faults, switches, counts, the whole state, people's edits.

Below ``/_sandbox``, in JSON, without tokens:

- ``GET|POST|DELETE /faults`` (``DELETE /faults/{id}``): ``faults.Fault`` describes one; a list is many.
- ``POST|DELETE /away``: ``{"seconds": 30, "status": 0}``; 0 closes connections, 503 answers.
- ``GET|POST /settings``: ``settings.Settings``. ``POST /clock``: ``{"advance": 3600}``. ``POST /reset``.
- ``GET|DELETE /calls``: how many by method and route, and the latest 50 (``?recent=``). ``GET /hooks``: webhooks sent and waiting.
- ``GET /snapshot?agreement=123456``: the whole state.
- ``POST /seed?agreement=123456``: ``{"customers": 5000, "contacts": 6000}``, see ``seeding.seed``; fires no webhook.
- ``POST /agreements``: ``{"number", "name", "grant"}``. ``POST /grants/{token}``: ``{"revoked": true}``, ``role`` ...
- ``POST /ui/...?agreement=123456``: what a person does in e-conomic; see ``_person``.
"""

from collections.abc import Callable
from typing import Any

from economic_adapter.sandbox import contacts, customers, seeding, ui, webhooks, wire
from economic_adapter.sandbox.data import AGREEMENT, Data, Grant
from economic_adapter.sandbox.faults import BadFault
from economic_adapter.sandbox.fields import Json, stamp
from economic_adapter.sandbox.settings import BadSetting
from economic_adapter.sandbox.wire import Answer, Request


def serve(data: Data, request: Request) -> Answer:
    """One call below ``/_sandbox``; 400 with the reason for what cannot be done, 404 for what is not there."""
    try:
        body = request.json() if request.body else {}
        given = _route(data, request, body)
    except (BadFault, BadSetting, ui.NotTaken) as refused:
        return wire.answer(400, {"error": str(refused)})
    except KeyError as missing:
        return wire.answer(404, {"error": f"not there: {missing}"})
    except (ValueError, TypeError, AttributeError) as wrong:
        return wire.answer(400, {"error": f"{type(wrong).__name__}: {wrong}"})
    return wire.answer(404, {"error": "no such address"}) if given is None else wire.answer(200, given)


def _route(data: Data, request: Request, body: Any) -> Any:
    method, parts = request.method, request.segments[1:]
    match method, parts:
        case "GET", []:
            return {"agreements": sorted(data.agreements)}
        case "GET", ["faults"]:
            return data.faults.shown()
        case "POST", ["faults"]:
            asked = body if isinstance(body, list) else [body]
            made = [data.faults.add_described(one) for one in asked]
            return {"ids": [fault.id for fault in made if fault is not None]}
        case "DELETE", ["faults"]:
            return _done(data.faults.clear)
        case "DELETE", ["faults", number]:
            return _done(lambda: data.faults.clear(int(number)))
        case "POST", ["away"]:
            return _done(lambda: data.faults.take_away(float(body.get("seconds", 30)), int(body.get("status", 0))))
        case "DELETE", ["away"]:
            return _done(data.faults.bring_back)
        case "GET", ["calls"]:
            with data.lock:
                latest = list(data.recent)[-int(request.query.get("recent", "50")) :]
                return {"total": data.calls.total(), "routes": dict(data.calls), "recent": latest}
        case "DELETE", ["calls"]:
            return _done(data.forget_calls)
        case "GET", ["snapshot"]:
            only = request.query.get("agreement")
            return snapshot(data, int(only) if only else None)
        case "POST", ["reset"]:
            return _done(data.reset)
        case "GET", ["settings"]:
            return data.settings.shown()
        case "POST", ["settings"]:
            data.settings.change(body)
            return data.settings.shown()
        case "GET", ["hooks"]:
            return {"waiting": data.outgoing.waiting(), "log": list(data.outgoing.log)}
        case "POST", ["clock"]:
            return _done(lambda: data.advance(float(body["advance"])))
        case "POST", ["seed"]:
            return seeding.seed(data, agreement=int(request.query.get("agreement", AGREEMENT)), **body)
        case "POST", ["agreements"]:
            made_agreement = data.add_agreement(int(body["number"]), str(body["name"]), str(body["grant"]))
            return {"number": made_agreement.number}
        case "POST", ["grants", _]:
            return _grant(data, request.path.rstrip("/").rsplit("/", 1)[1], body)
        case _, ["ui", *rest]:
            return _person(data, method, rest, body, int(request.query.get("agreement", AGREEMENT)))
        case _:
            return None


def _done(act: Callable[[], Any]) -> Json:
    act()
    return {"done": True}


def _grant(data: Data, token: str, body: Json) -> Json:
    """Changes what a grant may do: ``revoked``, ``role``, ``missing_modules``, ``read_only``."""
    with data.lock:
        grant: Grant = data.grants[token]
        for name, value in body.items():
            if name not in {"revoked", "role", "missing_modules", "read_only"}:
                raise BadSetting(f"no such setting: {name}")
            setattr(grant, name, value)
        return {"agreement": grant.agreement, "revoked": grant.revoked, "role": grant.role}


def _person(data: Data, method: str, parts: list[str], body: Json, agreement: int) -> Any:
    """What a person does: ``customers``, ``customers/{n}`` (+ ``renumber``, ``bar``, ``delete``, ``in-use``,
    ``contacts``), ``contacts/{n}`` (+ ``delete``, ``in-use``), ``webhook``."""
    at = agreement
    match method, parts:
        case "POST", ["customers"]:
            values = {name: value for name, value in body.items() if name != "customerNumber"}
            return customers.show(ui.create_customer(data, values, body.get("customerNumber"), agreement=at))
        case "POST", ["customers", number]:
            return customers.show(ui.edit_customer(data, int(number), body, agreement=at))
        case "POST", ["customers", number, "renumber"]:
            return customers.show(ui.renumber_customer(data, int(number), int(body["number"]), agreement=at))
        case "POST", ["customers", number, "bar"]:
            barred = bool(body.get("barred", True))
            return customers.show(ui.bar_customer(data, int(number), barred=barred, agreement=at))
        case ("POST", ["customers", number, "delete"]) | ("DELETE", ["customers", number]):
            return _done(lambda: ui.delete_customer(data, int(number), agreement=at))
        case "POST", ["customers", number, "contacts"]:
            return contacts.show(ui.create_contact(data, int(number), body, agreement=at))
        case "POST", ["contacts", number]:
            return contacts.show(ui.edit_contact(data, int(number), body, agreement=at))
        case ("POST", ["contacts", number, "delete"]) | ("DELETE", ["contacts", number]):
            return _done(lambda: ui.delete_contact(data, int(number), agreement=at))
        case "POST", [("customers" | "contacts") as kind, number, "in-use"]:
            return _done(lambda: _use(data, kind, int(number), agreement, used=bool(body.get("in_use", True))))
        case "POST", ["webhook"]:
            how = {"method": str(body.get("method", "POST")), "body": str(body.get("body", ""))}
            return _done(lambda: ui.make_webhook(data, str(body["url"]), agreement=at, **how))
        case _:
            return None


def _use(data: Data, kind: str, number: int, agreement: int, *, used: bool) -> None:
    with data.lock:
        place = data.agreement(agreement)
        record = place.customers[number] if kind == "customers" else place.contacts[number]
        record.in_use = used


def snapshot(data: Data, only: int | None = None) -> Json:
    """Everything held, by agreement: customers and contacts as the Customers API shows them, with ``lastUpdated``."""
    with data.lock:
        chosen = [data.agreement(only)] if only is not None else list(data.agreements.values())
        return {
            str(agreement.number): {
                "name": agreement.name,
                "customers": [
                    {**customers.show(agreement.customers[number])}
                    | {"lastUpdated": stamp(agreement.customers[number].updated)}
                    for number in sorted(agreement.customers)
                ],
                "contacts": [contacts.show(agreement.contacts[number]) for number in sorted(agreement.contacts)],
                "webhooks": [
                    webhooks.show(agreement.webhooks[event]) | {"byHand": agreement.webhooks[event].app is None}
                    for event in sorted(agreement.webhooks)
                ],
                "grants": [
                    {"revoked": grant.revoked, "role": grant.role}
                    for grant in data.grants.values()
                    if grant.agreement == agreement.number
                ],
            }
            for agreement in chosen
        }
