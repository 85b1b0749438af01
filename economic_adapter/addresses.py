"""Where do an agreement's webhooks arrive, and which secrets open that address? SQL of those columns of ``agreement``.

Of a secret only the digest is kept. While one is replaced, the old one and the new one open the address; the old one gets
its end only when e-conomic has been told of the new one. The caller holds the transaction; nothing here commits.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from economic_adapter import handmade
from economic_adapter.tables import agreement as table


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where webhooks of an agreement arrive, and the digests of the secrets that open it, at most two."""

    agreement: int
    secrets_sha256: tuple[bytes, ...]
    state: str
    by_hand: bool = False
    """Whether it is the address for a webhook that a person makes in e-conomic."""


def endpoint(connection: Connection, name: str, now: datetime, key: bytes = b"") -> Endpoint | None:
    """Whose webhooks arrive there; an old secret counts until its end. ``key`` makes the addresses of those made by hand."""
    by_hand = handmade.number_of(key, name)
    query = sa.select(
        table.c.number,
        table.c.tenant,
        table.c.state,
        table.c.hook_secret_sha256,
        table.c.hook_before_sha256,
        table.c.hook_before_until,
    )
    here = table.c.hook_endpoint == name if by_hand is None else table.c.number == by_hand
    row = connection.execute(query.where(here)).one_or_none()
    if row is None:
        return None
    if by_hand is not None:
        digest = hashlib.sha256(handmade.secret(key, row.tenant, row.number).encode()).digest()
        if row.state == "disconnected":
            return None
        return Endpoint(agreement=row.number, secrets_sha256=(digest,), state=row.state, by_hand=True)
    over = row.hook_before_until is not None and row.hook_before_until <= now
    valid = (row.hook_secret_sha256, None if over else row.hook_before_sha256)
    known = tuple(bytes(one) for one in valid if one is not None)
    return Endpoint(agreement=row.number, secrets_sha256=known, state=row.state) if known else None


def name_of(connection: Connection, number: int) -> str | None:
    """The endpoint of an agreement, if it ever had one."""
    return connection.scalar(sa.select(table.c.hook_endpoint).where(table.c.number == number))


def add_secret(
    connection: Connection, number: int, endpoint: str, fresh: bytes, *, standing: bytes | None = None
) -> None:
    """A new secret opens the address too. Beside it stays the one e-conomic has, without an end.

    ``standing``: the digest of the secret e-conomic is seen to have. Where it is not known to us, the newest one stays.
    """
    row = connection.execute(
        sa.select(table.c.hook_secret_sha256, table.c.hook_before_sha256).where(table.c.number == number)
    ).one()
    newest, before = row
    connection.execute(
        sa.update(table)
        .where(table.c.number == number)
        .values(
            hook_endpoint=endpoint,
            hook_secret_sha256=fresh,
            hook_before_sha256=before if standing is not None and before == standing else newest,
            hook_before_until=None,
        )
    )


def is_newest_of_two(connection: Connection, number: int, standing: bytes) -> bool:
    """Whether e-conomic has the newest secret, while the one before has no end yet: then nothing is left to be told."""
    query = sa.select(table.c.number).where(
        table.c.number == number,
        table.c.hook_secret_sha256 == standing,
        table.c.hook_before_sha256.is_not(None),
        table.c.hook_before_until.is_(None),
    )
    return connection.execute(query).first() is not None


def end_old(connection: Connection, number: int, until: datetime) -> None:
    """e-conomic has the new secret: the old one opens the address until then, and no longer."""
    connection.execute(
        sa.update(table)
        .where(table.c.number == number, table.c.hook_before_sha256.is_not(None))
        .values(hook_before_until=until)
    )


def take_back(connection: Connection, number: int, fresh: bytes) -> None:
    """e-conomic would not take this new secret: only the one before opens the address. May be repeated."""
    connection.execute(
        sa.update(table)
        .where(table.c.number == number, table.c.hook_secret_sha256 == fresh)
        .values(hook_secret_sha256=table.c.hook_before_sha256, hook_before_sha256=None, hook_before_until=None)
    )


def old_secrets(connection: Connection, now: datetime) -> dict[int, datetime | None]:
    """The agreements whose address an old secret opens, and until when; no time while e-conomic has no new one."""
    rows = connection.execute(
        sa.select(table.c.number, table.c.hook_before_until).where(
            table.c.hook_before_sha256.is_not(None),
            sa.or_(table.c.hook_before_until.is_(None), table.c.hook_before_until > now),
        )
    )
    return {row.number: row.hook_before_until for row in rows}
