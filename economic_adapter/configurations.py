"""Which configurations were commanded, and how did they end? SQL of the operations that concern no customer.

The newest one counts: an earlier one that still waits is answered as superseded. The caller holds the transaction and
the agreement's row.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.contract import Outcome, Result
from economic_adapter.contract import ConfigureAgreement
from economic_adapter.tables import operation as table
from economic_adapter.tables import work

_OPEN = (table.c.customer.is_(None), table.c.state == "planned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One command, since when it is known, and its outcome once it has one."""

    command: ConfigureAgreement
    since: datetime
    outcome: Outcome | None


def named(connection: Connection, operation: UUID) -> Configuration | None:
    """The configuration with that operation id."""
    row = connection.execute(
        sa.select(table.c.part, table.c.planned_at, table.c.outcome).where(
            table.c.operation == operation, table.c.customer.is_(None)
        )
    ).one_or_none()
    if row is None:
        return None
    return Configuration(
        command=ConfigureAgreement.model_validate(row.part),
        since=row.planned_at,
        outcome=None if row.outcome is None else Outcome.model_validate(row.outcome),
    )


def overtaken(connection: Connection, command: ConfigureAgreement, now: datetime) -> Outcome | None:
    """The outcome of a command that a later one overtook on its way here; kept, so that a repeat is answered the same."""
    if command.asked is None:
        return None
    asked = sa.cast(table.c.part["asked"].astext, sa.TIMESTAMP(timezone=True))
    later = sa.select(sa.literal(1)).where(
        table.c.agreement == command.agreement, table.c.customer.is_(None), asked > command.asked
    )
    if connection.execute(later.limit(1)).first() is None:
        return None
    outcome = Outcome(operation=command.operation, result=Result.REFUSED, reason="superseded")
    _keep(connection, command, now)
    answer(connection, command.operation, outcome, now)
    return outcome


def begin(connection: Connection, command: ConfigureAgreement, now: datetime) -> list[Outcome]:
    """Keep a new command; returns the outcomes of earlier ones that it supersedes, to be told."""
    earlier = connection.scalars(
        sa.select(table.c.operation).where(table.c.agreement == command.agreement, *_OPEN).order_by(table.c.planned_at)
    ).all()
    superseded = [Outcome(operation=one, result=Result.REFUSED, reason="superseded") for one in earlier]
    for outcome in superseded:
        answer(connection, outcome.operation, outcome, now)
    connection.execute(
        sa.delete(work).where(
            work.c.agreement == command.agreement,
            work.c.kind == "check",
            work.c.key.in_([str(one) for one in earlier]),
            work.c.worker.is_(None),
        )
    )
    _keep(connection, command, now)
    return superseded


def answer(connection: Connection, operation: UUID, outcome: Outcome, now: datetime) -> bool:
    """Keep how it ended, so that a repeat is answered from here; false when it was answered before."""
    ended = (
        sa.update(table)
        .where(table.c.operation == operation, *_OPEN)
        .values(
            state="refused" if outcome.result is Result.REFUSED else outcome.result.value,
            outcome=outcome.model_dump(mode="json", exclude_none=True),
            answered_at=now,
        )
    )
    return connection.execute(ended).rowcount == 1


def _keep(connection: Connection, command: ConfigureAgreement, now: datetime) -> None:
    connection.execute(
        sa.insert(table).values(
            operation=command.operation,
            agreement=command.agreement,
            part=command.model_dump(mode="json", exclude_none=True),
            planned_at=now,
        )
    )


def unsettled(connection: Connection, agreement: int) -> int:
    """How many writes of the agreement have left and are not settled."""
    sent = sa.select(sa.func.count()).where(
        table.c.agreement == agreement, table.c.state == "sent", table.c.customer.is_not(None)
    )
    return int(connection.scalar(sent) or 0)
