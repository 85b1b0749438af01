"""What is remembered of a decision about many customers? Who made it, what it is about, and how far it came: SQL only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from reconciler.decisions import Decision
from reconciler.parts import Part, Tally

Kind = Literal["settle", "flow", "link", "apart", "undo"]
State = Literal["previewed", "running", "stopped", "done"]
PARTS: Final = TypeAdapter(tuple[Part, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """One decision about many. ``total``, ``done`` and so on count parts; ``customers`` counts whom it is about.

    ``what``: whose value, of a settling; what it undoes, of an undoing. ``session`` marks what was done while somebody was
    signed in once. ``excluded``: parts of the list that could not be part of it, of which ``resolved`` waited for no choice any
    more. ``listed``: customers of whom it is not read yet what would be written; it can be confirmed when there is none.
    """

    id: UUID
    tenant: str
    kind: Kind
    what: str
    who: str
    who_id: str
    session: str
    at: datetime
    state: State
    ended: datetime | None
    undone_by: UUID | None
    filter: str
    excluded: int
    resolved: int
    agreement: int | None
    customers: int
    total: int
    done: int
    moved: int
    failed: int
    left_out: int
    listed: int

    @property
    def left(self) -> int:
        """How many parts are still to be dealt with, or wait for an answer."""
        return self.total - self.done - self.moved - self.failed - self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One customer of a decision about many, as it was shown."""

    link: UUID | None = None
    crm_id: str | None = None
    number: int | None = None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One customer of a decision about many, and how it stands: listed, planned, sent, ended or left_out.

    ``undoes`` is the decision about it that is undone.
    """

    bulk: UUID
    position: int
    link: UUID | None
    crm_id: str | None
    number: int | None
    parts: tuple[Part, ...]
    state: str
    decision: UUID | None
    undoes: UUID | None
    stale: tuple[str, ...]
    done: int
    moved: int
    failed: int
    name: str = ""
    there: str = ""
    """What the customer is called in Clickmate, and in e-conomic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What somebody settled, kept different and else did while they were signed in once, that is not undone."""

    settled: int
    kept: int
    bulks: tuple[UUID, ...]

    @property
    def all(self) -> int:
        """Everything of it that can be undone at once."""
        return self.settled + self.kept


def insert(
    connection: sa.Connection,
    bulk: UUID,
    tenant: str,
    kind: Kind,
    who: tuple[str, str],
    now: datetime,
    planned: Sequence[Planned],
    *,
    what: str = "",
    session: str = "",
    filter: str = "",  # noqa: A002 - what a list is filtered by is called so
    excluded: int = 0,
    state: State = "previewed",
) -> None:
    """Store a decision about these; nothing when there is one of that id."""
    values = {
        "id": bulk, "tenant": tenant, "kind": kind, "what": what, "who": who[0], "who_id": who[1], "session": session,
        "at": now, "state": state, "filter": filter, "left_out": excluded,
    }  # fmt: skip
    if connection.execute(_INSERT, values).rowcount and planned:
        connection.execute(
            _INSERT_ITEM,
            [
                {
                    "bulk": bulk, "position": nth, "link": one.link, "crm_id": one.crm_id, "number": one.number,
                    "body": PARTS.dump_json(one.parts).decode(), "parts": len(one.parts),
                }
                for nth, one in enumerate(planned, 1)
            ],
        )  # fmt: skip


def find(connection: sa.Connection, tenant: str, bulk: UUID) -> Bulk | None:
    """A decision about many of that tenant, as far as it came."""
    statement = sa.text(f"{SELECT} where b.tenant = :tenant and b.id = :id")
    row = connection.execute(statement, {"tenant": tenant, "id": bulk}).one_or_none()
    return None if row is None else Bulk(**row._asdict())


def of_session(connection: sa.Connection, tenant: str, session: str) -> Session:
    """What was done in a session, as far as it is not undone; nothing of no session."""
    if not session:
        return Session(settled=0, kept=0, bulks=())
    statement = sa.text(f"{SELECT} where b.tenant = :tenant and b.session = :session and b.kind <> 'undo' "
                        "and b.state <> 'previewed' and b.undone_by is null order by b.at, b.id")  # fmt: skip
    found = [Bulk(**row._asdict()) for row in connection.execute(statement, {"tenant": tenant, "session": session})]
    kept = sum(one.done for one in found if one.what == "different")
    return Session(
        settled=sum(one.done for one in found) - kept, kept=kept, bulks=tuple(one.id for one in found if one.done)
    )


def confirm(connection: sa.Connection, tenant: str, bulk: UUID, who: tuple[str, str], session: str) -> None:
    """What was previewed is carried out, as that person's decision; nothing where it is already, or is not read whole."""
    values = {"tenant": tenant, "id": bulk, "who": who[0], "who_id": who[1], "session": session}
    connection.execute(_CONFIRM, values)


