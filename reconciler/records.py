"""Which recorded customers does matching get? All of a side as a stream, and those that share a key; read only.

A row recorded before keys were kept has none: the clock makes them (``fill``), and until then it is compared by its state.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from reconciler import fields, keys
from reconciler.matching import Record
from reconciler.rules import System

PAGE = 500
"""Rows held in memory while a side is streamed."""


def crm(connection: sa.Connection, tenant: str, agreement: int | None = None) -> Iterator[Record]:
    """Every customer the CRM has, as last recorded; with an agreement, those that are not linked there.

    Deleted and merged ones are left out; one whose state could not be sent has no values. Uses a cursor on the server.
    """
    statement = _CRM if agreement is None else _CRM_FREE
    for row in _streamed(connection, statement, {"tenant": tenant, "agreement": agreement}):
        yield _crm(row.crm_id, row.state)


def economic(connection: sa.Connection, tenant: str, agreement: int, *, unlinked: bool = False) -> Iterator[Record]:
    """Every customer of that agreement, as last recorded; or only those without a link. Those seen missing are left out.

    Uses a cursor on the server.
    """
    statement = _ECONOMIC_FREE if unlinked else _ECONOMIC
    for row in _streamed(connection, statement, {"tenant": tenant, "agreement": agreement}):
        yield _economic(row.number, row.state)


def linked(connection: sa.Connection, tenant: str, agreement: int) -> frozenset[tuple[str, str]]:
    """The linked pairs of an agreement, as ``match`` wants them."""
    found = connection.execute(_LINKED, {"tenant": tenant, "agreement": agreement})
    return frozenset((row.crm_id, str(row.number)) for row in found)


def apart(connection: sa.Connection, tenant: str, agreement: int) -> frozenset[tuple[str, str]]:
    """The pairs of which a person said that they are not the same customer."""
    found = connection.execute(_APART, {"tenant": tenant, "agreement": agreement})
    return frozenset((row.crm_id, str(row.number)) for row in found)


def search(
    connection: sa.Connection,
    side: System,
    tenant: str,
    agreement: int,
    values: Mapping[str, str],
    persons: Sequence[Mapping[str, str]] = (),
    *,
    limit: int = 50,
) -> list[Record]:
    """Customers of that side, linked or not, that share a strong key with these values; most shared keys first.

    Strong are CVR and EAN number, e-mail, phone and the name's weaker key. A CVR or EAN number counts before all others,
    so that no limit hides a certain partner behind a common name.
    """
    wanted = keys.strong(keys.of(values, persons))
    if not wanted:
        return []
    given = {
        "tenant": tenant,
        "agreement": agreement,
        "keys": list(wanted),
        "certain": [key for key in wanted if key.startswith(("cvr:", "ean:"))],
        "limit": limit,
        "old": list(keys.OLD_MARKS),
    }
    if side is System.CRM:
        found = [_crm(row.crm_id, row.state) for row in connection.execute(_SEARCH_CRM, given)]
        rest = (_crm(row.crm_id, row.state) for row in connection.execute(_UNKEYED_CRM, given))
    else:
        found = [_economic(row.number, row.state) for row in connection.execute(_SEARCH_ECONOMIC, given)]
        rest = (_economic(row.number, row.state) for row in connection.execute(_UNKEYED_ECONOMIC, given))
    found.extend(one for one in rest if not set(wanted).isdisjoint(keys.of(one.values, one.persons)))
    return found[:limit] if len(found) <= limit else _most_shared(found, set(wanted), limit)


def fill(connection: sa.Connection, limit: int) -> int:
    """Make the keys of rows that have none, or an earlier release's, and the names lists are ordered by, of at most so many
    on each side; returns how many. May repeat.

    Rows that a step holds are left to it: it makes them as it records.
    """
    worked = 0
    for rows, update in (
        (_TO_FILL_CRM, _FILL_CRM),
        (_TO_FILL_ECONOMIC, _FILL_ECONOMIC),
        (_TO_NAME_CRM, _FILL_CRM),
        (_TO_NAME_ECONOMIC, _FILL_ECONOMIC),
    ):
        found = [
            {
                "tenant": row.tenant,
                "id": row.id,
                "number": row.number,
                "keys": list(of_state(row.state, row.number)),
                "name_key": _name_key(row.state, row.number),
            }
            for row in connection.execute(rows, {"limit": limit, "old": list(keys.OLD_MARKS)})
        ]
        if found:
            connection.execute(update, found)
        worked += len(found)
    return worked


def of_state(state: Mapping[str, Any], number: int | None) -> tuple[str, ...]:
    """The keys of a recorded state; ``number`` none for one of the CRM."""
    one = _crm("", state) if number is None else _economic(number, state)
    return keys.of(one.values, one.persons)


def _name_key(state: Mapping[str, Any], number: int | None) -> str:
    one = _crm("", state) if number is None else _economic(number, state)
    return keys.ordered(one.values.get("name", ""))


def _most_shared(found: list[Record], wanted: Collection[str], limit: int) -> list[Record]:
    def rank(one: Record) -> tuple[bool, int, str]:
        common = set(keys.of(one.values, one.persons)) & set(wanted)
        return (not any(key.startswith(("cvr:", "ean:")) for key in common), -len(common), one.id)

    return sorted(found, key=rank)[:limit]


def _crm(crm_id: str, state: Mapping[str, Any] | None) -> Record:
    customer = (state or {}).get("customer") or {}
    return Record(id=crm_id, values=_values(customer), persons=_persons(customer))


def _economic(number: int, state: Mapping[str, Any]) -> Record:
    return Record(id=str(number), values=_values(state), persons=_persons(state), barred=bool(state.get("barred")))


def _values(customer: Mapping[str, Any]) -> Mapping[str, str]:
    return {field: customer[field] for field in fields.FIELDS["customer"] if customer.get(field)}


def _persons(customer: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {field: one[field] for field in fields.FIELDS["contact"] if one.get(field)}
        for one in customer.get("contacts", ())
        if not one.get("deleted")
    )


def _streamed(
    connection: sa.Connection, statement: sa.TextClause, values: Mapping[str, object]
) -> Iterator[sa.Row[Any]]:
    yield from connection.execute(statement, values, execution_options={"yield_per": PAGE})


_THERE = """
    tenant = :tenant and not coalesce((state -> 'customer' ->> 'deleted')::boolean, false)
    and state -> 'customer' ->> 'merged_into' is null and state is not null and state <> '{}'
