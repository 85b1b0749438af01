"""What of decisions about many was done and can be put back? Chosen and stored as one decision by the database alone: SQL only.

However many customers that are, whoever presses waits for as many statements, and nobody else waits for the reading of them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa


def hold(connection: sa.Connection, tenant: str, bulks: Sequence[UUID], since: datetime) -> set[UUID]:
    """Lock those of these that were confirmed, are not undone, and not older than that: nobody else undoes them meanwhile."""
    values = {"tenant": tenant, "ids": list(bulks), "since": since}
    return set(connection.execute(_HOLD, values).scalars())


def insert(
    connection: sa.Connection,
    undo: UUID,
    tenant: str,
    who: tuple[str, str],
    now: datetime,
    bulks: Sequence[UUID],
    *,
    what: str,
    session: str,
    filter: str,  # noqa: A002 - what a list is filtered by is called so
) -> bool:
    """Store the decision that undoes these, about every customer of whom anything was done or is on its way.

    Nothing, and false, where that is nobody. Of a decision that is open all is taken: how it ends, its undoing waits for.
    """
    values = {
        "undo": undo, "tenant": tenant, "who": who[0], "who_id": who[1], "now": now, "ids": list(bulks), "what": what,
        "session": session, "filter": filter,
    }  # fmt: skip
    return connection.execute(_INSERT, values).rowcount > 0


def undone(connection: sa.Connection, bulks: Sequence[UUID], undo: UUID) -> None:
    """Say by which decision these are undone; what was undone by one of them is done again."""
    connection.execute(_UNDONE, {"ids": list(bulks), "undo": undo})
    connection.execute(_DONE_AGAIN, {"ids": list(bulks)})


_HOLD = sa.text("""
    select id from sync.bulk
    where tenant = :tenant and id = any(:ids) and state <> 'previewed' and undone_by is null and at >= :since
    order by id for no key update
""")
# a part was done as ``parts.tally`` counts it: no value of it had moved before, none was refused, and the whole was not
_INSERT = sa.text("""
    with back as materialized (
        select i.bulk, i.position, i.link, i.crm_id, i.number, i.decision, done.parts
        from sync.bulk_item i join sync.decision d on d.id = i.decision cross join lateral (
            select case
                when d.state = 'open' or (d.state = 'done' and i.stale = '{}') then i.body
                else (
                    select coalesce(jsonb_agg(part.value order by part.ordinality), '[]')
                    from jsonb_array_elements(i.body) with ordinality part
                    where not exists (
                        select from jsonb_array_elements(part.value -> 'values') seen where seen.value ->> 'key' = any(i.stale)
                    ) and not exists (
                        select from jsonb_array_elements(d.outcome) ended
                        where ended.value ->> 'result' = 'refused' and (ended.value ->> 'record' is null or exists (
                            select from jsonb_array_elements(part.value -> 'values') seen
                            where seen.value ->> 'key' = concat(ended.value ->> 'record', '.', ended.value ->> 'detail')
                        ))
                    )
                )
            end as parts
        ) done
        where i.bulk = any(:ids) and done.parts <> '[]'
    ), made as (
        insert into sync.bulk (id, tenant, kind, what, who, who_id, session, at, state, filter)
        select :undo, :tenant, 'undo', :what, :who, :who_id, :session, :now, 'running', :filter
        where exists (select from back)
        on conflict (id) do nothing
        returning id
    )
    insert into sync.bulk_item (bulk, position, link, crm_id, number, body, parts, undoes)
    select made.id, row_number() over (order by array_position(cast(:ids as uuid[]), back.bulk), back.position),
           back.link, back.crm_id, back.number, back.parts, jsonb_array_length(back.parts), back.decision
    from back, made
""")
_UNDONE = sa.text("update sync.bulk set undone_by = :undo where id = any(:ids)")
_DONE_AGAIN = sa.text("update sync.bulk set undone_by = null where undone_by = any(:ids)")
