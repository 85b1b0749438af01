"""Does the sandbox's legacy REST API read the same data in its own shape?"""

import json
from urllib.parse import urlsplit

import pytest

from tests.builders.sandbox import CUSTOMERS, Caller


@pytest.fixture
def economic() -> Caller:
    return Caller()


def test_self_pins_the_agreement(economic: Caller) -> None:
    found = economic.get("/self")
    assert (found["agreementNumber"], found["company"]["name"]) == (123456, "Nordhavn Tømrer ApS")


def test_a_write_through_the_other_api_moves_lastupdated(economic: Caller) -> None:
    made = economic.made()
    before = economic.get("/customers/1001")["lastUpdated"]
    economic.data.advance(10)
    economic.ask("PUT", f"{CUSTOMERS}/1001", {**made, "city": "Aarhus"})
    after = economic.get("/customers/1001")
    assert after["lastUpdated"] > before
    assert after["city"] == "Aarhus"


def test_customers_changed_since_a_moment_are_found_in_order(economic: Caller) -> None:
    for number in (3, 1, 2):
        economic.made(number)
        economic.data.advance(60)
    since = economic.get("/customers/1")["lastUpdated"]
    found = economic.get("/customers", filter=f"lastUpdated$gte:{since}", sort="lastUpdated")
    assert [one["customerNumber"] for one in found["collection"]] == [1, 2]
    assert (found["pagination"]["results"], found["pagination"]["resultsWithoutFilter"]) == (2, 3)


def test_customers_are_found_by_cvr_and_ean(economic: Caller) -> None:
    economic.made(1, cvrNo="13748136")
    economic.made(2, cvrNo="13748136", eanLocationNumber="5790000000005")
    by_cvr = economic.get("/customers", filter="corporateIdentificationNumber$eq:13748136")["collection"]
    by_ean = economic.get("/customers", filter="ean$eq:5790000000005")["collection"]
    assert [one["customerNumber"] for one in by_cvr] == [1, 2]
    assert [one["customerNumber"] for one in by_ean] == [2]
    assert len(economic.get("/customers", filter="ean$eq:$null:")["collection"]) == 1


def test_pages_link_to_their_neighbours_and_end(economic: Caller) -> None:
    for number in range(1, 6):
        economic.made(number)
    seen = []
    address: str | None = "/customers?pagesize=2&sort=customerNumber"
    while address is not None:
        page = json.loads(economic.ask("GET", address).body)
        seen += [one["customerNumber"] for one in page["collection"]]
        following = page["pagination"].get("nextPage")
        address = None if following is None else following.removeprefix("http://sandbox.test")
    assert seen == [1, 2, 3, 4, 5]
    assert "skippages=1" in page["pagination"]["previousPage"]


def test_links_echo_the_filter_encoded(economic: Caller) -> None:
    economic.made()
    page = economic.get("/customers", filter="name$like:Tømrer")["pagination"]
    assert "filter=name%24like%3AT%C3%B8mrer" in urlsplit(page["firstPage"]).query


def test_past_the_end_is_an_empty_page_with_the_true_count(economic: Caller) -> None:
    economic.made()
    page = economic.get("/customers", skippages=9)
    assert (page["collection"], page["pagination"]["results"]) == ([], 1)


def test_a_page_of_more_than_a_thousand_is_refused(economic: Caller) -> None:
    answered = economic.ask("GET", "/customers?pagesize=1001")
    assert (answered.status, json.loads(answered.body)["errorCode"]) == (400, "E04810")


def test_a_property_that_cannot_be_filtered_is_refused_with_those_that_can(economic: Caller) -> None:
    answered = economic.ask("GET", "/customers?filter=paymentTerms$eq:1")
    body = json.loads(answered.body)
    assert answered.status == 400
    assert "lastUpdated" in body["allowedFilteringFields"]
    assert isinstance(body["errors"][0], str)


def test_a_bad_sort_is_refused(economic: Caller) -> None:
    answered = economic.ask("GET", "/customers?sort=barred")
    assert json.loads(answered.body)["message"] == "Could not parse query string sort parameter."


def test_what_is_not_there_is_404_in_the_legacy_shape(economic: Caller) -> None:
    for path in ("/customers/7", "/customers/7/contacts", "/customers/x", "/nothing"):
        answered = economic.ask("GET", path)
        assert (answered.status, json.loads(answered.body)["errorCode"]) == (404, "E06000")


def test_the_two_address_lines_are_one_address(economic: Caller) -> None:
    economic.made(address1="Havnegade 12", address2="2. sal")
    assert economic.get("/customers/1001")["address"] == "Havnegade 12\n2. sal"


def test_contacts_are_listed_under_their_customer(economic: Caller) -> None:
    economic.made()
    economic.made_contact(receiveInvoices=True)
    found = economic.get("/customers/1001/contacts")["collection"]
    assert [(one["name"], one["emailNotifications"]) for one in found] == [("Mette Holm", ["invoices"])]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/customer-groups", "customerGroupNumber"),
        ("/payment-terms", "paymentTermsNumber"),
        ("/vat-zones", "vatZoneNumber"),
        ("/currencies", "code"),
    ],
)
def test_reference_data_can_be_read(economic: Caller, path: str, key: str) -> None:
    assert all(key in one for one in economic.get(path)["collection"])
