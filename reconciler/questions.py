"""Which questions to people are open? The rows of tasks, kept as a link or a run says, and what the world is told of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import TypeAdapter
from pydantic_core import to_json

from crm_outbox.messaging.envelope import Envelope, Lane
from crm_outbox.messaging.outbox import Draft
from reconciler import bus
from reconciler.asked import Difference, Open
from reconciler.contract import TaskClosed, TaskKind, TaskOpened
from reconciler.link import Link

How = Literal["settled", "gone", "ruled"]
"""How a question ended; the world is told of one that a changed rule answered that it is settled."""
RULED: Final[frozenset[TaskKind]] = frozenset({"values", "empty", "bouncing"})
"""Kinds that a rule may answer. The others follow from what a system said, and no rule changes that."""

OPEN_OF_LINK = """
    select json_agg(json_build_object(
        'id', t.id, 'kind', t.kind, 'subject', t.subject, 'reason', t.reason, 'details', t.details,
        'fingerprint', t.fingerprint, 'opened', t.opened))::text
    from sync.task t where t.link = l.id and t.closed is null
"""
"""The open questions of the link ``l``, for ``of_json``."""
_OPEN = TypeAdapter(tuple[Open, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An open question in a list."""

    id: UUID
    tenant: str
    agreement: int
    kind: str
    reason: str
    details: tuple[str, ...]
    customer: str | None
    number: int | None
    link: UUID | None
    run: UUID | None
    opened: datetime


def of_json(text: str | None) -> tuple[Open, ...]:
    """The open questions of ``OPEN_OF_LINK``."""
    return () if text is None else _OPEN.validate_json(text)


def save(
    connection: sa.Connection,
    link: Link,
    found: Difference,
    how: How,
    now: datetime,
    cause: Envelope | None,
    lane: Lane,
) -> list[Draft]:
    """Store what changed of a locked link's open questions, in one statement; returns what is to be told of it.

    A question whose details or reason changed is told again under its own id. ``how`` is ``ruled``: those that a rule may
    answer were answered by one, and the others are gone.
    """
    if not found or link.agreement is None:
        return []
    opened = [(uuid4(), task) for task in found.opened]
    connection.execute(
        _SAVE,
        {
            "tenant": link.tenant,
            "agreement": link.agreement,
            "link": link.id,
            "now": now,
            "opened": _json(
                [
                    {
                        "id": one, "kind": task.kind, "subject": task.subject, "reason": task.reason,
                        "details": task.details, "message": task.message, "request_id": task.request_id,
                        "fingerprint": task.fingerprint,
                    }
                    for one, task in opened
                ]
            ),
            "moved": _json(
                [
                    {
                        "id": known.id, "reason": task.reason, "details": task.details, "message": task.message,
                        "request_id": task.request_id, "fingerprint": task.fingerprint,
                    }
                    for known, task in found.moved
                ]
            ),
            "closed": [one.id for one in found.closed],
            "hows": [_ended(one, how) for one in found.closed],
        },
    )  # fmt: skip
    told = [(one, task, now) for one, task in opened]
    told += [
        (known.id, task, known.opened)
        for known, task in found.moved
        if (known.reason, known.details) != (task.reason, task.details)
    ]
    words: list[TaskOpened | TaskClosed] = [
        TaskOpened(
            task=one,
            kind=task.kind,
            reason=task.reason,
            customer=link.crm_id or None,
            agreement=link.agreement,
            number=link.number,
            details=task.details,
            page=_page(one),
            opened=since,
        )
        for one, task, since in told
    ]
    words += [
        TaskClosed(
            task=one.id,
            kind=one.kind,
            customer=link.crm_id or None,
            agreement=link.agreement,
            number=link.number,
            how="gone" if _ended(one, how) == "gone" else "settled",
            page=_page(one.id),
            closed=now,
        )
        for one in found.closed
    ]
    return [bus.question(link, one, cause, lane) for one in words]


def _page(task: UUID) -> str:
    return f"/tasks/{task}"


def overlooked(asked: Iterable[Open]) -> tuple[str, ...]:
    """The details that the last comparison of everything found to differ without anybody knowing, of a link's open questions."""
    return tuple(detail for one in asked if one.kind == "silent" for detail in one.details)


def about_silent(connection: sa.Connection, tenant: str, agreement: int) -> list[UUID]:
    """The links of an agreement about which it is asked what a comparison found."""
    return list(connection.execute(_ABOUT_SILENT, {"tenant": tenant, "agreement": agreement}).scalars())


def open_for_run(
    connection: sa.Connection,
    tenant: str,
    agreement: int,
    run: UUID,
    kind: TaskKind,
    now: datetime,
    *,
    reason: str = "",
    fingerprint: str = "",
) -> Draft | None:
    """Open a question about a run and say so; none when it is open already."""
    task = uuid4()
    values = {
        "id": task, "tenant": tenant, "agreement": agreement, "run": run, "kind": kind, "reason": reason,
        "fingerprint": fingerprint, "now": now,
    }  # fmt: skip
    if connection.execute(_OPEN_FOR_RUN, values).rowcount == 0:
        return None
    words = TaskOpened(task=task, kind=kind, reason=reason, agreement=agreement, page=_page(task), opened=now)
    return bus.question_of(tenant, words)


