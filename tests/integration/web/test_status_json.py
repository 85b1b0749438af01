"""Does the JSON of a status tell what is true, to whom it belongs, and in the past tense unless it holds now?"""

from typing import Any

import httpx
import pytest

from reconciler import people
from reconciler.person import Person, Role
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import Pages


def key(pages: Pages, role: Role = "user", tenant: str = TENANT) -> str:
    with pages.engine.begin() as connection:
        return people.make_key(connection, tenant, "The CRM", role, pages.time)[1]


def ask(pages: Pages, crm_id: str, key: str, **query: str) -> httpx.Response:
    address = f"{pages.url}/api/v1/customers/{crm_id}/status"
    return pages.browser().client.get(address, params=query, headers={"authorization": f"Bearer {key}"})


def said(pages: Pages, crm_id: str, key_: str | None = None, **query: str) -> dict[str, Any]:
    answer = ask(pages, crm_id, key_ or key(pages), **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_same_on_both_sides_is_said_in_the_present_only_for_the_version_on_the_screen(
    pages: Pages, both: Both
) -> None:
    customer = both.linked(7, cvr="12345678")
    pages.time = both.time
    told = said(pages, customer.id, version="1.1")
    assert (told["state"], told["customer_number"], told["compared"]["live"]) == ("same", 7, True)
    assert (told["freshness"], told["flows"], told["differs"]) == ("fresh", True, [])
    assert not said(pages, customer.id)["compared"]["live"]
    assert not said(pages, customer.id, version="1.2")["compared"]["live"]
    assert not said(pages, customer.id, version="nonsense")["compared"]["live"]
    pages.later(minutes=6)
    told = said(pages, customer.id, version="1.1")
    assert (told["freshness"], told["compared"]["live"]) == ("older", False)


def test_what_differs_is_named_with_both_values_and_who_may_choose(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="Nordhavn A/S", contacts=()), 2)
    both.in_crm(customer.model_copy(update={"name": "Nordhavn Gruppen"}), 2)
    both.set(paused="[]")
    told = said(pages, customer.id)
    assert (told["state"], told["choices"]) == ("choice", 1)
    may = {"allowed": True, "why_not": ""}
    assert told["actions"] == [{"name": "choose", **may}, {"name": "turn_off", **may}]
    assert told["differs"] == [{"field": "name", "crm": "Nordhavn Gruppen", "economic": "Nordhavn A/S", "person": ""}]
    with pages.engine.begin() as connection:
        people.meet(connection, Person(tenant=TENANT, id="m", name="Mette Krogh", role="admin"), pages.time)
    told = said(pages, customer.id, key(pages, "reader"))
    may = {"allowed": False, "why_not": "Mette Krogh"}
    assert told["actions"] == [{"name": "choose", **may}, {"name": "turn_off", **may}]


def test_what_there_is_to_choose_is_counted_detail_by_detail_and_a_group_is_one(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", street="Havnegade 1", postcode="8000", city="Aarhus C")
    both.set(paused='["crm", "economic"]')
    moved = {"street": "Havnegade 2", "postcode": "8200", "city": "Aarhus N", "email": "post@a.example"}
    both.in_economic(there(customer, 7, "v2", **moved, contacts=()), 2)
    also_moved = {"street": "Havnegade 3", "postcode": "8210", "city": "Aarhus V", "email": "post@b.example"}
    both.in_crm(customer.model_copy(update=also_moved), 2)
    both.set(paused="[]")
    told = said(pages, customer.id)
    assert (told["state"], told["choices"]) == ("choice", 2)


def test_one_that_may_be_there_already_is_neither_yes_nor_no(pages: Pages, both: Both) -> None:
    customer = both.new(name="Sydhavn Maler A/S", postcode="5000", city="Odense")
    both.in_economic(sydhavn(cvr="", postcode="5000"), why="import")
    both.in_crm(customer)
    told = said(pages, customer.id)
    assert (told["state"], told["customer_number"]) == ("perhaps", None)


def test_before_anything_is_set_up_every_customer_says_so(pages: Pages) -> None:
    told = said(pages, "48211")
    assert (told["state"], told["agreement"]) == ("not_set_up", None)
    assert told["actions"] == [{"name": "set_up", "allowed": False, "why_not": ""}]
    assert said(pages, "48211", key(pages, "admin"))["actions"][0]["allowed"]


def test_another_tenants_customer_is_as_unknown_as_one_that_never_was(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    theirs = key(pages, "admin", tenant="other")
    assert said(pages, customer.id, theirs) == said(pages, "nobody", theirs)


@pytest.mark.parametrize(
    ("given", "status"), [({}, 401), ({"authorization": "Bearer cme_x"}, 401), ({"authorization": "Basic eA=="}, 401)]
)
def test_without_a_key_that_holds_nothing_is_told(pages: Pages, given: dict[str, str], status: int) -> None:
    answer = pages.browser().client.get(f"{pages.url}/api/v1/customers/1/status", headers=given)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (answer.json()["title"], answer.headers["content-language"]) == ("Ingen nøgle", "da")


@pytest.mark.parametrize(
    ("address", "accepted", "title"),
    [
        ("nothing", "en-GB,en;q=0.9,da;q=0.8", "Not found"),
        ("nothing", "da;q=0.9,en;q=0.1", "Findes ikke"),
        ("nothing?lang=en", "da", "Not found"),
        ("nothing?lang=da", "en", "Findes ikke"),
        ("nothing", "sv", "Findes ikke"),
    ],
)
def test_a_problem_is_said_in_the_language_that_was_asked_for(
    pages: Pages, address: str, accepted: str, title: str
) -> None:
    answer = pages.browser().client.get(f"{pages.url}/api/v1/{address}", headers={"accept-language": accepted})
    assert (answer.status_code, answer.json()["title"], answer.json()["type"]) == (404, title, "about:blank")


def test_what_cannot_be_understood_is_said_as_a_problem(pages: Pages) -> None:
    answer = ask(pages, "1", key(pages), version="9" * 40)
    assert (answer.status_code, answer.json()["status"]) == (422, 422)
    assert "version" in answer.json()["detail"]
    missing = pages.browser().get("/api/v1/nothing")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_the_description_names_every_error(pages: Pages) -> None:
    described = pages.browser().get("/api/v1/openapi.json").json()
    answers = described["paths"]["/api/v1/customers/{crm_id}/status"]["get"]["responses"]
    assert {"200", "401", "422"} <= set(answers)
