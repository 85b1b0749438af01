"""How does the adapter run here? Its own flows, unchanged, on tables that are dicts; only the SQL is another.

``installed`` puts these tables in the place of the store's functions, for as long as a simulation runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from crm_outbox.contract import Outcome, Result
from crm_outbox.messaging.envelope import Version
from economic_adapter import claims, observation, records, store, work
from economic_adapter.budget import Budget, Lane
from economic_adapter.claims import ALLOWED, Claim, Mark
from economic_adapter.contract import WriteEconomicCustomer
from economic_adapter.operation import Operation, State
from economic_adapter.records import Account, Held
from tests.simulation.store import Connection

if TYPE_CHECKING:
    from tests.simulation.world import World


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


AGREEMENT = 1
_QUIET = timedelta(seconds=2)
_GATHER = store.Gather()


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


class _Tables:
    """The store's functions, by their names there."""

    def __init__(self, world: "World") -> None:
        self.world = world

    @property
    def shelf(self) -> Shelf:
        return self.world.shelf

    # ---- records

    def account(self, _connection: Any, number: int) -> Account | None:
        return self.shelf.account.get(number)

    def keep_budget(self, connection: Any, number: int, budget: Budget) -> None:
        connection.put(self.shelf.account, number, replace(self.shelf.account[number], budget=budget))

    def take_number(self, connection: Any, agreement: int) -> int:
        number = self.shelf.next_number.get(agreement, 1001)
        connection.put(self.shelf.next_number, agreement, number + 1)
        return number

    def held(self, _connection: Any, _agreement: int, number: int) -> Held | None:
        return self.shelf.mirror.get(number)

    def keep(
        self, connection: Any, _agreement: int, number: int, *, body: Mapping[str, Any] | None,
        contacts: Sequence[Mapping[str, Any]], now: datetime, old_numbers: Sequence[int] = (), **_more: Any,
    ) -> Version:  # fmt: skip
        known = [self.shelf.mirror[one].version.number for one in (number, *old_numbers) if one in self.shelf.mirror]
        version = Version(1, max(known, default=0) + 1)
        kept = Held(
            version=version,
            body=None if body is None else dict(body),
            contacts=tuple(dict(one) for one in contacts),
            absent=body is None,
            missing_since=None,
        )
        connection.put(self.shelf.mirror, number, kept)
        self.world.looked_at(number, version, body, contacts)
        return version

    def miss(self, connection: Any, _agreement: int, number: int, now: datetime) -> None:
        held = self.shelf.mirror.get(number)
        if held is not None:
            connection.put(self.shelf.mirror, number, replace(held, missing_since=held.missing_since or now))

    def open_operations(self, _connection: Any, work_id: int) -> list[Operation]:
        return [
            one.operation
            for one in self.shelf.operations.values()
            if one.work == work_id and not one.operation.state.settled
        ]

    def save(self, connection: Any, operation: Operation, _now: datetime, number: int | None = None) -> bool:
        stored = self.shelf.operations[operation.id]
        if stored.operation.state.settled:
            return False
        if operation.key is not None:
            self.world.truth.leaving[operation.key] = operation.id
        kept = replace(stored, operation=operation, number=stored.number if number is None else number)
        connection.put(self.shelf.operations, operation.id, kept)
        if operation.outcome is not None:
            self.world.answered(operation.outcome)
        return True

    def created_contacts(self, _connection: Any, _agreement: int, number: int) -> frozenset[int]:
        return frozenset(
            int(one.operation.outcome.created)
            for one in self.shelf.operations.values()
            if one.number == number
            and one.operation.part.record == "contact"
            and one.operation.state is State.WRITTEN
            and one.operation.outcome is not None
            and one.operation.outcome.created
        )

    # ---- claims

    def claim(
        self, connection: Any, agreement: int, *, state: str, tenant: str, lanes: Sequence[Lane], worker: int,
        now: datetime, probe: bool = False,
    ) -> Claim | None:  # fmt: skip
        busy = [one for one in self.shelf.rows.values() if one.worker is not None]
        numbers = {one.number for one in busy if one.number is not None}
        customers = {one.customer for one in busy if one.customer is not None}
        due = [
            one
            for one in self.shelf.rows.values()
            if one.worker is None
            and one.due_at <= now
            and one.lane in lanes
            and one.kind in ALLOWED[state]
            and one.number not in numbers
            and one.customer not in customers
        ]
        if not due:
            return None
        row = min(due, key=lambda one: (one.attempts if probe else 0, one.lane, one.due_at, one.id))
        connection.put(self.shelf.rows, row.id, replace(row, worker=worker, claimed_at=now, waiting=""))
        return Claim(
            id=row.id, agreement=agreement, tenant=tenant, kind=row.kind, key=row.key, lane=row.lane,
            number=row.number, customer=row.customer, attempts=row.attempts, worker=worker, claimed_at=now,
            mark=self.shelf.marks.get(row.number or 0) if row.kind == "look" else None,
        )  # fmt: skip

    def still_mine(self, _connection: Any, claim: Claim) -> bool:
        row = self.shelf.rows.get(claim.id)
        return row is not None and row.worker == claim.worker and row.claimed_at == claim.claimed_at

    def hold_number(self, connection: Any, claim: Claim, number: int) -> bool:
        others = (one for one in self.shelf.rows.values() if one.id != claim.id and one.worker is not None)
        if any(one.number == number for one in others):
            return False
        if self.still_mine(connection, claim):
            connection.put(self.shelf.rows, claim.id, replace(self.shelf.rows[claim.id], number=number))
        return True

    def finish(self, connection: Any, claim: Claim) -> None:
        row = self.shelf.rows.get(claim.id)
        if row is None or not self.still_mine(connection, claim):
            return
        if claim.kind == "look" and claim.number is not None:
            there = self.shelf.marks.get(claim.number)
            if there is not None and claim.mark is not None and there.counter == claim.mark.counter:
                connection.drop(self.shelf.marks, claim.number)
                there = None
            if there is not None:
                again = replace(row, lane=Lane.HOOK, worker=None, claimed_at=None, attempts=0)
                connection.put(self.shelf.rows, row.id, again)
                return
        connection.drop(self.shelf.rows, row.id)

    def postpone(
        self, connection: Any, claim: Claim, *, due_at: datetime, waiting: str, error: str = "", attempt: bool = False
    ) -> bool:
        if not self.still_mine(connection, claim):
            return False
        row = self.shelf.rows[claim.id]
        given = replace(
            row, worker=None, claimed_at=None, due_at=due_at, waiting=waiting, attempts=row.attempts + attempt
        )
        connection.put(self.shelf.rows, row.id, given)
        if waiting == "bug":
            self.world.wrong.append(f"a row of the adapter's work failed by our own mistake: {error}")
        return True

    def hurry(self, connection: Any, _agreement: int, now: datetime) -> None:
        for row in list(self.shelf.rows.values()):
            if row.worker is None and row.waiting == "away" and row.due_at > now:
                connection.put(self.shelf.rows, row.id, replace(row, due_at=now))

    # ---- what is told

    def mark(
        self, connection: Any, _agreement: int, number: int, *, why: Any, now: datetime,
        old_numbers: Sequence[int] = (), gather: store.Gather = _GATHER,
    ) -> None:  # fmt: skip
        mark(self.shelf, connection, number, why, now, old_numbers, timedelta(seconds=gather.quiet))

    def append(self, connection: Any, _outbox: Any, draft: Any) -> None:
        about = draft.customer or str(draft.number)
        self.world.bus.append(connection, "economic", "reconciler", draft.data, about, draft.version)


class _Silent:
    """A log nobody reads."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_more: None


@contextmanager
def installed(world: "World") -> Iterator[None]:
    """The adapter on these tables, for one world."""
    tables = _Tables(world)
    places: dict[Any, tuple[str, ...]] = {
        records: (
            "account", "keep_budget", "take_number", "held", "keep", "miss", "open_operations", "save",
            "created_contacts",
        ),
        claims: ("claim", "still_mine", "hold_number", "finish", "postpone", "hurry"),
        store: ("mark",),
        observation: ("append",),
    }  # fmt: skip
    before = [(module, name, getattr(module, name)) for module, names in places.items() for name in names]
    log = work.log
    for module, name, _ in before:
        setattr(module, name, getattr(tables, name))
    work.log = _Silent()
    try:
        yield
    finally:
        for module, name, function in before:
            setattr(module, name, function)
        work.log = log
