"""What becomes of customers that met, when one is renumbered, deleted, merged or gone? Rows R6 to R13, on real PostgreSQL."""

import pytest

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import EconomicContact, LookAtCustomer, WriteEconomicCustomer
from reconciler import clock, joining, store
from reconciler.link import LinkState
from tests.builders.meeting import Both, by_hand, sydhavn
from tests.builders.sync import AGREEMENT, TENANT, done, economic_answered, economic_seen, refused, statuses, there


def test_r7_a_customer_that_looks_like_a_linked_one_is_no_new_one_until_the_old_number_was_looked_at(
    both: Both,
) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_economic(there(customer, 60, "v9"))
    assert both.said_only(WriteCustomer) == []
    assert len(both.links()) == 1
    both.in_economic(there(customer, 60, "v9"))  # heard twice
    both.gone(7, 2)
    assert both.pairs() == [(customer.id, 7, "resting renumbered")]
    assert both.of(customer.id).candidates == (60,)
    with both.engine.begin() as connection:
        tried = joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 60, by="person")
    assert tried.refused == ""
    link = both.of(customer.id)
    assert (link.number, link.state, link.old_numbers, link.apart) == (60, LinkState.LINKED, (7,), ())
    assert both.said_only(WriteEconomicCustomer) == []  # no detail is a change


