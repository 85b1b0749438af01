"""How does an admin pause a direction, and how does it go on? What waits is told again in the order in which it began to wait.

Nothing is lost meanwhile: everything is recorded and compared, and decisions wait in their links. Going on is no pass, for
what goes out then are edits as they came: the brake does not count them.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from reconciler import agreements, halts, resuming
from reconciler.agreement import Agreement
from reconciler.halts import Halt
from reconciler.rules import System
from reconciler.stepping import Clocked


class NotLater(Exception):
    """A pause that would be over before it begins."""


def pause(
    connection: sa.Connection,
    known: Agreement,
    systems: Collection[System],
    now: datetime,
    *,
    until: datetime | None,
    who: str,
) -> None:
    """Pause these directions of a locked agreement from now on; ``NotLater`` for an end that is past."""
    if until is not None and until <= now:
        raise NotLater
    given = [Halt(system=one, since=now, until=until, who=who) for one in systems]
    resuming.give(connection, known.tenant, known.agreement, halts.paused(known.halts, given))


def resume(connection: sa.Connection, known: Agreement, systems: Collection[System]) -> bool:
    """Let these directions of a locked agreement go on; whether any of them was paused."""
    left = halts.resumed(known.halts, systems)
    if left == known.halts:
        return False
    resuming.give(connection, known.tenant, known.agreement, left)
    return True


def end_due(engine: sa.Engine, clocked: Clocked) -> int:
    """End the pauses whose time has come; returns how many agreements went on."""
    now = clocked.now()
    with engine.begin() as connection:
        found = resuming.over(connection, now)
    worked = 0
    for tenant, number in found:
        with engine.begin() as connection:
            known = agreements.lock(connection, tenant, number)
            if known is not None:
                resuming.give(connection, tenant, number, halts.left(known.halts, now))
                worked += 1
    return worked
