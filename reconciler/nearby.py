"""What is known around a number that no link has? What a stranger of e-conomic may be is judged from it (``strangers``).

Linked customers it resembles, those whose number is missing or was never seen, those just being created or perhaps created,
who had it before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from economic_adapter.contract import EconomicCustomer
from reconciler import similar
from reconciler.link import EconomicSeen, Link
from reconciler.pair import UNCLEAR
from reconciler.strangers import Around, Do, Former, Known, judge, values_of


def known_already(connection: sa.Connection, link: Link, there: EconomicSeen | None) -> str:
    """Why a customer that only e-conomic has may be one that is known, so that none is created for it; empty otherwise."""
    if there is None or there.customer is None or link.agreement is None:
        return ""
    verdict = judge(there.customer, around(connection, link.tenant, link.agreement, there, frozenset()))
    return {Do.RENUMBERED: "renumbered", Do.WAIT: "under_way"}.get(verdict.do, "")


def around(
    connection: sa.Connection,
    tenant: str,
    agreement: int,
    seen: EconomicSeen,
    told_apart: frozenset[str],
    *,
    looked: bool = False,
) -> Around:
    """What is known around a number that no link has.

    ``looked``: a linked customer was just looked at because of it, and is there; so are those not being looked at any more.
    """
    customer = seen.customer
    if customer is None:
        return Around()
    key = {"tenant": tenant, "agreement": agreement, "number": seen.number}
    found = similar.in_crm(connection, tenant, agreement, customer, seen.old_numbers)
    under_way = [(row.link, row.values) for row in connection.execute(_CREATING, {**key, "most": similar.MOST})]
    unclear = [(row.crm_id, row.values) for row in connection.execute(_UNCLEAR, {**key, "codes": sorted(UNCLEAR)})]
    asked_about = [row.crm_id for row in connection.execute(_ASKED_ABOUT, key)]
    busy = connection.execute(_BUSY, {**key, "crm_id": found.certain}).scalar() if found.certain else None
    if busy is not None:
        under_way.append((busy, {}))
    linked = _linked(connection, key, similar.strong(similar.of_economic(customer)))
    if looked:
        told_apart |= {one.crm_id for one in linked if not one.looked}
    return Around(
        linked=(
            *linked,
            *(_unseen(connection, key, found.elsewhere) if found.elsewhere else ()),
            *_gone(connection, key),
        ),
        creating=tuple(under_way),
        unclear=tuple(unclear),
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


def _linked(connection: sa.Connection, key: Mapping[str, Any], wanted: Sequence[str]) -> list[Known]:
    """Linked customers that share a key with what was seen, as e-conomic held them."""
    found = []
    for row in connection.execute(_LINKED_ALIKE, {**key, "keys": wanted, "most": similar.MOST}):
        customer = EconomicCustomer.model_validate(row.state)
        persons = frozenset(one.number for one in customer.contacts if not one.deleted)
        found.append(
            Known(
                link=row.id,
                crm_id=row.crm_id,
                number=row.number,
                values=values_of(customer),
                persons=persons,
                looked=row.looked,
            )
        )
    return found


def _unseen(connection: sa.Connection, key: Mapping[str, Any], crm_ids: Sequence[str]) -> list[Known]:
    """Those of these customers that were created in e-conomic and not seen there since, as they were sent."""
    return [
        Known(link=row.id, crm_id=row.crm_id, number=row.number, values=row.values or {}, looked=row.looked)
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
        for row in connection.execute(_GONE, {**key, "most": similar.MOST})
    ]


_CREATING = sa.text("""
    select l.id as link, o.body -> 'values' as values
    from sync.operation o join sync.link l on l.id = o.link
    where o.settled is null and o.action = 'create' and o.system = 'economic' and l.state = 'creating'
      and l.tenant = :tenant and l.agreement = :agreement
    order by o.sent desc limit :most
""")
"""Few are under way at a time: whatever of them was edited before its answer came, the values tell."""
_UNCLEAR = sa.text("""
    select l.crm_id, (select json_object_agg(sent.key, sent.value ->> 0) from jsonb_each(r.one -> 'values') sent) as values
    from sync.task t join sync.link l on l.id = t.link join sync.pair p on p.link = l.id and p.kind = 'customer'
    cross join lateral jsonb_array_elements(p.refusals) r (one)
    where t.tenant = :tenant and t.agreement = :agreement and t.kind = 'unclear' and t.closed is null
      and l.state = 'unlinked' and not l.apart @> array[cast(:number as integer)]
      and r.one ->> 'system' = 'economic' and r.one ->> 'action' = 'create' and r.one ->> 'code' = any(:codes)
    order by l.crm_id
""")
"""Customers of the CRM whose creation in e-conomic nobody can tell the end of, which a person is asked about."""
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
    select l.id, l.crm_id, l.number, side.state, l.candidates @> array[cast(:number as integer)] as looked
    from sync.economic_side side join sync.link l on l.agreement = side.agreement and l.number = side.number
    where side.tenant = :tenant and side.agreement = :agreement and side.keys && cast(:keys as text[])
      and side.state is not null and side.number <> :number and l.crm_id is not null
      and not l.apart @> array[cast(:number as integer)]
    order by side.number limit :most
""")
_UNSEEN = sa.text("""
    select l.id, l.crm_id, l.number, p.economic -> 'values' as values,
           l.candidates @> array[cast(:number as integer)] as looked
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
