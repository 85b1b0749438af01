"""What is a customer's status made from? Read whole, or known to be as it was by one statement: many open pages ask again.

PostgreSQL gives a row another ``xmin`` whenever a transaction writes it (manual, 5.6 System Columns). So what was read stays
true while the same rows carry the same ones; what follows from the time is reckoned anew each time.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from reconciler import people, views
from reconciler.lately import Landed
from reconciler.person import Kept

MOST: Final = 2000
"""Customers that are remembered: more than are open in a company's browsers at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a status is made from beside the time: the customer, what was written of it last, what admins kept, and who they are."""

    found: views.Customer
    landed: Sequence[Landed]
    kept: Kept
    admins: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """By what it is known that nothing of a snapshot has changed, and for how long the oldest message of ours has waited."""

    rows: tuple[str | None, ...]
    waits: timedelta | None

    def unsent(self, now: datetime) -> datetime | None:
        """Since when the oldest message of ours waits."""
        return None if self.waits is None else now - self.waits


Customers = Collection[tuple[str, str]]
"""Tenants' customers: each tenant with the id of a customer in its CRM."""


class Snapshots:
    """The snapshots read last, of any tenant; threads may share them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], tuple[tuple[str | None, ...], Snapshot]] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, connection: sa.Connection, tenant: str, crm_id: str, now: datetime
    ) -> tuple[Snapshot, datetime | None]:
        """That customer as it is known, and since when the oldest message of ours waits."""
        mark = marked(connection, [(tenant, crm_id)])[tenant, crm_id]
        if (kept := self.kept(tenant, crm_id, mark)) is not None:
            return kept, mark.unsent(now)
        made = read(connection, tenant, views.customer(connection, tenant, crm_id))
        with self._lock:
            self._kept[tenant, crm_id] = mark.rows, made  # of before it was read: what came between is read again
            self._kept.move_to_end((tenant, crm_id))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made, mark.unsent(now)

    def kept(self, tenant: str, crm_id: str, mark: Mark) -> Snapshot | None:
        """That customer as it was read before, if it is still so by that mark."""
        with self._lock:
            rows, kept = self._kept.get((tenant, crm_id), (None, None))
        return kept if rows == mark.rows else None


def read(connection: sa.Connection, tenant: str, found: views.Customer) -> Snapshot:
    """What else is told of that customer of that tenant."""
    return Snapshot(
        found=found,
        landed=views.landed(connection, found),
        kept=people.kept(connection, tenant),
        admins=people.admins(connection, tenant),
    )


def marked(connection: sa.Connection, wanted: Customers) -> dict[tuple[str, str], Mark]:
    """The marks of every row that these snapshots are read from; one statement for all of them."""
    tenants, customers = zip(*wanted, strict=True)
    given = {"tenants": list(tenants), "customers": list(customers), "kept": people.KEPT_SETTINGS}
    return {
        (tenant, crm_id): Mark(rows=tuple(rows), waits=waits)
        for tenant, crm_id, *rows, waits in connection.execute(_MARK, given)
    }


# what was told of a look is gathered after the join: within it, a plan of when there were few looks gathers it of every look
_MARK: Final = sa.text("""
    select
        wanted.tenant, wanted.crm_id,
        (select string_agg(a.xmin::text, ' ' order by a.agreement)
         from sync.agreement a where a.tenant = wanted.tenant) as agreements,
        (select string_agg(concat(
             l.xmin, ':', look.xmin, ':',
             (select string_agg(t.xmin::text, ',' order by t.at, t.how) from sync.look_told t where t.look = look.id),
             ':', side.xmin, ':', open.tasks), ' ' order by l.id)
         from sync.link l
         left join sync.look look on look.link = l.id
         left join lateral (
             select e.xmin from sync.economic_side e where e.agreement = l.agreement and e.number = l.number
         ) side on true
         cross join lateral (
             select string_agg(t.xmin::text, ',' order by t.id) as tasks
             from sync.task t where t.link = l.id and t.closed is null
         ) open
         where l.tenant = wanted.tenant and l.crm_id = wanted.crm_id) as links,
        (select string_agg(p.xmin::text, ' ' order by p.id)
         from sync.person p where p.tenant = wanted.tenant and p.role = 'admin') as admins,
        (select string_agg(s.xmin::text, ' ' order by s.name)
         from sync.setting s where s.tenant = wanted.tenant and s.name = any(:kept)) as settings,
        (select clock_timestamp() - o.since from sync.outbox_pending o where o.lane = 'live' order by o.id limit 1) as waits
    from unnest(cast(:tenants as text[]), cast(:customers as text[])) as wanted (tenant, crm_id)
""")
"""No row is named: one that came or was written since has the ``xmin`` of a transaction of which nothing was seen before, and where
one went there is one less. Nor is there a mark of rows that only the statement writes that writes their link's own row.
"""
