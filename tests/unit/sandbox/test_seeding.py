"""Can an e-conomic be filled with thousands of records, and can its listings go wrong on request?"""

import json
import time
from typing import Any

import pytest

from economic_adapter.sandbox.faults import BadFault
from tests.builders.sandbox import CONTACTS, CUSTOMERS, Caller


@pytest.fixture
def economic() -> Caller:
    return Caller()


def seeded(economic: Caller, page: int = 1000, **what: Any) -> dict[str, int]:
    answered = economic.ask("POST", "/_sandbox/seed", what)
    assert answered.status == 200, answered.body
    economic.data.settings.cursor_page = page
    found: dict[str, int] = json.loads(answered.body)
    return found


def numbers(page: Any) -> list[int]:
    return [one.get("number") or one["customerNumber"] for one in page["items"]]


def test_thousands_are_there_at_once_and_read_like_any_other(economic: Caller) -> None:
    began = time.perf_counter()
    assert seeded(economic, customers=5000, contacts=6000, first=10001) == {"customers": 5000, "contacts": 6000}
    assert time.perf_counter() - began < 5
    assert (economic.get(f"{CUSTOMERS}/count"), economic.get(f"{CONTACTS}/count")) == (5000, 6000)
    page = economic.get(CUSTOMERS)
    assert (len(page["items"]), page["cursor"]) == (1000, "11001")
    one = economic.get(f"{CUSTOMERS}/10001")
    assert (one["name"], one["access"]) == ("Kunde 10001 ApS", True)
    assert economic.ask("POST", CUSTOMERS, {**one, "customerNumber": 1}).status == 201
    legacy = economic.get("/customers", filter="lastUpdated$gte:2020-01-01T00:00:00Z", pagesize="1")
    assert legacy["pagination"]["results"] == 5001


def test_what_is_seeded_was_last_changed_long_ago(economic: Caller) -> None:
    seeded(economic, customers=3, contacts=3)
    yesterday = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))
    assert economic.get("/customers", filter=f"lastUpdated$gte:{yesterday}")["collection"] == []
    assert economic.get(CONTACTS, filter=f"lastUpdated$gte:{yesterday}")["items"] == []


def test_records_are_taken_as_given_with_their_contacts(economic: Caller) -> None:
    seeded(economic, records=[{"customerNumber": 7, "name": "\u202eenø", "contacts": [{"name": "Anne"}]}])
    assert economic.get(f"{CUSTOMERS}/7")["name"] == "\u202eenø"
    assert economic.get(CONTACTS)["items"][0]["customerNumber"] == 7
    assert economic.ask("POST", "/_sandbox/seed", {"customers": 1, "first": 7}).status == 400
    assert economic.ask("POST", "/_sandbox/seed", {"sheep": 1}).status == 400


def test_a_listing_that_repeats_is_its_first_page_again(economic: Caller) -> None:
    seeded(economic, customers=6, page=2)
    economic.data.faults.add("repeat", path="*/customers", skip=1)
    first = economic.get(CUSTOMERS)
    assert economic.get(CUSTOMERS, cursor=first["cursor"]) == first
    assert numbers(economic.get(CUSTOMERS, cursor=first["cursor"])) == [3, 4]


def test_an_endless_listing_always_shows_others_and_a_next_page(economic: Caller) -> None:
    seeded(economic, customers=2, contacts=2)
    economic.data.faults.add("endless", path="*customersapi*", count=None)
    seen: set[int] = set()
    cursor = ""
    for _ in range(5):
        page = economic.get(CUSTOMERS, **({"cursor": cursor} if cursor else {}))
        cursor = page["cursor"]
        assert not seen & set(numbers(page))
        seen |= set(numbers(page))
    assert numbers(economic.get(CONTACTS)) == [6_000_001, 6_000_002]


def test_an_endless_legacy_listing_always_names_a_next_page(economic: Caller) -> None:
    seeded(economic, customers=1)
    economic.data.faults.add("endless", path="/customers")
    assert economic.get("/customers")["pagination"]["nextPage"]
    assert "nextPage" not in economic.get("/customers")["pagination"]


def test_a_shrinking_listing_has_lost_its_first_customer(economic: Caller) -> None:
    seeded(economic, customers=6, contacts=6, page=2)
    economic.data.faults.add("shrink", path="*/customers", skip=1)
    page = economic.get(CUSTOMERS)
    assert numbers(economic.get(CUSTOMERS, cursor=page["cursor"])) == [3, 4]
    assert economic.get(f"{CUSTOMERS}/count") == 5
    assert numbers(economic.get(CONTACTS)) == [2, 3]


def test_the_cursor_of_a_listing_can_lead_elsewhere(economic: Caller) -> None:
    seeded(economic, customers=6, page=2)
    economic.data.faults.add("foreign_next", path="*/customers")
    assert economic.get(CUSTOMERS)["cursor"] == "http://foreign.invalid/"


def test_a_fault_nobody_knows_is_refused(economic: Caller) -> None:
    with pytest.raises(BadFault):
        economic.data.faults.add("shrinks")
