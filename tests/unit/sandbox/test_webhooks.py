"""Does the sandbox keep webhooks as the Webhooks API does?"""

import json
from typing import Any

import pytest

from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import App
from tests.builders.sandbox import WEBHOOKS, Caller, codes

HOOK: dict[str, Any] = {
    "eventType": "CUSTOMER_UPDATED",
    "name": "Kunder",
    "url": "https://crm.example/hooks/1",
    "contentType": "application/json",
    "postData": '{"old":"[OLDNUMBER]","new":"[NEWNUMBER]"}',
}


@pytest.fixture
def economic() -> Caller:
    return Caller()


def test_a_webhook_is_made_read_changed_and_removed(economic: Caller) -> None:
    made = economic.ask("POST", WEBHOOKS, HOOK)
    assert (made.status, json.loads(made.body)) == (201, {"eventType": "CUSTOMER_UPDATED"})
    held = economic.get(f"{WEBHOOKS}/CUSTOMER_UPDATED")
    assert economic.ask("PUT", WEBHOOKS, {**held, "isDisabled": True}).status == 204
    assert "lastDisabledDate" in economic.get(f"{WEBHOOKS}/CUSTOMER_UPDATED")
    assert economic.ask("PUT", WEBHOOKS, held).status == 409
    assert economic.ask("DELETE", f"{WEBHOOKS}/CUSTOMER_UPDATED").status == 204
    assert economic.get(WEBHOOKS) == {"items": []}


def test_there_is_one_per_event_type(economic: Caller) -> None:
    economic.ask("POST", WEBHOOKS, HOOK)
    assert codes(economic.ask("POST", WEBHOOKS, HOOK)) == ["WebhookAlreadyExistsForEventType"]


def test_one_made_by_hand_is_invisible_and_still_in_the_way(economic: Caller) -> None:
    ui.make_webhook(economic.data, "https://crm.example/")
    assert economic.get(WEBHOOKS) == {"items": []}
    assert economic.get(f"{WEBHOOKS}/count") == 0
    assert economic.ask("GET", f"{WEBHOOKS}/CUSTOMER_UPDATED").status == 404
    assert codes(economic.ask("POST", WEBHOOKS, HOOK)) == ["WebhookAlreadyExistsForEventType"]


def test_one_of_another_app_is_invisible_and_still_in_the_way(economic: Caller) -> None:
    economic.data.apps["other"] = App(secret="other", public="other", name="En anden app")
    economic.data.add_grant("other-grant", "other", 123456)
    other = Caller(economic.data, grant="other-grant", app="other")
    assert other.ask("POST", WEBHOOKS, HOOK).status == 201
    assert economic.get(WEBHOOKS) == {"items": []}
    assert codes(economic.ask("POST", WEBHOOKS, HOOK)) == ["WebhookAlreadyExistsForEventType"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"eventType": "KUNDE"}, "WebhookInvalidType"),
        ({"url": "http://crm.example/"}, "WebhookInvalidUrlScheme"),
        ({"url": "http://127.0.0.1/"}, "WebhookInvalidUrlScheme"),
        ({"url": "crm"}, "WebhookInvalidUrl"),
        ({"name": ""}, "RequiredFieldMissing"),
        ({"postData": "x" * 4001}, "StringTooLong"),
        ({"customHeaders": [{"key": str(one), "value": "1"} for one in range(6)]}, "WebhookCustomHeadersTooMany"),
        ({"customHeaders": [{"key": "X", "value": "1" * 1000}]}, "WebhookCustomHeadersTooLong"),
        ({"customHeaders": [{"key": "X Y", "value": "1"}]}, "WebhookCustomHeaderInvalid"),
        ({"customHeaders": [{"key": "X", "value": "1\r\nY: 2"}]}, "WebhookCustomHeaderInvalid"),
    ],
)
def test_what_the_api_does_not_take_is_refused(economic: Caller, values: dict[str, Any], code: str) -> None:
    assert codes(economic.ask("POST", WEBHOOKS, {**HOOK, **values})) == [code]


def test_http_is_taken_on_loopback_only_when_so_set(economic: Caller) -> None:
    economic.data.settings.change({"webhook_http": True})
    assert economic.ask("POST", WEBHOOKS, {**HOOK, "url": "http://crm.example/"}).status == 400
    assert economic.ask("POST", WEBHOOKS, {**HOOK, "url": "http://127.0.0.1:8081/x"}).status == 201


def test_event_types_name_their_merge_fields(economic: Caller) -> None:
    kinds = {kind["name"]: kind for kind in economic.get("/webhooksapi/v1.0.0/EventTypes")}
    merged = [field["fieldName"] for field in kinds["CUSTOMER_UPDATED"]["mergeFields"]]
    assert merged == ["OLDNUMBER", "NEWNUMBER"]
