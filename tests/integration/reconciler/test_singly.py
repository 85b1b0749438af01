"""A list is carried out an item a transaction: what fails ends by itself, what is held waits, and no database ends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from reconciler import singly
from reconciler.stepping import Clocked
from tests.builders.sync import Wire

HELD = sa.exc.DBAPIError("", {}, psycopg.errors.DeadlockDetected())
AWAY = sa.exc.OperationalError("", {}, psycopg.OperationalError())


@dataclass
class Three:
    """One list of three items, the second of which raises."""

    error: Exception
    moved: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def under_way(self, connection: Connection, /) -> Sequence[UUID]:
        return [UUID(int=1)]

    def next_items(self, connection: Connection, which: UUID, limit: int, /) -> Sequence[str]:
        return ["first", "second", "third"]

    def end(self, connection: Connection, which: UUID, now: datetime, /) -> bool:
        return False

    def move(self, clocked: Clocked, connection: Connection, item: str) -> bool:
        if item == "second":
            raise self.error
        self.moved.append(item)
        return True

    def fail(self, connection: Connection, item: str, error: Exception) -> None:
        assert error is self.error
        self.failed.append(item)

    def carry_on(self, wire: Wire) -> int:
        return singly.carry_on(wire.engine, wire.clocked, self, self.move, self.fail)


def test_one_that_fails_ends_by_itself_and_stops_none_of_the_others(wire: Wire) -> None:
    three = Three(ValueError("odd"))
    assert three.carry_on(wire) == 3
    assert (three.moved, three.failed) == (["first", "third"], ["second"])


def test_one_that_somebody_else_holds_stays_as_it_is(wire: Wire) -> None:
    three = Three(HELD)
    assert three.carry_on(wire) == 2
    assert (three.moved, three.failed) == (["first", "third"], [])


def test_without_a_database_nothing_is_ended(wire: Wire) -> None:
    three = Three(AWAY)
    with pytest.raises(sa.exc.OperationalError):
        three.carry_on(wire)
    assert (three.moved, three.failed) == (["first"], [])
