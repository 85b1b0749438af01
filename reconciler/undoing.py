"""How is a run taken back? Customer by customer: what it wrote is put back where nobody edited it since, then unlinked.

Nothing is deleted. What cannot be put back is left and listed with its reason. A pair that was undone is remembered as
such: neither side is created from the other again by itself.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa
from sqlalchemy import Connection

from reconciler import agreements, decided, items, reading, reconcile, restoring, running, runs, store, switching
from reconciler.agreements import Agreement
from reconciler.decisions import KEEP, Decision, Ended
from reconciler.items import Planned
from reconciler.link import Decided, Due, Link, LinkState, Unlinked
from reconciler.reconcile import Clocked
from reconciler.restoring import DONE, EDITED, PERSONS, REFUSED
from reconciler.rules import Rules
from reconciler.runs import Run

UNLINKED, KEPT_THERE = "unlinked", "kept_there"
LONGEST = timedelta(minutes=30)
"""A write that is put back and not answered for so long, with nobody begun with since, is left; the link is removed all the
same."""


def may_be(run: Run, now: datetime) -> bool:
    """Whether a run can be taken back: it has ended, and not too long ago."""
    return run.kind in {"switch_on", "transfer"} and run.ended is not None and now - run.ended < KEEP


def begin(connection: Connection, known: Agreement, run: Run, clocked: Clocked, *, by: str = "") -> UUID:
    """Take back a run of a locked agreement that is on; of one that is off, e-conomic's side is opened for that alone."""
    now = clocked.now()
    opened = known.pilot is None and known.state in switching.OPENED_FROM
    undo = uuid4()
    runs.insert(
        connection,
        undo,
        run.tenant,
        run.agreement,
        "undo",
        state="running",
        started=now,
        asked_by=by,
        of_run=run.id,
        options={"only": run.options.get("only"), "opened": opened},
    )
    back = [
        Planned(
            action=one.action,
            crm_id=one.crm_id,
            number=one.number,
            writes=one.writes,
            link=one.link,
            position=one.position,
        )
        for one in items.listed(connection, run.id, ["done"])
    ]
    items.insert(connection, undo, back)
    if known.pilot is None:
        agreements.occupy(connection, known.tenant, known.agreement, undo)
    if opened:
        switching.open_up(connection, known, now, clocked.resend)
    reading.tell(connection, undo, now)
    return undo


def undo(engine: sa.Engine, clocked: Clocked) -> int:
    """The next customers of every run that is taken back; returns how many."""
    _open_again(engine, clocked)
    return sum(running.chunk(engine, clocked, run, _one, _finish) for run in running.ready(engine, ("undo",)))


def _open_again(engine: sa.Engine, clocked: Clocked) -> None:
    """What had begun when it was switched off is finished while it is off: e-conomic's side is opened for that alone."""
    with engine.begin() as connection:
        under_way = runs.under_way(connection)
    for one in under_way:
        with engine.begin() as connection:
            run = runs.find(connection, one)
            if run is None or run.kind != "undo" or not run.options.get("stopped") or run.options.get("opened"):
                continue
            known = agreements.lock(connection, run.tenant, run.agreement)
            if known is None or known.busy != run.id or known.state not in switching.OPENED_FROM:
                continue
            if known.configure is None:
                runs.update(connection, run.id, options={**run.options, "opened": True})
                switching.open_up(connection, known, clocked.now(), clocked.resend)


def _one(connection: Connection, clocked: Clocked, run: Run, item: items.Stored) -> None:
    now = clocked.now()
    link_id = item.link
    stored = None if link_id is None else store.lock_id(connection, link_id)
    made = _made(run)
    theirs = item.action == "change" or (stored is not None and stored.link.run == made)
    opened = bool(run.options.get("opened"))
    decision = uuid5(run.id, str(item.position))
    if not item.begun:
        _begins(connection, run.id, now)
    waited = now - _last_begun(connection, run) >= LONGEST
    if stored is not None and theirs and stored.link.state is LinkState.LINKED:
        quiet = restoring.still(made, flows=item.action == "change")
        stored = _stilled(connection, clocked, stored, quiet, decision if opened else None)
    if stored is not None and theirs and not item.reason and stored.link.pending and not waited:
        items.wait(connection, run.id, item.position, now, "")  # what the run wrote is not there yet
        return
    rests = stored is not None and item.begun and item.action != "change" and stored.link.state is LinkState.RESTING
    if stored is None or not theirs or (stored.link.state is not LinkState.LINKED and not rests):
        items.mark(connection, run.id, item.position, "left_out", now, reason=UNLINKED)
        tell(connection, run, [], "moved", now)
        return
    if run.of_run is None and made is not None:
        item = replace(item, writes=decided.writes(connection, made))
    rules = _rules(stored, clocked, decision if opened else None)
    reason = item.reason or (REFUSED if rests else "")
    if not reason:
        stored, reason = _put_back(connection, clocked, stored, item, decision, rules)
    waits = bool(stored.link.pending) or any(
        choice.decision == decision for pair in stored.link.pairs for choice in pair.chosen.values()
    )
    if waits and not stored.link.pending:
        # links without a run of their own are not looked at meanwhile: a pause may be over, and all else may be off
        reconcile.take_step(clocked, connection, stored, Due(), rules=rules)
    if waits and not waited:
        items.wait(connection, run.id, item.position, now, reason)
        return
    reason = restoring.left(stored.link, item.action, item.writes, reason)
    if "undo" in run.options:
        persons = decided.persons_made(connection, stored.link)
        tell(connection, run, restoring.stays(stored.link, item.writes), "", now, persons=persons)
    if item.action != "change":
        reconcile.take_step(clocked, connection, stored, Unlinked(by="undo"), rules=rules)
    if reason == DONE:
        items.mark(connection, run.id, item.position, "done", now)
    else:
        items.mark(connection, run.id, item.position, "left_out", now, reason=reason)
    if run.of_run is not None:
        items.undone(connection, run.of_run, item.position)


