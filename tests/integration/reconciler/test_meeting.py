"""Does every new customer of one side meet the right one of the other, and never a twin? Rows R1 to R4, on real PostgreSQL."""

from dataclasses import replace
from typing import Any

import pytest

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import joining
from reconciler.link import LinkState
from tests.builders.meeting import SYDHAVN, Both, by_hand, departments, sydhavn
from tests.builders.sync import AGREEMENT, TENANT, crm_changed, crm_unsendable, economic_seen, statuses, there


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
    ids = departments(both)
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


@pytest.mark.parametrize(
    ("cvr", "edited"),
    [
        ("12345678", {"name": "Sydhavn Maler A/S"}),
        ("12345678", {"cvr": "87654321"}),
        ("", {"name": "Sydhavn Maler A/S"}),
    ],
    ids=["name", "CVR", "name of one without CVR"],
)
def test_one_that_was_edited_before_the_answer_waits_for_it_too(both: Both, cvr: str, edited: dict[str, str]) -> None:
    customer = both.new(name="Nordhavn Tagdækning", cvr=cvr, phone="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.in_economic(there(customer, 50, "v1", **edited))
    assert (both.creations(), len(both.links())) == ([], 1)
    both.created(command, customer, 50, version=1)
    assert both.pairs() == [(customer.id, 50, "linked")]


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


def test_another_tenant_s_customers_are_never_candidates(both: Both) -> None:
    foreign = both.new(cvr="87654321")
    both.hear(replace(crm_changed(foreign, 1, agreement=None), tenant="other"))
    both.hear(economic_seen(sydhavn(), 1))
    assert len(both.creations()) == 1
