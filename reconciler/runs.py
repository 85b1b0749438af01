"""What is remembered of a run? Its state, what each side said of its reading, who was told under it: SQL only."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from crm_outbox.messaging.envelope import Version
from reconciler.contract import RunKind
from reconciler.rules import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it is stored. ``due``: when the clock asks again; none when nothing is waited for."""

    id: UUID
    tenant: str
    agreement: int
    kind: RunKind
    state: str
    reason: str
    asked_by: str
    started: datetime
    ended: datetime | None
    of_run: UUID | None
    crm_run: UUID | None
    crm_read: int
    crm_count: int | None
    crm_closed: bool
    economic_read: int
    economic_count: int | None
    economic_closed: bool
    contacts: int
    calls: int
    found: int
    """Of a sweep: customers that had changed in e-conomic without anybody having told."""
    found_crm: int
    """As ``found``, in the CRM."""
    closed: datetime | None
    options: Mapping[str, Any]
    confirmed: Mapping[str, int] | None
    fingerprint: str
    done: int
    total: int
    left_out: int
    due: datetime | None
    resent: int
    told: datetime | None
    told_done: int
    summary: Mapping[str, Any] | None
    """The numbers of its preview."""


def insert(connection: sa.Connection, run: UUID, tenant: str, agreement: int, kind: str, **columns: Any) -> None:
    """Store a new run; nothing when there is one of that id."""
    given = {"id": run, "tenant": tenant, "agreement": agreement, "kind": kind, **_as_json(columns)}
    connection.execute(
        sa.text(f"""
            insert into sync.run ({", ".join(given)}) values ({", ".join(_bound(name) for name in given)})
            on conflict (id) do nothing
        """),
        given,
    )


def update(connection: sa.Connection, run: UUID, **columns: Any) -> None:
    """Change columns of a run."""
    connection.execute(
        sa.text(f"update sync.run set {', '.join(f'{name} = {_bound(name)}' for name in columns)} where id = :run"),
        {"run": run, **_as_json(columns)},
    )


def lock(connection: sa.Connection, run: UUID) -> Run | None:
    """Lock a run and read it; also under the id the CRM's side was asked again with."""
    row = connection.execute(_LOCK, {"run": run}).one_or_none()
    return None if row is None else _run(row)


def whose(connection: sa.Connection, run: UUID) -> tuple[str, int] | None:
    """The tenant and agreement of a run; also under the id the CRM's side was asked again with."""
    row = connection.execute(_WHOSE, {"run": run}).one_or_none()
    return None if row is None else (row.tenant, row.agreement)


def find(connection: sa.Connection, run: UUID) -> Run | None:
    """Read a run."""
    row = connection.execute(_FIND, {"run": run}).one_or_none()
    return None if row is None else _run(row)


def latest(connection: sa.Connection, tenant: str, agreement: int, kinds: Sequence[str]) -> Run | None:
    """The newest run of these kinds."""
    values = {"tenant": tenant, "agreement": agreement, "kinds": list(kinds)}
    row = connection.execute(_LATEST, values).one_or_none()
    return None if row is None else _run(row)


def newest(connection: sa.Connection, tenant: str, agreement: int, kind: str, *, trial: bool = False) -> Run | None:
    """The newest run of that kind that no other replaced; trials of one customer are told apart from the rest."""
    values = {"tenant": tenant, "agreement": agreement, "kind": kind, "trial": trial}
    row = connection.execute(_NEWEST, values).one_or_none()
    return None if row is None else _run(row)


def replace(connection: sa.Connection, by: UUID, now: datetime, **of: object) -> None:
    """What was asked for or shown before, and confirmed by nobody, is replaced by that run."""
    connection.execute(_REPLACE, {"by": by, "now": now, **of})


def of_agreement(connection: sa.Connection, tenant: str, agreement: int, limit: int = 20) -> list[Run]:
    """The runs of an agreement, the newest first."""
    values = {"tenant": tenant, "agreement": agreement, "limit": limit}
    return [_run(row) for row in connection.execute(_OF_AGREEMENT, values)]


