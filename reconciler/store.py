"""What is remembered of a link? Lock and load it, save what a step changed: all in the caller's transaction.

A step costs two statements here. A statement that waited for the row's lock still sees the other tables as they were
before it waited; the revision shows that, and then they are read once more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from reconciler import questions, rows, sides
from reconciler.agreements import AgreementState, state_of
from reconciler.asked import Open
from reconciler.link import Heard, Link, Message, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A locked link as it is stored, what the world was told of it, and its agreement's settings."""

    link: Link
    fresh: bool
    """Only its own row is stored yet."""
    told: Status | None
    held: bool
    """It waits for a person, because a pass would have written to too many."""
    agreement: AgreementState
    asked: tuple[Open, ...] = ()
    """The open questions the world was told of."""


def lock(connection: sa.Connection, tenant: str, agreement: int, crm_id: str) -> Stored | None:
    """Lock and load the link of that customer; waits for a step on it in another transaction."""
    found = _locked(connection, _LOCK, {"tenant": tenant, "agreement": agreement, "crm_id": crm_id})
    return found[0] if found else None


def lock_numbers(connection: sa.Connection, tenant: str, agreement: int, numbers: Sequence[int]) -> list[Stored]:
    """Lock and load the links that have one of these customer numbers, in one order for all."""
    return _locked(connection, _LOCK_NUMBERS, {"tenant": tenant, "agreement": agreement, "numbers": list(numbers)})


def lock_id(connection: sa.Connection, link: UUID) -> Stored | None:
    """Lock and load the link of that id."""
    found = _locked(connection, _LOCK_ID, {"id": link})
    return found[0] if found else None


def lock_both(connection: sa.Connection, tenant: str, agreement: int, crm_id: str, number: int) -> list[Stored]:
    """Lock and load the links of a customer of the CRM and of a number, in one order for all: at most two."""
    values = {"tenant": tenant, "agreement": agreement, "crm_id": crm_id, "number": number}
    return _locked(connection, _LOCK_BOTH, values)


def lock_operation(connection: sa.Connection, tenant: str, agreement: int, operations: Sequence[UUID]) -> Stored | None:
    """Lock and load the link that one of these operations is not settled for."""
    values = {"tenant": tenant, "agreement": agreement, "operations": list(operations)}
    found = _locked(connection, _LOCK_OPERATION, values)
    return found[0] if found else None


def lock_due(connection: sa.Connection, link: UUID, now: datetime) -> Stored | None:
    """Lock and load that link if the clock still has to tell it something and nobody else holds it."""
    found = _locked(connection, _LOCK_DUE, {"id": link, "now": now})
    return found[0] if found else None


def find(connection: sa.Connection, link: UUID) -> Stored | None:
    """Read that link, not locked."""
    row = connection.execute(_LOAD, {"id": link}).one_or_none()
    return None if row is None else _stored(row._asdict())


def of_customer(connection: sa.Connection, crm_id: str, tenant: str | None, agreement: int | None) -> list[Stored]:
    """The links of a customer of the CRM in the agreements in use, of one tenant or of all; not locked."""
    values = {"crm_id": crm_id, "tenant": tenant, "agreement": agreement}
    return [_stored(row._asdict()) for row in connection.execute(_OF_CUSTOMER, values)]


def with_kept(connection: sa.Connection, tenant: str, limit: int = 200) -> list[Stored]:
    """A tenant's links of which something was chosen to stay different; not locked."""
    return [_stored(row._asdict()) for row in connection.execute(_WITH_KEPT, {"tenant": tenant, "limit": limit})]


def load(connection: sa.Connection, link: UUID) -> Stored:
    """Read a locked link again, with whatever was committed since it was locked."""
    return _stored(connection.execute(_LOAD, {"id": link}).one()._asdict())


def of_agreement(connection: sa.Connection, tenant: str, agreement: int) -> Iterator[Link]:
    """Every link of an agreement, as it is stored, not locked; those that were only just made too."""
    for row in connection.execute(_OF_AGREEMENT, {"tenant": tenant, "agreement": agreement}):
        yield rows.link_of(row._asdict(), row.pairs)


def insert(connection: sa.Connection, link: UUID, tenant: str, agreement: int, crm_id: str) -> None:
    """Store a link that was only just made; nothing when the customer has one in that agreement."""
    connection.execute(_INSERT, {"id": link, "tenant": tenant, "agreement": agreement, "crm_id": crm_id})


