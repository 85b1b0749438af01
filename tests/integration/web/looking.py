"""A person who opens customers while e-conomic answers, is slow, refuses or is away, in the words of a test."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from crm_outbox.contract import Customer
from economic_adapter.contract import CustomerObserved, LookAtCustomer, Looked, Reach
from reconciler import people
from reconciler.passes import sign
from reconciler.person import Role
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, agreement_seen, economic_seen, envelope, there
from tests.integration.web.browsing import KEY, Pages


def polled(pages: Pages, customer: Customer, role: Role = "user") -> str:
    """What the box beside a customer asks for again and again."""
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": role, "customer": customer.id,
    }  # fmt: skip
    return f"/widget/status?version=1.1&pass={sign('one', KEY, claims)}"


@dataclass
class Watching:
    """The pages, both systems, and one clock for all."""

    pages: Pages
    both: Both

    def __post_init__(self) -> None:
        self.both.switch_on(Transfer.CREATED)
        self.keys: dict[str, str] = {}
        self.follow()

    def follow(self) -> None:
        self.pages.time = self.both.time

    def later(self, **span: float) -> None:
        self.both.later(**span)
        self.follow()

    def linked(self, number: int = 7, **given: Any) -> Customer:
        """A linked customer that was seen a quarter of an hour ago."""
        customer = self.both.linked(number, **given)
        self.later(minutes=15)
        return customer

    def ask(
        self, crm_id: str, role: Role = "user", headers: dict[str, str] | None = None, **query: str
    ) -> httpx.Response:
        """The JSON of a customer's status."""
        if role not in self.keys:
            with self.pages.engine.begin() as connection:
                self.keys[role] = people.make_key(connection, TENANT, role, role, self.pages.time)[1]
        address = f"{self.pages.url}/api/v1/customers/{crm_id}/status"
        given = {"authorization": f"Bearer {self.keys[role]}", **(headers or {})}
        return self.pages.browser().client.get(address, params=query, headers=given)

    def open(self, crm_id: str, **query: str) -> dict[str, Any]:
        """A person opens that customer."""
        answer = self.ask(crm_id, "user", None, **{"version": "1.1", **query})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def watch(self, crm_id: str, **query: str) -> dict[str, Any]:
        """The open page asks again."""
        return self.open(crm_id, look="false", **query)

    def looks(self) -> list[LookAtCustomer]:
        """The looks that were asked for since the last question."""
        return self.both.said_only(LookAtCustomer)

    def tell(self, look: UUID, how: Any, cause: str = "", number: int = 7) -> None:
        """What e-conomic's side tells of a look."""
        words = CustomerObserved(
            agreement=AGREEMENT, why="look", number=number, look=Looked(look=look, how=how, cause=cause)
        )
        self.both.hear(envelope(words, agreement=AGREEMENT, number=number))

    def answer(self, look: UUID, customer: Customer, number: int, version: int, **values: Any) -> None:
        """e-conomic answers a look with what it holds."""
        held = there(customer, number, f"v{version}", contacts=(), **values)
        self.both.hear(economic_seen(held, version, why="look", look=Looked(look=look, how="answered")))

    def reach(
        self,
        down_since: datetime | None = None,
        next_call: datetime | None = None,
        paused_since: datetime | None = None,
    ) -> None:
        """e-conomic's side tells how e-conomic can be reached."""
        reach = Reach(at=self.both.time, down_since=down_since, next_call=next_call, paused_since=paused_since)
        self.both.hear(agreement_seen(self.both.time, state="on", reach=reach))
