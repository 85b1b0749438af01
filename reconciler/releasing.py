"""How does a pass that braked end? A person lets exactly its list go, or stops it; one that moved since is shown anew."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.outbox import append
from reconciler import acts, agreements, braking, bus, items, meeting, questions, reading, runs, sides, store
from reconciler.link import Create, Due, Link, Message, Stopped
from reconciler.person import Person
from reconciler.rehearsal import differs_from
from reconciler.rules import System
from reconciler.runs import Run
from reconciler.step import step
from reconciler.stepping import Clocked

Word = Literal["release", "stop"]
STOPPED = "stopped"
"""The state of a pass that was stopped, and why its customers were left out."""


def note(connection: Connection, run: Run, word: Word, seen: str, now: datetime, by: Person) -> None:
    """Keep who said what to a locked pass of which list, before any of it goes; the same said of the same list once."""
    told = run.options.get("answered") or {}
    if (told.get("word"), told.get("seen")) == (word, seen):
        return
    said = {"word": word, "who": by.name, "who_id": by.id, "said_at": now.isoformat(), "seen": seen}
    runs.update(connection, run.id, options={**run.options, "answered": said})
    acts.add(connection, by, "release_brake" if word == "release" else "stop_brake", now, run.agreement)


def release(engine: sa.Engine, clocked: Clocked, run_id: UUID, *, seen: str | None = None) -> tuple[int, int] | None:
    """Let the customers go that a pass holds, each in a transaction of its own; how many went, and how many had moved.

    Those that moved stay held, with what would be written now. ``seen``: the digest of the list that was shown; nothing goes,
    and the answer is none, where the list is another.
    """
    return _through(engine, clocked, run_id, lambda _connection, _link: Due(), "done", seen)


def stop(engine: sa.Engine, clocked: Clocked, run_id: UUID, *, seen: str | None = None) -> tuple[int, int] | None:
    """Stop a pass: as ``release``, but nothing is written, and what differs stays and is accepted as it stands."""
    return _through(engine, clocked, run_id, _stopped, STOPPED, seen)


def _through(
    engine: sa.Engine,
    clocked: Clocked,
    run_id: UUID,
    say: Callable[[Connection, Link], Message],
    state: str,
    seen: str | None,
) -> tuple[int, int] | None:
    with engine.begin() as connection:
        held = list(items.listed(connection, run_id, ["planned"]))
        whose = runs.whose(connection, run_id)
    went = 0
    if whose is None or (seen is not None and (not held or items.digest_of(held) != seen)):
        return None
    for item in held:
        with engine.begin() as connection:
            agreements.hold(connection, *whose)
            went += _one(connection, clocked, item, say, stopped=state == STOPPED)
    with engine.begin() as connection:
        now = clocked.now()
        run = reading.locked(connection, run_id)
        if run is not None and run.ended is None and not items.left(connection, run_id):
            runs.update(connection, run_id, state=state, reason="", ended=now)
            answered = questions.close_for_run(connection, run_id, "brake", "settled", now)
            if answered is not None:
                append(connection, bus.OUTBOX, answered)
            reading.tell(connection, run_id, now)
    return went, len(held) - went


def _one(
    connection: Connection,
    clocked: Clocked,
    item: items.Stored,
    say: Callable[[Connection, Link], Message],
    *,
    stopped: bool,
) -> bool:
    now = clocked.now()
    stored = None if item.link is None else store.lock_id(connection, item.link)
    if stored is None or not stored.held:
        items.mark(connection, item.run, item.position, "left_out", now, reason="gone")
        return True
    rules = stored.agreement.rules_for(stored.link, clocked.resend)
    would = braking.writes(stored.link, step(stored.link, _wanted(connection, stored.link), rules, now))
    if differs_from(item.writes, would) and would:
        items.rewrite(connection, item.run, item.position, would)
        return False
    store.hold(connection, stored.link.id, None)
    free = replace(stored, held=False)
    meeting.take(clocked, connection, free, say(connection, stored.link), lane=Lane.BULK)
    if stopped:
        items.mark(connection, item.run, item.position, "left_out", now, reason=STOPPED, link=stored.link.id)
    else:
        items.mark(connection, item.run, item.position, "done", now, link=stored.link.id)
    return True


def _wanted(connection: Connection, link: Link) -> Message:
    """What the pass wanted of a customer: to be planned anew, or, where only e-conomic has it, to be created in the CRM."""
    if link.crm_id or link.agreement is None or link.number is None:
        return Due()
    seen = sides.economic(connection, link.tenant, link.agreement, link.number)
    return Create(system=System.CRM, economic=seen)


def _stopped(connection: Connection, link: Link) -> Message:
    if link.crm_id or link.agreement is None or link.number is None:
        return Stopped()
    return Stopped(economic=sides.economic(connection, link.tenant, link.agreement, link.number))
