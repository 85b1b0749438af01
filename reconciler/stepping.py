"""How is one step taken on a locked link? Decide, search before a creation, save it with both sides, append what follows.

A step that may link or create holds the agreement's lock as well, always taken before the link's (``ordering``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from crm_outbox.contract import MOST_NAMED, CustomerWritten, Result, many
from crm_outbox.messaging.envelope import Envelope, Lane
from crm_outbox.messaging.outbox import append_all
from economic_adapter.contract import CustomerObserved, WriteEconomicCustomer
from reconciler import (
    agreements,
    asked,
    braking,
    bus,
    decided,
    linking,
    overlooking,
    questions,
    record,
    resembling,
    runs,
    sides,
    similar,
    store,
)
from reconciler.categories import category
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
    Pending,
    Step,
    Unlinked,
    flows,
)
from reconciler.rules import Rules, System
from reconciler.step import began, held_back, ruling_out, step, suggesting

_JOINING = frozenset({LinkState.UNLINKED, LinkState.CREATING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocked:
    """What a step needs besides the database: the time, and how long an operation may stay unanswered."""

    resend: timedelta
    now: Callable[[], datetime]
    many: bool = False
    """What is decided is one of many that a person decided about at once: nobody waits in front of it."""


def take_step(
    clocked: Clocked,
    connection: Connection,
    stored: store.Stored,
    message: Message,
    cause: Envelope | None = None,
    *,
    lane: Lane = Lane.LIVE,
    prepare: Callable[[Link], Link] | None = None,
    rules: Rules | None = None,
    in_pass: bool = False,
) -> Step:
    """One step on a locked link: decide, save, append what follows. ``prepare`` changes the link first.

    ``rules`` are a run's own; without, those the agreement gives this link. ``in_pass``: one of many that are looked at
    at once; what it would write counts for the brake, and stays when that holds.
    """
    link, by_clock = stored.link, isinstance(message, Due)
    message = _timed(message, cause)
    if link.state in _JOINING:
        _alone(connection, link)
    now = clocked.now()
    if rules is None:
        rules = stored.agreement.rules_for(stored.link, clocked.resend)
        rules = braking.still(rules) if stored.held else rules
    before = stored.link if prepare is None else prepare(stored.link)
    if stored.fresh and before.crm_id and not isinstance(message, Heard):
        # The first look at a link made for a customer that was recorded earlier.
        recorded = sides.crm(connection, link.tenant, before.crm_id)
        if isinstance(message, Due):
            message = Heard(crm=recorded)
        elif recorded is not None:
            before, _ = record.crm(before, recorded)
    done = _searched(connection, before, step(before, message, rules, now), message, rules, now)
    if (in_pass and not stored.fresh) or _swept(connection, cause):
        would = braking.writes(before, done)
        if would and braking.admits(connection, before, would, now) is not None:
            done = step(before, message, braking.still(rules), now)
    if done.link.number is not None and done.link.number != stored.link.number:
        _alone(connection, link)
        if _free(clocked, connection, before, done.link, cause, lane):
            done = _with_newest(connection, done, rules, now)
        else:
            before, message, told = _without(before, message, done.link.number or 0)
            done = step(before, told, rules, now)
    if done.link.suggested or by_clock or done.link.state is not link.state:
        done = suggesting(done, resembling.known(connection, done.link), rules, now)
    listed = category(done.link, done.status, rules, now)
    store.save(connection, stored, done.link, done.status, message, now, listed)
    if _went_along(stored.link, done.link, message):
        sides.vacate(connection, stored.link)
    drafts = [bus.command(done.link, _of_many(clocked, words), cause, lane) for words in done.commands]
    if done.status != stored.told and done.link.crm_id:
        drafts.append(bus.told(done.link, done.status, now, cause, lane))
    open_before = overlooking.left(connection, done.link, rules, now, stored.asked)
    changed = asked.difference(open_before, done.asked)
    drafts += questions.save(
        connection, done.link, changed, _how(message, done, rules, in_pass=in_pass), now, cause, lane
    )
    decided.note(connection, done.ended, now)
    append_all(connection, bus.OUTBOX, drafts)
    return done


def _went_along(before: Link, now: Link, message: Message) -> bool:
    """Whether the link goes along with its customer to another number (R6)."""
    seen = message.economic if isinstance(message, Heard) else None
    linked = before.state is LinkState.LINKED and now.state is LinkState.LINKED
    return linked and seen is not None and now.number == seen.number != before.number in seen.old_numbers


def _timed(message: Message, cause: Envelope | None) -> Message:
    """The message with when the edits it tells of were made, or noticed.

    An answer, or a look of somebody, may be the first that shows an edit: it was noticed then. Of what a run reads nobody
    knows when it was edited.
    """
    if not isinstance(message, Heard | Create) or cause is None:
        return message
    match cause.data:
        case CustomerObserved(run=None, caused=None, why="write" | "look") | CustomerWritten():
            return replace(message, caused=cause.time)
        case CustomerObserved(caused=caused):
            return replace(message, caused=caused)
        case _:
            return message


def _of_many(clocked: Clocked, words: Command) -> Command:
    """A write that is one of many goes like an edit that flows, so that whoever waits in front of a page goes first."""
    if clocked.many and isinstance(words, WriteEconomicCustomer) and words.person:
        return words.model_copy(update={"person": False})
    return words


def _alone(connection: Connection, link: Link) -> None:
    """Hold the agreement's lock: this step may link, create, or take a number."""
    if link.agreement is not None:
        agreements.hold(connection, link.tenant, link.agreement)


def dissolve(
    clocked: Clocked,
    connection: Connection,
    stored: store.Stored,
    cause: Envelope | None = None,
    lane: Lane = Lane.LIVE,
) -> None:
    """A customer of the CRM gets the number that only e-conomic's customer had: nothing is left of its own link."""
    bare = replace(stored.link.customer, refusals=())
    empty = replace(stored.link, number=None, candidates_here=(), customer=bare)
    take_step(clocked, connection, stored, Due(), cause, lane=lane, prepare=lambda _: empty)
    store.remove(connection, stored.link.id)


def _free(
    clocked: Clocked, connection: Connection, before: Link, now: Link, cause: Envelope | None, lane: Lane
) -> bool:
    """Whether a link may have the number it gets: a number has one link. Whoever cannot have it any more gives way."""
    for other in store.lock_numbers(connection, now.tenant, now.agreement or 0, [now.number or 0]):
        if other.link.id == now.id:
            continue
        if not other.link.crm_id and other.link.state is LinkState.UNLINKED:
            dissolve(clocked, connection, other, cause, lane)
        elif other.link.crm_id and before.state is LinkState.CREATING:
            # e-conomic gave it to the customer it has just created: nobody had it
            take_step(clocked, connection, other, Due(), cause, lane=lane, prepare=linking.released)
        else:
            return False
    return True


def _without(before: Link, message: Message, number: int) -> tuple[Link, Message, Message]:
    """The link, what is stored and what is told where another has the number it would get: a person says which is which."""
    if not isinstance(message, Heard):
        return linking.moved_to(before, number), message, Due()
    if before.state is not LinkState.CREATING:
        return linking.moved_to(before, number), message, replace(message, economic=None)
    outcomes = tuple(
        one.model_copy(update={"result": Result.REFUSED, "reason": "candidates", "created": None})
        if one.created == str(number)
        else one
        for one in message.outcomes
    )
    message = replace(message, outcomes=outcomes, candidates=(number,))
    return before, message, replace(message, economic=None)


def _swept(connection: Connection, cause: Envelope | None) -> bool:
    """Whether a reading of everything found it, and no person or hook."""
    seen = None if cause is None else cause.data
    return isinstance(seen, CustomerObserved) and seen.run is not None and runs.kind_of(connection, seen.run) == "sweep"


def _searched(connection: Connection, before: Link, done: Step, message: Message, rules: Rules, now: datetime) -> Step:
    """A creation only where nothing recorded may be that customer, but for what was told apart (R1).

    A run told its customers apart from the whole of the other side before it began; what is linked by now is ruled out.
    """
    creation = began(before, done)
    if creation is None:
        return done
    _alone(connection, before)
    link = done.link
    if isinstance(message, Create) and message.run is not None:
        taken = tuple(one for one, is_taken in _twins(connection, link, creation).items() if is_taken)
        return ruling_out(done, taken) if taken else done
    if creation.system is System.ECONOMIC:
        if inherits := [one for one in _inheritance(connection, link) if one not in creation.ruled_out]:
            return held_back(done, tuple(inherits), rules, now)
        found = similar.in_economic(connection, link)
    else:
        seen = sides.economic(connection, link.tenant, link.agreement or 0, link.number or 0)
        if seen is None or seen.customer is None:
            return done
        found = similar.in_crm(connection, link.tenant, link.agreement or 0, seen.customer)
    all_of_them = creation.many is not None or len(found.elsewhere) > MOST_NAMED
    twins = _twins(connection, link, creation) if all_of_them else {}
    if creation.many is not None:
        # its system says whether these are exactly those that a person has seen
        candidates = tuple(one for one in found.free if one not in creation.ruled_out and one not in twins)
        return held_back(done, candidates, rules, now) if candidates else done
    free = [one for one, is_taken in twins.items() if not is_taken and one not in found.elsewhere]
    candidates = tuple(one for one in dict.fromkeys((*found.free, *free)) if one not in creation.ruled_out)
    whole = many(twins) if len(twins) > MOST_NAMED else None
    if candidates:
        return held_back(done, candidates[:MOST_NAMED], rules, now, whole)
    return ruling_out(done, found.elsewhere, whole) if found.elsewhere else done


def _inheritance(connection: Connection, heir: Link) -> list[str]:
    """The numbers of customers that were merged into this one and are not handed over yet (R13): they are its own."""
    merged = store.merged_into(connection, heir.tenant, heir.agreement or 0, heir.crm_id)
    return [str(store.load(connection, one).link.number) for one in merged]


def _twins(connection: Connection, link: Link, creation: Pending) -> dict[str, bool]:
    return similar.twins(connection, creation.system, link, creation.values)


def _with_newest(connection: Connection, done: Step, rules: Rules, now: datetime) -> Step:
    """The step of a link that just got its number, and of what had been seen of that number before."""
    link = done.link
    if link.agreement is None or link.number is None:
        return done
    newest = sides.newest_economic(connection, link.tenant, link.agreement, link.number, now)
    if newest is None or (link.economic_version is not None and newest.version <= link.economic_version):
        return done
    more = step(link, Heard(economic=newest), rules, now)
    return replace(
        more,
        commands=(*done.commands, *more.commands),
        counted=(*done.counted, *more.counted),
        ended=(*done.ended, *more.ended),
    )


def _how(message: Message, done: Step, rules: Rules, *, in_pass: bool) -> questions.How:
    """How the questions ended that this step closed: a person chose, a rule was changed, or their cause went.

    A look that the clock takes because an agreement changed brings no value: only another rule answers what values ask, and
    of who does not flow any more nothing is asked.
    """
    chose = isinstance(message, Linked | Unlinked | Create | Decided)
    if chose or any(one.result != "refused" for one in done.ended):
        return "settled"
    by_rule = in_pass and isinstance(message, Due) and flows(done.link, rules)
    return "ruled" if by_rule else "gone"