def _begins(connection: Connection, run_id: UUID, now: datetime) -> None:
    """Note when a customer was begun with last: its answers are waited for from then on, however old the run is."""
    run = runs.find(connection, run_id)
    if run is not None:
        runs.update(connection, run_id, options={**run.options, "begun": now.isoformat()})


def _last_begun(connection: Connection, run: Run) -> datetime:
    found = runs.find(connection, run.id)
    begun = None if found is None else found.options.get("begun")
    return run.started if begun is None else datetime.fromisoformat(begun)


def _stilled(
    connection: Connection, clocked: Clocked, stored: store.Stored, quiet: Callable[[Link], Link], only: UUID | None
) -> store.Stored:
    """Of the run itself nothing more is written to a customer from here on."""
    if quiet(stored.link) == stored.link:
        return stored
    reconcile.take_step(clocked, connection, stored, Due(), rules=_rules(stored, clocked, only), prepare=quiet)
    return store.load(connection, stored.link.id)


def _rules(stored: store.Stored, clocked: Clocked, only: UUID | None) -> Rules:
    """The rules of a customer that is taken back; where all else is off only that decision is carried out."""
    return replace(stored.agreement.as_rules(clocked.resend), agreement="on", only_decision=only)


def _made(run: Run) -> UUID | None:
    """What is taken back: a run, or the decision of a person who linked two customers."""
    decision = run.options.get("decision")
    return run.of_run if decision is None else UUID(decision)


def tell(
    connection: Connection,
    run: Run,
    stays: list[tuple[UUID, str]],
    refused: str,
    now: datetime,
    *,
    persons: bool = False,
) -> None:
    """End the decision that asked for this: done, with what could not be put back, or refused as a whole."""
    undo = run.options.get("undo")
    if undo is None:
        return
    decision = UUID(undo)
    parts = [
        Ended(decision=decision, result="refused", record=one, detail=detail, reason=EDITED) for one, detail in stays
    ]
    whole = Ended(
        decision=decision, result="refused" if refused else "done", reason=refused or (PERSONS if persons else "")
    )
    decided.note(connection, [*parts, whole], now)


def _put_back(
    connection: Connection, clocked: Clocked, stored: store.Stored, item: items.Stored, decision: UUID, rules: Rules
) -> tuple[store.Stored, str]:
    """Have what the run wrote put back; what is known of the customer after it: done as far as it goes, or why not."""
    link = stored.link
    if item.action == "create_there":
        return stored, KEPT_THERE
    if item.action == "create_here":
        if restoring.touched(link, item.writes):
            return stored, EDITED
        reconcile.take_step(clocked, connection, stored, Due(), rules=rules, prepare=restoring.inactive(decision))
        return store.load(connection, link.id), DONE
    wishes, reason = restoring.wishes_of(link, item.writes)
    if wishes:
        said = Decision(
            id=decision,
            tenant=link.tenant,
            agreement=link.agreement or 0,
            link=link.id,
            means="undo",
            who="undo",
            at=clocked.now(),
            wishes=tuple(wishes),
        )
        reconcile.take_step(clocked, connection, stored, Decided(decision=said), rules=rules)
        stored = store.load(connection, link.id)
    return stored, reason


def _finish(connection: Connection, run_id: UUID, clocked: Clocked) -> None:
    """Everything is taken back or left; a switching on that was taken back leaves the integration off."""
    run = reading.locked(connection, run_id)
    if run is None or run.ended is not None:
        return
    now = clocked.now()
    stopped = bool(run.options.get("stopped"))
    runs.update(connection, run_id, state="stopped" if stopped else "done", ended=now, due=None)
    tell(connection, run, [], "our_error", now)  # nothing for one that has ended
    before = None if run.of_run is None else runs.find(connection, run.of_run)
    known = running.release(connection, run, now)
    whole = not stopped and not run.options.get("opened")
    if whole and known is not None and before is not None and before.kind == "switch_on":
        agreements.try_out(connection, known.tenant, known.agreement, None)
        switching.switch_off(connection, replace(known, busy=None), now, clocked.resend)
    reading.tell(connection, run_id, now)
