"""In what order is a message dealt with? Lock the link, step, save it with both sides, append: one transaction.

Whom an observation is about is found by the CRM's id, by a number or an old one, or by the operation that created it.
"""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from crm_outbox.contract import BackfillProgressed, CustomerWritten, Outcome, Result
from crm_outbox.messaging.envelope import Envelope, Refused
from crm_outbox.messaging.outbox import append_all
from economic_adapter.contract import AgreementObserved, CustomerObserved, ImportProgressed, InstallationObserved
from reconciler import (
    agreements,
    bus,
    installation,
    linking,
    looks,
    meeting,
    questions,
    reading,
    sides,
    similar,
    store,
    strangers,
    suggestions,
    switching,
)
from reconciler.link import CrmSeen, Due, EconomicSeen, Heard, Link, LinkState
from reconciler.stepping import Clocked, dissolve, take_step

__all__ = ["Clocked", "handle", "observed", "take_step", "written"]

log = structlog.get_logger(__name__)


def handle(clocked: Clocked, connection: Connection, envelope: Envelope) -> None:
    """Deal with one message in the consumer's transaction; ``Refused`` for one that makes no sense."""
    match envelope.data:
        case CustomerObserved() as seen:
            observed(clocked, connection, envelope, seen)
        case CustomerWritten() as answer:
            written(clocked, connection, envelope, answer)
        case AgreementObserved() as seen:
            switching.observed(connection, envelope, seen, clocked.now(), clocked.resend)
        case InstallationObserved() as seen:
            installation.note(connection, envelope.id, seen)
        case ImportProgressed() | BackfillProgressed() as far:
            reading.progressed(connection, envelope, far, clocked.now())
        case _:
            raise Refused("unknown_type")


def observed(clocked: Clocked, connection: Connection, envelope: Envelope, seen: CustomerObserved) -> None:
    """What the adapter saw: recorded for both sides, told to the link it concerns, if there is one."""
    if seen.look is not None:
        looks.told(connection, seen.look, clocked.now())
    here, there = _crm_seen(seen), _economic_seen(seen)
    heard = Heard(
        outcomes=seen.outcomes,
        crm=here,
        economic=there,
        candidates=seen.candidates,
        candidates_many=seen.candidates_many,
    )
    if seen.customer is not None:
        if seen.agreement is not None and here is not None and _ends(here):
            agreements.hold(connection, envelope.tenant, seen.agreement)
        stored = _of_customer(clocked, connection, envelope.tenant, seen.agreement, seen.customer, heard)
        if stored is not None:
            meeting.take(clocked, connection, stored, _recognised(stored.link, seen.customer, heard), envelope)
        return
    if there is None or seen.agreement is None:
        return
    numbers = (there.number, *there.old_numbers)
    found = store.lock_numbers(connection, envelope.tenant, seen.agreement, numbers)
    if not found:
        # whoever links that number holds the agreement's lock: waited for, and then found
        agreements.hold(connection, envelope.tenant, seen.agreement)
        found = store.lock_numbers(connection, envelope.tenant, seen.agreement, numbers)
    if not found:
        news = _recorded(clocked, connection, envelope.tenant, seen.agreement, there)
        if news and seen.why != "import":
            meeting.unknown(clocked, connection, envelope.tenant, seen.agreement, there, envelope)
    _of_links(clocked, connection, envelope, seen, heard, there, found)


def written(clocked: Clocked, connection: Connection, envelope: Envelope, answer: CustomerWritten) -> None:
    """The CRM's answer to a write. Its state is recorded like any other of the CRM's."""
    here = None if envelope.version is None else CrmSeen(version=envelope.version, customer=answer.customer)
    heard = Heard(
        outcomes=answer.outcomes, crm=here, candidates_here=answer.candidates, candidates_many=answer.candidates_many
    )
    operations = {one.operation for one in answer.outcomes}
    stored = store.lock(connection, envelope.tenant, answer.agreement, answer.id) if answer.id else None
    if stored is None or not operations & {one.operation for one in stored.link.pending}:
        created = store.lock_operation(connection, envelope.tenant, answer.agreement, list(operations))
        if created is not None and stored is not None:
            heard = _given_way(clocked, connection, stored, created.link, heard)
        stored = created or stored
    if stored is None:
        log.warning("answer.without_link", customer=answer.id, agreement=answer.agreement)
        return
    meeting.take(clocked, connection, stored, heard, envelope)


def _of_links(
    clocked: Clocked,
    connection: Connection,
    envelope: Envelope,
    seen: CustomerObserved,
    heard: Heard,
    there: EconomicSeen,
    found: list[store.Stored],
) -> None:
    """The links that have the number that was seen, or had it before it was another (R6).

    Where the other one is somebody else, the old number is looked at first: that it was renumbered may be older than the link.
    """
    holder = next((one.link for one in found if one.link.number == there.number), None)
    if holder is not None and not holder.crm_id and len(found) > 1 and holder.state is LinkState.UNLINKED:
        # it is no stranger, but a customer whose number changed
        dissolve(clocked, connection, next(one for one in found if one.link is holder), envelope)
        found, holder = [one for one in found if one.link is not holder], None
    for stored in found:
        if stored.link.number in there.old_numbers and linking.is_another(stored.link, there):
            meeting.look_first(clocked, connection, stored, there, envelope)
        elif holder is None or stored.link is holder:
            _tell(clocked, connection, envelope, seen, heard, there, stored)
        elif stored.link.number not in holder.old_numbers:
            resting = partial(linking.moved_to, number=there.number)
            take_step(clocked, connection, stored, Due(), envelope, prepare=resting)


