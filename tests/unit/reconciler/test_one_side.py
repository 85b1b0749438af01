"""Is a contact person in one system only said to differ where they do not flow, and carried over where somebody chooses so?"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import alone, beside, wishing
from reconciler.categories import category
from reconciler.freshness import Layer
from reconciler.link import Status
from reconciler.overwriting import overwriting
from reconciler.person import Kept, Person
from reconciler.rules import Direction, Rule, Rules, System
from reconciler.standing import Standing, standing
from reconciler.web.says import first
from reconciler.web.words import Words
from tests.builders.deciding import Deciding
from tests.builders.deciding import deciding as customer
from tests.builders.reconciler import NOW, RULES

ANNE = {"name": "Anne Holm", "email": "anne@nordhavn.example", "phone": "23456789"}
DETAILS = ("contact.name", "contact.email", "contact.phone")
DIFFERENT = Status(state="different", details=DETAILS)
MARIE = Person(tenant="t", id="u1", name="Marie", role="user")
ENGLISH = Words("en", NOW)
NOW_KNOWN = Layer(freshness="known", present=True, behind=False, ahead=False, seen=NOW, since=NOW)
NOT_RECEIVED = replace(RULES, receive=False)
"""*Overføres ikke*: what is created in e-conomic is not written to Clickmate."""


def still(rules: Rules = RULES) -> Deciding:
    """A linked customer that does not flow."""
    case = customer(rules)
    case.link = replace(case.link, flows=False)
    return case


def here(case: Deciding, **more: str) -> Deciding:
    """Anne is created in the CRM, and nothing is written."""
    case.crm_contacts["p1"] = {**ANNE, **more}
    assert case.crm() == ()
    return case


def there(case: Deciding, **more: str) -> Deciding:
    """Anne is created in e-conomic, and nothing is written."""
    case.economic_contacts[7] = {**ANNE, **more}
    assert case.economic() == ()
    return case


def told(case: Deciding) -> Standing:
    return standing(case.link, case.rules, MARIE, Kept(), case.now)


def stuck(case: Deciding) -> set[str | None]:
    return {row.stuck for row in beside.rows(case.link, case.rules) if row.stands == "one_side"}


def carry(case: Deciding, system: System = System.CRM) -> object:
    """A person has Anne created where she is not."""
    (pair,) = case.contacts
    return case.decide(wishing.wish(case.link, pair, alone.PERSON, system))


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (lambda: here(still()), None),
        (lambda: there(still()), "does_not_flow"),
        (lambda: there(customer(NOT_RECEIVED)), "not_received"),
        (lambda: here(customer(replace(RULES, contact={"name": Rule(direction=Direction.ONLY_ECONOMIC)}))), "only_there"),
        (lambda: there(customer(replace(RULES, contact={"name": Rule(direction=Direction.ONLY_CRM)}))), "only_here"),
    ],
)  # fmt: skip
def test_where_they_do_not_flow_it_is_said_that_they_differ_and_what_becomes_of_them(
    case: Callable[[], Deciding], why: str | None
) -> None:
    made = case()
    assert (made.status, told(made).contacts, stuck(made)) == (DIFFERENT, (0, 1), {why})
    flowing = made.link.flows
    expected = ("different", "") if flowing else ("left_out", "does_not_flow")
    assert category(made.link, DIFFERENT, made.rules, NOW) == expected


def test_one_without_a_name_differs_and_nothing_carries_them_over() -> None:
    case = here(customer(), name="")
    assert case.status == Status(state="different", details=DETAILS[1:])
    assert stuck(case) == {"nameless"}


def test_who_flows_is_on_its_way_and_then_the_same() -> None:
    case = customer()
    case.crm_contacts["p1"] = dict(ANNE)
    (command,) = case.crm()
    assert case.status is not None
    assert case.status.state == "sending"
    case.written(command, created="7")
    assert case.status == Status(state="same")
    assert told(case).differs == ()


def test_where_persons_are_not_synced_one_system_only_is_no_difference() -> None:
    rules = replace(RULES, contact={"name": Rule(direction=Direction.NONE)})
    assert here(customer(rules)).status == there(customer(rules)).status == Status(state="same")


@pytest.mark.parametrize("flows", [True, False])
def test_who_was_removed_and_is_kept_by_setting_is_no_difference(flows: bool) -> None:
    case = customer()
    case.crm_contacts["p1"] = dict(ANNE)
    (command,) = case.crm()
    case.written(command, created="7")
    case.link = replace(case.link, flows=flows)
    del case.crm_contacts["p1"]
    case.crm()
    assert [one.rest for one in case.contacts] == ["removed"]
    assert case.stands() == Status(state="same")


def test_who_was_removed_here_and_edited_there_is_asked_about_while_it_flows_and_else_differs() -> None:
    case = customer()
    case.crm_contacts["p1"] = dict(ANNE)
    (command,) = case.crm()
    case.written(command, created="7")
    case.link = replace(case.link, flows=False)
    case.economic_contacts[7]["phone"] = "87654321"
    case.economic()
    del case.crm_contacts["p1"]
    case.crm()
    assert (case.status, stuck(case)) == (DIFFERENT, {"edited"})
    assert {row.crm for row in beside.rows(case.link, case.rules) if row.stands == "one_side"} == {""}
    case.link = replace(case.link, flows=True)
    assert (case.stands().state, case.stands().reason) == ("choice", "contact")


def test_an_inactive_customer_that_rests_does_not_say_that_it_is_on_its_way() -> None:
    case = customer(replace(RULES, inactive_rests=True))
    case.facts = {"stage": Stage.INACTIVE}
    here(case)
    assert case.status == DIFFERENT
    assert {row.stands for row in beside.rows(case.link, case.rules) if row.kind == "contact"} == {"one_side"}


def test_update_in_e_conomic_creates_who_is_in_clickmate_only_and_names_who_stays() -> None:
    case = there(here(still()), name="Bo Bang", email="bo@nordhavn.example", phone="34567890")
    found = overwriting(case.link, case.rules)
    assert [(row.person, row.detail, row.crm) for row in found.overwrites] == [
        ("Anne Holm", one, ANNE[one]) for one in ("name", "email", "phone")
    ]
    assert {(row.person, why) for row, why in found.left} == {("Bo Bang", "does_not_flow")}


def test_chosen_they_are_created_once_though_the_customer_does_not_flow_and_the_decision_ends_written() -> None:
    case = here(still())
    commands = carry(case)
    assert isinstance(commands, tuple)
    (command,) = commands
    assert isinstance(command, WriteEconomicCustomer)
    assert [(one.action, one.record, one.fields) for one in command.parts] == [("create", "contact", ANNE)]
    assert (command.person, case.status) == (True, Status(state="sending", details=DETAILS))
    assert overwriting(case.link, case.rules).overwrites == ()
    assert case.crm() == case.economic() == (), "it is sent once"
    assert case.ended == []
    case.written(command, created="7")
    assert (case.ended, case.status) == ([("contact", "written", "")], Status(state="same"))
    assert all(not one.chosen for one in case.contacts)


def test_chosen_from_e_conomic_they_are_created_in_clickmate_though_nothing_is_received() -> None:
    case = there(customer(NOT_RECEIVED))
    commands = carry(case, System.ECONOMIC)
    assert isinstance(commands, tuple)
    (command,) = commands
    assert isinstance(command, WriteCustomer)
    case.written(command, created="p9")
    assert (case.ended, case.status) == ([("contact", "written", "")], Status(state="same"))


def test_what_waits_for_a_pause_is_carried_out_after_it() -> None:
    case = here(still(replace(RULES, paused=frozenset({System.ECONOMIC}))))
    assert carry(case) == ()
    assert case.ended == []
    assert case.stands().state == "paused"
    case.rules = RULES
    (command,) = case.hear_again()
    assert command.parts[0].action == "create"


def test_who_was_edited_meanwhile_is_refused_and_who_is_gone_too() -> None:
    case = here(still(replace(RULES, paused=frozenset(System))))
    carry(case)
    case.crm_contacts["p1"]["phone"] = "87654321"
    case.crm()
    assert case.ended == [("contact", "refused", "moved")]
    carry(case)
    del case.crm_contacts["p1"]
    case.crm()
    assert case.ended[1:] == [("contact", "refused", "gone")]


def test_what_e_conomic_refuses_ends_the_decision_and_stays_different_with_its_reason() -> None:
    case = here(still())
    commands = carry(case)
    assert isinstance(commands, tuple)
    case.refused(commands[0], "CustomerContactNameAlreadyExists", detail="name")
    assert case.ended == [("contact", "refused", "CustomerContactNameAlreadyExists")]
    assert case.status == DIFFERENT
    rows = [row for row in beside.rows(case.link, case.rules) if row.stands == "one_side"]
    assert {row.refusal.code for row in rows if row.refusal} == {"CustomerContactNameAlreadyExists"}


def test_a_second_choice_of_the_same_person_is_refused_by_the_first() -> None:
    case = here(still(replace(RULES, paused=frozenset(System))))
    (pair,) = case.contacts
    wish = wishing.wish(case.link, pair, alone.PERSON, "crm")
    case.decide(wish)
    case.decide(wish)
    assert case.ended == [("contact", "refused", "chosen")]


def test_where_they_turn_out_to_be_one_with_somebody_there_the_decision_is_done() -> None:
    case = here(still(replace(RULES, paused=frozenset(System))))
    carry(case)
    case.economic_contacts[7] = dict(ANNE)
    case.economic()
    case.hear_again()
    assert case.ended == [("contact", "written", "")]
    assert case.stands() == Status(state="same")


def test_an_unlinked_customer_takes_the_choice_with_it() -> None:
    case = here(still(replace(RULES, paused=frozenset(System))))
    carry(case)
    case.missing()
    case.missing()
    assert case.link.state != "linked"
    assert case.ended == [("contact", "refused", "gone")]


VALUES = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(("", "Anne", "Bo")) for name in ("name", "email", "phone", "notes")}
)
CUSTOMER = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(("", "a", "b")) for name in ("name", "street", "postcode", "city", "phone", "email")}
)  # fmt: skip


@given(
    ours=CUSTOMER, theirs=CUSTOMER, persons=st.lists(VALUES, max_size=3), others=st.lists(VALUES, max_size=3),
    flows=st.booleans(), receive=st.booleans(),
)  # fmt: skip
def test_the_details_that_are_said_to_differ_are_the_rows_shown_as_different(
    ours: dict[str, str], theirs: dict[str, str], persons: list[dict[str, str]], others: list[dict[str, str]],
    flows: bool, receive: bool,
) -> None:  # fmt: skip
    case = customer(replace(RULES, receive=receive))
    case.link = replace(case.link, flows=flows)
    case.crm_contacts = {f"p{n}": {"name": "", **one} for n, one in enumerate(persons)}
    case.economic_contacts = {n: {"name": "", **one} for n, one in enumerate(others, 1)}
    case.crm(**ours)
    case.economic(**theirs)
    shown = [row for row in beside.rows(case.link, case.rules) if row.is_different]
    said = told(case)
    if said.status.state == "same":
        assert shown == []
    if said.status.state == "different":
        assert [(one.person, one.field) for one in said.differs] == [(row.person, row.detail) for row in shown]
        assert [(one.crm, one.economic) for one in said.differs] == [(row.crm, row.economic) for row in shown]
        assert first(ENGLISH, said, NOW_KNOWN, None) == ENGLISH.many(
            "1 detail differs", "{n} details differ", len(shown)
        )
        assert shown


def test_an_address_is_one_detail_and_a_phone_of_the_company_is_another_than_a_phone_of_annes() -> None:
    case = still()
    case.crm_contacts["p1"] = dict(ANNE)
    case.economic_contacts[7] = {**ANNE, "phone": "34567890"}
    case.crm(street="Kajen 1", postcode="5000", city="Odense", phone="87654321")
    case.economic()
    assert first(ENGLISH, told(case), NOW_KNOWN, None) == "3 details differ"
    assert [(one.person, one.field) for one in told(case).differs] == [
        ("", "address"), ("", "phone"), ("Anne Holm", "phone"),
    ]  # fmt: skip
