"""What follows from a step for others? Strangers that are news or waited for it, the heir of a merged customer.

A stranger is a customer of e-conomic whose number no customer of the CRM has. Who judges one holds the agreement's lock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from crm_outbox.messaging.envelope import Envelope, Lane
from reconciler import agreements, joining, linking, nearby, record, sides, store, strangers
from reconciler.link import Create, Due, EconomicSeen, Heard, Link, LinkState, Message, Status, Step, Unlinked
from reconciler.rules import System
from reconciler.settle import STOPPED
from reconciler.stepping import Clocked, take_step
from reconciler.strangers import Do, Verdict

log = structlog.get_logger(__name__)

MOST_CANDIDATES = 3
"""Candidates of a held-back creation that are looked at again, in case one of them is certain."""


def take(
    clocked: Clocked,
    connection: Connection,
    stored: store.Stored,
    message: Message,
    cause: Envelope | None = None,
    *,
    lane: Lane = Lane.LIVE,
    in_pass: bool = False,
) -> Step:
    """One step on a locked link, and what follows from it for others: strangers that waited for it, a merged one's heir."""
    if _news_here(stored, message):
        stored = _before_it_is_created(clocked, connection, stored, message, cause, lane)
    before = stored.link
    if not before.crm_id and isinstance(message, Due) and not before.pending:
        _again(clocked, connection, before, cause, lane, in_pass=in_pass)
        now = store.lock_id(connection, before.id)
        stored = now or stored
        if now is None:
            return Step(link=before, status=stored.told or Status(state="not_there"))
    done = take_step(clocked, connection, stored, message, cause, lane=lane, in_pass=in_pass)
    _follow(clocked, connection, before, done.link, cause, lane)
    return done


