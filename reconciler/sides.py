"""What did each system hold last? Recorded behind its version, also of customers that have no link."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from crm_outbox.contract import Customer, NotSent
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicCustomer
from reconciler import keys
from reconciler.link import CrmSeen, EconomicSeen, Link
from reconciler.rules import System


@dataclass(frozen=True, slots=True, kw_only=True)
class _CrmState:
    customer: Customer | None = None
    unsendable: NotSent | None = None


_CRM = TypeAdapter(_CrmState)
WITHOUT_PERSONS = "without_persons"
"""In the state of a customer of e-conomic: why it came without its contact persons. They are not known, and not gone."""

RECORD_CRM = """
    insert into sync.crm_side as side (tenant, crm_id, epoch, number, state, keys, name_key, seen)
    select tenant, crm_id, epoch, number, state, keys, name_key, :now from jsonb_populate_recordset(null::sync.crm_side, :crm_sides)
    on conflict (tenant, crm_id) do update set
        epoch = excluded.epoch, number = excluded.number, state = excluded.state, keys = excluded.keys,
        name_key = excluded.name_key, seen = excluded.seen
    where (side.epoch, side.number) < (excluded.epoch, excluded.number)
"""
RECORD_ECONOMIC = """
    insert into sync.economic_side as side (tenant, agreement, number, epoch, counter, state, keys, name_key, seen)
    select tenant, agreement, number, epoch, counter, state, keys, name_key, :now
    from jsonb_populate_recordset(null::sync.economic_side, :economic_sides)
    on conflict (agreement, number) do update set
        tenant = excluded.tenant, epoch = excluded.epoch, counter = excluded.counter, state = excluded.state,
        keys = excluded.keys, name_key = excluded.name_key, seen = excluded.seen
    where (side.epoch, side.counter) < (excluded.epoch, excluded.counter)
"""


def crm_row(tenant: str, crm_id: str, seen: CrmSeen) -> dict[str, Any]:
    """The row of the CRM's side of a customer, for ``RECORD_CRM``."""
    state = _CRM.dump_python(
        _CrmState(customer=seen.customer, unsendable=seen.unsendable), mode="json", exclude_none=True
    )  # fmt: skip
    epoch, number = seen.version
    made = {"keys": keys.of_customer(seen.customer), "name_key": _ordered(seen.customer)}
    return {"tenant": tenant, "crm_id": crm_id, "epoch": epoch, "number": number, "state": state, **made}


def economic_row(tenant: str, agreement: int, seen: EconomicSeen) -> dict[str, Any]:
    """The row of e-conomic's side of a customer, for ``RECORD_ECONOMIC``."""
    state = None if seen.customer is None else seen.customer.model_dump(mode="json", exclude_none=True)
    if state is not None and seen.unsendable is not None:
        state[WITHOUT_PERSONS] = seen.unsendable.model_dump(mode="json")
    key = {"tenant": tenant, "agreement": agreement, "number": seen.number}
    made = {"keys": keys.of_customer(seen.customer), "name_key": _ordered(seen.customer)}
    return {**key, "epoch": seen.version.epoch, "counter": seen.version.number, "state": state, **made}


def _ordered(customer: Customer | EconomicCustomer | None) -> str:
    return keys.ordered("" if customer is None else customer.name)


def record_crm(connection: sa.Connection, tenant: str, crm_id: str, seen: CrmSeen, now: datetime) -> None:
    """Record the CRM's side of a customer if it is newer than what is recorded."""
    connection.execute(
        _RECORD_CRM, {"crm_sides": json.dumps([crm_row(tenant, crm_id, seen)], ensure_ascii=False), "now": now}
    )


def record_economic(connection: sa.Connection, tenant: str, agreement: int, seen: EconomicSeen, now: datetime) -> bool:
    """Record e-conomic's side of a customer; whether it was newer. Waits for whoever is linking that number."""
    rows = [economic_row(tenant, agreement, seen)]
    values = {"economic_sides": json.dumps(rows, ensure_ascii=False), "now": now}
    return connection.execute(_RECORD_ECONOMIC, values).rowcount > 0


