"""What do we remember of an agreement, and its sealed grant? All SQL of table ``agreement`` but its budget.

A grant is opened only here. The caller holds the transaction; nothing here commits.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from economic_adapter import store
from economic_adapter.contract import Reference
from economic_adapter.sealing import NONCE_BYTES, KeyRing, Place, key_id
from economic_adapter.tables import agreement as table
from economic_adapter.tables import epoch, work

State = Literal["connected", "on", "off", "access_lost", "disconnected"]
Webhooks = Literal["none", "registered", "refused"]
GRANT = "grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One row, without the grant and the budget's inner parts."""

    number: int
    tenant: str
    name: str
    state: State
    cause: str
    seen_at: datetime | None
    customers: int | None
    rights: dict[str, Any]
    reference: Reference | None
    webhooks_wanted: bool
    webhooks: Webhooks
    polling: bool
    number_from: int | None
    calls_today: int
    has_grant: bool
    hook_endpoint: str | None


class NoGrant(Exception):
    """The agreement has no grant, because it was never connected or was disconnected."""


def active_number(connection: Connection, tenant: str) -> int | None:
    """The number of the tenant's one active agreement."""
    return connection.scalar(sa.select(table.c.number).where(table.c.tenant == tenant, table.c.state != "disconnected"))


def named(connection: Connection, number: int, *, lock: bool = False) -> Agreement | None:
    """The agreement of that number, whatever its state; ``lock`` holds its row until the transaction ends."""
    query = sa.select(table).where(table.c.number == number)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _agreement(row)


def waiting_cause(connection: Connection, number: int, now: datetime) -> str:
    """Why nothing is done for the agreement now; empty when something is."""
    row = connection.execute(sa.select(table).where(table.c.number == number)).mappings().one_or_none()
    return store.waiting_cause(row, now)


def every(connection: Connection) -> list[Agreement]:
    """All agreements, by number."""
    return [_agreement(row) for row in connection.execute(sa.select(table).order_by(table.c.number)).mappings()]


def connect(
    connection: Connection, keys: KeyRing, *, number: int, tenant: str, name: str, grant: str, now: datetime
) -> None:
    """Store a grant that was checked. A connection that is on, off or lost keeps its settings and state ``on``/``off``.

    Raises ``IntegrityError`` when the tenant has another active agreement.
    """
    sealed = keys.seal(grant, Place(tenant=tenant, agreement=number, column=GRANT), secrets.token_bytes(NONCE_BYTES))
    fresh = {
        "tenant": tenant,
        "name": name,
        "state": "connected",
        "cause": "",
        "grant_sealed": sealed,
        "connected_at": now,
        "seen_at": now,
    }
    statement = insert(table).values(number=number, **fresh)
    kept = sa.case((table.c.state == "disconnected", "connected"), else_=table.c.state)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.number],
            set_={**fresh, "state": kept, "cause": table.c.cause},
        )
    )


def grant_of(connection: Connection, keys: KeyRing, number: int) -> str:
    """The grant in clear, for one call. ``NoGrant`` or ``sealing.Unreadable``."""
    row = connection.execute(
        sa.select(table.c.tenant, table.c.grant_sealed).where(table.c.number == number)
    ).one_or_none()
    if row is None or row.grant_sealed is None:
        raise NoGrant
    return keys.open(row.grant_sealed, Place(tenant=row.tenant, agreement=number, column=GRANT))


def set_state(connection: Connection, number: int, state: State, cause: str = "") -> None:
    """Move the state; a state of its own choosing is the caller's, who holds the row."""
    connection.execute(sa.update(table).where(table.c.number == number).values(state=state, cause=cause))


def lose_access(connection: Connection, number: int, cause: str) -> bool:
    """Note that e-conomic refuses us; false when that was known. The state before comes back with ``regain_access``."""
    moved = connection.execute(
        sa.update(table)
        .where(table.c.number == number, table.c.state.in_(["connected", "on", "off"]))
        .values(
            state="access_lost",
            cause=cause,
            rights=table.c.rights.concat(sa.func.jsonb_build_object("state_before", table.c.state)),
        )
    )
    return moved.rowcount == 1


def explain_loss(connection: Connection, number: int, cause: str) -> bool:
    """Note why e-conomic refuses us, where access is lost already; false when that was known."""
    given = sa.update(table).where(table.c.number == number, table.c.state == "access_lost", table.c.cause != cause)
    return connection.execute(given.values(cause=cause)).rowcount == 1


def regain_access(connection: Connection, number: int) -> bool:
    """Note that e-conomic takes us again; false when access was not lost."""
    before = sa.func.coalesce(table.c.rights["state_before"].astext, "connected")
    moved = connection.execute(
        sa.update(table)
        .where(table.c.number == number, table.c.state == "access_lost")
        .values(state=before, cause="", rights=table.c.rights.op("-")("state_before"))
    )
    return moved.rowcount == 1


