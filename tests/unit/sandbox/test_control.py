"""Can a test and a person steer the sandbox: switches, faults, snapshot, edits, pages?"""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from economic_adapter.sandbox.data import GRANT
from economic_adapter.sandbox.settings import BadSetting, Settings
from tests.builders.sandbox import CONTACTS, CUSTOMERS, Caller


@pytest.fixture
def economic() -> Caller:
    caller = Caller()
    caller.made(1001)
    return caller


def post(economic: Caller, path: str, body: Any, status: int = 200) -> Any:
    answered = economic.ask("POST", path, body)
    assert answered.status == status, answered.body
    return json.loads(answered.body)


def test_a_person_edits_a_customer_and_only_what_is_named(economic: Caller) -> None:
    before = economic.get(f"{CUSTOMERS}/1001")
    post(economic, "/_sandbox/ui/customers/1001", {"city": "Aarhus"})
    after = economic.get(f"{CUSTOMERS}/1001")
    assert after["objectVersion"] != before["objectVersion"]
    assert {**after, "objectVersion": ""} == {**before, "objectVersion": "", "city": "Aarhus"}


def test_a_person_creates_renumbers_bars_and_deletes(economic: Caller) -> None:
    assert post(economic, "/_sandbox/ui/customers", {"name": "Ny"})["customerNumber"] == 1
    post(economic, "/_sandbox/ui/customers/1/renumber", {"number": 77})
    post(economic, "/_sandbox/ui/customers/77/bar", {})
    assert economic.get(f"{CUSTOMERS}/77")["access"] is False
    post(economic, "/_sandbox/ui/customers/77/delete", {})
    assert economic.ask("GET", f"{CUSTOMERS}/77").status == 404


def test_a_renumbered_customer_takes_its_contacts_along(economic: Caller) -> None:
    made = economic.made_contact()
    post(economic, "/_sandbox/ui/customers/1001/renumber", {"number": 77})
    after = economic.get(f"{CONTACTS}/{made['number']}")
    assert after["customerNumber"] == 77
    assert after["objectVersion"] != made["objectVersion"]


def test_a_person_edits_contacts(economic: Caller) -> None:
    made = post(economic, "/_sandbox/ui/customers/1001/contacts", {"name": "Mette"})
    post(economic, f"/_sandbox/ui/contacts/{made['number']}", {"phone": "22"})
    assert economic.get(f"{CONTACTS}/{made['number']}")["phone"] == "22"
    post(economic, f"/_sandbox/ui/contacts/{made['number']}/delete", {})
    post(economic, f"/_sandbox/ui/contacts/{made['number']}", {"phone": "33"}, 404)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("ui/customers/1001", {"telephone": "1"}, 400),
        ("ui/customers/1001", {"email": "x"}, 400),
        ("ui/customers/7", {"city": "x"}, 404),
        ("ui/customers/1001/renumber", {}, 404),
        ("faults", {"kind": "fire"}, 400),
        ("faults", {"kind": "slow", "often": True}, 400),
        ("settings", {"latency": 1}, 400),
        ("settings", {"latency_ms": "1"}, 400),
        ("grants/unknown", {"revoked": True}, 404),
        ("nothing", {}, 404),
    ],
)
def test_a_mistake_in_a_test_is_said(economic: Caller, path: str, body: Any, status: int) -> None:
    assert post(economic, f"/_sandbox/{path}", body, status)["error"]


def test_the_snapshot_holds_everything_of_an_agreement(economic: Caller) -> None:
    economic.made_contact()
    found = economic.get("/_sandbox/snapshot", agreement=123456)["123456"]
    assert [one["customerNumber"] for one in found["customers"]] == [1001]
    assert [one["name"] for one in found["contacts"]] == ["Mette Holm"]


def test_reset_forgets_everything(economic: Caller) -> None:
    post(economic, "/_sandbox/settings", {"put_status": 200})
    post(economic, "/_sandbox/reset", {})
    assert economic.get(f"{CUSTOMERS}/count") == 0
    assert economic.data.settings.put_status == 204


def test_a_grant_can_be_taken_back_and_given_again(economic: Caller) -> None:
    post(economic, f"/_sandbox/grants/{GRANT}", {"revoked": True})
    assert economic.ask("GET", CUSTOMERS).status == 401
    post(economic, f"/_sandbox/grants/{GRANT}", {"revoked": False})
    assert economic.ask("GET", CUSTOMERS).status == 200


def test_a_wrong_setting_changes_nothing_at_all() -> None:
    settings = Settings()
    with pytest.raises(BadSetting):
        settings.change({"put_status": 200, "delete_status": 418})
    assert settings.put_status == 204


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "throttle", "retry_after": 3}, 429),
        ({"kind": "redirect", "location": "http://elsewhere.invalid/"}, 302),
        ({"kind": "html"}, 200),
    ],
)
def test_a_fault_before_the_work_leaves_it_undone(economic: Caller, fault: dict[str, Any], status: int) -> None:
    post(economic, "/_sandbox/faults", {**fault, "method": "POST", "path": "*/customers"})
    answered = economic.ask("POST", CUSTOMERS, {**economic.get(f"{CUSTOMERS}/1001"), "customerNumber": 2})
    assert answered.status == status
    assert economic.get(f"{CUSTOMERS}/count") == 1


def test_a_fault_after_the_work_leaves_it_done(economic: Caller) -> None:
    post(economic, "/_sandbox/faults", {"kind": "drop", "when": "after", "method": "POST"})
    body = {**economic.get(f"{CUSTOMERS}/1001"), "customerNumber": 2}
    answered = economic.ask("POST", CUSTOMERS, body, idempotency_key="k")
    assert answered.manner == "drop"
    assert economic.get(f"{CUSTOMERS}/count") == 2
    assert economic.ask("POST", CUSTOMERS, body, idempotency_key="k").status == 201


