"""How far is it counted what other rules would do? One row for each change that somebody asked about; reading and noting only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB

from reconciler.rules import Rule
from reconciler.ruleset import Chosen

_CHOSEN = TypeAdapter(dict[str, dict[str, Rule]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One change: what is found of it so far (``body``) after ``seen`` of ``total`` customers, and what was told last."""

    tenant: str
    agreement: int
    mark: str
    after: Chosen
    asked: datetime | None
    total: int
    seen: int
    last: UUID | None
    body: dict[str, Any] | None
    made: datetime | None
    told: dict[str, Any] | None


def find(connection: sa.Connection, tenant: str, agreement: int, mark: str) -> Counted | None:
    """What is known of that change."""
    row = connection.execute(_FIND, {"tenant": tenant, "agreement": agreement, "mark": mark}).one_or_none()
    return None if row is None else _counted(row)


def ask(
    connection: sa.Connection, tenant: str, agreement: int, mark: str, after: Chosen, total: int, now: datetime
) -> None:
    """Have that change counted, from the beginning; nothing where it is being counted already."""
    values = {
        "tenant": tenant, "agreement": agreement, "mark": mark, "total": total, "now": now,
        "after": _CHOSEN.dump_json({kind: dict(rules) for kind, rules in after.items()}).decode(),
    }  # fmt: skip
    connection.execute(_ASK, values)


def under_way(connection: sa.Connection) -> list[Counted]:
    """The changes that somebody waits for, who waits longest first."""
    return [_counted(row) for row in connection.execute(_UNDER_WAY)]


def noted(
    connection: sa.Connection, one: Counted, seen: int, last: UUID | None, body: dict[str, Any], ended: datetime | None
) -> None:
    """So far it was counted; ``ended``: all of it. Nothing where it was begun anew meanwhile."""
    values = {
        "tenant": one.tenant, "agreement": one.agreement, "mark": one.mark, "before": one.last, "seen": seen,
        "last": last, "body": body, "ended": ended,
    }  # fmt: skip
    connection.execute(_NOTED, values)


def give_up(connection: sa.Connection, one: Counted) -> None:
    """Nobody waits for it any more: other rules hold by now, or counting failed."""
    connection.execute(_GIVE_UP, {"tenant": one.tenant, "agreement": one.agreement, "mark": one.mark})


def forget(connection: sa.Connection, before: datetime) -> int:
    """Remove what was counted before that time and nobody waits for; returns how many."""
    return connection.execute(_FORGET, {"before": before}).rowcount


def _counted(row: sa.Row[Any]) -> Counted:
    return Counted(**{**row._asdict(), "after": _CHOSEN.validate_python(row.after)})


_FIND = sa.text("select * from sync.foresight where tenant = :tenant and agreement = :agreement and mark = :mark")
_ASK = sa.text("""
    insert into sync.foresight as f (tenant, agreement, mark, after, asked, total)
    values (:tenant, :agreement, :mark, cast(:after as jsonb), :now, :total)
    on conflict (tenant, agreement, mark) do update set
        asked = excluded.asked, total = excluded.total, seen = 0, last = null, body = null
    where f.asked is null
""")
_UNDER_WAY = sa.text("select * from sync.foresight where asked is not null order by asked limit 10")
_NOTED = sa.text("""
    update sync.foresight set
        seen = :seen, last = :last, body = :body, asked = case when cast(:ended as timestamptz) is null then asked end,
        made = coalesce(:ended, made), told = case when cast(:ended as timestamptz) is null then told else :body end
    where tenant = :tenant and agreement = :agreement and mark = :mark and asked is not null
      and last is not distinct from cast(:before as uuid)
""").bindparams(sa.bindparam("body", type_=JSONB))
_GIVE_UP = sa.text("""
    update sync.foresight set asked = null where tenant = :tenant and agreement = :agreement and mark = :mark
""")
_FORGET = sa.text("delete from sync.foresight where asked is null and coalesce(made, '-infinity') < :before")
