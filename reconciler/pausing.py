"""How does an admin pause a direction, and how does it go on? What waits is told again in the order in which it began to wait.

Nothing is lost meanwhile: everything is recorded and compared, and decisions wait in their links. Going on is no pass, for
what goes out then are edits as they came: the brake does not count them.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from reconciler import acts, agreements, halts, resuming
from reconciler.agreement import Agreement
from reconciler.halts import Halt, Halts
from reconciler.person import Person
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
    by: Person,
) -> None:
    """Pause these directions of a locked agreement from now on; ``NotLater`` for an end that is past.

    Said again it changes nothing; said with another end, that one holds.
    """
    if until is not None and until <= now:
        raise NotLater
    stand = {one.system for one in known.halts if one.until == until}
    given = [Halt(system=one, since=now, until=until, who=by.name) for one in systems if one not in stand]
    if not given:
        return
    left = halts.paused(known.halts, given)
    resuming.give(connection, known.tenant, known.agreement, left)
    acts.add(connection, by, "pause", now, known.agreement, _moved(known.halts, left))


def resume(connection: sa.Connection, known: Agreement, systems: Collection[System], now: datetime, by: Person) -> bool:
    """Let these directions of a locked agreement go on; whether any of them was paused."""
    left = halts.resumed(known.halts, systems)
    if left == known.halts:
        return False
    resuming.give(connection, known.tenant, known.agreement, left)
    acts.add(connection, by, "resume", now, known.agreement, _moved(known.halts, left))
    return True


def _moved(before: Halts, after: Halts) -> acts.About:
    """What became of each direction: it flows (empty), is paused until a moment, or until further notice (``open``)."""
    was, now = (
        {one.system: "open" if one.until is None else one.until.isoformat() for one in halts}
        for halts in (before, after)
    )
    return acts.moved({f"to_{one}": (was.get(one, ""), now.get(one, "")) for one in System})


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