def insert_stranger(connection: sa.Connection, link: UUID, tenant: str, agreement: int, number: int) -> None:
    """Store a link that only e-conomic's customer has; nothing when that number has one."""
    connection.execute(_INSERT_STRANGER, {"id": link, "tenant": tenant, "agreement": agreement, "number": number})


def remove_stranger(connection: sa.Connection, tenant: str, agreement: int, number: int) -> None:
    """Forget the link that only e-conomic's customer has: a customer of the CRM gets its number.

    One that a person decided about stays for that, without the number.
    """
    connection.execute(_REMOVE_STRANGER, {"tenant": tenant, "agreement": agreement, "number": number})


def insert_missing(connection: sa.Connection, tenant: str, agreement: int, limit: int) -> int:
    """Store links for customers of the CRM that have none, for the clock to look at; returns how many."""
    values = {"tenant": tenant, "agreement": agreement, "limit": limit}
    return connection.execute(_INSERT_MISSING, values).rowcount


def save(
    connection: sa.Connection, stored: Stored, link: Link, status: Status, message: Message, now: datetime
) -> None:
    """Store what a step made of a link: what changed, both sides as seen, an audit row for each write that landed."""
    heard = message if isinstance(message, Heard) else Heard()
    change = rows.changes(None if stored.fresh else stored.link, link, heard.outcomes)
    if change.gone_bases:
        connection.execute(
            _GONE_BASES, [{"link": link.id, "pair": pair, "field": field} for pair, field in change.gone_bases]
        )
    if change.gone_pairs:
        connection.execute(_GONE_PAIRS, {"link": link.id, "pairs": change.gone_pairs})
    here, there = heard.crm, heard.economic
    key = {"tenant": link.tenant, "agreement": link.agreement, "crm_id": link.crm_id, "number": link.number}
    connection.execute(
        _SAVE,
        {
            "id": link.id,
            "now": now,
            "link": _json(rows.scalars(link) | rows.status_row(status)),
            "pairs": _json(change.pairs),
            "bases": _json(change.bases),
            "operations": _json(change.operations),
            "settled": _json(change.settled),
            "audit": _json([key | row for one in change.landed for row in rows.audit(one)]),
            "crm_sides": _json([] if here is None else [sides.crm_row(link.tenant, link.crm_id, here)]),
            "economic_sides": _json(
                []
                if there is None or link.agreement is None
                else [sides.economic_row(link.tenant, link.agreement, there)]
            ),
        },
    )


def remove(connection: sa.Connection, link: UUID) -> None:
    """Forget a locked link that is about nothing any more, unless a person decided something about it."""
    connection.execute(_REMOVE, {"id": link})


def hold(connection: sa.Connection, link: UUID, run: UUID | None) -> None:
    """A locked link waits for a person to let that run go on; none, and it waits no longer."""
    connection.execute(_HELD, {"id": link, "held": run})


def put_off(connection: sa.Connection, link: UUID, now: datetime, longest: timedelta) -> None:
    """The clock failed on this link: try it again after a gap that doubles up to the longest."""
    connection.execute(_PUT_OFF, {"id": link, "now": now, "longest": longest})


def due(connection: sa.Connection, now: datetime, limit: int) -> list[UUID]:
    """Links that wait for time: an unanswered write, or a pause that is over."""
    return list(connection.execute(_DUE, {"now": now, "limit": limit}).scalars())


def to_look_again(connection: sa.Connection, limit: int) -> list[UUID]:
    """Links whose agreement changed since they were last looked at."""
    return list(connection.execute(_TO_LOOK_AGAIN, {"limit": limit}).scalars())


def look_again(connection: sa.Connection, tenant: str, agreement: int) -> int:
    """Have the clock look at every link of an agreement again; returns how many."""
    return connection.execute(_LOOK_AGAIN, {"tenant": tenant, "agreement": agreement}).rowcount


def expire(connection: sa.Connection, before: datetime, limit: int = 5000) -> int:
    """Forget operations settled before that time; the audit keeps what they wrote."""
    return connection.execute(_EXPIRE, {"before": before, "limit": limit}).rowcount


def _locked(connection: sa.Connection, statement: sa.TextClause, values: dict[str, Any]) -> list[Stored]:
    found = [row._asdict() for row in connection.execute(statement, values)]
    return [_stored(row) if row["revision"] == row["read"] else load(connection, row["id"]) for row in found]


def _stored(row: dict[str, Any]) -> Stored:
    return Stored(
        link=rows.link_of(row, row["pairs"]),
        fresh=row["pairs"] is None,
        told=rows.status_of(row),
        held=row["held"] is not None,
        agreement=state_of(row, "a_"),
        asked=questions.of_json(row["asked"]),
    )


