"""What does e-conomic alone hold of a customer that people read there? Named for them, and part of nothing else; pure.

It is no detail: nothing is compared with it, planned by it or written to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from economic_adapter.contract import Choice, EconomicCustomer, Reference

Detail = Literal[
    "invoice_recipient", "group", "zone", "terms", "currency", "credit_limit", "attention", "e_invoice_id"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One of them as it was told. ``number`` is what e-conomic numbers it by, ``text`` what it is called there, where that is known.

    ``person`` is the contact person whose it is, by name.
    """

    detail: Detail
    text: str = ""
    number: int | None = None
    amount: float | None = None
    person: str = ""

    @property
    def value(self) -> str:
        """It as a text of no language: a name, else the bare number; an amount as "25000.5"."""
        if self.amount is not None:
            return f"{self.amount:.15g}"
        return self.text or ("" if self.number is None else str(self.number))


def shown(customer: EconomicCustomer | None) -> tuple[Shown, ...]:
    """What there is to show of a customer, in order; groups, zones and terms by their numbers alone."""
    return () if customer is None else tuple(_all(customer))


def named(found: Sequence[Shown], reference: Reference | None) -> tuple[Shown, ...]:
    """The same with what an agreement calls its groups, zones and terms, as far as it is known."""
    offered = Reference() if reference is None else reference
    lists = {"group": offered.groups, "zone": offered.zones, "terms": offered.terms}
    return tuple(
        Shown(detail=one.detail, number=one.number, text=_name(lists[one.detail], one.number))
        if one.detail in lists
        else one
        for one in found
    )


def _all(customer: EconomicCustomer) -> Iterable[Shown]:
    told = customer.shown
    if told is not None and told.invoice_recipient:
        yield Shown(detail="invoice_recipient", text=told.invoice_recipient)
    numbered: tuple[tuple[Detail, int | None], ...] = (
        ("group", customer.group), ("zone", customer.zone), ("terms", customer.terms),
    )  # fmt: skip
    for detail, number in numbered:
        if number is not None:
            yield Shown(detail=detail, number=number)
    if customer.currency:
        yield Shown(detail="currency", text=customer.currency)
    if told is not None and told.credit_limit is not None:
        yield Shown(detail="credit_limit", amount=told.credit_limit)
    if told is not None and told.attention is not None:
        name = next((one.name for one in customer.contacts if one.number == told.attention), "")
        yield Shown(detail="attention", number=told.attention, text=name)
    for person in customer.contacts:
        if person.e_invoice_id and not person.deleted:
            yield Shown(detail="e_invoice_id", text=person.e_invoice_id, person=person.name)


def _name(offered: Iterable[Choice], number: int | None) -> str:
    return next((one.name for one in offered if one.number == number), "")
