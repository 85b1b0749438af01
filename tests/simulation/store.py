"""What does a database do here? Tables are dicts of values; a transaction puts everything back when it ends badly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.peril import Peril

_NONE = object()


class Connection:
    """One transaction: what it changes, with the way back."""

    __slots__ = ("_before",)

    def __init__(self) -> None:
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Store a row."""
        self._before.append((table, key, table.get(key, _NONE)))
        table[key] = value

    def drop(self, table: dict[Any, Any], key: Any) -> None:
        """Take a row away, if it is there."""
        if key in table:
            self._before.append((table, key, table.pop(key)))

    def roll_back(self) -> None:
        """As if nothing had happened."""
        for table, key, value in reversed(self._before):
            if value is _NONE:
                table.pop(key, None)
            else:
                table[key] = value
        self._before.clear()


@contextmanager
def transaction(peril: Peril) -> Iterator[Connection]:
    """A transaction that may die before its commit or after it."""
    connection = Connection()
    try:
        yield connection
        peril.point("before the commit")
    except BaseException:
        connection.roll_back()
        raise
    peril.point("after the commit")


class Engine:
    """What the adapter's flows open their transactions on."""

    def __init__(self, peril: Peril) -> None:
        self._peril = peril

    def begin(self) -> Any:
        """A transaction."""
        return transaction(self._peril)
