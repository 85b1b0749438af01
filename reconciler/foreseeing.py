"""What would a change of rules do now? Counted at once where few customers are concerned; else by the clock, some at a time.

The number that was counted last is told until the next one is there, with the time it is from.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection

from crm_outbox.messaging.database import is_away
from reconciler import agreements, foresights, ruleset, ruling
from reconciler.agreements import Agreement
from reconciler.foresights import Counted
from reconciler.ruleset import Chosen
from reconciler.ruling import Foreseen
from reconciler.stepping import Clocked

log = structlog.get_logger(__name__)

AT_ONCE: Final = 1000
"""Customers that are looked at while somebody waits for the page: about a second."""
CHUNK: Final = 500
"""Customers that are looked at between two looks of the clock."""
FRESH: Final = timedelta(minutes=5)
"""A number that is older is counted anew when somebody opens a page that shows it."""
KEPT: Final = timedelta(days=1)
_FORESEEN: Final = TypeAdapter(Foreseen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a change would do (none: not counted yet), when that was counted, and how far it is being counted, if it is."""

    would: Foreseen | None
    made: datetime
    seen: int | None = None
    total: int = 0

    @property
    def moves(self) -> bool:
        """Whether it is being counted, so that a page looks again."""
        return self.seen is not None


def foresight(connection: Connection, known: Agreement, before: Chosen, after: Chosen, clocked: Clocked) -> Foresight:
    """What that change would do, as far as it is known; where it is not, or is old, the clock is asked to count it."""
    now = clocked.now()
    if ruling.concerned(connection, known, before, after, AT_ONCE + 1) <= AT_ONCE:
        state = agreements.current(connection, known.tenant, known.agreement).choosing(after)
        return Foresight(would=ruling.foreseen(connection, known, state, clocked), made=now)
    key = (known.tenant, known.agreement, _mark(before, after))
    counted = foresights.find(connection, *key)
    if counted is None or (counted.asked is None and (counted.made is None or now - counted.made > FRESH)):
        total = ruling.concerned(connection, known, before, after, None)
        foresights.ask(connection, *key, after, total, now)
        counted = foresights.find(connection, *key)
    if counted is None:
        return Foresight(would=None, made=now)
    return Foresight(
        would=None if counted.told is None else _FORESEEN.validate_python(counted.told),
        made=counted.made or now,
        seen=None if counted.asked is None else counted.seen,
        total=counted.total,
    )


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """Count the next customers of every change that somebody waits for; returns how many were looked at."""
    with engine.connect() as connection:
        found = foresights.under_way(connection)
    return sum(_more(engine, clocked, one) for one in found)


def forget(connection: Connection, now: datetime) -> int:
    """Remove what nobody has asked about for a day; returns how many."""
    return foresights.forget(connection, now - KEPT)


def _more(engine: sa.Engine, clocked: Clocked, one: Counted) -> int:
    try:
        with engine.connect() as connection:
            state = agreements.current(connection, one.tenant, one.agreement)
            if _mark(state.chosen, one.after) != one.mark:
                raise ruling.Moved
            found = ruling.some(connection, one.tenant, one.agreement, one.after, clocked, one.last, CHUNK)
    except Exception as error:
        if is_away(error):
            raise
        if not isinstance(error, ruling.Moved):
            log.exception("foresight.failed", agreement=one.agreement)
        with engine.begin() as connection:
            foresights.give_up(connection, one)
        return 0
    body = found.foreseen if one.body is None else _FORESEEN.validate_python(one.body) + found.foreseen
    with engine.begin() as connection:
        foresights.noted(
            connection, one, one.seen + found.seen, found.last or one.last, _FORESEEN.dump_python(body, mode="json"),
            clocked.now() if found.seen < CHUNK else None,
        )  # fmt: skip
    return found.seen


def _mark(before: Chosen, after: Chosen) -> str:
    return f"{ruleset.mark(before)} {ruleset.mark(after)}"
