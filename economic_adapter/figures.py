"""How does the adapter fare with each agreement? What it tells every minute; read only.

The caller holds the transaction.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from economic_adapter import records
from economic_adapter.budget import DAY_SOFT, calls_today
from economic_adapter.contract import Figures, RefusedHook
from economic_adapter.rhythm import Rhythm
from economic_adapter.tables import activity, agreement


def every(
    connection: Connection,
    late: Mapping[int, datetime],
    rhythm: Rhythm,
    now: datetime,
    *,
    only: int | None = None,
) -> list[tuple[int, Figures]]:
    """The figures of every agreement that is connected, or of one; ``late``: since when work of some is due that nobody does."""
    columns = (activity.c.hook_at, activity.c.hand_at, activity.c.refused_at, activity.c.refused, activity.c.refused_as)
    query = (
        sa.select(agreement, *columns)
        .select_from(agreement.outerjoin(activity, activity.c.agreement == agreement.c.number))
        .where(agreement.c.state != "disconnected", *(() if only is None else (agreement.c.number == only,)))
        .order_by(agreement.c.number)
    )
    return [
        (
            row["number"],
            Figures(
                at=now,
                calls=calls_today(records.budget_of(row), now),
                most=DAY_SOFT,
                missed=row["missed"],
                connected=row["connected_at"],
                hooked=row["hook_at"],
                by_hand=row["hand_at"],
                refused=_refused(row),
                checked=row["polled_at"],
                every=rhythm.active,
                late_since=late.get(row["number"]),
            ),
        )
        for row in connection.execute(query).mappings()
    ]


def _refused(row: sa.RowMapping) -> RefusedHook | None:
    if row["refused_at"] is None:
        return None
    return RefusedHook(at=row["refused_at"], why=row["refused"], given=row["refused_as"])
