"""What happens while one customer is tried before all? It is looked at often, its edits are followed, and it is kept or put back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging.outbox import append
from economic_adapter.contract import LookAtCustomer
from reconciler import acts, agreements, bus, runs, steering, switching, undoing
from reconciler.agreements import Agreement
from reconciler.person import Person
from reconciler.reconcile import Clocked
from reconciler.rules import System
from reconciler.runs import Run

LOOKED_EVERY: Final = timedelta(seconds=5)
"""e-conomic's side of a customer that is tried is looked at so often, for contact persons have no webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One write to the customer that is tried: when it was sent, and when it arrived, if it has."""

    system: System
    record: str
    fields: tuple[str, ...]
    sent: datetime
    arrived: datetime | None
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A customer of the CRM that may be tried, and its number in e-conomic where it is linked."""

    id: str
    name: str
    cvr: str
    city: str
    number: int | None


def search(connection: Connection, known: Agreement, text: str, limit: int = 20) -> list[Found]:
    """Customers of the CRM that are there, by part of a name, or by CVR number or id; some of many."""
    wanted = " ".join(text.split())
    part = re.sub(r"([\\%_])", r"\\\1", wanted)
    given = {"tenant": known.tenant, "agreement": known.agreement, "text": wanted, "part": f"%{part}%", "limit": limit}
    return [Found(**row._asdict()) for row in connection.execute(_SEARCH, given)]


def customer(connection: Connection, known: Agreement, crm_id: str) -> Found:
    """That customer as it is known now; without a name where it is not."""
    given = {"tenant": known.tenant, "agreement": known.agreement, "crm_id": crm_id}
    row = connection.execute(_CUSTOMER, given).one_or_none()
    return Found(id=crm_id, name="", cvr="", city="", number=None) if row is None else Found(**row._asdict())


def is_number(text: str) -> bool:
    """Whether that is a customer number of e-conomic."""
    return text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text) > 0


def trial(connection: Connection, known: Agreement) -> Run | None:
    """The run of the customer that is tried now, or was last; none when nobody was."""
    found = connection.execute(_TRIAL, {"tenant": known.tenant, "agreement": known.agreement}).scalar()
    return None if found is None else runs.find(connection, found)


def arrivals(connection: Connection, known: Agreement, run: Run) -> list[Arrival]:
    """What was written to the customer of a trial since it began, the newest first."""
    only = run.options.get("only")
    given = {"tenant": known.tenant, "agreement": known.agreement, "crm_id": only, "since": run.started}
    return [_arrival(row._asdict()) for row in connection.execute(_ARRIVALS, given)]


def look(engine: sa.Engine, clocked: Clocked) -> int:
    """Ask for a look at each customer that is tried and has not been looked at for a while; returns how many."""
    now = clocked.now()
    with engine.begin() as connection:
        found = connection.execute(_TO_LOOK, {"now": now}).all()
        for row in found:
            words = LookAtCustomer(agreement=row.agreement, number=row.number, expires=now + LOOKED_EVERY)
            append(connection, bus.OUTBOX, bus.asked(row.tenant, words))
            runs.update(connection, row.run, due=now + LOOKED_EVERY)
    return len(found)


def end(connection: Connection, known: Agreement, clocked: Clocked, *, undo: bool, by: Person) -> UUID | None:
    """End the trial of a locked agreement: keep the link, or put back what nobody edited since; the undo, where one begins.

    Said again while it is put back it changes nothing.
    """
    now = clocked.now()
    run = trial(connection, known)
    under_way = runs.latest(connection, known.tenant, known.agreement, ["undo"])
    if undo and run is not None and under_way is not None and (under_way.of_run, under_way.ended) == (run.id, None):
        return under_way.id
    about = {acts.CUSTOMER: ("", known.pilot)} if known.pilot else {}
    acts.add(connection, by, "undo_trial" if undo else "keep_trial", now, known.agreement, about)
    if run is not None and run.ended is None:
        steering.steer(connection, run.id, "stop", now)
        run = runs.find(connection, run.id)
    if undo and run is not None and undoing.may_be(run, now):
        return undoing.begin(connection, known, run, clocked, by=by.name)
    agreements.try_out(connection, known.tenant, known.agreement, None)
    switching.switch_off(connection, known, now, clocked.resend)
    return None


def skip(connection: Connection, known: Agreement, now: datetime, by: Person) -> None:
    """An admin does without a trial in a locked agreement; said again, the first time stands."""
    if known.pilot_skipped is None:
        agreements.skip_trial(connection, known.tenant, known.agreement, now)
        acts.add(connection, by, "skip_trial", now, known.agreement)


def _arrival(row: Mapping[str, Any]) -> Arrival:
    refused = "" if row["result"] in {None, "written"} else row["reason"] or row["result"]
    arrived = row["settled"] if row["result"] == "written" else None
    return Arrival(
        system=System(row["system"]),
        record=row["record"],
        fields=tuple(sorted(row["fields"])),
        sent=row["sent"],
        arrived=arrived,
        refused=refused,
    )


_FOUND = """
    select c.crm_id as id, coalesce(c.state -> 'customer' ->> 'name', '') as name,
           coalesce(c.state -> 'customer' ->> 'cvr', '') as cvr, coalesce(c.state -> 'customer' ->> 'city', '') as city,
           l.number
    from sync.crm_side c
    left join sync.link l
        on l.tenant = c.tenant and l.agreement = :agreement and l.crm_id = c.crm_id and l.state = 'linked'
    where c.tenant = :tenant
"""
_SEARCH = sa.text(f"""
    {_FOUND}
      and (c.crm_id = :text or c.state -> 'customer' ->> 'cvr' = :text or c.state -> 'customer' ->> 'name' ilike :part)
      and not coalesce((c.state -> 'customer' ->> 'deleted')::boolean, false)
      and c.state -> 'customer' ->> 'merged_into' is null
    order by name, id limit :limit
""")
_CUSTOMER = sa.text(f"{_FOUND} and c.crm_id = :crm_id")
_TRIAL = sa.text("""
    select id from sync.run
    where tenant = :tenant and agreement = :agreement and kind = 'switch_on' and options ->> 'only' is not null
      and confirmed is not null and state in ('running', 'paused', 'done', 'stopped')
    order by started desc, id desc limit 1
""")
_ARRIVALS = sa.text("""
    select o.system, p.kind as record, array(select jsonb_object_keys(o.body -> 'values')) as fields, o.sent, o.settled,
           o.result, o.reason
    from sync.operation o
    join sync.link l on l.id = o.link
    join sync.pair p on p.link = o.link and p.id = o.pair
    where l.tenant = :tenant and l.agreement = :agreement and l.crm_id = :crm_id and o.sent >= :since
    order by o.sent desc, o.id limit 50
""")
_TO_LOOK = sa.text("""
    select a.tenant, a.agreement, l.number, r.id as run
    from sync.agreement a
    join sync.link l on l.tenant = a.tenant and l.agreement = a.agreement and l.crm_id = a.pilot and l.state = 'linked'
    join lateral (
        select id, due from sync.run
        where tenant = a.tenant and agreement = a.agreement and kind = 'switch_on' and options ->> 'only' = a.pilot
          and state = 'done'
        order by started desc limit 1) r on r.due is null or r.due <= :now
    where a.pilot is not null and a.configure is null
    order by a.tenant, a.agreement
""")
