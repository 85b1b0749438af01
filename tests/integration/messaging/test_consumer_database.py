"""PostgreSQL is away, in the way, or not ready: nothing is refused for that, nothing is taken twice."""

from contextlib import closing

import pytest
import sqlalchemy as sa
import structlog

from crm_outbox.messaging import consumer as receiving
from crm_outbox.messaging.database import engine as make_engine
from crm_outbox.messaging.settings import Broker
from crm_outbox.tables import messages as tables
from tests.builders.receiving import (
    BULK,
    INBOUND,
    Depths,
    Effects,
    Post,
    consumer,
    drive,
    note,
    refusals,
    taken,
    turning,
    watermarks,
)
from tests.integration.messaging.behind import Behind
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are not what is tested."""
    monkeypatch.setattr(receiving, "pause", lambda _: 0.05)


def test_while_postgresql_is_away_the_buffer_is_kept_and_taken_when_it_is_back(
    database: str, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    with Behind(database) as behind, closing(consumer(behind.engine, broker, effects)) as duty:
        post.send(INBOUND, note("before", subject="note/before"))
        drive(duty, lambda: taken(behind.engine) == 1)
        wire = duty._wire
        behind.proxy.refuse()
        post.send(INBOUND, *[note(str(number), subject=f"note/{number}") for number in range(5)])
        drive(duty, lambda: len(duty._inbound.waiting) == 5 and duty._absence.since is not None)
        assert depth(INBOUND) == 0
        behind.proxy.restore()
        drive(duty, lambda: taken(behind.engine) == 6)
        assert duty._wire is wire
        assert effects.seen == ["before", "0", "1", "2", "3", "4"]
        assert refusals(behind.engine) == []


def test_after_the_patience_is_over_the_broker_is_left_until_postgresql_is_back(
    database: str, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    with Behind(database) as behind, closing(consumer(behind.engine, broker, effects, patience=0.3)) as duty:
        post.send(INBOUND, note("before", subject="note/before"))
        drive(duty, lambda: taken(behind.engine) == 1)
        behind.proxy.refuse()
        post.send(INBOUND, note("after"))
        drive(duty, lambda: duty._wire is None)
        eventually(lambda: depth(INBOUND) == 1)
        for _ in range(5):
            duty.run_once()
            assert duty._wire is None
        behind.proxy.restore()
        drive(duty, lambda: taken(behind.engine) == 2)
        assert effects.seen == ["before", "after"]


def test_no_consumer_is_opened_before_postgresql_answers(
    database: str, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    post.send(INBOUND, note("waits"))
    with Behind(database) as behind, closing(consumer(behind.engine, broker, effects)) as duty:
        behind.proxy.refuse()
        for _ in range(25):  # more often than a message may be delivered
            duty.run_once()
        assert depth(INBOUND) == 1
        behind.proxy.restore()
        drive(duty, lambda: taken(behind.engine) == 1)
        assert depth(f"{INBOUND}.dead") == 0


def test_a_standby_counts_as_away(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(consumer(engine, broker, effects)) as duty:
        post.send(INBOUND, note("first"))
        drive(duty, lambda: taken(engine) == 1)
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "alter database current set default_transaction_read_only = on".replace("current", _name(engine))
                )
            )
        try:
            engine.dispose()
            post.send(INBOUND, note("second"))
            drive(duty, lambda: duty._absence.since is not None)
        finally:
            with engine.connect() as connection:
                connection.execute(sa.text("set default_transaction_read_only = off"))
                connection.commit()
                connection.execute(sa.text("set transaction read write"))
                connection.execute(sa.text(f"alter database {_name(engine)} reset default_transaction_read_only"))
                connection.commit()
            engine.dispose()
        drive(duty, lambda: taken(engine) == 2)
        assert refusals(engine) == []


def test_a_table_that_is_not_there_yet_refuses_nothing(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("alter table crm.watermark rename to watermark_elsewhere"))
    with closing(consumer(engine, broker, effects)) as duty:
        post.send(INBOUND, note("early"))
        drive(duty, lambda: duty._absence.since is not None)
        with engine.begin() as connection:
            connection.execute(sa.text("alter table crm.watermark_elsewhere rename to watermark"))
        drive(duty, lambda: taken(engine) == 1)
        assert refusals(engine) == []


def test_a_message_whose_row_is_locked_waits_and_is_not_counted_as_failed(
    database: str, engine: sa.Engine, broker: Broker, post: Post, effects: Effects
) -> None:
    impatient = make_engine(database, "test", lock_seconds=0.1)
    with closing(consumer(impatient, broker, effects)) as duty:
        post.send(INBOUND, note("one", subject="note/held", number=1), note("two", subject="note/two"))
        drive(duty, lambda: taken(engine) == 2)
        with engine.begin() as connection:
            connection.execute(
                sa.select(tables.watermark).where(tables.watermark.c.aggregate == "note/held").with_for_update()
            )
            post.send(INBOUND, note("held", subject="note/held", number=2), note("free", subject="note/free", number=1))
            drive(duty, lambda: effects.seen.count("held") > 4 and "note/free" in watermarks(engine))
            assert watermarks(engine)["note/held"] == 1
        drive(duty, lambda: watermarks(engine)["note/held"] == 2)
        assert refusals(engine) == []
    impatient.dispose()


def test_two_consumers_share_a_queue_and_each_message_has_one_effect(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    notes = [note(str(number), subject=f"note/{number}", number=1) for number in range(200)]
    post.send(INBOUND, *notes, *notes)
    first, second = (consumer(engine, broker, effects, batch=7, name=f"applier-{nth}") for nth in (1, 2))
    with turning(first), turning(second):
        eventually(lambda: taken(engine) == 200 and depth(INBOUND) == 0, within=60)
    assert len(watermarks(engine)) == 200
    assert refusals(engine) == []
    assert depth(f"{INBOUND}.dead") == 0


def test_bulk_gets_its_turn_while_inbound_never_ends(
    engine: sa.Engine, broker: Broker, post: Post, effects: Effects
) -> None:
    with closing(consumer(engine, broker, effects, batch=2)) as duty:
        post.send(INBOUND, note("wide"))
        post.send(BULK, note("wide"))
        drive(duty, lambda: taken(engine) == 2)
        post.send(BULK, *[note("bulk") for _ in range(6)])
        post.send(INBOUND, *[note("live") for _ in range(100)])
        drive(duty, lambda: effects.seen.count("bulk") == 6)
        assert effects.seen.count("live") <= 62
        drive(duty, lambda: taken(engine) == 108)


def test_committed_is_called_after_each_commit_and_its_errors_are_only_logged(
    engine: sa.Engine, broker: Broker, post: Post, depth: Depths, effects: Effects
) -> None:
    def fails() -> None:
        raise RuntimeError("bell")

    with closing(consumer(engine, broker, effects, committed=fails)) as duty, structlog.testing.capture_logs() as logs:
        post.send(INBOUND, note("one"))
        drive(duty, lambda: taken(engine) == 1)
        drive(duty, lambda: depth(INBOUND) == 0)
    assert [line for line in logs if line["event"] == "consumer.committed_failed"]


def _name(engine: sa.Engine) -> str:
    return str(engine.url.database)
