"""What would one choice for very many write? Read by the clock before it can be confirmed, some customers at a time.

What was listed when somebody asked is what it is about; what of it waits for a choice no more is counted and left out.
"""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from reconciler import differences, parts, store, unread
from reconciler.beside import Row
from reconciler.bulks import Item, Planned
from reconciler.stepping import Clocked

CHUNK: Final = 200
"""Customers that are read between two looks of the clock."""


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """Read the next customers of every decision that was only listed; returns how many."""
    with engine.connect() as connection:
        found = unread.waiting(connection)
    return sum(_read(engine, clocked, one) for one in found)


def _read(engine: sa.Engine, clocked: Clocked, which: UUID) -> int:
    """Read what would be written for the next customers of a decision that was only listed; returns how many."""
    with engine.begin() as connection:
        found = unread.next_of(connection, which, CHUNK)
        if found is None:
            return 0
        bulk, items = found
        links = {one.link.id: one for one in store.of_ids(connection, [one.link for one in items if one.link])}
        read = [(one, *_of(clocked, links.get(one.link) if one.link else None, one, bulk.what)) for one in items]
        unread.read(connection, which, read)
    return len(items)


def _of(clocked: Clocked, stored: store.Stored | None, item: Item, take: str) -> tuple[Planned | None, int]:
    """What that choice means for one customer now, none where nothing can be; how much of it waits for no choice any more."""
    if stored is None:
        return None, len(item.parts)
    lines = [(one.detail, differences.contested(stored, one.detail, clocked.resend)) for one in item.parts]
    able = [(detail, rows) for detail, rows in lines if rows and all(may_be(row, take) for row in rows)]
    resolved = sum(not rows for _, rows in lines)
    if not able:
        return None, resolved
    shown = tuple(parts.part(detail, rows) for detail, rows in able)
    return Planned(link=item.link, crm_id=stored.link.crm_id, number=stored.link.number, parts=shown), resolved


def may_be(row: Row, take: str) -> bool:
    """Whether that side's value can be taken: no customer and no person may be without a name."""
    source = {"crm": row.crm, "economic": row.economic}.get(take)
    return source is None or row.detail != "name" or bool(source.strip())
