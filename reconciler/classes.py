"""In which class does each customer stand? Linked already, by its evidence, a suggestion, one of several, or only there.

Pure. Every customer of a system stands in exactly one class, so that the counts add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crm_outbox.contract import Stage
from reconciler import fields
from reconciler.link import CrmSeen, EconomicSeen, Link, LinkState
from reconciler.matching import Matching, Record, match

LINKED, CONTESTED, ONLY, LEAD, UNREADABLE = "linked", "contested", "only", "lead", "unreadable"
SUGGESTED = "suggested."
"""Before the evidence, of a class of suggestions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """One customer of the CRM: what is recorded of it, and its link where it has one."""

    id: str
    seen: CrmSeen
    link: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """One customer of e-conomic, and its link where it has one that the CRM is not part of."""

    number: int
    seen: EconomicSeen
    link: Link | None = None


def exists(one: Here) -> bool:
    """Whether the CRM has that customer: deleted and merged ones count no more."""
    customer = one.seen.customer
    if customer is None:
        return one.seen.unsendable is not None
    return not customer.deleted and customer.merged_into is None


def record_here(crm_id: str, seen: CrmSeen) -> Record:
    """The CRM's customer as matching compares it."""
    customer = seen.customer
    values = {} if customer is None else {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
    people = () if customer is None else customer.contacts
    return Record(id=crm_id, values=values, persons=tuple(_person(one) for one in people))


def record_there(seen: EconomicSeen) -> Record:
    """e-conomic's customer as matching compares it."""
    customer = seen.customer
    values = {} if customer is None else {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
    people = () if customer is None else [one for one in customer.contacts if not one.deleted]
    return Record(
        id=str(seen.number),
        values=values,
        persons=tuple(_person(one) for one in people),
        barred=bool(customer is not None and customer.barred),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Every customer of each system under one class, and what matching found among those that are not linked."""

    here: Mapping[str, str]
    there: Mapping[int, str]
    found: Matching


def classes(crm: Mapping[str, Here], economic: Mapping[int, There]) -> Classes:
    """Where each of these customers stands."""
    here: dict[str, str] = {}
    there: dict[int, str] = {}
    for one in crm.values():
        if one.link is not None and one.link.state is not LinkState.UNLINKED:
            here[one.id] = LINKED
            if one.link.number is not None and one.link.number in economic:
                there[one.link.number] = LINKED
        elif one.seen.customer is None:
            here[one.id] = UNREADABLE
    free_here = [one for one in crm.values() if one.id not in here]
    free_there = [one for one in economic.values() if one.number not in there]
    found = match(
        [record_here(one.id, one.seen) for one in crm.values()],
        [record_there(one.seen) for one in economic.values()],
        [(one.id, str(number)) for one in free_here if one.link is not None for number in one.link.apart],
        [(one.id, str(one.link.number)) for one in crm.values() if one.link is not None and here.get(one.id) == LINKED],
    )
    labelled = [
        (one, f"{'' if one.certain else SUGGESTED}{one.evidence}") for one in (*found.certain, *found.suggested)
    ]
    for pair, label in (*labelled, *((one, CONTESTED) for one in found.contested)):
        here.setdefault(pair.crm, label)
        there.setdefault(int(pair.economic), label)
    for one in crm.values():
        for number in () if one.link is None else _perhaps_now(one.link):
            if number in economic:
                there.setdefault(number, CONTESTED)
    parted = {number for one in free_here if one.link is not None for number in one.link.parted}
    for other in free_there:
        there.setdefault(other.number, f"{SUGGESTED}parted" if other.number in parted else ONLY)
    for one in free_here:
        lead = one.seen.customer is not None and one.seen.customer.stage is Stage.LEAD
        here.setdefault(one.id, LEAD if lead else ONLY)
    return Classes(here=here, there=there, found=found)


def _perhaps_now(link: Link) -> tuple[int, ...]:
    """The numbers that somebody who is gone from theirs may have now: a person is asked, and nobody is created for them."""
    return link.candidates if link.rest == "renumbered" else ()


def _person(one: object) -> Mapping[str, str]:
    return {name: getattr(one, name) for name in fields.FIELDS["contact"]}
