"""In what order is a list carried out that somebody asked for? An item a transaction, some between two looks of the clock.

What is refused or fails ends by itself and stops none of the others; what somebody else holds just now is looked at again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging.database import is_away, is_contended
from reconciler import ordering
from reconciler.stepping import Clocked

CHUNK: Final = 50
"""Items of a list that are dealt with between two looks of the clock."""

_Item = TypeVar("_Item")
_Item_co = TypeVar("_Item_co", covariant=True)


class Lists(Protocol[_Item_co]):
    """Where lists are kept."""

    def under_way(self, connection: Connection, /) -> Sequence[UUID]:
        """Lists that are not over."""

    def next_items(self, connection: Connection, which: UUID, limit: int, /) -> Sequence[_Item_co]:
        """The next items of one, and those whose part has ended."""

    def end(self, connection: Connection, which: UUID, now: datetime, /) -> bool:
        """End one of which nothing is left; whether it did."""


def carry_on(
    engine: sa.Engine,
    clocked: Clocked,
    lists: Lists[_Item],
    moved: Callable[[Clocked, Connection, _Item], bool],
    failed: Callable[[Connection, _Item, Exception], None],
) -> int:
    """The next items of every list; returns how many moved.

    ``moved`` does an item's next step, ``failed`` ends an item that raised; each in a transaction.
    """
    with engine.begin() as connection:
        found = lists.under_way(connection)
    count = 0
    for which in found:
        with engine.begin() as connection:
            listed = lists.next_items(connection, which, CHUNK)
        for item in listed:
            count += _within(engine, clocked, item, moved, failed)
        with engine.begin() as connection:
            count += lists.end(connection, which, clocked.now())
    return count


def _within(
    engine: sa.Engine,
    clocked: Clocked,
    item: _Item,
    moved: Callable[[Clocked, Connection, _Item], bool],
    failed: Callable[[Connection, _Item, Exception], None],
) -> bool:
    try:
        return ordering.within(engine, lambda connection: moved(clocked, connection, item))
    except Exception as error:
        if is_away(error):
            raise
        if is_contended(error):
            return False  # it stands as it stood: the next look has it
        with engine.begin() as connection:
            failed(connection, item, error)
        return True
