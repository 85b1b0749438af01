"""How does the adapter run here? Its own flows, unchanged, on tables that are dicts; only the SQL is another.

``installed`` puts these tables in the place of the store's functions, for as long as a simulation runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from crm_outbox.messaging.envelope import Version
from economic_adapter import claims, observation, records, store, work
from economic_adapter.budget import Budget, Lane
from economic_adapter.claims import ALLOWED, Claim
from economic_adapter.operation import Operation, State
from economic_adapter.records import Account, Held
from tests.simulation.shelf import Shelf, mark

if TYPE_CHECKING:
    from tests.simulation.world import World


_GATHER = store.Gather()


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
            connection.after.append(partial(self.world.answered, operation.outcome))
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
        now: datetime, probe: bool = False, looks: bool = True,
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

    def noticed(self, _connection: Any, _agreement: int, number: int | None) -> datetime | None:
        mark = self.shelf.marks.get(number or 0)
        return None if mark is None or mark.why == "look" else mark.first_at

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
        store: ("mark", "noticed"),
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
