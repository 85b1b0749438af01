"""Of whom is it not read yet what a decision about very many would write? The next of them, and what was read: SQL only."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from reconciler import bulks
from reconciler.bulks import Bulk, Item, Planned


def waiting(connection: sa.Connection) -> list[UUID]:
    """Decisions about many with customers of whom it is not read yet what would be written."""
    return list(connection.execute(_WAITING).scalars())


def next_of(connection: sa.Connection, bulk: UUID, limit: int) -> tuple[Bulk, list[Item]] | None:
    """The next of these customers of one, locked, and what it is about; none where there is none, or somebody is at it."""
    items_ = [bulks.item_of(row._asdict()) for row in connection.execute(_LISTED, {"id": bulk, "limit": limit})]
    row = (
        connection.execute(sa.text(f"{bulks.SELECT} where b.id = :id"), {"id": bulk}).one_or_none() if items_ else None
    )
    return None if row is None else (Bulk(**row._asdict()), items_)


def read(connection: sa.Connection, bulk: UUID, found: Sequence[tuple[Item, Planned | None, int]]) -> None:
    """What would be written for these customers (none: nothing can be); lines that could not be part of it are counted.

    Beside each customer: how many of its lines waited for no choice any more.
    """
    kept = [
        {
            "bulk": bulk, "position": item.position, "crm_id": one.crm_id, "number": one.number, "parts": len(one.parts),
            "body": bulks.PARTS.dump_json(one.parts).decode(),
        }
        for item, one, _ in found
        if one is not None
    ]  # fmt: skip
    if kept:
        connection.execute(_READ_ITEM, kept)
    gone = [item.position for item, one, _ in found if one is None]
    excluded = sum(len(item.parts) - (0 if one is None else len(one.parts)) for item, one, _ in found)
    counts = {"excluded": excluded, "resolved": sum(resolved for _, _, resolved in found)}
    connection.execute(_EXCLUDED, {"bulk": bulk, "gone": gone, **counts})


_WAITING = sa.text("select distinct bulk from sync.bulk_item where state = 'listed' limit 20")
_LISTED = sa.text(f"""
    select {bulks.OF_ITEM} from sync.bulk_item i where i.bulk = :id and i.state = 'listed'
    order by i.position limit :limit for update of i skip locked
""")
_READ_ITEM = sa.text("""
    update sync.bulk_item set state = 'planned', crm_id = :crm_id, number = :number, body = cast(:body as jsonb), parts = :parts
    where bulk = :bulk and position = :position
""")
_EXCLUDED = sa.text("""
    with gone as (delete from sync.bulk_item where bulk = :bulk and position = any(cast(:gone as integer[])))
    update sync.bulk set left_out = left_out + :excluded, resolved = resolved + :resolved where id = :bulk
""")
