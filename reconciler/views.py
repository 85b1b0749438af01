"""What does each page and answer show? Reading only; a tenant sees nothing of another's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicCustomer
from reconciler import agreements, looking, looks, opening, shown, store, worklists
from reconciler.agreement import Agreement
from reconciler.contract import State
from reconciler.freshness import Known, Look
from reconciler.lately import Landed
from reconciler.link import Link
from reconciler.rules import System
from reconciler.shown import Shown

_OF_AGREEMENT: Final[dict[str, State]] = {"on": "not_there", "access_lost": "access_lost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer of the CRM as it is known: its link, if it has one, and when e-conomic's side was seen last."""

    agreement: Agreement | None
    stored: store.Stored | None
    known: Known
    look: Look | None = None
    """The last look at it that somebody waited for."""
    shown: tuple[Shown, ...] = ()
    """What e-conomic alone holds of it, to be read."""

    @property
    def compares(self) -> bool:
        """Whether there is something to ask e-conomic about it."""
        if self.stored is None or self.agreement is None:
            return False
        return looking.target(self.stored.link, self.agreement.state) is not None

    @property
    def is_missing(self) -> bool:
        """Whether e-conomic said last that it has no such customer, which is not believed yet."""
        return self.look is not None and self.look.missing and self.look.answered == self.known.seen

    @property
    def without_link(self) -> State:
        """How it stands while no link tells about it."""
        if self.agreement is None:
            return "not_set_up"
        return _OF_AGREEMENT.get(self.agreement.state, "off")


def customer(connection: sa.Connection, tenant: str, crm_id: str) -> Customer:
    """That customer of that tenant, in the agreement the tenant uses."""
    used = next(iter(agreements.of_tenant(connection, tenant)), None)
    if used is None or used.state == "disconnected":
        return Customer(agreement=None, stored=None, known=Known(seen=None, compared=None))
    found = store.of_customer(connection, crm_id, tenant, used.agreement)
    if not found:
        return Customer(agreement=used, stored=None, known=Known(seen=None, compared=None))
    link, look = found[0].link, looks.of(connection, found[0].link.id)
    last, there = _there(connection, link)
    seen = _later(last, None if look is None else look.answered)
    known = Known(seen=seen, compared=link.crm_version)
    return Customer(agreement=used, stored=found[0], known=known, look=look, shown=shown.shown(there))


def stored(connection: sa.Connection, tenant: str, ids: Collection[str]) -> dict[str, store.Stored]:
    """The links of these customers of that tenant, by id, in the agreement the tenant uses; in as many statements as of one."""
    used = next(iter(agreements.of_tenant(connection, tenant)), None)
    if used is None or used.state == "disconnected":
        return {}
    links = worklists.ids(connection, tenant, {(used.agreement, one) for one in ids})
    return {one.link.crm_id: one for one in store.of_ids(connection, list(links.values()))}


def opened(connection: sa.Connection, tenant: str, crm_id: str, now: datetime) -> tuple[Customer, bool]:
    """As ``customer``, for a person who opens it: e-conomic is asked where it is to be; whether it was. One that is not linked
    is searched for in what is recorded as well.

    The command to look leaves with the caller's transaction.
    """
    found = customer(connection, tenant, crm_id)
    if found.stored is None or found.agreement is None:
        return found, False
    stored = opening.resembled(connection, found.stored)
    look, asked = opening.opened(connection, stored.link, found.agreement, found.known.seen, now)
    return replace(found, stored=stored, look=look), asked


def named(connection: sa.Connection, found: Customer) -> tuple[Shown, ...]:
    """What e-conomic alone holds of that customer, with what the agreement calls its groups, zones and terms."""
    if found.agreement is None or not found.shown:
        return ()
    used = found.agreement
    return shown.named(found.shown, agreements.reference(connection, used.tenant, used.agreement))


