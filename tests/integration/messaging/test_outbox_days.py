"""The outbox is cut into days: made ahead, never missed by an insert, dropped when old and done."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import crm_outbox.tables
import economic_adapter.tables
import reconciler.bulk_tables
import reconciler.mail_tables
import reconciler.past_tables
import reconciler.people_tables
import reconciler.rule_tables
import reconciler.run_tables
from crm_outbox.messaging import days, outbox, telemetry, upkeep
from crm_outbox.messaging.outbox import Selection
from deploy.migrations.__main__ import main
from deploy.migrations.histories import SCHEMAS, behind, up
from tests.integration.messaging.relaying import OUTBOX, TABLES, changed

TODAY = datetime.now(UTC).date()


def days_of(engine: sa.Engine) -> set[date]:
    with engine.begin() as connection:
        return set(days._days(connection, "crm"))


def test_every_schema_has_its_days_for_two_weeks_after_migrating(engine: sa.Engine) -> None:
    for schema in SCHEMAS:
        with engine.begin() as connection:
            found = set(days._days(connection, schema))
        assert {TODAY + timedelta(days=n) for n in range(1, days.AHEAD)} <= found


def test_making_days_ahead_may_be_repeated(engine: sa.Engine) -> None:
    days.make_ahead(engine, "crm", TODAY)
    assert days.make_ahead(engine, "crm", TODAY) == 0
    assert days.make_ahead(engine, "crm", TODAY + timedelta(days=2)) == 2


def test_an_insert_on_a_day_nobody_made_is_kept_and_moved_to_its_day_later(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        one = outbox.append(connection, OUTBOX, changed(1))
        far = TODAY + timedelta(days=100)
        moved = sa.text("update crm.outbox set day = :day where message_id = :id")
        connection.execute(moved, {"day": far, "id": one})
        connection.execute(sa.text("update crm.outbox_pending set day = :day"), {"day": far})
        assert days.stray_rows(connection, "crm") == 1
    assert days.make_ahead(engine, "crm", TODAY) >= 1
    with engine.begin() as connection:
        assert days.stray_rows(connection, "crm") == 0
        assert connection.scalar(sa.text("select day from crm.outbox where message_id = :id"), {"id": one}) == far
    assert far in days_of(engine)


def test_old_days_are_dropped_only_when_nothing_waits_or_is_parked_in_them(engine: sa.Engine) -> None:
    old = [TODAY - timedelta(days=n) for n in (30, 20, 10)]
    for day in old:
        days.make_ahead(engine, "crm", day, ahead=0)
    with engine.begin() as connection:
        connection.execute(
            sa.text("insert into crm.outbox_pending (lane, id, day) values ('live', 1, :day)"), {"day": old[0]}
        )
        connection.execute(
            sa.text("insert into crm.parked (lane, id, day, reason) values ('live', 2, :day, 'x')"), {"day": old[1]}
        )
    assert days.drop_old(engine, "crm", TODAY) == 1
    assert {old[0], old[1]} <= days_of(engine)
    assert old[2] not in days_of(engine)
    assert TODAY in days_of(engine)


def test_a_day_that_is_in_use_is_left_for_later_and_blocks_nobody(engine: sa.Engine) -> None:
    days.make_ahead(engine, "crm", TODAY - timedelta(days=40), ahead=0)
    with engine.connect() as busy:
        outbox.append(busy, OUTBOX, changed(1))  # holds the lock every insert holds
        assert days.drop_old(engine, "crm", TODAY) == 0
        busy.rollback()
    assert days.drop_old(engine, "crm", TODAY) == 1


def test_the_clock_keeps_days_and_forgets_and_watches(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        outbox.append(connection, OUTBOX, changed(1))
        connection.execute(
            sa.text("insert into crm.settled values ('live', now() - interval '30 hours', 1), ('live', now(), 2)")
        )
    upkeep.retain(engine, TABLES, datetime.now(UTC))
    with engine.begin() as connection:
        assert connection.scalar(sa.text("select array_agg(lowest) from crm.settled")) == [2]
    with engine.begin() as connection:
        assert upkeep.watch(connection, TABLES) == 1
    assert telemetry.PENDING.labels("crm", "live")._value.get() == 1
    with pytest.raises(ValueError, match="inbox"):
        upkeep.retain(engine, TABLES, datetime.now(UTC), timedelta(days=7), timedelta(days=7))


def test_replaying_a_time_range_reads_only_its_days(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        [one] = outbox.append_all(connection, OUTBOX, [changed(1)])
        connection.execute(sa.text("delete from crm.outbox_pending"))
        now = datetime.now(UTC)
        hour = timedelta(hours=1)
        assert outbox.replay(connection, TABLES, Selection(since=now - hour, until=now + hour)) == 1
        assert outbox.replay(connection, TABLES, Selection(since=now + hour)) == 0
        assert outbox.replay(connection, TABLES, Selection(until=now - hour)) == 0
        assert outbox.replay(connection, TABLES, Selection(message=one, subject="customer/2")) == 0


@pytest.mark.parametrize(
    ("schema", "metadata"),
    [
        ("crm", crm_outbox.tables.metadata),
        ("economic", economic_adapter.tables.metadata),
        ("sync", reconciler.run_tables.metadata),
    ],
)
def test_the_tables_in_code_are_those_the_migrations_make(
    engine: sa.Engine, schema: str, metadata: sa.MetaData
) -> None:
    def ours(name: str | None, kind: str, parents: object) -> bool:
        if kind == "schema":
            return name == schema
        return not (
            kind == "table"
            and name is not None
            and (name.startswith("outbox_2") or name in {"outbox_default", "alembic_version"})
        )

    with engine.connect() as connection:
        options = {"include_schemas": True, "include_name": ours, "compare_type": True, "compare_server_default": False}
        context = MigrationContext.configure(connection, opts={**options, "version_table_schema": schema})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing_and_check_says_so(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    urls = dict.fromkeys(SCHEMAS, database)
    up(urls)
    assert behind(urls) == {}
    monkeypatch.setenv("DATABASE_URL", database)
    assert main(["check"]) == 0
    assert "crm: up to date" in capsys.readouterr().out
    monkeypatch.delenv("DATABASE_URL")
    assert main(["check"]) == 2
    assert main(["sideways"]) == 2
    assert "CRM_DATABASE_URL" in capsys.readouterr().err


def test_a_schema_that_is_behind_is_named(engine: sa.Engine, database: str) -> None:
    with engine.begin() as connection:
        head = connection.scalar(sa.text("select version_num from sync.alembic_version"))
        connection.execute(sa.text("update sync.alembic_version set version_num = 'sync_0001'"))
    try:
        assert behind(dict.fromkeys(SCHEMAS, database)) == {"sync": ("sync_0001", head)}
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("update sync.alembic_version set version_num = :head"), {"head": head})
