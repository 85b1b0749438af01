"""What is a customer's status made from? Read whole, or known to be as it was by one statement: many open pages ask again.

PostgreSQL gives a row another ``xmin`` whenever a transaction writes it (manual, 5.6 System Columns). So what was read stays
true while the same rows carry the same ones; what follows from the time is reckoned anew each time.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
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
        mark = marked(connection, tenant, crm_id)
        unsent = None if mark.waits is None else now - mark.waits
        with self._lock:
            rows, kept = self._kept.get((tenant, crm_id), (None, None))
        if kept is not None and rows == mark.rows:
            return kept, unsent
        made = read(connection, tenant, views.customer(connection, tenant, crm_id))
        with self._lock:
            self._kept[tenant, crm_id] = mark.rows, made  # of before it was read: what came between is read again
            self._kept.move_to_end((tenant, crm_id))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made, unsent


def read(connection: sa.Connection, tenant: str, found: views.Customer) -> Snapshot:
    """What else is told of that customer of that tenant."""
    return Snapshot(
        found=found,
        landed=views.landed(connection, found),
        kept=people.kept(connection, tenant),
        admins=people.admins(connection, tenant),
    )


def marked(connection: sa.Connection, tenant: str, crm_id: str) -> Mark:
    """The marks of every row that a snapshot is read from; one statement."""
    *rows, waits = connection.execute(_MARK, {"tenant": tenant, "crm_id": crm_id, "kept": people.KEPT_SETTINGS}).one()
    return Mark(rows=tuple(rows), waits=waits)


_MARK: Final = sa.text("""
    select
        (select string_agg(concat(a.agreement, ':', a.xmin), ' ' order by a.agreement)
         from sync.agreement a where a.tenant = :tenant) as agreements,
        (select string_agg(concat(l.id, ':', l.xmin, ':', look.xmin, ':', look.told, ':', side.xmin, ':', open.tasks), ' '
                           order by l.id)
         from sync.link l
         left join lateral (
             select k.xmin, (select count(*) from sync.look_told t where t.look = k.id) as told
             from sync.look k where k.link = l.id
         ) look on true
         left join lateral (
             select e.xmin from sync.economic_side e where e.agreement = l.agreement and e.number = l.number
         ) side on true
         cross join lateral (
             select string_agg(concat(t.id, '=', t.xmin), ',' order by t.id) as tasks
             from sync.task t where t.link = l.id and t.closed is null
         ) open
         where l.tenant = :tenant and l.crm_id = :crm_id) as links,
        (select string_agg(last.id::text, ',') from (
             select u.id from sync.audit u where u.tenant = :tenant and u.crm_id = :crm_id order by u.at desc, u.id desc limit 1
         ) last) as written,
        (select string_agg(concat(p.id, ':', p.xmin), ' ' order by p.id)
         from sync.person p where p.tenant = :tenant and p.role = 'admin') as admins,
        (select string_agg(concat(s.name, ':', s.xmin), ' ' order by s.name)
         from sync.setting s where s.tenant = :tenant and s.name = any(:kept)) as settings,
        (select clock_timestamp() - o.since from sync.outbox_pending o where o.lane = 'live' order by o.id limit 1) as waits
""")
