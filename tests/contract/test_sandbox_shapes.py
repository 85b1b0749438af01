"""Does the sandbox answer in the shapes e-conomic publishes?

The committed shapes are always held against; where the published descriptions lie beside the project, the answers are
held against those themselves too, and the committed shapes against them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from economic_adapter.sandbox import fields, legacy_shapes
from economic_adapter.sandbox.app import Running, serve
from economic_adapter.sandbox.data import APP_SECRET, GRANT, Data
from economic_adapter.sandbox.settings import Settings
from tests.contract import published, shapes

SOURCES = ["committed", *(["published"] if published.FOLDER.is_dir() else [])]
Json = dict[str, Any]
CUSTOMER: Json = {
    "customerNumber": 1001,
    "name": "Nordhavn Tømrer ApS",
    "currency": "DKK",
    "customerGroupNumber": 1,
    "paymentTermId": 1,
    "zone": 1,
    "access": True,
    "cvrNo": "13748136",
    "eanLocationNumber": "5790000000005",
    "pnr": "1003388394",
    "address1": "Havnegade 12",
    "address2": "2. sal",
    "postCode": "8000",
    "city": "Aarhus C",
    "county": "Jylland",
    "country": "Danmark",
    "phone": "86 12 34 56",
    "mobilePhone": "22 33 44 55",
    "email": "faktura@nordhavn.example",
    "homepage": "https://nordhavn.example",
    "voucherNumber": "4711",
    "creditMaximum": 25000.5,
    "directDebitMandateDate": "2026-01-02T00:00:00Z",
}
CONTACT: Json = {"customerNumber": 1001, "name": "Mette Holm", "email": "mh@nordhavn.example", "phone": "22 33 44 55"}
WEBHOOK: Json = {
    "eventType": "CUSTOMER_UPDATED",
    "name": "Kunder",
    "url": "https://crm.example/hooks/1",
    "contentType": "application/json",
    "postData": '{"old":"[OLDNUMBER]"}',
    "customHeaders": [{"key": "X-Secret", "value": "1"}],
}
CUSTOMERS, HOOKS = "/customersapi/v3.1.0", "/webhooksapi/v1.0.0"
CALLS = {  # what is asked, by the published operation; in this order, so that it finds what was made before
    "POST /Customers": ("customersapi", f"{CUSTOMERS}/Customers", CUSTOMER),
    "POST /Contacts": ("customersapi", f"{CUSTOMERS}/Contacts", CONTACT),
    "GET /Customers": ("customersapi", f"{CUSTOMERS}/Customers", None),
    "GET /Customers/paged": ("customersapi", f"{CUSTOMERS}/Customers/paged", None),
    "GET /Customers/count": ("customersapi", f"{CUSTOMERS}/Customers/count", None),
    "GET /Customers/{number}": ("customersapi", f"{CUSTOMERS}/Customers/1001", None),
    "GET /Contacts": ("customersapi", f"{CUSTOMERS}/Contacts", None),
    "GET /Contacts/paged": ("customersapi", f"{CUSTOMERS}/Contacts/paged", None),
    "GET /Contacts/count": ("customersapi", f"{CUSTOMERS}/Contacts/count", None),
    "GET /Contacts/{number}": ("customersapi", f"{CUSTOMERS}/Contacts/1", None),
    "GET /Setup": ("customersapi", f"{CUSTOMERS}/Setup", None),
    "PUT /Customers/{number}": ("customersapi", f"{CUSTOMERS}/Customers/1001", CUSTOMER),
    "PUT /Contacts": ("customersapi", f"{CUSTOMERS}/Contacts", {**CONTACT, "number": 1}),
    "GET /EventTypes": ("webhooksapi", f"{HOOKS}/EventTypes", None),
    "POST /webhooks": ("webhooksapi", f"{HOOKS}/webhooks", WEBHOOK),
    "GET /webhooks": ("webhooksapi", f"{HOOKS}/webhooks", None),
    "GET /webhooks/paged": ("webhooksapi", f"{HOOKS}/webhooks/paged", None),
    "GET /webhooks/count": ("webhooksapi", f"{HOOKS}/webhooks/count", None),
    "GET /webhooks/{eventType}": ("webhooksapi", f"{HOOKS}/webhooks/CUSTOMER_UPDATED", None),
    "PUT /webhooks": ("webhooksapi", f"{HOOKS}/webhooks", WEBHOOK),
    "DELETE /webhooks/{eventType}": ("webhooksapi", f"{HOOKS}/webhooks/CUSTOMER_UPDATED", None),
    "DELETE /Contacts/{number}": ("customersapi", f"{CUSTOMERS}/Contacts/1", None),
    "DELETE /Customers/{number}": ("customersapi", f"{CUSTOMERS}/Customers/1001", None),
}
LEGACY = {
    "self": "/self",
    "customers": "/customers?pagesize=1",
    "customer": "/customers/1001",
    "contacts": "/customers/1001/contacts",
    "customer-groups": "/customer-groups",
    "payment-terms": "/payment-terms",
    "vat-zones": "/vat-zones",
    "currencies": "/currencies",
}
REFUSALS = {  # by status: what is asked for it
    400: ("POST", f"{CUSTOMERS}/Customers", {"customerNumber": 5, "name": "x" * 256, "email": None}),
    401: ("GET", f"{CUSTOMERS}/Customers", None),
    403: ("GET", f"{HOOKS}/webhooks", None),
    404: ("GET", f"{CUSTOMERS}/Customers/77", None),
    409: ("PUT", f"{CUSTOMERS}/Customers/1001", CUSTOMER),
    429: ("GET", f"{CUSTOMERS}/Customers", None),
    500: ("GET", f"{CUSTOMERS}/Customers", None),
}


@dataclass(frozen=True)
class Answers:
    """Everything the sandbox answered, asked once."""

    opened: dict[str, httpx.Response]
    legacy: dict[str, httpx.Response]
    refused: dict[int, httpx.Response]


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """The answers of one sandbox to one call of every published operation."""
    running = serve(Data(settings=Settings(cursor_page=1)))
    with httpx.Client(
        base_url=running.url, headers={"X-AppSecretToken": APP_SECRET, "X-AgreementGrantToken": GRANT}, timeout=60
    ) as client:
        client.post(f"{CUSTOMERS}/Customers", json={**CUSTOMER, "customerNumber": 2002})
        client.post(f"{CUSTOMERS}/Contacts", json={**CONTACT, "customerNumber": 2002}).raise_for_status()
        client.post("/_sandbox/ui/contacts/1/delete", json={})
        running.data.agreement().last_contact = 0  # so that the contact made below is number 1
        running.data.agreement().contacts.clear()
        running.data.agreement().contacts_of[2002].clear()
        opened: dict[str, httpx.Response] = {}
        legacy: dict[str, httpx.Response] = {}
        refused: dict[int, httpx.Response] = {}
        for name, (_, path, body) in CALLS.items():
            verb = name.split(" ")[0]
            opened[name] = client.request(verb, path, json=_versioned(client, path, body) if verb == "PUT" else body)
            if name == "PUT /Contacts":
                legacy = {title: client.get(address) for title, address in LEGACY.items()}
                refused = {status: _refused(running, client, status) for status in REFUSALS}
        yield Answers(opened, legacy, refused)
    running.close()
    assert running.data.errors == []


def _versioned(client: httpx.Client, path: str, body: Json | None) -> Json:
    wanted = dict(body or {})
    where = {"number": f"{path}/1", "eventType": f"{path}/CUSTOMER_UPDATED"}
    address = next((where[key] for key in where if key in wanted), path)
    return {**wanted, "objectVersion": client.get(address).json()["objectVersion"]}


def _refused(running: Running, client: httpx.Client, status: int) -> httpx.Response:
    verb, path, body = REFUSALS[status]
    grant = running.data.grants[GRANT]
    match status:
        case 401:
            return client.request(verb, path, headers={"X-AgreementGrantToken": "wrong"})
        case 403:
            grant.role = "Sales"
        case 429:
            running.data.faults.add("throttle", retry_after=2)
        case 500:
            running.data.faults.add("status")
        case _:
            pass
    found = client.request(verb, path, json=body)
    grant.role = "SuperUser"
    return found


def _open_check(source: str, service: str, operation: str, status: int, body: Any) -> list[str]:
    if source == "committed":
        held = published.committed(service)
        expected = held["answers"][operation]
        shape = {"ref": "ProblemDetails"} if status in expected["problems"] else expected[str(status)]
        if shape is None or body is None:
            return [] if shape is body else [f"a body of {operation} {status}: {body!r}"]
        return list(shapes.breaches(body, shape, held["schemas"]))
    described = published.read(published.OPEN[service])
    verb, path = operation.split(" ")
    content = described["paths"][path][verb.lower()]["responses"][str(status)].get("content")
    if content is None or body is None:
        return [] if content is body else [f"a body of {operation} {status}: {body!r}"]
    schema = {**next(iter(content.values()))["schema"], "components": described["components"]}
    return [str(error.message) for error in jsonschema.Draft4Validator(schema).iter_errors(body)]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("operation", CALLS)
def test_each_operation_answers_with_its_published_status_and_shape(
    answers: Answers, operation: str, source: str
) -> None:
    answered = answers.opened[operation]
    body = answered.json() if answered.content else None
    assert answered.is_success, answered.text
    assert _open_check(source, CALLS[operation][0], operation, answered.status_code, body) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("status", REFUSALS)
def test_each_refusal_is_a_published_problem(answers: Answers, status: int, source: str) -> None:
    answered = answers.refused[status]
    assert answered.status_code == status
    assert answered.headers["content-type"] == "application/problem+json"
    operation = "PUT /Customers/{number}"
    assert _open_check(source, "customersapi", operation, status, answered.json()) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", LEGACY)
def test_each_legacy_answer_has_its_published_shape(answers: Answers, name: str, source: str) -> None:
    body = answers.legacy[name].json()
    if source == "committed":
        found = list(shapes.breaches(body, published.committed("legacy")["answers"][name], {}))
    else:
        schema = published.legacy_file(name)
        found = [str(error.message) for error in jsonschema.Draft3Validator(schema).iter_errors(body)]
    assert found == []


def test_the_legacy_envelope_is_the_recorded_one(answers: Answers) -> None:
    recorded = published.committed("legacy")["recorded"]
    body = answers.legacy["customers"].json()
    assert sorted(body) == recorded["envelope"]
    assert sorted(body["pagination"]) == recorded["pagination"]


def test_a_legacy_customer_shows_nothing_that_was_neither_recorded_nor_published(answers: Answers) -> None:
    held = published.committed("legacy")
    known = {*held["recorded"]["customer"], *held["answers"]["customer"]["properties"]}
    assert set(answers.legacy["customer"].json()) <= known


@pytest.mark.parametrize(
    ("service", "schema", "table"),
    [
        ("customersapi", "Customer", fields.CUSTOMER),
        ("customersapi", "Contact", fields.CONTACT),
        ("webhooksapi", "Webhook", fields.WEBHOOK),
    ],
)
def test_what_the_sandbox_takes_and_lets_be_asked_is_what_is_published(
    service: str, schema: str, table: dict[str, fields.Property]
) -> None:
    said = published.committed(service)["schemas"][schema]["properties"]
    kinds = {"text": "string", "flag": "boolean", "moment": "string", "list": "array"}
    assert sorted(table) == sorted(said)
    for name, known in table.items():
        ours = (
            kinds.get(known.kind, known.kind),
            known.longest,
            sorted(known.filters),
            known.sortable,
            known.read_only,
        )
        shape = said[name]
        theirs = (shape["type"], shape.get("max"), shape.get("filter", []), "sort" in shape, "read only" in shape)
        assert ours == theirs, name


def test_every_legacy_property_the_sandbox_filters_on_is_published() -> None:
    held = published.committed("legacy")["answers"]
    customer = held["customer"]["properties"]
    contact = held["contacts"]["properties"]["collection"]["items"]["properties"]
    assert {name.split(".")[0] for name in legacy_shapes.CUSTOMER} <= set(customer)
    assert set(legacy_shapes.CONTACT) <= set(contact)


@pytest.mark.parametrize("source", SOURCES)
def test_the_committed_shapes_are_whole_and_what_the_descriptions_say(source: str) -> None:
    said = published.shapes() if source == "published" else {}
    for name in ("customersapi", "webhooksapi", "legacy"):
        held = published.committed(name)
        assert held["answers"]
        assert json.loads(json.dumps(said.get(name, held))) == held


def test_a_breach_of_a_shape_is_seen() -> None:
    held = published.committed("customersapi")["schemas"]
    wrong = {"customerNumber": 0, "name": "x" * 256, "access": 1, "moved": True}
    found = list(shapes.breaches(wrong, {"ref": "Customer"}, held))
    assert len(found) == 4, found