def hurry(connection: Connection, number: int, now: datetime) -> None:
    """Access is there again: forget failures of before, and do at once what waited for it. An operator's pause stays."""
    connection.execute(
        sa.update(table).where(table.c.number == number).values(failures=0, failing_since=None, probe_at=None)
    )
    connection.execute(
        sa.update(work)
        .where(work.c.agreement == number, work.c.worker.is_(None), work.c.waiting != "", work.c.due_at > now)
        .values(due_at=now)
    )


def record(
    connection: Connection,
    number: int,
    *,
    name: str,
    customers: int | None,
    reference: Reference | None,
    rights: dict[str, Any],
    now: datetime,
) -> None:
    """Keep what was read of the agreement; what could not be read this time stays as it was."""
    connection.execute(
        sa.update(table)
        .where(table.c.number == number)
        .values(
            name=name,
            seen_at=now,
            rights=table.c.rights.concat(sa.cast(rights, table.c.rights.type)),
            **({} if customers is None else {"customers": customers}),
            **({} if reference is None else {"reference": reference.model_dump(mode="json", exclude_none=True)}),
        )
    )


def configure(
    connection: Connection,
    number: int,
    *,
    state: State,
    webhooks: bool,
    polling: bool,
    number_from: int | None,
    number_to: int | None,
) -> None:
    """Keep how this agreement is worked."""
    connection.execute(
        sa.update(table)
        .where(table.c.number == number)
        .values(
            state=state,
            cause="",
            webhooks_wanted=webhooks,
            polling=polling,
            number_from=number_from,
            number_to=number_to,
            next_number=sa.case((table.c.number_from.is_not_distinct_from(number_from), table.c.next_number)),
        )
    )


def set_webhooks(connection: Connection, number: int, webhooks: Webhooks, note: str = "") -> None:
    """Keep whether e-conomic tells us of changes by itself, and its word when it would not."""
    connection.execute(
        sa.update(table)
        .where(table.c.number == number)
        .values(webhooks=webhooks, rights=table.c.rights.concat(sa.func.jsonb_build_object("webhooks_note", note)))
    )


def missed(connection: Connection, number: int, found: int) -> None:
    """Count changes that were found by looking although e-conomic tells of changes by itself."""
    told = sa.update(table).where(table.c.number == number, table.c.webhooks == "registered")
    connection.execute(told.values(missed=table.c.missed + found))


def disconnect(connection: Connection, number: int, cause: str = "") -> None:
    """Erase the grant and the webhook's address; links are kept by whoever has them."""
    connection.execute(
        sa.update(table)
        .where(table.c.number == number)
        .values(
            state="disconnected",
            cause=cause,
            grant_sealed=None,
            hook_endpoint=None,
            hook_secret_sha256=None,
            hook_before_sha256=None,
            hook_before_until=None,
            webhooks="none",
            rights=sa.text("'{}'"),
        )
    )


def reseal(connection: Connection, keys: KeyRing, limit: int) -> int:
    """Seal again what another key than the first one sealed, at most ``limit`` rows; how many were done."""
    rows = connection.execute(
        sa.select(table.c.number, table.c.tenant, table.c.grant_sealed)
        .where(table.c.grant_sealed.is_not(None), sa.not_(table.c.grant_sealed.startswith(f"v1.{keys.first}.")))
        .order_by(table.c.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for number, tenant, sealed in rows:
        place = Place(tenant=tenant, agreement=number, column=GRANT)
        again = keys.seal(keys.open(sealed, place), place, secrets.token_bytes(NONCE_BYTES))
        connection.execute(sa.update(table).where(table.c.number == number).values(grant_sealed=again))
    return len(rows)


def keys_in_use(connection: Connection) -> dict[str, int]:
    """How many grants each key sealed."""
    counts: dict[str, int] = {}
    for sealed in connection.scalars(sa.select(table.c.grant_sealed).where(table.c.grant_sealed.is_not(None))):
        counts[key_id(sealed)] = counts.get(key_id(sealed), 0) + 1
    return counts


def current_epoch(connection: Connection) -> int:
    """The first half of every version given now."""
    return int(connection.execute(sa.select(epoch.c.epoch)).scalar_one())


def next_epoch(connection: Connection) -> int:
    """Start a new epoch, after a restore; every version given from now on is newer than any before."""
    moved = sa.update(epoch).values(epoch=epoch.c.epoch + 1).returning(epoch.c.epoch)
    return int(connection.execute(moved).scalar_one())


def _agreement(row: sa.RowMapping) -> Agreement:
    return Agreement(
        number=row["number"],
        tenant=row["tenant"],
        name=row["name"],
        state=cast(State, row["state"]),
        cause=row["cause"],
        seen_at=row["seen_at"],
        customers=row["customers"],
        rights=row["rights"],
        reference=None if row["reference"] is None else Reference.model_validate(row["reference"]),
        webhooks_wanted=row["webhooks_wanted"],
        webhooks=cast(Webhooks, row["webhooks"]),
        polling=row["polling"],
        number_from=row["number_from"],
        calls_today=row["calls_today"],
        has_grant=row["grant_sealed"] is not None,
        hook_endpoint=row["hook_endpoint"],
    )