def test_r7_a_customer_that_was_seen_missing_and_turns_up_under_another_number_is_asked_about(both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.gone(7, 2)
    both.in_economic(there(customer, 60, "v9"))
    assert both.pairs() == [(customer.id, 7, "resting renumbered")]
    assert both.creations() == []


def test_r7_one_that_is_asked_about_is_no_new_one_when_it_is_edited_again(both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.gone(7, 2)
    edited = there(customer, 60, "v9", cvr="87654321")
    both.in_economic(edited)
    both.in_economic(edited.model_copy(update={"object_version": "v10", "email": "ny@nordhavn.example"}), 2)
    assert both.pairs() == [(customer.id, 7, "resting renumbered")]
    assert both.of(customer.id).candidates == (60,)
    assert both.creations() == []


def test_r7_a_number_that_is_still_there_makes_its_double_a_question(both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_economic(there(customer, 60, "v9"))
    assert both.looks() == [7]
    both.in_economic(there(customer, 7, "v1"), 2, why="look")
    assert both.creations() == []
    assert both.of(customer.id).candidates == ()
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert (stranger.number, stranger.candidates_here) == (60, (customer.id,))
    both.in_economic(there(customer, 60, "v9", email="ny@nordhavn.example"), 2)
    assert both.looks() == []  # asked once


@pytest.mark.parametrize("first", ["stranger", "answer"])
def test_r7_our_own_creation_that_was_renumbered_before_its_number_was_ever_seen_is_no_new_one(
    both: Both, first: str
) -> None:
    customer = both.new(cvr="12345678", phone="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    stranger = economic_seen(there(customer, 60, "v9", phone="87654321", contacts=()), 1)
    answer = economic_answered(command, done(command.parts[0].operation, created="7"))
    for one in (stranger, answer) if first == "stranger" else (answer, stranger):
        both.hear(one)
    said = both.said()
    assert [one.data.number for one in said if isinstance(one.data, LookAtCustomer)] == [7]
    assert not [one for one in said if isinstance(one.data, WriteCustomer)]
    both.gone(7, 1)
    assert both.pairs() == [(customer.id, 7, "resting renumbered")]
    assert both.of(customer.id).candidates == (60,)


@pytest.mark.parametrize("first", ["stranger", "answer"])
def test_what_a_creation_nobody_can_tell_the_end_of_may_have_made_is_asked_about(both: Both, first: str) -> None:
    customer = both.new(cvr="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    edited = customer.model_copy(update={"cvr": "92345678", "name": "Nordhavn Gruppen ApS"})
    both.in_crm(edited, 2)
    stranger = economic_seen(there(customer, 60, "v9", contacts=()), 1)
    answer = economic_answered(command, refused(command.parts[0].operation, "ambiguous"))
    for one in (stranger, answer) if first == "stranger" else (answer, stranger):
        both.hear(one)
    assert both.creations() == []
    (made,) = [one for one in both.links() if not one.crm_id]
    assert (made.number, made.candidates_here) == (60, (customer.id,))
    with both.engine.begin() as connection:
        tried = joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 60, by="person")
    assert tried.refused == ""
    assert both.pairs() == [(customer.id, 60, "linked")]


def test_r6_a_renumbering_that_is_told_late_takes_the_link_along(both: Both) -> None:
    customer = both.linked(7, name="Jens Hansen", phone="12345678")
    both.in_economic(there(customer, 60, "v9", city="Odense"))  # the edit after it, heard first
    assert both.creations() == []
    both.in_economic(there(customer, 60, "v9", city="Odense"), 2, old_numbers=(7,))
    assert both.pairs() == [(customer.id, 60, "linked")]
    (command,) = both.said_only(WriteCustomer)
    assert command.parts[0].fields == {"city": "Odense"}


@pytest.mark.parametrize("there_still", [True, False])
def test_r6_a_renumbering_older_than_the_link_does_not_take_it_along(both: Both, there_still: bool) -> None:
    """Somebody else had the number before it was free, and ours; or ours was renumbered, and is another one by now."""
    customer = both.linked(7, cvr="12345678")
    other = sydhavn(60)
    for _ in range(2):
        both.in_economic(other, old_numbers=(7,))
    said = both.said()
    assert [one.data.number for one in said if isinstance(one.data, LookAtCustomer)] == [7]
    assert not [one for one in said if isinstance(one.data, WriteCustomer)]
    assert both.pairs() == [(customer.id, 7, "linked")]
    if there_still:
        both.in_economic(there(customer, 7, "v1", contacts=()), 2, why="look")
        assert len(both.creations()) == 1
        assert both.of(customer.id).candidates == ()
        both.in_economic(other, 2, old_numbers=(7,))  # told again
        assert both.pairs()[0] == (customer.id, 7, "linked")
    else:
        both.gone(7, 2)
        assert both.pairs() == [(customer.id, 7, "resting renumbered")]
        assert both.of(customer.id).candidates == (60,)


def test_r6_a_renumbering_told_after_the_customer_was_taken_for_a_new_one_is_a_question(both: Both) -> None:
    customer = both.linked(7, name="Jens Hansen")
    both.in_economic(there(customer, 60, "v9", name="Peter Holm"))  # nothing in common
    assert len(both.creations()) == 1
    both.in_economic(there(customer, 60, "v9", name="Peter Holm"), 2, old_numbers=(7,))
    assert both.looks() == [7]
    both.gone(7, 2)
    assert both.pairs() == [(customer.id, 7, "resting renumbered"), ("", 60, "creating")]


def test_r6_a_renumbering_takes_the_place_of_a_stranger_nobody_answered_yet(both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_economic(there(customer, 60, "v9"))
    both.in_economic(there(customer, 7, "v1"), 2, why="look")
    assert len(both.links()) == 2
    both.in_economic(there(customer, 60, "v9"), 3, old_numbers=(7,))
    assert both.pairs() == [(customer.id, 60, "linked")]


def test_r6_a_number_another_link_has_makes_the_older_one_a_question(both: Both) -> None:
    first, second = both.linked(7, name="A"), both.linked(8, name="B")
    both.in_economic(there(second, 8, "v2"), 2, old_numbers=(7,))
    assert both.looks() == [7]
    both.gone(7, 2)
    assert both.pairs() == [(first.id, 7, "resting renumbered"), (second.id, 8, "linked")]
    assert both.of(first.id).candidates == (8,)


def test_r9_a_customer_deleted_in_the_crm_does_not_come_back_when_e_conomic_edits_it(both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.in_crm(customer.model_copy(update={"deleted": True}), 2)
    both.said()
    both.in_economic(there(customer, 7, "v2", phone="99999999"), 2)
    assert both.said() == []
    assert both.pairs() == [(customer.id, None, "unlinked")]


def test_r11_deleted_on_both_sides_closes_the_link(both: Both) -> None:
    customer = both.linked(7)
    both.gone(7, 2)
    both.in_crm(customer.model_copy(update={"deleted": True}), 2)
    assert both.pairs() == [(customer.id, None, "unlinked")]
    assert statuses(both.said()) == ["deleted", "not_there"]


def test_r13_the_link_of_a_merged_customer_goes_to_the_survivor_that_has_none(both: Both) -> None:
    merged = both.linked(7, cvr="12345678")
    by_hand(both)
    heir = both.new(name="Nordhavn Tømrer", phone="12345678")
    both.in_crm(heir)
    both.in_crm(merged.model_copy(update={"merged_into": heir.id}), 2)
    assert sorted(both.pairs()) == sorted([(merged.id, None, "unlinked"), (heir.id, 7, "linked")])
    assert both.of(heir.id).linked_by == "merged"
    assert both.of(merged.id).apart == ()


def test_r13_a_survivor_with_a_link_of_its_own_leaves_the_merged_one_a_question(both: Both) -> None:
    merged, heir = both.linked(7, name="A"), both.linked(8, name="B")
    both.in_crm(merged.model_copy(update={"merged_into": heir.id}), 2)
    assert both.pairs() == [(merged.id, 7, "resting merged"), (heir.id, 8, "linked")]


def test_a_stranger_that_disappears_leaves_nothing(both: Both) -> None:
    both.in_crm(by_hand(both).new(name="Sydhavn Maler A/S", postcode="5000"))
    both.in_economic(sydhavn(cvr="", postcode="5000"))
    both.gone(50, 2)
    assert [one for one in both.links() if not one.crm_id] == []


def test_what_comes_while_a_run_is_carried_out_is_judged_after_it(both: Both) -> None:
    both.set(busy="00000000-0000-4000-8000-000000000001")
    both.in_economic(sydhavn())
    assert both.creations() == []
    both.set(busy=None)
    with both.engine.begin() as connection:
        store.look_again(connection, TENANT, AGREEMENT)
    clock.tell_again(both.engine, both.clocked)
    assert len(both.creations()) == 1


def test_a_creation_held_up_by_a_pause_follows_when_it_is_over(both: Both) -> None:
    both.set(paused='["crm"]')
    both.in_economic(sydhavn())
    assert both.creations() == []
    both.set(paused="[]")
    with both.engine.begin() as connection:
        store.look_again(connection, TENANT, AGREEMENT)
    clock.tell_again(both.engine, both.clocked)
    assert len(both.creations()) == 1


def test_contact_persons_of_a_new_customer_follow(both: Both) -> None:
    person = EconomicContact(number=5, object_version="p1", name="Mette Holm", email="mette@sydhavn.example")
    both.in_economic(sydhavn(contacts=(person,)))
    (command,) = both.creations()
    both.answered(command, both.made(command, "c9"))
    (persons,) = both.said_only(WriteCustomer)
    assert (persons.customer, persons.parts[0].record) == ("c9", "contact")


def test_r7_two_that_look_like_it_are_looked_at_once_each_and_then_it_is_a_question(both: Both) -> None:
    both.set(transfer="hand")
    names = {"name": "Nordhavn ApS", "phone": "12345678"}
    first = both.linked_by_hand(7, id="a", **names)
    both.linked_by_hand(8, id="b", **names)
    both.said()
    both.in_economic(there(first, 60, "v9"))
    assert sorted(both.looks()) == [7, 8]
    both.in_economic(there(first, 7, "v1"), 2, why="look")
    assert both.looks() == []  # the other is being looked at
    both.in_economic(there(first, 8, "v1"), 2, why="look")
    assert both.looks() == []
    assert both.creations() == []
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert (stranger.number, sorted(stranger.candidates_here)) == (60, ["a", "b"])
