"""What does the adapter remember here? Its rows in dicts, a command taken, a customer marked to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm_outbox.contract import Outcome, Result
from crm_outbox.messaging.envelope import Version
from economic_adapter import store
from economic_adapter.budget import Budget, Lane
from economic_adapter.claims import Mark
from economic_adapter.contract import WriteEconomicCustomer
from economic_adapter.operation import Operation, State
from economic_adapter.records import Account, Held
from tests.simulation.agreement import AGREEMENT
from tests.simulation.store import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of work."""

    id: int
    kind: Any
    key: str
    lane: Lane
    number: int | None
    customer: str | None = None
    due_at: datetime
    worker: int | None = None
    claimed_at: datetime | None = None
    attempts: int = 0
    waiting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An operation and whose it is."""

    operation: Operation
    customer: str
    number: int | None
    work: int


@dataclass
class Shelf:
    """The adapter's tables."""

    account: dict[int, Account] = field(default_factory=dict)
    mirror: dict[int, Held] = field(default_factory=dict)
    operations: dict[UUID, Stored] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    marks: dict[int, Mark] = field(default_factory=dict)
    told: dict[str, Version] = field(default_factory=dict)
    """The newest version of each CRM customer that intake let pass."""
    next_number: dict[int, int] = field(default_factory=dict)
    asked: dict[int, datetime] = field(default_factory=dict)
    """When the configuration was asked for that holds."""
    made: int = 0

    def row(self, kind: str, key: str) -> Row | None:
        """The row of that kind and key."""
        return next((one for one in self.rows.values() if one.kind == kind and one.key == key), None)

    def is_due(self, now: datetime) -> bool:
        """Whether there is anything that a worker may do now."""
        return any(one.due_at <= now and one.worker is None for one in self.rows.values())


_QUIET = timedelta(seconds=2)


def received(shelf: Shelf, connection: Connection, command: WriteEconomicCustomer, now: datetime) -> list[Outcome]:
    """A command to write, as ``store.receive_write`` takes it: planned once; what is known of it is told."""
    account = shelf.account[AGREEMENT]
    known = [part for part in command.parts if part.operation in shelf.operations]
    fresh = [part for part in command.parts if part.operation not in shelf.operations]
    outcomes = []
    if account.state not in {"on", "access_lost"}:
        for part in fresh:
            refused = Outcome(operation=part.operation, result=Result.REFUSED, reason="off")
            operation = Operation(part=part, state=State.REFUSED, outcome=refused)
            stored = Stored(operation=operation, customer=command.customer, number=command.number, work=0)
            connection.put(shelf.operations, part.operation, stored)
            outcomes.append(refused)
    elif fresh:
        shelf.made += 1
        row = Row(
            id=shelf.made, kind="write", key=str(fresh[0].operation), lane=Lane.EDIT, number=command.number,
            customer=command.customer, due_at=now,
        )  # fmt: skip
        connection.put(shelf.rows, row.id, row)
        for part in fresh:
            operation = Operation(part=part)
            stored = Stored(operation=operation, customer=command.customer, number=command.number, work=row.id)
            connection.put(shelf.operations, part.operation, stored)
    for part in known:
        stored = shelf.operations[part.operation]
        waits = store.waiting_cause({"state": account.state, **_causes(account.budget)}, now)
        waiting = Outcome(operation=part.operation, result=Result.WAITING, reason=waits)
        outcomes.append(stored.operation.outcome or waiting)
    return outcomes


def mark(
    shelf: Shelf, connection: Connection, number: int, why: Any, now: datetime, old_numbers: Sequence[int] = (),
    quiet: timedelta = _QUIET,
) -> None:  # fmt: skip
    """Note that a customer changed, and have it looked at after a quiet time."""
    before = shelf.marks.get(number)
    olds = tuple(sorted({*(before.old_numbers if before else ()), *old_numbers}))
    counter = 1 + (before.counter if before else 0)
    connection.put(shelf.marks, number, Mark(counter=counter, why=before.why if before else why, old_numbers=olds))
    row = shelf.row("look", str(number))
    if row is None:
        shelf.made += 1
        row = Row(id=shelf.made, kind="look", key=str(number), lane=Lane.HOOK, number=number, due_at=now + quiet)
    elif not row.attempts:
        row = replace(row, due_at=now + quiet)
    connection.put(shelf.rows, row.id, row)


def _causes(budget: Budget) -> dict[str, Any]:
    return {"paused_until": budget.paused_until, "failures": budget.failures}
