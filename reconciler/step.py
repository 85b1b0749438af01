"""What follows from one message? ``step(link, message, rules, now)``: the link after it, the commands, the status.

Pure: the same four values give the same step, so that the whole system runs in a seeded simulation. First outcomes are
settled, then each side is recorded behind its own gate, then everything is planned anew from what is known.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from crm_outbox.contract import Many, Result
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import answers, carrying, fields, lags, linking, noting, record, settle, stopping, urgent
from reconciler.commands import commands
from reconciler.decide import decide, writes
from reconciler.decisions import Ended
from reconciler.link import (
    Command,
    Create,
    Decided,
    Due,
    Heard,
    Link,
    Linked,
    LinkState,
    Message,
    Pair,
    Pending,
    Step,
    Stopped,
    Unlinked,
)
from reconciler.rules import Rules, System
from reconciler.status import status
from reconciler.tasks import planned, still_waived, tasks

LONGEST_GAP = timedelta(hours=1)
DAY = timedelta(hours=24)


def step(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    """The next state of a link. Raises nothing for what a message may say; repeating a message changes nothing."""
    before = {one.operation for one in link.pending}
    counted: list[str] = []
    landed: list[tuple[UUID, Pending]] = []
    again: list[UUID] = []
    ended: list[Ended] = []
    chosen_before = link
    match message:
        case Heard():
            link = _heard(link, message, rules, now, counted, ended, landed)
        case Due():
            again = [one.operation for one in link.pending if one.due <= now]
            link = _scheduled(link, again, rules, now, repeated=True)
        case Linked():
            link, what = linking.linked(link, message, rules, now)
            counted.append(what)
        case Unlinked():
            link, what = linking.unlinked(link, message)
            counted.append(what)
        case Create():
            link, what = linking.create(link, message, rules, now)
            counted.append(what)
        case Decided():
            link, parts = answers.answered(link, message, rules, now)
            ended += parts
        case Stopped():
            link = stopping.stopped(link, message, rules, now)
    link = _tidied(link, ended)
    link = record.met(decide(link, rules, now))
    if isinstance(message, Decided):
        link, told = carrying.begun(link, message.decision, ended)
        ended = list(told)
    fresh = [one.operation for one in link.pending if one.operation not in before]
    link = _scheduled(link, fresh, rules, now, repeated=False)
    link = noting.noted(chosen_before, still_waived(link, rules, now), landed, rules, now)
    hurried = urgent.waited_for(link, message.decision, fresh) if isinstance(message, Decided) else ()
    plans = planned(link, rules)
    link = lags.kept(link, _open_to(link, rules), rules, plans)
    asked = tasks(link, rules, now, plans)
    return Step(
        link=link,
        commands=commands(link, [*again, *fresh, *hurried], person=bool(hurried)),
        status=status(link, rules, now, asked, plans),
        counted=tuple(one for one in counted if one),
        asked=asked,
        ended=(*ended, *carrying.dropped(chosen_before, link, ended), *carrying.let_go(chosen_before, link, ended)),
    )


def held_back(done: Step, candidates: tuple[str, ...], rules: Rules, now: datetime, whole: Many | None = None) -> Step:
    """That step without the customer's creation it began: what is recorded of the other side may be this customer.

    It counts as a refused creation: tried again when a value moves, or when a person told the candidates apart. ``whole``:
    all of them, where they are too many to be named.
    """
    link = done.link
    for system, pending in link.customer.pending.items():
        if pending.action == "create":
            link = settle.refused_for(link, pending, candidates, whole)
            commands_left = tuple(one for one in done.commands if pending.operation not in _operations(one))
            counted = (*done.counted, f"candidates.{system}")
            asked = tasks(link, rules, now)
            stands = status(link, rules, now, asked)
            return replace(done, link=link, commands=commands_left, status=stands, counted=counted, asked=asked)
    return done


def suggesting(done: Step, numbers: tuple[int, ...], rules: Rules, now: datetime) -> Step:
    """That step with these customers of e-conomic as those that its unlinked customer may be: only how it stands changes."""
    if numbers == done.link.suggested:
        return done
    link = replace(done.link, suggested=numbers)
    return replace(done, link=link, status=status(link, rules, now, done.asked))


def ruling_out(done: Step, told_apart: tuple[str, ...], whole: Many | None = None) -> Step:
    """That step with the customer's creation it began carrying those customers of the target as seen and told apart."""
    link = done.link
    for system, pending in link.customer.pending.items():
        if pending.action == "create":
            named = () if whole else tuple(dict.fromkeys((*pending.ruled_out, *told_apart)))
            known = replace(pending, ruled_out=named, many=whole or pending.many)
            link = settle.put(link, replace(link.customer, pending={**link.customer.pending, system: known}))
            others = tuple(one for one in done.commands if pending.operation not in _operations(one))
            told = [one for one in done.commands if pending.operation in _operations(one)]
            person = any(isinstance(one, WriteEconomicCustomer) and one.person for one in told)
            return replace(done, link=link, commands=(*others, *commands(link, [pending.operation], person=person)))
    return done


