"""How is what was seen told to the rest? One ``economic.customer.observed.v1``, in the transaction that keeps it.

A customer whose contact persons are more than a message can carry is told without them and with the reason: nothing is
left out in silence, because what is missing would read as taken away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection

from crm_outbox.contract import Many, NotSent, Outcome
from crm_outbox.contract import aggregate as crm_aggregate
from crm_outbox.messaging.envelope import Lane, Unsendable, Version
from crm_outbox.messaging.outbox import Draft, Outbox, append, append_all
from economic_adapter import mapping
from economic_adapter.claims import Claim
from economic_adapter.contract import CustomerObserved, Looked, aggregate
from economic_adapter.mapping import Body

log = structlog.get_logger(__name__)

UNSENDABLE = Counter("economic_unsendable", "Customers told without their contact persons, by the reason", ["reason"])

Why = Literal["hook", "poll", "write", "look", "sweep", "import"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What e-conomic held of a customer under a version; ``body`` none: it is absent."""

    number: int
    version: Version
    body: Body | None
    contacts: Sequence[Body] = ()
    old_numbers: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """Customers that stopped a creation: at most a hundred of them; where they are more, all that were found as a whole."""

    candidates: tuple[int, ...] = ()
    many: Many | None = None


def tell(
    connection: Connection,
    outbox: Outbox,
    claim: Claim,
    why: Why,
    number: int | None,
    seen: Seen | None,
    outcomes: Sequence[Outcome] = (),
    stopping: Stopping | None = None,
    run: UUID | None = None,
    caused: datetime | None = None,
) -> None:
    """Append the observation; ``seen`` none when only outcomes are told. What belongs to a run goes in the bulk lane.

    It answers the look somebody waits for, if the claim is one.
    """
    looked = None if claim.look is None else Looked(look=claim.look, how="answered")
    _append(connection, outbox, _draft(claim, why, number, seen, outcomes, stopping, run, looked, caused))


def tell_all(connection: Connection, outbox: Outbox, claim: Claim, why: Why, run: UUID, seen: Sequence[Seen]) -> None:
    """Append the observations of a run, many at once."""
    for first in range(0, len(seen), _AT_ONCE):
        drafts = [_draft(claim, why, one.number, one, (), None, run) for one in seen[first : first + _AT_ONCE]]
        try:
            append_all(connection, outbox, drafts)
        except Unsendable:  # found before anything was sent: now one by one
            for one in drafts:
                _append(connection, outbox, one)


def tell_look(
    connection: Connection,
    outbox: Outbox,
    claim: Claim,
    how: Literal["taken", "missing", "unanswered"],
    cause: str = "",
) -> None:
    """Append how far the look of a claim is that somebody waits for; nothing for any other row."""
    if claim.look is not None:
        looked = Looked(look=claim.look, how=how, cause=cause)
        append(connection, outbox, _draft(claim, "look", claim.number, None, (), None, None, looked))


_AT_ONCE = 200


def _append(connection: Connection, outbox: Outbox, draft: Draft) -> None:
    try:
        append(connection, outbox, draft)
    except Unsendable as unsendable:
        reason = NotSent(reason=unsendable.reason, detail=unsendable.detail.removeprefix("data.economic."))
        UNSENDABLE.labels(reason.reason).inc()
        log.error(  # noqa: TRY400 - what it holds is nobody's business here
            "observation.unsendable",
            agreement=draft.agreement,
            number=draft.number,
            reason=reason.reason,
            detail=reason.detail,
        )
        if not isinstance(draft.data, CustomerObserved) or draft.data.economic is None:
            raise
        bare = draft.data.economic.model_copy(update={"contacts": ()})
        without = draft.data.model_copy(update={"economic": bare, "unsendable": reason})
        append(connection, outbox, replace(draft, data=without))


def _draft(
    claim: Claim,
    why: Why,
    number: int | None,
    seen: Seen | None,
    outcomes: Sequence[Outcome],
    stopping: Stopping | None,
    run: UUID | None,
    looked: Looked | None = None,
    caused: datetime | None = None,
) -> Draft:
    economic = None if seen is None or seen.body is None else mapping.customer(seen.body, seen.contacts)
    data = CustomerObserved(
        agreement=claim.agreement,
        why=why,
        customer=claim.customer,
        number=number,
        version=None if seen is None else str(seen.version),
        economic=economic,
        absent=seen is not None and seen.body is None,
        outcomes=tuple(outcomes),
        candidates=() if stopping is None else stopping.candidates,
        candidates_many=None if stopping is None else stopping.many,
        old_numbers=() if seen is None else seen.old_numbers,
        run=run,
        caused=caused,
        look=looked,
    )
    customer = claim.customer or claim.command.get("search", {}).get("customer")
    return Draft(
        data=data,
        tenant=claim.tenant,
        subject=crm_aggregate(customer or "") if number is None else aggregate(claim.agreement, number),
        version=None if seen is None else seen.version,
        cause=claim.cause,
        customer=customer,
        agreement=claim.agreement,
        number=number,
        lane=Lane.LIVE if run is None else Lane.BULK,
    )
