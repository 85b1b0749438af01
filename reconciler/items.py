"""Which customers is a run about, what did its preview show of each, and what became of it? SQL only."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from reconciler.rehearsal import Write
from reconciler.rules import System

AT_ONCE = 1000
AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One customer of a run as it is stored. ``state``: planned, done, left_out or undone; ``reason`` of the latter two."""

    run: UUID
    position: int
    action: str
    crm_id: str | None
    number: int | None
    evidence: str
    writes: tuple[Write, ...]
    state: str
    reason: str
    link: UUID | None
    begun: bool = False
    """Whether it was touched already, as one that waits for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One customer that is to be stored."""

    action: str
    crm_id: str | None = None
    number: int | None = None
    evidence: str = ""
    writes: Sequence[Write] = ()
    link: UUID | None = None
    position: int | None = None
    """Its own, where it is not the next."""


def insert(connection: sa.Connection, run: UUID, planned: Sequence[Planned]) -> None:
    """Store the customers of a run in their order, and how many they are."""
    rows = [
        {
            "run": run,
            "position": one.position or nth,
            "action": one.action,
            "crm_id": one.crm_id,
            "number": one.number,
            "evidence": one.evidence,
            "writes": to_json([asdict(write) for write in one.writes]).decode(),
            "link": one.link,
        }
        for nth, one in enumerate(planned, 1)
    ]
    for start in range(0, len(rows), AT_ONCE):
        connection.execute(_INSERT, rows[start : start + AT_ONCE])
    connection.execute(_COUNT, {"run": run})


def append(connection: sa.Connection, run: UUID, planned: Planned) -> int:
    """Store one more customer of a locked run; its position."""
    position = int(connection.scalar(_NEXT, {"run": run}) or 1)
    insert(connection, run, [replace(planned, position=position)])
    return position


def rewrite(connection: sa.Connection, run: UUID, position: int, writes: Sequence[Write]) -> None:
    """What would be written of a customer is another thing now."""
    rows = to_json([asdict(write) for write in writes]).decode()
    connection.execute(_REWRITE, {"run": run, "position": position, "writes": rows})


def planned(connection: sa.Connection, run: UUID, now: datetime, limit: int) -> list[int]:
    """Positions of the next customers that are to be carried out; one that waits for an answer comes again after a second."""
    return list(connection.execute(_PLANNED, {"run": run, "before": now - AGAIN, "limit": limit}).scalars())


def lately(connection: sa.Connection, run: UUID, since: datetime) -> int:
    """How many customers of a run were done with, or left out, after that time."""
    return int(connection.scalar(_LATELY, {"run": run, "since": since}) or 0)


def left(connection: sa.Connection, run: UUID) -> bool:
    """Whether any customer of a run still is to be carried out."""
    return bool(connection.scalar(_LEFT, {"run": run}))


def wait(connection: sa.Connection, run: UUID, position: int, now: datetime, reason: str) -> None:
    """A customer waits for answers; ``reason`` is what is known of it until then."""
    connection.execute(_WAIT, {"run": run, "position": position, "now": now, "reason": reason})


def leave(connection: sa.Connection, run: UUID, now: datetime, reason: str) -> None:
    """Leave out the customers of a run with which nothing has begun."""
    found = connection.execute(_LEAVE, {"run": run, "now": now, "reason": reason}).rowcount
    connection.execute(_ADD, {"run": run, "done": 0, "left_out": found})


def undone(connection: sa.Connection, run: UUID, position: int) -> None:
    """What was done to a customer by that run has been taken back."""
    connection.execute(_UNDONE, {"run": run, "position": position})


def lock(connection: sa.Connection, run: UUID, position: int) -> Stored | None:
    """Lock a customer that still is to be carried out and that nobody else holds, while its run goes on."""
    row = connection.execute(_LOCK, {"run": run, "position": position}).one_or_none()
    return None if row is None else _stored(row._asdict())


def mark(
    connection: sa.Connection,
    run: UUID,
    position: int,
    state: str,
    now: datetime,
    *,
    reason: str = "",
    link: UUID | None = None,
) -> None:
    """Say what became of a customer, and count it."""
    connection.execute(
        _MARK, {"run": run, "position": position, "state": state, "now": now, "reason": reason, "link": link}
    )
    left_out = state == "left_out"
    connection.execute(_ADD, {"run": run, "done": int(not left_out), "left_out": int(left_out)})


