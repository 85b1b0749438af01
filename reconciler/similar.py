"""Which recorded customers may be this one? Found by keys on either side, then compared as the whole sets are.

No call is made: what is recorded is searched. Each system searches once more itself before it creates.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from economic_adapter.contract import EconomicCustomer
from reconciler import contacts, fields, keys, matching, records, sides
from reconciler import record as recording
from reconciler.link import CrmSeen, EconomicSeen, Link
from reconciler.matching import Record
from reconciler.rules import System
from reconciler.strangers import Around, Do, Former, Known, judge, values_of

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
    crm = link.customer.crm
    if crm is None or link.agreement is None:
        return Similar()
    persons = tuple(one.crm.values for one in link.contacts if one.crm is not None and contacts.alive(one.crm))
    record = Record(id=link.crm_id, values=crm.values, persons=persons)
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
    record = _of_economic(customer)
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


def known_already(connection: sa.Connection, link: Link, there: EconomicSeen | None) -> str:
    """Why a customer that only e-conomic has may be one that is known, so that none is created for it; empty otherwise."""
    if there is None or there.customer is None or link.agreement is None:
        return ""
    verdict = judge(there.customer, around(connection, link.tenant, link.agreement, there, frozenset()))
    return {Do.RENUMBERED: "renumbered", Do.WAIT: "under_way"}.get(verdict.do, "")


def around(
    connection: sa.Connection, tenant: str, agreement: int, seen: EconomicSeen, told_apart: frozenset[str]
) -> Around:
    """What is known around a number that no link has."""
    customer = seen.customer
    if customer is None:
        return Around()
    key = {"tenant": tenant, "agreement": agreement, "number": seen.number}
    found = in_crm(connection, tenant, agreement, customer, seen.old_numbers)
    sent = {"name": customer.name.casefold(), "cvr": re.sub(r"[^0-9]", "", customer.cvr)}
    under_way = [(row.link, row.values) for row in connection.execute(_CREATING, {**key, **sent})]
    asked_about = [row.crm_id for row in connection.execute(_ASKED_ABOUT, key)]
    busy = connection.execute(_BUSY, {**key, "crm_id": found.certain}).scalar() if found.certain else None
    if busy is not None:
        under_way.append((busy, {}))
    return Around(
        linked=(
            *_linked(connection, key, _strong(_of_economic(customer))),
            *(_unseen(connection, key, found.elsewhere) if found.elsewhere else ()),
            *_gone(connection, key),
        ),
        creating=tuple(under_way),
        former=tuple(
            Former(crm_id=row.crm_id, gone=row.gone, parted=seen.number in row.parted)
            for row in connection.execute(_FORMER, {**key, "numbers": [seen.number, *seen.old_numbers]})
        ),
        certain=found.certain,
        evidence=found.evidence,
        similar=tuple(dict.fromkeys((*found.free, *asked_about))),
        elsewhere=found.elsewhere,
        told_apart=told_apart,
    )


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


def _strong(record: Record) -> list[str]:
    return list(keys.strong(keys.of(record.values, record.persons)))


def _search(connection: sa.Connection, side: System, tenant: str, agreement: int, record: Record) -> list[Record]:
    return records.search(connection, side, tenant, agreement, record.values, record.persons, limit=MOST)


def _of_economic(customer: EconomicCustomer) -> Record:
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


def _linked(connection: sa.Connection, key: Mapping[str, Any], wanted: Sequence[str]) -> list[Known]:
    """Linked customers that share a key with what was seen, as e-conomic held them."""
    found = []
    for row in connection.execute(_LINKED_ALIKE, {**key, "keys": wanted, "most": MOST}):
        customer = EconomicCustomer.model_validate(row.state)
        persons = frozenset(one.number for one in customer.contacts if not one.deleted)
        found.append(
            Known(link=row.id, crm_id=row.crm_id, number=row.number, values=values_of(customer), persons=persons)
        )
    return found


def _unseen(connection: sa.Connection, key: Mapping[str, Any], crm_ids: Sequence[str]) -> list[Known]:
    """Those of these customers that were created in e-conomic and not seen there since, as they were sent."""
    return [
        Known(link=row.id, crm_id=row.crm_id, number=row.number, values=row.values or {})
        for row in connection.execute(_UNSEEN, {**key, "ids": list(crm_ids)})
    ]


def _gone(connection: sa.Connection, key: Mapping[str, Any]) -> list[Known]:
    """Linked customers whose number was seen missing, as e-conomic held them last."""
    return [
        Known(
            link=row.id,
            crm_id=row.crm_id,
            number=row.number,
            values=row.values or {},
            persons=frozenset(int(one) for one in row.persons),
            gone=True,
        )
        for row in connection.execute(_GONE, {**key, "most": MOST})
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
_CREATING = sa.text("""
    select l.id as link, o.body -> 'values' as values
    from sync.operation o join sync.link l on l.id = o.link
    where o.settled is null and o.action = 'create' and o.system = 'economic' and l.state = 'creating'
      and l.tenant = :tenant and l.agreement = :agreement
      and (lower(o.body -> 'values' ->> 'name') = :name
           or (:cvr <> '' and regexp_replace(o.body -> 'values' ->> 'cvr', '[^0-9]', '', 'g') = :cvr))
