"""Which recorded customers may be this one? Found by keys on either side, then compared as the whole sets are.

No call is made: what is recorded is searched. Each system searches once more itself before it creates.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from economic_adapter.contract import EconomicCustomer
from reconciler import contacts, fields, keys, matching, records, sides
from reconciler import record as recording
from reconciler.link import CrmSeen, EconomicSeen, Link
from reconciler.matching import Record
from reconciler.rules import System
from reconciler.strangers import values_of

MOST = 200
"""Customers compared at most; keys that more have are no evidence of anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """Customers of the other side, by id or number as text: ``free`` ones may be this one, best first.

    ``certain`` is the only one of them that shares a CVR or EAN number with nobody else beside the two. ``elsewhere`` are
    linked to another, or were told apart.
    """

    certain: str = ""
    evidence: str = ""
    free: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    id: UUID
    crm_id: str
    number: int | None
    state: str
    apart: frozenset[int]


def in_economic(connection: sa.Connection, link: Link) -> Similar:
    """Customers of e-conomic that may be this customer of the CRM."""
    record = of_crm(link)
    if record is None or link.agreement is None:
        return Similar()
    own, others = (_search(connection, side, link.tenant, link.agreement, record) for side in System)
    links = _links(connection, link.tenant, link.agreement, own, others)
    return _similar(record, System.CRM, own, others, links, {(link.crm_id, str(one)) for one in link.apart})


def in_crm(
    connection: sa.Connection,
    tenant: str,
    agreement: int,
    customer: EconomicCustomer,
    old_numbers: Collection[int] = (),
) -> Similar:
    """Customers of the CRM that may be this customer of e-conomic, which had those numbers before: it is no other's namesake."""
    record = of_economic(customer)
    others, own = (_search(connection, side, tenant, agreement, record) for side in System)
    own = [one for one in own if int(one.id) not in old_numbers]
    links = _links(connection, tenant, agreement, own, others)
    apart = {(one.crm_id, record.id) for one in links if customer.number in one.apart}
    return _similar(record, System.ECONOMIC, own, others, links, apart)


def appeared(
    connection: sa.Connection, link: Link, here: CrmSeen | None, there: EconomicSeen | None, since: datetime
) -> bool:
    """Whether one that may be this customer was recorded on the other side since then; ``there`` is of a link without CRM."""
    if here is not None:
        link = link if link.customer.crm is not None else recording.crm(link, here)[0]
        return sides.recorded_since(connection, System.ECONOMIC, link, in_economic(connection, link).free, since)
    if there is None or there.customer is None or link.agreement is None:
        return False
    found = in_crm(connection, link.tenant, link.agreement, there.customer)
    return sides.recorded_since(connection, System.CRM, link, found.free, since)


def twins(connection: sa.Connection, system: System, link: Link, values: Mapping[str, str]) -> dict[str, bool]:
    """Every customer of that system that is recorded with this CVR or EAN number, and whether another is linked with it.

    It is what that system finds itself before it creates; nothing limits it, for it may be ruled out as a whole.
    """
    certain = [key for key in keys.of(values) if key.startswith(("cvr:", "ean:"))]
    if not certain:
        return {}
    given = {"tenant": link.tenant, "agreement": link.agreement, "keys": certain}
    found = connection.execute(_TWINS_HERE if system is System.CRM else _TWINS_THERE, given)
    return {row.id: row.taken for row in found}


def _similar(
    record: Record,
    side: System,
    own: Sequence[Record],
    others: Sequence[Record],
    links: Sequence[_Link],
    apart: set[tuple[str, str]],
) -> Similar:
    linked = [(one.crm_id, str(one.number)) for one in links if one.crm_id and one.number is not None]
    taken = {other if side is System.CRM else one for one, other in linked}
    told = {other if side is System.CRM else one for one, other in apart}
    here = [one for one in own if one.id != record.id]
    found = matching.candidates(record, others, apart, side=side, own=here, linked=linked)
    free = [one.economic if side is System.CRM else one.crm for one in found]
    elsewhere = sorted((taken | told) & {one.id for one in others})
    certain, by = next(((one, by.evidence) for one, by in zip(free, found, strict=True) if by.certain), ("", ""))
    return Similar(certain=certain, evidence=str(by), free=tuple(free), elsewhere=tuple(elsewhere))


def strong(record: Record) -> list[str]:
    """The keys of a record by which it is searched for."""
    return list(keys.strong(keys.of(record.values, record.persons)))


def _search(connection: sa.Connection, side: System, tenant: str, agreement: int, record: Record) -> list[Record]:
    return records.search(connection, side, tenant, agreement, record.values, record.persons, limit=MOST)


def of_crm(link: Link) -> Record | None:
    """The record of a link's customer as the CRM holds it, with its persons that are there; none while the CRM told nothing."""
    crm = link.customer.crm
    if crm is None:
        return None
    persons = tuple(one.crm.values for one in link.contacts if one.crm is not None and contacts.alive(one.crm))
    return Record(id=link.crm_id, values=crm.values, persons=persons)


def of_economic(customer: EconomicCustomer) -> Record:
    """The record of a customer as e-conomic holds it, with its persons that are there."""
    alive = [one for one in customer.contacts if not one.deleted]
    return Record(
        id=str(customer.number),
        values=values_of(customer),
        persons=tuple({name: getattr(one, name) for name in fields.FIELDS["contact"]} for one in alive),
        barred=bool(customer.barred),
    )


def _links(
    connection: sa.Connection, tenant: str, agreement: int, own: Sequence[Record], others: Sequence[Record]
) -> list[_Link]:
    ids = [one.id for one in (*own, *others)]
    numbers = [int(one) for one in ids if one.isdecimal() and len(one) <= _DIGITS]
    rows = connection.execute(_LINKS, {"tenant": tenant, "agreement": agreement, "ids": ids, "numbers": numbers})
    return [
        _Link(id=row.id, crm_id=row.crm_id or "", number=row.number, state=row.state, apart=frozenset(row.apart))
        for row in rows
    ]


_DIGITS = 9
_LINKS = sa.text("""
    select id, crm_id, number, state, apart from sync.link
    where tenant = :tenant and agreement = :agreement
      and (crm_id = any(cast(:ids as text[])) or number = any(cast(:numbers as integer[])))
""")
_TWINS_HERE = sa.text("""
    select side.crm_id as id, exists (
        select from sync.link l
        where l.tenant = side.tenant and l.agreement = :agreement and l.crm_id = side.crm_id and l.number is not null
    ) as taken
    from sync.crm_side side
    where side.tenant = :tenant and side.keys && cast(:keys as text[])
      and not coalesce((side.state -> 'customer' ->> 'deleted')::boolean, false) and side.state is not null
""")
_TWINS_THERE = sa.text("""
    select cast(side.number as text) as id, exists (
        select from sync.link l
        where l.agreement = side.agreement and l.number = side.number and l.crm_id is not null
    ) as taken
    from sync.economic_side side
    where side.tenant = :tenant and side.agreement = :agreement and side.keys && cast(:keys as text[])
      and side.state is not null
""")
