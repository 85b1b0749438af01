"""Calls to the sandbox without a socket, and what a customer and a contact person need at least."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from economic_adapter.sandbox.app import handle
from economic_adapter.sandbox.data import APP_SECRET, GRANT, Data
from economic_adapter.sandbox.wire import Answer, Request

Json = dict[str, Any]
CUSTOMERS = "/customersapi/v3.1.0/Customers"
CONTACTS = "/customersapi/v3.1.0/Contacts"
WEBHOOKS = "/webhooksapi/v1.0.0/webhooks"


@dataclass
class Caller:
    """One app that calls one e-conomic; ``data`` is that e-conomic."""

    data: Data = field(default_factory=lambda: Data(seed=1))
    grant: str = GRANT
    app: str = APP_SECRET

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One call; names of headers with _ for -."""
        target = urlsplit(path)
        named = {"x-appsecrettoken": self.app, "x-agreementgranttoken": self.grant, "host": "sandbox.test"}
        if body is not None:
            named["content-type"] = "application/json"
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, str) else json.dumps(body)
        return handle(
            self.data,
            Request(
                method=method,
                path=target.path,
                query={name.lower(): value for name, value in parse_qsl(target.query)},
                headers=named,
                body=b"" if body is None else text.encode(),
                base="http://sandbox.test",
                raw_query=target.query,
            ),
        )

    def get(self, path: str, **query: object) -> Any:
        """The body of a ``GET`` that must succeed."""
        asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        answered = self.ask("GET", f"{path}?{asked}" if asked else path)
        assert answered.status == 200, answered.body
        return json.loads(answered.body)

    def made(self, number: int = 1001, **values: Any) -> Json:
        """A customer made through the API, as it reads afterwards."""
        assert self.ask("POST", CUSTOMERS, customer(number, **values)).status == 201
        return dict(self.get(f"{CUSTOMERS}/{number}"))

    def made_contact(self, customer_number: int = 1001, **values: Any) -> Json:
        """A contact person made through the API, as it reads afterwards."""
        answered = self.ask("POST", CONTACTS, contact(customer_number, **values))
        assert answered.status == 201, answered.body
        return dict(self.get(f"{CONTACTS}/{json.loads(answered.body)['number']}"))


def customer(number: int = 1001, **values: Any) -> Json:
    """What e-conomic needs to make a customer; ``values`` on top, none leaves a name out."""
    whole = {
        "customerNumber": number,
        "name": "Nordhavn Tømrer ApS",
        "currency": "DKK",
        "customerGroupNumber": 1,
        "paymentTermId": 1,
        "zone": 1,
        "access": True,
    } | values
    return {name: value for name, value in whole.items() if value is not None}


def contact(customer_number: int = 1001, **values: Any) -> Json:
    """What e-conomic needs to make a contact person."""
    return {"customerNumber": customer_number, "name": "Mette Holm", **values}


def codes(answered: Answer) -> list[str]:
    """The codes of a refusal's errors, else its own."""
    body = json.loads(answered.body)
    return [error["errorCode"] for error in body["errors"]] or [body["errorCode"]]
