"""One customer's buttons, in the widget's frame and on our own page: what tests of them press and look at."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from crm_outbox.messaging.envelope import Envelope
from reconciler.passes import sign
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, crm_answered, done, there
from tests.integration.web.browsing import KEY, Browser, Pages


class Door:
    """One way to a customer's buttons: a session on our own page, or the widget's pass."""

    def __init__(self, pages: Pages, customer: str, *, framed: bool, **given: Any) -> None:
        self.framed = framed
        self.customer = customer
        if framed:
            self.browser: Browser = pages.browser()
            at = int(pages.time.timestamp())
            claims = {
                "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
                "name": "Anne Holm", "role": "user", "customer": customer, **given,
            }  # fmt: skip
            self.query = f"pass={sign('one', KEY, claims)}&version=1.1"
        else:
            self.browser = pages.arrive(**{"tenant": TENANT, **given})
            self.query = ""

    def status(self) -> str:
        return self.get("").text

    def get(self, name: str) -> httpx.Response:
        path = f"/widget{name}?{self.query}" if self.framed else f"/customers/{self.customer}{name}"
        return self.browser.get(path)

    def press(self, name: str, **changed: Any) -> httpx.Response:
        """Open the panel and press its button."""
        return self.send(name, {**self.form(self.get(f"/{name}").text), **changed})

    def press_at_once(self, name: str) -> httpx.Response:
        """Press a button that stands in the status itself."""
        (form,) = re.findall(rf'<form method="post" action="[^"]*/{name}".*?</form>', self.status(), re.DOTALL)
        return self.send(name, self.form(form))

    def send(self, name: str, fields: dict[str, Any]) -> httpx.Response:
        path = f"/widget/{name}" if self.framed else f"/customers/{self.customer}/{name}"
        return self.browser.post(path, fields)

    def form(self, text: str) -> dict[str, Any]:
        (found,) = re.findall(r'<form method="post"[^>]*class="(?:press|act)">.*?</form>', text, re.DOTALL)
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found))

    def after(self, answer: httpx.Response) -> str:
        """The page that a press leads to."""
        assert answer.status_code == 303, answer.text
        return self.browser.get(answer.headers["location"]).text


Opens = Callable[..., Door]


def differing(both: Both, pages: Pages) -> Customer:
    """One that does not flow: the phone was changed in the CRM, the e-mail in e-conomic, the name in both."""
    customer = both.linked(7, cvr="12345678", phone="12345678", email="a@nordhavn.example")
    still(both)
    both.in_economic(there(customer, 7, "v2", contacts=(), name="Nordhavn B", email="b@nordhavn.example"), 2)
    both.in_crm(customer.model_copy(update={"name": "Nordhavn A", "phone": "87654321"}), 2)
    both.said()
    pages.time = both.time
    return customer


def still(both: Both) -> None:
    with both.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set flows = false, revision = revision + 1"))


def written_here(command: WriteCustomer, customer: Customer, version: int) -> Envelope:
    """The CRM wrote what that command says, and holds this now."""
    return crm_answered(command, done(command.parts[0].operation), customer=customer, version=version)


def decisions(pages: Pages) -> list[tuple[str, ...]]:
    with pages.engine.connect() as connection:
        found = connection.execute(sa.text("select means, who, who_id, state from sync.decision order by at, id"))
        return [tuple(row) for row in found]


def deleted(both: Both, pages: Pages) -> Customer:
    customer = both.linked(7, cvr="12345678")
    both.gone(7, 2)
    both.said()
    pages.time = both.time
    return customer
