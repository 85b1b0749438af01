"""Is a decision stored with what it sets going, and does it end? On real PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import deciding, store
from reconciler.contract import TaskOpened
from reconciler.decided import Saved
from reconciler.decisions import NotDecided
from tests.builders.crm import a_customer
from tests.builders.sync import (
    AGREEMENT,
    MORNING,
    TENANT,
    crm_changed,
    done,
    economic_answered,
    refused,
    there,
)
from tests.integration.reconciler.desks import Desk, a_desk

__all__ = ["a_desk"]


@pytest.fixture
def desk(a_desk: Desk) -> Desk:
    return a_desk


def test_a_decision_ends_on_both_sides_and_remembers_what_was_there_before(desk: Desk) -> None:
    decision = desk.decision(name="Nordhavn C")
    assert desk.save(decision).state == "open"
    (first,) = desk.said_only(WriteEconomicCustomer)
    desk.carried_out(first, 3)
    (second,) = desk.said_only(WriteCustomer)
    assert desk.saved(decision.id).state == "open"
    desk.carried_out(second, 3)
    saved = desk.saved(decision.id)
    assert saved.state == "done"
    (part,) = saved.outcome
    assert part.crm == ({"name": "Nordhavn A"}, {"name": "Nordhavn C"})
    assert part.economic == ({"name": "Nordhavn B"}, {"name": "Nordhavn C"})
    with desk.engine.connect() as connection:
        rows = connection.execute(sa.text("select system, by, decision from sync.audit order by id")).all()
    assert rows[-2:] == [("economic", "person", decision.id), ("crm", "person", decision.id)]


def test_a_write_says_that_a_person_decided_it_and_an_edit_that_flows_does_not(desk: Desk) -> None:
    desk.save(desk.decision(name="crm"))
    (decided,) = desk.said_only(WriteEconomicCustomer)
    desk.carried_out(decided, 3)
    desk.hear(crm_changed(desk.customer.model_copy(update={"phone": "33333333"}), 3))
    (flows,) = desk.said_only(WriteEconomicCustomer)
    assert (decided.person, flows.person) == (True, False)


def test_an_edit_that_a_person_waits_behind_goes_as_if_decided_and_what_was_decided_follows(desk: Desk) -> None:
    desk.said()
    desk.hear(crm_changed(desk.customer.model_copy(update={"phone": "33333333"}), 3))
    (flows,) = desk.said_only(WriteEconomicCustomer)
    desk.save(desk.decision(name="crm"))
    (hurried,) = desk.said_only(WriteEconomicCustomer)
    assert (flows.person, hurried.person, hurried.parts) == (False, True, flows.parts)
    now = there(desk.customer, 7, "v3", name="Nordhavn B", phone="33333333")
    desk.hear(economic_answered(flows, done(flows.parts[0].operation), customer=now, version=3))
    (decided,) = desk.said_only(WriteEconomicCustomer)
    assert (decided.person, decided.parts[0].fields) == (True, {"name": "Nordhavn A"})


def test_nobody_waits_in_front_of_one_of_many(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        deciding.save(replace(desk.clocked, many=True), connection, desk.decision(name="crm"))
    (command,) = desk.said_only(WriteEconomicCustomer)
    assert not command.person


def test_a_decision_saved_twice_is_one(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    first = desk.save(decision)
    assert desk.save(decision) == first
    assert len(desk.said_only(WriteEconomicCustomer)) == 1


def test_a_part_that_e_conomic_refuses_is_open_again_and_the_decision_says_why(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="Nordhavn C", phone="crm")
    desk.save(decision)
    (command,) = desk.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidName", message="no", detail="name")
    desk.hear(economic_answered(command, outcome, customer=there(desk.customer, 7, "v2", name="Nordhavn B"), version=3))
    saved = desk.saved(decision.id)
    assert saved.state == "partly"
    assert [(one.detail, one.reason) for one in saved.outcome if one.result == "refused"] == [
        ("name", "CustomerInvalidName")
    ]
    (opened,) = desk.said_only(TaskOpened)
    assert (opened.kind, opened.reason) == ("refused", "CustomerInvalidName")


def test_undone_both_sides_hold_what_they_held_and_after_thirty_days_it_stays(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    desk.save(decision)
    (command,) = desk.said_only(WriteEconomicCustomer)
    desk.carried_out(command, 3)
    with desk.engine.begin() as connection:
        undone = deciding.undo(desk.clocked, connection, TENANT, decision.id, "Marie", uuid4())
    (back,) = desk.said_only(WriteEconomicCustomer)
    assert back.parts[0].fields == {"name": "Nordhavn B"}
    desk.carried_out(back, 4)
    assert desk.saved(undone.decision.id).state == "done"
    assert desk.saved(undone.decision.id).decision.undoes == decision.id
    desk.time += timedelta(days=31)
    with pytest.raises(NotDecided, match="30 days"), desk.engine.begin() as connection:
        deciding.undo(desk.clocked, connection, TENANT, decision.id, "Marie", uuid4())
    with pytest.raises(NotDecided, match="no such decision"), desk.engine.begin() as connection:
        deciding.undo(desk.clocked, connection, "another", decision.id, "Marie", uuid4())


def test_a_number_that_another_customer_has_is_not_linked(desk: Desk) -> None:
    other = a_customer(created=MORNING - timedelta(days=1))
    desk.hear(crm_changed(other, 1))
    with desk.engine.begin() as connection:
        stored = store.lock(connection, TENANT, AGREEMENT, other.id)
        assert stored is not None
    decision = replace(desk.decision(), link=stored.link.id, means="link", number=7)
    saved = desk.save(decision)
    assert (saved.state, saved.outcome[0].reason) == ("refused", "linked_elsewhere")


def test_nothing_chosen_or_one_detail_twice_is_no_decision(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    with pytest.raises(NotDecided, match="twice"):
        desk.save(replace(decision, wishes=decision.wishes * 2))
    with pytest.raises(NotDecided, match="nothing was chosen"):
        desk.save(replace(decision, wishes=()))
    assert desk.said() == []


def test_unlinking_linking_and_telling_apart_are_undone(desk: Desk) -> None:
    desk.said()
    before = desk.link()
    unlinked = replace(desk.decision(), means="unlink")
    assert desk.save(unlinked).state == "done"
    assert desk.link().number is None
    assert undone(desk, unlinked.id).state == "done"
    after = desk.link()
    assert (after.number, after.apart) == (7, ())
    assert after.customer.base == before.customer.base
    apart = replace(desk.decision(), means="not_the_same", number=9)
    desk.save(apart)
    assert desk.link().apart == (9,)
    undone(desk, apart.id)
    assert desk.link().apart == ()
    again = replace(desk.decision(), means="unlink")
    desk.save(again)
    linked = replace(desk.decision(), means="link", number=7)
    assert desk.save(linked).state == "done"
    assert undone(desk, linked.id).state == "done"
    assert (desk.link().number, desk.link().parted) == (None, (7,))


def test_an_own_text_is_written_without_what_nobody_can_see(desk: Desk) -> None:
    desk.said()
    desk.save(desk.decision(name="  Nord\u202ehavn\u200b  C "))
    (command,) = desk.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Nordhavn C"}
    desk.carried_out(command, 3)
    (back,) = desk.said_only(WriteCustomer)
    assert back.parts[0].fields == {"name": "Nordhavn C"}


def undone(desk: Desk, decision: UUID) -> Saved:
    with desk.engine.begin() as connection:
        return deciding.undo(desk.clocked, connection, TENANT, decision, "Marie", uuid4())
