"""The inbox: an id is taken once, with its effect; a version only goes up; a refusal is remembered."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.messaging import inbox
from crm_outbox.messaging.envelope import Version
from crm_outbox.messaging.inbox import Advance
from crm_outbox.tables import messages as tables
from tests.builders.receiving import refusals
from tests.waiting import eventually


def test_what_is_new_what_was_seen_and_what_came_with_another_body(engine: sa.Engine) -> None:
    seen, other, new = uuid4(), uuid4(), uuid4()
    with engine.begin() as connection:
        assert inbox.take(connection, tables, "c", [(seen, b"1"), (other, b"1")]).new == {seen, other}
    with engine.begin() as connection:
        taken = inbox.take(connection, tables, "c", [(new, b"1"), (other, b"2"), (seen, b"1")])
    assert (taken.new, taken.repeated, taken.reused) == ({new}, {seen}, {other})


def test_nothing_to_take_takes_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert inbox.take(connection, tables, "c", []) == (set(), set(), set())


def test_an_id_is_taken_only_if_its_effect_is_committed(engine: sa.Engine) -> None:
    one = uuid4()
    with engine.connect() as connection:
        inbox.take(connection, tables, "c", [(one, b"1")])
        connection.rollback()
    with engine.begin() as connection:
        assert inbox.take(connection, tables, "c", [(one, b"1")]).new == {one}


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_a_second_taker_of_the_same_id_waits_for_the_first(ends: str, engine: sa.Engine) -> None:
    one = uuid4()

    def second() -> inbox.Taken:
        with engine.begin() as connection:
            return inbox.take(connection, tables, "c", [(one, b"1")])

    with ThreadPoolExecutor(1) as pool, engine.connect() as first:
        inbox.take(first, tables, "c", [(one, b"1")])
        waiting = pool.submit(second)
        eventually(lambda: _blocked(engine) == 1)
        assert not waiting.done()
        getattr(first, ends)()
        taken = waiting.result(60)
    assert taken == (inbox.Taken(set(), {one}, set()) if ends == "commit" else inbox.Taken({one}, set(), set()))


def test_takers_of_overlapping_batches_never_deadlock_and_each_id_is_new_once(engine: sa.Engine) -> None:
    ids = [uuid4() for _ in range(60)]
    start = threading.Barrier(4)

    def taker(nth: int) -> set[UUID]:
        mine: set[UUID] = set()
        mixed = ids[nth * 10 :] + ids[: nth * 10]
        start.wait(60)
        for at in range(0, 60, 15):
            with engine.begin() as connection:
                mine |= inbox.take(connection, tables, "c", [(one, b"1") for one in mixed[at : at + 15]]).new
        return mine

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(taker, range(4)))
    assert sum(len(result) for result in results) == 60
    assert set().union(*results) == set(ids)


def test_versions_next_gap_old_and_a_new_epoch(engine: sa.Engine) -> None:
    steps = [
        (Version(1, 5), Advance.NEWER),
        (Version(1, 5), Advance.OLD),
        (Version(1, 6), Advance.NEWER),
        (Version(1, 9), Advance.GAP),
        (Version(1, 7), Advance.OLD),
        (Version(2, 1), Advance.NEWER),
        (Version(1, 1000), Advance.OLD),
        (Version(2, 999_999_999_999_999_999), Advance.GAP),
    ]
    for version, expected in steps:
        with engine.begin() as connection:
            assert inbox.advance(connection, tables, "c", "note/1", version) is expected


def test_watermarks_of_two_consumers_and_two_aggregates_are_their_own(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        inbox.advance(connection, tables, "c", "note/1", Version(1, 9))
        assert inbox.advance(connection, tables, "d", "note/1", Version(1, 1)) is Advance.NEWER
        assert inbox.advance(connection, tables, "c", "note/2", Version(1, 1)) is Advance.NEWER


def test_a_version_that_races_a_newer_one_does_not_win(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        inbox.advance(connection, tables, "c", "note/1", Version(1, 1))

    def older() -> Advance:
        with engine.begin() as connection:
            return inbox.advance(connection, tables, "c", "note/1", Version(1, 2))

    with ThreadPoolExecutor(1) as pool, engine.connect() as first:
        inbox.advance(first, tables, "c", "note/1", Version(1, 3))
        waiting = pool.submit(older)
        eventually(lambda: _blocked(engine) == 1)
        first.commit()
        assert waiting.result(60) is Advance.OLD


def test_a_refusal_is_remembered_once_for_each_reason_and_holds_only_printable_text(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for reason in ("malformed", "malformed", "content_type"):
            inbox.refuse(connection, tables, "c", "a\x00b\ud800", "t" * 300, reason)
        inbox.refuse(connection, tables, "c", None, None, "no_message_id")
        inbox.refuse(connection, tables, "c", None, None, "no_message_id")
        assert inbox.reasons(connection, tables, ["a?b?", "unknown"]) == {"a?b?": "content_type"}
        reasons, since = inbox.latest_reasons(connection, tables, "c", 3)
    assert refusals(engine) == [
        ("a?b?", "malformed"),
        ("a?b?", "content_type"),
        (None, "no_message_id"),
        (None, "no_message_id"),
    ]
    assert reasons == {"no_message_id": 2, "content_type": 1}
    assert since is not None


def test_only_old_ids_expire_and_no_version_or_refusal(engine: sa.Engine) -> None:
    old, new = uuid4(), uuid4()
    with engine.begin() as connection:
        inbox.take(connection, tables, "c", [(old, b"1")])
        inbox.advance(connection, tables, "c", "note/1", Version(1, 1))
        inbox.refuse(connection, tables, "c", "x", None, "malformed")
        connection.execute(sa.update(tables.inbox).values(taken_at=sa.func.now() - timedelta(days=40)))
    with engine.begin() as connection:
        inbox.take(connection, tables, "c", [(new, b"1")])
        assert inbox.expire(connection, tables, timedelta(days=30)) == 1
        assert inbox.take(connection, tables, "c", [(old, b"1"), (new, b"1")]).repeated == {new}
        assert inbox.advance(connection, tables, "c", "note/1", Version(1, 1)) is Advance.OLD
        assert inbox.reasons(connection, tables, ["x"]) == {"x": "malformed"}


def _blocked(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        blocked = sa.text(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        return connection.scalar(blocked) or 0
