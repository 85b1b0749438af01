"""Who chose which rules when? Every change of the rules of an agreement, kept for good; reading and adding only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from reconciler.rules import Rule
from reconciler.ruleset import Chosen

Preset = Literal["", "invoices"]
_CHOSEN = TypeAdapter(dict[str, dict[str, Rule]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: the rules before and after it. ``undoes`` is the change it takes back."""

    id: UUID
    tenant: str
    agreement: int
    at: datetime
    who: str
    who_id: str = ""
    preset: Preset = ""
    before: Chosen
    after: Chosen
    undoes: UUID | None = None
    undone_by: UUID | None = None


def add(connection: sa.Connection, one: Change) -> None:
    """Remember a change."""
    values = {
        "id": one.id, "tenant": one.tenant, "agreement": one.agreement, "at": one.at, "who": one.who,
        "who_id": one.who_id, "preset": one.preset, "undoes": one.undoes, "before": _text(one.before),
        "after": _text(one.after),
    }  # fmt: skip
    connection.execute(_ADD, values)


def find(connection: sa.Connection, tenant: str, change: UUID) -> Change | None:
    """That change of that tenant."""
    row = connection.execute(_FIND, {"tenant": tenant, "id": change}).one_or_none()
    return None if row is None else _change(row)


def newest(connection: sa.Connection, tenant: str, agreement: int, limit: int) -> Sequence[Change]:
    """The changes of an agreement, the newest first."""
    values = {"tenant": tenant, "agreement": agreement, "limit": limit}
    return [_change(row) for row in connection.execute(_NEWEST, values)]


def examples(connection: sa.Connection, tenant: str, agreement: int, limit: int = 50) -> Sequence[tuple[str, str]]:
    """Names of linked customers, each with that of a contact person (empty: none), by name."""
    values = {"tenant": tenant, "agreement": agreement, "limit": limit}
    return [(row.name, row.person) for row in connection.execute(_EXAMPLES, values)]


def _text(chosen: Chosen) -> str:
    return _CHOSEN.dump_json({kind: dict(rules) for kind, rules in chosen.items()}).decode()


def _change(row: sa.Row[Any]) -> Change:
    return Change(
        id=row.id,
        tenant=row.tenant,
        agreement=row.agreement,
        at=row.at,
        who=row.who,
        who_id=row.who_id,
        preset=row.preset,
        before=_CHOSEN.validate_python(row.before),
        after=_CHOSEN.validate_python(row.after),
        undoes=row.undoes,
        undone_by=row.undone_by,
    )


_ADD = sa.text("""
    insert into sync.rule_change (id, tenant, agreement, at, who, who_id, preset, before, after, undoes)
    values (:id, :tenant, :agreement, :at, :who, :who_id, :preset, cast(:before as jsonb), cast(:after as jsonb), :undoes)
""")
_READ = """
    select c.*, (select u.id from sync.rule_change u where u.undoes = c.id limit 1) as undone_by from sync.rule_change c
"""
_FIND = sa.text(f"{_READ} where c.tenant = :tenant and c.id = :id")
_NEWEST = sa.text(
    f"{_READ} where c.tenant = :tenant and c.agreement = :agreement order by c.at desc, c.id limit :limit"
)
_EXAMPLES = sa.text("""
    select s.state -> 'customer' ->> 'name' as name,
           coalesce(s.state -> 'customer' -> 'contacts' -> 0 ->> 'name', '') as person
    from sync.link l join sync.crm_side s on s.tenant = l.tenant and s.crm_id = l.crm_id
    where l.tenant = :tenant and l.agreement = :agreement and l.state = 'linked' and l.category <> ''
      and coalesce(s.state -> 'customer' ->> 'name', '') <> ''
    order by l.name_key, l.id limit :limit
""")
