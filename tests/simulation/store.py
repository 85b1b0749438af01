"""What does a database do here? Tables are dicts of values; a transaction that ends badly leaves nothing behind.

Two kinds: ``Connection`` writes at once and can take it back, for transactions in whose middle nobody else comes;
``Session`` keeps its writes to itself until it commits, and waits for locks, for those that meet others.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.peril import Peril

_GONE = object()


class Blocked(BaseException):
    """Somebody else holds a lock, or has just taken a key: the transaction is given up, and taken again later."""


class Contended(Blocked, Exception):
    """The same, where a flow catches it and goes on with others."""


class Connection:
    """One transaction: what it changes, with the way back."""

    __slots__ = ("_before", "after")

    def __init__(self) -> None:
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []
        self.after: list[Callable[[], None]] = []
        """What is told once it has committed."""

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Store a row."""
        self._before.append((table, key, table.get(key, _GONE)))
        table[key] = value

    def drop(self, table: dict[Any, Any], key: Any) -> None:
        """Take a row away, if it is there."""
        if key in table:
            self._before.append((table, key, table.pop(key)))

    def commit(self) -> None:
        """It stands already."""
        self._before.clear()
        for told in self.after:
            told()

    def roll_back(self) -> None:
        """As if nothing had happened."""
        for table, key, value in reversed(self._before):
            if value is _GONE:
                table.pop(key, None)
            else:
                table[key] = value
        self._before.clear()


class Session:
    """One transaction among others: it reads what is committed and what it wrote itself, and holds rows until it ends."""

    def __init__(self, held: dict[object, "Session"], execute: Callable[["Session", Any, Any], Any]) -> None:
        self._held = held
        self._execute = execute
        self._mine: dict[int, tuple[dict[Any, Any], dict[Any, Any]]] = {}
        self.checks: list[Callable[[Session], None]] = []
        """What must hold when it commits: unique keys."""
        self.after: list[Callable[[], None]] = []
        """What is told once it has committed."""
        self.wrote: list[tuple[Any, Any, Any]] = []
        """What it has written to customers: the link, the details, and those of them that nobody decided on."""
        self.passing: Any = None
        """The link that is looked at because everything is."""

    def rows(self, table: dict[Any, Any]) -> dict[Any, Any]:
        """The table as this transaction sees it."""
        mine = self._mine.get(id(table))
        if mine is None:
            return table
        seen = {**table, **mine[1]}
        for key, value in mine[1].items():
            if value is _GONE:
                del seen[key]
        return seen

    def changes(self, table: dict[Any, Any]) -> bool:
        """Whether this transaction wrote to the table."""
        return id(table) in self._mine

    def get(self, table: dict[Any, Any], key: Any) -> Any:
        """One row, or none."""
        mine = self._mine.get(id(table))
        if mine is not None and key in mine[1]:
            value = mine[1][key]
            return None if value is _GONE else value
        return table.get(key)

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Store a row."""
        self._mine.setdefault(id(table), (table, {}))[1][key] = value

    def drop(self, table: dict[Any, Any], key: Any) -> None:
        """Take a row away, if it is there."""
        self.put(table, key, _GONE)

    def execute(self, statement: Any, values: Any = None) -> Any:
        """A statement that a flow sends itself."""
        return self._execute(self, statement, values)

    def lock(self, what: object) -> None:
        """Hold a row until the transaction ends."""
        if self._held.setdefault(what, self) is not self:
            raise Blocked

    def free(self, what: object) -> bool:
        """Whether nobody else holds that row."""
        return self._held.get(what, self) is self

    def commit(self) -> None:
        """Everybody sees it now."""
        for check in self.checks:
            check(self)
        for table, mine in self._mine.values():
            for key, value in mine.items():
                if value is _GONE:
                    table.pop(key, None)
                else:
                    table[key] = value
        self._end()
        for told in self.after:
            told()

    def roll_back(self) -> None:
        """As if nothing had happened."""
        self._end()

    def _end(self) -> None:
        for what in [one for one, who in self._held.items() if who is self]:
            del self._held[what]


class transaction:  # noqa: N801 - used as the function of a ``with``; a generator's is slower, and there are millions
    """A transaction that may die before its commit or after it."""

    __slots__ = ("_connection", "_peril")

    def __init__(self, peril: Peril, connection: Any = None) -> None:
        self._peril = peril
        self._connection = Connection() if connection is None else connection

    def __enter__(self) -> Any:
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._connection.roll_back()
            return
        try:
            self._peril.point("before the commit")
            self._connection.commit()
        except BaseException:
            self._connection.roll_back()
            raise
        self._peril.point("after the commit")


class Engine:
    """What the adapter's flows open their transactions on."""

    def __init__(self, peril: Peril) -> None:
        self._peril = peril

    def begin(self) -> Any:
        """A transaction."""
        return transaction(self._peril)


class Database:
    """What the reconciler's flows open their transactions on. Who meets a lock gives up, as one that waited too long."""

    def __init__(self, peril: Peril, session: Callable[[], Session]) -> None:
        self._peril, self._session = peril, session

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction."""
        try:
            with transaction(self._peril, self._session()) as session:
                yield session
        except Contended:
            raise
        except Blocked as why:
            raise Contended(*why.args) from why

    @contextmanager
    def connect(self) -> Iterator[Session]:
        """Reading, and nothing else."""
        yield self._session()
