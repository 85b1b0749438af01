"""What is remembered of a link? Lock and load it, save what a step changed: all in the caller's transaction.

A step costs two statements here, and one in a batch whose links are loaded together. A statement that waited for the row's
lock still sees the other tables as they were before it waited; the revision shows that, and then they are read once more.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from reconciler import locks, questions, rows, sides, statements
from reconciler.agreements import AgreementState, state_of
from reconciler.asked import Open
from reconciler.link import Heard, Link, Message, Status
from reconciler.rules import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A locked link as it is stored, what the world was told of it, and its agreement's settings."""

    link: Link
    fresh: bool
    """Only its own row is stored yet."""
    told: Status | None
    held: bool
    """It waits for a person, because a pass would have written to too many."""
    agreement: AgreementState
    asked: tuple[Open, ...] = ()
    """The open questions the world was told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A link the clock is to tell something; ``joining``: it may be linked or created by that."""

    id: UUID
    tenant: str
    agreement: int
    joining: bool


def lock(connection: sa.Connection, tenant: str, agreement: int, crm_id: str) -> Stored | None:
    """Lock and load the link of that customer; waits for a step on it in another transaction."""
    ahead = locks.kept(connection, _crm_name(tenant, agreement, crm_id))
    if isinstance(ahead, Stored):
        _taken(connection, ahead.link)
        return ahead
    found = _locked(connection, statements.LOCK, {"tenant": tenant, "agreement": agreement, "crm_id": crm_id})
    return found[0] if found else None


def lock_numbers(connection: sa.Connection, tenant: str, agreement: int, numbers: Sequence[int]) -> list[Stored]:
    """Lock and load the links that have one of these customer numbers, in one order for all."""
    if len(numbers) == 1:
        ahead = locks.kept(connection, _economic_name(tenant, agreement, numbers[0]))
        if isinstance(ahead, Stored):
            _taken(connection, ahead.link)
            return [ahead]
    return _locked(
        connection, statements.LOCK_NUMBERS, {"tenant": tenant, "agreement": agreement, "numbers": list(numbers)}
    )


def lock_id(connection: sa.Connection, link: UUID) -> Stored | None:
    """Lock and load the link of that id."""
    found = _locked(connection, statements.LOCK_ID, {"id": link})
    return found[0] if found else None


def lock_both(connection: sa.Connection, tenant: str, agreement: int, crm_id: str, number: int) -> list[Stored]:
    """Lock and load the links of a customer of the CRM and of a number, in one order for all: at most two."""
    values = {"tenant": tenant, "agreement": agreement, "crm_id": crm_id, "number": number}
    return _locked(connection, statements.LOCK_BOTH, values)


def lock_operation(connection: sa.Connection, tenant: str, agreement: int, operations: Sequence[UUID]) -> Stored | None:
    """Lock and load the link that one of these operations is not settled for."""
    values = {"tenant": tenant, "agreement": agreement, "operations": list(operations)}
    found = _locked(connection, statements.LOCK_OPERATION, values)
    return found[0] if found else None


def lock_due(connection: sa.Connection, link: UUID, now: datetime) -> Stored | None:
    """Lock and load that link if the clock still has to tell it something and nobody else holds it."""
    found = _locked(connection, statements.LOCK_DUE, {"id": link, "now": now})
    return found[0] if found else None


def merged_into(connection: sa.Connection, tenant: str, agreement: int, crm_id: str) -> list[UUID]:
    """The links that rest because their customer was merged into this one, at once or by way of others; not locked."""
    values = {"tenant": tenant, "agreement": agreement, "crm_id": crm_id}
    return list(connection.execute(statements.MERGED_INTO, values).scalars())


def lock_at_once(connection: sa.Connection, links: Sequence[UUID]) -> set[UUID]:
    """Lock and load those of these links that nobody else holds, without waiting; returns which.

    Each is there, as loaded, for the first who locks it by its customer or its number: until then nobody can change it, as
    whoever writes to a link locks it before. For links of agreements this transaction does not hold and so does not change.
    """
    found = _locked(connection, statements.LOCK_AT_ONCE, {"links": list(links)})
    locks.keep(connection, {name: one for one in found for name in _names(one.link)})
    return {one.link.id for one in found}


def find(connection: sa.Connection, link: UUID) -> Stored | None:
    """Read that link, not locked."""
    return next(iter(_read(connection, statements.LOAD, {"id": link})), None)


def of_ids(connection: sa.Connection, links: Sequence[UUID]) -> list[Stored]:
    """Read these links, not locked."""
    return _read(connection, statements.OF_IDS, {"ids": list(links)})


