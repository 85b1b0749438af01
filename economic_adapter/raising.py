"""A person waits for what waits already: priority is inherited. All SQL of that; the caller holds the transaction."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from economic_adapter import tables
from economic_adapter.budget import Lane
from economic_adapter.contract import WriteEconomicCustomer

_work, _operation = tables.work, tables.operation


def raised(connection: Connection, command: WriteEconomicCustomer, now: datetime) -> None:
    """A person waits now for what waits already of the same records: it goes among people's, before what came after it.

    It is due at once, also where it was tried and failed: what was planned first stays first.
    """
    records = [
        sa.and_(
            _operation.c.part["record"].astext == part.record, _operation.c.part["number"].astext == str(part.number)
        )
        for part in command.parts
        if part.number is not None and part.action != "create"
    ]
    same = sa.and_(_operation.c.number == command.number, sa.or_(sa.false(), *records))
    open_ = (
        sa.select(_operation.c.work)
        .where(_operation.c.agreement == command.agreement, _operation.c.state.in_(["planned", "sent"]))
        .where(sa.or_(_operation.c.operation.in_([part.operation for part in command.parts]), same))
    )
    connection.execute(
        sa.update(_work)
        .where(_work.c.id.in_(open_), _work.c.kind == "write", _work.c.lane > int(Lane.PERSON))
        .values(lane=Lane.PERSON, due_at=sa.func.least(_work.c.due_at, now))
    )
