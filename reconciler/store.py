"""What is remembered of a link? Lock it, load it, save what a step changed: all in the caller's transaction.

Locking and loading are two statements on purpose: a statement that waited for a row's lock still sees the other tables
as they were before it waited.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_outbox.contract import Outcome
from reconciler import rows
from reconciler.agreements import AgreementState, state_of
from reconciler.link import Link, LinkState, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A link whose row this transaction holds."""

    id: UUID
    tenant: str
    agreement: int
    crm_id: str
    state: LinkState
    number: int | None
    old_numbers: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A link as it is stored, what the world was told of it, and its agreement's settings."""

    link: Link
    fresh: bool
    """Only its own row is stored yet."""
    told: Status | None
    agreement: AgreementState


def lock(connection: sa.Connection, tenant: str, agreement: int, crm_id: str) -> Locked | None:
    """Lock the link of that customer; waits for a step on it in another transaction."""
    row = connection.execute(_LOCK, {"tenant": tenant, "agreement": agreement, "crm_id": crm_id}).one_or_none()
    return None if row is None else _locked(row)


def lock_numbers(connection: sa.Connection, tenant: str, agreement: int, numbers: Sequence[int]) -> list[Locked]:
    """Lock the links that have one of these customer numbers, in one order for all."""
    found = connection.execute(_LOCK_NUMBERS, {"tenant": tenant, "agreement": agreement, "numbers": list(numbers)})
    return [_locked(row) for row in found]


def lock_due(connection: sa.Connection, link: UUID, now: datetime) -> Locked | None:
    """Lock that link if the clock still has to tell it something and nobody else holds it."""
    row = connection.execute(_LOCK_DUE, {"id": link, "now": now}).one_or_none()
    return None if row is None else _locked(row)


def insert(connection: sa.Connection, link: UUID, tenant: str, agreement: int, crm_id: str) -> bool:
    """Store a link that was only just made; False when the customer has one in that agreement."""
    values = {"id": link, "tenant": tenant, "agreement": agreement, "crm_id": crm_id}
    return connection.execute(_INSERT, values).one_or_none() is not None


def insert_missing(connection: sa.Connection, tenant: str, agreement: int, limit: int) -> int:
    """Store links for customers of the CRM that have none, for the clock to look at; returns how many."""
    values = {"tenant": tenant, "agreement": agreement, "limit": limit}
    return connection.execute(_INSERT_MISSING, values).rowcount


def load(connection: sa.Connection, link: UUID) -> Stored:
    """Everything stored of a locked link."""
    row = connection.execute(_LOAD, {"id": link}).one()._asdict()
    return Stored(
        link=rows.link_of(row, row["pairs"]),
        fresh=row["pairs"] is None,
        told=rows.status_of(row),
        agreement=state_of(row, "a_"),
    )


def save(
    connection: sa.Connection,
    stored: Stored,
    link: Link,
    status: Status,
    *,
    outcomes: tuple[Outcome, ...] = (),
    now: datetime,
) -> None:
    """Store what a step made of a link: only what it changed, and an audit row for every write that landed."""
    change = rows.changes(None if stored.fresh else stored.link, link, outcomes)
    if change.settled:
        _settle(connection, link, change.settled, now)
    if change.gone_bases:
        connection.execute(
            _GONE_BASES, [{"link": link.id, "pair": pair, "field": field} for pair, field in change.gone_bases]
        )
    if change.gone_pairs:
        connection.execute(_GONE_PAIRS, {"link": link.id, "pairs": change.gone_pairs})
    connection.execute(
        _SAVE,
        {
            "id": link.id,
            **rows.scalars(link),
            "status": status.state,
            "status_details": list(status.details),
            "status_reason": status.reason,
            "status_message": status.message,
            "now": now,
            "pairs": _json(change.pairs),
            "bases": _json(change.bases),
            "operations": _json(change.operations),
        },
    )


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


def _settle(connection: sa.Connection, link: Link, settled: list[rows.Settled], now: datetime) -> None:
    ended = []
    for one in settled:
        outcome = one.outcome
        ended.append(
            {
                "id": one.pending.operation,
                "result": "settled" if outcome is None else str(outcome.result),
                "reason": "" if outcome is None else outcome.reason,
                "message": "" if outcome is None else outcome.message,
                "detail": "" if outcome is None else outcome.detail,
                "now": now,
            }
        )
    connection.execute(_SETTLE, ended)
    landed = [rows.audit(link, one, now) for one in settled if one.outcome is None or one.outcome.result == "written"]
    if landed:
        connection.execute(
            _AUDIT, [{**row, "before": _json(row["before"]), "after": _json(row["after"])} for row in landed]
        )


