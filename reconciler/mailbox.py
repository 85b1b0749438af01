"""Who is to be told of what, and which mails are not sent yet? The store of mail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler.contract import TaskKind
from reconciler.pair import INVOICE_COPIES
from reconciler.people_tables import TOLD_APART
from reconciler.person import Role

Occasion = Literal["digest", "letter", "lost", "stopped"]

LETTER_TO: Final = "letter_to"
LANGUAGE: Final = "language"
"""The setting of what the tenant reads: its letter, and whoever has chosen nothing."""
"""The setting that holds the addresses of the weekly letter."""
LETTER_LINKS: Final = "letter_links"
"""The setting that says whether its links open without a sign-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who can be written to. ``language``: what they chose, and what their tenant speaks; each may be none."""

    id: str
    name: str
    role: Role
    address: str
    languages: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Somebody who can act, and where they are written to; an empty address: not at all."""

    id: str
    name: str
    role: Role
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A customer, or a pass that stopped, that waits for somebody's choice; ``holder`` is whom it was handed to, if anybody."""

    customer: str | None
    name: str
    kind: TaskKind
    opened: datetime
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One detail that the CRM's side changed in e-conomic, in that write of the audit; or a contact person it removed there.

    ``gets_invoices``: it is of a contact person to whom e-conomic sends copies of invoices, as far as is known now, or was
    when they were removed. ``removed``: they were; the detail is their name, and nothing after it.
    """

    write: int
    customer: str
    number: int | None
    name: str
    record: Literal["customer", "contact"]
    field: str
    before: str
    after: str
    gets_invoices: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A mail that is to be sent now. ``tries``: how often it was tried before."""

    id: UUID
    tenant: str
    address: str
    subject: str
    body: str
    planned: datetime
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """How mail stands for a tenant: how many can be written to, and the last failure nobody mended, if any.

    A failure is mended by a mail that reached that very address, or by the address being nobody's any more.
    """

    readers: int
    failed: datetime | None
    failure: str
    address: str
    given_up: bool
    """Whether it is not tried again."""


def tenants(connection: sa.Connection) -> list[tuple[str, int, str, datetime]]:
    """Every tenant's agreement in use: tenant, number, state, and since when it was changed."""
    return [tuple(row) for row in connection.execute(_TENANTS)]


def once(connection: sa.Connection, tenant: str, kind: Occasion, key: str, now: datetime) -> bool:
    """Whether that is planned for the first time; from here on it is planned."""
    return connection.execute(_ONCE, {"tenant": tenant, "kind": kind, "key": key, "now": now}).rowcount > 0


def over(connection: sa.Connection, tenant: str, kind: Occasion) -> None:
    """That trouble is over: the next one is told anew."""
    connection.execute(_OVER, {"tenant": tenant, "kind": kind})


def readers(connection: sa.Connection, tenant: str, roles: Iterable[Role]) -> list[Reader]:
    """Everybody of a tenant with one of these roles who has an address."""
    rows = connection.execute(_READERS, {"tenant": tenant, "roles": list(roles)})
    return [
        Reader(id=row.id, name=row.name, role=row.role, address=row.mail, languages=(row.language, row.spoken))
        for row in rows
    ]


def everybody(connection: sa.Connection, tenant: str) -> tuple[Told, ...]:
    """Everybody of a tenant who can act, by name."""
    rows = connection.execute(_EVERYBODY, {"tenant": tenant})
    return tuple(Told(id=row.id, name=row.name, role=row.role, address=row.mail) for row in rows)


def address(connection: sa.Connection, tenant: str, person: str, address: str) -> bool:
    """Set where a person is written to; whether that person is known and can act."""
    return connection.execute(_ADDRESS, {"tenant": tenant, "id": person, "address": address}).rowcount > 0


def waiting(connection: sa.Connection, tenant: str) -> list[Waiting]:
    """What waits for a choice, the oldest first."""
    return [Waiting(**row._asdict()) for row in connection.execute(_WAITING, {"tenant": tenant})]


