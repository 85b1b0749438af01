"""How does a duty reach PostgreSQL? An engine whose every wait has an end and whose sessions say whose they are."""

import socket

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

CONNECT_SECONDS = 5
_AWAY = ("08", "53", "57P", "25006", "3F000", "42P01", "42703", "42501")
"""SQLSTATE beginnings that mean "not this content's fault": connection, resources, shutting down, a standby, and
tables or rights that are not there yet."""
_CONTENDED = frozenset({"40001", "40P01", "55P03"})


def engine(
    url: str,
    name: str,
    *,
    autocommit: bool = False,
    pool: int = 5,
    lock_seconds: float = 5.0,
    statement_seconds: float = 30.0,
    idle_seconds: float = 60.0,
) -> sa.Engine:
    """An engine for one duty; ``name`` (such as ``relay``) and the host become the sessions' application name.

    Error texts never hold parameters. A statement, a wait for a lock and an idle transaction each end after the seconds
    given; connecting after 5.
    """
    options = {
        "lock_timeout": f"{lock_seconds * 1000:.0f}",
        "statement_timeout": f"{statement_seconds * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{idle_seconds * 1000:.0f}",
        "timezone": "UTC",
    }
    return sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": f"{name}@{socket.gethostname()}"[:63],
            "options": " ".join(f"-c {key}={value}" for key, value in options.items()),
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        },
        pool_size=pool,
        max_overflow=5,
        pool_timeout=CONNECT_SECONDS,
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        hide_parameters=True,
    )


def is_away(error: BaseException) -> bool:
    """Whether PostgreSQL could not be reached or could not work, so that the same statement may succeed later."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or (state is None and isinstance(error, OperationalError)):
        return True
    return state is not None and state.startswith(_AWAY)


def is_contended(error: BaseException) -> bool:
    """Whether another transaction was in the way (deadlock, lock not free, serialisation): no fault of the content."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONTENDED
