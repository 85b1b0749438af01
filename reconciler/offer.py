"""What would a creation in e-conomic use, and who may be that customer there already? Read only; no call is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from crm_outbox.contract import Stage
from economic_adapter.contract import Choice
from reconciler import agreements, contacts, record, sides, similar, store
from reconciler.agreement import Agreement
from reconciler.lacking import defaults, missing
from reconciler.link import Link, LinkState, new_link
from reconciler.rules import Rules
from reconciler.tasks import all_candidates, every

Hindrance = Literal[
    "", "linked", "under_way", "gone", "unsendable", "name", "country", "defaults", "off", "busy", "many"
]
"""Why no creation can be asked for now; ``busy``: a run is being carried out; ``many``: so many may be it that they are told apart as a whole, on their question's page."""
_UNKNOWN = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A customer of e-conomic that may be the one to be created, as it is recorded."""

    number: int
    name: str
    cvr: str
    city: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A creation as it would be. ``group``, ``zone`` and ``terms`` by name; ``number`` only where the CRM chose one.

    ``task`` is the fingerprint of the question it would answer.
    """

    hindrance: Hindrance
    name: str = ""
    lead: bool = False
    group: str = ""
    zone: str = ""
    terms: str = ""
    currency: str = ""
    number: int | None = None
    twins: tuple[Twin, ...] = ()
    task: str = ""


def offer(
    connection: sa.Connection,
    agreement: Agreement,
    crm_id: str,
    stored: store.Stored | None,
    resend: timedelta,
    now: datetime,
) -> Offer | None:
    """The creation of that customer of the CRM as it would be now; none when the CRM never told of it."""
    tenant, number = agreement.tenant, agreement.agreement
    link = new_link(tenant, number, crm_id, _UNKNOWN) if stored is None else stored.link
    state = agreements.current(connection, tenant, number) if stored is None else stored.agreement
    rules = state.rules_for(link, resend)
    if link.customer.crm is None and (seen := sides.crm(connection, tenant, crm_id)) is not None:
        link, _ = record.crm(link, seen)
    if link.customer.crm is None:
        return None
    known = defaults(link, rules)
    offered = agreements.reference(connection, tenant, number)
    choices: tuple[Sequence[Choice], ...] = (
        ((), (), ()) if offered is None else (offered.groups, offered.zones, offered.terms)
    )
    wanted = (None, None, None) if known is None else (known.group, known.zone, known.terms)
    group, zone, terms = (_named(one, chosen) for one, chosen in zip(choices, wanted, strict=True))
    found = dict.fromkeys((*link.candidates, *(int(one) for one in similar.in_economic(connection, link).free)))
    tasks = [one for one in every(link, rules, now) if one.kind in {"deleted_there", "deleted_edited", "candidates"}]
    return Offer(
        hindrance="busy" if state.busy else _hindrance(link, rules),
        name=link.customer.crm.values.get("name", ""),
        lead=link.stage is Stage.LEAD,
        group=group,
        zone=zone,
        terms=terms,
        currency="" if known is None else known.currency,
        number=link.wanted,
        twins=tuple(_twin(connection, tenant, number, one) for one in found if one not in link.apart),
        task=tasks[0].fingerprint if tasks else "",
    )


def _hindrance(link: Link, rules: Rules) -> Hindrance:
    """As ``linking.create`` would refuse it."""
    if link.state is LinkState.CREATING or link.customer.pending:
        return "under_way"
    if link.state is not LinkState.UNLINKED and link.rest != "deleted_there":
        return "linked"
    if not contacts.alive(link.customer.crm) or link.merged_into is not None:
        return "gone"
    if link.unsendable:
        return "unsendable"
    if rules.agreement not in {"on", "access_lost"}:
        return "off"
    if all_candidates(link) is not None:
        return "many"
    match missing(link, rules):
        case "name":
            return "name"
        case "country":
            return "country"
        case "defaults":
            return "defaults"
        case _:
            return ""


def _named(choices: Sequence[Choice], number: int | None) -> str:
    if number is None:
        return ""
    return next((one.name for one in choices if one.number == number), str(number))


def _twin(connection: sa.Connection, tenant: str, agreement: int, number: int) -> Twin:
    seen = sides.economic(connection, tenant, agreement, number)
    there = None if seen is None else seen.customer
    if there is None:
        return Twin(number=number, name="", cvr="", city="")
    return Twin(number=number, name=there.name, cvr=there.cvr, city=there.city)
