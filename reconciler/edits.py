"""What happened to the values of a customer and its contact persons? What was edited in each system, and what the engine wrote."""

import sqlalchemy as sa

from reconciler.link import Link, Pair
from reconciler.origin import Event
from reconciler.rules import System

_MOST = 500


def of_link(connection: sa.Connection, link: Link) -> list[Event]:
    """The newest of it first."""
    values = {
        "link": link.id, "tenant": link.tenant, "agreement": link.agreement, "crm_id": link.crm_id, "most": _MOST,
    }  # fmt: skip
    return [
        Event(
            at=row.at,
            record=row.record,
            system=System(row.system),
            by=row.by,
            before=row.before,
            after=row.after,
            who=row.who or "",
            created=row.created,
        )
        for row in connection.execute(_EVENTS, values)
    ]


def of_pair(events: list[Event], pair: Pair) -> list[Event]:
    """Those that are about that record."""
    names = {str(pair.id)} | ({"customer"} if pair.kind == "customer" else set())
    ids = {system: one.id for system in System if (one := pair.side(system)) is not None and pair.kind == "contact"}
    return [one for one in events if one.record in names or one.record == f"contact {ids.get(one.system, '')}"]


_EVENTS = sa.text("""
    select * from (
        (select e.at, 1 as nth, e.id, e.pair::text as record, e.system, 'edit' as by,
                jsonb_build_object(e.field, e.before) as before, jsonb_build_object(e.field, e.after) as after,
                '' as who, false as created
         from sync.edit e where e.link = :link order by e.at desc, e.id desc limit :most)
        union all
        (select a.at, 0, a.id, case a.record when 'contact' then 'contact ' || coalesce(a.record_id, '') else a.record end,
                a.system, a.by, a.before, a.after, d.who, a.action = 'create'
         from sync.audit a left join sync.decision d on d.id = a.decision
         where a.tenant = :tenant and a.agreement = :agreement and a.crm_id = :crm_id
         order by a.at desc, a.id desc limit :most)
    ) one
    order by at desc, nth desc, id desc limit :most
""")
