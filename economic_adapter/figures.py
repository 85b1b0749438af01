"""How does the adapter fare with each agreement? What it tells every minute; read only.

The caller holds the transaction.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from economic_adapter import records
from economic_adapter.budget import DAY_SOFT, calls_today
from economic_adapter.contract import Figures
from economic_adapter.rhythm import Rhythm
from economic_adapter.tables import activity, agreement


def every(
    connection: Connection, late: Mapping[int, datetime], rhythm: Rhythm, now: datetime
) -> list[tuple[int, Figures]]:
    """The figures of every agreement that is connected; ``late``: since when work of some is due that nobody does."""
    query = (
        sa.select(agreement, activity.c.hook_at)
        .select_from(agreement.outerjoin(activity, activity.c.agreement == agreement.c.number))
        .where(agreement.c.state != "disconnected")
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
                checked=row["polled_at"],
                every=rhythm.active,
                late_since=late.get(row["number"]),
            ),
        )
        for row in connection.execute(query).mappings()
    ]
