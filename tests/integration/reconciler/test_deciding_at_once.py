"""What of decisions that are saved at once, under a step that is under way, or just before a death? On real PostgreSQL."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import decided, deciding, stepping, store
from reconciler.link import Due
from tests.builders.sync import (
    AGREEMENT,
    TENANT,
)
from tests.integration.reconciler.desks import Desk, a_desk
from tests.waiting import eventually

pytestmark = pytest.mark.slow

__all__ = ["a_desk"]


@pytest.fixture
def desk(a_desk: Desk) -> Desk:
    return a_desk


def test_two_saves_at_once_are_one_and_two_people_are_told_who_was_first(desk: Desk) -> None:
    desk.said()
    mine, theirs = desk.decision(name="crm", who="Marie"), desk.decision(name="economic", who="Birthe")
    threads = [threading.Thread(target=desk.save, args=(one,)) for one in (mine, mine, theirs)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    states = {one.decision.who: one for one in (desk.saved(mine.id), desk.saved(theirs.id))}
    late = next(one for one in states.values() if one.state == "refused")
    early = next(one for one in states.values() if one is not late)
    assert early.state == "open"
    with desk.engine.begin() as connection:
        first = deciding.chosen_first(connection, desk.link(), late.outcome[0])
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
        first = deciding.chosen_first(connection, desk.link(), saved.outcome[0])
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


def test_a_save_waits_for_the_step_that_is_under_way(desk: Desk) -> None:
    desk.said()
    decision = desk.decision(name="crm")
    with desk.engine.connect() as connection:
        stored = store.lock(connection, TENANT, AGREEMENT, desk.customer.id)
        assert stored is not None
        saving = threading.Thread(target=desk.save, args=(decision,))
        saving.start()
        eventually(_blocked(desk.engine))
        connection.rollback()
    saving.join(timeout=60)
    assert desk.saved(decision.id).state == "open"


def _blocked(engine: sa.Engine) -> Callable[[], bool]:
    waits = sa.text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )

    def look() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(waits))

    return look
