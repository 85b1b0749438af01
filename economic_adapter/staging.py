"""What does an import hold on the way? The contact persons it has read, and which customers it has come across. All SQL of that.

The caller holds the transaction; nothing here commits.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from economic_adapter import tables
from economic_adapter.mapping import Body

_customer, _contact, _mirror = tables.import_customer, tables.import_contact, tables.mirror
_STAGE = sa.text(
    "insert into economic.import_contact (run, number, customer, body)"
    " select :run, one.number, one.customer, one.body from jsonb_to_recordset(cast(:contacts as jsonb))"
    " as one (number integer, customer integer, body jsonb) order by one.number"
    " on conflict (run, number) do update set customer = excluded.customer, body = excluded.body"
)
_LIST = sa.text(
    "insert into economic.import_customer as held (run, number, turn)"
    " select :run, one, :turn from unnest(cast(:numbers as integer[])) as one order by one"
    " on conflict (run, number) do update set turn = excluded.turn where held.turn <> excluded.turn"
)


def stage_contacts(connection: Connection, run: UUID, bodies: Mapping[int, tuple[int, Body]]) -> int:
    """Hold these contact persons, each with its customer's number; how many were new."""
    if not bodies:
        return 0
    known = sa.select(sa.func.count()).where(_contact.c.run == run, _contact.c.number.in_(list(bodies)))
    before = int(connection.scalar(known) or 0)
    document = [{"number": one, "customer": of, "body": body} for one, (of, body) in bodies.items()]
    connection.execute(_STAGE, {"run": run, "contacts": json.dumps(document, ensure_ascii=False, allow_nan=False)})
    return len(bodies) - before


def drop_contacts(connection: Connection, run: UUID) -> None:
    """The listing of contact persons begins again."""
    connection.execute(sa.delete(_contact).where(_contact.c.run == run))


def contacts_held(connection: Connection, run: UUID) -> int:
    """How many contact persons a run holds."""
    return int(connection.scalar(sa.select(sa.func.count()).where(_contact.c.run == run)) or 0)


def contacts_of(connection: Connection, run: UUID, customers: Collection[int]) -> dict[int, list[Body]]:
    """The contact persons a run holds of these customers, by customer, in the order of their numbers."""
    query = sa.select(_contact.c.customer, _contact.c.body).where(
        _contact.c.run == run, _contact.c.customer.in_(list(customers))
    )
    found: dict[int, list[Body]] = {}
    for row in connection.execute(query.order_by(_contact.c.number)):
        found.setdefault(row.customer, []).append(row.body)
    return found


def list_customers(connection: Connection, run: UUID, numbers: Collection[int], turn: int) -> int:
    """Note that e-conomic showed these customers in that listing; how many it had not shown in it before."""
    if not numbers:
        return 0
    return connection.execute(_LIST, {"run": run, "turn": turn, "numbers": sorted(numbers)}).rowcount


def untold(connection: Connection, run: UUID, numbers: Collection[int]) -> list[int]:
    """Those of these customers that were not told under the run yet."""
    told = sa.select(_customer.c.number).where(
        _customer.c.run == run, _customer.c.number.in_(list(numbers)), _customer.c.told
    )
    return sorted(set(numbers) - set(connection.scalars(told)))


def mark_told(connection: Connection, run: UUID, numbers: Collection[int]) -> None:
    """These customers were told under the run."""
    mine = (_customer.c.run == run, _customer.c.number.in_(list(numbers)))
    connection.execute(sa.update(_customer).where(*mine).values(told=True, look=False))


def want_looks(connection: Connection, run: UUID, numbers: Collection[int]) -> None:
    """These customers are to be looked at singly before the run closes."""
    if not numbers:
        return
    rows = [{"run": run, "number": one, "turn": 0, "look": True} for one in sorted(numbers)]
    statement = insert(_customer).on_conflict_do_update(index_elements=["run", "number"], set_={"look": True})
    connection.execute(statement, rows)


def next_look(connection: Connection, run: UUID) -> int | None:
    """The next customer to be looked at singly."""
    wanted = sa.select(_customer.c.number).where(_customer.c.run == run, _customer.c.look)
    return connection.scalar(wanted.order_by(_customer.c.number).limit(1))


def looked(connection: Connection, run: UUID, number: int, turn: int, *, told: bool) -> None:
    """A customer was looked at singly: told under the run, or not there."""
    values = {"told": True, "turn": turn} if told else {"turn": 0}
    mine = (_customer.c.run == run, _customer.c.number == number)
    connection.execute(sa.update(_customer).where(*mine).values(look=False, **values))


def told(connection: Connection, run: UUID) -> int:
    """How many customers were told under the run."""
    return _count(connection, _customer.c.run == run, _customer.c.told)


def listed(connection: Connection, run: UUID, turn: int) -> int:
    """How many customers e-conomic showed in that listing or since."""
    return _count(connection, _customer.c.run == run, _customer.c.turn == turn)


def present(connection: Connection, run: UUID, turn: int) -> int:
    """How many customers were told under the run and shown in that listing or since."""
    return _count(connection, _customer.c.run == run, _customer.c.told, _customer.c.turn == turn)


def found_again(connection: Connection, run: UUID, agreement: int, turn: int, before: datetime) -> None:
    """Customers of this listing that were missed before it began are missed no more."""
    missed = (_mirror.c.agreement == agreement, _mirror.c.missing_since < before, _shown(run, turn).exists())
    connection.execute(sa.update(_mirror).where(*missed).values(missing_since=None))


def listed_nowhere(connection: Connection, run: UUID, agreement: int, turn: int) -> list[int]:
    """Customers that were there when last seen and that this listing does not show."""
    gone = sa.select(_mirror.c.number).where(
        _mirror.c.agreement == agreement, _mirror.c.body.is_not(None), ~_mirror.c.absent, ~_shown(run, turn).exists()
    )
    return list(connection.scalars(gone.order_by(_mirror.c.number)))


def _shown(run: UUID, turn: int) -> sa.Select[tuple[int]]:
    return sa.select(_customer.c.number).where(
        _customer.c.run == run, _customer.c.turn == turn, _customer.c.number == _mirror.c.number
    )


def _count(connection: Connection, *where: sa.ColumnElement[bool]) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(_customer).where(*where)) or 0)


def held_by_others(connection: Connection, agreement: int, work: int, numbers: Sequence[int]) -> frozenset[int]:
    """Those of these customers that another row of work holds than that one: what its worker reads of them is newer or will be."""
    row = tables.work.c
    held = sa.select(row.number).where(
        row.agreement == agreement, row.number.in_(numbers), row.worker.is_not(None), row.id != work
    )
    return frozenset(connection.scalars(held))
