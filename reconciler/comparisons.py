"""What did each night's comparison of everything find? Kept for a quarter of a year: SQL only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

KEPT: Final = timedelta(days=90)
MOST: Final = 100
"""Silent differences that are kept by name; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One comparison. ``silent`` are the first customers that differ without anybody knowing: customer, number, details."""

    at: datetime
    standing: Mapping[str, int]
    silent: Sequence[Mapping[str, Any]]

    @property
    def customers(self) -> int:
        """How many were compared."""
        return sum(self.standing.values())

    @property
    def differences(self) -> int:
        """How many differ without anybody knowing."""
        return self.standing.get("silent", 0)


def to_make(connection: sa.Connection) -> list[tuple[str, int, UUID]]:
    """Agreements that were read in full by a sweep and have not been compared since, with that sweep."""
    return [(row.tenant, row.agreement, row.id) for row in connection.execute(_TO_MAKE)]


def insert(
    connection: sa.Connection,
    tenant: str,
    agreement: int,
    run: UUID,
    standing: Mapping[str, int],
    silent: Sequence[Mapping[str, object]],
    now: datetime,
) -> None:
    """Store what was found."""
    values = {"tenant": tenant, "agreement": agreement, "run": run, "now": now}
    lists = {"standing": json.dumps(standing), "silent": json.dumps(list(silent[:MOST]))}
    connection.execute(_INSERT, {**values, **lists})


def last(connection: sa.Connection, tenant: str, agreement: int) -> Night | None:
    """The last comparison of an agreement."""
    row = connection.execute(_LAST, {"tenant": tenant, "agreement": agreement}).one_or_none()
    return None if row is None else Night(at=row.at, standing=row.standing, silent=row.silent)


def forget(connection: sa.Connection, now: datetime) -> int:
    """Forget what is old; returns how many."""
    return connection.execute(_FORGET, {"before": now - KEPT}).rowcount


_TO_MAKE = sa.text("""
    select a.tenant, a.agreement, swept.id from sync.agreement a
    cross join lateral (
        select r.id, r.ended from sync.run r
        where r.tenant = a.tenant and r.agreement = a.agreement and r.kind = 'sweep' and r.state = 'done'
        order by r.started desc limit 1
    ) swept
    where a.state = 'on' and a.busy is null
      and not exists (select from sync.comparison c
                      where c.tenant = a.tenant and c.agreement = a.agreement and c.run = swept.id)
    order by a.tenant, a.agreement
""")
_INSERT = sa.text("""
    insert into sync.comparison (tenant, agreement, at, run, standing, silent)
    values (:tenant, :agreement, :now, :run, cast(:standing as jsonb), cast(:silent as jsonb)) on conflict do nothing
""")
_LAST = sa.text("""
    select at, standing, silent from sync.comparison where tenant = :tenant and agreement = :agreement
    order by at desc limit 1
""")
_FORGET = sa.text("delete from sync.comparison where at < :before")
