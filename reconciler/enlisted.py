"""Whom is a decision about very many about? All that a list shows, chosen and stored as one by the database alone: SQL only.

However many customers that are, whoever presses waits for one statement, and nobody else waits for the reading of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from reconciler import differences, suggestions
from reconciler.narrowing import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A decision about many as it is begun: its id, who made it and when, in which session, from which list."""

    id: UUID
    tenant: str
    kind: str
    what: str = ""
    who: tuple[str, str]
    now: datetime
    session: str
    filter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What was marked: pairs by the CRM's id and the number, or everything of some groups but for these."""

    pairs: Sequence[tuple[str, int]] = ()
    everything_of: Sequence[str] = ()
    but: Sequence[tuple[str, int]] = ()


def lines(connection: sa.Connection, made: Made, wanted: Filter, most: int) -> None:
    """Store a decision about so many lines that a filter shows, the oldest first; what each would write is read later.

    Nothing where it shows none, or there is one of that id.
    """
    every, values = differences.lines(made.tenant, wanted)
    connection.execute(sa.text(_LINES.format(every=every)), {**_values(made), **values, "most": most})


def pairs(
    connection: sa.Connection, made: Made, agreement: int, marked: Marked, able: Sequence[str], most: int
) -> bool:  # fmt: skip
    """Store a decision about the suggested pairs that were marked, of the groups ``able``; whether any that was is suggested.

    Nothing where none is in such a group, or there is one of that id. Of what was marked one by one it is counted how many
    are in no such group.
    """
    whole = bool(marked.everything_of)
    named = [{"crm_id": crm_id, "number": number} for crm_id, number in (marked.but if whole else marked.pairs)]
    values = {
        **_values(made), "agreement": agreement, "whole": whole, "named": to_json(named).decode(), "able": list(able),
        "evidence": list(marked.everything_of if whole else suggestions.EVERY), "most": most,
    }  # fmt: skip
    return bool(connection.scalar(_PAIRS, values))


def _values(made: Made) -> dict[str, object]:
    return {
        "bulk": made.id, "tenant": made.tenant, "kind": made.kind, "what": made.what, "who": made.who[0],
        "who_id": made.who[1], "now": made.now, "session": made.session, "filter": made.filter,
    }  # fmt: skip


_LINES: Final = """
    with line as materialized (
        select link, detail, opened, place from ({every}) every order by opened, link, place limit :most
    ), customer as (
        select link, row_number() over (order by min(opened), link) as position, count(*) as parts,
               jsonb_agg(jsonb_build_object('detail', detail, 'values', jsonb_build_array(), 'mark', '') order by opened, place) as body
        from line group by link
    ), made as (
        insert into sync.bulk (id, tenant, kind, what, who, who_id, session, at, state, filter)
        select :bulk, :tenant, :kind, :what, :who, :who_id, :session, :now, 'previewed', :filter
        where exists (select from customer)
        on conflict (id) do nothing
        returning id
    )
    insert into sync.bulk_item (bulk, position, link, body, parts, state)
    select made.id, customer.position, customer.link, customer.body, customer.parts, 'listed' from customer, made
"""
# what is named is all that is meant, or of everything all that is not
_PAIRS = sa.text(f"""
    with marked as materialized (
        select s.crm_id, s.number, s.evidence, s.place, s.evidence = any(:able) as able {suggestions.OPEN}
          and s.evidence = any(:evidence) and :whole <> ((s.crm_id, s.number) in (
            select w.crm_id, w.number from jsonb_to_recordset(cast(:named as jsonb)) as w(crm_id text, number integer)))
    ), chosen as (
        select crm_id, number, evidence, row_number() over (order by place, crm_id) as position
        from marked where able order by place, crm_id limit :most
    ), made as (
        insert into sync.bulk (id, tenant, kind, what, who, who_id, session, at, state, filter, agreement, left_out)
        select :bulk, :tenant, :kind, :what, :who, :who_id, :session, :now, 'running', :filter, :agreement,
               (select count(*) from marked where not able and not :whole)
        where exists (select from chosen)
        on conflict (id) do nothing
        returning id
    ), stored as (
        insert into sync.bulk_item (bulk, position, crm_id, number, body, parts)
        select made.id, chosen.position, chosen.crm_id, chosen.number, jsonb_build_array(
                   jsonb_build_object('detail', chosen.evidence, 'values', jsonb_build_array(), 'mark', '')), 1
        from chosen, made
    )
    select exists (select from marked)
""")