def landed(connection: sa.Connection, found: Customer) -> list[Landed]:
    """What was written of that customer last, on either side; the newest first."""
    if found.stored is None or not found.stored.link.crm_id:
        return []
    link = found.stored.link
    values = {"tenant": link.tenant, "agreement": link.agreement, "crm_id": link.crm_id}
    return [_landed(row) for row in connection.execute(_LANDED, values)]


def _landed(row: sa.Row[tuple[object, ...]]) -> Landed:
    return Landed(
        at=row.at, system=System(row.system), action=row.action, record=row.record, number=row.number, by=row.by,
        fields=tuple(row.fields),
    )  # fmt: skip


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _there(connection: sa.Connection, link: Link) -> tuple[datetime | None, EconomicCustomer | None]:
    """When e-conomic's side was recorded last, and what it was."""
    values = {"agreement": link.agreement, "number": link.number}
    row = None if link.number is None else connection.execute(_SEEN, values).one_or_none()
    if row is None:
        return None, None
    return row.seen, None if row.state is None else EconomicCustomer.model_validate(row.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a customer's question stands among the open ones; ``position`` is none once it is answered.

    ``before`` and ``after`` are the customers of the questions beside it, by their ids in the CRM.
    """

    position: int | None
    total: int
    before: str | None
    after: str | None


def place(connection: sa.Connection, tenant: str, link: UUID) -> Place:
    """Where the first open question about a customer stands in the list, or where its last one stood."""
    return Place(**connection.execute(_PLACE, {"tenant": tenant, "link": link}).one()._asdict())


def agreed(connection: sa.Connection, link: UUID, about: Sequence[tuple[UUID, str]]) -> datetime | None:
    """When the first of these fields, by record and name, was the same on both sides last."""
    values = {"link": link, "records": [one for one, _ in about], "fields": [name for _, name in about]}
    found: datetime | None = connection.execute(_AGREED, values).scalar()
    return found


def parsed(text: str | None) -> Version | None:
    """A version as the CRM wrote it on its page; none where there is none or it is no version."""
    try:
        return None if text is None else Version.parse(text)
    except ValueError:
        return None


_PLACE = sa.text("""
    with mine as (
        select t.opened, t.id, t.closed is null as open from sync.task t where t.link = :link
        order by t.closed is not null, t.closed desc, t.opened, t.id limit 1
    ), others as (
        select t.opened, t.id, l.crm_id from sync.task t join sync.link l on l.id = t.link
        where t.tenant = :tenant and t.closed is null and t.link <> :link and l.crm_id is not null
    )
    select (select count(*) from sync.task t, mine
            where t.tenant = :tenant and t.closed is null and mine.open and (t.opened, t.id) <= (mine.opened, mine.id)
            having bool_and(mine.open)) as position,
           (select count(*) from sync.task where tenant = :tenant and closed is null) as total,
           (select o.crm_id from others o, mine where (o.opened, o.id) < (mine.opened, mine.id)
            order by o.opened desc, o.id desc limit 1) as before,
           coalesce(
               (select o.crm_id from others o, mine where (o.opened, o.id) > (mine.opened, mine.id)
                order by o.opened, o.id limit 1),
               (select o.crm_id from others o order by o.opened, o.id limit 1)) as after
""")
"""After the last question comes the first one that was skipped."""
_AGREED = sa.text("""
    select min(b.agreed) from sync.field_base b join unnest(cast(:records as uuid[]), cast(:fields as text[])) as x(pair, field)
        on x.pair = b.pair and x.field = b.field
    where b.link = :link
""")
_LANDED = sa.text("""
    select at, system, action, record, number, by, array(select jsonb_object_keys(after)) as fields
    from sync.audit where tenant = :tenant and crm_id = :crm_id and agreement = :agreement
    order by at desc, id desc limit 10
""")
_SEEN = sa.text("select seen, state from sync.economic_side where agreement = :agreement and number = :number")