def stop(connection: sa.Connection, tenant: str, bulk: UUID) -> None:
    """Begin with nothing more of it; what was sent is waited for."""
    if connection.execute(_STOP, {"tenant": tenant, "id": bulk}).rowcount:
        connection.execute(_LEAVE, {"id": bulk})


def items(
    connection: sa.Connection,
    tenant: str,
    bulk: UUID,
    *,
    limit: int | None = None,
    skip: int = 0,
    troubled: bool = False,
) -> Iterator[Item]:
    """Whom a decision about many is about, in order; ``troubled``: only those of whom not everything was done."""
    values = {"tenant": tenant, "id": bulk, "limit": limit, "skip": skip, "troubled": troubled}
    for row in connection.execute(_ITEMS, values):
        yield item_of(row._asdict())


def under_way(connection: sa.Connection) -> list[UUID]:
    """Decisions about many that are not over."""
    return list(connection.execute(_UNDER_WAY).scalars())


def next_items(connection: sa.Connection, bulk: UUID, limit: int) -> list[Item]:
    """The next customers to be dealt with, and those whose decisions have ended."""
    return [item_of(row._asdict()) for row in connection.execute(_NEXT, {"id": bulk, "limit": limit})]


def lock(connection: sa.Connection, item: Item) -> Bulk | None:
    """Lock an item that stands as it was read and that nobody else holds; the decision it belongs to."""
    values = {"id": item.bulk, "position": item.position, "state": item.state}
    row = connection.execute(_LOCK, values).one_or_none()
    return None if row is None else find(connection, row.tenant, item.bulk)


def sent(connection: sa.Connection, item: Item, decision: Decision, stale: Sequence[str]) -> None:
    """The decision about one customer is saved; these of its values had moved before."""
    values = {
        "id": item.bulk, "position": item.position, "decision": decision.id, "link": decision.link, "stale": list(stale),
    }  # fmt: skip
    connection.execute(_SENT, values)


def ended(connection: sa.Connection, item: Item, tally: Tally) -> None:
    """Say what came of one customer."""
    counts = {"done": tally.done, "moved": tally.moved, "failed": tally.failed}
    values = {"id": item.bulk, "position": item.position, **counts}
    connection.execute(_ENDED, values)


def end(connection: sa.Connection, bulk: UUID, now: datetime) -> bool:
    """End a decision about many of which nothing is left; whether it did."""
    return connection.execute(_END, {"id": bulk, "now": now}).rowcount > 0


def forget(connection: sa.Connection, previewed_before: datetime, ended_before: datetime) -> int:
    """Forget what was only ever shown, and what can be undone no longer; the decisions stay. Returns how many."""
    return connection.execute(_FORGET, {"previewed": previewed_before, "ended": ended_before}).rowcount


def item_of(row: dict[str, Any]) -> Item:
    """One customer, of a row of ``OF_ITEM``."""
    return Item(**{**row, "parts": PARTS.validate_python(row["parts"]), "stale": tuple(row["stale"])})


