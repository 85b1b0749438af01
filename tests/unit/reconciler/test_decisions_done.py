"""Is what a person decided done on both sides or refused with a reason, detail by detail?"""

from dataclasses import replace

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.link import Base
from reconciler.rules import Decides, Direction, Rule, System
from tests.builders.contested import contested
from tests.builders.deciding import deciding
from tests.builders.reconciler import RULES, ruled, to_crm, to_economic


def test_the_crms_value_is_written_to_e_conomic_and_nothing_else_is() -> None:
    case = contested()
    commands = case.settle(name="crm")
    assert to_economic(commands) == {"name": "Nordhavn A"}
    assert to_crm(commands) == {}
    case.written(commands[0])
    assert case.ended == [("name", "written", "")]
    assert case.stands().details == ("phone",)


def test_both_directions_in_one_save_go_at_once() -> None:
    case = contested()
    commands = case.settle(name="crm", phone="economic")
    assert to_economic(commands) == {"name": "Nordhavn A"}
    assert to_crm(commands) == {"phone": "22222222"}
    for command in commands:
        case.written(command)
    assert case.ended == [("name", "written", ""), ("phone", "written", "")]
    assert case.stands().state == "same"


def test_a_new_text_goes_to_e_conomic_first_and_to_the_crm_when_it_was_accepted() -> None:
    case = contested()
    (first,) = case.settle(name="Nordhavn C")
    assert isinstance(first, WriteEconomicCustomer)
    (second,) = case.written(first)
    assert isinstance(second, WriteCustomer)
    assert to_crm([second]) == {"name": "Nordhavn C"}
    assert case.ended == []
    case.written(second)
    assert case.ended == [("name", "written", "")]
    assert case.link.customer.base["name"] == Base(crm="Nordhavn C", economic="Nordhavn C")


def test_a_new_text_that_e_conomic_refuses_leaves_the_crm_as_it_is_and_the_detail_open() -> None:
    case = contested()
    (first,) = case.settle(name="Nordhavn C")
    assert case.refused(first, "CustomerInvalidName", detail="name") == ()
    assert case.ended == [("name", "refused", "CustomerInvalidName")]
    assert case.crm_values["name"] == "Nordhavn A"
    assert case.stands().state == "error"
    (again,) = case.settle(name="Nordhavn D")
    assert to_economic([again]) == {"name": "Nordhavn D"}


def test_left_different_the_pair_is_the_base_and_nothing_is_asked_until_one_moves() -> None:
    case = contested()
    assert case.settle(name="different", phone="crm") != ()
    assert case.ended == [("name", "kept", "")]
    case.written(case.commands[0])
    assert (case.stands().state, case.stands().details) == ("different", ("name",))
    assert case.economic(name="Nordhavn  B") == ()
    assert case.stands().state == "different"
    assert case.economic(name="Nordhavn Y") == ()
    assert (case.stands().state, case.stands().reason) == ("choice", "kept")
    assert case.economic(name="Nordhavn B") == ()
    assert case.stands().state == "different"
    case.economic(name="Nordhavn A")
    assert case.stands().state == "same"
    assert case.link.customer.chosen == {}


def test_buttons_work_for_a_customer_that_does_not_flow_and_against_the_direction() -> None:
    case = deciding(ruled(phone=Rule(direction=Direction.ONLY_ECONOMIC, decides=Decides.ECONOMIC)))
    case.link = replace(case.link, flows=False)
    assert case.crm(phone="55555555") == ()
    assert to_economic(case.settle(phone="crm")) == {"phone": "55555555"}
    case.written(case.commands[0])
    assert case.stands().state == "same"
    assert case.crm(name="Another") == ()


def test_an_address_is_written_whole_or_not_at_all() -> None:
    case = deciding(RULES)
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm(street="Havnegade 1", postcode="8000", city="Aarhus C")
    case.economic(street="Torvet 2", postcode="9000", city="Aalborg")
    case.rules = RULES
    case.hear_again()
    (first,) = case.settle(address={"street": "Ny Vej 3", "postcode": "5000", "city": "Odense"})
    (second,) = case.written(first)
    case.written(second)
    assert case.ended == [("address", "written", "")]
    for values in (case.crm_values, case.economic_values):
        assert [values[one] for one in ("street", "postcode", "city")] == ["Ny Vej 3", "5000", "Odense"]


def test_bouncing_is_over_once_a_person_chose() -> None:
    case = contested()
    bounces = {"name": (case.now,) * 3}
    case.link = replace(case.link, customer=replace(case.link.customer, bounces=bounces))
    assert to_economic(case.settle(name="crm")) == {"name": "Nordhavn A"}
    assert case.link.customer.bounces == {}


def test_two_contact_persons_details_are_settled_like_a_customers() -> None:
    case = deciding(RULES)
    case.crm_contacts["p1"] = {"name": "Mette Holm", "phone": "12121212"}
    (creation,) = case.crm()
    case.written(creation, created="7")
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm_contacts["p1"]["name"] = "Mette Holm Jensen"
    case.crm()
    case.economic_contacts[7]["name"] = "Mette H."
    case.economic()
    case.rules = RULES
    case.hear_again()
    assert case.stands().details == ("contact.name",)
    commands = case.settle(record=case.link.contacts[0].id, name="economic")
    assert [part.fields for part in commands[0].parts] == [{"name": "Mette H."}]
    case.written(commands[0])
    assert case.stands().state == "same"
