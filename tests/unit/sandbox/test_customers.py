"""Does the sandbox's Customers API set the traps the real one sets?"""

import json
from typing import Any

import pytest

from tests.builders.sandbox import CONTACTS, CUSTOMERS, Caller, codes, customer


@pytest.fixture
def economic() -> Caller:
    return Caller()


def test_a_create_answers_with_the_key_alone_and_where_it_is(economic: Caller) -> None:
    answered = economic.ask("POST", CUSTOMERS, customer(1001))
    assert (answered.status, json.loads(answered.body)) == (201, {"customerNumber": 1001})
    assert answered.headers["Location"].endswith("/customersapi/v3.1.0/Customers/1001")


def test_a_customer_made_without_access_is_barred_on_both_apis(economic: Caller) -> None:
    made = economic.made(access=None)
    assert made["access"] is False
    assert economic.get("/customers/1001")["barred"] is True


def test_a_customer_with_access_carries_no_barred_in_the_legacy_answer(economic: Caller) -> None:
    economic.made()
    assert "barred" not in economic.get("/customers/1001")


def test_a_put_replaces_everything_and_what_is_left_out_is_gone(economic: Caller) -> None:
    made = economic.made(city="Aarhus C", email="a@b.example")
    body = customer(1001, access=None, objectVersion=made["objectVersion"])
    answered = economic.ask("PUT", f"{CUSTOMERS}/1001", body)
    assert (answered.status, answered.body) == (204, b"")
    after = economic.get(f"{CUSTOMERS}/1001")
    assert "city" not in after
    assert "email" not in after
    assert after["access"] is False


@pytest.mark.parametrize("version", [None, "0123456789abcdef"])
def test_a_put_without_the_version_read_is_a_conflict_and_writes_nothing(economic: Caller, version: str | None) -> None:
    before = economic.made()
    answered = economic.ask("PUT", f"{CUSTOMERS}/1001", customer(1001, name="Ny", objectVersion=version))
    assert (answered.status, codes(answered)) == (409, ["UpdateConflict"])
    assert economic.get(f"{CUSTOMERS}/1001") == before


def test_every_write_moves_the_version_of_sixteen_hex_digits_also_an_empty_one(economic: Caller) -> None:
    seen = {economic.made()["objectVersion"]}
    for _ in range(3):
        held = economic.get(f"{CUSTOMERS}/1001")
        assert economic.ask("PUT", f"{CUSTOMERS}/1001", held).status == 204
        seen.add(economic.get(f"{CUSTOMERS}/1001")["objectVersion"])
    assert len(seen) == 4
    assert all(len(version) == 16 and int(version, 16) >= 0 for version in seen)


def test_a_taken_number_is_a_400_and_not_a_409(economic: Caller) -> None:
    economic.made()
    answered = economic.ask("POST", CUSTOMERS, customer(1001))
    assert (answered.status, codes(answered)) == (400, ["CustomerAlreadyExists"])


@pytest.mark.parametrize(
    ("values", "code", "name"),
    [
        ({"customerNumber": None}, "CustomerInvalidCustomerNumber", "CustomerNumber"),
        ({"customerNumber": 1_000_000_000}, "CustomerInvalidCustomerNumber", "CustomerNumber"),
        ({"name": None}, "CustomerMissingName", "Name"),
        ({"customerGroupNumber": 99}, "CustomerInvalidGroupId", "CustomerGroupNumber"),
        ({"paymentTermId": None, "paymentTermsNumber": 1}, "CustomerInvalidPaymentTerm", "PaymentTermId"),
        ({"paymentTermId": 4}, "CustomerBarredPaymentTerm", "PaymentTermId"),
        ({"zone": 5}, "CustomerInvalidVatZone", "Zone"),
        ({"currency": "XXX"}, "CustomerInvalidCurrency", "Currency"),  # ISO 4217: no currency
        ({"email": "ikke en adresse"}, "CustomerInvalidEmail", "Email"),
        ({"defaultInvoiceRecipient": "@"}, "CustomerInvalidInvoiceEmail", "DefaultInvoiceRecipient"),
        ({"eanLocationNumber": "579000"}, "CustomerInvalidEANThirteenDigits", "EanLocationNumber"),
        ({"eanLocationNumber": "5790000000006"}, "CustomerInvalidEAN", "EanLocationNumber"),
        ({"pnr": "123"}, "CustomerInvalidPNumber", "Pnr"),
        ({"name": "Kontrol\x01tegn"}, "CustomerInvalidCharacters", "Name"),
        ({"defaultAttention": 7}, "CustomerInvalidDefaultAttention", "DefaultAttention"),
        ({"city": "x" * 51}, "StringTooLong", "City"),
        ({"zone": "1"}, "InvalidValue", "Zone"),
        ({"access": 1}, "InvalidValue", "Access"),
    ],
)
def test_what_e_conomic_does_not_take_is_refused_with_its_code(
    economic: Caller, values: dict[str, Any], code: str, name: str
) -> None:
    answered = economic.ask("POST", CUSTOMERS, customer(**{"number": 1001, **values}))
    error = json.loads(answered.body)["errors"][0]
    assert (answered.status, error["errorCode"], error["property"]) == (400, code, name)
    assert economic.get(f"{CUSTOMERS}/count") == 0


@pytest.mark.parametrize("name", ["email", "access", "creditMaximum"])
def test_an_explicit_null_is_refused(economic: Caller, name: str) -> None:
    answered = economic.ask("POST", CUSTOMERS, {**customer(), name: None})
    assert answered.status == 400
    assert json.loads(answered.body)["errors"][0]["message"] == "Invalid value provided."