_INSERT = sa.text("""
    insert into sync.bulk (id, tenant, kind, what, who, who_id, session, at, state, filter, left_out)
    values (:id, :tenant, :kind, :what, :who, :who_id, :session, :at, :state, :filter, :left_out)
    on conflict (id) do nothing
""")
_INSERT_ITEM = sa.text("""
    insert into sync.bulk_item (bulk, position, link, crm_id, number, body, parts)
    values (:bulk, :position, :link, :crm_id, :number, cast(:body as jsonb), :parts)
""")
SELECT = """
    select b.id, b.tenant, b.kind, b.what, b.who, b.who_id, b.session, b.at, b.state, b.ended, b.undone_by, b.filter,
           b.left_out as excluded, b.resolved, b.agreement, i.customers, i.total, i.done, i.moved, i.failed, i.left_out, i.listed
    from sync.bulk b cross join lateral (
        select count(*) as customers, coalesce(sum(parts), 0) as total, coalesce(sum(done), 0) as done,
               coalesce(sum(moved), 0) as moved, coalesce(sum(failed), 0) as failed,
               coalesce(sum(parts) filter (where state = 'left_out'), 0) as left_out,
               count(*) filter (where state = 'listed') as listed
        from sync.bulk_item i where i.bulk = b.id
    ) i
"""
_CONFIRM = sa.text("""
    update sync.bulk set state = 'running', who = :who, who_id = :who_id, session = :session
    where tenant = :tenant and id = :id and state = 'previewed'
      and not exists (select from sync.bulk_item i where i.bulk = bulk.id and i.state = 'listed')
""")
_STOP = sa.text("update sync.bulk set state = 'stopped' where tenant = :tenant and id = :id and state = 'running'")
_LEAVE = sa.text("update sync.bulk_item set state = 'left_out' where bulk = :id and state = 'planned'")
OF_ITEM = "i.bulk, i.position, i.link, i.crm_id, i.number, i.body as parts, i.state, i.decision, i.undoes, i.stale, i.done, i.moved, i.failed"
_ITEMS = sa.text(f"""
    with shown as (
        select * from sync.bulk_item where bulk = :id and (not :troubled or moved + failed > 0 or state = 'left_out')
        order by position limit :limit offset :skip
    )
    select {OF_ITEM}, coalesce(here.state -> 'customer' ->> 'name', '') as name, coalesce(there.state ->> 'name', '') as there
    from shown i join sync.bulk b on b.id = i.bulk left join sync.link l on l.id = i.link
    left join sync.crm_side here on here.tenant = :tenant and here.crm_id = coalesce(i.crm_id, l.crm_id)
    left join sync.economic_side there
        on there.tenant = :tenant and there.agreement = coalesce(b.agreement, l.agreement) and there.number = coalesce(i.number, l.number)
    order by i.position
""")
_UNDER_WAY = sa.text("select id from sync.bulk where ended is null and state <> 'previewed' order by at, id limit 20")
_NEXT = sa.text(f"""
    (select {OF_ITEM} from sync.bulk_item i
     where i.bulk = :id and i.state = 'planned'
       and not exists (select from sync.decision u where u.id = i.undoes and u.state = 'open')
     order by i.position limit :limit)
    union all
    (select {OF_ITEM} from sync.bulk_item i join sync.decision d on d.id = i.decision
     where i.bulk = :id and i.state = 'sent' and d.state <> 'open' order by i.position limit 1000)
""")
_LOCK = sa.text("""
    select b.tenant from sync.bulk_item i join sync.bulk b on b.id = i.bulk
    where i.bulk = :id and i.position = :position and i.state = :state
    for update of i skip locked
""")
_SENT = sa.text("""
    update sync.bulk_item set state = 'sent', decision = :decision, stale = :stale, link = :link where bulk = :id and position = :position
""")
_ENDED = sa.text("""
    update sync.bulk_item set state = 'ended', done = :done, moved = :moved, failed = :failed
    where bulk = :id and position = :position
""")
_END = sa.text("""
    update sync.bulk set ended = :now, state = case when state = 'running' then 'done' else state end
    where id = :id and ended is null
      and not exists (select from sync.bulk_item i where i.bulk = :id and i.state in ('planned', 'sent'))
""")
_FORGET = sa.text("""
    delete from sync.bulk where (state = 'previewed' and at < :previewed) or (ended < :ended)
""")