def test_faults_count_skip_and_take_chances_from_a_seed(economic: Caller) -> None:
    post(economic, "/_sandbox/faults", {"kind": "status", "count": 2, "skip": 1})
    assert [economic.ask("GET", "/self").status for _ in range(4)] == [200, 500, 500, 200]
    runs = []
    for _ in range(2):
        post(economic, "/_sandbox/faults", {"kind": "status", "count": None, "probability": 0.5, "seed": 7})
        runs.append([economic.ask("GET", "/self").status for _ in range(20)])
        economic.ask("DELETE", "/_sandbox/faults")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_away_refuses_the_whole_service_but_not_people(economic: Caller) -> None:
    post(economic, "/_sandbox/faults", {"kind": "away", "seconds": 60})
    assert economic.ask("GET", CUSTOMERS).manner == "drop"
    post(economic, "/_sandbox/ui/customers/1001", {"city": "Aarhus"})
    post(economic, "/_sandbox/away", {"seconds": 60, "status": 503})
    assert economic.ask("GET", "/self").status == 503
    economic.ask("DELETE", "/_sandbox/away")
    assert economic.get(f"{CUSTOMERS}/1001")["city"] == "Aarhus"


def test_a_next_page_can_lead_elsewhere(economic: Caller) -> None:
    economic.made(1002)
    post(economic, "/_sandbox/faults", {"kind": "foreign_next", "location": "http://foreign.invalid"})
    page = economic.get("/customers", pagesize=1)
    assert page["pagination"]["nextPage"].startswith("http://foreign.invalid/customers?")


def form(economic: Caller, path: str, **values: str) -> tuple[int, str, str]:
    answered = economic.ask("POST", path, urlencode(values), content_type="application/x-www-form-urlencoded")
    return answered.status, answered.headers.get("Location", ""), answered.body.decode()


def test_the_pages_escape_what_they_show(economic: Caller) -> None:
    post(economic, "/_sandbox/ui/customers/1001", {"name": '<script>alert("1")</script>', "city": '"><b>'})
    post(economic, "/_sandbox/ui/customers/1001/contacts", {"name": "<i>x</i>"})
    for path in ("/", "/kunder/1001", "/?q=<b>"):
        page = economic.ask("GET", path).body.decode()
        assert not any(bad in page for bad in ("<script>", '"><b>', "<i>x", 'value="<b>'))


def test_a_person_edits_on_the_page_and_an_old_page_overwrites_nothing(economic: Caller) -> None:
    version = economic.get(f"{CUSTOMERS}/1001")["objectVersion"]
    assert form(economic, "/kunder/1001", version=version, name="Nyt navn")[:2] == (303, "/kunder/1001?ok=gemt")
    assert economic.get(f"{CUSTOMERS}/1001")["name"] == "Nyt navn"
    assert form(economic, "/kunder/1001", version=version, name="Gammelt navn")[0] == 409
    assert economic.get(f"{CUSTOMERS}/1001")["name"] == "Nyt navn"


def test_the_page_says_in_danish_what_is_wrong_and_keeps_what_was_typed(economic: Caller) -> None:
    version = economic.get(f"{CUSTOMERS}/1001")["objectVersion"]
    status, _, page = form(economic, "/kunder/1001", version=version, name="Nyt navn", email="forkert")
    assert status == 400
    assert "E-mailadressen er ikke gyldig." in page
    assert 'value="forkert"' in page


def test_the_list_finds_by_name_number_and_contact_person(economic: Caller) -> None:
    post(economic, "/_sandbox/ui/customers", {"name": "Bageriet", "customerNumber": 5})
    economic.made_contact(1001, name="Mette")
    for wanted, shown, hidden in (("bager", "Bageriet", "Nordhavn Tømrer ApS</a>"), ("mette", "Nordhavn", "Bageriet")):
        page = economic.ask("GET", f"/?q={wanted}").body.decode()
        assert shown in page
        assert hidden not in page


def test_a_form_from_another_site_is_refused(economic: Caller) -> None:
    answered = economic.ask("POST", "/kunder/1001/slet", "", origin="http://evil.example")
    assert answered.status == 403
    assert "Intet er gemt" in answered.body.decode()
    assert economic.get(f"{CUSTOMERS}/count") == 1


def test_giving_access_leads_back_with_a_token_that_works(economic: Caller) -> None:
    link = "/secure/api1/requestaccess.aspx?appPublicToken=sandbox-app-public&redirectUrl=https%3A%2F%2Fcrm.example%2Fa%3Fb%3D1"
    assert "Clickmate CRM" in economic.ask("GET", link).body.decode()
    status, location, _ = form(economic, link, agreement="123456")
    assert (status, location.split("token=")[0]) == (302, "https://crm.example/a?b=1&")
    assert Caller(economic.data, grant=location.split("token=")[1]).get("/self")["agreementNumber"] == 123456


def test_giving_access_without_a_way_back_shows_the_token(economic: Caller) -> None:
    link = "/secure/api1/requestaccess.aspx?appPublicToken=sandbox-app-public"
    status, _, page = form(economic, link, agreement="123456")
    assert status == 200
    assert "grant-" in page
    assert economic.ask("GET", link.replace("public", "wrong")).status == 404


def test_the_buttons_take_e_conomic_away_and_lose_a_webhook(economic: Caller) -> None:
    assert form(economic, "/knapper/vaek")[0] == 303
    assert economic.data.faults.away()[0] > 29
    assert form(economic, "/knapper/tilbage")[0] == 303
    assert form(economic, "/knapper/webhook")[0] == 303
    fault = economic.data.faults.take_hook()
    assert fault is not None
    assert fault.kind == "hook_lost"
