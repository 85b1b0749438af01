"""Is a question told when it opens and when it closes, and whose was it? On real PostgreSQL."""

from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from reconciler import questions
from reconciler.contract import TaskClosed, TaskOpened
from reconciler.decisions import NotDecided
from tests.builders.sync import (
    AGREEMENT,
    TENANT,
    crm_changed,
    economic_seen,
    there,
)
from tests.integration.reconciler.desks import Desk, a_desk

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
    assert (opened.page, closed.page) == (f"/tasks/{opened.task}", opened.page)
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


def test_nobody_decides_about_the_customer_of_another_tenant(desk: Desk) -> None:
    decision = replace(desk.decision(name="crm"), tenant="another")
    with pytest.raises(NotDecided, match="no such customer"):
        desk.save(decision)


def test_a_step_without_questions_costs_no_statement_more(desk: Desk) -> None:
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    sa.event.listen(desk.engine, "before_cursor_execute", note)
    desk.hear(economic_seen(there(desk.customer, 7, "v2", name="Nordhavn B"), 3))
    sa.event.remove(desk.engine, "before_cursor_execute", note)
    assert len(statements) == 2


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
