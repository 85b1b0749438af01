"""What did each system hold last? Recorded behind its version, also of customers that have no link."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter

from crm_outbox.contract import Customer, NotSent
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicCustomer
from reconciler.link import CrmSeen, EconomicSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class _CrmState:
    customer: Customer | None = None
    unsendable: NotSent | None = None


_CRM = TypeAdapter(_CrmState)


def record_crm(connection: sa.Connection, tenant: str, crm_id: str, seen: CrmSeen, now: datetime) -> None:
    """Record the CRM's side of a customer if it is newer than what is recorded."""
    state = _CrmState(customer=seen.customer, unsendable=seen.unsendable)
    connection.execute(
        _RECORD_CRM,
        {
            "tenant": tenant,
            "crm_id": crm_id,
            "epoch": seen.version.epoch,
            "number": seen.version.number,
            "state": _CRM.dump_json(state, exclude_none=True).decode(),
            "now": now,
        },
    )


def record_economic(connection: sa.Connection, tenant: str, agreement: int, seen: EconomicSeen, now: datetime) -> None:
    """Record e-conomic's side of a customer if it is newer; waits for whoever is linking that number."""
    connection.execute(
        _RECORD_ECONOMIC,
        {
            "tenant": tenant,
            "agreement": agreement,
            "number": seen.number,
            "epoch": seen.version.epoch,
            "counter": seen.version.number,
            "state": None if seen.customer is None else seen.customer.model_dump_json(exclude_none=True),
            "now": now,
        },
    )


def newest_economic(
    connection: sa.Connection, tenant: str, agreement: int, number: int, now: datetime
) -> EconomicSeen | None:
    """What is recorded of a number that was just linked, its row locked; none when nothing was seen of it.

    Whoever records that number without having found the link either committed before this, or finds the link after.
    """
    values = {"tenant": tenant, "agreement": agreement, "number": number, "now": now}
    row = connection.execute(_LOCK_ECONOMIC, values).one()
    if row.epoch == 0:
        return None
    customer = None if row.state is None else EconomicCustomer.model_validate(row.state)
    return EconomicSeen(version=Version(row.epoch, row.counter), number=number, customer=customer)


def crm(connection: sa.Connection, tenant: str, crm_id: str) -> CrmSeen | None:
    """What is recorded of the CRM's side of a customer."""
    row = connection.execute(_CRM_SIDE, {"tenant": tenant, "crm_id": crm_id}).one_or_none()
    return None if row is None else _seen(row)


def _seen(row: sa.Row[tuple[object, ...]]) -> CrmSeen:
    state = _CRM.validate_python(row.state or {})
    return CrmSeen(version=Version(row.epoch, row.number), customer=state.customer, unsendable=state.unsendable)


_RECORD_CRM = sa.text("""
    insert into sync.crm_side as side (tenant, crm_id, epoch, number, state, seen)
    values (:tenant, :crm_id, :epoch, :number, cast(:state as jsonb), :now)
    on conflict (tenant, crm_id) do update set
        epoch = excluded.epoch, number = excluded.number, state = excluded.state, seen = excluded.seen
    where (side.epoch, side.number) < (excluded.epoch, excluded.number)
""")
_RECORD_ECONOMIC = sa.text("""
    insert into sync.economic_side as side (agreement, number, tenant, epoch, counter, state, seen)
    values (:agreement, :number, :tenant, :epoch, :counter, cast(:state as jsonb), :now)
    on conflict (agreement, number) do update set
        tenant = excluded.tenant, epoch = excluded.epoch, counter = excluded.counter, state = excluded.state,
        seen = excluded.seen
    where (side.epoch, side.counter) < (excluded.epoch, excluded.counter)
""")
_LOCK_ECONOMIC = sa.text("""
    insert into sync.economic_side (agreement, number, tenant, epoch, counter, seen)
    values (:agreement, :number, :tenant, 0, 0, :now)
    on conflict (agreement, number) do update set number = excluded.number
    returning epoch, counter, state
""")
_CRM_SIDE = sa.text("""
    select epoch, number, state from sync.crm_side where tenant = :tenant and crm_id = :crm_id
""")
