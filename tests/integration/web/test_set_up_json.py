"""A service sees and sets what the set-up page does: the same checks, the same choices, the same refusals."""

from typing import Any

import jwt
import pytest
import sqlalchemy as sa

from economic_adapter.contract import ConfigureAgreement
from reconciler import agreements
from reconciler.person import Role
from tests.builders.sync import AGREEMENT, TENANT, agreement_seen
from tests.integration.web.browsing import CONNECT_KEY, ask
from tests.integration.web.companies import Admin
from tests.integration.web.serving import served
from tests.integration.web.test_runs_json import call, key, said


def test_what_is_set_up_and_what_is_checked(admin: Admin) -> None:
    told = said(admin, "GET", "/set-up")
    assert told["access"] | {"seen": None, "checks": []} == {
        "state": "asks", "agreement": AGREEMENT, "company": "Nordhavn Tømrer ApS", "next_step": "none", "since": None,
        "seen": None, "asking": False, "our_keys": "unheard", "adapter_heard": None, "lacking_settings": [], "checks": [],
    }  # fmt: skip
    assert [one["name"] for one in told["steps"] if one["done"]] == []
    assert {one["name"]: one["lacks"] for one in told["steps"]}["rules"] == ["rules", "transfer"]
    checks = {one["name"]: (one["how"], one["sentence"]) for one in told["access"]["checks"]}
    assert list(checks) == ["access", "agreement", "module", "role", "webhooks", "limits"]
    assert checks["access"] == ("ok", "OK")
    assert checks["webhooks"] == ("unknown", "Made when the integration is turned on.")
    assert (told["integration"], told["transfer"], told["receive"]) == ("off", "created", "webhooks")
    assert (told["may_create"], told["number_from"], told["highest_number"]) == ("users", None, 9)
    assert (told["calls_today"], told["calls_most"]) == (0, 45_000)


def test_lost_access_is_told_with_its_cause_and_next_step(admin: Admin) -> None:
    wire = admin.company.wire
    wire.hear(agreement_seen(wire.time, state="access_lost", cause="AccessDeniedAgreementMissingModules"))
    access = said(admin, "GET", "/set-up")["access"]
    assert (access["state"], access["next_step"]) == ("lost", "try_again")
    assert access["since"] is not None
    (module,) = [one for one in access["checks"] if one["name"] == "module"]
    assert (module["how"], module["cause"], module["code"]) == (
        "bad", "api_missing", "AccessDeniedAgreementMissingModules",
    )  # fmt: skip
    assert module["sentence"].startswith("Your e-conomic subscription has no API access.")


def test_only_what_is_named_is_set(admin: Admin) -> None:
    told = said(admin, "PATCH", "/set-up", {"transfer": "hand", "number_from": 1000})
    assert (told["transfer"], told["receive"], told["number_from"]) == ("hand", "webhooks", 1000)
    told = said(admin, "PATCH", "/set-up", {"receive": "checks", "may_create": "admins"})
    assert (told["transfer"], told["receive"], told["number_from"]) == ("hand", "checks", 1000)
    assert (told["may_create"], told["flows_by_default"], told["may_bulk"]) == ("admins", True, "users")
    told = said(admin, "PATCH", "/set-up", {"flows_by_default": False, "may_bulk": "admins"})
    assert (told["flows_by_default"], told["may_bulk"], told["may_create"]) == (False, "admins", "admins")
    assert said(admin, "PATCH", "/set-up", {})["number_from"] == 1000
    assert said(admin, "PATCH", "/set-up", {"number_to": 1999})["number_to"] == 1999
    assert call(admin, "PATCH", "/set-up", {"number_from": 2000}).status_code == 400
    assert said(admin, "PATCH", "/set-up", {"number_to": None})["number_to"] is None
    assert said(admin, "PATCH", "/set-up", {"number_from": None})["number_from"] is None
    assert said(admin, "GET", "/set-up")["transfer"] == "hand"