def _json(value: object) -> str:
    return to_json(value).decode()


_READ = f"""
    select l.*, (select once.revision from sync.link once where once.id = l.id) as read,
           a.state as a_state, a.since as a_since, a.transfer as a_transfer, a.rules::text as a_rules,
           a.defaults::text as a_defaults, a.paused::text as a_paused,
           a.busy as a_busy, a.pilot as a_pilot,
           a.receive as a_receive,
           a.read_at as a_read_at,
           (
               select json_agg(
                   json_build_object(
                       'id', p.id, 'kind', p.kind, 'crm', p.crm, 'economic', p.economic, 'rest', p.rest,
                       'refusals', p.refusals, 'pause', p.pause, 'bounces', p.bounces, 'chosen', p.chosen,
                       'apart', p.apart,
                       'base', coalesce((
                           select json_object_agg(b.field, json_build_object(
                               'crm', b.crm, 'economic', b.economic, 'unknown', b.unknown))
                           from sync.field_base b where b.link = p.link and b.pair = p.id
                       ), '{{}}'),
                       'pending', coalesce((
                           select json_object_agg(o.system, o.body)
                           from sync.operation o where o.link = p.link and o.pair = p.id and o.settled is null
                       ), '{{}}')
                   ) order by p.position
               )::text
               from sync.pair p where p.link = l.id
           ) as pairs,
           ({questions.OPEN_OF_LINK}) as asked
    from sync.link l join sync.agreement a on a.tenant = l.tenant and a.agreement = l.agreement
"""
_LOAD = sa.text(f"{_READ} where l.id = :id")
_OF_AGREEMENT = sa.text(f"{_READ} where l.tenant = :tenant and l.agreement = :agreement").execution_options(
    stream_results=True, max_row_buffer=500
)
_LOCK = sa.text(f"""
    {_READ} where l.tenant = :tenant and l.agreement = :agreement and l.crm_id = :crm_id
    for no key update of l
""")
_LOCK_NUMBERS = sa.text(f"""
    {_READ} where l.tenant = :tenant and l.agreement = :agreement and l.number = any(:numbers)
    order by l.id
    for no key update of l
""")
_LOCK_ID = sa.text(f"{_READ} where l.id = :id for no key update of l")
_LOCK_BOTH = sa.text(f"""
    {_READ} where l.tenant = :tenant and l.agreement = :agreement and (l.crm_id = :crm_id or l.number = :number)
    order by l.id
    for no key update of l
""")
_LOCK_OPERATION = sa.text(f"""
    {_READ} where l.tenant = :tenant and l.agreement = :agreement
      and l.id = (select o.link from sync.operation o where o.id = any(:operations) and o.settled is null limit 1)
    for no key update of l
""")
_OF_CUSTOMER = sa.text(f"""
    {_READ}
    where l.crm_id = :crm_id and (cast(:tenant as text) is null or l.tenant = :tenant)
      and l.agreement = coalesce(cast(:agreement as integer), l.agreement) and a.state <> 'disconnected'
    order by l.tenant, l.agreement
""")
_WITH_KEPT = sa.text(f"""
    {_READ} where l.tenant = :tenant and exists (
        select from sync.pair k, jsonb_each(k.chosen) c
        where k.link = l.id and k.chosen <> '{{}}' and c.value ->> 'crm' is null and c.value ->> 'economic' is null)
    order by l.crm_id limit :limit
""")
_LOCK_DUE = sa.text(f"""
    {_READ} where l.id = :id and (l.due <= :now or l.look_again)
    for no key update of l skip locked
""")
_INSERT = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state)
    values (:id, :tenant, :agreement, :crm_id, 'unlinked')
    on conflict (tenant, agreement, crm_id) do nothing
""")
_INSERT_STRANGER = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state, number)
    values (:id, :tenant, :agreement, null, 'unlinked', :number)
    on conflict do nothing
""")
_STRANGER = """
    tenant = :tenant and agreement = :agreement and number = :number and crm_id is null and state = 'unlinked'
    and {} (select from sync.decision d where d.link = link.id)
"""
_REMOVE_STRANGER = sa.text(f"""
    with decided as (
        update sync.link set number = null, candidates_here = '{{}}' where {_STRANGER.format("exists")}
    )
    delete from sync.link where {_STRANGER.format("not exists")}
""")
_INSERT_MISSING = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state, look_again)
    select gen_random_uuid(), side.tenant, :agreement, side.crm_id, 'unlinked', true
    from sync.crm_side side
    where side.tenant = :tenant
      and not exists (select from sync.link l
                      where l.tenant = side.tenant and l.agreement = :agreement and l.crm_id = side.crm_id)
    limit :limit
    on conflict do nothing