def unknown(
    clocked: Clocked,
    connection: Connection,
    tenant: str,
    agreement: int,
    seen: EconomicSeen,
    cause: Envelope | None = None,
    *,
    lane: Lane = Lane.LIVE,
    told_apart: Collection[str] = (),
    only_certain: bool = False,
    in_pass: bool = False,
) -> None:
    """A customer of e-conomic is news, and no customer of the CRM has its number (R3): judged under the agreement's lock.

    ``only_certain``: it is linked where that is certain, and nothing else follows. ``in_pass``: its creation counts for the
    brake.
    """
    known = agreements.lock(connection, tenant, agreement)
    if known is None or seen.customer is None:
        return
    if known.busy is not None and not only_certain:
        store.insert_stranger(connection, uuid4(), tenant, agreement, seen.number)  # judged when the run is over
        return
    if not known.takes_strangers:
        return
    holder = next(iter(store.lock_numbers(connection, tenant, agreement, [seen.number])), None)
    if holder is not None and (holder.link.crm_id or holder.link.state is not LinkState.UNLINKED):
        return
    asked = () if holder is None else holder.link.candidates_here
    apart = frozenset((*told_apart, *asked))
    around = nearby.around(connection, tenant, agreement, seen, apart, looked=bool(told_apart))
    verdict = strangers.judge(seen.customer, around)
    log.info("stranger.judged", agreement=agreement, number=seen.number, verdict=str(verdict.do))
    news = _News(tenant=tenant, agreement=agreement, seen=seen, cause=cause, lane=lane, in_pass=in_pass)
    if verdict.do is Do.LINK:
        tried = joining.link(
            clocked,
            connection,
            tenant,
            agreement,
            verdict.customers[0],
            seen.number,
            by=verdict.evidence,
            cause=cause,
            lane=lane,
        )
        if tried.step is None and not only_certain:
            _ask(clocked, connection, news, verdict)
    elif not only_certain:
        _carry_out(clocked, connection, news, verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """A customer of e-conomic that is news, and how it was heard of."""

    tenant: str
    agreement: int
    seen: EconomicSeen
    cause: Envelope | None
    lane: Lane
    in_pass: bool


def _carry_out(clocked: Clocked, connection: Connection, news: _News, verdict: Verdict) -> None:
    seen = news.seen
    match verdict.do:
        case Do.LOOK | Do.WAIT | Do.RENUMBERED:
            for one in verdict.links:
                stored = store.lock_id(connection, one)
                if stored is None:
                    continue
                if verdict.do is Do.LOOK:
                    look_first(clocked, connection, stored, seen, news.cause)
                    continue
                waits = _with_candidate(stored.link, seen.number)
                if verdict.do is Do.RENUMBERED:
                    waits = replace(waits, rest="renumbered")
                joining.prepared(clocked, connection, stored, news.cause, waits)
        case Do.ASK:
            _ask(clocked, connection, news, verdict)
        case Do.CREATE:
            stored = joining.stranger(connection, news.tenant, news.agreement, seen.number)
            if any(one.code == STOPPED for one in stored.link.customer.refusals):
                return  # a person stopped just that
            words = Create(system=System.CRM, ruled_out=verdict.ruled_out, economic=seen)
            take_step(clocked, connection, stored, words, news.cause, lane=news.lane, in_pass=news.in_pass)
        case Do.RECORD | Do.LINK:
            pass


def look_first(
    clocked: Clocked, connection: Connection, stored: store.Stored, other: EconomicSeen, cause: Envelope | None
) -> None:
    """The number of a linked customer is looked at before that other one is judged, which may be the same one."""
    link = stored.link
    joining.prepared(clocked, connection, stored, cause, _with_candidate(link, other.number))
    if link.number is None or link.agreement is None:
        return
    sides.record_economic(connection, link.tenant, link.agreement, other, clocked.now())
    if other.number not in link.candidates:
        joining.look(connection, link.tenant, link.agreement, link.number)


def _with_candidate(link: Link, number: int) -> Link:
    return replace(link, candidates=tuple(dict.fromkeys((*link.candidates, number))))


def _ask(clocked: Clocked, connection: Connection, news: _News, verdict: Verdict) -> None:
    stored = joining.stranger(connection, news.tenant, news.agreement, news.seen.number)
    asked = replace(stored.link, candidates_here=verdict.customers)
    words = Heard(economic=news.seen)
    take_step(clocked, connection, stored, words, news.cause, lane=news.lane, prepare=lambda _: asked)


def _follow(
    clocked: Clocked, connection: Connection, before: Link, now: Link, cause: Envelope | None, lane: Lane
) -> None:
    """What a step leaves to be done on other links."""
    if now.agreement is None or not now.crm_id:
        if before.state is LinkState.CREATING and now.state is LinkState.UNLINKED and now.candidates_here:
            _reconsider(clocked, connection, now, (now.number or 0,), cause, lane, only_certain=True)
        return
    if now.rest == "merged" and now.number is not None:
        _to_heir(clocked, connection, now, cause, lane)
        return
    freed = before.state is not LinkState.UNLINKED and now.state is LinkState.UNLINKED
    if freed and _inherit(clocked, connection, now, cause, lane):
        return
    if before.state is LinkState.CREATING and now.state is not LinkState.CREATING:
        # what waited for the answer of this creation
        waited = tuple(one for one in before.candidates if one not in {now.number, *now.candidates})
        _reconsider(clocked, connection, now, waited, cause, lane)
    elif before.state is LinkState.LINKED and before.candidates and not now.candidates and now.number == before.number:
        # its number was looked at, and it is there: the other one only looks like it
        _reconsider(clocked, connection, now, before.candidates, cause, lane, told_apart=(now.crm_id,))
    news = before.state is LinkState.CREATING or now.candidates != before.candidates
    if now.state is LinkState.UNLINKED and now.candidates and news:
        _reconsider(
            clocked, connection, now, now.candidates[:MOST_CANDIDATES], cause, lane, only_certain=True
        )  # both were created at once (R4), or e-conomic had it already


def _reconsider(
    clocked: Clocked,
    connection: Connection,
    link: Link,
    numbers: Sequence[int],
    cause: Envelope | None,
    lane: Lane,
    *,
    told_apart: Collection[str] = (),
    only_certain: bool = False,
) -> None:
    if link.agreement is None:
        return
    for number in numbers:
        seen = sides.economic(connection, link.tenant, link.agreement, number)
        if seen is None:
            joining.look(connection, link.tenant, link.agreement, number)
            continue
        unknown(
            clocked,
            connection,
            link.tenant,
            link.agreement,
            seen,
            cause,
            lane=lane,
            told_apart=told_apart,
            only_certain=only_certain,
        )


def _again(
    clocked: Clocked, connection: Connection, link: Link, cause: Envelope | None, lane: Lane, *, in_pass: bool
) -> None:
    """A stranger that could not be settled when it was news, such as while a run was carried out."""
    if link.agreement is not None and link.number is not None and not link.candidates_here:
        seen = sides.economic(connection, link.tenant, link.agreement, link.number)
        if seen is not None:
            unknown(clocked, connection, link.tenant, link.agreement, seen, cause, lane=lane, in_pass=in_pass)


def _news_here(stored: store.Stored, message: Message) -> bool:
    """Whether a customer of the CRM is heard of for the first time, comes back, or goes into another."""
    link = stored.link
    if not link.crm_id or link.state is not LinkState.UNLINKED or not isinstance(message, Heard | Due):
        return False
    seen = None if not isinstance(message, Heard) or message.crm is None else message.crm.customer
    if seen is None:
        return stored.fresh and isinstance(message, Due)
    here = link.customer.crm
    return here is None or here.gone or seen.merged_into != link.merged_into


def _before_it_is_created(
    clocked: Clocked,
    connection: Connection,
    stored: store.Stored,
    message: Message,
    cause: Envelope | None,
    lane: Lane,
) -> store.Stored:
    """A survivor that is heard of after its merge gets that link first: created now, it would be there twice (R13)."""
    link = stored.link
    if isinstance(message, Heard) and message.crm is not None:
        sides.record_crm(connection, link.tenant, link.crm_id, message.crm, clocked.now())
    return store.load(connection, link.id) if _inherit(clocked, connection, link, cause, lane) else stored


def _inherit(clocked: Clocked, connection: Connection, heir: Link, cause: Envelope | None, lane: Lane) -> bool:
    """Links of customers that were merged into this one go to whom they belong now; whether there were any."""
    if heir.agreement is None:
        return False
    # a merge that is being heard of either reads what was recorded here, or is waited for and then found
    agreements.hold(connection, heir.tenant, heir.agreement)
    found = store.merged_into(connection, heir.tenant, heir.agreement, heir.crm_id)
    for one in found:
        _to_heir(clocked, connection, store.load(connection, one).link, cause, lane)
    return bool(found)


def _to_heir(clocked: Clocked, connection: Connection, merged: Link, cause: Envelope | None, lane: Lane) -> None:
    """The link of a merged customer goes to the survivor, if that has none and may have it; else a person is asked (R13)."""
    heir, number, agreement = merged.merged_into, merged.number, merged.agreement
    if heir is None or number is None or agreement is None:
        return
    agreements.hold(connection, merged.tenant, agreement)  # a survivor heard of just now is recorded, or waits
    heir = linking.survivor(heir, lambda one: sides.crm(connection, merged.tenant, one))
    if heir is None:
        return
    found = joining.locked(connection, merged.tenant, agreement, heir, number)
    mine = next((one for one in found if one.link.id == merged.id), None)
    theirs = next((one for one in found if one.link.crm_id == heir), None)
    if mine is None or mine.link.rest != "merged" or theirs is None or theirs.link.state is not LinkState.UNLINKED:
        return
    if number in theirs.link.apart or theirs.link.customer.pending or linking.leaving(mine.link):
        return
    if any(one.perhaps_made for one in theirs.link.customer.refusals):
        return  # it may have a number of its own, which nobody would be asked about any more
    take_step(clocked, connection, mine, Unlinked(by="moved"), cause, lane=lane)
    joining.link(
        clocked,
        connection,
        merged.tenant,
        agreement,
        heir,
        number,
        by="merged",
        met=record.identity(mine.link),
        cause=cause,
        lane=lane,
    )