def of_customer(connection: sa.Connection, crm_id: str, tenant: str | None, agreement: int | None) -> list[Stored]:
    """The links of a customer of the CRM in the agreements in use, of one tenant or of all; not locked."""
    return _read(connection, statements.OF_CUSTOMER, {"crm_id": crm_id, "tenant": tenant, "agreement": agreement})


def of_number(connection: sa.Connection, number: int, tenant: str | None, agreement: int | None) -> list[Stored]:
    """The links with a customer number in the agreements in use, of one tenant or of all; not locked."""
    return _read(connection, statements.OF_NUMBER, {"number": number, "tenant": tenant, "agreement": agreement})


def with_kept(connection: sa.Connection, tenant: str, limit: int = 200) -> list[Stored]:
    """A tenant's links of which something was chosen to stay different; not locked."""
    return _read(connection, statements.WITH_KEPT, {"tenant": tenant, "limit": limit})


def load(connection: sa.Connection, link: UUID) -> Stored:
    """Read a locked link again, with whatever was committed since it was locked."""
    return _stored(connection.execute(statements.LOAD, {"id": link}).one()._asdict())


def of_agreement(connection: sa.Connection, tenant: str, agreement: int) -> Iterator[Link]:
    """Every link of an agreement, as it is stored, not locked; those that were only just made too."""
    for row in connection.execute(statements.OF_AGREEMENT, {"tenant": tenant, "agreement": agreement}):
        yield rows.link_of(row._asdict(), row.pairs)


def insert(connection: sa.Connection, link: UUID, tenant: str, agreement: int, crm_id: str) -> None:
    """Store a link that was only just made; nothing when the customer has one in that agreement."""
    connection.execute(statements.INSERT, {"id": link, "tenant": tenant, "agreement": agreement, "crm_id": crm_id})


def insert_stranger(connection: sa.Connection, link: UUID, tenant: str, agreement: int, number: int) -> None:
    """Store a link that only e-conomic's customer has; nothing when that number has one."""
    connection.execute(
        statements.INSERT_STRANGER, {"id": link, "tenant": tenant, "agreement": agreement, "number": number}
    )


def remove_stranger(connection: sa.Connection, tenant: str, agreement: int, number: int) -> None:
    """Forget the link that only e-conomic's customer has: a customer of the CRM gets its number.

    One that a person decided about stays for that, without the number.
    """
    connection.execute(statements.REMOVE_STRANGER, {"tenant": tenant, "agreement": agreement, "number": number})


def insert_missing(connection: sa.Connection, tenant: str, agreement: int, limit: int) -> int:
    """Store links for customers of the CRM that have none, for the clock to look at; returns how many."""
    values = {"tenant": tenant, "agreement": agreement, "limit": limit}
    return connection.execute(statements.INSERT_MISSING, values).rowcount


def save(
    connection: sa.Connection,
    stored: Stored,
    link: Link,
    status: Status,
    message: Message,
    now: datetime,
    listed: tuple[str, str] = ("waiting", ""),
) -> None:
    """Store what a step made of a link: what changed, both sides as seen, an audit row for each write that landed.

    ``listed``: the list it stands in, and why it is left out.
    """
    heard = message if isinstance(message, Heard) else Heard()
    change = rows.changes(None if stored.fresh else stored.link, link, heard.outcomes)
    if change.gone_bases:
        gone = [{"link": link.id, "pair": pair, "field": field} for pair, field in change.gone_bases]
        connection.execute(statements.GONE_BASES, gone)
    if change.gone_pairs:
        connection.execute(statements.GONE_PAIRS, {"link": link.id, "pairs": change.gone_pairs})
    here, there = heard.crm, heard.economic
    known = [] if there is None or link.agreement is None else [sides.economic_row(link.tenant, link.agreement, there)]
    key = {"tenant": link.tenant, "agreement": link.agreement, "crm_id": link.crm_id, "number": link.number}
    connection.execute(
        statements.SAVE,
        {
            "id": link.id,
            "now": now,
            "same": status == stored.told,
            "link": _json(rows.scalars(link) | rows.status_row(status, listed)),
            "pairs": _json(change.pairs),
            "bases": _json(change.bases),
            "operations": _json(change.operations),
            "settled": _json(change.settled),
            "edits": _json(change.edits),
            "audit": _json([key | row for one in change.landed for row in rows.audit(one)]),
            "crm_sides": _json([] if here is None else [sides.crm_row(link.tenant, link.crm_id, here)]),
            "economic_sides": _json(known),
        },
    )
    numbers = {one for one in (stored.link.number, link.number) if one is not None}
    if numbers and (stored.fresh or stored.link.number != link.number):
        connection.execute(statements.HELD_NUMBERS, {"agreement": link.agreement, "numbers": sorted(numbers)})


