"""Is a decision stored with what it sets going, and does it end whatever dies in between? On real PostgreSQL."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import decided, deciding, questions, stepping, store
from reconciler.contract import TaskClosed, TaskOpened
from reconciler.decided import Saved
from reconciler.link import Due
from tests.builders.crm import a_customer
from tests.builders.sync import (
    AGREEMENT,
    MORNING,
    TENANT,
    crm_changed,
    economic_answered,
    economic_seen,
    refused,
    there,
)
from tests.integration.reconciler.desks import Desk, a_desk
from tests.waiting import eventually

__all__ = ["a_desk"]


@pytest.fixture
def desk(a_desk: Desk) -> Desk:
    return a_desk


def test_a_question_is_told_when_it_opens_and_when_a_person_answered_it(desk: Desk) -> None:
    (opened,) = desk.said_only(TaskOpened)
    assert (opened.kind, opened.details, opened.customer, opened.number) == ("values", ("name",), desk.customer.id, 7)
    desk.save(desk.decision(name="crm"))
    (closed,) = desk.said_only(TaskClosed)
    assert (closed.task, closed.how) == (opened.task, "settled")
    with desk.engine.connect() as connection:
        assert questions.listed(connection, TENANT) == []


def test_a_question_goes_when_its_cause_does_and_stays_one_while_other_values_move(desk: Desk) -> None:
    (opened,) = desk.said_only(TaskOpened)
    desk.hear(economic_seen(there(desk.customer, 7, "v3", name="Nordhavn C"), 3))
    assert [one for one in desk.said() if isinstance(one.data, TaskOpened | TaskClosed)] == []
    desk.hear(economic_seen(there(desk.customer, 7, "v4", name="Nordhavn C", website="x.example"), 4))
    desk.hear(economic_seen(there(desk.customer, 7, "v5"), 5))
    (closed,) = desk.said_only(TaskClosed)
    assert (closed.task, closed.how) == (opened.task, "gone")


def test_what_is_settled_by_a_changed_rule_is_gone(desk: Desk) -> None:
    desk.said()
    with desk.engine.begin() as connection:
        rules = '{"customer": {"name": {"direction": "both", "decides": "crm", "may_be_empty": false}}}'
        connection.execute(sa.text("update sync.agreement set rules = cast(:rules as jsonb)"), {"rules": rules})
    desk.hear(crm_changed(desk.customer.model_copy(update={"mobile": "22222222"}), 3))
    (closed,) = desk.said_only(TaskClosed)
    assert closed.how == "gone"


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


def test_a_decision_saved_twice_is_one(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    first = desk.save(decision)
    assert desk.save(decision) == first
    assert len(desk.said_only(WriteEconomicCustomer)) == 1


def test_two_saves_at_once_are_one_and_two_people_are_told_who_was_first(desk: Desk) -> None:
    desk.said()
    mine, theirs = desk.decision(name="crm", who="Marie"), desk.decision(name="economic", who="Birthe")
    threads = [threading.Thread(target=desk.save, args=(one,)) for one in (mine, mine, theirs)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=20)
    states = {one.decision.who: one for one in (desk.saved(mine.id), desk.saved(theirs.id))}
    late = next(one for one in states.values() if one.state == "refused")
    early = next(one for one in states.values() if one is not late)
    assert early.state == "open"
    with desk.engine.begin() as connection:
        first = deciding.chosen_first(connection, desk.link(), late, late.outcome[0])
    assert first is not None
    assert first.decision.id == early.decision.id
    assert len([one for one in desk.said() if isinstance(one.data, WriteCustomer | WriteEconomicCustomer)]) == 1


def test_whoever_comes_after_it_was_carried_out_is_told_too(desk: Desk) -> None:
    desk.said()
    late = desk.decision(name="economic", who="Birthe")
    early = desk.decision(name="crm", who="Marie")
    desk.save(early)
    (command,) = desk.said_only(WriteEconomicCustomer)
    desk.carried_out(command, 3)
    saved = desk.save(late)
    assert (saved.state, saved.outcome[0].reason) == ("refused", "moved")
    with desk.engine.begin() as connection:
        first = deciding.chosen_first(connection, desk.link(), saved, saved.outcome[0])
    assert first is not None
    assert first.decision.who == "Marie"


def test_killed_before_the_commit_nothing_was_decided_and_after_it_everything_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.said()
    decision = desk.decision(name="Nordhavn C")
    note = decided.note

    def dies(*_: Any) -> None:
        raise ConnectionError("killed")

    monkeypatch.setattr(decided, "note", dies)
    with pytest.raises(ConnectionError):
        desk.save(decision)
    with desk.engine.connect() as connection:
        assert decided.get(connection, decision.id) is None
    assert desk.said() == []
    monkeypatch.setattr(decided, "note", note)
    desk.save(decision)
    (first,) = desk.said_only(WriteEconomicCustomer)
    monkeypatch.setattr(decided, "note", dies)
    with pytest.raises(ConnectionError):
        desk.carried_out(first, 3)  # the consumer dies with the answer in hand, and is given it again
    monkeypatch.setattr(decided, "note", note)
    desk.carried_out(first, 3)
    (second,) = desk.said_only(WriteCustomer)
    desk.carried_out(second, 3)
    assert desk.saved(decision.id).state == "done"
    assert desk.customer.name == "Nordhavn C"


def test_a_command_of_a_decision_goes_out_again_until_it_is_answered(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    desk.save(decision)
    (first,) = desk.said_only(WriteEconomicCustomer)
    desk.later(seconds=121)
    with desk.engine.begin() as connection:
        stored = store.lock_id(connection, decision.link)
        assert stored is not None
        stepping.take_step(desk.clocked, connection, stored, Due())
    (again,) = desk.said_only(WriteEconomicCustomer)
    assert again == first


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
    with pytest.raises(deciding.NotDecided, match="30 days"), desk.engine.begin() as connection:
        deciding.undo(desk.clocked, connection, TENANT, decision.id, "Marie", uuid4())
    with pytest.raises(deciding.NotDecided, match="no such decision"), desk.engine.begin() as connection:
        deciding.undo(desk.clocked, connection, "another", decision.id, "Marie", uuid4())


def test_nobody_decides_about_the_customer_of_another_tenant(desk: Desk) -> None:
    decision = replace(desk.decision(name="crm"), tenant="another")
    with pytest.raises(deciding.NotDecided, match="no such customer"):
        desk.save(decision)


def test_a_number_that_another_customer_has_is_not_linked(desk: Desk) -> None:
    other = a_customer(created=MORNING - timedelta(days=1))
    desk.hear(crm_changed(other, 1))
    with desk.engine.begin() as connection:
        stored = store.lock(connection, TENANT, AGREEMENT, other.id)
        assert stored is not None
    decision = replace(desk.decision(), link=stored.link.id, means="link", number=7)
    saved = desk.save(decision)
    assert (saved.state, saved.outcome[0].reason) == ("refused", "linked_elsewhere")


def test_a_step_without_questions_costs_no_statement_more(desk: Desk) -> None:
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    sa.event.listen(desk.engine, "before_cursor_execute", note)
    desk.hear(economic_seen(there(desk.customer, 7, "v2", name="Nordhavn B"), 3))
    sa.event.remove(desk.engine, "before_cursor_execute", note)
    assert len(statements) == 2


def test_a_save_waits_for_the_step_that_is_under_way(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    with desk.engine.connect() as connection:
        stored = store.lock(connection, TENANT, AGREEMENT, desk.customer.id)
        assert stored is not None
        saving = threading.Thread(target=desk.save, args=(decision,))
        saving.start()
        eventually(_blocked(desk.engine), within=10)
        connection.rollback()
    saving.join(timeout=10)
    assert desk.saved(decision.id).state == "open"


def _blocked(engine: sa.Engine) -> Callable[[], bool]:
    waits = sa.text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )

    def look() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(waits))

    return look


def test_nothing_chosen_or_one_detail_twice_is_no_decision(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    with pytest.raises(deciding.NotDecided, match="twice"):
        desk.save(replace(decision, wishes=decision.wishes * 2))
    with pytest.raises(deciding.NotDecided, match="nothing was chosen"):
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


def test_questions_about_a_link_that_is_forgotten_are_told_as_gone(desk: Desk) -> None:
    (opened,) = desk.said_only(TaskOpened)
    link = desk.link().id
    with desk.engine.begin() as connection:
        (draft,) = questions.withdraw(connection, [link], desk.time)
        assert questions.withdraw(connection, [link], desk.time) == []
    assert isinstance(draft.data, TaskClosed)
    assert (draft.data.task, draft.data.how, draft.data.customer) == (opened.task, "gone", desk.customer.id)


def test_a_question_about_a_run_opens_once_and_closes_once(desk: Desk) -> None:
    run = uuid4()
    with desk.engine.begin() as connection:
        draft = questions.open_for_run(connection, TENANT, AGREEMENT, run, "brake", desk.time, reason="25 customers")
        assert draft is not None
        assert questions.open_for_run(connection, TENANT, AGREEMENT, run, "brake", desk.time) is None
        assert "brake" in questions.counts(connection, TENANT)
        assert questions.close_for_run(connection, run, "brake", "settled", desk.time) is not None
        assert questions.close_for_run(connection, run, "brake", "settled", desk.time) is None


def undone(desk: Desk, decision: UUID) -> Saved:
    with desk.engine.begin() as connection:
        return deciding.undo(desk.clocked, connection, TENANT, decision, "Marie", uuid4())
