"""What did the adapter tell of itself on this server, of no agreement? The last that was told holds.

What is told is only added: whoever hears it waits for nobody, whatever else they have locked.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from economic_adapter.contract import InstallationObserved
from reconciler.entered import Told

KEPT: Final = timedelta(days=1)


def note(connection: sa.Connection, message: UUID, seen: InstallationObserved) -> None:
    """Add what a message told, under that message's id."""
    connection.execute(_NOTE, {"id": message, "at": seen.at, "lacks": to_json(seen.lacks).decode()})


def last(connection: sa.Connection) -> Told | None:
    """What was told last; none where nothing ever was."""
    row = connection.execute(_LAST).one_or_none()
    return None if row is None else Told(at=row.at, lacks=tuple(row.lacks))


def forget(connection: sa.Connection, now: datetime) -> int:
    """Forget what was told more than a day ago, but for the last of it; returns how many."""
    return connection.execute(_FORGET, {"before": now - KEPT}).rowcount


_NOTE = sa.text("insert into sync.installation (id, at, lacks) values (:id, :at, :lacks)")
_LAST = sa.text("select at, lacks from sync.installation order by at desc, id desc limit 1")
_FORGET = sa.text("""
    delete from sync.installation where at < :before and at < (select max(at) from sync.installation)
""")
