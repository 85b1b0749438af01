"""How does a change of a customer leave the CRM? ``append``, in the CRM's own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from crm_outbox import tables
from crm_outbox.contract import TYPES, Customer, CustomerChanged, NotSent, aggregate
from crm_outbox.messaging import outbox
from crm_outbox.messaging.envelope import Envelope, Lane, Registry, Unsendable, Version

OUTBOX = outbox.Outbox(tables=tables.messages, registry=Registry(TYPES), source="crm_outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one customer: the whole state after it. ``kind`` is a word for people who read a log.

    A CRM may hand over plain values under the names of ``contract.Customer``, whatever they hold.
    """

    tenant: str
    kind: str
    customer: Customer | Mapping[str, Any]
    cause: Envelope | None = None
    lane: Lane = Lane.LIVE


def append(session: Session | sa.Connection, change: Change) -> Version:
    """Record that a customer changed; the message lives or dies with the caller's transaction, which it never commits.

    Returns the customer's new version. The version's row stays locked until the caller commits, so versions of one
    customer are handed out in commit order. Content that no message can carry never fails the caller: the change goes
    out without its state, with the reason, and shows as an error on that customer.
    """
    customer_id = change.customer.id if isinstance(change.customer, Customer) else str(change.customer["id"])
    version = _next_version(session, change.tenant, customer_id)
    try:
        whole = CustomerChanged(id=customer_id, change=change.kind, customer=_customer(change.customer))
        outbox.append(session, OUTBOX, _draft(change, customer_id, version, whole))
    except Unsendable as unsendable:
        without = CustomerChanged(id=customer_id, change=change.kind, unsendable=_not_sent(unsendable))
        outbox.append(session, OUTBOX, _draft(change, customer_id, version, without))
    return version


def publish_again(
    connection: sa.Connection, tenant: str, customers: Sequence[Customer], *, run: UUID, cause: Envelope | None
) -> None:
    """Publish these customers at the versions they have, in the bulk lane. The caller holds their rows, each given once.

    One that was never published gets its first version; one whose version is of an epoch that is over moves to the
    present one, so that what a restore brought back is newer than what was published before. What no message can carry
    goes out without its state, with the reason.
    """
    versions = _present_versions(connection, tenant, [one.id for one in customers])
    changed = [CustomerChanged(id=one.id, change="published again", customer=one, run=run) for one in customers]

    def draft(data: CustomerChanged) -> outbox.Draft:
        change = Change(tenant=tenant, kind=data.change, customer={"id": data.id}, cause=cause, lane=Lane.BULK)
        return _draft(change, data.id, versions[data.id], data)

    try:
        outbox.append_all(connection, OUTBOX, [draft(one) for one in changed])
    except Unsendable:  # found before anything was sent: now one by one
        for one in changed:
            try:
                outbox.append(connection, OUTBOX, draft(one))
            except Unsendable as unsendable:
                without = one.model_copy(update={"customer": None, "unsendable": _not_sent(unsendable)})
                outbox.append(connection, OUTBOX, draft(without))


def current_version(session: Session | sa.Connection, tenant: str, customer: str) -> Version | None:
    """The version of a customer as last appended; none when it was never appended."""
    of = tables.version.c
    row = session.execute(sa.select(of.epoch, of.number).where(of.tenant == tenant, of.customer == customer)).first()
    return None if row is None else Version(row.epoch, row.number)


def next_epoch(connection: sa.Connection) -> int:
    """Begin a new epoch, after a restore or a failover that may have lost versions; every later version is newer."""
    moved = sa.update(tables.epoch).values(epoch=tables.epoch.c.epoch + 1).returning(tables.epoch.c.epoch)
    return int(connection.execute(moved).scalar_one())


def _next_version(session: Session | sa.Connection, tenant: str, customer: str) -> Version:
    row = tables.version
    first = insert(row).values(
        tenant=tenant, customer=customer, epoch=sa.select(tables.epoch.c.epoch).scalar_subquery(), number=1
    )
    moved = first.on_conflict_do_update(
        index_elements=[row.c.tenant, row.c.customer],
        set_={"epoch": first.excluded.epoch, "number": row.c.number + 1},
    ).returning(row.c.epoch, row.c.number)
    epoch, number = session.execute(moved).one()
    return Version(epoch, number)


def _present_versions(connection: sa.Connection, tenant: str, customers: Sequence[str]) -> dict[str, Version]:
    """The versions of these customers in the present epoch; their rows stay locked."""
    given = {"tenant": tenant, "customers": sorted(customers)}
    ids = sa.bindparam("customers", type_=ARRAY(sa.Text))
    connection.execute(
        sa.text(
            "insert into crm.version as held (tenant, customer, epoch, number)"
            " select :tenant, one, (select epoch from crm.epoch), 1 from unnest(:customers) as one order by one"
            " on conflict (tenant, customer) do update set epoch = excluded.epoch where held.epoch < excluded.epoch"
        ).bindparams(ids),
        given,
    )
    of = tables.version.c
    query = sa.select(of.customer, of.epoch, of.number).where(of.tenant == tenant, of.customer.in_(given["customers"]))
    rows = connection.execute(query.order_by(of.customer).with_for_update())
    return {row.customer: Version(row.epoch, row.number) for row in rows}


def _not_sent(unsendable: Unsendable) -> NotSent:
    return NotSent(reason=unsendable.reason, detail=unsendable.detail.removeprefix("data.customer."))


def _customer(given: Customer | Mapping[str, Any]) -> Customer:
    if isinstance(given, Customer):
        return given
    try:
        return Customer.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        reason = "surrogate" if first["type"] == "string_unicode" else "invalid"
        raise Unsendable(reason, ".".join(str(part) for part in first["loc"])) from error


def _draft(change: Change, customer: str, version: Version, data: CustomerChanged) -> outbox.Draft:
    return outbox.Draft(
        data=data,
        tenant=change.tenant,
        subject=aggregate(customer),
        version=version,
        cause=change.cause,
        customer=customer,
        lane=change.lane,
    )
