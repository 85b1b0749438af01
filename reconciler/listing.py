"""Which customers stand in which list? Counts that add up to all there are, and a page of them by name; read only.

There are three kinds: those with a link, those of the CRM without one, and those that only e-conomic has. A page goes on
from the key of its last row, so that a page far down costs no more than the first.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from reconciler.agreement import Agreement
from reconciler.categories import Category, LeftOut

CATEGORIES: Final[tuple[Category, ...]] = ("same", "different", "waiting", "choice", "error", "left_out")
_LAST: Final = "\U0010ffff"
"""Sorts after every letter a name may go on with."""
_AT_ONCE: Final = 1000
_MOST_NUMBER: Final = 999_999_999
_CURSOR: Final = TypeAdapter(tuple[str, Literal[0, 1, 2], str, bool])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page begins: behind this row, or before it when it goes ``backwards``."""

    name_key: str
    kind: int
    id: str
    backwards: bool = False

    @property
    def text(self) -> str:
        """The cursor as it stands in an address."""
        whole = [self.name_key, self.kind, self.id, self.backwards]
        return base64.urlsafe_b64encode(to_json(whole)).decode().rstrip("=")

    @staticmethod
    def parsed(text: str) -> "Cursor | None":
        """The cursor of its text; none for what no page of ours gave."""
        try:
            found = from_json(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            name_key, kind, key, backwards = _CURSOR.validate_python(found)
            if kind == 0:
                key = str(UUID(key))
            elif kind == 2 and not 0 < int(key) <= _MOST_NUMBER:
                return None
        except ValueError:
            return None
        if "\0" in name_key + key:
            return None
        return Cursor(name_key=name_key, kind=kind, id=key, backwards=backwards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One customer in the list. ``kind`` and ``key`` say where the row stands among those of the same name."""

    kind: int
    key: str
    name_key: str
    name: str
    crm_id: str | None
    number: int | None
    category: Category
    left_out: LeftOut
    flows: bool
    barred: bool
    linked: bool
    """Whether it is one customer on both sides."""

    def cursor(self, *, backwards: bool = False) -> Cursor:
        """The key of this row, to go on from it."""
        return Cursor(name_key=self.name_key, kind=self.kind, id=self.key, backwards=backwards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows in order of their names; whether there are more before and after them."""

    rows: Sequence[Row]
    before: bool
    after: bool


def counts(connection: sa.Connection, tenant: str, known: Agreement | None) -> dict[Category, int]:
    """How many customers stand in each list: every customer of the CRM, and those that only e-conomic has."""
    values = _values(tenant, known)
    found: dict[Category, int] = dict.fromkeys(CATEGORIES, 0)
    for row in connection.execute(_COUNTS, {**values, "categories": list(CATEGORIES)}):
        found[row.category] += row.customers
    found["left_out"] += int(connection.scalar(_COUNT_FREE, values) or 0)
    if _may_lack_links(connection, values):
        found["left_out"] += int(connection.scalar(_COUNT_HERE, values) or 0)
    return found


def page(
    connection: sa.Connection,
    tenant: str,
    known: Agreement | None,
    *,
    category: Category | None = None,
    search: str = "",
    cursor: Cursor | None = None,
    limit: int = 50,
) -> Page:
    """Customers in order of their names, of one list or all; ``search`` is the beginning of a name, or a CVR or customer no."""
    backwards = cursor is not None and cursor.backwards
    values = {**_values(tenant, known), "category": category, "limit": limit + 1}
    conditions = {kind: _from_there(kind, cursor, values) for kind in _SELECTS}
    kinds = [0]
    if category in {None, "left_out"}:
        kinds.append(2)
        if _may_lack_links(connection, values):
            kinds.append(1)
    found: dict[tuple[int, str], Row] = {}
    for reach in _reaches(search, values):
        for kind in kinds:
            if reach[kind] is None:
                continue
            where = [conditions[kind], reach[kind], "l.category = :category" if kind == 0 and category else None]
            statement = _statement(kind, [one for one in where if one], backwards=backwards)
            for row in connection.execute(sa.text(statement), values):
                found[kind, row.key] = _row(row, kind, known)
    ordered = sorted(found.values(), key=lambda one: (one.name_key, one.kind, _sortable(one)), reverse=backwards)
    more, rows = len(ordered) > limit, ordered[:limit]
    rows = rows[::-1] if backwards else rows
    return Page(rows=rows, before=more if backwards else cursor is not None, after=backwards or more)


def everything(
    connection: sa.Connection, tenant: str, known: Agreement | None, *, category: Category | None, search: str
) -> Iterator[Row]:
    """Every customer that ``page`` shows page by page."""
    cursor = None
    while True:
        found = page(
            connection, tenant, known, category=category, search=search, cursor=cursor, limit=_AT_ONCE
        )  # fmt: skip
        yield from found.rows
        if not found.after:
            return
        cursor = found.rows[-1].cursor()


def _values(tenant: str, known: Agreement | None) -> dict[str, Any]:
    return {"tenant": tenant, "agreement": 0 if known is None else known.agreement}


def _may_lack_links(connection: sa.Connection, values: Mapping[str, Any]) -> bool:
    """Whether customers of the CRM may have no link: none is made before the integration was switched on once."""
    return bool(connection.scalar(_MAY_LACK, values))


def _reaches(search: str, values: dict[str, Any]) -> list[dict[int, str | None]]:
    """The ways to what is searched for, each a condition for every kind; none where a kind cannot be found that way."""
    search = " ".join(search.lower().split())
    if not search:
        return [dict.fromkeys(_SELECTS, "true")]
    values |= {"first": search, "last": search + _LAST}
    by_name = {kind: f'{name} collate "C" >= :first and {name} collate "C" < :last' for kind, name in _NAMES.items()}
    ways: list[dict[int, str | None]] = [{**by_name}]
    digits = search.replace(" ", "")
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        values |= {"keys": [f"cvr:{digits}"], "digits": int(digits)}
        ways += [_BY_CVR, _BY_NUMBER]
    return ways


def _from_there(kind: int, cursor: Cursor | None, values: dict[str, Any]) -> str | None:
    """What is behind the cursor among the rows of a kind; they stand behind those of a lower kind that have the same name."""
    if cursor is None:
        return None
    name = f'{_NAMES[kind]} collate "C"'
    values["from_name"] = cursor.name_key
    than = "<" if cursor.backwards else ">"
    if kind != cursor.kind:
        same_name_too = (kind > cursor.kind) is not cursor.backwards
        return f"{name} {than}{'=' if same_name_too else ''} :from_name"
    values["from_id"] = UUID(cursor.id) if kind == 0 else cursor.id if kind == 1 else int(cursor.id)
    return f"({name}, {_IDS[kind]}) {than} (:from_name, :from_id)"


def _statement(kind: int, where: Sequence[str], *, backwards: bool) -> str:
    way = "desc" if backwards else ""
    found = f"""
        select * from ({_SELECTS[kind]}) l where {" and ".join(where)}
        order by {_NAMES[kind]} collate "C" {way}, {_IDS[kind]} {way} limit :limit
    """
    return f"with found as ({found}) {_SHOWN[kind]}"


def _sortable(one: Row) -> tuple[int, str]:
    return (one.number or 0, "") if one.kind == 2 else (0, one.key)


def _row(row: sa.Row[Any], kind: int, known: Agreement | None) -> Row:
    left_out: LeftOut = row.left_out if row.left_out != "?" else ""
    if kind > 0 and left_out != "lead":
        never_on = known is None or known.since is None
        left_out = "off" if never_on else "not_transferred" if row.passed_over else _ALONE[kind]
    return Row(
        kind=kind,
        key=row.key,
        name_key=row.name_key,
        name=row.name or "",
        crm_id=row.crm_id,
        number=row.number,
        category=row.category,
        left_out=left_out,
        flows=row.flows,
        barred=bool(row.barred),
        linked=row.linked,
    )


_MOST_DIGITS: Final = 9
_ALONE: Final[Mapping[int, Literal["only_crm", "only_economic"]]] = {1: "only_crm", 2: "only_economic"}
_NAMES: Final[Mapping[int, str]] = dict.fromkeys((0, 1, 2), "l.name_key")
_IDS: Final[Mapping[int, str]] = {0: "l.id", 1: 'l.crm_id collate "C"', 2: "l.number"}
_HERE: Final = """
    select side.* from sync.crm_side side
    where side.tenant = :tenant and side.state is not null and side.state <> '{}'
      and not coalesce((side.state -> 'customer' ->> 'deleted')::boolean, false)
      and side.state -> 'customer' ->> 'merged_into' is null
      and not exists (select from sync.link k
                      where k.tenant = side.tenant and k.agreement = :agreement and k.crm_id = side.crm_id)
"""
_FREE: Final = """
    select side.* from sync.economic_side side
    where side.tenant = :tenant and side.agreement = :agreement and side.state is not null and not side.linked
      and not exists (select from sync.link k where k.agreement = side.agreement and k.number = side.number)
"""
_SELECTS: Final[Mapping[int, str]] = {
    0: "select * from sync.link where tenant = :tenant and agreement = :agreement and category <> ''",
    1: _HERE,
    2: _FREE,
}
_PASSED_OVER: Final = """
    coalesce((f.state ->> 'barred')::boolean, false) and coalesce((
        select (r.options ->> 'without_barred')::boolean from sync.run r
        where r.tenant = :tenant and r.agreement = :agreement and r.kind = 'transfer' and r.state = 'done'
        order by r.started desc limit 1), false)
"""
_SHOWN: Final[Mapping[int, str]] = {
    0: """
        select f.id::text as key, f.name_key, f.crm_id, f.number, f.category, f.left_out, f.flows, f.barred,
               f.crm_id is not null and f.state = 'linked' as linked, false as passed_over,
               coalesce(nullif(here.state -> 'customer' ->> 'name', ''), there.state ->> 'name') as name
        from found f
        left join sync.crm_side here on here.tenant = f.tenant and here.crm_id = f.crm_id
        left join sync.economic_side there on there.agreement = f.agreement and there.number = f.number
    """,
    1: """
        select f.crm_id as key, f.name_key, f.crm_id, null::integer as number, 'left_out' as category,
               case when f.state -> 'customer' ->> 'stage' = 'lead' then 'lead' else '' end as left_out,
               false as flows, false as barred, false as linked, false as passed_over,
               f.state -> 'customer' ->> 'name' as name
        from found f
    """,
    2: f"""
        select f.number::text as key, f.name_key, null as crm_id, f.number, 'left_out' as category, '' as left_out,
               false as flows, (f.state ->> 'barred')::boolean as barred, false as linked, {_PASSED_OVER} as passed_over,
               f.state ->> 'name' as name
        from found f
    """,
}
_BY_CVR: Final[dict[int, str | None]] = {
    0: """(l.crm_id = any(array(select crm_id from sync.crm_side where tenant = :tenant and keys @> cast(:keys as text[])))
           or l.number = any(array(select number from sync.economic_side
                                   where agreement = :agreement and keys @> cast(:keys as text[]))))""",
    1: "l.keys @> cast(:keys as text[])",
    2: "l.keys @> cast(:keys as text[])",
}
_BY_NUMBER: Final[dict[int, str | None]] = {0: "l.number = :digits", 1: None, 2: "l.number = :digits"}
_MAY_LACK = sa.text("""
    select not exists (
        select from sync.agreement
        where tenant = :tenant and agreement = :agreement and since is not null and not look_again)
""")
_COUNTS = sa.text("""
    select one as category, (
        select count(*) from sync.link l where l.tenant = :tenant and l.agreement = :agreement and l.category = one
    ) as customers
    from unnest(cast(:categories as text[])) as one
""")
"""Each list is counted by itself, in an index that holds nothing else: a fifth of the time that grouping takes."""
_COUNT_FREE = sa.text(f"select count(*) from ({_FREE}) free")
_COUNT_HERE = sa.text(f"select count(*) from ({_HERE}) here")
