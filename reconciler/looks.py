"""Which look at e-conomic do people wait for? One row a link, shared by all who watch it, and what was told of it.

What is told is only added: whoever hears it waits for nobody, whatever else they have locked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from economic_adapter.contract import Looked
from reconciler.freshness import Look
from reconciler.link import Link

KEPT: Final = timedelta(days=1)


def of(connection: sa.Connection, link: UUID) -> Look | None:
    """The last look at that customer, as far as it was told; none where nobody ever waited for one."""
    row = connection.execute(_OF, {"link": link}).one_or_none()
    return None if row is None else _look(row)


def opened(connection: sa.Connection, link: Link, now: datetime) -> Look:
    """Note that a person opened that customer; its last look, locked until the transaction ends."""
    values = {"link": link.id, "tenant": link.tenant, "agreement": link.agreement, "now": now}
    connection.execute(_OPENED, values)
    return _look(connection.execute(_OF, {"link": link.id}).one())


def free(connection: sa.Connection, link: UUID) -> Look | None:
    """As ``of``, and locked; none too where somebody else holds it, who is just asking."""
    if connection.execute(_LOCK, {"link": link}).one_or_none() is None:
        return None
    return of(connection, link)


def ask(connection: sa.Connection, link: UUID, look: UUID, before: Look, now: datetime) -> None:
    """A look is asked for under that id, after the one before; when e-conomic was seen last stays known."""
    connection.execute(_ASK, {"link": link, "id": look, "now": now, "seen": before.answered})


def told(connection: sa.Connection, looked: Looked, now: datetime) -> None:
    """How far a look is, or how it ended; may be told again."""
    connection.execute(_TOLD, {"look": looked.look, "how": looked.how, "cause": looked.cause, "now": now})


def opened_since(connection: sa.Connection, tenant: str, agreement: int, since: datetime, limit: int) -> Sequence[UUID]:
    """The links of the customers that people opened since then, the last opened one first."""
    values = {"tenant": tenant, "agreement": agreement, "since": since, "limit": limit}
    return list(connection.execute(_OPENED_SINCE, values).scalars())


def forget(connection: sa.Connection, now: datetime) -> int:
    """Forget looks that nobody has waited for in a day."""
    gone = connection.execute(_FORGET_TOLD, {"before": now - KEPT}).rowcount
    return gone + connection.execute(_FORGET, {"before": now - KEPT}).rowcount


def _look(row: sa.Row[tuple[object, ...]]) -> Look:
    return Look(
        id=row.id,
        asked=row.asked,
        taken=row.taken,
        refused=row.refused,
        answered=row.answered or row.seen,
        missing=bool(row.missing),
    )


_OF = sa.text("""
    select l.id, l.asked, l.seen, t.taken, t.refused, t.answered, t.missing
    from sync.look l
    left join lateral (
        select min(at) filter (where how = 'taken') as taken, max(at) filter (where how = 'unanswered') as refused,
               max(at) filter (where how in ('answered', 'missing')) as answered, bool_or(how = 'missing') as missing
        from sync.look_told told where told.look = l.id
    ) t on true
    where l.link = :link
""")
_LOCK = sa.text("select 1 from sync.look where link = :link for update skip locked")
_OPENED = sa.text("""
    insert into sync.look (link, tenant, agreement, opened) values (:link, :tenant, :agreement, :now)
    on conflict (link) do update set opened = excluded.opened
""")
_ASK = sa.text("update sync.look set id = :id, asked = :now, seen = :seen where link = :link")
_TOLD = sa.text("insert into sync.look_told (look, how, cause, at) values (:look, :how, :cause, :now)")
_OPENED_SINCE = sa.text("""
    select link from sync.look where tenant = :tenant and agreement = :agreement and opened >= :since
    order by opened desc limit :limit
""")
_FORGET = sa.text("delete from sync.look where opened < :before and (asked is null or asked < :before)")
_FORGET_TOLD = sa.text("delete from sync.look_told where at < :before")
