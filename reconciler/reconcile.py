"""In what order is a message dealt with? Lock the link, step, save it with both sides, append: one transaction.

A step that may create a customer locks the agreement as well, always after the link.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection

from crm_outbox.contract import BackfillProgressed, CustomerWritten
from crm_outbox.messaging.envelope import Envelope, Lane, Refused, Version
from crm_outbox.messaging.outbox import append_all
from economic_adapter.contract import AgreementObserved, CustomerObserved, ImportProgressed
from reconciler import agreements, bus, reading, runs, sides, store, switching
from reconciler.link import CrmSeen, Due, EconomicSeen, Heard, Link, LinkState, Message, Step
from reconciler.rules import Rules, System
from reconciler.step import step

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocked:
    """What a step needs besides the database: the time, and how long an operation may stay unanswered."""

    resend: timedelta
    now: Callable[[], datetime]


def handle(clocked: Clocked, connection: Connection, envelope: Envelope) -> None:
    """Deal with one message in the consumer's transaction; ``Refused`` for one that makes no sense."""
    match envelope.data:
        case CustomerObserved() as seen:
            observed(clocked, connection, envelope, seen)
        case CustomerWritten() as answer:
            written(clocked, connection, envelope, answer)
        case AgreementObserved() as seen:
            switching.observed(connection, envelope, seen, clocked.now(), clocked.resend)
        case ImportProgressed() | BackfillProgressed() as far:
            reading.progressed(connection, envelope, far, clocked.now())
        case _:
            raise Refused("unknown_type")


def observed(clocked: Clocked, connection: Connection, envelope: Envelope, seen: CustomerObserved) -> None:
    """What the adapter saw: recorded for both sides, told to the link it concerns, if there is one."""
    if seen.run is not None:
        _enter(connection, seen.run, seen)
    here, there = _crm_seen(seen), _economic_seen(seen)
    heard = Heard(outcomes=seen.outcomes, crm=here, economic=there, candidates=seen.candidates)
    if seen.customer is not None:
        stored = _of_customer(clocked, connection, envelope.tenant, seen.agreement, seen.customer, heard)
        if stored is not None:
            take_step(clocked, connection, stored, heard, envelope)
        return
    if there is None or seen.agreement is None:
        return
    found = _of_number(clocked, connection, envelope.tenant, seen.agreement, there)
    holder = next((one.link for one in found if one.link.number == there.number), None)
    for stored in found:
        if holder is None or stored.link is holder:
            take_step(clocked, connection, stored, heard, envelope)
        elif stored.link.number not in holder.old_numbers:
            take_step(clocked, connection, stored, Due(), envelope, prepare=_renumbered)


def written(clocked: Clocked, connection: Connection, envelope: Envelope, answer: CustomerWritten) -> None:
    """The CRM's answer to a write. Its state is recorded like any other of the CRM's."""
    here = None if envelope.version is None else CrmSeen(version=envelope.version, customer=answer.customer)
    stored = store.lock(connection, envelope.tenant, answer.agreement, answer.id)
    if stored is None:
        log.warning("answer.without_link", customer=answer.id, agreement=answer.agreement)
        return
    take_step(clocked, connection, stored, Heard(outcomes=answer.outcomes, crm=here), envelope)


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
) -> Step:
    """One step on a locked link: decide, save, append what follows. ``prepare`` changes the link first.

    ``rules`` are a run's own; without, those the agreement gives this link.
    """
    link = stored.link
    if link.state is LinkState.UNLINKED and link.agreement is not None:
        agreements.hold(connection, link.tenant, link.agreement)
        stored = store.load(connection, link.id)
    now = clocked.now()
    rules = rules or stored.agreement.rules_for(stored.link, clocked.resend)
    if stored.fresh and isinstance(message, Due):
        # The clock's first look at a link made for a customer that was recorded earlier.
        message = Heard(crm=sides.crm(connection, link.tenant, link.crm_id))
    done = step(stored.link if prepare is None else prepare(stored.link), message, rules, now)
    if done.link.number is not None and done.link.number != stored.link.number:
        done = _with_newest(connection, done, rules, now)
    store.save(connection, stored, done.link, done.status, message, now)
    drafts = [bus.command(done.link, words, cause, lane) for words in done.commands]
    if done.status != stored.told:
        drafts.append(bus.told(done.link, done.status, now, cause, lane))
    append_all(connection, bus.OUTBOX, drafts)
    return done