def listed(connection: sa.Connection, run: UUID, states: Sequence[str] = ()) -> Iterator[Stored]:
    """The customers of a run in their order, of these states, or all."""
    for row in connection.execute(_LISTED, {"run": run, "states": list(states)}):
        yield _stored(row._asdict())


def left_out(connection: sa.Connection, run: UUID) -> Mapping[str, int]:
    """How many were left out, by reason."""
    return left_out_of(connection, [run])[run]


def left_out_of(connection: sa.Connection, runs: Collection[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """The same of each of these runs."""
    found: dict[UUID, dict[str, int]] = {run: {} for run in runs}
    for row in connection.execute(_LEFT_OUT, {"runs": list(runs)}):
        found[row.run][row.reason] = row.customers
    return found


def carried_out_of(connection: sa.Connection, runs: Collection[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """Of each of these runs how many were carried out, by action; what was taken back since among them."""
    found: dict[UUID, dict[str, int]] = {run: {} for run in runs}
    for row in connection.execute(_CARRIED_OUT, {"runs": list(runs)}):
        found[row.run][row.action] = row.customers
    return found


def digest(connection: sa.Connection, run: UUID) -> str:
    """What a list of customers that wait is now: another text when one comes, goes, or would be written otherwise."""
    return digest_of(listed(connection, run, ["planned"]))


def digest_of(found: Iterable[Stored]) -> str:
    """As ``digest``, of what was listed."""
    rows = [[one.position, sorted(to_json(asdict(write)).decode() for write in one.writes)] for one in found]
    return sha256(to_json(rows)).hexdigest()


def _stored(row: dict[str, object]) -> Stored:
    writes = row["writes"]
    rows = writes if isinstance(writes, list) else []
    found = tuple(Write(**{**one, "system": System(one["system"])}) for one in rows)
    return Stored(**{**row, "writes": found})  # type: ignore[arg-type]


_COLUMNS = "run, position, action, crm_id, number, evidence, writes, state, reason, link, at is not null as begun"
_INSERT = sa.text("""
    insert into sync.run_item (run, position, action, crm_id, number, evidence, writes, link)
    values (:run, :position, :action, :crm_id, :number, :evidence, cast(:writes as jsonb), :link)
""")
_NEXT = sa.text("select coalesce(max(position), 0) + 1 from sync.run_item where run = :run")
_REWRITE = sa.text("""
    update sync.run_item set writes = cast(:writes as jsonb) where run = :run and position = :position
""")
_COUNT = sa.text("""
    update sync.run set total = (select count(*) from sync.run_item where run = :run) where id = :run
""")
_PLANNED = sa.text("""
    select position from sync.run_item
    where run = :run and state = 'planned' and (at is null or at <= :before)
    order by at nulls first, position limit :limit
""")
_LEFT = sa.text("select exists (select from sync.run_item where run = :run and state = 'planned')")
_LATELY = sa.text("""
    select count(*) from sync.run_item where run = :run and state <> 'planned' and at > :since
""")
_WAIT = sa.text("update sync.run_item set at = :now, reason = :reason where run = :run and position = :position")
_LEAVE = sa.text("""
    update sync.run_item set state = 'left_out', reason = :reason, at = :now
    where run = :run and state = 'planned' and at is null
""")
_UNDONE = sa.text("update sync.run_item set state = 'undone' where run = :run and position = :position")
_LOCK = sa.text(f"""
    select {_COLUMNS} from sync.run_item item
    where item.run = :run and item.position = :position and item.state = 'planned'
      and exists (select from sync.run r where r.id = :run and r.state = 'running')
    for update skip locked
""")
_MARK = sa.text("""
    update sync.run_item set state = :state, reason = :reason, at = :now, link = coalesce(:link, link)
    where run = :run and position = :position
""")
_ADD = sa.text("update sync.run set done = done + :done, left_out = left_out + :left_out where id = :run")
_LISTED = sa.text(f"""
    select {_COLUMNS} from sync.run_item where run = :run and (:states = '{{}}'::text[] or state = any(:states))
    order by position
""")
_CARRIED_OUT = sa.text("""
    select run, action, count(*) as customers from sync.run_item
    where run = any(:runs) and state in ('done', 'undone') group by run, action order by action
""")
_LEFT_OUT = sa.text("""
    select run, reason, count(*) as customers from sync.run_item where run = any(:runs) and state = 'left_out'
    group by run, reason order by reason
""")
