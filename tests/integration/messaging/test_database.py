"""Every wait of a session has an end, its name says whose it is, and its errors hold no values."""

import pytest
import sqlalchemy as sa

from crm_outbox.messaging.database import engine as make_engine
from crm_outbox.messaging.database import is_away, is_contended
from tests.integration.messaging.behind import Behind


def test_sessions_are_named_and_every_wait_has_an_end(database: str) -> None:
    engine = make_engine(database, "relay", lock_seconds=2, statement_seconds=7.5, idle_seconds=9)
    with engine.connect() as connection:
        shown = {
            name: connection.scalar(sa.text(f"show {name}"))
            for name in (
                "application_name", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout",
                "timezone", "tcp_keepalives_idle", "transaction_isolation",
            )
        }  # fmt: skip
    engine.dispose()
    assert str(shown.pop("application_name")).startswith("relay@")
    assert shown == {
        "lock_timeout": "2s",
        "statement_timeout": "7500ms",
        "idle_in_transaction_session_timeout": "9s",
        "timezone": "UTC",
        "tcp_keepalives_idle": shown["tcp_keepalives_idle"],
        "transaction_isolation": "read committed",
    }


def test_an_error_holds_no_values_of_its_statement(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.DataError) as raised, engine.connect() as connection:
        connection.execute(
            sa.text("select cast(:number as integer) + length(:mail)"), {"number": 2**40, "mail": "anna@firma.dk"}
        )
    assert "anna@firma.dk" not in str(raised.value)
    assert not is_away(raised.value)
    assert not is_contended(raised.value)


def test_a_lock_that_is_held_is_contention_and_not_absence(database: str, engine: sa.Engine) -> None:
    impatient = make_engine(database, "test", lock_seconds=0.05)
    with engine.begin() as holder, impatient.connect() as other:
        holder.execute(sa.text("lock table crm.inbox in access exclusive mode"))
        with pytest.raises(sa.exc.OperationalError) as raised:
            other.execute(sa.text("select 1 from crm.inbox"))
    impatient.dispose()
    assert is_contended(raised.value)
    assert not is_away(raised.value)


def test_a_database_that_cannot_be_reached_is_away(database: str) -> None:
    with Behind(database) as behind:
        behind.proxy.refuse()
        with pytest.raises(sa.exc.OperationalError) as raised:
            behind.engine.connect()
    assert is_away(raised.value)
    assert not is_contended(raised.value)


def test_a_database_that_is_gone_between_two_statements_is_away(database: str) -> None:
    with Behind(database) as behind, behind.engine.connect() as connection:
        connection.execute(sa.text("select 1"))
        behind.proxy.refuse()
        with pytest.raises(sa.exc.OperationalError) as raised:
            connection.execute(sa.text("select 1"))
    assert is_away(raised.value)


def test_a_session_that_the_server_ended_is_away(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        mine = connection.scalar(sa.text("select pg_backend_pid()"))
        with engine.connect() as other:
            other.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": mine})
        with pytest.raises(sa.exc.OperationalError) as raised:
            connection.execute(sa.text("select 1"))
    assert is_away(raised.value)