def remove(connection: sa.Connection, link: UUID) -> None:
    """Forget a locked link that is about nothing any more, unless a person decided something about it."""
    connection.execute(statements.REMOVE, {"id": link})


def hold(connection: sa.Connection, link: UUID, run: UUID | None) -> None:
    """A locked link waits for a person to let that run go on; none, and it waits no longer."""
    connection.execute(statements.HELD, {"id": link, "held": run})


def unlisted(connection: sa.Connection, limit: int) -> list[Stored]:
    """Lock and load links that were saved before there were lists, those that nobody else holds."""
    return _locked(connection, statements.UNLISTED, {"limit": limit})


def list_in(connection: sa.Connection, link: Link, listed: tuple[str, str]) -> None:
    """A locked link stands in that list, and that is why it is left out."""
    values = {"id": link.id, "category": listed[0], "left_out": listed[1], "name_key": rows.name_key(link)}
    connection.execute(statements.LIST_IN, values)


def put_off(connection: sa.Connection, link: UUID, now: datetime, longest: timedelta) -> None:
    """The clock failed on this link: try it again after a gap that doubles up to the longest."""
    connection.execute(statements.PUT_OFF, {"id": link, "now": now, "longest": longest})


def due(connection: sa.Connection, now: datetime, limit: int) -> list[Waiting]:
    """Links that wait for time: an unanswered write, or a pause that is over."""
    return [Waiting(**row._asdict()) for row in connection.execute(statements.DUE, {"now": now, "limit": limit})]


def to_look_again(connection: sa.Connection, limit: int) -> list[Waiting]:
    """Links whose agreement changed since they were last looked at."""
    return [Waiting(**row._asdict()) for row in connection.execute(statements.TO_LOOK_AGAIN, {"limit": limit})]


def look_at(connection: sa.Connection, link: UUID) -> None:
    """Have the clock look at that link again."""
    connection.execute(statements.LOOK_AT, {"id": link})


def look_again(connection: sa.Connection, tenant: str, agreement: int) -> int:
    """Have the clock look at every link of an agreement again; returns how many."""
    return connection.execute(statements.LOOK_AGAIN, {"tenant": tenant, "agreement": agreement}).rowcount


def expire(connection: sa.Connection, before: datetime, limit: int = 5000) -> int:
    """Forget operations settled before that time; the audit keeps what they wrote."""
    return connection.execute(statements.EXPIRE, {"before": before, "limit": limit}).rowcount


def _read(connection: sa.Connection, statement: sa.TextualSelect, values: dict[str, Any]) -> list[Stored]:
    return [_stored(row._asdict()) for row in connection.execute(statement, values)]


def _locked(connection: sa.Connection, statement: sa.TextualSelect, values: dict[str, Any]) -> list[Stored]:
    found = [row._asdict() for row in connection.execute(statement, values)]
    if found:
        locks.took_links(connection)
    loaded = [_stored(row) if row["revision"] == row["read"] else load(connection, row["id"]) for row in found]
    for one in loaded:
        _taken(connection, one.link)
    return loaded


def _taken(connection: sa.Connection, link: Link) -> None:
    """What was loaded ahead of it is not to be used any more."""
    for name in _names(link):
        locks.kept(connection, name)


def _names(link: Link) -> Iterator[Hashable]:
    if link.agreement is not None:
        if link.crm_id:
            yield _crm_name(link.tenant, link.agreement, link.crm_id)
        if link.number is not None:
            yield _economic_name(link.tenant, link.agreement, link.number)


def _crm_name(tenant: str, agreement: int, crm_id: str) -> Hashable:
    return System.CRM, tenant, agreement, crm_id


def _economic_name(tenant: str, agreement: int, number: int) -> Hashable:
    return System.ECONOMIC, tenant, agreement, number


def _stored(row: dict[str, Any]) -> Stored:
    return Stored(
        link=rows.link_of(row, row["pairs"]),
        fresh=row["pairs"] is None,
        told=rows.status_of(row),
        held=row["held"] is not None,
        agreement=state_of(row, "a_"),
        asked=questions.of_json(row["asked"]),
    )


def _json(value: object) -> str:
    return to_json(value).decode()