""")
_LINK = """crm_id state rest number old_numbers flows counter crm_epoch crm_number economic_epoch economic_counter stage created
    active_since wanted merged_into unsendable barred candidates candidates_here apart parted linked_by linked_at run waived due status status_details status_reason status_message
""".split()
_SAVE = sa.text(
    " ".join(
        f"""
    with pairs as (
        insert into sync.pair (link, id, kind, position, crm, economic, rest, refusals, pause, bounces, chosen, apart)
        select link, id, kind, position, crm, economic, rest, refusals, pause, bounces, chosen, apart
        from jsonb_populate_recordset(null::sync.pair, :pairs)
        on conflict (link, id) do update set
            position = excluded.position, crm = excluded.crm, economic = excluded.economic, rest = excluded.rest,
            refusals = excluded.refusals, pause = excluded.pause, bounces = excluded.bounces,
            chosen = excluded.chosen, apart = excluded.apart
    ), bases as (
        insert into sync.field_base (link, pair, field, crm, economic, unknown, agreed)
        select link, pair, field, crm, economic, unknown, :now from jsonb_populate_recordset(null::sync.field_base, :bases)
        on conflict (link, pair, field) do update set
            crm = excluded.crm, economic = excluded.economic, unknown = excluded.unknown, agreed = excluded.agreed
    ), settled as (
        update sync.operation o
        set settled = :now, result = x.result, reason = x.reason, message = x.message, detail = x.detail
        from jsonb_populate_recordset(null::sync.operation, :settled) x where o.id = x.id
        returning o.id
    ), operations as (
        insert into sync.operation (id, link, pair, system, action, body, sent, due, acknowledged)
        select id, link, pair, system, action, body, sent, due, acknowledged
        from jsonb_populate_recordset(null::sync.operation, :operations)
        where (select count(*) from settled) >= 0
        on conflict (id) do update set
            body = excluded.body, due = excluded.due, acknowledged = excluded.acknowledged
    ), audit as (
        insert into sync.audit (at, tenant, agreement, crm_id, number, record, record_id, system, action, operation,
                                before, after, by, decision)
        select :now, tenant, agreement, crm_id, number, record, record_id, system, action, operation, before, after, by,
               decision
        from jsonb_populate_recordset(null::sync.audit, :audit)
    ), crm_sides as ({sides.RECORD_CRM}), economic_sides as ({sides.RECORD_ECONOMIC})
    update sync.link l set
        revision = l.revision + 1, look_again = false, failures = 0, {", ".join(f"{one} = x.{one}" for one in _LINK)},
        status_since = case
            when (l.status, l.status_details, l.status_reason, l.status_message)
               = (x.status, x.status_details, x.status_reason, x.status_message)
            then l.status_since else :now end
    from jsonb_populate_record(null::sync.link, :link) x
    where l.id = :id
""".split()
    )
)
"""What is settled is counted before operations are inserted, so that it has left the index of open ones by then.

Without blanks, because psycopg remembers how to send a statement only up to 4096 characters.
"""
_GONE_BASES = sa.text("delete from sync.field_base where link = :link and pair = :pair and field = :field")
_GONE_PAIRS = sa.text("delete from sync.pair where link = :link and id = any(:pairs)")
_REMOVE = sa.text("""
    delete from sync.link where id = :id and not exists (select from sync.decision d where d.link = :id)
""")
_HELD = sa.text("update sync.link set held = :held where id = :id")
_PUT_OFF = sa.text("""
    update sync.link set
        due = :now + least(cast(:longest as interval), interval '10 seconds' * power(2, least(failures, 16))),
        look_again = false, failures = failures + 1
    where id = :id
""")
_DUE = sa.text("select id from sync.link where due <= :now order by due limit :limit")
_TO_LOOK_AGAIN = sa.text("""
    select l.id from sync.link l
    where l.look_again
      and not exists (select from sync.agreement a
                      where a.tenant = l.tenant and a.agreement = l.agreement and a.busy is not null)
    order by l.agreement limit :limit
""")
_LOOK_AGAIN = sa.text("update sync.link set look_again = true where tenant = :tenant and agreement = :agreement")
_EXPIRE = sa.text("""
    delete from sync.operation where id = any(array(
        select id from sync.operation where settled < :before limit :limit))
""")