def test_unknown_and_misspelt_names_are_ignored_without_a_sound(economic: Caller) -> None:
    made = economic.made(telephoneAndFaxNumber="86 12 34 56", Email="a@b.example")
    assert "telephoneAndFaxNumber" not in made
    assert "email" not in made


def test_several_addresses_separated_by_a_space_are_an_email(economic: Caller) -> None:
    assert economic.made(email="a@b.example c@d.example")["email"] == "a@b.example c@d.example"


def test_the_number_cannot_be_changed_by_a_put(economic: Caller) -> None:
    made = economic.made()
    answered = economic.ask("PUT", f"{CUSTOMERS}/1001", {**made, "customerNumber": 1002})
    assert codes(answered) == ["CustomerannotChangeNumber"]


def test_a_number_is_free_again_after_a_delete_and_its_contacts_are_gone(economic: Caller) -> None:
    economic.made()
    economic.made_contact()
    assert economic.ask("DELETE", f"{CUSTOMERS}/1001").status == 204
    assert economic.ask("DELETE", f"{CUSTOMERS}/1001").status == 404
    economic.made(name="En helt anden A/S")
    assert economic.get(CONTACTS, filter="customerNumber$eq:1001") == {"items": []}


def test_a_customer_in_use_cannot_be_deleted(economic: Caller) -> None:
    economic.made()
    economic.data.agreement().customers[1001].in_use = True
    assert economic.ask("DELETE", f"{CUSTOMERS}/1001").status == 400
    assert economic.get(f"{CUSTOMERS}/count") == 1


def test_updates_and_deletes_answer_200_when_so_set(economic: Caller) -> None:
    economic.data.settings.change({"put_status": 200, "delete_status": 200})
    made = economic.made()
    assert economic.ask("PUT", f"{CUSTOMERS}/1001", made).status == 200
    assert economic.ask("DELETE", f"{CUSTOMERS}/1001").status == 200


def test_false_flags_are_left_out_when_so_set(economic: Caller) -> None:
    economic.data.settings.change({"omit_false": True})
    assert "access" not in economic.made(access=False)


def test_paths_and_query_names_do_not_tell_cases_apart(economic: Caller) -> None:
    economic.made()
    assert economic.get("/CUSTOMERSAPI/V3.1.0/customers/1001")["customerNumber"] == 1001
    assert len(economic.get("/CustomersAPI/v3.1.0/CUSTOMERS/Paged", PAGESIZE=1)) == 1


def test_another_version_of_the_service_is_not_there(economic: Caller) -> None:
    assert economic.ask("GET", "/customersapi/v3.2.0/Customers").status == 404


def test_only_json_is_understood(economic: Caller) -> None:
    assert economic.ask("POST", CUSTOMERS, customer(), content_type="text/plain").status == 415
    assert economic.ask("POST", CUSTOMERS, "{").status == 400
    assert economic.ask("POST", CUSTOMERS, []).status == 400


def test_the_cursor_names_the_first_of_the_next_set_and_is_absent_at_the_end(economic: Caller) -> None:
    economic.data.settings.change({"cursor_page": 2})
    for number in (3, 1, 2):
        economic.made(number)
    first = economic.get(CUSTOMERS)
    assert ([one["customerNumber"] for one in first["items"]], first["cursor"]) == ([1, 2], "3")
    rest = economic.get(CUSTOMERS, cursor="3")
    assert [one["customerNumber"] for one in rest["items"]] == [3]
    assert "cursor" not in rest


def test_a_sort_is_silently_ignored_with_a_cursor_and_obeyed_by_paged(economic: Caller) -> None:
    for number in (1, 2):
        economic.made(number)
    assert [one["customerNumber"] for one in economic.get(CUSTOMERS, sort="-customerNumber")["items"]] == [1, 2]
    assert [one["customerNumber"] for one in economic.get(f"{CUSTOMERS}/paged", sort="-customerNumber")] == [2, 1]


@pytest.mark.parametrize("query", ["pageSize=101", "pageSize=0", "skipPages=101", "pageSize=x"])
def test_paged_knows_its_limits(economic: Caller, query: str) -> None:
    assert economic.ask("GET", f"{CUSTOMERS}/paged?{query}").status == 400


@pytest.mark.parametrize("asked", ["name$eq:x", "cvrNo$eq:1", "lastUpdated$gte:2026-01-01", "customerNumber$like:1"])
def test_only_the_number_can_be_filtered_on(economic: Caller, asked: str) -> None:
    answered = economic.ask("GET", f"{CUSTOMERS}?filter={asked}")
    assert (answered.status, codes(answered)) == (400, ["BadFilterRequest"])


def test_count_honours_a_filter(economic: Caller) -> None:
    for number in (1, 2, 3):
        economic.made(number)
    assert economic.get(f"{CUSTOMERS}/count", filter="customerNumber$in:[1,3,9]") == 2


def test_the_setup_names_a_default_group(economic: Caller) -> None:
    assert economic.get("/customersapi/v3.1.0/Setup")["defaultCustomerGroupNumber"] == 1


def test_refusals_can_be_in_danish(economic: Caller) -> None:
    economic.data.settings.change({"language": "da"})
    answered = economic.ask("POST", CUSTOMERS, customer(email="x"))
    assert json.loads(answered.body)["errors"][0]["message"] == "E-mailadressen er ikke gyldig."