def _tell(
    clocked: Clocked,
    connection: Connection,
    envelope: Envelope,
    seen: CustomerObserved,
    heard: Heard,
    there: EconomicSeen,
    stored: store.Stored,
) -> None:
    link = stored.link
    if link.crm_id or link.state is not LinkState.UNLINKED or link.agreement is None:
        meeting.take(clocked, connection, stored, heard, envelope)
        return
    before = sides.economic(connection, link.tenant, link.agreement, there.number)
    done = take_step(clocked, connection, stored, heard, envelope)
    if done.link.economic_version != there.version:
        return
    _no_longer_alike(connection, link.agreement, before, there)
    if there.customer is None:
        dissolve(clocked, connection, store.load(connection, link.id), envelope)
    elif seen.why != "import" and _moved(before, there):
        meeting.unknown(clocked, connection, link.tenant, link.agreement, there, envelope)


def _ends(here: CrmSeen) -> bool:
    """Whether a customer of the CRM is merged, deleted or gone: its number may go to another."""
    return here.unsendable is None and (
        here.customer is None or here.customer.deleted or here.customer.merged_into is not None
    )


def _of_customer(
    clocked: Clocked, connection: Connection, tenant: str, agreement: int | None, crm_id: str, heard: Heard
) -> store.Stored | None:
    """The locked link of a customer, made if need be; none while no agreement of the tenant was ever switched on.

    One that an operation of ours created has its link already, also when this comes before the answer.
    """
    if agreement is not None and (stored := store.lock(connection, tenant, agreement, crm_id)) is not None:
        return stored
    chosen = agreements.chosen(connection, tenant, agreement)
    if chosen is not None:
        # one that is just being switched on either sees what is recorded here, or is on once it was waited for
        agreements.hold(connection, tenant, chosen.agreement)
        chosen = agreements.chosen(connection, tenant, agreement)
    if chosen is None or not chosen.was_on:
        if heard.crm is not None:
            sides.record_crm(connection, tenant, crm_id, heard.crm, clocked.now())
        if heard.economic is not None and agreement is not None:
            sides.record_economic(connection, tenant, agreement, heard.economic, clocked.now())
        return None
    origin = None if heard.crm is None or heard.crm.customer is None else heard.crm.customer.origin
    if origin is not None:
        created = store.lock_operation(connection, tenant, chosen.agreement, [origin])
        if created is not None and not created.link.crm_id:
            return created
    store.insert(connection, uuid4(), tenant, chosen.agreement, crm_id)
    return store.lock(connection, tenant, chosen.agreement, crm_id)


def _recognised(link: Link, crm_id: str, heard: Heard) -> Heard:
    """A customer that was seen before the answer to its creation came: its origin says how that ended."""
    customer = None if heard.crm is None else heard.crm.customer
    if link.crm_id or customer is None or customer.origin is None:
        return heard
    answer = Outcome(operation=customer.origin, result=Result.WRITTEN, created=crm_id)
    return replace(heard, outcomes=(answer, *heard.outcomes))


def _given_way(clocked: Clocked, connection: Connection, stranger: store.Stored, created: Link, heard: Heard) -> Heard:
    """A customer of ours whose origin could not be seen when it was heard of got a link of its own, which gives way."""
    link = stranger.link
    if created.crm_id or link.id == created.id:
        return heard
    if link.state is LinkState.UNLINKED and link.number is None and not link.pending and not link.old_numbers:
        append_all(connection, bus.OUTBOX, questions.withdraw(connection, [link.id], clocked.now()))
        store.remove(connection, link.id)
        return heard
    refused = tuple(
        one.model_copy(update={"result": Result.REFUSED, "reason": "candidates", "created": None})
        for one in heard.outcomes
    )
    return Heard(outcomes=refused, candidates_here=(link.crm_id,))


def _recorded(clocked: Clocked, connection: Connection, tenant: str, agreement: int, seen: EconomicSeen) -> bool:
    """Record a customer of e-conomic that no link has; whether it is news."""
    before = sides.economic(connection, tenant, agreement, seen.number)
    recorded = sides.record_economic(connection, tenant, agreement, seen, clocked.now())
    if recorded:
        _no_longer_alike(connection, agreement, before, seen)
    return recorded and _moved(before, seen)


def _no_longer_alike(connection: Connection, agreement: int, before: EconomicSeen | None, seen: EconomicSeen) -> None:
    """Whoever may be a customer that only e-conomic has is looked at again when that is another, or gone."""
    if before is None or before.customer is None:
        return
    if seen.customer is None or similar.of_economic(before.customer) != similar.of_economic(seen.customer):
        suggestions.look_at_alike(connection, agreement, seen.number)


def _moved(before: EconomicSeen | None, seen: EconomicSeen) -> bool:
    return seen.customer is not None and strangers.moved(None if before is None else before.customer, seen.customer)


def _crm_seen(seen: CustomerObserved) -> CrmSeen | None:
    if seen.crm is None:
        return None
    version = bus.version(seen.crm.version)
    return CrmSeen(version=version, customer=seen.crm.customer, unsendable=seen.crm.unsendable)


def _economic_seen(seen: CustomerObserved) -> EconomicSeen | None:
    if seen.version is None:
        return None
    if seen.number is None or (seen.economic is None and not seen.absent):
        raise Refused("bad_data:number")
    return EconomicSeen(
        version=bus.version(seen.version),
        number=seen.number,
        customer=seen.economic,
        old_numbers=seen.old_numbers,
        unsendable=seen.unsendable,
    )