def test_confirmed_switched_off_and_given_up(admin: Admin) -> None:
    assert said(admin, "POST", "/set-up/agreement", {"agreement": AGREEMENT, "right": True})["access"]["state"] == (
        "connected"
    )
    assert call(admin, "POST", "/set-up/agreement", {"agreement": AGREEMENT, "right": False}).status_code == 409
    admin.switch_on()
    assert said(admin, "GET", "/set-up")["integration"] == "on"
    assert said(admin, "POST", "/set-up/off", {"agreement": AGREEMENT})["integration"] == "off"
    admin.company.wire.said()
    told = said(admin, "POST", "/set-up/disconnect", {"agreement": AGREEMENT}, 202)
    assert told["access"]["state"] == "disconnecting"
    assert [one.disconnect for one in admin.company.wire.said_only(ConfigureAgreement)] == [True]
    admin.company.wire.hear(agreement_seen(admin.company.wire.time, state="disconnected"))
    told = said(admin, "GET", "/set-up")
    assert (told["access"]["state"], told["integration"], told["transfer"]) == ("disconnected", "not_set_up", None)
    assert call(admin, "POST", "/set-up/disconnect", {"agreement": AGREEMENT}).status_code == 404
    assert call(admin, "PATCH", "/set-up", {"transfer": "hand"}).status_code == 404
    assert said(admin, "PATCH", "/set-up", {"may_create": "users"})["may_create"] == "users"


def test_in_the_middle_of_a_run_nothing_is_given_up(admin: Admin) -> None:
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set busy = gen_random_uuid()"))
    answer = call(admin, "POST", "/set-up/disconnect", {"agreement": AGREEMENT})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert "busy" in answer.json()["detail"]


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admins_key_may(admin: Admin, role: Role) -> None:
    given = key(admin, role)
    for method, path, body in (
        ("GET", "/set-up", None), ("PATCH", "/set-up", {"transfer": "hand"}),
        ("POST", "/set-up/agreement", {"agreement": AGREEMENT, "right": False}),
        ("POST", "/set-up/off", {"agreement": AGREEMENT}), ("POST", "/set-up/disconnect", {"agreement": AGREEMENT}),
    ):  # fmt: skip
        assert call(admin, method, path, body, given).status_code == 403, path


def test_another_tenants_agreement_does_not_exist(admin: Admin) -> None:
    theirs = key(admin, tenant="other")
    assert call(admin, "GET", "/set-up", None, theirs).json()["access"]["state"] == "not_connected"
    for path, body in (
        ("/set-up/off", {"agreement": AGREEMENT}), ("/set-up/disconnect", {"agreement": AGREEMENT}),
        ("/set-up/agreement", {"agreement": AGREEMENT, "right": True}),
    ):  # fmt: skip
        assert call(admin, "POST", path, body, theirs).status_code == 404, path
    with admin.pages.engine.connect() as connection:
        assert agreements.of_tenant(connection, TENANT)[0].configure is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/set-up", {"transfer": "never"}), ("PATCH", "/set-up", {"receive": True}),
        ("PATCH", "/set-up", {"number_from": 0}), ("PATCH", "/set-up", {"number_from": 10**9}),
        ("PATCH", "/set-up", {"colour": "red"}), ("PATCH", "/set-up", []), ("POST", "/set-up/off", {}),
        ("POST", "/set-up/disconnect", {"agreement": "x"}), ("POST", "/set-up/agreement", {"agreement": AGREEMENT}),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_as_a_problem(admin: Admin, method: str, path: str, body: Any) -> None:
    answer = call(admin, method, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_person_is_invited_and_e_conomic_asked_again(admin: Admin) -> None:
    link = said(admin, "POST", "/set-up/connect-link?lang=en", None, 201)
    held = jwt.decode(
        link["url"].partition("attempt=")[2], CONNECT_KEY, ["HS256"], audience="connect", options={"verify_exp": False}
    )
    assert (held["tenant"], held["lang"]) == (TENANT, "en")
    assert said(admin, "POST", "/set-up/check", {"agreement": AGREEMENT}, 202)["access"]["asking"]
    assert call(admin, "POST", "/set-up/connect-link", None, key(admin, "user")).status_code == 403
    theirs = key(admin, tenant="other")
    assert call(admin, "POST", "/set-up/check", {"agreement": AGREEMENT}, theirs).status_code == 404
    with served(admin.pages.engine, connect_key=b"") as there:
        answer = ask("POST", f"{there.url}/api/v1/set-up/connect-link", headers=key(admin))
        assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
        told = ask("GET", f"{there.url}/api/v1/set-up", headers=key(admin)).json()
    assert told["access"]["lacking_settings"] == ["CONNECT_KEY"]
