"""Who else is at this customer? A soft mark of five minutes that blocks nobody."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from reconciler.person import Person

LASTS: Final = timedelta(minutes=5)


def enter(connection: sa.Connection, link: UUID, person: Person, now: datetime) -> list[str]:
    """That person looks at a customer that asks something; the names of the others who did so lately."""
    values = {"link": link, "tenant": person.tenant, "person": person.id, "name": person.name, "now": now}
    connection.execute(_ENTER, values)
    return list(connection.execute(_OTHERS, {**values, "since": now - LASTS}).scalars())


def leave(connection: sa.Connection, link: UUID, person: Person) -> None:
    """That person has settled it."""
    connection.execute(_LEAVE, {"link": link, "person": person.id})


def forget(connection: sa.Connection, now: datetime) -> int:
    """Remove marks that are over; returns how many."""
    return connection.execute(_FORGET, {"since": now - LASTS}).rowcount


_ENTER = sa.text("""
    insert into sync.presence (link, person, tenant, name, at) values (:link, :person, :tenant, :name, :now)
    on conflict (link, person) do update set name = excluded.name, at = excluded.at
""")
_OTHERS = sa.text("""
    select name from sync.presence
    where link = :link and tenant = :tenant and person <> :person and at > :since order by at desc, person limit 5
""")
_LEAVE = sa.text("delete from sync.presence where link = :link and person = :person")
_FORGET = sa.text("delete from sync.presence where at <= :since")
