"""Which differences wait for a choice between two values? One line for each detail of a customer, the oldest first; reading only.

A line about contact persons holds all that differs of them. The list and its counts are made of the questions that are open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconciler import beside, fields, store
from reconciler.beside import Row
from reconciler.narrowing import Filter, of_questions

KINDS: Final = ("values", "bouncing")
"""Questions that one of two values answers."""
DETAILS: Final = (*(one.name for one in fields.GROUPS["customer"]), "contact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One line: a detail of a customer, since when it is asked about, and its rows as they stand beside one another."""

    link: UUID
    crm_id: str
    number: int | None
    name: str
    detail: str
    opened: datetime
    rows: tuple[Row, ...]


def shown(
    connection: sa.Connection, tenant: str, wanted: Filter, resend: timedelta, *, limit: int, skip: int = 0
) -> list[Difference]:
    """The lines that a filter shows."""
    every, values = lines(tenant, wanted)
    statement = sa.text(f"select * from ({every}) line order by opened, link, place limit :limit offset :skip")
    listed = connection.execute(statement, {**values, "limit": limit, "skip": skip}).all()
    links = {one.link.id: one for one in store.of_ids(connection, list({line.link for line in listed}))}
    found = []
    for line in listed:
        stored = links.get(line.link)
        rows = () if stored is None else contested(stored, line.detail, resend)
        if stored is not None and rows:
            values_of = [side.values for side in (stored.link.customer.crm, stored.link.customer.economic) if side]
            found.append(
                Difference(
                    link=line.link, crm_id=stored.link.crm_id, number=stored.link.number, detail=line.detail,
                    name=next((name for one in values_of if (name := fields.text(one, "name"))), ""),
                    opened=line.opened, rows=rows,
                )
            )  # fmt: skip
    return found


def more_than(connection: sa.Connection, tenant: str, wanted: Filter, limit: int) -> bool:
    """Whether a filter shows more lines than that."""
    every, values = lines(tenant, wanted)
    statement = sa.text(f"select count(*) > :limit from (select from ({every}) line limit :limit + 1) line")
    return bool(connection.scalar(statement, {**values, "limit": limit}))


def lines(tenant: str, wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The statement of the lines that a filter shows, and its values.

    A line has its link, detail, when it was opened, and the detail's place: shown by ``opened, link, place``.
    """
    where, values = _where(tenant, wanted)
    return _LINES.format(where=where), values


def counts(connection: sa.Connection, tenant: str, wanted: Filter) -> dict[str, int]:
    """How many lines there are of each detail, in the order of details, whatever detail the filter names."""
    every, values = lines(tenant, replace(wanted, detail=""))
    statement = sa.text(f"select detail, count(*) as lines from ({every}) line group by detail")
    found = {row.detail: row.lines for row in connection.execute(statement, values)}
    return {detail: found[detail] for detail in DETAILS if detail in found}


def contested(stored: store.Stored, detail: str, resend: timedelta) -> tuple[Row, ...]:
    """What waits for a choice of that detail of a customer, or of its contact persons."""
    link = stored.link
    return tuple(
        row
        for row in beside.rows(link, stored.agreement.rules_for(link, resend))
        if row.stands == "contested" and (row.detail == detail if row.kind == "customer" else detail == "contact")
    )


def _where(tenant: str, wanted: Filter) -> tuple[str, dict[str, Any]]:
    where, values = of_questions(tenant, "questions", replace(wanted, detail="", kind=""))
    names = [(name, one.name) for one in fields.GROUPS["customer"] for name in one.fields]
    names += [(f"contact.{name}", "contact") for name in fields.FIELDS["contact"]]
    more = " and g.detail = :detail" if wanted.detail else ""
    return f"{where}{more}", {**values, "detail": wanted.detail, "kinds": list(KINDS), **_columns(names)}


def _columns(names: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"fields": [one for one, _ in names], "groups": [group for _, group in names], "order": list(DETAILS)}


_LINES = """
    select t.link, min(t.opened) as opened, g.detail, array_position(cast(:order as text[]), g.detail) as place
    from sync.task t cross join lateral unnest(t.details) d
    join unnest(cast(:fields as text[]), cast(:groups as text[])) as g(field, detail) on g.field = d
    where {where} and t.kind = any(:kinds) and t.link is not null
    group by t.link, g.detail
"""
