"""When does a pass stop? Before it would write to more customers than an admin allowed beyond what was confirmed.

A pass is what sends many out at once: a changed rule or direction, switching on again, the nightly reading. What it would
write beyond the limit is held, customer by customer, with the writes as they would be; a person lets exactly those go.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection

from crm_outbox.contract import Stage
from crm_outbox.messaging.outbox import append
from reconciler import agreements, bus, items, questions, reading, runs, store
from reconciler.items import Planned
from reconciler.link import Link, LinkState, Step
from reconciler.rehearsal import Write, written
from reconciler.rules import Rules, System

log = structlog.get_logger(__name__)

RECENT = timedelta(hours=1)
"""A customer made so little ago is what the transfer setting is for: its creation is no part of a pass."""
STOPPED = "more customers would be written to than was confirmed"


def still(rules: Rules) -> Rules:
    """The rules of a link that is held: everything is recorded and compared, nothing is written."""
    return replace(rules, paused=frozenset(System), held=True)


def writes(before: Link, done: Step) -> Sequence[Write]:
    """What a step would write that was not on its way already and that no person decided: that was confirmed by them."""
    known = {str(one.operation) for one in before.pending}
    fresh = [one for one in done.commands if any(str(part.operation) not in known for part in one.parts)]
    return [write for command in fresh for write in written(command, done.link, by_itself=True)]


def counted(before: Link, done: Step, now: datetime) -> Sequence[Write]:
    """What a step would write of which a pass counts the customer; nothing of one that is no part of a pass."""
    return () if before.agreement is None or _new(before, now) else writes(before, done)


def admits(connection: Connection, before: Link, would: Sequence[Write], now: datetime) -> UUID | None:
    """Count a customer that a pass writes to, on its locked link; the pass it is held by, once the limit is reached."""
    if before.agreement is None or _new(before, now):
        return None
    run = _open(connection, before.tenant, before.agreement, now)
    if run.state == "running" and run.done < int(run.options["limit"]):
        runs.update(connection, run.id, done=run.done + 1)
        return None
    position = items.append(
        connection,
        run.id,
        Planned(action="change", crm_id=before.crm_id or None, number=before.number, writes=would, link=before.id),
    )
    store.hold(connection, before.id, run.id)
    if run.state == "running":
        runs.update(connection, run.id, state="braked", reason=STOPPED)
        reading.tell(connection, run.id, now)
        question = questions.open_for_run(connection, before.tenant, before.agreement, run.id, "brake", now)
        if question is not None:
            append(connection, bus.OUTBOX, question)
        log.warning("run.braked", run=str(run.id), agreement=before.agreement, limit=run.options["limit"])
    log.info("run.held", run=str(run.id), position=position)
    return run.id


def end_passes(connection: Connection, now: datetime) -> int:
    """End the passes that have nothing left to look at; one that braked waits for a person. Returns how many."""
    ended = runs.passed(connection)
    for run in ended:
        runs.update(connection, run, state="done", ended=now)
        reading.tell(connection, run, now)
    return len(ended)


def _new(link: Link, now: datetime) -> bool:
    made = link.active_since or link.created
    return (
        link.state is LinkState.UNLINKED
        and link.stage is not Stage.INACTIVE
        and made is not None
        and now - made < RECENT
    )


def _open(connection: Connection, tenant: str, agreement: int, now: datetime) -> runs.Run:
    """The pass of an agreement that is under way, locked; a new one with its limit when there is none."""
    agreements.hold(connection, tenant, agreement)
    found = runs.open_pass(connection, tenant, agreement)
    if found is None:
        limit = agreements.brake(connection, tenant, agreement)
        run = uuid4()
        runs.insert(connection, run, tenant, agreement, "pass", state="running", started=now, options={"limit": limit})
        found = runs.lock(connection, run)
    if found is None:
        raise LookupError("the pass that was just made is gone")
    return found
