"""What is remembered of trying many errors again? Each attempt with its items, how far it came, and who asked for it: SQL only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

State = Literal["running", "stopped", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """One attempt at many errors. ``left``: how many are not dealt with yet; ``left_out``: not begun with when it was stopped."""

    id: UUID
    tenant: str
    who: str
    who_id: str
    at: datetime
    state: State
    ended: datetime | None
    total: int
    done: int
    failed: int
    left_out: int

    @property
    def left(self) -> int:
        """How many are still to be dealt with, or wait for an answer."""
        return self.total - self.done - self.failed - self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One error of an attempt. ``state``: planned, sent, done, failed or left_out."""

    retry: UUID
    position: int
    task: UUID
    link: UUID
    state: str


def insert(
    connection: sa.Connection, retry: UUID, tenant: str, who: tuple[str, str], now: datetime, tasks: Sequence[UUID]
) -> bool:
    """Store an attempt at these errors; whether there was none of that id."""
    values = {"id": retry, "tenant": tenant, "who": who[0], "who_id": who[1], "now": now, "tasks": list(tasks)}
    if not connection.execute(_INSERT, values).rowcount:
        return False
    connection.execute(_INSERT_ITEMS, values)
    return True


def find(connection: sa.Connection, tenant: str, retry: UUID) -> Retry | None:
    """An attempt of that tenant, as far as it came."""
    row = connection.execute(
        sa.text(f"{_READ} where r.tenant = :tenant and r.id = :id"), {"tenant": tenant, "id": retry}
    )
    return _retry(row.one_or_none())


def newest(connection: sa.Connection, tenant: str, since: datetime) -> Retry | None:
    """The newest attempt that goes on, or that ended since then."""
    where = "where r.tenant = :tenant and (r.ended is null or r.ended >= :since) order by r.at desc, r.id limit 1"
    row = connection.execute(sa.text(f"{_READ} {where}"), {"tenant": tenant, "since": since})
    return _retry(row.one_or_none())


def stop(connection: sa.Connection, tenant: str, retry: UUID) -> bool:
    """Begin with nothing more of an attempt; what was sent is waited for. Whether it went on."""
    stopped = connection.execute(_STOP, {"tenant": tenant, "id": retry}).rowcount > 0
    if stopped:
        connection.execute(_LEAVE, {"id": retry})
    return stopped


def under_way(connection: sa.Connection) -> list[UUID]:
    """Attempts that are not over."""
    return list(connection.execute(_UNDER_WAY).scalars())


def next_items(connection: sa.Connection, retry: UUID, limit: int) -> list[Item]:
    """The next errors to be tried, and those that wait for an answer."""
    return [Item(**row._asdict()) for row in connection.execute(_NEXT, {"id": retry, "limit": limit})]


def lock(connection: sa.Connection, item: Item) -> tuple[str, str, str] | None:
    """Lock an item that stands as it was read and that nobody else holds; tenant, who and who_id of its attempt."""
    values = {"id": item.retry, "position": item.position, "state": item.state}
    row = connection.execute(_LOCK, values).one_or_none()
    return None if row is None else (row.tenant, row.who, row.who_id)


def mark(connection: sa.Connection, item: Item, state: str) -> None:
    """Say how an item stands now."""
    connection.execute(_MARK, {"id": item.retry, "position": item.position, "state": state})


def is_open(connection: sa.Connection, item: Item) -> bool:
    """Whether the error is there, the same or anew."""
    return bool(connection.scalar(_IS_OPEN, {"task": item.task}))


def end(connection: sa.Connection, retry: UUID, now: datetime) -> bool:
    """End an attempt of which nothing is left; whether it did."""
    return connection.execute(_END, {"id": retry, "now": now}).rowcount > 0


def _retry(row: sa.Row[tuple[object, ...]] | None) -> Retry | None:
    return None if row is None else Retry(**row._asdict())


_INSERT = sa.text("""
    insert into sync.retry (id, tenant, who, who_id, at) values (:id, :tenant, :who, :who_id, :now) on conflict (id) do nothing
""")
_INSERT_ITEMS = sa.text("""
    insert into sync.retry_item (retry, position, task, link)
    select :id, row_number() over (order by t.opened, t.id), t.id, t.link
    from sync.task t where t.id = any(:tasks) and t.tenant = :tenant and t.link is not null
""")
_READ = """
    select r.id, r.tenant, r.who, r.who_id, r.at, r.state, r.ended, i.total, i.done, i.failed, i.left_out
    from sync.retry r cross join lateral (
        select count(*) as total, count(*) filter (where state = 'done') as done,
               count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'left_out') as left_out
        from sync.retry_item i where i.retry = r.id
    ) i
"""
_STOP = sa.text("update sync.retry set state = 'stopped' where tenant = :tenant and id = :id and state = 'running'")
_LEAVE = sa.text("update sync.retry_item set state = 'left_out' where retry = :id and state = 'planned'")
_UNDER_WAY = sa.text("select id from sync.retry where ended is null order by at limit 20")
_NEXT = sa.text("""
    (select retry, position, task, link, state from sync.retry_item where retry = :id and state = 'planned'
     order by position limit :limit)
    union all
    (select retry, position, task, link, state from sync.retry_item where retry = :id and state = 'sent'
     order by position limit 1000)
""")
_LOCK = sa.text("""
    select r.tenant, r.who, r.who_id from sync.retry_item i join sync.retry r on r.id = i.retry
    where i.retry = :id and i.position = :position and i.state = :state
    for update of i skip locked
""")
_MARK = sa.text("update sync.retry_item set state = :state where retry = :id and position = :position")
_IS_OPEN = sa.text("""
    select exists (
        select from sync.task t join sync.task now on now.link = t.link and now.kind = t.kind and now.subject = t.subject
        where t.id = :task and now.closed is null)
""")
_END = sa.text("""
    update sync.retry set ended = :now, state = case when state = 'running' then 'done' else state end
    where id = :id and ended is null
      and not exists (select from sync.retry_item i where i.retry = :id and i.state in ('planned', 'sent'))
""")
