"""What did people decide, and how did it end? The rows of decisions: saved once, ended part by part, kept for good."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from reconciler import decisions
from reconciler.decisions import Decision, Ended
from reconciler.link import Link
from reconciler.rehearsal import Write
from reconciler.rules import System

_DECISION = TypeAdapter(Decision)
_ENDED = TypeAdapter(tuple[Ended, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A decision as it is stored; ``parts`` is how many it has, and those that ended stand in ``outcome``."""

    decision: Decision
    state: str
    parts: int
    outcome: tuple[Ended, ...]
    ended: datetime | None


def insert(connection: sa.Connection, decision: Decision) -> bool:
    """Store a decision before anything of it is done; whether it is new, for sent again it is the same one."""
    values = {
        "id": decision.id,
        "tenant": decision.tenant,
        "agreement": decision.agreement,
        "link": decision.link,
        "means": decision.means,
        "who": decision.who,
        "who_id": decision.who_id,
        "at": decision.at,
        "undoes": decision.undoes,
        "body": _DECISION.dump_json(decision).decode(),
        "parts": len(decision.wishes) or 1,
    }
    return connection.execute(_INSERT, values).rowcount > 0


def note(connection: sa.Connection, ended: Iterable[Ended], now: datetime) -> None:
    """Store how parts of decisions ended; in the transaction that ended them. A run's own choices have no decision."""
    by_decision: dict[UUID, list[Ended]] = {}
    for one in ended:
        by_decision.setdefault(one.decision, []).append(one)
    for decision in sorted(by_decision):
        saved = get(connection, decision, lock=True)
        if saved is None:
            continue
        known = {(one.record, one.detail) for one in saved.outcome}
        fresh = [one for one in by_decision[decision] if (one.record, one.detail) not in known]
        outcome = (*saved.outcome, *fresh)
        state = decisions.state(saved.parts, outcome)
        values = {
            "id": decision,
            "outcome": _ENDED.dump_json(outcome).decode(),
            "state": state,
            "ended": None if state == "open" else now,
        }
        connection.execute(_NOTE, values)


def get(connection: sa.Connection, decision: UUID, *, lock: bool = False) -> Saved | None:
    """A decision by its id; ``lock`` until the transaction ends."""
    row = connection.execute(_LOCK if lock else _GET, {"id": decision}).one_or_none()
    return None if row is None else _saved(row)


def of_ids(connection: sa.Connection, ids: Iterable[UUID]) -> list[Saved]:
    """Those of these decisions that were taken."""
    return [_saved(row) for row in connection.execute(_OF_IDS, {"ids": list(ids)})]


def of_link(connection: sa.Connection, link: UUID, limit: int = 100) -> list[Saved]:
    """The decisions about one customer, the newest first."""
    return [_saved(row) for row in connection.execute(_OF_LINK, {"link": link, "limit": limit})]


def of_tenant(connection: sa.Connection, tenant: str, limit: int = 100) -> list[Saved]:
    """A tenant's decisions, the newest first."""
    return [_saved(row) for row in connection.execute(_OF_TENANT, {"tenant": tenant, "limit": limit})]


def writes(connection: sa.Connection, decision: UUID) -> tuple[Write, ...]:
    """What was written in consequence of a decision, detail by detail, with what was there before; nothing of it undone."""
    return tuple(
        Write(
            system=System(row.system),
            record=row.record,
            id=row.record_id or "",
            field=field,
            before=row.before.get(field, ""),
            after=after,
        )
        for row in connection.execute(_WRITES, {"decision": decision})
        for field, after in row.after.items()
    )


def landed(connection: sa.Connection, decision: UUID) -> dict[System, datetime]:
    """When what was written in consequence of a decision reached each system last."""
    return {System(row.system): row.at for row in connection.execute(_LANDED, {"decision": decision})}


def undone_by(connection: sa.Connection, saved: Saved) -> Saved | None:
    """The newest decision that undid that one, or is about to."""
    values = {"link": saved.decision.link, "decision": saved.decision.id}
    row = connection.execute(_UNDONE_BY, values).one_or_none()
    return None if row is None else _saved(row)


def persons_made(connection: sa.Connection, link: Link) -> bool:
    """Whether contact persons were created for those two since they were linked: they stay when the two are unlinked."""
    key = {"tenant": link.tenant, "agreement": link.agreement, "crm_id": link.crm_id, "since": link.linked_at}
    return bool(connection.execute(_PERSONS_MADE, key).scalar())


def _saved(row: sa.Row[tuple[object, ...]]) -> Saved:
    return Saved(
        decision=_DECISION.validate_python(row.body),
        state=row.state,
        parts=row.parts,
        outcome=_ENDED.validate_python(row.outcome),
        ended=row.ended,
    )


_INSERT = sa.text("""
    insert into sync.decision (id, tenant, agreement, link, means, who, who_id, at, undoes, body, parts)
    values (:id, :tenant, :agreement, :link, :means, :who, :who_id, :at, :undoes, cast(:body as jsonb), :parts)
    on conflict (id) do nothing
""")
_NOTE = sa.text("""
    update sync.decision set outcome = cast(:outcome as jsonb), state = :state, ended = :ended where id = :id
""")
_GET = sa.text("select * from sync.decision where id = :id")
_WRITES = sa.text("""
    select system, record, record_id, before, after from sync.audit
    where decision = :decision and action = 'change' order by id
""")
_LANDED = sa.text("select system, max(at) as at from sync.audit where decision = :decision group by 1")
_UNDONE_BY = sa.text("""
    select * from sync.decision where link = :link and undoes = :decision and state <> 'refused' order by at desc, id limit 1
""")
_PERSONS_MADE = sa.text("""
    select exists (
        select from sync.audit
        where tenant = :tenant and agreement = :agreement and crm_id = :crm_id and at >= :since
          and action = 'create' and record = 'contact')
""")
_LOCK = sa.text("select * from sync.decision where id = :id for update")
_OF_IDS = sa.text("select * from sync.decision where id = any(:ids)")
_OF_LINK = sa.text("select * from sync.decision where link = :link order by at desc, id limit :limit")
_OF_TENANT = sa.text("select * from sync.decision where tenant = :tenant order by at desc, id limit :limit")
