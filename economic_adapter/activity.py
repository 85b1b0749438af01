"""When did something last change, and when was last checked? What the regular checks of agreements go by; its SQL.

The caller holds the transaction; nothing here commits.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from economic_adapter.budget import Lane
from economic_adapter.rhythm import Checked
from economic_adapter.tables import activity, agreement, work

_LONGEST = 100
"""Characters kept of a content type."""
_NOTED_FOR = timedelta(minutes=1)
"""What changes within it is not noted again: a burst is one note."""


def note(connection: Connection, number: int, now: datetime) -> None:
    """Something changed on either side of this agreement. Never waits for others who note the same."""
    _noted(connection, number, now, activity.c.changed_at, {"changed_at": now})


def arrived(connection: Connection, number: int, now: datetime, *, by_hand: bool) -> bool:
    """A webhook came that says who changed; whether that is news, because none came in the last minute."""
    column = activity.c.hand_at if by_hand else activity.c.hook_at
    values = {"hook_at": now, **({"hand_at": now} if by_hand else {})}
    return _noted(connection, number, now, column, values)


def refused(connection: Connection, number: int, now: datetime, why: str, given: str = "") -> bool:
    """A webhook came that could not be taken; whether that is news. Never waits for others who note it."""
    values = {"refused_at": now, "refused": why, "refused_as": given[:_LONGEST]}
    return _noted(connection, number, now, activity.c.refused_at, values)


def _noted(
    connection: Connection, number: int, now: datetime, column: sa.Column[datetime], values: Mapping[str, object]
) -> bool:
    known = sa.select(column).where(activity.c.agreement == number)
    before = connection.execute(known).one_or_none()
    if before is None:
        fresh = insert(activity).values(**{"agreement": number, "changed_at": now, **values})
        done = connection.execute(fresh.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True})
        return done.rowcount == 1
    if before[0] is not None and now - before[0] < _NOTED_FOR:
        return False
    free = known.with_only_columns(activity.c.agreement).with_for_update(skip_locked=True)
    return connection.execute(sa.update(activity).where(activity.c.agreement.in_(free)).values(**values)).rowcount == 1


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
