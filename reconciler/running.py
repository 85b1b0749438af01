"""How is a confirmed run carried out? Customer by customer, each in a transaction of its own, looked at again before it is
written: one that moved since the preview is left out and reported. A run goes on where it was, whoever was killed.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from crm_outbox.messaging.database import is_away, is_contended
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.outbox import append_all
from reconciler import (
    agreements,
    bus,
    inventory,
    items,
    listed,
    nearby,
    questions,
    reading,
    reconcile,
    runs,
    sides,
    similar,
    store,
    suggestions,
    switching,
)
from reconciler.agreements import Agreement
from reconciler.classes import record_here, record_there
from reconciler.items import Planned
from reconciler.link import CrmSeen, Due, EconomicSeen, LinkState
from reconciler.matching import still_found
from reconciler.preview import message, preview, rehearsed
from reconciler.previewed import PILOT, SUMMARY, Asked, Preview, chosen, options
from reconciler.reconcile import Clocked
from reconciler.rehearsal import differs_from
from reconciler.rules import RESEND, Rules, Transfer
from reconciler.runs import Run

log = structlog.get_logger(__name__)

CHUNK = 100
CARRIED = ("switch_on", "transfer")
MOVED = "moved"
FAILED = "our_error"


def look(engine: sa.Engine, known: Agreement, asked: Asked, now: datetime, resend: timedelta) -> Preview:
    """The preview of a run on what is recorded now. It may take a minute, so nothing is held open while it is made."""
    with engine.connect() as connection:
        here, there = inventory.both(connection, known)
        rules = agreements.rules_of(connection, known, resend)
    return preview(here, there, asked, rules, now)


def keep(connection: Connection, shown: Preview, now: datetime, *, by: str = "", reason: str = "") -> None:
    """Store a preview as it was shown; it replaces one that nobody confirmed. ``reason``: why it was made anew."""
    asked = shown.asked
    runs.replace(
        connection,
        asked.run,
        now,
        tenant=asked.tenant,
        agreement=asked.agreement,
        kind=asked.kind,
        trial=asked.only is not None,
    )
    runs.insert(
        connection,
        asked.run,
        asked.tenant,
        asked.agreement,
        asked.kind,
        state="previewed",
        started=now,
        asked_by=by,
        options=options(asked),
    )
    runs.update(
        connection,
        asked.run,
        state="previewed",
        started=now,
        reason=reason,
        fingerprint=shown.fingerprint,
        summary=SUMMARY.dump_python(shown.summary, mode="json"),
    )
    items.insert(
        connection,
        asked.run,
        [
            Planned(action=one.action, crm_id=one.crm_id, number=one.number, evidence=one.evidence, writes=one.writes)
            for one in shown.items
        ],
    )
    listed.insert(connection, shown)
    if asked.only is None:
        suggestions.replace(connection, asked.tenant, asked.agreement, shown.suggested, now)


def asked_of(run: Run) -> Asked:
    """What a stored run is to do."""
    kind: Literal["switch_on", "transfer"] = "transfer" if run.kind == "transfer" else "switch_on"
    return chosen(run.options, kind=kind, tenant=run.tenant, agreement=run.agreement, run=run.id)


def begin(
    connection: Connection,
    known: Agreement,
    run: UUID,
    confirmed: Mapping[str, int],
    clocked: Clocked,
    *,
    transfer: Transfer | None = None,
    number_from: int | None = None,
) -> None:
    """A person confirmed a stored preview of a locked agreement: it is carried out, after switching on where that is asked."""
    now = clocked.now()
    found = runs.find(connection, run)
    if found is not None and found.total:
        runs.update(connection, run, state="running", confirmed=dict(confirmed))
        agreements.occupy(connection, known.tenant, known.agreement, run)
    else:
        runs.update(connection, run, state="done", confirmed=dict(confirmed), ended=now)
    if transfer is not None:
        switching.switch_on(connection, known, now, clocked.resend, transfer=transfer, number_from=number_from)
    reading.tell(connection, run, now)


def carry_out(engine: sa.Engine, clocked: Clocked) -> int:
    """The next customers of every confirmed run; returns how many."""
    return sum(chunk(engine, clocked, run, carried, finish) for run in ready(engine, CARRIED))


def ready(engine: sa.Engine, kinds: Collection[str]) -> list[Run]:
    """The runs of these kinds that go on now: nobody paused them, and their agreement is on, or open for them."""
    found = []
    with engine.begin() as connection:
        under_way = runs.under_way(connection)
    for one in under_way:
        with engine.begin() as connection:
            run = runs.find(connection, one)
            if run is not None and run.kind in kinds and run.state == "running":
                known = agreements.lock(connection, run.tenant, run.agreement)
                if known is not None and (known.state == "on" or _tried(known, run) or _opened(known, run)):
                    found.append(run)
    return found


def _tried(known: Agreement, run: Run) -> bool:
    """Whether a run is about the one customer that flows while everything else is off."""
    only = run.options.get("only")
    return only is not None and only == known.pilot and known.configure is None


def _opened(known: Agreement, run: Run) -> bool:
    """Whether e-conomic's side works for that run alone while everything else is off."""
    mine = known.busy == run.id and known.state in switching.OPENED_FROM
    return mine and bool(run.options.get("opened")) and known.configure is None


