"""When did something last change, and when was last checked? What the regular checks of agreements go by; its SQL.

The caller holds the transaction; nothing here commits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from economic_adapter.budget import Lane
from economic_adapter.rhythm import Checked
from economic_adapter.tables import activity, agreement, work

_NOTED_FOR = timedelta(minutes=1)
"""What changes within it is not noted again: a burst is one note."""


def note(connection: Connection, number: int, now: datetime, *, hook: bool = False) -> None:
    """Something changed on either side of this agreement, as a webhook says or not. Never waits for others who note it."""
    values = {"changed_at": now, "hook_at": now} if hook else {"changed_at": now}
    known = sa.select(activity.c.changed_at, activity.c.hook_at).where(activity.c.agreement == number)
    before = connection.execute(known).one_or_none()
    if before is None:
        fresh = insert(activity).values(agreement=number, **values)
        connection.execute(fresh.on_conflict_do_nothing())
        return
    last = before.hook_at if hook else before.changed_at
    if last is not None and now - last < _NOTED_FOR:
        return
    free = known.with_only_columns(activity.c.agreement).with_for_update(skip_locked=True)
    connection.execute(sa.update(activity).where(activity.c.agreement.in_(free)).values(**values))


def checked_before(connection: Connection, moment: datetime) -> list[Checked]:
    """The agreements that are on, are checked regularly, and were last checked at that moment or before."""
    last = sa.func.coalesce(agreement.c.polled_at, agreement.c.connected_at)
    query = (
        sa.select(agreement.c.number, last.label("at"), activity.c.changed_at)
        .select_from(agreement.outerjoin(activity, activity.c.agreement == agreement.c.number))
        .where(agreement.c.state == "on", agreement.c.polling, last <= moment)
        .order_by(agreement.c.number)
    )
    return [
        Checked(agreement=row.number, at=row.at, changed_at=row.changed_at) for row in connection.execute(query).all()
    ]


def plan_polls(connection: Connection, numbers: Sequence[int], now: datetime) -> int:
    """Plan a poll of each of these agreements, unless one is planned; how many were."""
    rows = [
        {"agreement": one, "kind": "poll", "key": "", "lane": int(Lane.SWEEP), "due_at": now} for one in sorted(numbers)
    ]
    if not rows:
        return 0
    planned = insert(work).values(rows).on_conflict_do_nothing(constraint="work_key")
    return connection.execute(planned, execution_options={"preserve_rowcount": True}).rowcount
