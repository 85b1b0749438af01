"""A small CRM: customers and their contact persons, each change under the row's lock, and appended.

For the demo, the tests and anyone without a CRM of their own. The applier writes through the same functions a person's
edit uses.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from crm_outbox import changes, tables
from crm_outbox.contract import CONTACT_FIELDS, CUSTOMER_FIELDS, ContactPerson, Customer, Stage
from crm_outbox.messaging.envelope import Envelope, Version

_OF = tables.customer.c
_CONTACT = tables.contact.c
_KEYS = sa.text(
    f"select {tables.CVR_KEY} as cvr, {tables.EAN_KEY} as ean, {tables.EMAIL_KEY} as email"
    " from (select cast(:cvr as text) as cvr, cast(:ean as text) as ean, cast(:email as text) as email) as given"
)
"""The keys of given values, made by the words that made the stored ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A customer as the CRM holds it now, and its version."""

    customer: Customer
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEdit:
    """One edit of a contact person: ``id`` none adds one, ``remove`` takes one away."""

    id: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    remove: bool = False
    origin: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What changes of one customer, in one step: only the fields named, the stage, and persons."""

    fields: Mapping[str, str] = field(default_factory=dict)
    stage: Stage | None = None
    deleted: bool | None = None
    persons: Sequence[PersonEdit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A change as it was made: what the CRM holds now, and the ids of the persons added, in their order."""

    held: Held
    persons: tuple[str, ...]


def create(
    connection: sa.Connection,
    tenant: str,
    edit: Edit,
    *,
    id: str | None = None,  # noqa: A002 - the word of the contract
    number: int | None = None,
    origin: UUID | None = None,
    cause: Envelope | None = None,
) -> Made:
    """Create a customer with its persons and append it. An id already there raises ``IntegrityError``."""
    customer_id = id or uuid4().hex
    stage = edit.stage or Stage.ACTIVE
    connection.execute(
        sa.insert(tables.customer).values(
            tenant=tenant,
            id=customer_id,
            stage=stage,
            origin=origin,
            number=number,
            created=sa.func.clock_timestamp(),
            active_since=sa.func.clock_timestamp() if stage is Stage.ACTIVE else None,
            **_known(edit.fields, CUSTOMER_FIELDS),
        )
    )
    persons = _edit_persons(connection, tenant, customer_id, edit.persons)
    return _append(connection, tenant, customer_id, "created", persons, cause)


def lock(connection: sa.Connection, tenant: str, customer: str) -> Held | None:
    """Lock a customer until the end of the transaction and read it; none when there is no such customer."""
    return _read(connection, tenant, customer, lock=True)


def find(connection: sa.Connection, tenant: str, customer: str) -> Held | None:
    """Read a customer as it stands now; none when there is no such customer."""
    return _read(connection, tenant, customer, lock=False)


def change(connection: sa.Connection, tenant: str, customer: str, edit: Edit, *, cause: Envelope | None = None) -> Made:
    """Change a customer and append its new state; an unknown customer or person raises ``LookupError``."""
    if lock(connection, tenant, customer) is None:
        raise LookupError(f"no customer {customer} in the CRM")
    values: dict[str, Any] = dict(_known(edit.fields, CUSTOMER_FIELDS))
    if edit.stage is not None:
        values["stage"] = edit.stage
        if edit.stage is Stage.ACTIVE:
            values["active_since"] = sa.func.coalesce(_OF.active_since, sa.func.clock_timestamp())
    if edit.deleted is not None:
        values["deleted"] = edit.deleted
    if values:
        connection.execute(sa.update(tables.customer).where(_OF.tenant == tenant, _OF.id == customer).values(**values))
    persons = _edit_persons(connection, tenant, customer, edit.persons)
    return _append(connection, tenant, customer, "changed", persons, cause)


def hold_creations(connection: sa.Connection, tenant: str) -> None:
    """Let nobody else create a searched-for customer of this tenant until the transaction ends."""
    connection.execute(
        sa.text("insert into crm.creation_lock (tenant) values (:tenant) on conflict do nothing"), {"tenant": tenant}
    )
    connection.execute(sa.text("select 1 from crm.creation_lock where tenant = :tenant for update"), {"tenant": tenant})


def twins(connection: sa.Connection, tenant: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """The customers that may be the same company: equal CVR or EAN, or equal e-mail and name.

    Neither blanks, case and invisible characters nor DK before a CVR number hide one. Deleted ones do not count.
    """
    key = connection.execute(_KEYS, {name: fields.get(name, "") for name in ("cvr", "ean", "email")}).one()
    evidence: list[sa.ColumnElement[bool]] = []
    if key.cvr:
        evidence.append((_OF.cvr != "") & (sa.literal_column(tables.CVR_KEY) == key.cvr))
    if key.ean:
        evidence.append((_OF.ean != "") & (sa.literal_column(tables.EAN_KEY) == key.ean))
    name = _folded(fields.get("name", ""))
    alike = (_OF.email != "") & (sa.literal_column(tables.EMAIL_KEY) == key.email)
    found: set[str] = set()
    here = (_OF.tenant == tenant) & ~_OF.deleted
    if evidence:
        found |= set(connection.execute(sa.select(_OF.id).where(here, sa.or_(*evidence))).scalars())
    if key.email and name:
        rows = connection.execute(sa.select(_OF.id, _OF.name).where(here, alike))
        found |= {row.id for row in rows if _folded(row.name) == name}
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Customers in the order of their ids, whole, their rows held until the transaction ends.

    ``last``: there are none behind them. Without customers and not the last: somebody is changing the next one.
    """

    customers: tuple[Customer, ...]
    last: bool


def page(connection: sa.Connection, tenant: str, after: str, created_until: datetime, most: int) -> Page:
    """The customers behind that id that were there at that moment, at most so many; never waits for who changes one."""
    behind = (_OF.tenant == tenant) & (_OF.id > after) & (_OF.created <= created_until)
    ids = list(connection.execute(sa.select(_OF.id).where(behind).order_by(_OF.id).limit(most)).scalars())
    free = sa.select(tables.customer).where(_OF.tenant == tenant, _OF.id.in_(ids)).order_by(_OF.id)
    held = {row.id: row for row in connection.execute(free.with_for_update(read=True, skip_locked=True))}
    taken = list(takewhile(held.__contains__, ids))
    persons = _persons(connection, tenant, taken)
    return Page(
        customers=tuple(_customer(held[one], persons.get(one, ())) for one in taken),
        last=len(ids) < most and len(taken) == len(ids),
    )


def all_of(connection: sa.Connection, tenant: str) -> dict[str, Customer]:
    """Every customer of a tenant by id, for a comparison of everything."""
    persons = _persons(connection, tenant)
    rows = connection.execute(sa.select(tables.customer).where(_OF.tenant == tenant))
    return {row.id: _customer(row, persons.get(row.id, ())) for row in rows}


def _read(connection: sa.Connection, tenant: str, customer: str, *, lock: bool) -> Held | None:
    query = sa.select(tables.customer).where(_OF.tenant == tenant, _OF.id == customer)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        return None
    persons = connection.execute(
        sa.select(tables.contact)
        .where(_CONTACT.tenant == tenant, _CONTACT.customer == customer, ~_CONTACT.removed)
        .order_by(_CONTACT.position)
    )
    version = changes.current_version(connection, tenant, customer) or Version(0, 0)
    return Held(customer=_customer(row, persons), version=version)


def _persons(
    connection: sa.Connection, tenant: str, customers: Sequence[str] | None = None
) -> dict[str, list[sa.Row[Any]]]:
    found: dict[str, list[sa.Row[Any]]] = {}
    listed = sa.select(tables.contact).where(_CONTACT.tenant == tenant, ~_CONTACT.removed).order_by(_CONTACT.position)
    if customers is not None:
        listed = listed.where(_CONTACT.customer.in_(customers))
    for row in connection.execute(listed):
        found.setdefault(row.customer, []).append(row)
    return found


def _append(
    connection: sa.Connection, tenant: str, customer: str, kind: str, persons: tuple[str, ...], cause: Envelope | None
) -> Made:
    held = _read(connection, tenant, customer, lock=False)
    if held is None:
        raise LookupError(f"no customer {customer} in the CRM")
    version = changes.append(connection, changes.Change(tenant=tenant, kind=kind, customer=held.customer, cause=cause))
    return Made(held=Held(customer=held.customer, version=version), persons=persons)


def _edit_persons(
    connection: sa.Connection, tenant: str, customer: str, persons: Sequence[PersonEdit]
) -> tuple[str, ...]:
    added = []
    for person in persons:
        fields = _known(person.fields, CONTACT_FIELDS)
        if person.id is None:
            person_id = uuid4().hex
            connection.execute(
                sa.insert(tables.contact).values(
                    tenant=tenant, id=person_id, customer=customer, origin=person.origin, **fields
                )
            )
            added.append(person_id)
            continue
        values = {**fields, "removed": True} if person.remove else fields
        here = (_CONTACT.tenant == tenant) & (_CONTACT.customer == customer) & (_CONTACT.id == person.id)
        if values:
            done = connection.execute(sa.update(tables.contact).where(here, ~_CONTACT.removed).values(**values))
            if done.rowcount != 1:
                raise LookupError(f"no contact person {person.id} at customer {customer}")
    return tuple(added)


def _known(fields: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    if unknown := sorted(set(fields) - set(names)):
        raise LookupError(f"no such detail: {', '.join(unknown)}")
    return dict(fields)


def _customer(row: sa.Row[Any], persons: Any) -> Customer:
    values = row._asdict()
    values.pop("tenant")
    return Customer(**values, contacts=tuple(_person(person) for person in persons))


def _person(row: sa.Row[Any]) -> ContactPerson:
    return ContactPerson(id=row.id, origin=row.origin, **{name: getattr(row, name) for name in CONTACT_FIELDS})


def _folded(name: str) -> str:
    """A name without case, marks and double blanks."""
    visible = (letter for letter in name if letter.isspace() or unicodedata.category(letter) not in {"Cc", "Cf"})
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split()).casefold()
