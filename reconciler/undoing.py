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

from reconciler import agreements, decided, fields, items, reading, reconcile, running, runs, store, switching
from reconciler.agreements import Agreement
from reconciler.decisions import KEEP, Decision, Ended, Wish
from reconciler.items import Planned
from reconciler.link import Choice, Decided, Due, Link, LinkState, Pair, Unlinked
from reconciler.reconcile import Clocked
from reconciler.rehearsal import Write
from reconciler.rules import Rules, System
from reconciler.runs import Run

DONE = "back"
"""Everything the run wrote of a customer is put back, or on its way."""
EDITED, PERSONS, UNLINKED, KEPT_THERE, REFUSED = "edited", "persons", "unlinked", "kept_there", "refused"
LONGEST = timedelta(minutes=30)
"""A write that is put back and not answered for so long is left; the link is removed all the same."""


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
    return sum(running.chunk(engine, clocked, run, _one, _finish) for run in running.ready(engine, ("undo",)))


def _one(connection: Connection, clocked: Clocked, run: Run, item: items.Stored) -> None:
    now = clocked.now()
    link_id = item.link
    stored = None if link_id is None else store.lock_id(connection, link_id)
    made = _made(run)
    theirs = item.action == "change" or (stored is not None and stored.link.run == made)
    if stored is not None and theirs and not item.reason and stored.link.pending and now - run.started < LONGEST:
        items.wait(connection, run.id, item.position, now, "")  # what the run wrote is not there yet
        return
    if stored is None or not theirs or stored.link.state is not LinkState.LINKED:
        items.mark(connection, run.id, item.position, "left_out", now, reason=UNLINKED)
        _tell(connection, run, [], "moved", now)
        return
    if run.of_run is None and made is not None:
        item = replace(item, writes=decided.writes(connection, made))
    decision = uuid5(run.id, str(item.position))
    opened = bool(run.options.get("opened"))
    rules = replace(
        stored.agreement.as_rules(clocked.resend), agreement="on", only_decision=decision if opened else None
    )
    reason = item.reason
    if not reason:
        stored, reason = _put_back(connection, clocked, stored, item, decision, rules)
    waits = bool(stored.link.pending) or any(
        choice.decision == decision for pair in stored.link.pairs for choice in pair.chosen.values()
    )
    if waits and not stored.link.pending:
        # links without a run of their own are not looked at meanwhile: a pause may be over, and all else may be off
        reconcile.take_step(clocked, connection, stored, Due(), rules=rules)
    if waits and now - run.started < LONGEST:
        items.wait(connection, run.id, item.position, now, reason)
        return
    reason = _left(stored.link, item, reason)
    if "undo" in run.options:
        persons = decided.persons_made(connection, stored.link)
        _tell(connection, run, _stays(stored.link, item), "", now, persons=persons)
    if item.action != "change":
        reconcile.take_step(clocked, connection, stored, Unlinked(by="undo"), rules=rules)
    if reason == DONE:
        items.mark(connection, run.id, item.position, "done", now)
    else:
        items.mark(connection, run.id, item.position, "left_out", now, reason=reason)
    if run.of_run is not None:
        items.undone(connection, run.of_run, item.position)


def _made(run: Run) -> UUID | None:
    """What is taken back: a run, or the decision of a person who linked two customers."""
    decision = run.options.get("decision")
    return run.of_run if decision is None else UUID(decision)


def _stays(link: Link, item: items.Stored) -> list[tuple[UUID, str]]:
    """The details that were not put back, by record and detail."""
    found = []
    for write in item.writes:
        pair = _pair(link, write)
        side = None if pair is None else pair.side(write.system)
        if pair is None or side is None:
            continue
        if not fields.same(pair.kind, write.field, fields.text(side.values, write.field), write.before):
            found.append((pair.id, next(one.name for one in fields.GROUPS[pair.kind] if write.field in one.fields)))
    return list(dict.fromkeys(found))