def vacate(connection: sa.Connection, link: Link) -> None:
    """Whoever had the number of that link has another now: nobody is recorded under it, until somebody is seen there.

    Only what the link knew of it goes: another customer that was seen there since has that number now.
    """
    if link.economic_version is not None:
        epoch, counter = link.economic_version
        key = {"tenant": link.tenant, "agreement": link.agreement, "number": link.number}
        connection.execute(_VACATE, {**key, "epoch": epoch, "counter": counter, "keys": list(keys.of_customer(None))})


def economic(connection: sa.Connection, tenant: str, agreement: int, number: int) -> EconomicSeen | None:
    """What is recorded of e-conomic's side of a customer."""
    row = connection.execute(
        _ECONOMIC_SIDE, {"tenant": tenant, "agreement": agreement, "number": number}
    ).one_or_none()  # fmt: skip
    return None if row is None or row.epoch == 0 else _economic_seen(row, number)


def known_under(
    connection: sa.Connection, number: int, tenant: str | None, agreement: int | None
) -> list[tuple[str, int]]:
    """The tenants and agreements in use, of one or of all, whose e-conomic has a customer under that number."""
    values = {"number": number, "tenant": tenant, "agreement": agreement}
    return [(row.tenant, row.agreement) for row in connection.execute(_KNOWN_UNDER, values)]


def newest_economic(
    connection: sa.Connection, tenant: str, agreement: int, number: int, now: datetime
) -> EconomicSeen | None:
    """What is recorded of a number that was just linked, its row locked; none when nothing was seen of it.

    Whoever records that number without having found the link either committed before this, or finds the link after.
    """
    values = {"tenant": tenant, "agreement": agreement, "number": number, "now": now}
    row = connection.execute(_LOCK_ECONOMIC, values).one()
    return None if row.epoch == 0 else _economic_seen(row, number)


def crm(connection: sa.Connection, tenant: str, crm_id: str) -> CrmSeen | None:
    """What is recorded of the CRM's side of a customer."""
    row = connection.execute(_CRM_SIDE, {"tenant": tenant, "crm_id": crm_id}).one_or_none()
    return None if row is None else _crm_seen(row)


def crm_of(connection: sa.Connection, tenant: str, ids: Collection[str]) -> dict[str, CrmSeen]:
    """What is recorded of the CRM's side of these customers, by id; in one statement."""
    found = connection.execute(_CRM_SIDES, {"tenant": tenant, "ids": list(ids)})
    return {row.crm_id: _crm_seen(row) for row in found}


def economic_of(
    connection: sa.Connection, tenant: str, agreement: int, numbers: Collection[int]
) -> dict[int, EconomicSeen]:
    """What is recorded of e-conomic's side of these customers, by number; in one statement."""
    values = {"tenant": tenant, "agreement": agreement, "numbers": list(numbers)}
    return {
        row.number: _economic_seen(row, row.number) for row in connection.execute(_ECONOMIC_SIDES, values) if row.epoch
    }


def all_crm(connection: sa.Connection, tenant: str, run: UUID | None) -> Iterator[tuple[str, CrmSeen]]:
    """What is recorded of every customer of the CRM that was told under that run, or seen since it began."""
    for row in connection.execute(_ALL_CRM, {"tenant": tenant, "run": run}):
        yield row.crm_id, _crm_seen(row)


def all_economic(connection: sa.Connection, tenant: str, agreement: int, run: UUID | None) -> Iterator[EconomicSeen]:
    """What is recorded of every customer e-conomic holds that was told under that run, or seen since it began."""
    for row in connection.execute(_ALL_ECONOMIC, {"tenant": tenant, "agreement": agreement, "run": run}):
        yield _economic_seen(row, row.number)


def _crm_seen(row: sa.Row[Any]) -> CrmSeen:
    state = _CRM.validate_python(row.state or {})
    return CrmSeen(version=Version(row.epoch, row.number), customer=state.customer, unsendable=state.unsendable)


