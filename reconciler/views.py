"""What does each page and answer show? Reading only; a tenant sees nothing of another's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from crm_outbox.messaging.envelope import Version
from reconciler import agreements, store
from reconciler.agreement import Agreement
from reconciler.contract import State, TaskKind
from reconciler.freshness import Known
from reconciler.link import Link

_OF_AGREEMENT: Final[dict[str, State]] = {"on": "not_there", "access_lost": "access_lost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer of the CRM as it is known: its link, if it has one, and when e-conomic's side was seen last."""

    agreement: Agreement | None
    stored: store.Stored | None
    known: Known

    @property
    def without_link(self) -> State:
        """How it stands while no link tells about it."""
        if self.agreement is None:
            return "not_set_up"
        return _OF_AGREEMENT.get(self.agreement.state, "off")


def customer(connection: sa.Connection, tenant: str, crm_id: str) -> Customer:
    """That customer of that tenant, in the agreement the tenant uses."""
    used = next(iter(agreements.of_tenant(connection, tenant)), None)
    if used is None or used.state == "disconnected":
        return Customer(agreement=None, stored=None, known=Known(seen=None, compared=None))
    found = store.of_customer(connection, crm_id, tenant, used.agreement)
    if not found:
        return Customer(agreement=used, stored=None, known=Known(seen=None, compared=None))
    link = found[0].link
    return Customer(
        agreement=used, stored=found[0], known=Known(seen=_seen(connection, link), compared=link.crm_version)
    )


def _seen(connection: sa.Connection, link: Link) -> datetime | None:
    if link.number is None:
        return None
    values = {"agreement": link.agreement, "number": link.number}
    found: datetime | None = connection.execute(_SEEN, values).scalar()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open question in a list: about whom, what, and since when."""

    id: UUID
    kind: TaskKind
    reason: str
    details: tuple[str, ...]
    customer: str | None
    number: int | None
    name: str
    opened: datetime


def questions(connection: sa.Connection, tenant: str, *, limit: int, skip: int = 0) -> tuple[list[Question], int]:
    """A tenant's open questions, the oldest first, and how many there are in all."""
    values = {"tenant": tenant, "limit": limit, "skip": skip}
    found = [
        Question(**{**row._asdict(), "details": tuple(row.details)}) for row in connection.execute(_QUESTIONS, values)
    ]
    total = connection.execute(_QUESTIONS_COUNTED, {"tenant": tenant}).scalar()
    return found, int(total or 0)


def parsed(text: str | None) -> Version | None:
    """A version as the CRM wrote it on its page; none where there is none or it is no version."""
    try:
        return None if text is None else Version.parse(text)
    except ValueError:
        return None


_QUESTIONS = sa.text("""
    select t.id, t.kind, t.reason, t.details, l.crm_id as customer, l.number,
           coalesce(here.state -> 'customer' ->> 'name', there.state ->> 'name', '') as name, t.opened
    from sync.task t
    left join sync.link l on l.id = t.link
    left join sync.crm_side here on here.tenant = t.tenant and here.crm_id = l.crm_id
    left join sync.economic_side there on there.agreement = t.agreement and there.number = l.number
    where t.tenant = :tenant and t.closed is null
    order by t.opened, t.id limit :limit offset :skip
""")
_QUESTIONS_COUNTED = sa.text("select count(*) from sync.task where tenant = :tenant and closed is null")
_SEEN = sa.text("select seen from sync.economic_side where agreement = :agreement and number = :number")
