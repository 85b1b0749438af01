"""Does a person say who belongs together, and is that kept? Linking, unlinking, the buttons: rows R14 to R16."""

from uuid import uuid4

from economic_adapter.contract import WriteEconomicCustomer
from reconciler import decided, deciding, joining
from reconciler.decisions import Decision
from tests.builders.meeting import Both, by_hand, sydhavn
from tests.builders.sync import AGREEMENT, TENANT, there


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