""")
_BUSY = sa.text("""
    select id from sync.link
    where tenant = :tenant and agreement = :agreement and crm_id = :crm_id and state = 'creating'
""")
_FORMER = sa.text("""
    select l.crm_id, l.parted, coalesce((side.state -> 'customer' ->> 'deleted')::boolean, false) as gone
    from sync.link l left join sync.crm_side side on side.tenant = l.tenant and side.crm_id = l.crm_id
    where l.tenant = :tenant and l.agreement = :agreement and l.old_numbers && cast(:numbers as integer[])
      and l.state = 'unlinked' and l.crm_id is not null
""")
_ASKED_ABOUT = sa.text("""
    select crm_id from sync.link
    where tenant = :tenant and agreement = :agreement and state = 'unlinked' and crm_id is not null
      and candidates <> '{}' and candidates @> array[cast(:number as integer)]
      and not apart @> array[cast(:number as integer)]
    order by crm_id
""")
"""Customers of which a person is being asked whether they are this number, whatever it holds by now."""
_LINKED_ALIKE = sa.text("""
    select l.id, l.crm_id, l.number, side.state
    from sync.economic_side side join sync.link l on l.agreement = side.agreement and l.number = side.number
    where side.tenant = :tenant and side.agreement = :agreement and side.keys && cast(:keys as text[])
      and side.state is not null and side.number <> :number and l.crm_id is not null
      and not l.apart @> array[cast(:number as integer)]
    order by side.number limit :most
""")
_UNSEEN = sa.text("""
    select l.id, l.crm_id, l.number, p.economic -> 'values' as values
    from sync.link l join sync.pair p on p.link = l.id and p.kind = 'customer'
    where l.tenant = :tenant and l.agreement = :agreement and l.crm_id = any(cast(:ids as text[]))
      and l.state = 'linked' and l.number <> :number and not l.apart @> array[cast(:number as integer)]
      and not exists (
          select from sync.economic_side side
          where side.tenant = l.tenant and side.agreement = l.agreement and side.number = l.number
            and side.state is not null
      )
    order by l.number
""")
"""One of them may have been renumbered before anybody saw its number: that is looked at first (R7)."""
_GONE = sa.text("""
    select l.id, l.crm_id, coalesce(l.number, l.old_numbers[cardinality(l.old_numbers)]) as number, p.economic -> 'values' as values,
           array(select q.economic ->> 'id' from sync.pair q
                 where q.link = l.id and q.kind = 'contact' and q.economic is not null) as persons
    from sync.link l join sync.pair p on p.link = l.id and p.kind = 'customer'
    where l.tenant = :tenant and l.agreement = :agreement and l.status in ('deleted', 'choice')
      and l.rest in ('deleted_there', 'renumbered') and coalesce((p.economic ->> 'gone')::boolean, false)
      and not l.apart @> array[cast(:number as integer)]
    order by l.id limit :most
""")
