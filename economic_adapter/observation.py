"""How is what was seen told to the rest? One ``economic.customer.observed.v1``, in the transaction that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection

from crm_outbox.contract import Outcome
from crm_outbox.contract import aggregate as crm_aggregate
from crm_outbox.messaging.envelope import Version
from crm_outbox.messaging.outbox import Draft, Outbox, append
from economic_adapter import mapping
from economic_adapter.claims import Claim
from economic_adapter.contract import CustomerObserved, aggregate
from economic_adapter.mapping import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What e-conomic held of a customer under a version; ``body`` none: it is absent."""

    number: int
    version: Version
    body: Body | None
    contacts: Sequence[Body] = ()
    old_numbers: tuple[int, ...] = field(default=())


def tell(
    connection: Connection,
    outbox: Outbox,
    claim: Claim,
    why: Literal["hook", "poll", "write", "look", "sweep"],
    number: int | None,
    seen: Seen | None,
    outcomes: Sequence[Outcome] = (),
    candidates: Sequence[int] = (),
) -> None:
    """Append the observation; ``seen`` none when only outcomes are told."""
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
        candidates=tuple(candidates),
        old_numbers=() if seen is None else seen.old_numbers,
    )
    draft = Draft(
        data=data,
        tenant=claim.tenant,
        subject=crm_aggregate(claim.customer or "") if number is None else aggregate(claim.agreement, number),
        version=None if seen is None else seen.version,
        cause=claim.cause,
        customer=claim.customer,
        agreement=claim.agreement,
        number=number,
    )
    append(connection, outbox, draft)
