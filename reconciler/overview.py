"""How does everything stand? What operators are shown, read only; no value of a detail is among it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_outbox.messaging.attention import Item, Kind

NEED_A_PERSON = ("error", "choice", "deleted", "perhaps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer in one agreement: its status, the writes that are not answered, and the last ones that landed."""

    tenant: str
    agreement: int
    crm_id: str
    number: int | None
    link: str
    status: str
    details: Sequence[str]
    reason: str
    message: str
    since: datetime | None
    open_writes: Sequence[Mapping[str, Any]]
    written: Sequence[Mapping[str, Any]]


def statuses(connection: sa.Connection, tenant: str, agreement: int) -> dict[str, int]:
    """How many of an agreement's customers stand in each status."""
    found = connection.execute(_STATUSES, {"tenant": tenant, "agreement": agreement})
    return {row.status: row.customers for row in found}


def highest_number(connection: sa.Connection, tenant: str, agreement: int) -> int | None:
    """The highest customer number e-conomic is known to use; none while nothing of it was read."""
    found = connection.execute(_HIGHEST, {"tenant": tenant, "agreement": agreement}).scalar()
    return None if found is None else int(found)


def in_crm(connection: sa.Connection, tenant: str) -> dict[str, int]:
    """How many customers the CRM holds in each stage, as far as they came; deleted and merged ones apart."""
    return {row.stage: row.customers for row in connection.execute(_IN_CRM, {"tenant": tenant})}


def tenants(connection: sa.Connection) -> list[str]:
    """The tenants that have an agreement."""
    return list(connection.execute(_TENANTS).scalars())


def customers(connection: sa.Connection, crm_id: str, tenant: str | None) -> list[Customer]:
    """A customer in every agreement it has a link in, of one tenant or of all."""
    found = []
    for row in connection.execute(_CUSTOMERS, {"crm_id": crm_id, "tenant": tenant}):
        key = {"link": row.id, "tenant": row.tenant, "crm_id": crm_id, "agreement": row.agreement}
        found.append(
            Customer(
                tenant=row.tenant,
                agreement=row.agreement,
                crm_id=crm_id,
                number=row.number,
                link=f"{row.state} {row.rest}".strip(),
                status=row.status or "",
                details=row.status_details,
                reason=row.status_reason,
                message=row.status_message,
                since=row.status_since,
                open_writes=[one._asdict() for one in connection.execute(_OPEN_WRITES, key)],
                written=[one._asdict() for one in connection.execute(_WRITTEN, key)],
            )
        )
    return found


def untold(connection: sa.Connection, tenant: str, agreement: int) -> frozenset[UUID]:
    """Links of which a newer state of one side is recorded than they were told."""
    return frozenset(connection.execute(_UNTOLD, {"tenant": tenant, "agreement": agreement}).scalars())


def is_untold(connection: sa.Connection, link: UUID) -> bool:
    """Whether a newer state of one side is recorded than that link was told."""
    return connection.execute(_IS_UNTOLD, {"link": link}).first() is not None


def written(
    connection: sa.Connection, tenant: str, agreement: int, crm_id: str, limit: int = 100
) -> list[dict[str, Any]]:
    """Every write the engine made to that customer on either side, with the values before and after, the newest first."""
    values = {"tenant": tenant, "agreement": agreement, "crm_id": crm_id, "limit": limit}
    return [row._asdict() for row in connection.execute(_HISTORY, values)]


def held(connection: sa.Connection, tenant: str, agreement: int) -> frozenset[UUID]:
    """Links that wait for a person because a pass stopped before it wrote to them."""
    return frozenset(connection.execute(_HELD, {"tenant": tenant, "agreement": agreement}).scalars())


