"""Which changes may the reader of a letter see and undo without a sign-in? Links that open once, kept as their SHA-256 only.

What opens a link is made when its mail leaves, 256 random bits, and stands nowhere but in that mail. A link is of one reader of
one tenant, and of one detail of one write.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

LASTS: Final = timedelta(days=14)
"""So long a link of a letter opens."""
KEPT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a link is about: one detail of one write to that customer."""

    id: UUID
    write: int
    detail: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A link that holds; ``used``: when it was, and what came of it as the decision of that id, if anything."""

    id: UUID
    tenant: str
    address: str
    write: int
    detail: str
    expires: datetime
    used: datetime | None
    decision: UUID | None


def insert(
    connection: sa.Connection, tenant: str, address: str, mail: UUID, changes: Iterable[Change], now: datetime
) -> None:
    """Remember what the links of a mail that is planned are about; nothing opens them yet."""
    rows = [
        {
            "id": one.id, "tenant": tenant, "address": address, "mail": mail, "write": one.write, "detail": one.detail,
            "customer": one.customer, "now": now, "expires": now + LASTS,
        }
        for one in changes
    ]  # fmt: skip
    if rows:
        connection.execute(_INSERT, rows)


def mint(connection: sa.Connection, mail: UUID, now: datetime) -> list[tuple[UUID, str, str]]:
    """What the links of a mail are now, which is about to leave: its link, the customer, and what opens it; empty for nothing.

    What an earlier try of that mail was given opens them as well: it may have arrived.
    """
    found = [
        (row.id, row.customer, secrets.token_urlsafe(32) if row.holds else "")
        for row in connection.execute(_OF_MAIL, {"mail": mail, "now": now})
    ]
    tokens = [{"sha256": _hash(token), "link": link} for link, _, token in found if token]
    if tokens:
        connection.execute(_MINT, tokens)
    return found


def find(connection: sa.Connection, token: str, now: datetime) -> Opened | None:
    """The link that this opens; none where there is none, it is over, or the tenant's admins do not allow them any more."""
    row = connection.execute(_FIND, {"sha256": _hash(token), "now": now}).one_or_none()
    return None if row is None else Opened(**row._asdict())


def use(connection: sa.Connection, link: UUID, now: datetime) -> bool:
    """Whether it is used for the first time; whoever uses it meanwhile waits for the end of this transaction."""
    return connection.execute(_USE, {"id": link, "now": now}).rowcount > 0


def decided(connection: sa.Connection, link: UUID, decision: UUID) -> None:
    """What came of its use."""
    connection.execute(_DECIDED, {"id": link, "decision": decision})


def revoke(connection: sa.Connection, tenant: str, now: datetime, but: Collection[str] = ()) -> int:
    """End the links of a tenant for good, but for those of these readers; returns how many."""
    return connection.execute(_REVOKE, {"tenant": tenant, "now": now, "but": list(but)}).rowcount


def forget(connection: sa.Connection, now: datetime) -> int:
    """Remove those that are long over; returns how many."""
    return connection.execute(_FORGET, {"before": now - KEPT}).rowcount


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


_INSERT = sa.text("""
    insert into sync.letter_link (id, tenant, address, mail, write, detail, customer, made, expires)
    values (:id, :tenant, :address, :mail, :write, :detail, :customer, :now, :expires)
""")
_OF_MAIL = sa.text("""
    select id, customer, revoked is null and used is null and expires > :now as holds
    from sync.letter_link where mail = :mail
""")
_MINT = sa.text("insert into sync.letter_token (sha256, link) values (:sha256, :link)")
_FIND = sa.text("""
    select l.id, l.tenant, l.address, l.write, l.detail, l.expires, l.used, l.decision
    from sync.letter_token t join sync.letter_link l on l.id = t.link
    where t.sha256 = :sha256 and l.revoked is null and l.expires > :now
      and exists (select from sync.setting s where s.tenant = l.tenant and s.name = 'letter_links' and s.value = 'true')
""")
_USE = sa.text("update sync.letter_link set used = :now where id = :id and used is null and revoked is null")
_DECIDED = sa.text("update sync.letter_link set decision = :decision where id = :id")
_REVOKE = sa.text("""
    update sync.letter_link set revoked = :now
    where tenant = :tenant and revoked is null and address <> all(cast(:but as text[]))
""")
_FORGET = sa.text("delete from sync.letter_link where expires < :before")
