"""What do ``/webhooks`` and ``/EventTypes`` of the Webhooks API answer?"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from economic_adapter.sandbox import wire
from economic_adapter.sandbox.data import Data, Webhook
from economic_adapter.sandbox.fields import WEBHOOK, Flaw, Json, kept, spelled, stamp
from economic_adapter.sandbox.gate import Call
from economic_adapter.sandbox.listing import Listing, body_of, shown, wrong_verb
from economic_adapter.sandbox.wire import Answer, Refused

_NUMBERS = [
    {"fieldName": "OLDNUMBER", "description": "The number before the change."},
    {"fieldName": "NEWNUMBER", "description": "The number after the change."},
]
EVENT_TYPES: list[Json] = [
    {"name": "CUSTOMER_UPDATED", "description": "A customer was created, changed or deleted.", "mergeFields": _NUMBERS},
    {
        "name": "INVOICE_BOOKED",
        "description": "An invoice was booked.",
        "mergeFields": [{"fieldName": "INVOICENO", "description": "The number of the invoice."}],
    },
    {
        "name": "JOURNAL_BOOKED",
        "description": "A journal was booked.",
        "mergeFields": [{"fieldName": "DAYBOOKNO", "description": "The number of the journal."}],
    },
]
_NAMES = {kind["name"] for kind in EVENT_TYPES}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def event_types(call: Call) -> Answer:
    """``GET /EventTypes``: a bare array."""
    if call.parts[1:]:
        raise wire.not_found()
    if call.request.method != "GET":
        raise wrong_verb()
    return wire.answer(200, EVENT_TYPES)


def serve(call: Call) -> Answer:
    """One call below ``/webhooks``. An app sees only its own, but there is one per event type and agreement."""
    method, tail = call.request.method, call.parts[1:]
    match tail:
        case [] | ["paged"] | ["count"] if method == "GET":
            return LISTING.serve(call, _mine(call))
        case [] if method == "POST":
            return create(call)
        case [] if method == "PUT":
            return replace(call)
        case [] | ["paged"] | ["count"]:
            raise wrong_verb()
        case [event]:
            webhook = _found(call, event.upper())
            match method:
                case "GET":
                    return wire.answer(200, _show(call, webhook))
                case "DELETE":
                    del call.agreement.webhooks[webhook.event]
                    return Answer(call.data.settings.delete_status)
                case _:
                    raise wrong_verb()
        case _:
            raise wire.not_found()


def create(call: Call) -> Answer:
    """``POST``: the answer is the key alone."""
    body = body_of(call.request, WEBHOOK)
    values = _checked(call.data, body)
    event = values.pop("eventType")
    if event in call.agreement.webhooks:
        raise wire.invalid(Flaw("WebhookAlreadyExistsForEventType", "EventType"))
    call.agreement.webhooks[event] = Webhook(
        event=event, app=call.grant.app, values=values, version=call.data.version(), updated=call.data.now()
    )
    location = f"{call.request.base}/webhooksapi/v1.0.0/webhooks/{event}"
    return wire.answer(201, {"eventType": event}, {"Location": location})


def replace(call: Call) -> Answer:
    """``PUT`` at the collection: everything anew, on the version the caller read."""
    body = body_of(call.request, WEBHOOK)
    webhook = _found(call, str(body.get("eventType", "")))
    if body.get("objectVersion") != webhook.version:
        raise wire.conflict()
    values = _checked(call.data, body)
    del values["eventType"]
    if values["isDisabled"] and not webhook.values["isDisabled"]:
        webhook.disabled_at = call.data.now()
    webhook.values, webhook.failed = values, 0
    webhook.version, webhook.updated = call.data.version(), call.data.now()
    return Answer(call.data.settings.put_status)


def problems(data: Data, body: Json) -> Iterator[Flaw]:
    """What e-conomic does not take in a webhook, beyond its shape."""
    for name in ("eventType", "name", "url", "contentType"):
        if not body.get(name):
            yield Flaw("RequiredFieldMissing", spelled(name), f"The {spelled(name)} field is required.")
    if body.get("eventType") and body["eventType"] not in _NAMES:
        yield Flaw("WebhookInvalidType", "EventType")
    if body.get("url"):
        yield from _address(data, body["url"])
    headers = body.get("customHeaders", [])
    if len(headers) > 5:
        yield Flaw("WebhookCustomHeadersTooMany", "CustomHeaders")
    if len(json.dumps(headers)) > 1000:
        yield Flaw("WebhookCustomHeadersTooLong", "CustomHeaders")
    if not all(_header(pair) for pair in headers):
        yield Flaw("WebhookCustomHeaderInvalid", "CustomHeaders")


def _address(data: Data, url: str) -> Iterator[Flaw]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        yield Flaw("WebhookInvalidUrl", "Url")
    elif parts.scheme != "https" and not (parts.scheme == "http" and data.settings.webhook_http and host in _LOOPBACK):
        yield Flaw("WebhookInvalidUrlScheme", "Url")


def _header(pair: Any) -> bool:
    if not isinstance(pair, dict):
        return False
    key, value = pair.get("key"), pair.get("value")
    if not isinstance(key, str) or not isinstance(value, str) or not _TOKEN.fullmatch(key):
        return False
    return value.isascii() and value.isprintable()


def _checked(data: Data, body: Json) -> Json:
    if found := list(problems(data, body)):
        raise wire.invalid(*found)
    return kept(body, WEBHOOK)


def _mine(call: Call) -> list[Webhook]:
    webhooks = call.agreement.webhooks
    return [webhooks[event] for event in sorted(webhooks) if webhooks[event].app == call.grant.app]


def _found(call: Call, event: str) -> Webhook:
    webhook = call.agreement.webhooks.get(event)
    if webhook is None or webhook.app != call.grant.app:
        raise Refused(404, "ResourceNotFound", f"There is no webhook for {event}.")
    return webhook


def show(webhook: Webhook) -> Json:
    """A webhook as the Webhooks API shows it."""
    values: Json = {
        "eventType": webhook.event,
        **webhook.values,
        "lastUpdated": stamp(webhook.updated),
        "objectVersion": webhook.version,
    }
    if webhook.disabled_at is not None:
        values["lastDisabledDate"] = stamp(webhook.disabled_at)
    return values


def _show(call: Call, webhook: Webhook) -> Json:
    return shown(call, show(webhook))


def _get(webhook: Webhook, name: str) -> Any:
    match name:
        case "eventType":
            return webhook.event
        case "lastUpdated":
            return webhook.updated
        case "lastDisabledDate":
            return webhook.disabled_at
        case _:
            return webhook.values.get(name)


LISTING: Listing[Webhook] = Listing(properties=WEBHOOK, key=lambda webhook: webhook.event, get=_get, show=_show)