def written(connection: sa.Connection, tenant: str, since: datetime, until: datetime) -> list[Written]:
    """What was changed in e-conomic from the CRM's side in that time, and who was removed there, in its order.

    What was created or barred there is not among it.
    """
    found = []
    for row in connection.execute(_WRITTEN, {"tenant": tenant, "since": since, "until": until, "copies": _COPIES}):
        known: Mapping[str, str] = row.before
        after: Mapping[str, str] = {"name": ""} if row.removed else row.after
        found += [
            Written(
                write=row.id, customer=row.crm_id, number=row.number, name=row.name, record=row.record, field=field,
                before=known.get(field, ""), after=value, gets_invoices=row.gets_invoices, removed=row.removed,
            )
            for field, value in sorted(after.items())
            if row.removed or known.get(field, "") != value
        ]  # fmt: skip
    return found


def stuck(connection: sa.Connection, tenant: str, since: datetime) -> bool:
    """Whether a write of that tenant has waited since before that time, and none of its writes has ended after it.

    That something is heard is no movement: the adapter tells of itself every minute, also while nothing goes through. What
    waits for the next day's calls has not stopped: its status says when it goes.
    """
    return bool(connection.execute(_STUCK, {"tenant": tenant, "since": since}).scalar())


def plan(
    connection: sa.Connection, tenant: str, kind: Occasion, address: str, subject: str, body: str, now: datetime
) -> UUID:
    """Record a mail that is to be sent; its id."""
    mail = uuid4()
    values = {
        "id": mail, "tenant": tenant, "kind": kind, "address": address, "subject": subject, "body": body, "now": now,
    }  # fmt: skip
    connection.execute(_PLAN, values)
    return mail


def claim(connection: sa.Connection, now: datetime, until: datetime) -> Unsent | None:
    """One mail that is due; nobody else is given it before ``until``."""
    row = connection.execute(_CLAIM, {"now": now, "until": until}).one_or_none()
    return None if row is None else Unsent(**row._asdict())


def sent(connection: sa.Connection, mail: UUID, now: datetime) -> None:
    """The server took it; what it said is forgotten here."""
    connection.execute(_SENT, {"id": mail, "now": now})


def failed(connection: sa.Connection, mail: UUID, failure: str, due: datetime | None) -> None:
    """It was not taken; tried again at ``due``, or never."""
    connection.execute(_FAILED, {"id": mail, "failure": failure, "due": due})


def post(connection: sa.Connection, tenant: str) -> Post:
    """How mail stands for a tenant."""
    return Post(**connection.execute(_POST, {"tenant": tenant, "letter_to": LETTER_TO}).one()._asdict())


def forget(connection: sa.Connection, before: datetime) -> int:
    """Remove mails and rounds from before that time; returns how many."""
    gone = connection.execute(_FORGET_MAIL, {"before": before}).rowcount
    return gone + connection.execute(_FORGET_ROUNDS, {"before": before}).rowcount


