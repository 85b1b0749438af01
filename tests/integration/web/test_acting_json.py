"""The buttons of a status for a service: the same decisions as the pages make, and problems for what makes no sense."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from crm_outbox.contract import Customer, Stage
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people
from reconciler.person import Role
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT
from tests.integration.web.acting import decisions, deleted, differing
from tests.integration.web.browsing import Pages


class Service:
    """Another program with a key of the tenant."""

    def __init__(self, pages: Pages, customer: Customer, role: Role = "user", tenant: str = TENANT) -> None:
        with pages.engine.begin() as connection:
            key = people.make_key(connection, tenant, "The CRM", role, pages.time)[1]
        self.client = pages.browser().client
        self.url = f"{pages.url}/api/v1/customers/{customer.id}"
        self.headers = {"authorization": f"Bearer {key}"}

    def get(self, name: str) -> Any:
        answer = self.client.get(f"{self.url}/{name}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, name: str, **said: Any) -> httpx.Response:
        return self.client.post(f"{self.url}/{name}", json={"decision": str(uuid4()), **said}, headers=self.headers)

    def post(self, name: str, **said: Any) -> Any:
        answer = self.send(name, **said)
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_update_is_shown_done_once_and_refused_per_detail(pages: Pages, both: Both) -> None:
    customer = differing(both, pages)
    service = Service(pages, customer)
    shown = service.get("update")
    assert [(one["detail"], one["crm"], one["economic"]) for one in shown["overwrites"]] == [
        ("name", "Nordhavn A", "Nordhavn B"), ("phone", "87654321", "12345678"),
    ]  # fmt: skip
    assert [(one["detail"], one["why"]) for one in shown["left"]] == [("email", "changed_there")]
    seen = [{"key": one["key"], "mark": one["mark"]} for one in shown["overwrites"]]
    seen[0]["mark"] = "0" * 16
    said = {"decision": str(uuid4()), "details": seen}
    done = service.post("update", **said)
    assert (done["state"], done["stale"]) == ("open", ["name"])
    assert service.post("update", **said)["state"] == "open"
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}
    assert decisions(pages)[0][1:3] != ("", ""), "a key decides under its name and id"


def test_create_says_what_it_uses_and_asks_about_a_lead(pages: Pages, both: Both) -> None:
    customer = both.new(name="Sydhavn Maler A/S", cvr="87654321").model_copy(update={"stage": Stage.LEAD})
    both.set(transfer="active")
    both.in_economic(sydhavn(), why="import")
    both.in_crm(customer)
    pages.time = both.time
    service = Service(pages, customer)
    shown = service.get("create")
    assert (shown["hindrance"], shown["lead"], shown["currency"]) == ("", True, "DKK")
    assert [one["number"] for one in shown["twins"]] == [50]
    assert service.post("create", not_these=[50])["moved"]
    assert service.post("create", lead=True)["refused"] == [{"detail": "", "reason": "candidates"}]
    assert both.said_only(WriteEconomicCustomer) == []
    service.post("create", lead=True, not_these=[50])
    assert len(both.said_only(WriteEconomicCustomer)) == 1


def test_flow_goes_off_at_once_and_on_with_the_mark_of_what_it_writes(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    pages.time = both.time
    service = Service(pages, customer)
    assert service.post("flow", on=False)["state"] == "done"
    assert not service.get("status")["flows"]
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    shown = service.get("flow")
    assert [(one["system"], one["field"], one["after"]) for one in shown["writes"]] == [
        ("economic", "phone", "87654321")
    ]
    assert service.post("flow", on=True)["moved"]
    assert both.said_only(WriteEconomicCustomer) == []
    assert service.post("flow", on=True, mark=shown["mark"])["state"] == "done"
    assert len(both.said_only(WriteEconomicCustomer)) == 1


def test_a_deleted_one_is_left_or_unlinked(pages: Pages, both: Both) -> None:
    customer = deleted(both, pages)
    service = Service(pages, customer)
    task = service.get("create")["task"]
    assert service.post("leave", task="0" * 32)["refused"] == [{"detail": "", "reason": "moved"}]
    assert service.post("leave", task=task)["state"] == "done"
    assert service.post("unlink", number=8)["moved"]
    assert service.post("unlink", number=7)["state"] == "done"
    assert both.of(customer.id).number is None


def test_what_was_refused_is_tried_again(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    pages.time = both.time
    assert Service(pages, customer).post("retry")["state"] == "done"


@pytest.mark.parametrize("name", ["update", "create", "flow"])
def test_a_readers_key_sees_and_does_none_of_it(pages: Pages, both: Both, name: str) -> None:
    customer = differing(both, pages)
    reader = Service(pages, customer, "reader")
    answer = reader.client.get(f"{reader.url}/{name}", headers=reader.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    body = {"details": [{"key": "x", "mark": "0"}]} if name == "update" else {"on": False} if name == "flow" else {}
    assert reader.send(name, **body).status_code == 403
    assert decisions(pages) == []


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("update", {"details": []}, 422),
        ("update", {"details": [{"key": "x.name", "mark": "0"}]}, 400),
        ("update", {"details": [{"key": "x", "mark": "\x00"}]}, 422),
        ("update", {}, 422),
        ("create", {"decision": "x"}, 422),
        ("create", {"task": "\x00"}, 422),
        ("create", {"number": 7}, 422),
        ("retry", {"on": True}, 422),
        ("unlink", {"number": 0}, 422),
        ("leave", {}, 422),
        ("flow", {"on": "perhaps"}, 422),
    ],
)
def test_what_makes_no_sense_is_a_problem_and_changes_nothing(
    pages: Pages, both: Both, name: str, body: dict[str, Any], status: int
) -> None:
    customer = differing(both, pages)
    answer = Service(pages, customer).send(name, **body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert decisions(pages) == []


def test_another_tenants_customer_is_not_there(pages: Pages, both: Both) -> None:
    customer = differing(both, pages)
    stranger = Service(pages, customer, "admin", tenant="other")
    for name, body in (("retry", {}), ("create", {}), ("flow", {"on": False}), ("unlink", {"number": 7})):
        assert stranger.send(name, **body).status_code == 404
    assert decisions(pages) == []


def test_an_id_with_a_letter_no_database_holds_is_a_problem(pages: Pages, both: Both) -> None:
    customer = differing(both, pages)
    service = Service(pages, customer)
    for name in ("status", "update"):
        answer = service.client.get(f"{pages.url}/api/v1/customers/%00/{name}", headers=service.headers)
        assert answer.status_code == 422
