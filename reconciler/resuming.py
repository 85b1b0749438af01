"""Which directions of an agreement are paused, which pause is over, and who waits for one that is?

Who waits is found by how links stand, the longest waiting first.
"""

import json
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter

from reconciler import halts, statements
from reconciler.halts import Halts
from reconciler.store import Waiting

_HALTS = TypeAdapter(Halts)


def give(connection: sa.Connection, tenant: str, agreement: int, given: Halts) -> None:
    """Store which directions of a locked agreement are paused, and until when."""
    values = {
        "tenant": tenant,
        "agreement": agreement,
        "halts": _HALTS.dump_json(given).decode(),
        "paused": json.dumps(halts.systems(given)),
        "ends": halts.ends(given),
    }
    connection.execute(_GIVE, values)


def over(connection: sa.Connection, now: datetime) -> Sequence[tuple[str, int]]:
    """Agreements of which a pause is over."""
    return [(row.tenant, row.agreement) for row in connection.execute(_OVER, {"now": now})]


def waiting(connection: sa.Connection, limit: int) -> list[Waiting]:
    """Links that stand as paused, and for which the pause they wait for holds no longer."""
    return [Waiting(**row._asdict()) for row in connection.execute(statements.GOING_ON, {"limit": limit})]


def count(connection: sa.Connection, tenant: str, agreement: int) -> int:
    """How many customers have something that waits for a pause."""
    return int(connection.scalar(statements.PAUSED, {"tenant": tenant, "agreement": agreement}) or 0)


_GIVE = sa.text("""
    update sync.agreement set halts = cast(:halts as jsonb), paused = cast(:paused as jsonb), halts_end = :ends
    where tenant = :tenant and agreement = :agreement
""")
_OVER = sa.text("select tenant, agreement from sync.agreement where halts_end <= :now order by halts_end limit 100")