_TENANTS = sa.text("""
    select distinct on (tenant) tenant, agreement, state, changed from sync.agreement
    where state <> 'disconnected' order by tenant, changed desc
""")
_ONCE = sa.text("""
    insert into sync.mail_round (tenant, kind, key, at) values (:tenant, :kind, :key, :now) on conflict do nothing
""")
_OVER = sa.text("delete from sync.mail_round where tenant = :tenant and kind = :kind")
_READERS = sa.text("""
    select id, name, role, mail, language,
        (select value #>> '{}' from sync.setting s where s.tenant = person.tenant and s.name = 'language') as spoken
    from sync.person where tenant = :tenant and role = any(:roles) and mail <> '' order by id
""")
_EVERYBODY = sa.text(f"""
    select id, {TOLD_APART} as name, role, mail from sync.person
    where tenant = :tenant and role <> 'reader' order by sync.person.name, id limit 200
""")
_ADDRESS = sa.text("""
    update sync.person set mail = :address where tenant = :tenant and id = :id and role <> 'reader'
""")
_WAITING = sa.text("""
    select l.crm_id as customer, coalesce(here.state -> 'customer' ->> 'name', there.state ->> 'name', '') as name,
        t.kind, t.opened, h.person as holder
    from sync.task t
    left join sync.handover h on h.link = t.link and h.at >= t.opened
    left join sync.link l on l.id = t.link
    left join sync.crm_side here on here.tenant = t.tenant and here.crm_id = l.crm_id
    left join sync.economic_side there on there.agreement = t.agreement and there.number = l.number
    where t.tenant = :tenant and t.closed is null order by t.opened, t.id
""")
_COPIES: Final = sorted(INVOICE_COPIES)
_WRITTEN = sa.text("""
    select a.id, a.crm_id, a.number, a.record, a.before, a.after, a.action = 'remove' as removed,
        coalesce(here.state -> 'customer' ->> 'name', '') as name,
        case a.action
            when 'remove' then coalesce(string_to_array(a.before ->> 'receives', ' ') && cast(:copies as text[]), false)
            else a.record = 'contact' and exists (
                select from jsonb_array_elements(there.state -> 'contacts') person
                where person ->> 'number' = a.record_id and jsonb_exists_any(person -> 'receives', :copies)
            )
        end as gets_invoices
    from sync.audit a
    left join sync.crm_side here on here.tenant = a.tenant and here.crm_id = a.crm_id
    left join sync.economic_side there on there.agreement = a.agreement and there.number = a.number
    where a.tenant = :tenant and a.system = 'economic' and a.action in ('change', 'remove')
        and a.at >= :since and a.at < :until
    order by a.at, a.id
""")
_STUCK = sa.text("""
    select exists (
        select from sync.operation o join sync.link l on l.id = o.link
        join sync.agreement a on a.tenant = l.tenant and a.agreement = l.agreement
        where l.tenant = :tenant and o.settled is null and o.sent < :since and a.state = 'on' and a.paused = '[]'
            and o.body ->> 'cause' is distinct from 'day_limit'
    ) and not exists (
        select from sync.operation o join sync.link l on l.id = o.link where l.tenant = :tenant and o.settled >= :since
    )
""")
_PLAN = sa.text("""
    insert into sync.mail (id, tenant, kind, address, subject, body, planned, due)
    values (:id, :tenant, :kind, :address, :subject, :body, :now, :now)
""")
_CLAIM = sa.text("""
    update sync.mail set due = :until, tries = tries + 1
    where id = (select id from sync.mail where due <= :now order by due limit 1 for update skip locked)
    returning id, tenant, address, subject, body, planned, tries - 1 as tries
""")
_SENT = sa.text("update sync.mail set sent = :now, due = null, body = '', failure = '' where id = :id")
_FAILED = sa.text("update sync.mail set failure = :failure, due = :due where id = :id")
_POST = sa.text("""
    select (select count(*) from sync.person where tenant = :tenant and role <> 'reader' and mail <> '') as readers,
        bad.planned as failed, coalesce(bad.failure, '') as failure, coalesce(bad.address, '') as address,
        bad.planned is not null and bad.due is null as given_up
    from (values (1)) as one left join lateral (
        select planned, failure, address, due from sync.mail m
        where tenant = :tenant and failure <> '' and not exists (
            select from sync.mail s
            where s.tenant = m.tenant and s.address = m.address and s.sent is not null and s.planned > m.planned
        ) and (
            exists (select from sync.person p where p.tenant = m.tenant and p.mail = m.address)
            or exists (
                select from sync.setting l
                where l.tenant = m.tenant and l.name = :letter_to and jsonb_exists(l.value, m.address)
            )
        )
        order by planned desc limit 1
    ) as bad on true
""")
_FORGET_MAIL = sa.text("delete from sync.mail where planned < :before and due is null")
_FORGET_ROUNDS = sa.text("delete from sync.mail_round where at < :before and kind in ('digest', 'letter')")
