"""A service sees both values of each detail and decides over what it saw, with the same effect as the page."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, there
from tests.integration.web.browsing import Pages
from tests.integration.web.test_settling import contested


class Service:
    """Whoever holds an API key."""

    def __init__(self, pages: Pages, role: Any = "user", tenant: str = TENANT) -> None:
        with pages.engine.begin() as connection:
            key = people.make_key(connection, tenant, "The CRM", role, pages.time)[1]
        self._headers = {"authorization": f"Bearer {key}"}
        self._client, self._url = pages.browser().client, f"{pages.url}/api/v1"

    def get(self, path: str) -> httpx.Response:
        return self._client.get(self._url + path, headers=self._headers)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self._client.post(self._url + path, json=body, headers=self._headers)

    def wish(self, customer: str, detail: str, take: str, **given: Any) -> dict[str, Any]:
        (row,) = [one for one in self.get(f"/customers/{customer}/details").json()["rows"] if one["detail"] == detail]
        return {"record": row["record"], "detail": detail, "take": take, "mark": row["mark"], **given}


def test_the_details_hold_both_values_the_last_common_ones_and_marks(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    told = Service(pages, "reader").get(f"/customers/{customer.id}/details").json()
    assert told["customer_number"] == 7
    (name,) = [one for one in told["rows"] if one["detail"] == "name"]
    assert (name["crm"], name["economic"]) == ("Birk & Søn ApS", "Birk og Søn ApS")
    assert name["last_agreed"] == {"crm": customer_before(both), "economic": customer_before(both)}
    assert (name["stands"], name["changed"], name["may_be_chosen"]) == ("contested", ["crm", "economic"], True)


def customer_before(both: Both) -> str:
    (link,) = both.links()
    return link.customer.base["name"].crm


def test_a_decision_is_carried_out_once_told_and_undone(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    service = Service(pages)
    body = {"id": str(uuid4()), "wishes": [service.wish(customer.id, "name", "crm")]}
    first = service.post(f"/customers/{customer.id}/decisions", body).json()
    assert first["moved"] == []
    assert first["decision"]["systems"] == {"economic": "waiting"}
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Birk & Søn ApS"}
    both.hear(
        economic_answered(
            command, done(command.parts[0].operation), customer=there(customer, 7, "v3", contacts=()), version=3
        )
    )
    again = service.post(f"/customers/{customer.id}/decisions", body).json()["decision"]
    assert (again["state"], again["systems"]) == ("done", {"economic": "updated"})
    assert both.said_only(WriteEconomicCustomer) == []
    assert service.get(f"/decisions/{body['id']}").json() == again
    undoing = {"id": str(uuid4())}
    back = service.post(f"/decisions/{body['id']}/undo", undoing).json()
    assert back["undoes"] == body["id"]
    assert service.post(f"/decisions/{body['id']}/undo", undoing).json()["id"] == undoing["id"]
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Birk og Søn ApS"}


def test_what_moved_is_left_out_and_the_rest_is_carried_out(pages: Pages, both: Both) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    service = Service(pages)
    wishes = [service.wish(customer.id, "name", "crm"), service.wish(customer.id, "email", "economic")]
    both.in_crm(customer.model_copy(update={"name": "Somebody else's"}), 3)
    came = service.post(f"/customers/{customer.id}/decisions", {"id": str(uuid4()), "wishes": wishes}).json()
    assert [one["detail"] for one in came["moved"]] == ["name"]
    assert [one["detail"] for one in came["decision"]["parts"]] == ["email"]
    (command,) = both.said_only(WriteCustomer)
    assert command.parts[0].fields == {"email": "old@nordhavn.example"}
    nothing = service.post(f"/customers/{customer.id}/decisions", {"id": str(uuid4()), "wishes": wishes[:1]}).json()
    assert nothing["decision"] is None


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"detail": "nonsense"}, 400),
        ({"record": str(uuid4())}, 400),
        ({"record": "x"}, 422),
        ({"take": "both"}, 422),
        ({"take": "text", "texts": {"name": "\x00"}}, 422),
        ({"take": "text", "texts": {"name": ""}}, 400),
        ({"take": "text", "texts": {"name": "x" * 2001}}, 422),
        ({"more": 1}, 422),
    ],
)
def test_what_is_senseless_is_refused_whole(pages: Pages, both: Both, given: dict[str, Any], status: int) -> None:
    customer = contested(both, pages)
    service = Service(pages)
    body = {"id": str(uuid4()), "wishes": [service.wish(customer.id, "name", "crm") | given]}
    answer = service.post(f"/customers/{customer.id}/decisions", body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert service.get(f"/decisions/{body['id']}").status_code == 404
    assert both.said_only(WriteEconomicCustomer) == []


def test_a_detail_chosen_twice_is_refused(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    service = Service(pages)
    twice = [service.wish(customer.id, "name", take) for take in ("crm", "economic")]
    answer = service.post(f"/customers/{customer.id}/decisions", {"id": str(uuid4()), "wishes": twice})
    assert answer.status_code == 400


def test_readers_look_only_and_other_tenants_find_nothing(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    service = Service(pages)
    wish = service.wish(customer.id, "name", "different")
    body = {"id": str(uuid4()), "wishes": [wish]}
    assert Service(pages, "reader").post(f"/customers/{customer.id}/decisions", body).status_code == 403
    stranger = Service(pages, "admin", "other")
    assert stranger.get(f"/customers/{customer.id}/details").status_code == 404
    assert stranger.post(f"/customers/{customer.id}/decisions", body).status_code == 404
    service.post(f"/customers/{customer.id}/decisions", body)
    assert stranger.get(f"/decisions/{body['id']}").status_code == 404
    assert stranger.post(f"/decisions/{body['id']}/undo", {"id": str(uuid4())}).status_code == 404
    assert Service(pages, "reader").post(f"/decisions/{body['id']}/undo", {"id": str(uuid4())}).status_code == 403


def test_what_changed_nothing_cannot_be_undone(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    service = Service(pages)
    body = {"id": str(uuid4()), "wishes": [service.wish(customer.id, "name", "crm")]}
    service.post(f"/customers/{customer.id}/decisions", body)
    answer = service.post(f"/decisions/{body['id']}/undo", {"id": str(uuid4())})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Det er ikke udført endnu. Fortryd det, når det er udført."