def chunk(
    engine: sa.Engine,
    clocked: Clocked,
    run: Run,
    each: Callable[[Connection, Clocked, Run, items.Stored], None],
    end: Callable[[Connection, UUID, Clocked], None],
) -> int:
    """Some customers of a run, each in a transaction of its own; returns how many. With none left, it ends."""
    with engine.begin() as connection:
        positions = items.planned(connection, run.id, clocked.now(), CHUNK)
        if not positions and not items.left(connection, run.id):
            end(connection, run.id, clocked)
            return 1
    for position in positions:
        try:
            with engine.begin() as connection:
                agreements.hold(connection, run.tenant, run.agreement)
                item = items.lock(connection, run.id, position)
                if item is not None:
                    each(connection, clocked, run, item)
        except Exception as error:
            if is_away(error):
                raise
            if is_contended(error):
                continue  # it is still planned: the next chunk has it
            log.exception("run.item_failed", run=str(run.id), position=position)
            with engine.begin() as connection:
                agreements.hold(connection, run.tenant, run.agreement)
                if items.lock(connection, run.id, position) is not None:
                    items.mark(connection, run.id, position, "left_out", clocked.now(), reason=FAILED)
    with engine.begin() as connection:
        reading.tell_progress(connection, run.id, clocked.now())
    return len(positions)


def carried(connection: Connection, clocked: Clocked, run: Run, item: items.Stored) -> None:
    """Carry out one customer of a run, or leave it out when it is not as the preview showed it."""
    now = clocked.now()
    asked = asked_of(run)
    stored = _link(connection, run, item)
    reason = "gone"
    if stored is not None:
        here = None if item.crm_id is None else sides.crm(connection, run.tenant, item.crm_id)
        number = item.number
        # whoever has the link of a number records what it is told of it after that
        linking = item.action == "link" and number is not None
        holders = store.lock_numbers(connection, run.tenant, run.agreement, [number or 0]) if linking else []
        there = None if number is None else sides.newest_economic(connection, run.tenant, run.agreement, number, now)
        rules = replace(stored.agreement.as_rules(clocked.resend), agreement="on")
        reason = _moved(stored, holders, item, here, there, asked, rules, now)
        if not reason and item.action in {"create_here", "create_there"}:
            reason = MOVED if similar.appeared(connection, stored.link, here, there, run.started) else ""
        if not reason and item.action == "create_here":
            reason = nearby.known_already(connection, stored.link, there)
        if not reason:
            _clear_stranger(connection, run, item, holders, now)
            words = message(item.action, there, asked, item.evidence)
            if stored.fresh and item.crm_id is not None:
                reconcile.take_step(
                    clocked, connection, stored, Due(), lane=Lane.BULK, rules=replace(rules, agreement="connected")
                )
                stored = store.load(connection, stored.link.id)
            reconcile.take_step(clocked, connection, stored, words, lane=Lane.BULK, rules=rules)
            items.mark(connection, run.id, item.position, "done", now, link=stored.link.id)
            return
    items.mark(connection, run.id, item.position, "left_out", now, reason=reason)


def finish(connection: Connection, run_id: UUID, clocked: Clocked) -> None:
    """Everything of a run is done or left out: what waited for it is looked at. What was missed meanwhile the clock reads."""
    run = reading.locked(connection, run_id)
    if run is None or run.ended is not None:
        return
    now = clocked.now()
    runs.update(connection, run_id, state="done", ended=now, due=None)
    release(connection, run, now)
    reading.tell(connection, run_id, now)
    log.info("run.ended", run=str(run_id), kind=run.kind, done=run.done, left_out=run.left_out)


def release(connection: Connection, run: Run, now: datetime) -> Agreement | None:
    """What has no link waits for that run no longer; what was opened for it alone is closed."""
    known = agreements.lock(connection, run.tenant, run.agreement)
    if known is None or known.busy != run.id:
        return known
    agreements.occupy(connection, run.tenant, run.agreement, None)
    agreements.move(connection, run.tenant, run.agreement, known.state, now, reason=known.reason, look_again=True)
    store.look_again(connection, run.tenant, run.agreement)
    if run.options.get("opened") and known.state in switching.OPENED_FROM:
        switching.switch_off(connection, replace(known, busy=None), now, RESEND)
    return known


def _link(connection: Connection, run: Run, item: items.Stored) -> store.Stored | None:
    if item.crm_id is not None:
        store.insert(connection, uuid4(), run.tenant, run.agreement, item.crm_id)
        return store.lock(connection, run.tenant, run.agreement, item.crm_id)
    if item.number is None:
        return None
    store.insert_stranger(connection, uuid4(), run.tenant, run.agreement, item.number)
    found = store.lock_numbers(connection, run.tenant, run.agreement, [item.number])
    return next((one for one in found if not one.link.crm_id), None)


def _moved(
    stored: store.Stored,
    holders: Collection[store.Stored],
    item: items.Stored,
    here: CrmSeen | None,
    there: EconomicSeen | None,
    asked: Asked,
    rules: Rules,
    now: datetime,
) -> str:
    """Why a customer is not as the preview showed it; empty when it is."""
    link = stored.link
    if item.action == "link":
        if link.state is not LinkState.UNLINKED:
            return "linked"
        if here is None or there is None or there.customer is None:
            return "gone"
        pair = record_here(link.crm_id, here), record_there(there)
        if item.evidence != PILOT and not still_found(*pair, item.evidence):
            return MOVED
        if any(one.link.crm_id or one.link.pending for one in holders):
            return "linked"
    done = rehearsed(item.action, link, here, there, asked, rules, now)
    if differs_from(item.writes, done.writes):
        return MOVED
    return ""


def _clear_stranger(
    connection: Connection, run: Run, item: items.Stored, holders: Collection[store.Stored], now: datetime
) -> None:
    """A link that only e-conomic's customer had gives its number to the customer of the CRM."""
    if item.action == "link" and item.number is not None:
        gone = questions.withdraw(connection, [one.link.id for one in holders if not one.link.crm_id], now)
        append_all(connection, bus.OUTBOX, gone)
        store.remove_stranger(connection, run.tenant, run.agreement, item.number)
