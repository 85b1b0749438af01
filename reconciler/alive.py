"""Which duties of the reconciler live? Each process writes down, again and again, those of its loops that turn."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from crm_outbox.messaging.telemetry import beats

EVERY: Final = 15.0
"""Seconds between two times."""
KEPT: Final = timedelta(days=7)


def write(engine: sa.Engine, duties: Collection[str], process: str, now: Callable[[], datetime]) -> int:
    """Write down which of these duties turn in this process; returns how many."""
    late = {one.partition(".")[0] for one in beats.late()}
    turning = [one for one in duties if one not in late]
    with engine.begin() as connection:
        if turning:
            connection.execute(_WRITE, {"names": turning, "process": process, "now": now()})
    return len(turning)


def last(connection: sa.Connection) -> Mapping[str, datetime]:
    """When each duty turned last, in whichever process."""
    return {row.name: row.at for row in connection.execute(_LAST)}


def forget(connection: sa.Connection, now: datetime) -> int:
    """Forget processes that ended long ago; returns how many duties of them."""
    return connection.execute(_FORGET, {"before": now - KEPT}).rowcount


_WRITE = sa.text("""
    insert into sync.duty (name, process, at) select one, :process, :now from unnest(cast(:names as text[])) as one
    on conflict (name, process) do update set at = excluded.at
""")
_LAST = sa.text("select name, max(at) as at from sync.duty group by name")
_FORGET = sa.text("delete from sync.duty where at < :before")
