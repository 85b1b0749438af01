"""Who is to choose? The questions about a customer, handed to one person of the tenant; anybody with the right may still settle them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from reconciler.people_tables import TOLD_APART
from reconciler.person import Person, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of a tenant who may settle."""

    id: str
    name: str
    role: Role


def colleagues(connection: sa.Connection, tenant: str) -> list[Colleague]:
    """The people of a tenant who may settle, by name; those the CRM ever vouched for. Two of one name are told apart in it."""
    return [Colleague(**row._asdict()) for row in connection.execute(_COLLEAGUES, {"tenant": tenant})]


def hand(connection: sa.Connection, link: UUID, by: Person, to: str | None, now: datetime) -> bool:
    """Hand what is asked about a customer to that person, or to nobody; false for whoever is none of the colleagues."""
    values = {"link": link, "tenant": by.tenant, "to": to, "by": by.name, "now": now}
    if to is None:
        connection.execute(_TAKE_BACK, values)
        return True
    return connection.execute(_HAND, values).rowcount > 0


def holder(connection: sa.Connection, link: UUID) -> Colleague | None:
    """To whom the open questions about a customer were handed; nobody once they are answered."""
    row = connection.execute(_HOLDER, {"link": link}).one_or_none()
    return None if row is None else Colleague(**row._asdict())


_COLLEAGUES = sa.text(f"""
    select id, {TOLD_APART} as name, role from sync.person
    where tenant = :tenant and role <> 'reader' order by sync.person.name, id limit 500
""")
_HAND = sa.text("""
    insert into sync.handover (link, tenant, person, given_by, at)
    select l.id, l.tenant, p.id, :by, :now from sync.link l join sync.person p on p.tenant = l.tenant
    where l.id = :link and l.tenant = :tenant and p.id = :to and p.role <> 'reader'
    on conflict (link) do update set person = excluded.person, given_by = excluded.given_by, at = excluded.at
""")
_TAKE_BACK = sa.text("delete from sync.handover where link = :link and tenant = :tenant")
_HOLDER = sa.text("""
    select p.id, p.name, p.role from sync.handover h join sync.person p on p.tenant = h.tenant and p.id = h.person
    where h.link = :link and exists (
        select from sync.task t where t.link = h.link and t.closed is null and t.opened <= h.at)
""")
