"""Who wrote and decided what? Of a tenant, a customer or one value: who, when, where, what stood there before. Reading only.

Writes are the audit's; decisions stand beside them, also those that wrote nothing, questions that a changed rule
settled, with who changed it, and what admins did. Newest first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from reconciler import acts
from reconciler.narrowing import MOST_PAST, Filter, of_writes
from reconciler.rules import System
from reconciler.worklists import NAME, Change, changes

By = Literal["flow", "rule", "person"]
RULED: Final = "ruled"
"""What was done where a changed rule settled a question."""
AT_ONCE: Final = 500
"""Rows held in memory while everything is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One write, one decision or one act (``system`` none). ``by``: ``flow``, only the other system had changed it; ``rule``; ``person``.

    ``action`` of a write is create, change or bar; of a decision what it was about, and ``state`` how it stands; ``ruled``
    is a question about ``details`` that a changed rule settled. An act's is one of ``acts.EVERY``, its changes are settings.
    """

    id: str
    at: datetime
    customer: str
    number: int | None
    name: str
    by: By
    who: str
    who_id: str
    system: System | None
    record: str
    record_id: str
    action: str
    state: str
    about: int | None
    changes: tuple[Change, ...]
    details: tuple[str, ...] = ()

    @property
    def is_act(self) -> bool:
        """Whether an admin did it, or the operator."""
        return self.action in acts.EVERY

    @property
    def source(self) -> System | None:
        """Of what flowed: the system in which a person had changed it."""
        return self.system.other if self.by == "flow" and self.system is not None else None


def entries(
    connection: sa.Connection, tenant: str, wanted: Filter, *, limit: int, skip: int = 0
) -> tuple[list[Entry], int]:
    """What was written and decided, and how many entries that are, counted up to ``MOST_PAST``."""
    conditions, values = _conditions(tenant, wanted)
    statement = sa.text(_ENTRIES.format(**conditions))
    rows = connection.execute(statement, {**values, "limit": limit, "skip": skip, "most": limit + skip})
    found = [_entry(row, wanted.detail) for row in rows]
    counted = sa.text(_COUNTED.format(**conditions))
    return found, min(MOST_PAST, int(connection.scalar(counted, {**values, "most": MOST_PAST}) or 0))


def everything(connection: sa.Connection, tenant: str, wanted: Filter) -> Iterator[Entry]:
    """As ``entries``, all of them, as they come: for a download."""
    conditions, values = _conditions(tenant, wanted)
    statement = sa.text(_ENTRIES.format(**conditions)).execution_options(stream_results=True, max_row_buffer=AT_ONCE)
    for row in connection.execute(statement, {**values, "limit": None, "skip": 0, "most": None}):
        yield _entry(row, wanted.detail)


def _conditions(tenant: str, wanted: Filter) -> tuple[dict[str, str], dict[str, Any]]:
    """The conditions on writes ``a``, decisions ``d``, questions ``t`` and acts ``c``, by what they are on, and their values."""
    values: dict[str, Any] = {"tenant": tenant}
    written, given = of_writes(wanted)
    values |= given
    decided: list[str] = []
    ruled: list[str] = ["t.how = 'ruled'"]
    acted: list[str] = []
    if wanted.since:
        written.append("a.at >= :since")
        decided.append("d.at >= :since")
        ruled.append("t.closed >= :since")
        acted.append("c.at >= :since")
        values["since"] = wanted.since
    if wanted.who:
        written.append("a.by = :by")
        values["by"] = "flow" if wanted.who in set(System) else wanted.who
        if wanted.who in set(System):
            written.append("a.system <> :source")
            values["source"] = wanted.who
        elif wanted.who == "person":
            written.append("a.decision is not null")
    if wanted.person:
        written.append("p.who_id = :person")
        decided.append("d.who_id = :person")
        ruled.append("false")
        acted.append("c.who_id = :person")
        values["person"] = wanted.person
    if wanted.customer:
        decided.append("d.link in (select l.id from sync.link l where l.tenant = :tenant and l.crm_id = :customer)")
        ruled.append("t.link in (select l.id from sync.link l where l.tenant = :tenant and l.crm_id = :customer)")
        acted.append(f"{_TRIED} = :customer")
    # a detail, a system and a customer group are of what was written; a decision or an act alone has none
    if wanted.detail or wanted.system or wanted.group is not None or wanted.who not in {"", "person"}:
        decided.append("false")
        acted.append("false")
    if wanted.detail or wanted.system or wanted.group is not None or wanted.who not in {"", "rule"}:
        ruled.append("false")
    return {
        "written": _all("a.tenant = :tenant", written),
        "decided": _all("d.tenant = :tenant", decided),
        "ruled": _all("t.tenant = :tenant", ruled),
        "acted": _all("c.tenant = :tenant", acted),
    }, values


def _all(first: str, more: list[str]) -> str:
    return " and ".join([first, *more])


def _entry(row: sa.Row[Any], detail: str) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        customer=row.crm_id or "",
        number=row.number,
        name=row.name,
        by=row.by,
        who=row.who or "",
        who_id=row.who_id or "",
        system=None if row.system is None else System(row.system),
        record=row.record,
        record_id=row.record_id or "",
        action=row.action,
        state=row.state,
        about=row.about,
        changes=_settings(row.after) if row.action in acts.EVERY else changes(row.before, row.after, detail),
        details=tuple(row.details),
    )


def _settings(about: Mapping[str, Mapping[str, str]]) -> tuple[Change, ...]:
    """What an act changed, setting by setting; the customer that it is about is no setting."""
    return tuple(
        Change(field=name, before=one["before"], after=one["after"])
        for name, one in about.items()
        if name != acts.CUSTOMER
    )


_TRIED = f"c.about -> '{acts.CUSTOMER}' ->> 'after'"
"""The customer of the CRM that an act is about."""
_ENTRIES = f"""
    with written as (
        select a.at, cast(a.id as text) as id, a.tenant, a.agreement, a.crm_id, a.number, a.by, p.who, p.who_id, a.system,
               a.record, a.record_id, a.action, '' as state, cast(null as integer) as about, a.before, a.after,
               cast('{{{{}}}}' as text[]) as details
        from sync.audit a left join sync.decision p on p.id = a.decision
        where {{written}} order by a.at desc, a.id desc limit :most
    ), decided as (
        select d.at, cast(d.id as text) as id, d.tenant, d.agreement, l.crm_id, l.number, 'person' as by, d.who, d.who_id,
               cast(null as text) as system, '' as record, '' as record_id, d.means as action, d.state,
               cast(d.body ->> 'number' as integer) as about, cast('{{{{}}}}' as jsonb) as before,
               cast('{{{{}}}}' as jsonb) as after, cast('{{{{}}}}' as text[]) as details
        from (select * from sync.decision d where {{decided}} order by d.at desc, d.id desc limit :most) d
        join sync.link l on l.id = d.link
    ), ruled as (
        select t.closed as at, cast(t.id as text) as id, t.tenant, t.agreement, l.crm_id, l.number, 'rule' as by, c.who, c.who_id,
               cast(null as text) as system, '' as record, '' as record_id, 'ruled' as action, '' as state,
               cast(null as integer) as about, cast('{{{{}}}}' as jsonb) as before, cast('{{{{}}}}' as jsonb) as after, t.details
        from (select * from sync.task t where {{ruled}} order by t.closed desc, t.id desc limit :most) t
        join sync.link l on l.id = t.link
        left join lateral (
            select c.who, c.who_id from sync.rule_change c
            where c.tenant = t.tenant and c.agreement = t.agreement and c.at <= t.closed order by c.at desc limit 1
        ) c on true
    ), acted as (
        select c.at, cast(c.id as text) as id, c.tenant, c.agreement, {_TRIED} as crm_id, cast(null as integer) as number,
               'person' as by, c.who, c.who_id, cast(null as text) as system, '' as record, '' as record_id, c.what as action,
               '' as state, cast(null as integer) as about, cast('{{{{}}}}' as jsonb) as before, c.about as after,
               cast('{{{{}}}}' as text[]) as details
        from sync.act c where {{acted}} order by c.at desc, c.id desc limit :most
    ), shown as (
        select * from (select * from written union all select * from decided union all select * from ruled
                       union all select * from acted) x
        order by at desc, system nulls last, id desc limit :limit offset :skip
    )
    select s.*, {NAME} as name
    from shown s
    left join sync.crm_side here on here.tenant = s.tenant and here.crm_id = s.crm_id
    left join sync.economic_side there on there.agreement = s.agreement and there.number = s.number
    order by s.at desc, s.system nulls last, s.id desc
"""
_COUNTED = """
    select (select count(*) from (
                select from sync.audit a left join sync.decision p on p.id = a.decision where {written} limit :most) x)
         + (select count(*) from (
                select from sync.decision d where {decided} limit :most) x)
         + (select count(*) from (
                select from sync.task t where {ruled} limit :most) x)
         + (select count(*) from (
                select from sync.act c where {acted} limit :most) x)
"""
