"""A service does what the pages do: asks for a preview, confirms its counts, steers, reads the lists, takes back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from economic_adapter.contract import ConfigureAgreement
from reconciler import people, running
from reconciler.person import Role
from tests.builders.sync import TENANT
from tests.integration.web.companies import Admin


def key(admin: Admin, role: Role = "admin", tenant: str = TENANT) -> dict[str, str]:
    with admin.pages.engine.begin() as connection:
        made = people.make_key(connection, tenant, "The CRM", role, admin.pages.time)[1]
    return {"authorization": f"Bearer {made}"}


def call(admin: Admin, method: str, path: str, body: Any = None, given: dict[str, str] | None = None) -> httpx.Response:
    headers = given or key(admin)
    return admin.browser.client.request(method, f"{admin.pages.url}/api/v1{path}", json=body, headers=headers)


def said(admin: Admin, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    answer = call(admin, method, path, body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def previewed(admin: Admin, **wanted: Any) -> dict[str, Any]:
    run = said(admin, "POST", "/runs", {"kind": "switch_on", **wanted}, 202)
    assert run["state"] == "asked"
    admin.turn()
    shown = said(admin, "GET", f"/runs/{run['id']}")
    assert shown["state"] == "previewed"
    return shown


def test_read_shown_confirmed_carried_out_listed_and_taken_back(admin: Admin) -> None:
    asked = said(admin, "POST", "/runs", {"kind": "switch_on"}, 202)
    assert said(admin, "POST", "/runs", {"kind": "switch_on"}, 202)["id"] == asked["id"]
    assert asked["reading"]["done"] == 0
    admin.turn()
    shown = said(admin, "GET", f"/runs/{asked['id']}")
    preview = shown["preview"]
    assert (sum(preview["clickmate"].values()), sum(preview["economic"].values())) == (5, 4)
    assert preview["confirm"] == {"linked": 2, "filled": 1, "created": 0}
    lines = said(admin, "GET", f"/runs/{shown['id']}/list?of=filled&about=phone")
    assert (lines["total"], lines["lines"][0]["crm_id"], lines["lines"][0]["after"]) == (1, "alike", "22222222")
    counts = {"counts": preview["confirm"]}
    begun = said(admin, "POST", f"/runs/{shown['id']}/confirm", counts, 202)
    assert said(admin, "POST", f"/runs/{shown['id']}/confirm", counts, 202)["id"] == begun["id"] == shown["id"]
    admin.turn()
    admin.company.wire.switch(customers=4)
    admin.carry_out()
    done = said(admin, "GET", f"/runs/{shown['id']}")
    assert (done["state"], done["done"], done["total"], done["may_be_undone"]) == ("done", 2, 2, True)
    foreseen = said(admin, "GET", f"/runs/{shown['id']}/undo")
    assert foreseen == {"links": 2, "details": 1, "set_inactive": 0, "left": []}
    undo = said(admin, "POST", f"/runs/{shown['id']}/undo", None, 202)
    assert said(admin, "POST", f"/runs/{shown['id']}/undo", None, 202)["id"] == undo["id"]
    admin.carry_out()
    assert admin.company.crm["alike"].phone == ""
    kinds = [one["kind"] for one in said(admin, "GET", "/runs")["runs"]]
    assert {"undo", "switch_on", "read"} <= set(kinds)


def test_other_counts_and_what_is_over_are_refused(admin: Admin) -> None:
    shown = previewed(admin)
    wrong = {"counts": {"linked": 3, "filled": 1, "created": 0}}
    answer = call(admin, "POST", f"/runs/{shown['id']}/confirm", wrong)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert call(admin, "GET", f"/runs/{shown['id']}/undo").status_code == 409
    assert call(admin, "POST", f"/runs/{shown['id']}/undo").status_code == 409
    assert call(admin, "POST", f"/runs/{shown['id']}/brake", {"answer": "stop", "seen": ""}).status_code == 409
    assert call(admin, "POST", "/runs", {"kind": "transfer"}).status_code == 409
    said(admin, "POST", f"/runs/{shown['id']}/steer", {"action": "stop"})
    assert call(admin, "POST", f"/runs/{shown['id']}/steer", {"action": "stop"}).status_code == 409
    assert admin.company.wire.said_only(ConfigureAgreement) == []


def test_a_trial_is_asked_for_followed_and_ended(admin: Admin) -> None:
    shown = previewed(admin, kind="trial", customer="alike")
    said(admin, "POST", f"/runs/{shown['id']}/confirm", {"counts": shown["preview"]["confirm"]}, 202)
    admin.turn()
    admin.company.wire.switch(customers=4)
    for _ in range(2):
        running.carry_out(admin.company.wire.engine, admin.company.wire.clocked)
    admin.company.work()
    trial = said(admin, "GET", "/trial")
    assert (trial["customer"], trial["run"]) == ("alike", shown["id"])
    assert [one["fields"] for one in trial["arrivals"]] == [["phone"]]
    assert said(admin, "POST", "/trial/end", {"answer": "keep"}, 202)["customer"] is None
    assert call(admin, "POST", "/trial/end", {"answer": "keep"}).status_code == 409
    assert said(admin, "POST", "/trial/skip")["skipped"] is not None


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admins_key_may(admin: Admin, role: Role) -> None:
    shown = previewed(admin)
    given = key(admin, role)
    for method, path, body in (
        ("GET", "/runs", None), ("POST", "/runs", {"kind": "transfer"}), ("GET", f"/runs/{shown['id']}", None),
        ("GET", f"/runs/{shown['id']}/list?of=crm", None), ("POST", f"/runs/{shown['id']}/steer", {"action": "stop"}),
        ("POST", f"/runs/{shown['id']}/undo", None), ("GET", "/trial", None), ("POST", "/trial/skip", None),
    ):  # fmt: skip
        assert call(admin, method, path, body, given).status_code == 403, path


def test_another_tenants_run_does_not_exist(admin: Admin) -> None:
    shown = previewed(admin)
    theirs = key(admin, tenant="other")
    for run in (shown["id"], str(uuid4())):
        for method, path, body in (
            ("GET", "", None), ("GET", "/list?of=crm", None), ("GET", "/undo", None), ("POST", "/undo", None),
            ("POST", "/steer", {"action": "stop"}), ("POST", "/brake", {"answer": "stop", "seen": ""}),
            ("POST", "/confirm", {"counts": {"linked": 2, "filled": 1, "created": 0}}),
        ):  # fmt: skip
            answer = call(admin, method, f"/runs/{run}{path}", body, theirs)
            assert (answer.status_code, answer.json()["status"]) == (404, 404), path
    assert call(admin, "GET", "/runs", None, theirs).json() == {"runs": []}
    assert call(admin, "POST", "/runs", {"kind": "switch_on"}, theirs).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/runs", {"kind": "all"}), ("/runs", {"kind": "switch_on", "groups": ["shoe_size"]}), ("/runs", {}),
        ("/runs", {"kind": "switch_on", "colour": "red"}), ("/runs", []), ("/runs", {"kind": "trial", "customer": ""}),
        ("/runs", {"kind": "trial", "customer": "a", "customer_number": 0}), ("/runs/1/steer", {"action": "stop"}),
        ("/trial/end", {"answer": "perhaps"}), ("/runs/{}/confirm", {"counts": {}}),
        ("/runs/{}/confirm", {"counts": {"linked": -1}}), ("/runs/{}/confirm", {"counts": {"shoes": 1}}),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_as_a_problem(admin: Admin, path: str, body: Any) -> None:
    answer = call(admin, "POST", path.format(uuid4()), body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_trial_names_its_customer_and_nothing_else_does(admin: Admin) -> None:
    for body in ({"kind": "trial"}, {"kind": "switch_on", "customer": "alike"}):
        assert call(admin, "POST", "/runs", body).status_code == 409


def test_the_description_names_the_errors_of_each(admin: Admin) -> None:
    described = admin.browser.get("/api/v1/openapi.json").json()
    for path, ways in described["paths"].items():
        if path.startswith(("/api/v1/runs", "/api/v1/trial")):
            for way in ways.values():
                assert {"401", "403", "404", "409"} <= set(way["responses"]), path
