"""Do values compare as people expect, and do the comparisons obey their laws?"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_outbox.contract import CONTACT_FIELDS, CUSTOMER_FIELDS
from economic_adapter.contract import hold
from reconciler import countries, fields
from reconciler.link import Kind
from reconciler.rules import Area

EVERY = [("customer", field) for field in CUSTOMER_FIELDS] + [("contact", field) for field in CONTACT_FIELDS]
ANY_FIELD = st.sampled_from(EVERY)
ODD = st.text(alphabet=st.sampled_from("aZæß  \t\n\u00a0\u200bé\u0301DKdk-+/.:()0045128SE@wW"), max_size=30)
VALUE = st.one_of(
    ODD,
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(["+45 12 34 56 78", "0045-12345678", "DK 12.34.56.78", "https://WWW.Nordhavn.dk/", "danmark"]),
    st.text(alphabet="abc d", min_size=30, max_size=600),
)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("cvr", "DK12345678", "12 34 56 78"),
        ("cvr", "dk-12.34.56.78", "12345678"),
        ("ean", "57 98 000 000 001", "5798000000001"),
        ("pnumber", "1 003 456 789", "1003456789"),
        ("phone", "+45 12 34 56 78", "12345678"),
        ("phone", "0045 12345678", "12-34-56-78"),
        ("phone", "+46 (0)8 123 45", "0046812345"),
        ("mobile", "(+45) 20 30 40 50", "20304050"),
        ("email", " Post@Nordhavn.DK ", "post@nordhavn.dk"),
        ("website", "https://www.Nordhavn.dk/", "nordhavn.dk"),
        ("website", "http://nordhavn.dk/Om", "nordhavn.dk/Om"),
        ("street", "Havnegade 1\n2. sal", "Havnegade 1  2. sal"),
        ("postcode", "DK-8000", "8000"),
        ("postcode", "123 45", "12345"),
        ("country", "Danmark", "DK"),
        ("country", "Denmark", "danmark"),
        ("country", "Deutschland", "Tyskland"),
        ("name", "  Nordhavn   Tømrer ApS ", "Nordhavn Tømrer ApS"),
        ("name", "Cafe\u0301", "Café"),
        ("name", " \u00a0\t", ""),
    ],
)
def test_spellings_of_one_value_are_the_same(field: str, one: str, other: str) -> None:
    assert fields.same("customer", field, one, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "Nordhavn", "NORDHAVN"),
        ("name", "Ærø", "Aeroe"),
        ("cvr", "SE12345678", "12345678"),
        ("phone", "12345678", "12345679"),
        ("phone", "+46 12345678", "12345678"),
        ("phone", "12345678 lok. 1", "12345678"),
        ("email", "a+b@c.dk", "a@c.dk"),
        ("country", "Danmark", ""),
        ("postcode", "8000", "8200"),
    ],
)
def test_different_values_are_not_the_same(field: str, one: str, other: str) -> None:
    assert not fields.same("customer", field, one, other)


@given(which=ANY_FIELD, value=VALUE)
@example(which=("customer", "phone"), value="+4500123456")
@example(which=("customer", "country"), value="ẞ")
@example(which=("customer", "cvr"), value="E \u0301")
def test_p10_canonising_twice_changes_nothing(which: tuple[Kind, str], value: str) -> None:
    once = fields.canon(*which, value)
    assert fields.canon(*which, once) == once


@given(which=ANY_FIELD, value=VALUE)
def test_p10_what_was_written_and_read_back_agrees(which: tuple[Kind, str], value: str) -> None:
    kind, field = which
    stored = hold(kind, field, fields.held(kind, field, value))
    assert fields.agree(kind, field, value, stored)
    assert fields.agree(kind, field, stored, stored)


@given(which=ANY_FIELD, value=VALUE)
def test_p10_what_is_sent_is_what_e_conomic_can_hold(which: tuple[Kind, str], value: str) -> None:
    sent = fields.held(*which, value)
    assert fields.held(*which, sent) == sent


@given(value=VALUE)
def test_empty_in_one_field_is_empty_in_every_field(value: str) -> None:
    assert not fields.blank(value) or all(fields.canon(kind, name, value) == "" for kind, name in EVERY)  # type: ignore[arg-type]


def test_every_field_of_the_contracts_is_in_the_table_once() -> None:
    assert sorted(fields.FIELDS["customer"]) == sorted(CUSTOMER_FIELDS)
    assert sorted(fields.FIELDS["contact"]) == sorted(CONTACT_FIELDS)


@pytest.mark.parametrize(
    ("country", "area"),
    [
        ("Danmark", Area.DENMARK),
        ("dk", Area.DENMARK),
        ("Sverige", Area.EU),
        ("Norway", Area.ABROAD),
        ("Grønland", Area.ABROAD),
        ("Færøerne", Area.ABROAD),
        ("Storbritannien", Area.ABROAD),
        ("", None),
        ("Langtbortistan", None),
    ],
)
def test_a_country_decides_which_defaults_a_new_customer_gets(country: str, area: Area | None) -> None:
    assert countries.area(country) == area
