"""What becomes of a decision while something moves: an edit, another person, a write under way, a pause, an outage?"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from reconciler.link import Choice
from reconciler.person import Person
from reconciler.rules import Rule, System
from tests.builders.contested import ASK, contested
from tests.builders.deciding import a_decision, deciding
from tests.builders.reconciler import LINK, RULES, ruled, to_crm, to_economic

OTHER = UUID("00000000-0000-4000-8000-00000000000f")


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


def test_a_pause_holds_a_decision_back_and_nothing_of_it_is_lost() -> None:
    case = contested()
    case.rules = replace(ASK, paused=frozenset({System.ECONOMIC}))
    assert case.settle(name="crm", phone="crm") == ()
    assert (case.stands().state, case.stands().reason) == ("paused", "economic")
    case.rules = ASK
    assert to_economic(case.hear_again()) == {"name": "Nordhavn A", "phone": "11111111"}


def test_an_unlinked_customer_ends_what_was_open_of_a_decision() -> None:
    case = contested()
    case.rules = replace(ASK, paused=frozenset(System))
    case.settle(name="crm")
    case.missing()
    assert case.ended == [("name", "refused", "gone")]
    assert case.link.customer.chosen == {}


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
