"""A service lists, counts and answers questions, tries errors again and reads the history, as the pages do."""

import html
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people
from reconciler.contract import StatusChanged
from reconciler.person import Role
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, refused, there
from tests.integration.web.browsing import Pages, ask


class Service:
    """Whoever holds an API key."""

    def __init__(self, pages: Pages, role: Role = "user", tenant: str = TENANT) -> None:
        with pages.engine.begin() as connection:
            _, key = people.make_key(connection, tenant, "CRM", role, pages.time)
        self._url, self._headers = f"{pages.url}/api/v1", {"authorization": f"Bearer {key}", "accept-language": "da"}

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return ask(method, self._url + path, headers=self._headers, json=body)


def gone(both: Both, pages: Pages) -> str:
    customer = both.linked(7, cvr="12345678")
    both.gone(7, 2)
    both.said()
    pages.time = both.time
    return customer.id


def failing(both: Both, pages: Pages) -> None:
    customer = both.linked(8, cvr="87654321", name="Sydhavn")
    both.in_crm(customer.model_copy(update={"email": "odd"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid.")
    both.hear(economic_answered(command, outcome, customer=there(customer, 8, "v1", contacts=()), version=2))
    both.said()
    pages.time = both.time


def test_questions_are_listed_counted_shown_and_answered_once(pages: Pages, both: Both) -> None:
    customer = gone(both, pages)
    failing(both, pages)
    service = Service(pages)
    listed = service.get("/tasks")
    assert listed["total"] == 1
    (task,) = listed["tasks"]
    assert (task["kind"], task["crm_id"], task["text"]) == ("deleted_there", customer, "Slettet i e-conomic")
    assert service.get("/tasks?kind=values") == {"total": 0, "tasks": []}
    assert service.get("/tasks/count") == {"mine": 1, "all": 1, "errors": 1}
    assert Service(pages, "reader").get("/tasks/count")["mine"] == 0
    whole = service.get(f"/tasks/{task['id']}")
    assert [one["answer"] for one in whole["answers"]] == ["create", "unlink", "inactive", "leave"]
    given = {"id": str(uuid4()), "answer": "leave", "seen": whole["seen"]}
    path = f"/tasks/{task['id']}/answers"
    assert service.ask("POST", path, {**given, "seen": "other"}).status_code == 409
    assert service.ask("POST", path, {**given, "answer": "bar"}).status_code == 400
    assert Service(pages, "reader").ask("POST", path, given).status_code == 403
    first, second = (service.ask("POST", path, given) for _ in range(2))
    assert first.json() == second.json()
    assert (first.status_code, first.json()["state"], first.json()["text"]) == (200, "done", "Dit svar er udført.")
    assert service.get("/tasks")["total"] == 0
    assert service.get(f"/tasks/{task['id']}")["closed"] is True


def test_of_a_merge_both_customers_of_e_conomic_are_told_and_one_is_kept(pages: Pages, both: Both) -> None:
    merged, heir = both.linked(7, name="A", cvr="12345678"), both.linked(8, name="B", cvr="87654321")
    both.in_crm(merged.model_copy(update={"merged_into": heir.id}), 2)
    both.said()
    pages.time = both.time
    service = Service(pages)
    (task,) = service.get("/tasks")["tasks"]
    whole = service.get(f"/tasks/{task['id']}")
    assert [(one["customer_number"], one["values"]["cvr"]) for one in whole["heirs"]] == [
        (8, "87654321"),
        (7, "12345678"),
    ]
    offered = {one["answer"]: one for one in whole["answers"]}
    assert set(offered) >= {"keep_own", "keep_merged"}
    given = {"id": str(uuid4()), "answer": "keep_merged", "seen": whole["seen"]}
    assert service.ask("POST", f"/tasks/{task['id']}/answers", given).json()["state"] == "done"
    assert (both.of(heir.id).number, both.of(merged.id).number) == (7, None)


def test_where_a_creation_lacks_something_what_may_be_supplied_is_told(pages: Pages, both: Both) -> None:
    customer = both.new(country="")
    both.in_crm(customer)
    both.said()
    pages.time = both.time
    service = Service(pages)
    (error,) = service.get("/errors")["errors"]
    offered = service.get(f"/tasks/{error['task']['id']}")["offered"]
    assert {"groups", "zones", "terms", "currencies"} == set(offered)
    assert all({"number", "name"} == set(one) for one in (*offered["groups"], *offered["zones"], *offered["terms"]))
    assert offered["groups"]
    assert offered["currencies"]


def test_what_nobody_has_a_sentence_for_is_told_with_what_e_conomic_calls_its_answer(pages: Pages, both: Both) -> None:
    customer = both.linked(8, cvr="87654321", name="Sydhavn")
    both.in_crm(customer.model_copy(update={"email": "odd"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    named = "a3c1f0d2b4e69788-CPH"
    outcome = refused(command.parts[0].operation, "New", detail="email", message="Nej tak.", request_id=named)
    both.hear(economic_answered(command, outcome, customer=there(customer, 8, "v1", contacts=()), version=2))
    (status,) = both.said_only(StatusChanged)
    assert (status.state, status.request_id) == ("error", named)
    pages.time = both.time
    service, browser = Service(pages), pages.arrive(tenant=TENANT)
    (error,) = service.get("/errors")["errors"]
    sentence = f'e-conomic svarede: "Nej tak.". Teknisk: New, X-RequestId {named}.'
    assert error["request_id"] == named
    assert sentence in error["task"]["text"]
    assert service.get(f"/customers/{customer.id}/status")["request_id"] == named
    (row,) = [one for one in service.get(f"/customers/{customer.id}/details")["rows"] if one["detail"] == "email"]
    assert row["refused"]["request_id"] == named
    for page in ("/errors", f"/customers/{customer.id}", f"/tasks/{error['task']['id']}"):
        shown = html.unescape(browser.get(page).text)
        assert sentence in shown, page
    assert named in browser.get("/errors.csv").text


def test_errors_are_told_with_their_cause_and_tried_again(pages: Pages, both: Both) -> None:
    failing(both, pages)
    service, admin = Service(pages), Service(pages, "admin")
    (error,) = service.get("/errors")["errors"]
    assert (error["code"], error["message"], error["value"], error["tries"]) == (
        "CustomerInvalidEmail",
        "Invalid.",
        "odd",
        1,
    )
    assert "odd" in error["task"]["text"]
    answer = service.ask("POST", f"/errors/{error['task']['id']}/retry", {"id": str(uuid4())})
    assert answer.json()["state"] == "done"
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"email": "odd"}
    both.hear(economic_answered(command, refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email")))
    given = {"id": str(uuid4()), "shown": pages.time.isoformat()}
    assert service.ask("POST", "/errors/retries", given).status_code == 403
    made = admin.ask("POST", "/errors/retries", given)
    assert (made.status_code, made.json()["total"], made.json()["state"]) == (202, 1, "running")
    assert admin.get(f"/errors/retries/{given['id']}")["left"] == 1
    assert admin.ask("POST", f"/errors/retries/{given['id']}/stop").json()["state"] == "stopped"


def test_the_history_and_what_rules_settled_are_read_and_taken_back(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="11111111")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", contacts=(), phone="33333333"), 2)
    customer = customer.model_copy(update={"phone": "22222222"})
    both.in_crm(customer, 2)
    both.set(paused="[]")
    both.in_crm(customer, 3)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(customer, 7, "v3", contacts=())
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    both.said()
    pages.time = both.time
    service = Service(pages)
    (settled,) = service.get("/settled")["settled"]
    assert settled["changes"] == [{"field": "phone", "before": "33333333", "after": "22222222"}]
    assert service.ask("POST", f"/settled/{settled['id']}/undo").status_code == 200
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "33333333"}
    events = service.get("/history?who=rule&system=economic&detail=phone")["history"]
    assert [(one["by"], one["changes"]) for one in events] == [("rule", settled["changes"])]
    assert service.get("/history?who=person")["history"][0]["who"] == "CRM"
    assert service.get("/kept")["total"] == 0


@pytest.mark.parametrize(
    "path",
    ["/tasks/{id}", "/errors/retries/{id}"],
)
def test_another_tenants_are_not_there(pages: Pages, both: Both, path: str) -> None:
    gone(both, pages)
    mine = Service(pages)
    task = mine.get("/tasks")["tasks"][0]["id"]
    stranger = Service(pages, "admin", "other")
    answer = stranger.ask("GET", path.format(id=task))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    given = {"id": str(uuid4()), "answer": "leave", "seen": "x"}
    assert stranger.ask("POST", f"/tasks/{task}/answers", given).status_code == 404
    assert stranger.get("/tasks") == {"total": 0, "tasks": []}


def test_what_is_senseless_is_told_as_a_problem_and_never_fails(pages: Pages, both: Both) -> None:
    gone(both, pages)
    service = Service(pages, "admin")
    task = service.get("/tasks")["tasks"][0]["id"]
    asked: list[tuple[str, str, object]] = [
        ("GET", "/tasks?kind=x", None), ("GET", "/tasks?page=0", None), ("GET", "/tasks?limit=501", None),
        ("GET", "/tasks?customer=%00", None), ("GET", "/tasks?since=x", None), ("GET", "/tasks?group=-1", None),
        ("GET", "/tasks/x", None), ("GET", "/history?who=x", None), ("GET", "/history?person_id=%00", None),
        ("POST", f"/tasks/{task}/answers", {}), ("POST", f"/tasks/{task}/answers", {"id": 1, "answer": "x"}),
        ("POST", f"/tasks/{task}/answers", {"id": str(uuid4()), "answer": "leave", "seen": "x", "more": 1}),
        ("POST", f"/tasks/{task}/answers", {"id": str(uuid4()), "answer": "link", "seen": "\0"}),
        ("POST", f"/tasks/{task}/answers", {"id": str(uuid4()), "answer": "release", "seen": "x"}),
        ("POST", "/errors/retries", {"id": str(uuid4()), "shown": "2026-01-01T00:00:00"}),
        ("POST", "/settled/0/undo", None), ("POST", "/settled/99999/undo", None),
        ("POST", f"/kept/{uuid4()}/{uuid4()}/name/undo", None), ("POST", f"/errors/{uuid4()}/retry", {"id": str(uuid4())}),
    ]  # fmt: skip
    for method, path, body in asked:
        answer = service.ask(method, path, body)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", path
    assert service.get("/tasks?since=0001-01-01&group=999999999&page=10000") == {"total": 0, "tasks": []}
    described = ask("GET", f"{pages.url}/api/v1/openapi.json").json()
    assert re.fullmatch(r"[0-9.]+", described["openapi"])
    assert "/api/v1/tasks/{task}/answers" in described["paths"]
