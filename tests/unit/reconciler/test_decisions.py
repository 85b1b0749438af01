"""Is what a person decided done on both sides or refused with a reason, detail by detail, whatever happens meanwhile?"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import decisions
from reconciler.decisions import Ended
from reconciler.link import Base, Choice
from reconciler.person import Person
from reconciler.rules import Decides, Direction, Rule, System
from tests.builders.deciding import Deciding, a_decision, deciding
from tests.builders.reconciler import LINK, RULES, ruled, to_crm, to_economic

ASK = ruled(name=Rule(decides=Decides.ASK, may_be_empty=False), phone=Rule(decides=Decides.ASK))
OTHER = UUID("00000000-0000-4000-8000-00000000000f")


def contested(**more: str) -> Deciding:
    """Name and phone were changed on both sides, and a person is to choose."""
    case = deciding(ASK)
    case.rules = replace(ASK, paused=frozenset(System))
    case.crm(name="Nordhavn A", phone="11111111", **more)
    case.economic(name="Nordhavn B", phone="22222222")
    case.rules = ASK
    case.hear_again()
    assert case.stands().state == "choice"
    return case


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


def test_the_crm_moved_while_e_conomic_was_written_its_part_is_refused_and_the_detail_is_open_again() -> None:
    case = contested()
    (first,) = case.settle(name="Nordhavn C")
    case.crm(name="Nordhavn E")
    assert case.written(first) == ()
    assert case.ended == [("name", "refused", "moved")]
    assert (case.stands().state, case.stands().details) == ("choice", ("name", "phone"))
    assert (case.crm_values["name"], case.economic_values["name"]) == ("Nordhavn E", "Nordhavn C")


def test_the_crm_moved_before_its_own_write_arrived_is_no_different() -> None:
    case = contested()
    (first,) = case.settle(name="Nordhavn C")
    (second,) = case.written(first)
    case.crm_values["name"] = "Nordhavn E"
    case.crm_version += 1
    case.refused(second, "version")
    assert case.ended == [("name", "refused", "moved")]
    assert case.stands().state == "choice"


def test_only_the_detail_that_moved_is_refused_the_others_go_at_once() -> None:
    case = contested()
    wishes = [case.wish(name="crm"), case.wish(phone="economic")]
    case.economic(name="Nordhavn Z")
    commands = case.decide(*wishes)
    assert to_crm(commands) == {"phone": "22222222"}
    assert to_economic(commands) == {}
    assert case.ended == [("name", "refused", "moved")]


def test_a_value_that_moved_back_or_is_only_spelled_otherwise_has_not_moved() -> None:
    case = contested()
    wish = case.wish(phone="crm")
    case.economic(phone="33333333")
    case.economic(phone="22 22 22 22")
    assert to_economic(case.decide(wish)) == {"phone": "11111111"}


def test_a_version_refusal_is_planned_anew_where_the_shown_values_still_hold() -> None:
    case = contested()
    (first,) = case.settle(name="crm", phone="crm")
    case.economic_values["phone"] = "44444444"
    case.object_version += 1
    (again,) = case.refused(first, "version")
    assert to_economic([again]) == {"name": "Nordhavn A"}
    assert case.ended == [("phone", "refused", "moved")]
    case.written(again)
    assert case.ended[-1] == ("name", "written", "")


def test_an_edit_after_the_write_landed_and_before_its_answer_does_not_undo_what_was_written() -> None:
    case = contested()
    (first,) = case.settle(name="crm", phone="crm")
    answer = case.carried_out(first, state=False)
    case.economic(name="Nordhavn Q")
    commands = case.hear(answer)
    assert case.ended == [("name", "written", ""), ("phone", "written", "")]
    assert to_crm(commands) == {"name": "Nordhavn Q"}


def test_the_second_of_two_people_is_refused_and_told_which_decision_came_first() -> None:
    case = contested()
    mine, theirs = case.wish(name="crm"), case.wish(name="economic")
    case.decide(mine, id=LINK)
    case.decide(theirs, id=OTHER)
    assert case.ended == [("name", "refused", "chosen")]
    assert case.last[0].other == LINK


def test_what_is_being_written_just_now_is_not_chosen_otherwise_and_what_waits_is() -> None:
    case = contested()
    case.settle(name="Nordhavn C")
    case.settle(name="economic")
    assert case.ended == [("name", "refused", "chosen")]
    waiting = contested()
    waiting.rules = replace(ASK, paused=frozenset(System))
    waiting.settle(name="Nordhavn C")
    waiting.settle(name="economic")
    assert waiting.ended == [("name", "refused", "chosen")]
    assert waiting.last[0].decision != waiting.link.customer.chosen["name"].decision


def test_left_different_over_an_edit_on_its_way_and_undone_it_is_asked_about_and_not_lost() -> None:
    case = deciding(ruled(email=Rule()), email="")
    (write,) = case.economic(email="bad")
    case.settle(email="different")
    case.undo(case.history)
    case.crm(email="info@nordhavn.example")
    assert to_economic(case.refused(write, "version")) == {}
    assert case.stands().state == "choice"


def test_left_different_what_both_came_to_hold_is_the_base_also_while_an_earlier_write_is_under_way() -> None:
    case = deciding(ruled(email=Rule()), email="")
    (write,) = case.crm(email="info@nordhavn.example")
    case.settle(email="different")
    assert case.economic(email="post@nordhavn.example") == ()
    assert case.crm(email="post@nordhavn.example") == ()  # they agree for a moment
    assert case.crm(email="info@nordhavn.example") == ()
    commands = case.refused(write, "version")
    assert to_crm(commands) == {}, "nobody edited it in e-conomic since they agreed"


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


def test_a_pause_holds_a_decision_back_and_nothing_of_it_is_lost() -> None:
    case = contested()
    case.rules = replace(ASK, paused=frozenset({System.ECONOMIC}))
    assert case.settle(name="crm", phone="crm") == ()
    assert (case.stands().state, case.stands().reason) == ("paused", "economic")
    case.rules = ASK
    assert to_economic(case.hear_again()) == {"name": "Nordhavn A", "phone": "11111111"}


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


def test_an_unlinked_customer_ends_what_was_open_of_a_decision() -> None:
    case = contested()
    case.rules = replace(ASK, paused=frozenset(System))
    case.settle(name="crm")
    case.missing()
    assert case.ended == [("name", "refused", "gone")]
    assert case.link.customer.chosen == {}


@pytest.mark.parametrize(("take", "after"), [("crm", "Nordhavn A"), ("economic", "Nordhavn B"), ("Own", "Own")])
def test_undone_each_side_holds_what_it_held_and_is_asked_about_again(take: str, after: str) -> None:
    case = contested()
    case.carry_out(case.settle(name=take))
    done = case.history[-1]
    assert (case.crm_values["name"], case.economic_values["name"]) == (after, after)
    case.carry_out(case.undo([done]))
    undone = case.history[-1]
    assert undone.result == "written"
    assert (case.crm_values["name"], case.economic_values["name"]) == ("Nordhavn A", "Nordhavn B")
    assert (case.stands().state, case.stands().details) == ("choice", ("name", "phone"))
    case.carry_out(case.undo([undone]))
    assert (case.crm_values["name"], case.economic_values["name"]) == (after, after)
    assert case.stands().details == ("phone",)


def test_undo_leaves_what_somebody_edited_since_and_says_so() -> None:
    case = contested()
    case.carry_out(case.settle(name="crm", phone="crm"))
    done = list(case.history)
    case.carry_out(case.crm(name="Edited Since"))
    case.carry_out(case.undo(done))
    assert ("name", "refused", "moved") in case.ended
    assert (case.crm_values["name"], case.economic_values["name"]) == ("Edited Since", "Edited Since")
    assert (case.crm_values["phone"], case.economic_values["phone"]) == ("11111111", "22222222")


def test_a_kept_difference_is_undone_to_a_question_and_back() -> None:
    case = contested()
    case.settle(name="different")
    kept = case.history[-1]
    assert case.undo([kept]) == ()
    undone = case.history[-1]
    assert case.stands().details == ("name", "phone")
    assert case.undo([undone]) == ()
    assert case.stands().details == ("phone",)
    assert "name" in case.link.customer.chosen


def test_a_refused_part_has_nothing_to_undo() -> None:
    refused = Ended(decision=LINK, record=LINK, detail="name", result="refused", reason="moved")
    assert decisions.backwards([refused], {}) == ()


def test_a_choice_for_some_fields_of_a_group_leaves_the_others_of_it() -> None:
    case = deciding(RULES)
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm(street="Havnegade 1", city="Aarhus C")
    case.economic(street="Torvet 2", city="Aarhus")
    pair = case.link.customer
    values = {"street", "postcode", "city", "country"}
    choice = Choice(
        decision=LINK,
        crm={"street": "Torvet 2"},
        seen_crm={name: case.crm_values.get(name, "") for name in values},
        seen_economic={name: case.economic_values.get(name, "") for name in values},
    )
    case.link = replace(case.link, customer=replace(pair, chosen={"address": choice}))
    case.rules = RULES
    assert to_crm(case.hear_again()) == {"street": "Torvet 2"}


def test_a_decision_waits_out_an_outage_and_is_repeated_under_its_operation() -> None:
    case = contested()
    (first,) = case.settle(name="crm")
    (again,) = case.wait(timedelta(minutes=3))
    assert again == first
    case.written(first)
    assert case.ended == [("name", "written", "")]


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


def test_a_decision_is_known_by_the_persons_id_and_by_the_name_only_where_no_id_was_kept() -> None:
    made = a_decision(id=OTHER, at=contested().now)
    anne = Person(tenant="t", id="u1", name="Anne", role="user")
    namesake = replace(anne, id="u2")
    with_id, without = replace(made, who="Anne", who_id="u1"), replace(made, who="Anne", who_id="")
    assert with_id.is_by(anne)
    assert with_id.is_by(replace(anne, name="Anne Holm")), "a person may take another name"
    assert not with_id.is_by(namesake)
    assert without.is_by(anne)
    assert not without.is_by(replace(anne, name="Birthe"))
