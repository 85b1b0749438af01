"""Which work of which agreement has waited for a minute, and for what? For the operator: a worker, or e-conomic itself.

What waits for a person (lost access, a pause until further notice) is told of the agreement, not of its work.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging.attention import LATE_SECONDS, Item, Kind
from economic_adapter import budget as budgets
from economic_adapter import claims, records
from economic_adapter.budget import BREAKER, Lane
from economic_adapter.tables import agreement, work

_LATE = timedelta(seconds=LATE_SECONDS)
_WAIT = "economic_adapter status"
_SAID = {
    "due": ("no worker does it, or too few", "economic_adapter run worker"),
    "away": ("e-conomic does not answer; it goes on by itself", _WAIT),
    "throttled": ("e-conomic lets us call no more for now; it goes on by itself", _WAIT),
    "bug": ("it fails by our own mistake; see the worker's log", _WAIT),
}


def items(connection: Connection, now: datetime) -> list[Item]:
    """One for each agreement and cause, with how much waits; several clocks say the same."""
    return [
        Item(
            kind=Kind.INBOX_LATE,
            id=f"worker-{number}-{cause}",
            since=since,
            cause=f"work for agreement {number} waits: {_SAID[cause][0]}",
            command=_SAID[cause][1],
        )
        for (number, cause), since in sorted(_waiting(connection, now).items())
    ]


def unserved(connection: Connection, now: datetime) -> dict[int, datetime]:
    """The agreements with due work that no worker does, and since when."""
    return {number: since for (number, cause), since in _waiting(connection, now).items() if cause == "due"}


def _waiting(connection: Connection, now: datetime) -> dict[tuple[int, str], datetime]:
    # a row that waits for e-conomic gets a new time at each try; how long it has waited is how old it is
    held = sa.case((work.c.waiting.in_(["away", "throttled", "bug"]), work.c.waiting), else_="due")
    since = sa.case((held == "due", work.c.due_at), else_=work.c.created_at)
    rows = connection.execute(
        sa.select(agreement, held.label("held"), work.c.lane, work.c.kind, sa.func.min(since).label("since"))
        .select_from(work.join(agreement, agreement.c.number == work.c.agreement))
        .where(work.c.worker.is_(None), since <= now - _LATE, claims.allowed(agreement.c.state))
        .where(agreement.c.state != "access_lost")
        .group_by(agreement.c.number, held, work.c.lane, work.c.kind)
    ).mappings()
    found: dict[tuple[int, str], datetime] = {}
    for row in rows:
        cause = row["held"] if row["held"] != "due" else _why(row, now)
        if cause != "paused":
            key = row["number"], cause
            found[key] = min(found.get(key, row["since"]), row["since"])
    return found


def _why(row: sa.RowMapping, now: datetime) -> str:
    """What keeps due rows of a lane from being done, if not that there is no worker."""
    budget = records.budget_of(row)
    if budget.paused_until is not None and budget.paused_until - now > budgets.LONGEST_BELIEVED:
        return "paused"
    if budget.failures >= BREAKER:
        return "away"
    lane = Lane(row["lane"])
    is_look = lane is Lane.PERSON and row["kind"] == "look"
    wait = budgets.check_look(budget, now) if is_look else budgets.check(budget, lane, now)
    return "due" if wait is None else "throttled"
