"""Bodies and our fields: writing what was read changes nothing, and what is written reads as e-conomic would hold it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter import mapping
from economic_adapter.contract import Defaults, EconomicCustomer, Shown, hold
from economic_adapter.mapping import CONTACT, CUSTOMER, LEGACY, STREET
from economic_adapter.protocol import Ambiguous, Fault

DEFAULTS = Defaults(group=1, terms=2, zone=3, currency="DKK")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
long_texts = texts | st.text(st.sampled_from("aæ \n\t\x85"), min_size=40, max_size=700)
OURS = [*CUSTOMER, "street"]
other = st.dictionaries(
    st.sampled_from(["bankAccount", "creditMaximum", "layoutGroup", "county", "access", "defaultDisableEInvoicing"]),
    texts | st.integers() | st.booleans() | st.none(),
)
bodies = st.builds(
    lambda mapped, more: {"customerNumber": 7, "objectVersion": "v1", **mapped, **more},
    st.dictionaries(st.sampled_from([*CUSTOMER.values(), *STREET]), texts | st.none()),
    other,
)
contact_bodies = st.builds(
    lambda mapped: {"number": 4, "customerNumber": 7, "objectVersion": "v1", "receiveInvoices": True, **mapped},
    st.dictionaries(st.sampled_from([*CONTACT.values(), "eInvoiceId"]), texts | st.none()),
)
changes = st.dictionaries(st.sampled_from(OURS), long_texts)
contact_changes = st.dictionaries(st.sampled_from(list(CONTACT)), long_texts)


@given(bodies)
def test_writing_what_was_read_changes_nothing(body: dict[str, Any]) -> None:
    assert mapping.overlay("customer", body, mapping.customer_values(body)) == mapping.plain(body)


@given(contact_bodies)
def test_writing_what_was_read_of_a_contact_person_changes_nothing(body: dict[str, Any]) -> None:
    assert mapping.overlay("contact", body, mapping.contact_values(body)) == mapping.plain(body)


@given(bodies, changes)
def test_what_is_written_reads_as_e_conomic_would_hold_it(body: dict[str, Any], fields: dict[str, str]) -> None:
    read = mapping.customer_values(mapping.overlay("customer", body, fields))
    before = mapping.customer_values(body)
    for field, value in fields.items():
        assert read[field] == (value if before[field] == value else hold("customer", field, value))
    untouched = set(OURS) - set(fields)
    assert {field: read[field] for field in untouched} == {field: before[field] for field in untouched}


@given(contact_bodies, contact_changes)
def test_what_is_written_to_a_contact_person_reads_as_e_conomic_would_hold_it(
    body: dict[str, Any], fields: dict[str, str]
) -> None:
    read = mapping.contact_values(mapping.overlay("contact", body, fields))
    before = mapping.contact_values(body)
    wanted = {field: value for field, value in fields.items() if before[field] != value}
    assert read == before | {field: hold("contact", field, value) for field, value in wanted.items()}


@given(bodies, changes)
def test_everything_that_is_not_ours_stays(body: dict[str, Any], fields: dict[str, str]) -> None:
    written = mapping.overlay("customer", body, fields)
    ours = {*CUSTOMER.values(), *STREET}
    assert {key: value for key, value in written.items() if key not in ours} == {
        key: value for key, value in body.items() if key not in ours and value is not None
    }
    assert None not in written.values()


@given(changes, st.integers(1, 999_999_999))
def test_a_new_customer_reads_as_asked_and_is_not_barred(fields: dict[str, str], number: int) -> None:
    body = mapping.new_customer(number, fields, DEFAULTS)
    assert mapping.agrees("customer", body, {**dict.fromkeys(OURS, ""), **fields})
    assert None not in body.values()
    assert "" not in body.values()
    seen = mapping.customer(body | {"objectVersion": "v"})
    assert (seen.barred, seen.group, seen.terms, seen.zone, seen.currency) == (False, 1, 2, 3, "DKK")


@given(contact_changes)
def test_a_new_contact_person_receives_nothing(fields: dict[str, str]) -> None:
    body = mapping.new_contact(7, fields)
    assert [body[name] for name in mapping.RECEIVE.values()] == [False] * 6
    assert mapping.agrees("contact", body, {**dict.fromkeys(CONTACT, ""), **fields})


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(mapping.RECEIVE.values(), st.none() | st.booleans())))
def test_what_a_contact_person_gets_copies_of_is_told_and_written_back_as_it_is(marks: dict[str, Any]) -> None:
    body = {"number": 7, "customerNumber": 1, "name": "Mette", "objectVersion": "v", **marks}
    told = mapping.contact(body).receives
    assert told is not None
    assert {mapping.RECEIVE[one] for one in told} == {wire for wire, value in marks.items() if value}
    written = mapping.overlay("contact", body, {"email": "m@nordhavn.example"})
    assert {wire: written.get(wire) for wire in marks} == marks


def test_the_street_is_two_lines_there_and_lines_here() -> None:
    body = {"address1": "Havnegade 12", "address2": "Baghuset"}
    assert mapping.customer_values(body)["street"] == "Havnegade 12\nBaghuset"
    assert mapping.overlay("customer", body, {"street": "Torvet 1"}) == {"address1": "Torvet 1"}
    three = mapping.overlay("customer", {}, {"street": "c/o Holm\nTorvet 1\n2. sal"})
    assert three == {"address1": "c/o Holm", "address2": "Torvet 1 2. sal"}


def test_a_lone_second_line_is_left_where_it_stands_while_it_is_the_same() -> None:
    body = {"address2": "Baghuset"}
    assert mapping.overlay("customer", body, {"street": "Baghuset"}) == body


def test_barring_says_it_and_missing_access_is_unknown() -> None:
    body = {"customerNumber": 7, "objectVersion": "v", "name": "A"}
    assert mapping.customer(body).barred is None
    assert mapping.customer(mapping.bar(body)).barred is True
    assert mapping.bar(body) == body | {"access": False}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"customerNumber": 7},
        {"customerNumber": "7", "objectVersion": "v"},
        {"customerNumber": True, "objectVersion": "v"},
        {"customerNumber": 7, "objectVersion": ""},
        {"customerNumber": 7, "objectVersion": "v", "name": ["a"]},
    ],
)
def test_a_body_that_cannot_be_a_customer_settles_nothing(body: dict[str, Any]) -> None:
    with pytest.raises(Ambiguous):
        mapping.customer(body)


@pytest.mark.parametrize(
    ("record", "fault", "field"),
    [
        ("customer", Fault(code="CustomerInvalidEmail"), "email"),
        ("customer", Fault(code="CustomerInvalidPaymentTerm", property="PaymentTermId"), "terms"),
        ("customer", Fault(code="Whatever", property="EanLocationNumber"), "ean"),
        ("customer", Fault(code="Whatever", property="customer.Address2"), "street"),
        ("customer", Fault(code="Whatever", property="CustomerGroupNumber"), "group"),
        ("customer", Fault(code="Whatever", property="bankAccount"), ""),
        ("contact", Fault(code="CustomerContactNameAlreadyExists"), "name"),
        ("contact", Fault(code="Whatever", property="Email"), "email"),
        ("contact", Fault(code="Whatever", property="Cvr"), ""),
    ],
)
def test_a_fault_is_told_by_our_name_of_the_field(record: mapping.Record, fault: Fault, field: str) -> None:
    assert mapping.detail(record, fault) == field


def legacy(body: dict[str, Any]) -> dict[str, Any]:
    """The same customer as the legacy API shows it: one address, empty fields left out."""
    values = mapping.customer_values(body)
    shown: dict[str, Any] = {wire: values[field] for field, wire in LEGACY.items() if values[field]}
    shown |= {"customerNumber": 7, "currency": "DKK", "customerGroup": {"customerGroupNumber": 1}}
    shown |= {"paymentTerms": {"paymentTermsNumber": 2}, "vatZone": {"vatZoneNumber": 3}}
    return shown | ({"barred": True} if body.get("access") is False else {})


@given(changes, st.booleans())
def test_the_legacy_view_of_an_unchanged_customer_is_no_change(fields: dict[str, str], access: bool) -> None:
    body = mapping.new_customer(7, fields, DEFAULTS) | {"access": access}
    assert not mapping.legacy_differs(legacy(body), body)
    joined = legacy(body)
    if "address" in joined:
        joined["address"] = joined["address"].replace("\n", "\r\n  ")
    assert not mapping.legacy_differs(joined, body)


@pytest.mark.parametrize(
    "change",
    [{"name": "B"}, {"barred": True}, {"zip": "9000"}, {"currency": "EUR"}, {"vatZone": {"vatZoneNumber": 1}}],
)
def test_the_legacy_view_of_a_changed_customer_is_a_change(change: dict[str, Any]) -> None:
    body = mapping.new_customer(7, {"name": "A", "postcode": "8000"}, DEFAULTS)
    assert mapping.legacy_differs(legacy(body) | change, body)


def test_the_content_of_a_customer_is_equal_whatever_the_versions_of_its_records() -> None:
    def seen(version: str, name: str = "Mette Holm") -> EconomicCustomer:
        body = {"customerNumber": 7, "objectVersion": version, "name": "Nordhavn", "creditMaximum": version}
        return mapping.customer(body, [{"number": 1, "objectVersion": version, "name": name}])

    assert seen("a") != seen("b")
    assert mapping.content(seen("a")) == mapping.content(seen("b"))
    assert mapping.content(seen("a")) != mapping.content(seen("a", "Mette Lund"))


READ = {"defaultInvoiceRecipient": "faktura@nordhavn.example", "creditMaximum": 25000.5, "defaultAttention": 4}


def read(**more: Any) -> EconomicCustomer:
    """A customer with one contact person, as it is told."""
    person = {"number": 4, "objectVersion": "v", "eInvoiceId": more.pop("eInvoiceId", None)}
    return mapping.customer({"customerNumber": 7, "objectVersion": "v", **more}, [person])


def test_what_people_read_there_is_told() -> None:
    told = read(**READ, eInvoiceId="57-4")
    assert told.shown == Shown(invoice_recipient="faktura@nordhavn.example", credit_limit=25000.5, attention=4)
    assert [one.e_invoice_id for one in told.contacts] == ["57-4"]
    assert read().shown is None


@pytest.mark.parametrize("strange", [None, True, [], {}, "many", float("nan"), float("inf"), 10**400, -(10**400), ""])
def test_what_cannot_be_read_is_left_out_and_stops_nothing(strange: Any) -> None:
    told = read(
        defaultInvoiceRecipient=[strange], creditMaximum=strange, defaultAttention=strange, eInvoiceId=[strange]
    )
    assert (told.shown, [one.e_invoice_id for one in told.contacts]) == (None, [""])
    assert read(**{**READ, "defaultInvoiceRecipient": 7}).shown == Shown(credit_limit=25000.5, attention=4)


@pytest.mark.parametrize(
    "change",
    [*({name: value} for name, value in READ.items()), {"eInvoiceId": "57-4"}, {"customerGroupNumber": 9}, {"zone": 9},
     {"paymentTermId": 9}, {"currency": "EUR"}],
)  # fmt: skip
def test_the_content_of_a_customer_is_equal_whatever_is_only_read_there(change: dict[str, Any]) -> None:
    assert read(**change) != read()
    assert mapping.content(read(**change)) == mapping.content(read())