def _of_customer(
    clocked: Clocked, connection: Connection, tenant: str, agreement: int | None, crm_id: str, heard: Heard
) -> store.Stored | None:
    """The locked link of a customer, made if need be; none while no agreement of the tenant was ever switched on."""
    if agreement is not None and (stored := store.lock(connection, tenant, agreement, crm_id)) is not None:
        return stored
    chosen = agreements.chosen(connection, tenant, agreement)
    if chosen is None or not chosen.was_on:
        if heard.crm is not None:
            sides.record_crm(connection, tenant, crm_id, heard.crm, clocked.now())
        if heard.economic is not None and agreement is not None:
            sides.record_economic(connection, tenant, agreement, heard.economic, clocked.now())
        if chosen is None:
            return None
        # One that is just being switched on either sees what was recorded here, or is on once it was waited for.
        agreements.hold(connection, tenant, chosen.agreement)
        chosen = agreements.chosen(connection, tenant, agreement)
        if chosen is None or not chosen.was_on:
            return None
    store.insert(connection, uuid4(), tenant, chosen.agreement, crm_id)
    return store.lock(connection, tenant, chosen.agreement, crm_id)


def _of_number(
    clocked: Clocked, connection: Connection, tenant: str, agreement: int, seen: EconomicSeen
) -> list[store.Stored]:
    """The locked links of a customer number and its old ones. Without any, it is recorded, and looked for once more:

    whoever links that number meanwhile either reads what was recorded, or is waited for and then found.
    """
    numbers = (seen.number, *seen.old_numbers)
    if found := store.lock_numbers(connection, tenant, agreement, numbers):
        return found
    sides.record_economic(connection, tenant, agreement, seen, clocked.now())
    return store.lock_numbers(connection, tenant, agreement, numbers)


def _with_newest(connection: Connection, done: Step, rules: Rules, now: datetime) -> Step:
    """The step of a link that just got its number, and of what had been seen of that number before."""
    link = done.link
    if link.agreement is None or link.number is None:
        return done
    newest = sides.newest_economic(connection, link.tenant, link.agreement, link.number, now)
    if newest is None or (link.economic_version is not None and newest.version <= link.economic_version):
        return done
    more = step(link, Heard(economic=newest), rules, now)
    return replace(more, commands=(*done.commands, *more.commands), counted=(*done.counted, *more.counted))


def _renumbered(link: Link) -> Link:
    """A link whose customer got a number that another link has: a person must say which is which (R6)."""
    return replace(link, state=LinkState.RESTING, rest="renumbered")


def _enter(connection: Connection, run: UUID, seen: CustomerObserved) -> None:
    """Enter the customer in the run it was told under, before any version gate: what is known already counts too."""
    if seen.crm is not None and seen.customer is not None:
        runs.entered(connection, run, System.CRM, seen.customer)
    elif seen.number is not None:
        runs.entered(connection, run, System.ECONOMIC, str(seen.number))


def _crm_seen(seen: CustomerObserved) -> CrmSeen | None:
    if seen.crm is None:
        return None
    return CrmSeen(
        version=_version(seen.crm.version), customer=seen.crm.customer, unsendable=seen.crm.unsendable
    )  # fmt: skip


def _economic_seen(seen: CustomerObserved) -> EconomicSeen | None:
    if seen.version is None:
        return None
    if seen.unsendable is not None:  # e-conomic holds more than a message carries: nothing is known, nothing decided
        log.error("observation.unsendable", agreement=seen.agreement, number=seen.number, reason=seen.unsendable.reason)
        return None
    if seen.number is None or (seen.economic is None and not seen.absent):
        raise Refused("bad_data:number")
    return EconomicSeen(
        version=_version(seen.version), number=seen.number, customer=seen.economic, old_numbers=seen.old_numbers
    )  # fmt: skip


def _version(text: str) -> Version:
    try:
        return Version.parse(text)
    except ValueError as error:
        raise Refused("bad_data:version") from error
