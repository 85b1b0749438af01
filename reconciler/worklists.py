"""Which lists of work does a tenant have? Questions, errors, what rules settled and what was kept different, in pages.

Reading only. A list and its count are made of the same conditions, so that they are never apart; beyond ``MOST`` nobody counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from reconciler import fields
from reconciler.contract import TaskKind
from reconciler.narrowing import ERRORS, MOST, MOST_PAST, NOT_MINE, Filter, fields_of, of_kept, of_questions, of_settled
from reconciler.rules import System

Tab = Literal["questions", "settled", "errors", "kept", "history"]

MOST_OF_ONE: Final = 50
"""Questions that are shown of one customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open question: about whom, what, and since when. Of an error also what the other side said, and the value it named.

    ``tries``: how often it failed so within the last month. ``next_try``: when it is tried without anybody doing anything.
    """

    id: UUID
    kind: TaskKind
    subject: str
    reason: str
    message: str
    request_id: str
    details: tuple[str, ...]
    agreement: int
    link: UUID | None
    run: UUID | None
    customer: str | None
    number: int | None
    name: str
    opened: datetime
    value: str
    tries: int
    next_try: datetime | None
    holder: str
    """To whom it was handed; empty for nobody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that was written: what stood there before and after."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A write, as a rule decided it: both sides had changed the detail, or it may not be changed where it was."""

    id: int
    at: datetime
    agreement: int
    customer: str
    number: int | None
    name: str
    record: Literal["customer", "contact"]
    record_id: str
    system: System
    action: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A detail that a person chose to leave different."""

    link: UUID
    record: UUID
    kind: Literal["customer", "contact"]
    detail: str
    crm: Mapping[str, str]
    economic: Mapping[str, str]
    customer: str
    number: int | None
    name: str
    decision: UUID
    who: str
    at: datetime | None

    @property
    def both(self) -> tuple[str, str]:
        """What Clickmate and e-conomic hold of it, as people read it."""
        group = next((one for one in fields.GROUPS[self.kind] if one.name == self.detail), None)
        names = (self.detail,) if group is None else group.fields
        crm, economic = (
            "\n".join(filter(None, (fields.text(side, name) for name in names))) for side in (self.crm, self.economic)
        )
        return crm, economic


def questions(
    connection: sa.Connection,
    tenant: str,
    tab: Literal["questions", "errors"],
    wanted: Filter,
    *,
    limit: int,
    skip: int = 0,
) -> tuple[list[Question], int]:
    """Open questions, the oldest first, and how many there are."""
    where, values = of_questions(tenant, tab, wanted)
    statement = sa.text(_QUESTIONS.format(where=where))
    found = [
        Question(**{**row._asdict(), "details": tuple(row.details)})
        for row in connection.execute(statement, {**values, "limit": limit, "skip": skip})
    ]
    return found, _counted(connection, f"select 1 from sync.task t where {where}", values)


def question(connection: sa.Connection, tenant: str, task: UUID) -> tuple[Question, datetime | None] | None:
    """One question of that tenant, and when it was closed if it was; none for another's."""
    statement = sa.text(_QUESTIONS.format(where="t.tenant = :tenant and t.id = :task"))
    row = connection.execute(statement, {"tenant": tenant, "task": task, "limit": 1, "skip": 0}).one_or_none()
    if row is None:
        return None
    closed: datetime | None = connection.execute(_CLOSED, {"task": task}).scalar()
    return Question(**{**row._asdict(), "details": tuple(row.details)}), closed


def of_link(connection: sa.Connection, tenant: str, link: UUID) -> list[Question]:
    """The open questions of one customer, the oldest first."""
    statement = sa.text(_QUESTIONS.format(where="t.tenant = :tenant and t.link = :link and t.closed is null"))
    rows = connection.execute(statement, {"tenant": tenant, "link": link, "limit": MOST_OF_ONE, "skip": 0})
    return [Question(**{**row._asdict(), "details": tuple(row.details)}) for row in rows]


def settled(
    connection: sa.Connection, tenant: str, now: datetime, wanted: Filter, *, limit: int, skip: int = 0
) -> tuple[list[Settled], int]:
    """What rules settled in the last month, the newest first, and how many writes that were."""
    where, values = of_settled(tenant, now, wanted)
    statement = sa.text(_SETTLED.format(where=where))
    found = [_settled(row) for row in connection.execute(statement, {**values, "limit": limit, "skip": skip})]
    return found, _counted(connection, f"select 1 from sync.audit a where {where}", values, MOST_PAST)