def proposed(connection: sa.Connection) -> list[UUID]:
    """Runs whose preview is to be made, and those that were confirmed and have not begun."""
    return list(connection.execute(_PROPOSED).scalars())


def under_way(connection: sa.Connection) -> list[UUID]:
    """Runs that have not ended and do not wait for a person."""
    return list(connection.execute(_UNDER_WAY).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A customer that was told under a run; ``version`` is the CRM's."""

    run: UUID
    system: System
    customer: str
    version: Version | None = None


def entered(connection: sa.Connection, told: Iterable[Told]) -> None:
    """Customers were told under runs, whatever their versions; nothing for a run that is unknown or over. In one order for all.

    A sweep told a customer of the CRM before its own message arrived if nothing as new is recorded.
    """
    rows = [
        {"run": one.run, "system": one.system, "id": one.customer, "epoch": epoch, "number": number}
        for one in told
        for epoch, number in [(None, None) if one.version is None else one.version]
    ]
    connection.execute(_ENTER, {"told": to_json(rows).decode()})


def missed(connection: sa.Connection, run: UUID) -> int:
    """How many customers of the CRM a sweep told in a newer state than anybody had told before."""
    return int(connection.scalar(_MISSED, {"run": run}) or 0)


def seen(connection: sa.Connection, run: UUID) -> Mapping[System, int]:
    """How many distinct customers of each system were told under a run."""
    return {System(row.system): row.customers for row in connection.execute(_SEEN, {"run": run})}


def seen_of(connection: sa.Connection, runs: Collection[UUID]) -> Mapping[UUID, int]:
    """How many distinct customers of both systems were told under each of these runs; of none where it is not among them."""
    return {row.run: row.customers for row in connection.execute(_SEEN_OF, {"runs": list(runs)})}


def kind_of(connection: sa.Connection, run: UUID) -> str:
    """What a run is, by its id or the one the CRM's side was asked again with; empty when it is unknown."""
    return str(connection.scalar(_KIND, {"run": run}) or "")


def open_pass(connection: sa.Connection, tenant: str, agreement: int) -> Run | None:
    """The pass of an agreement that has not ended, locked."""
    row = connection.execute(_OPEN_PASS, {"tenant": tenant, "agreement": agreement}).one_or_none()
    return None if row is None else _run(row)


def passed(connection: sa.Connection) -> list[UUID]:
    """Passes with nothing left to look at, that nobody has to let go."""
    return list(connection.execute(_PASSED).scalars())


def forget(connection: sa.Connection, before: datetime) -> int:
    """Forget who was told under runs that are over and are no agreement's last reading, what previews showed that others
    replaced, and, of runs that ended before that time, the values of their customers; returns how many rows."""
    told = connection.execute(_FORGET_SEEN).rowcount
    shown = sum(connection.execute(one, {"before": before}).rowcount for one in (_FORGET_PLACED, _FORGET_COUNTED))
    return told + shown + connection.execute(_FORGET_WRITES, {"before": before}).rowcount


def missing_numbers(connection: sa.Connection, run: Run, limit: int) -> list[int]:
    """Numbers recorded before a run began that were not told under it."""
    values = {"run": run.id, "agreement": run.agreement, "tenant": run.tenant, "started": run.started, "limit": limit}
    return list(connection.execute(_MISSING, values).scalars())


def _run(row: sa.Row[Any]) -> Run:
    """The run of its row, whatever other columns that may have."""
    return Run(**{one.name: getattr(row, one.name) for one in fields(Run)})


def _as_json(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: to_json(value).decode() if name in _JSON and value is not None else value
        for name, value in columns.items()
    }


def _bound(name: str) -> str:
    return f"cast(:{name} as jsonb)" if name in _JSON else f":{name}"


_JSON = frozenset({"options", "confirmed", "summary"})
_LOCK = sa.text("select * from sync.run where id = :run or crm_run = :run for no key update")
_WHOSE = sa.text("select tenant, agreement from sync.run where id = :run or crm_run = :run limit 1")
_FIND = sa.text("select * from sync.run where id = :run")
_LATEST = sa.text("""
    select * from sync.run where tenant = :tenant and agreement = :agreement and kind = any(:kinds)
    order by started desc, id desc limit 1
""")
_NEWEST = sa.text("""
    select * from sync.run
    where tenant = :tenant and agreement = :agreement and kind = :kind and state <> 'replaced'
      and (options ->> 'only' is not null) = :trial
    order by started desc, id desc limit 1
""")
_REPLACE = sa.text("""
    update sync.run set state = 'replaced', ended = :now
    where tenant = :tenant and agreement = :agreement and kind = :kind and id <> :by
      and state in ('asked', 'previewed') and (options ->> 'only' is not null) = :trial
""")
_OF_AGREEMENT = sa.text("""
    select * from sync.run where tenant = :tenant and agreement = :agreement order by started desc limit :limit
""")
_UNDER_WAY = sa.text("""
    select id from sync.run where ended is null and state in ('running', 'paused') order by started limit 100
""")
_PROPOSED = sa.text("""
    select id from sync.run where ended is null and state in ('asked', 'confirmed') order by started limit 100
""")
_ENTER = sa.text("""
    insert into sync.run_seen (run, system, id, news)
    select run.id, told.system, told.id, run.kind = 'sweep' and told.number is not null and not exists (
        select from sync.crm_side side
        where side.tenant = run.tenant and side.crm_id = told.id and (side.epoch, side.number) >= (told.epoch, told.number))
    from jsonb_to_recordset(:told) as told(run uuid, system text, id text, epoch bigint, number bigint)
    join sync.run run on (run.id = told.run or run.crm_run = told.run) and run.ended is null
    order by run.id, told.system, told.id
    on conflict do nothing
""")
_KIND = sa.text("select kind from sync.run where id = :run or crm_run = :run limit 1")
_OPEN_PASS = sa.text("""
    select * from sync.run
    where tenant = :tenant and agreement = :agreement and kind = 'pass' and ended is null
    order by started limit 1
    for no key update
""")
_PASSED = sa.text("""
    select r.id from sync.run r
    where r.kind = 'pass' and r.ended is null and r.state = 'running'
      and not exists (select from sync.link l where l.agreement = r.agreement and l.tenant = r.tenant and l.look_again)
      and not exists (select from sync.run s
                      where s.tenant = r.tenant and s.agreement = r.agreement and s.kind = 'sweep' and s.ended is null)
    for no key update skip locked
""")
_FORGET_SEEN = sa.text("""
    delete from sync.run_seen where run in (
        select r.id from sync.run r where r.ended is not null
        and not exists (select from sync.agreement a where a.run = r.id))
""")
_FORGET_WRITES = sa.text("""
    update sync.run_item set writes = '[]' where writes <> '[]' and run in (
        select id from sync.run where ended < :before)
""")
_OVER = "run in (select id from sync.run where ended < :before or state = 'replaced')"
_FORGET_PLACED = sa.text(f"delete from sync.run_placed where {_OVER}")
_FORGET_COUNTED = sa.text(f"delete from sync.run_counted where {_OVER}")
_SEEN = sa.text("select system, count(*) as customers from sync.run_seen where run = :run group by system")
_SEEN_OF = sa.text("select run, count(*) as customers from sync.run_seen where run = any(:runs) group by run")
_MISSED = sa.text("select count(*) from sync.run_seen where run = :run and news")
_MISSING = sa.text("""
    select side.number from sync.economic_side side
    where side.agreement = :agreement and side.tenant = :tenant and side.state is not null and side.seen < :started
      and not exists (select from sync.run_seen seen
                      where seen.run = :run and seen.system = 'economic' and seen.id = side.number::text)
    order by side.number limit :limit
""")
