"""Does every customer of e-conomic meet the right one of the CRM, and never a twin? Rows R, on real PostgreSQL."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import EconomicContact, EconomicCustomer, WriteEconomicCustomer
from reconciler import clock, decided, deciding, joining, store
from reconciler.decisions import Decision
from reconciler.link import LinkState
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, crm_changed, crm_unsendable, economic_seen, statuses, there

SYDHAVN = {"name": "Sydhavn Maler A/S", "cvr": "87654321", "city": "Odense"}


@pytest.fixture
def both(engine: sa.Engine) -> Both:
    wire = Both(engine=engine)
    wire.switch_on(Transfer.CREATED)
    return wire


def sydhavn(number: int = 50, **given: Any) -> EconomicCustomer:
    """A customer that somebody created in e-conomic."""
    return EconomicCustomer(**{"number": number, "object_version": "v1", **SYDHAVN, **given})


def by_hand(both: Both) -> Both:
    both.set(transfer="hand")
    return both


# ---- R3: new in e-conomic


def test_r3_a_customer_nobody_resembles_is_created_in_the_crm_once(both: Both) -> None:
    both.in_economic(sydhavn())
    (command,) = both.creations()
    assert command.parts[0].fields == SYDHAVN
    assert command.parts[0].stage is Stage.ACTIVE
    assert both.pairs() == [("", 50, "creating")]
    both.in_economic(sydhavn(phone="11111111"), 2)
    assert both.creations() == []
    both.answered(command, both.made(command, "c9"))
    assert both.pairs() == [("c9", 50, "linked")]
    (later,) = both.said_only(WriteCustomer)
    assert (later.customer, later.parts[0].fields) == ("c9", {"phone": "11111111"})


def test_r3_a_new_customer_seen_in_the_crm_before_the_answer_is_known_by_its_origin(both: Both) -> None:
    both.in_economic(sydhavn())
    (command,) = both.creations()
    made = both.made(command, "c9")
    both.in_crm(made)
    assert both.pairs() == [("c9", 50, "linked")]
    said = both.said()
    assert [one for one in said if isinstance(one.data, WriteEconomicCustomer)] == []
    assert statuses(said) == ["same"]
    both.answered(command, made)
    both.answered(command, made)
    assert both.said() == []
    assert both.pairs() == [("c9", 50, "linked")]


def test_r3_a_new_customer_whose_origin_cannot_be_seen_is_taken_over_when_the_answer_comes(both: Both) -> None:
    both.in_economic(sydhavn())
    (command,) = both.creations()
    made = both.made(command, "c9")
    both.hear(crm_unsendable("c9", 1))
    assert len(both.links()) == 2
    both.answered(command, made, version=2)
    assert both.pairs() == [("c9", 50, "linked")]


@pytest.mark.parametrize(
    "column", [{"read_at": None}, {"receive": False}, {"state": "off"}, {"state": "connected"}], ids=str
)
def test_r3_what_is_not_to_be_received_is_only_recorded(both: Both, column: dict[str, Any]) -> None:
    both.set(**column)
    both.in_economic(sydhavn())
    assert (both.said(), both.links()) == ([], [])


def test_r3_a_page_of_an_import_only_records_and_an_edit_after_it_is_news(both: Both) -> None:
    both.in_economic(sydhavn(), 1, why="import")
    both.in_economic(sydhavn(object_version="v2"), 2)
    both.in_economic(sydhavn(object_version="v2"), 2)
    assert (both.said(), both.links()) == ([], [])
    both.in_economic(sydhavn(phone="11111111"), 1)
    assert both.links() == []  # older than what is recorded
    both.in_economic(sydhavn(phone="11111111"), 3)
    assert len(both.creations()) == 1


def test_r3_one_cvr_number_each_way_links_by_itself_and_fills_blanks(both: Both) -> None:
    customer = by_hand(both).new(cvr="DK87654321", name="Sydhavn Maler", phone="12345678")
    both.in_crm(customer)
    both.in_economic(sydhavn(email="post@sydhavn.example"))
    assert both.pairs() == [(customer.id, 50, "linked")]
    assert both.of(customer.id).linked_by == "cvr"
    said = both.said()
    (here,) = [one.data for one in said if isinstance(one.data, WriteCustomer)]
    assert here.parts[0].fields == {"email": "post@sydhavn.example"}


def test_r3_weaker_evidence_is_a_question(both: Both) -> None:
    customer = by_hand(both).new(name="Sydhavn Maler A/S", postcode="5000", city="Odense")
    both.in_crm(customer)
    both.in_economic(sydhavn(cvr="", postcode="5000"))
    assert both.creations() == []
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert (stranger.state, stranger.candidates_here) == (LinkState.UNLINKED, (customer.id,))


def test_r3_two_customers_of_one_cvr_number_are_a_question(both: Both) -> None:
    by_hand(both)
    ids = []
    for nth in (1, 2):
        customer = both.new(cvr="87654321", name=f"Sydhavn afdeling {nth}")
        both.in_crm(customer)
        ids.append(customer.id)
    both.in_economic(sydhavn())
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert set(stranger.candidates_here) == set(ids)


def test_r3_a_refused_creation_that_meets_the_one_customer_of_its_cvr_number_links(both: Both) -> None:
    both.in_economic(sydhavn())
    (command,) = both.creations()
    customer = both.new(cvr="87654321", name="Sydhavn Maler")
    both.in_crm(customer)  # a person created it meanwhile
    assert both.said_only(WriteEconomicCustomer) == []
    assert both.of(customer.id).candidates == (50,)
    both.answered(command, None, customer.id)
    assert both.pairs() == [(customer.id, 50, "linked")]


# ---- R1, R4: new in the CRM


def test_r1_a_customer_e_conomic_may_have_is_not_created_there(both: Both) -> None:
    both.in_economic(sydhavn(cvr="", postcode="5000"), why="import")
    customer = both.new(name="Sydhavn Maler A/S", postcode="5000", city="Odense")
    both.in_crm(customer)
    said = both.said()
    assert statuses(said) == ["perhaps"]
    assert [one for one in said if isinstance(one.data, WriteEconomicCustomer)] == []
    assert both.of(customer.id).candidates == (50,)
    with both.engine.begin() as connection:
        joining.tell_apart(both.clocked, connection, TENANT, AGREEMENT, customer.id, [50])
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].seen == (50,)


def test_a_number_somebody_is_being_asked_about_is_never_created_whatever_it_holds_by_now(both: Both) -> None:
    both.in_economic(sydhavn(cvr="", postcode="5000"), why="import")
    customer = both.new(name="Sydhavn Maler A/S", postcode="5000", city="Odense", cvr="12345674")
    both.in_crm(customer)
    assert both.of(customer.id).candidates == (50,)
    both.in_economic(sydhavn(cvr="25313763", name="Et helt andet navn ApS", postcode="9000", city="Aalborg"), 2)
    assert both.creations() == []
    assert both.of(customer.id).candidates == (50,)


def test_r1_the_one_customer_of_its_cvr_number_is_linked_instead_of_created(both: Both) -> None:
    both.in_economic(sydhavn(), why="import")
    customer = both.new(cvr="87654321", name="Sydhavn Maler", phone="12345678")
    both.in_crm(customer)
    assert both.pairs() == [(customer.id, 50, "linked")]
    (command,) = both.said_only(WriteEconomicCustomer)
    assert (command.number, command.parts[0].action, command.parts[0].fields) == (50, "change", {"phone": "12345678"})


def test_r1_customers_linked_elsewhere_do_not_hold_a_creation_back(both: Both) -> None:
    both.linked(7, cvr="87654321", name="Sydhavn afdeling 1")
    second = both.new(cvr="87654321", name="Sydhavn afdeling 2")
    both.in_crm(second)
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].seen == (7,)


def test_r4_created_on_both_sides_at_once_is_linked_when_e_conomic_refuses(both: Both) -> None:
    customer = both.new(cvr="87654321", name="Sydhavn Maler")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.in_economic(sydhavn())
    assert both.creations() == []
    both.refused(command, 50)
    assert both.pairs() == [(customer.id, 50, "linked")]


def test_r4_a_candidate_that_was_not_seen_yet_is_looked_at(both: Both) -> None:
    customer = both.new(cvr="87654321", name="Sydhavn Maler")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.refused(command, 50)
    assert both.looks() == [50]
    both.in_economic(sydhavn(), why="look")
    assert both.pairs() == [(customer.id, 50, "linked")]


def test_a_new_customer_seen_in_e_conomic_before_the_answer_waits_for_it(both: Both) -> None:
    customer = both.new(name="Jens Hansen", phone="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.in_economic(there(customer, 50, "v1"))
    assert (both.creations(), len(both.links())) == ([], 1)
    both.created(command, customer, 50, version=1)
    assert both.pairs() == [(customer.id, 50, "linked")]
    assert both.creations() == []


def test_what_waited_for_an_answer_and_was_another_is_judged_then(both: Both) -> None:
    customer = both.new(name="Jens Hansen", phone="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.in_economic(there(customer, 50, "v1"))
    both.created(command, customer, 51)
    assert (customer.id, 51, "linked") in both.pairs()
    assert both.looks() == [51]  # it looks like the linked one: perhaps that has another number now
    both.in_economic(there(customer, 51, "v1"), 2, why="look")
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert (stranger.number, stranger.candidates_here) == (50, (customer.id,))
    assert both.creations() == []


# ---- R6, R7: numbers that change


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


def test_r6_a_renumbering_that_is_told_late_takes_the_link_along(both: Both) -> None:
    customer = both.linked(7, name="Jens Hansen", phone="12345678")
    both.in_economic(there(customer, 60, "v9", city="Odense"))  # the edit after it, heard first
    assert both.creations() == []
    both.in_economic(there(customer, 60, "v9", city="Odense"), 2, old_numbers=(7,))
    assert both.pairs() == [(customer.id, 60, "linked")]
    (command,) = both.said_only(WriteCustomer)
    assert command.parts[0].fields == {"city": "Odense"}


def test_r6_a_renumbering_told_after_the_customer_was_taken_for_a_new_one_is_a_question(both: Both) -> None:
    customer = both.linked(7, name="Jens Hansen")
    both.in_economic(there(customer, 60, "v9", name="Peter Holm"))  # nothing in common
    assert len(both.creations()) == 1
    both.in_economic(there(customer, 60, "v9", name="Peter Holm"), 2, old_numbers=(7,))
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
    assert both.pairs() == [(first.id, 7, "resting renumbered"), (second.id, 8, "linked")]
    assert both.of(first.id).candidates == (8,)


# ---- R9, R11, R13 to R16: gone, merged, linked and unlinked by hand


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


def test_r14_a_number_that_another_customer_has_is_not_linked(both: Both) -> None:
    first, second = both.linked(7, name="A"), both.linked(8, name="B")
    with both.engine.begin() as connection:
        tried = joining.link(both.clocked, connection, TENANT, AGREEMENT, second.id, 7, by="person")
    assert tried.refused == "linked_elsewhere"
    assert both.pairs() == [(first.id, 7, "linked"), (second.id, 8, "linked")]


def test_r15_unlinked_by_hand_it_is_a_stranger_that_is_somebody_else(both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    with both.engine.begin() as connection:
        joining.unlink(both.clocked, connection, TENANT, AGREEMENT, customer.id, by="person")
    both.said()
    both.in_economic(there(customer, 7, "v2", phone="99999999"), 2)
    (command,) = both.creations()
    assert command.ruled_out == (customer.id,)
    assert sorted(both.pairs()) == sorted([(customer.id, None, "unlinked"), ("", 7, "creating")])


def test_an_undone_pair_is_asked_about_with_the_former_partner_first(both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    with both.engine.begin() as connection:
        joining.unlink(both.clocked, connection, TENANT, AGREEMENT, customer.id, by="undo")
    both.said()
    both.in_economic(there(customer, 7, "v2", phone="99999999"), 2)
    assert both.creations() == []
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert stranger.candidates_here == (customer.id,)
    both.in_crm(customer.model_copy(update={"phone": "88888888"}), 2)
    assert both.of(customer.id).candidates == (7,)
    assert both.said_only(WriteEconomicCustomer) == []


def test_r16_linked_by_hand_to_a_customer_only_e_conomic_had(both: Both) -> None:
    customer = by_hand(both).new(name="Sydhavn")
    both.in_crm(customer)
    both.in_economic(sydhavn(postcode="5000"), why="import")
    with both.engine.begin() as connection:
        tried = joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 50, by="person")
    assert tried.step is not None
    assert both.pairs() == [(customer.id, 50, "linked")]


def test_a_number_nobody_saw_is_looked_at_when_it_is_linked(both: Both) -> None:
    customer = by_hand(both).new()
    both.in_crm(customer)
    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 77, by="person")
    assert both.looks() == [77]


def test_a_number_that_was_seen_missing_cannot_be_linked(both: Both) -> None:
    customer = by_hand(both).new()
    both.in_crm(customer)
    both.gone(50, 1)
    with both.engine.begin() as connection:
        assert (
            joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 50, by="person").refused == "absent"
        )
        assert joining.link(both.clocked, connection, TENANT, AGREEMENT, "nobody", 50, by="person").refused == "unknown"


# ---- the buttons


def test_the_button_creates_in_e_conomic_what_only_waits_for_it(both: Both) -> None:
    customer = by_hand(both).new(cvr="11112222")
    both.in_crm(customer)
    with both.engine.begin() as connection:
        joining.create_in_economic(both.clocked, connection, TENANT, AGREEMENT, customer.id)
    with both.engine.begin() as connection:
        again = joining.create_in_economic(both.clocked, connection, TENANT, AGREEMENT, customer.id)
    assert again.refused == "under_way"
    assert len(both.said_only(WriteEconomicCustomer)) == 1


def test_the_button_creates_in_the_crm_what_only_e_conomic_has(both: Both) -> None:
    both.in_economic(sydhavn(), why="import")
    with both.engine.begin() as connection:
        joining.create_in_crm(both.clocked, connection, TENANT, AGREEMENT, 50)
    (command,) = both.creations()
    both.answered(command, both.made(command, "c9"))
    assert both.pairs() == [("c9", 50, "linked")]


def test_the_button_shows_who_it_may_be_and_creates_when_that_is_ruled_out(both: Both) -> None:
    customer = by_hand(both).new(cvr="87654321")
    both.in_crm(customer)
    both.in_economic(sydhavn(), why="import")
    with both.engine.begin() as connection:
        tried = joining.create_in_crm(both.clocked, connection, TENANT, AGREEMENT, 50)
    assert (both.creations(), tried.refused) == ([], "candidates")
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert stranger.candidates_here == (customer.id,)
    with both.engine.begin() as connection:
        joining.create_in_crm(both.clocked, connection, TENANT, AGREEMENT, 50, ruled_out=(customer.id,))
    (command,) = both.creations()
    assert command.ruled_out == (customer.id,)


# ---- whoever waits is not forgotten


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


def test_another_tenant_s_customers_are_never_candidates(both: Both) -> None:
    foreign = both.new(cvr="87654321")
    both.hear(replace(crm_changed(foreign, 1, agreement=None), tenant="other"))
    both.hear(economic_seen(sydhavn(), 1))
    assert len(both.creations()) == 1


def test_what_a_person_decided_about_a_stranger_outlives_it(both: Both) -> None:
    customer = by_hand(both).new(name="Sydhavn Maler A/S", postcode="5000")
    both.in_crm(customer)
    both.in_economic(sydhavn(cvr="", postcode="5000"))
    (stranger,) = [one for one in both.links() if not one.crm_id]
    decision = Decision(
        id=uuid4(), tenant=TENANT, agreement=AGREEMENT, link=stranger.id, means="link", who="mn", at=both.time,
        ids=(customer.id,),
    )  # fmt: skip
    with both.engine.begin() as connection:
        saved = deciding.save(both.clocked, connection, decision)
    assert saved.state == "done"
    assert (customer.id, 50, "linked") in both.pairs()
    with both.engine.connect() as connection:
        assert decided.get(connection, decision.id) == saved