def settled_one(connection: sa.Connection, tenant: str, write: int) -> Settled | None:
    """One write that a rule decided in that tenant."""
    statement = sa.text(
        _SETTLED.format(where="a.tenant = :tenant and a.by = 'rule' and a.action <> 'remove' and a.id = :id")
    )
    row = connection.execute(statement, {"tenant": tenant, "id": write, "limit": 1, "skip": 0}).one_or_none()
    return None if row is None else _settled(row)


def changed_there(connection: sa.Connection, tenant: str, write: int) -> Settled | None:
    """One write of that tenant that changed a customer in e-conomic, whoever decided it."""
    where = "a.tenant = :tenant and a.system = 'economic' and a.action = 'change' and a.id = :id"
    statement = sa.text(_SETTLED.format(where=where))
    row = connection.execute(statement, {"tenant": tenant, "id": write, "limit": 1, "skip": 0}).one_or_none()
    return None if row is None else _settled(row)


def kept(
    connection: sa.Connection, tenant: str, wanted: Filter, *, limit: int, skip: int = 0
) -> tuple[list[Kept], int]:
    """What people left different, the newest first, and how many details that are."""
    where, values = of_kept(tenant, wanted)
    found = [
        Kept(**row._asdict())
        for row in connection.execute(sa.text(_KEPT.format(where=where)), {**values, "limit": limit, "skip": skip})
    ]
    return found, _counted(connection, f"select 1 {_KEPT_FROM} where {where}", values)


def counts(connection: sa.Connection, tenant: str, now: datetime) -> dict[Tab, int]:
    """How many stand in each list without any filter. Of what was written and decided no more than ``MOST``."""
    where, values = of_settled(tenant, now, Filter())
    past = _counted(connection, f"select 1 from sync.audit a where {where}", values, MOST_PAST)
    of_choices, given = of_kept(tenant, Filter())
    kept_ = _counted(connection, f"select 1 {_KEPT_FROM} where {of_choices}", given)
    kinds = {row.kind: row.tasks for row in connection.execute(_OPEN, {"tenant": tenant})}
    errors = sum(number for kind, number in kinds.items() if kind in ERRORS)
    history = int(connection.scalar(_HISTORY_COUNTED, {"tenant": tenant, "most": MOST_PAST}) or 0)
    return {
        "questions": min(MOST, sum(kinds.values()) - errors), "settled": past, "errors": min(MOST, errors), "kept": kept_,
        "history": min(history, MOST_PAST),
    }  # fmt: skip


def mine(connection: sa.Connection, tenant: str, person: str) -> int:
    """How many questions need a choice of that person: all but those that were handed to somebody else."""
    where, values = of_questions(tenant, "questions", Filter())
    statement = f"select 1 from sync.task t where {where} and not {NOT_MINE}"
    return _counted(connection, statement, {**values, "person": person})


def ids(connection: sa.Connection, tenant: str, customers: Collection[tuple[int, str]]) -> dict[tuple[int, str], UUID]:
    """The ids of the links of customers of the CRM, each named with its agreement."""
    values = {"tenant": tenant, "agreements": [one for one, _ in customers], "customers": [one for _, one in customers]}
    return {(row.agreement, row.crm_id): row.id for row in connection.execute(_IDS, values)}


def names(connection: sa.Connection, tenant: str, customers: Collection[str]) -> dict[str, str]:
    """What customers of the CRM are called."""
    found = connection.execute(_NAMES, {"tenant": tenant, "customers": list(customers)})
    return {row.crm_id: row.name for row in found}


def _counted(connection: sa.Connection, rows: str, values: Mapping[str, Any], most: int = MOST) -> int:
    return int(
        connection.scalar(sa.text(f"select count(*) from ({rows} limit :most) x"), {**values, "most": most}) or 0
    )


def _settled(row: sa.Row[Any]) -> Settled:
    return Settled(
        id=row.id,
        at=row.at,
        agreement=row.agreement,
        customer=row.crm_id,
        number=row.number,
        name=row.name,
        record=row.record,
        record_id=row.record_id or "",
        system=System(row.system),
        action=row.action,
        changes=changes(row.before, row.after),
    )


def changes(before: Mapping[str, str], after: Mapping[str, str], detail: str = "") -> tuple[Change, ...]:
    """What a write changed, field by field, in the order of the field table; or only what it changed of that detail."""
    known: Sequence[str] = (*fields.FIELDS["customer"], *fields.FIELDS["contact"])
    names = sorted(after, key=lambda one: (known.index(one) if one in known else len(known), one))
    of_detail = None if detail in {"", "contact"} else fields_of(detail)
    return tuple(
        Change(field=one, before=before.get(one, ""), after=after[one])
        for one in names
        if of_detail is None or one in of_detail
    )


