"""Which customers stand behind a number of a run? The list of each, page by page, as long as the number says: SQL only."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from reconciler.previewed import Preview

AT_ONCE: Final = 5000
"""Rows written in one statement."""
Kind = Literal[
    "crm", "economic", "barred", "filled", "overwritten", "person", "differs", "skipped", "action", "done", "left_out",
    "planned", "undone",
]  # fmt: skip
"""What a list is of: a class of a system, blocked ones, single things that are counted, customers by action or outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a list: about whom, and what. ``about`` is the class, the detail, the action or the reason."""

    crm_id: str | None
    name: str
    number: int | None
    there: str
    """The customer's name in e-conomic."""
    barred: bool
    system: str
    about: str
    action: str
    before: str
    after: str


def insert(connection: sa.Connection, shown: Preview) -> None:
    """Store what the numbers of a preview count; it has not been stored before."""
    run = shown.asked.run
    placed = [
        {"system": one.system, "id": one.id, "label": one.label, "partner": one.partner, "barred": one.barred}
        for one in shown.placed
    ]
    _insert(connection, _PLACED, run, placed)
    counted: list[dict[str, Any]] = [
        {
            "kind": each.kind,
            "crm_id": item.crm_id,
            "number": item.number,
            "system": each.system or "",
            "about": each.detail,
            "before": each.before,
            "after": each.after,
        }
        for item in shown.items
        for each in item.counted
    ]
    counted += [
        {"kind": "skipped", "crm_id": one.crm_id, "number": one.number, "about": one.reason} for one in shown.skipped
    ]
    _insert(connection, _COUNTED, run, [{**one, "nth": nth} for nth, one in enumerate(counted, 1)])


def rows(
    connection: sa.Connection, run: UUID, kind: Kind, about: str = "", *, limit: int | None = None, skip: int = 0
) -> Iterator[Row]:
    """The lines of that list; ``about`` narrows it to one class, detail, action or reason."""
    given = {"run": run, "kind": kind, "about": about, "limit": limit, "skip": skip}
    for row in connection.execute(_LISTS[kind], given):
        yield Row(**row._asdict())


def count(connection: sa.Connection, run: UUID, kind: Kind, about: str = "") -> int:
    """How many lines that list has."""
    return int(connection.scalar(_COUNTS[kind], {"run": run, "kind": kind, "about": about}) or 0)


def _insert(connection: sa.Connection, statement: sa.TextClause, run: UUID, found: list[dict[str, Any]]) -> None:
    for start in range(0, len(found), AT_ONCE):
        part = json.dumps(found[start : start + AT_ONCE], ensure_ascii=False)
        connection.execute(statement, {"run": run, "rows": part})


_PLACED = sa.text("""
    insert into sync.run_placed (run, system, id, label, partner, barred)
    select :run, system, id, label, partner, barred
    from jsonb_to_recordset(cast(:rows as jsonb))
        as r(system text, id text, label text, partner text, barred boolean)
""")
_COUNTED = sa.text("""
    insert into sync.run_counted (run, nth, kind, crm_id, number, system, about, before, after)
    select :run, nth, kind, crm_id, number, coalesce(system, ''), about, coalesce(before, ''), coalesce(after, '')
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        nth integer, kind text, crm_id text, number integer, system text, about text, before text, after text)
""")
_OF_CLASS: Final = """
    select case when system = 'crm' then id else nullif(partner, '') end as crm_id,
           cast(case when system = 'crm' then nullif(partner, '') else id end as integer) as number,
           system, label as about, '' as action, '' as before, '' as after, (system, id) as place
    from sync.run_placed
    where run = :run and system = {system} {more}
      and (cast(:about as text) = '' or label = :about or (right(:about, 1) = '.' and starts_with(label, :about)))
"""
_OF_COUNTED: Final = """
    select crm_id, number, system, about, '' as action, before, after, nth as place
    from sync.run_counted
    where run = :run and (kind = :kind or (kind = 'person' and :kind = 'filled')) and (cast(:about as text) = '' or about = :about)
"""
_OF_ITEMS: Final = """
    select crm_id, number, '' as system, case when {what} = 'action' then evidence else reason end as about, action,
           '' as before,
           (select coalesce(string_agg(w ->> 'after', ', ' order by nth), '')
            from jsonb_array_elements(writes) with ordinality as written(w, nth) where w ->> 'after' <> '') as after,
           position as place
    from sync.run_item
    where run = :run and {wanted}
"""
_BY_ACTION: Final = "(cast(:about as text) = '' or action = :about)"
_BY_STATE: Final = "state = :kind and (cast(:about as text) = '' or reason = :about)"
_FROM: Final[Mapping[Kind, str]] = {
    "crm": _OF_CLASS.format(system="'crm'", more=""),
    "economic": _OF_CLASS.format(system="'economic'", more=""),
    "barred": _OF_CLASS.format(system="'economic'", more="and barred"),
    **dict.fromkeys(("filled", "overwritten", "person", "differs", "skipped"), _OF_COUNTED),
    "action": _OF_ITEMS.format(what="'action'", wanted=_BY_ACTION),
    **dict.fromkeys(("done", "left_out", "planned", "undone"), _OF_ITEMS.format(what="'state'", wanted=_BY_STATE)),
}
_LISTS: Final = {
    kind: sa.text(f"""
        select found.crm_id, coalesce(here.state -> 'customer' ->> 'name', '') as name, found.number,
               coalesce(there.state ->> 'name', '') as there,
               coalesce((there.state ->> 'barred')::boolean, false) as barred,
               found.system, found.about, found.action, found.before, found.after
        from (select * from ({wanted}) every order by place limit :limit offset :skip) found
        join sync.run r on r.id = :run
        left join sync.crm_side here on here.tenant = r.tenant and here.crm_id = found.crm_id
        left join sync.economic_side there
            on there.tenant = r.tenant and there.agreement = r.agreement and there.number = found.number
        order by found.place
    """)
    for kind, wanted in _FROM.items()
}
_COUNTS: Final = {kind: sa.text(f"select count(*) from ({wanted}) every") for kind, wanted in _FROM.items()}