def close_for_run(
    connection: sa.Connection, run: UUID, kind: TaskKind, how: Literal["settled", "gone"], now: datetime
) -> Draft | None:
    """Close the question about a run and say so; none when there is none."""
    row = connection.execute(_CLOSE_FOR_RUN, {"run": run, "kind": kind, "how": how, "now": now}).one_or_none()
    if row is None:
        return None
    page = _page(row.id)
    words = TaskClosed(task=row.id, kind=kind, agreement=row.agreement, how=how, page=page, closed=now)
    return bus.question_of(row.tenant, words)


def of_run(connection: sa.Connection, run: UUID, kind: TaskKind) -> UUID | None:
    """The open question about a run."""
    found: UUID | None = connection.execute(_OF_RUN, {"run": run, "kind": kind}).scalar()
    return found


def withdraw(connection: sa.Connection, links: Sequence[UUID], now: datetime) -> list[Draft]:
    """Close the open questions about links that are to be forgotten; returns what is to be told of it."""
    return [
        bus.question_of(
            row.tenant,
            TaskClosed(
                task=row.id,
                kind=row.kind,
                customer=row.crm_id,
                agreement=row.agreement,
                number=row.number,
                how="gone",
                page=_page(row.id),
                closed=now,
            ),
        )
        for row in connection.execute(_WITHDRAW, {"links": list(links), "now": now})
    ]


def listed(
    connection: sa.Connection,
    tenant: str | None,
    kind: str | None = None,
    customer: str | None = None,
    limit: int = 200,
) -> list[Listed]:
    """The open questions, the oldest first, of one tenant or of all."""
    values = {"tenant": tenant, "kind": kind, "customer": customer, "limit": limit}
    return [Listed(**{**row._asdict(), "details": tuple(row.details)}) for row in connection.execute(_LISTED, values)]


def counts(connection: sa.Connection, tenant: str) -> dict[str, int]:
    """How many questions are open in a tenant, by kind."""
    return {row.kind: row.tasks for row in connection.execute(_COUNTS, {"tenant": tenant})}


def lacking(connection: sa.Connection, tenant: str, agreement: int, what: str) -> int:
    """How many customers are not created because that is missing."""
    return int(connection.scalar(_LACKING, {"tenant": tenant, "agreement": agreement, "what": what}) or 0)


def _ended(one: Open, how: How) -> How:
    return "gone" if how == "ruled" and one.kind not in RULED else how


def _json(rows: Iterable[dict[str, Any]]) -> str:
    return to_json(list(rows)).decode()


_SAVE = sa.text("""
    with opened as (
        insert into sync.task (id, tenant, agreement, link, kind, subject, reason, details, message, request_id, fingerprint,
                               opened)
        select id, :tenant, :agreement, :link, kind, subject, reason, details, message, request_id, fingerprint, :now
        from jsonb_populate_recordset(null::sync.task, :opened)
    ), moved as (
        update sync.task t set reason = x.reason, details = x.details, message = x.message, request_id = x.request_id,
            fingerprint = x.fingerprint
        from jsonb_populate_recordset(null::sync.task, :moved) x where t.id = x.id
    ), closed as (
        update sync.task t set closed = :now, how = x.how
        from unnest(cast(:closed as uuid[]), cast(:hows as text[])) x (id, how) where t.id = x.id
    )
    select 1
""")
_OPEN_FOR_RUN = sa.text("""
    insert into sync.task (id, tenant, agreement, run, kind, reason, fingerprint, opened)
    values (:id, :tenant, :agreement, :run, :kind, :reason, :fingerprint, :now)
    on conflict do nothing
""")
_ABOUT_SILENT = sa.text("""
    select link from sync.task
    where tenant = :tenant and agreement = :agreement and closed is null and kind = 'silent' and link is not null order by link
""")
_OF_RUN = sa.text("select id from sync.task where run = :run and kind = :kind and closed is null")
_CLOSE_FOR_RUN = sa.text("""
    update sync.task set closed = :now, how = :how where run = :run and kind = :kind and closed is null
    returning id, tenant, agreement
""")
_WITHDRAW = sa.text("""
    update sync.task t set closed = :now, how = 'gone' from sync.link l
    where l.id = t.link and t.link = any(:links) and t.closed is null
    returning t.id, t.tenant, t.agreement, t.kind, l.crm_id, l.number
""")
_LISTED = sa.text("""
    select t.id, t.tenant, t.agreement, t.kind, t.reason, t.details, l.crm_id as customer, l.number, t.link, t.run, t.opened
    from sync.task t left join sync.link l on l.id = t.link
    where t.closed is null
      and (cast(:tenant as text) is null or t.tenant = :tenant)
      and (cast(:kind as text) is null or t.kind = :kind)
      and (cast(:customer as text) is null or l.crm_id = :customer)
    order by t.opened, t.id limit :limit
""")
_LACKING = sa.text("""
    select count(*) from sync.task
    where tenant = :tenant and agreement = :agreement and closed is null and kind = 'missing' and :what = any(details)
""")
_COUNTS = sa.text("""
    select kind, count(*) as tasks from sync.task where closed is null and tenant = :tenant group by 1 order by 1
""")