def attention(connection: sa.Connection, unanswered_before: datetime) -> list[Item]:
    """Writes nobody answered or acknowledged since that time, agreements that were lost, runs that stopped."""
    writes = [
        Item(
            kind=Kind.UNCLEAR_WRITE,
            id=str(row.id),
            since=row.sent,
            cause=f"{row.action} in {row.system} of customer {row.crm_id} was not answered",
            command=f"reconciler status --customer {row.crm_id}",
        )
        for row in connection.execute(_UNANSWERED, {"before": unanswered_before})
    ]
    lost = [
        Item(
            kind=Kind.AGREEMENT_PAUSED,
            id=f"reconciler-{row.tenant}-{row.agreement}",
            since=row.changed,
            cause=f"e-conomic refuses access to agreement {row.agreement} of tenant {row.tenant}",
            command=f"economic_adapter connect --tenant {row.tenant}",
        )
        for row in connection.execute(_LOST)
    ]
    stopped = [
        Item(
            kind=Kind.IMPORT_STOPPED,
            id=str(row.id),
            since=row.since,
            cause=f"{row.kind} of agreement {row.agreement} {row.state}: {row.reason}",
            command=(
                f"reconciler release-brake --tenant {row.tenant} {row.id}"
                if row.state == "braked"
                else f"reconciler runs --tenant {row.tenant} --run {row.id}"
            ),
        )
        for row in connection.execute(_STOPPED)
    ]
    return writes + lost + stopped


_UNTOLD_LINKS = """
    select l.id from sync.link l
    left join sync.crm_side c on c.tenant = l.tenant and c.crm_id = l.crm_id
    left join sync.economic_side e on e.agreement = l.agreement and e.number = l.number and e.epoch > 0
    where {} and l.state = 'linked'
      and ((c.epoch, c.number) > (l.crm_epoch, l.crm_number)
           or (e.epoch, e.counter) > (l.economic_epoch, l.economic_counter))
"""
_UNTOLD = sa.text(_UNTOLD_LINKS.format("l.tenant = :tenant and l.agreement = :agreement"))
_IS_UNTOLD = sa.text(_UNTOLD_LINKS.format("l.id = :link"))
_HELD = sa.text("""
    select id from sync.link where tenant = :tenant and agreement = :agreement and held is not null
""")
_HIGHEST = sa.text("""
    select number from sync.economic_side
    where tenant = :tenant and agreement = :agreement and state is not null order by number desc limit 1
""")
_STATUSES = sa.text("""
    select coalesce(status, 'not_looked_at') as status, count(*) as customers from sync.link
    where tenant = :tenant and agreement = :agreement group by 1 order by 1
""")
_IN_CRM = sa.text("""
    select case when (state -> 'customer' ->> 'deleted')::boolean then 'deleted'
                when state -> 'customer' ->> 'merged_into' is not null then 'merged'
                else coalesce(state -> 'customer' ->> 'stage', 'unsendable') end as stage,
           count(*) as customers
    from sync.crm_side where tenant = :tenant group by 1 order by 1
""")
_TENANTS = sa.text("select distinct tenant from sync.agreement order by 1")
_CUSTOMERS = sa.text("""
    select * from sync.link where crm_id = :crm_id and (cast(:tenant as text) is null or tenant = :tenant)
    order by tenant, agreement
""")
_OPEN_WRITES = sa.text("""
    select id, system, action, sent, due, acknowledged, body ->> 'cause' as cause,
           array(select jsonb_object_keys(body -> 'values')) as fields
    from sync.operation where link = :link and settled is null order by sent
""")
_WRITTEN = sa.text("""
    select at, record, system, action, by, array(select jsonb_object_keys(after)) as fields from sync.audit
    where tenant = :tenant and crm_id = :crm_id and agreement = :agreement order by at desc limit 10
""")
_HISTORY = sa.text("""
    select at, record, record_id, system, action, before, after, by, decision from sync.audit
    where tenant = :tenant and crm_id = :crm_id and agreement = :agreement order by at desc, id desc limit :limit
""")
_UNANSWERED = sa.text("""
    select o.id, l.crm_id, o.system, o.action, o.sent
    from sync.operation o join sync.link l on l.id = o.link
    where o.settled is null and coalesce(o.acknowledged, o.sent) < :before
    order by o.sent limit 1000
""")
_STOPPED = sa.text("""
    select r.id, r.tenant, r.agreement, r.kind, r.state, r.reason, coalesce(r.ended, r.started) as since
    from sync.run r
    where r.state = 'braked' or (r.state = 'failed' and not exists (
        select from sync.run newer
        where newer.tenant = r.tenant and newer.agreement = r.agreement and newer.kind = r.kind
          and newer.started > r.started))
    order by since limit 1000
""")
_LOST = sa.text("select tenant, agreement, changed from sync.agreement where state = 'access_lost' order by changed")
