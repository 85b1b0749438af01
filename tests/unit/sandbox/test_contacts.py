"""Does the sandbox set the traps of contact persons?"""

import json

import pytest

from tests.builders.sandbox import CONTACTS, CUSTOMERS, Caller, codes, contact


@pytest.fixture
def economic() -> Caller:
    caller = Caller()
    caller.made(1001)
    caller.made(1002)
    return caller


def test_a_create_answers_with_a_number_of_the_agreement_alone(economic: Caller) -> None:
    answered = economic.ask("POST", CONTACTS, contact(1001))
    assert (answered.status, json.loads(answered.body)) == (201, {"number": 1})
    assert economic.made_contact(1002)["number"] == 2


def test_the_number_shown_to_people_counts_per_customer(economic: Caller) -> None:
    economic.made_contact(1001)
    assert economic.made_contact(1002)["userInterfaceNumber"] == 1
    assert economic.made_contact(1001, name="Jens")["userInterfaceNumber"] == 2


def test_a_put_at_a_contacts_own_address_is_405_and_changes_nothing(economic: Caller) -> None:
    made = economic.made_contact()
    assert economic.ask("PUT", f"{CONTACTS}/{made['number']}", {**made, "phone": "1"}).status == 405
    assert economic.get(f"{CONTACTS}/{made['number']}") == made


def test_a_put_at_the_collection_replaces_everything(economic: Caller) -> None:
    made = economic.made_contact(email="mh@b.example", receiveInvoices=True)
    body = contact(number=made["number"], phone="22", objectVersion=made["objectVersion"])
    answered = economic.ask("PUT", CONTACTS, body)
    assert (answered.status, answered.body) == (204, b"")
    after = economic.get(f"{CONTACTS}/{made['number']}")
    assert after["phone"] == "22"
    assert "email" not in after
    assert after["receiveInvoices"] is False
    assert after["objectVersion"] != made["objectVersion"]


def test_a_put_on_a_version_no_longer_held_is_a_conflict(economic: Caller) -> None:
    made = economic.made_contact()
    economic.ask("PUT", CONTACTS, {**made, "phone": "1"})
    assert economic.ask("PUT", CONTACTS, {**made, "phone": "2"}).status == 409
    del made["objectVersion"]
    assert economic.ask("PUT", CONTACTS, made).status == 409


def test_a_name_is_needed_and_unique_on_its_customer(economic: Caller) -> None:
    economic.made_contact(1001)
    assert codes(economic.ask("POST", CONTACTS, contact(1001, name=" "))) == ["CustomerContactNameNullOrEmpty"]
    again = economic.ask("POST", CONTACTS, contact(1001, name="METTE HOLM"))
    assert codes(again) == ["CustomerContactNameAlreadyExists"]
    assert economic.ask("POST", CONTACTS, contact(1002)).status == 201


def test_namesakes_from_before_can_be_edited_under_their_name(economic: Caller) -> None:
    economic.made_contact(name="Mette Holm")
    twin = economic.made_contact(name="En anden")
    economic.data.agreement().contacts[twin["number"]].values["name"] = "Mette Holm"
    twin = economic.get(f"{CONTACTS}/{twin['number']}")
    assert economic.ask("PUT", CONTACTS, {**twin, "phone": "1"}).status == 204


def test_the_name_of_a_deleted_contact_is_free(economic: Caller) -> None:
    made = economic.made_contact()
    economic.ask("DELETE", f"{CONTACTS}/{made['number']}")
    assert economic.ask("POST", CONTACTS, contact()).status == 201


def test_a_contact_stays_with_its_customer(economic: Caller) -> None:
    made = economic.made_contact(1001)
    assert codes(economic.ask("PUT", CONTACTS, {**made, "customerNumber": 1002})) == ["CustomerNumberMismatch"]


def test_a_contact_needs_a_customer_that_is_there(economic: Caller) -> None:
    assert codes(economic.ask("POST", CONTACTS, contact(7))) == ["CustomerDoesNotExist"]
    assert economic.ask("POST", CONTACTS, {"name": "Uden kunde"}).status == 400


def test_a_deleted_contact_stays_readable_and_listed_as_deleted(economic: Caller) -> None:
    made = economic.made_contact()
    address = f"{CONTACTS}/{made['number']}"
    assert economic.ask("DELETE", address).status == 204
    assert economic.ask("DELETE", address).status == 404
    after = economic.get(address)
    assert (after["isDeleted"], after["active"]) == (True, False)
    assert economic.get(CONTACTS, filter="customerNumber$eq:1001")["items"] == [after]
    assert economic.get(CONTACTS, filter="isDeleted$eq:false")["items"] == []
    assert economic.ask("PUT", CONTACTS, after).status == 404


def test_a_deleted_contact_is_gone_when_so_set(economic: Caller) -> None:
    made = economic.made_contact()
    economic.data.settings.change({"deleted_contacts": "gone"})
    economic.ask("DELETE", f"{CONTACTS}/{made['number']}")
    assert economic.ask("GET", f"{CONTACTS}/{made['number']}").status == 404
    assert economic.get(CONTACTS)["items"] == []


def test_a_contact_the_customer_names_cannot_be_deleted(economic: Caller) -> None:
    made = economic.made_contact()
    held = economic.get(f"{CUSTOMERS}/1001")
    assert economic.ask("PUT", f"{CUSTOMERS}/1001", {**held, "defaultAttention": made["number"]}).status == 204
    assert codes(economic.ask("DELETE", f"{CONTACTS}/{made['number']}")) == ["CustomerContactIsInUse"]


def test_a_contact_of_another_customer_cannot_be_its_attention(economic: Caller) -> None:
    made = economic.made_contact(1002)
    held = economic.get(f"{CUSTOMERS}/1001")
    answered = economic.ask("PUT", f"{CUSTOMERS}/1001", {**held, "defaultAttention": made["number"]})
    assert codes(answered) == ["CustomerInvalidDefaultAttention"]


def test_contacts_changed_since_a_moment_can_be_asked_for(economic: Caller) -> None:
    economic.made_contact(name="Før")
    economic.data.advance(3600)
    late = economic.made_contact(name="Efter")
    since = late["lastUpdated"]
    assert economic.get(CONTACTS, filter=f"lastUpdated$gte:{since}")["items"] == [late]
    assert len(economic.get(CONTACTS, filter="lastUpdated$gte:2020-01-01")["items"]) == 2


def test_lastupdated_cannot_be_sorted_on(economic: Caller) -> None:
    assert economic.ask("GET", f"{CONTACTS}/paged?sort=lastUpdated").status == 400


def test_the_contacts_of_one_customer_are_found_also_among_other_conditions(economic: Caller) -> None:
    economic.made_contact(1001, email="a@b.example")
    economic.made_contact(1002)
    found = economic.get(CONTACTS, filter="customerNumber$eq:1001$and:email$like:b.example")["items"]
    assert [one["customerNumber"] for one in found] == [1001]
    either = economic.get(CONTACTS, filter="customerNumber$eq:1001$or:customerNumber$eq:1002")["items"]
    assert len(either) == 2


def test_an_edit_of_a_contact_moves_its_customer_only_when_so_set(economic: Caller) -> None:
    before = economic.get(f"{CUSTOMERS}/1001")["objectVersion"]
    economic.made_contact()
    assert economic.get(f"{CUSTOMERS}/1001")["objectVersion"] == before
    economic.data.settings.change({"contact_bumps_customer": True})
    economic.made_contact(name="Jens")
    assert economic.get(f"{CUSTOMERS}/1001")["objectVersion"] != before