"""
_CRM = sa.text(f"select crm_id, state from sync.crm_side where {_THERE} order by crm_id")
_CRM_FREE = sa.text(f"""
    select crm_id, state from sync.crm_side side
    where {_THERE} and not exists (
        select from sync.link l
        where l.tenant = side.tenant and l.agreement = :agreement and l.crm_id = side.crm_id and l.state <> 'unlinked')
    order by crm_id
""")
_ECONOMIC = sa.text("""
    select number, state from sync.economic_side
    where tenant = :tenant and agreement = :agreement and state is not null
    order by number
""")
_ECONOMIC_FREE = sa.text("""
    select number, state from sync.economic_side side
    where tenant = :tenant and agreement = :agreement and state is not null and not exists (
        select from sync.link l
        where l.agreement = side.agreement and l.number = side.number and l.state <> 'unlinked')
    order by number
""")
_LINKED = sa.text("""
    select crm_id, number from sync.link
    where tenant = :tenant and agreement = :agreement and crm_id is not null and number is not null
      and state <> 'unlinked'
""")
_APART = sa.text("""
    select crm_id, unnest(apart) as number from sync.link
    where tenant = :tenant and agreement = :agreement and crm_id is not null and apart <> '{}'
""")
_RANK = """
    keys && cast(:certain as text[]) desc,
    cardinality(array(select unnest(keys) intersect select unnest(cast(:keys as text[])))) desc
"""
_SEARCH_CRM = sa.text(f"""
    select crm_id, state from sync.crm_side
    where keys && cast(:keys as text[]) and {_THERE}
    order by {_RANK}, crm_id limit :limit
""")
_OUTDATED = "(keys = '{}' or keys && cast(:old as text[]))"
_UNKEYED_CRM = sa.text(f"select crm_id, state from sync.crm_side where {_OUTDATED} and {_THERE} order by crm_id")
_SEARCH_ECONOMIC = sa.text(f"""
    select number, state from sync.economic_side
    where keys && cast(:keys as text[]) and tenant = :tenant and agreement = :agreement and state is not null
    order by {_RANK}, number limit :limit
""")
_UNKEYED_ECONOMIC = sa.text(f"""
    select number, state from sync.economic_side
    where {_OUTDATED} and tenant = :tenant and agreement = :agreement and state is not null order by number
""")
_TO_FILL_CRM = sa.text(f"""
    select tenant, crm_id as id, cast(null as integer) as number, state from sync.crm_side
    where {_OUTDATED} and state is not null limit :limit for update skip locked
""")
_FILL_CRM = sa.text(
    "update sync.crm_side set keys = :keys, name_key = :name_key where tenant = :tenant and crm_id = :id"
)
_TO_FILL_ECONOMIC = sa.text(f"""
    select tenant, agreement as id, number, state from sync.economic_side
    where {_OUTDATED} and state is not null limit :limit for update skip locked
""")
_FILL_ECONOMIC = sa.text("""
    update sync.economic_side side set keys = :keys, name_key = :name_key, linked = exists (
        select from sync.link l where l.agreement = side.agreement and l.number = side.number)
    where side.agreement = :id and side.number = :number
""")
_UNNAMED = "name_key = '' and state is not null limit :limit for update skip locked"
_TO_NAME_CRM = sa.text(f"""
    select tenant, crm_id as id, cast(null as integer) as number, state from sync.crm_side where {_UNNAMED}
""")
_TO_NAME_ECONOMIC = sa.text(f"""
    select tenant, agreement as id, number, state from sync.economic_side where {_UNNAMED}
""")