NAME = "coalesce(here.state -> 'customer' ->> 'name', there.state ->> 'name', '')"
"""The name of a customer, the CRM's before e-conomic's."""
_QUESTIONS = f"""
    with shown as (
        select * from sync.task t where {{where}} order by t.opened, t.id limit :limit offset :skip
    )
    select t.id, t.kind, t.subject, t.reason, t.message, t.request_id, t.details, t.agreement, t.link, t.run, l.crm_id as customer, l.number,
           {NAME} as name, t.opened,
           coalesce(case when split_part(t.subject, '/', 2) = 'crm' then p.economic else p.crm end
                    -> 'values' ->> replace(t.details[1], 'contact.', ''), '') as value,
           case when t.link is null then 0 else (
               select count(*) from sync.task e
               where e.link = t.link and e.kind = t.kind and e.subject = t.subject
                 and e.opened > t.opened - interval '30 days' and e.opened <= t.opened
           ) end as tries,
           (select min(cast(w.value ->> 'until' as timestamptz)) from jsonb_each(p.pause) w) as next_try,
           coalesce((
               select o.name from sync.handover h join sync.person o on o.tenant = h.tenant and o.id = h.person
               where h.link = t.link and t.opened <= h.at
           ), '') as holder
    from shown t
    left join sync.link l on l.id = t.link
    left join sync.pair p on p.link = t.link and cast(p.id as text) = split_part(t.subject, '/', 1)
    left join sync.crm_side here on here.tenant = t.tenant and here.crm_id = l.crm_id
    left join sync.economic_side there on there.agreement = t.agreement and there.number = l.number
    order by t.opened, t.id
"""
_CLOSED = sa.text("select closed from sync.task where id = :task")
_SETTLED = f"""
    with shown as (
        select * from sync.audit a where {{where}} order by a.at desc, a.id desc limit :limit offset :skip
    )
    select a.id, a.at, a.agreement, a.crm_id, a.number, {NAME} as name, a.record, a.record_id, a.system, a.action, a.before, a.after
    from shown a
    left join sync.crm_side here on here.tenant = a.tenant and here.crm_id = a.crm_id
    left join sync.economic_side there on there.agreement = a.agreement and there.number = a.number
    order by a.at desc, a.id desc
"""
_KEPT_FROM = """from sync.pair k join sync.link l on l.id = k.link cross join lateral jsonb_each(k.chosen) c
    left join sync.decision d on d.id = cast(c.value ->> 'decision' as uuid)"""
_KEPT = f"""
    with shown as (
        select l.id as link, l.tenant, l.agreement, l.crm_id, l.number, k.id as record, k.kind, k.position, c.key as detail,
               k.crm, k.economic, cast(c.value ->> 'decision' as uuid) as decision, d.who, d.at
        {_KEPT_FROM} where {{where}} order by d.at desc nulls last, l.id, k.position, c.key limit :limit offset :skip
    )
    select s.link, s.record, s.kind, s.detail, coalesce(s.crm -> 'values', '{{{{}}}}') as crm,
           coalesce(s.economic -> 'values', '{{{{}}}}') as economic, coalesce(s.crm_id, '') as customer, s.number,
           {NAME} as name, s.decision, coalesce(s.who, '') as who, s.at
    from shown s
    left join sync.crm_side here on here.tenant = s.tenant and here.crm_id = s.crm_id
    left join sync.economic_side there on there.agreement = s.agreement and there.number = s.number
    order by s.at desc nulls last, s.link, s.position, s.detail
"""
_OPEN = sa.text("select kind, count(*) as tasks from sync.task where tenant = :tenant and closed is null group by kind")
_HISTORY_COUNTED = sa.text("""
    select (select count(*) from (select from sync.audit where tenant = :tenant limit :most) x)
         + (select count(*) from (select from sync.decision where tenant = :tenant limit :most) x)
         + (select count(*) from (select from sync.task where tenant = :tenant and how = 'ruled' limit :most) x)
         + (select count(*) from (select from sync.act where tenant = :tenant limit :most) x)
""")
_IDS = sa.text("""
    select l.id, l.agreement, l.crm_id
    from unnest(cast(:agreements as integer[]), cast(:customers as text[])) as named(agreement, crm_id)
    join sync.link l on l.tenant = :tenant and l.agreement = named.agreement and l.crm_id = named.crm_id
""")
_NAMES = sa.text("""
    select crm_id, coalesce(state -> 'customer' ->> 'name', '') as name
    from sync.crm_side where tenant = :tenant and crm_id = any(:customers)
""")