def _economic_seen(row: sa.Row[Any], number: int) -> EconomicSeen:
    state = row.state
    why = None if state is None else state.get(WITHOUT_PERSONS)
    return EconomicSeen(
        version=Version(row.epoch, row.counter),
        number=number,
        customer=None if state is None else EconomicCustomer.model_validate(state),
        unsendable=None if why is None else NotSent.model_validate(why),
    )


def recorded_since(connection: sa.Connection, system: System, link: Link, ids: Sequence[str], since: datetime) -> bool:
    """Whether anything was recorded of one of these customers of that system after that time."""
    if not ids:
        return False
    values = {"tenant": link.tenant, "agreement": link.agreement, "ids": list(ids), "since": since}
    return bool(connection.scalar(_CRM_SINCE if system is System.CRM else _ECONOMIC_SINCE, values))


_RECORD_CRM = sa.text(RECORD_CRM)
_RECORD_ECONOMIC = sa.text(RECORD_ECONOMIC)
_KNOWN_UNDER = sa.text("""
    select side.tenant, side.agreement
    from sync.economic_side side
    join sync.agreement a on a.tenant = side.tenant and a.agreement = side.agreement and a.state <> 'disconnected'
    where side.number = :number and side.state is not null
      and (cast(:tenant as text) is null or side.tenant = :tenant)
      and side.agreement = coalesce(cast(:agreement as integer), side.agreement)
    order by side.tenant, side.agreement
""")
_LOCK_ECONOMIC = sa.text("""
    insert into sync.economic_side (agreement, number, tenant, epoch, counter, seen)
    values (:agreement, :number, :tenant, 0, 0, :now)
    on conflict (agreement, number) do update set number = excluded.number
    returning epoch, counter, state
""")
_VACATE = sa.text("""
    update sync.economic_side set state = null, keys = cast(:keys as text[])
    where tenant = :tenant and agreement = :agreement and number = :number
      and epoch = :epoch and counter = :counter
""")
_ECONOMIC_SIDE = sa.text("""
    select epoch, counter, state from sync.economic_side
    where tenant = :tenant and agreement = :agreement and number = :number
""")
_CRM_SIDE = sa.text("""
    select epoch, number, state from sync.crm_side where tenant = :tenant and crm_id = :crm_id
""")
_ECONOMIC_SIDES = sa.text("""
    select number, epoch, counter, state from sync.economic_side
    where tenant = :tenant and agreement = :agreement and number = any(cast(:numbers as integer[]))
""")
_CRM_SIDES = sa.text("""
    select crm_id, epoch, number, state from sync.crm_side
    where tenant = :tenant and crm_id = any(cast(:ids as text[]))
""")
_CRM_SINCE = sa.text("""
    select exists (select from sync.crm_side
                   where tenant = :tenant and crm_id = any(cast(:ids as text[])) and seen > :since)
""")
_ECONOMIC_SINCE = sa.text("""
    select exists (select from sync.economic_side
                   where agreement = :agreement and number = any(cast(cast(:ids as text[]) as integer[])) and seen > :since)
""")
_TOLD = """
    (cast(:run as uuid) is null or side.seen >= (select started from sync.run where id = :run) or exists (
        select from sync.run_seen seen where seen.run = :run and seen.system = '{system}' and seen.id = {id}))
"""
_ALL_CRM = sa.text(f"""
    select side.crm_id, side.epoch, side.number, side.state from sync.crm_side side
    where side.tenant = :tenant and side.state is not null and {_TOLD.format(system="crm", id="side.crm_id")}
    order by side.crm_id
""").execution_options(stream_results=True, max_row_buffer=500)
_ALL_ECONOMIC = sa.text(f"""
    select side.number, side.epoch, side.counter, side.state from sync.economic_side side
    where side.tenant = :tenant and side.agreement = :agreement and side.state is not null
      and {_TOLD.format(system="economic", id="side.number::text")}
    order by side.number
""").execution_options(stream_results=True, max_row_buffer=500)