def began(before: Link, done: Step) -> Pending | None:
    """The creation of the customer that a step began."""
    known = {one.operation for one in before.customer.pending.values()}
    return next(
        (one for one in done.link.customer.pending.values() if one.action == "create" and one.operation not in known),
        None,
    )


def _open_to(link: Link, rules: Rules) -> tuple[System, ...]:
    """The systems that edits of this customer go to now."""
    if not writes(link, rules) and link.state is not LinkState.CREATING:
        return ()
    closed = {*rules.paused, *(() if rules.receive else (System.CRM,))}
    return tuple(system for system in System if system not in closed)


def _operations(command: Command) -> set[UUID]:
    return {part.operation for part in command.parts}


def _tidied(link: Link, ended: list[Ended]) -> Link:
    link, parts = carrying.tidied(link)
    ended += parts
    return link


def _heard(
    link: Link,
    heard: Heard,
    rules: Rules,
    now: datetime,
    counted: list[str],
    ended: list[Ended],
    landed: list[tuple[UUID, Pending]],
) -> Link:
    before, refused = link, {one.operation for one in heard.outcomes if one.result is Result.REFUSED}
    known = {one.operation: (pair.id, one) for pair in link.pairs for one in pair.pending.values()}
    for outcome in heard.outcomes:
        link, what = settle.settle(link, outcome, heard, rules, now)
        counted.append(what)
        if what not in {"answer_ignored", settle.SOUGHT_AGAIN}:
            ended += carrying.answered(before, known[outcome.operation][1], outcome)
        if what in {Result.WRITTEN, Result.UNCHANGED}:
            landed.append(known[outcome.operation])
    link = carrying.landed(link, landed)
    link = _tidied(link, ended)  # what was written as chosen is done, whatever is seen there next
    if heard.crm is not None:
        link, what = record.crm(recorded := link, heard.crm, begins=rules.flows_first)
        link = linking.reopened(recorded, link)
        counted.append(what)
    if heard.economic is not None:
        link, what = record.economic(link, heard.economic)
        counted.append(what)
    for pair in link.pairs:
        mine = [one for owner, one in landed if owner == pair.id]
        link = settle.put(link, _bounced(_seen_since(pair, heard, mine), mine, now))
    return record.fate(lags.heard(before, link, heard.caused, refused))


def _seen_since(pair: Pair, heard: Heard, landed: Iterable[Pending]) -> Pair:
    """A contact person created by this answer that the state read with it does not show is gone again already."""
    for one in landed:
        side = pair.side(one.system)
        read = heard.crm if one.system is System.CRM else heard.economic
        if one.action != "create" or pair.kind != "contact" or read is None or side is None or side.version:
            continue
        gone = replace(side, gone=True)
        pair = replace(pair, crm=gone) if one.system is System.CRM else replace(pair, economic=gone)
    return pair


def _bounced(pair: Pair, landed: Iterable[Pending], now: datetime) -> Pair:
    """Note the groups where e-conomic shows again what our write has just replaced (T12); forget notes after a day."""
    bounces = {group: kept for group, times in pair.bounces.items() if (kept := _today(times, now))}
    shown = pair.economic.values if pair.economic else {}
    for one in landed:
        if one.system is not System.ECONOMIC or one.action != "change" or pair.economic is None:
            continue
        for group in fields.GROUPS[pair.kind]:
            written = [name for name in group.fields if name in one.values]
            if written and all(
                fields.same(pair.kind, name, fields.text(shown, name), fields.text(one.seen, name)) for name in written
            ):
                bounces[group.name] = (*bounces.get(group.name, ()), now)
    return pair if bounces == pair.bounces else replace(pair, bounces=bounces)


def _today(times: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    return tuple(one for one in times if now - one < DAY)


def _scheduled(link: Link, operations: Iterable[UUID], rules: Rules, now: datetime, *, repeated: bool) -> Link:
    """Those operations with the time of their next repeat: the gap doubles each time, up to an hour."""
    wanted = set(operations)
    if not wanted:
        return link
    for pair in link.pairs:
        pending = {}
        for system, one in pair.pending.items():
            if one.operation in wanted:
                times = one.resent + repeated
                gap = min(rules.resend * 2 ** min(times, 16), max(LONGEST_GAP, rules.resend))
                pending[system] = replace(one, resent=times, due=now + gap)
            else:
                pending[system] = one
        link = settle.put(link, replace(pair, pending=pending))
    return link