def _tell(
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
        if _touched(link, item.writes):
            return stored, EDITED
        reconcile.take_step(clocked, connection, stored, Due(), rules=rules, prepare=_inactive(decision))
        return store.load(connection, link.id), DONE
    wishes, reason = _wishes(link, item.writes)
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


def _wishes(link: Link, writes: tuple[Write, ...]) -> tuple[list[Wish], str]:
    """What each side is to hold again, detail by detail; and why not everything is."""
    wishes: dict[tuple[UUID, str], Wish] = {}
    reason = DONE
    for write in writes:
        pair = _pair(link, write)
        if pair is None or pair.crm is None or pair.economic is None:
            reason = PERSONS
            continue
        group = next(one for one in fields.GROUPS[pair.kind] if write.field in one.fields)
        side = pair.crm if write.system is System.CRM else pair.economic
        if not fields.same(pair.kind, write.field, fields.text(side.values, write.field), write.after):
            reason = EDITED
            continue
        wish = wishes.get((pair.id, group.name)) or Wish(
            record=pair.id,
            detail=group.name,
            take="undo",
            seen_crm={name: fields.text(pair.crm.values, name) for name in group.fields},
            seen_economic={name: fields.text(pair.economic.values, name) for name in group.fields},
        )
        back = {write.field: write.before}
        if write.system is System.CRM:
            wish = replace(wish, crm={**(wish.crm or {}), **back})
        else:
            wish = replace(wish, economic={**(wish.economic or {}), **back})
        wishes[pair.id, group.name] = wish
    return list(wishes.values()), reason


def _pair(link: Link, write: Write) -> Pair | None:
    if not write.id:
        return None
    if write.record == "customer":
        return link.customer
    return next((one for one in link.contacts if (side := one.side(write.system)) and side.id == write.id), None)


def _touched(link: Link, writes: tuple[Write, ...]) -> bool:
    """Whether somebody edited a customer of the CRM since a run created it."""
    side = link.customer.crm
    if side is None or side.gone:
        return True
    made = {one.field: one.after for one in writes if one.record == "customer"}
    return any(
        not fields.same("customer", name, fields.text(side.values, name), made.get(name, ""))
        for name in fields.FIELDS["customer"]
    )


def _inactive(decision: UUID) -> Callable[[Link], Link]:
    def prepare(link: Link) -> Link:
        chosen = {**link.customer.chosen, "stage": Choice(decision=decision, seen_crm={}, seen_economic={})}
        return replace(link, customer=replace(link.customer, chosen=chosen))

    return prepare


def _left(link: Link, item: items.Stored, reason: str) -> str:
    """What was not put back after all: refused, or edited meanwhile."""
    if reason != DONE:
        return reason
    if item.action == "create_here":
        return DONE if link.stage == "inactive" else REFUSED
    for write in item.writes:
        pair = _pair(link, write)
        side = None if pair is None else pair.side(write.system)
        if side is not None and not fields.same(
            write.record, write.field, fields.text(side.values, write.field), write.before
        ):
            return REFUSED
    return DONE


def _finish(connection: Connection, run_id: UUID, clocked: Clocked) -> None:
    """Everything is taken back or left; a switching on that was taken back leaves the integration off."""
    run = reading.locked(connection, run_id)
    if run is None or run.ended is not None:
        return
    now = clocked.now()
    runs.update(connection, run_id, state="done", ended=now, due=None)
    _tell(connection, run, [], "our_error", now)  # nothing for one that has ended
    before = None if run.of_run is None else runs.find(connection, run.of_run)
    known = running.release(connection, run, now)
    if known is not None and before is not None and before.kind == "switch_on" and not run.options.get("opened"):
        agreements.try_out(connection, known.tenant, known.agreement, None)
        switching.switch_off(connection, replace(known, busy=None), now, clocked.resend)
    reading.tell(connection, run_id, now)