def _locked(row: Any) -> Locked:
    return Locked(
        id=row.id,
        tenant=row.tenant,
        agreement=row.agreement,
        crm_id=row.crm_id,
        state=LinkState(row.state),
        number=row.number,
        old_numbers=row.old_numbers,
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_LOCK = sa.text("""
    select id, tenant, agreement, crm_id, state, number, old_numbers from sync.link
    where tenant = :tenant and agreement = :agreement and crm_id = :crm_id
    for no key update
""")
_LOCK_NUMBERS = sa.text("""
    select id, tenant, agreement, crm_id, state, number, old_numbers from sync.link
    where tenant = :tenant and agreement = :agreement and number = any(:numbers)
    order by id
    for no key update
""")
_LOCK_DUE = sa.text("""
    select id, tenant, agreement, crm_id, state, number, old_numbers from sync.link
    where id = :id and (due <= :now or look_again)
    for no key update skip locked
""")
_INSERT = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state)
    values (:id, :tenant, :agreement, :crm_id, 'unlinked')
    on conflict (tenant, agreement, crm_id) do nothing
    returning id
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
_LOAD = sa.text("""
    select l.*, a.state as a_state, a.since as a_since, a.transfer as a_transfer, a.rules::text as a_rules,
           a.defaults::text as a_defaults, a.paused::text as a_paused,
           (
               select json_agg(
                   json_build_object(
                       'id', p.id, 'kind', p.kind, 'crm', p.crm, 'economic', p.economic, 'rest', p.rest,
                       'refusals', p.refusals, 'pause', p.pause, 'bounces', p.bounces,
                       'base', coalesce((
                           select json_object_agg(b.field, json_build_object(
                               'crm', b.crm, 'economic', b.economic, 'unknown', b.unknown))
                           from sync.field_base b where b.link = p.link and b.pair = p.id
                       ), '{}'),
                       'pending', coalesce((
                           select json_object_agg(o.system, o.body)
                           from sync.operation o where o.link = p.link and o.pair = p.id and o.settled is null
                       ), '{}')
                   ) order by p.position
               )::text
               from sync.pair p where p.link = l.id
           ) as pairs
    from sync.link l join sync.agreement a on a.tenant = l.tenant and a.agreement = l.agreement
    where l.id = :id
""")
_SAVE = sa.text("""
    with pairs as (
        insert into sync.pair (link, id, kind, position, crm, economic, rest, refusals, pause, bounces)
        select :id, x.id, x.kind, x.position, nullif(x.crm, 'null'), nullif(x.economic, 'null'), x.rest,
               x.refusals, x.pause, x.bounces
        from jsonb_to_recordset(cast(:pairs as jsonb)) as x (
            id uuid, kind text, position integer, crm jsonb, economic jsonb, rest text, refusals jsonb, pause jsonb,
            bounces jsonb)
        on conflict (link, id) do update set
            position = excluded.position, crm = excluded.crm, economic = excluded.economic, rest = excluded.rest,
            refusals = excluded.refusals, pause = excluded.pause, bounces = excluded.bounces
    ), bases as (
        insert into sync.field_base (link, pair, field, crm, economic, unknown, agreed)
        select :id, x.pair, x.field, x.crm, x.economic, x.unknown, :now
        from jsonb_to_recordset(cast(:bases as jsonb)) as x (
            pair uuid, field text, crm text, economic text, unknown boolean)
        on conflict (link, pair, field) do update set
            crm = excluded.crm, economic = excluded.economic, unknown = excluded.unknown, agreed = excluded.agreed
    ), operations as (
        insert into sync.operation (id, link, pair, system, action, body, sent, due, acknowledged)
        select x.id, :id, x.pair, x.system, x.action, x.body, x.sent, x.due, x.acknowledged
        from jsonb_to_recordset(cast(:operations as jsonb)) as x (
            id uuid, pair uuid, system text, action text, body jsonb, sent timestamptz, due timestamptz,
            acknowledged timestamptz)
        on conflict (id) do update set
            body = excluded.body, due = excluded.due, acknowledged = excluded.acknowledged
    )
    update sync.link set
        state = :state, rest = :rest, number = :number, old_numbers = :old_numbers, flows = :flows,
        counter = :counter, crm_epoch = :crm_epoch, crm_number = :crm_number, economic_epoch = :economic_epoch,
        economic_counter = :economic_counter, stage = :stage, created = :created, active_since = :active_since,
        wanted = :wanted, merged_into = :merged_into, unsendable = :unsendable, barred = :barred,
        candidates = :candidates, due = :due, look_again = false, failures = 0,
        status_since = case
            when status = :status and status_details = cast(:status_details as text[])
                 and status_reason = :status_reason and status_message = :status_message
            then status_since else cast(:now as timestamptz) end,
        status = :status, status_details = :status_details, status_reason = :status_reason,
        status_message = :status_message
    where id = :id
""")
_SETTLE = sa.text("""
    update sync.operation
    set settled = :now, result = :result, reason = :reason, message = :message, detail = :detail
    where id = :id
""")
_AUDIT = sa.text("""
    insert into sync.audit (at, tenant, agreement, crm_id, number, record, record_id, system, action, operation,
                            before, after, by)
    values (:at, :tenant, :agreement, :crm_id, :number, :record, :record_id, :system, :action, :operation,
            cast(:before as jsonb), cast(:after as jsonb), :by)
""")
_GONE_BASES = sa.text("delete from sync.field_base where link = :link and pair = :pair and field = :field")
_GONE_PAIRS = sa.text("delete from sync.pair where link = :link and id = any(:pairs)")
_PUT_OFF = sa.text("""
    update sync.link set
        due = :now + least(cast(:longest as interval), interval '10 seconds' * power(2, least(failures, 16))),
        look_again = false, failures = failures + 1
    where id = :id
""")
_DUE = sa.text("select id from sync.link where due <= :now order by due limit :limit")
_TO_LOOK_AGAIN = sa.text("select id from sync.link where look_again order by agreement limit :limit")
_LOOK_AGAIN = sa.text("update sync.link set look_again = true where tenant = :tenant and agreement = :agreement")
_EXPIRE = sa.text("""
    delete from sync.operation where id = any(array(
        select id from sync.operation where settled < :before limit :limit))
""")
