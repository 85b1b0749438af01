"""What does each side hold now? A state that is newer than the recorded one replaces it, each side behind its own gate."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import uuid5

from crm_outbox.contract import ContactPerson, Customer, Stage
from economic_adapter.contract import EconomicContact, EconomicCustomer
from reconciler import fields
from reconciler.link import CrmSeen, EconomicSeen, Kind, Link, LinkState, Pair, Side
from reconciler.rules import System

IDENTITY = ("name", "cvr", "street", "postcode", "city", "country")
"""What says which customer e-conomic's number holds (R19)."""
_OF_ECONOMIC = "economic_"
"""Before the reason when e-conomic's contact persons could not be told: no change of the CRM's puts that right."""


def crm(link: Link, seen: CrmSeen, *, begins: bool = True) -> tuple[Link, str]:
    """The link with the CRM's side at that version, and what to count: ``crm_old`` when it was known already.

    ``begins``: whether who becomes a customer flows from then on.
    """
    if link.crm_version is not None and seen.version <= link.crm_version:
        return link, "crm_old"
    link = replace(link, crm_version=seen.version)
    if seen.unsendable is not None:
        return replace(link, unsendable=f"{seen.unsendable.reason} {seen.unsendable.detail}".strip()), ""
    version, customer = str(seen.version), seen.customer
    if customer is None:
        gone = replace(link.customer.crm or Side(id=link.crm_id), gone=True, version=version)
        return replace(link, unsendable=_of_there(link), customer=replace(link.customer, crm=gone)), ""
    side = Side(
        id=customer.id, values=_values("customer", customer), version=version, gone=customer.deleted
    )  # fmt: skip
    link = replace(
        link,
        unsendable=_of_there(link),
        flows=link.flows or (begins and _starts(link, customer)),
        stage=customer.stage,
        created=customer.created,
        active_since=customer.active_since,
        wanted=customer.number,
        merged_into=customer.merged_into,
        customer=replace(link.customer, crm=side),
    )
    there = {one.id: Side(id=one.id, values=_values("contact", one), version=version) for one in customer.contacts}
    origins = {str(one.origin): one.id for one in customer.contacts if one.origin is not None}
    return _contacts(link, System.CRM, there, origins), ""


def _starts(link: Link, customer: Customer) -> bool:
    """A lead that was linked flows from when it becomes a customer, unless that linking is just being undone."""
    begins = link.state is LinkState.LINKED and link.stage is Stage.LEAD and customer.stage is Stage.ACTIVE
    return begins and link.number not in link.parted


def economic(link: Link, seen: EconomicSeen) -> tuple[Link, str]:
    """The link with e-conomic's side at that version, and what to count: ``economic_old``, ``other_number``.

    A number that hooks named as an old one of the seen customer is the same customer: the link goes along (R6).
    """
    known = link.customer.economic
    renumbered = link.number in seen.old_numbers and seen.number not in (link.number, *link.old_numbers)
    # a number's own counter goes on when it is free: its absence, seen first, must not hide where the customer went
    gated = not (renumbered and known is not None and known.gone)
    if gated and link.economic_version is not None and seen.version <= link.economic_version:
        return link, "economic_old"
    if seen.number != link.number:
        if link.number is None or not renumbered:
            return link, "other_number"
        link = replace(link, number=seen.number, old_numbers=(*link.old_numbers, link.number))
        if link.rest == "renumbered":
            link = replace(link, state=LinkState.LINKED, rest="")  # now it is told where it went
        link = replace(link, candidates=())
        if link.customer.economic is not None:
            moved = replace(link.customer.economic, id=str(seen.number))
            link = replace(link, customer=replace(link.customer, economic=moved))
    return there(link, seen), ""


def stranger(link: Link, seen: EconomicSeen) -> tuple[Link, str]:
    """A link that only e-conomic has, with its side at that version."""
    if link.economic_version is not None and seen.version <= link.economic_version:
        return link, "economic_old"
    return there(link, seen), ""


def there(link: Link, seen: EconomicSeen) -> Link:
    """The link with e-conomic's side as seen, whatever was known of it."""
    known, customer = link.customer.economic, seen.customer
    if customer is None:
        gone = replace(known or Side(id=str(seen.number)), gone=True, without_persons="")
        return replace(
            link, economic_version=seen.version, unsendable=of_here(link.unsendable),
            customer=replace(link.customer, economic=gone),
        )  # fmt: skip
    why = seen.unsendable
    side = Side(
        id=str(customer.number),
        values=_values("customer", customer),
        version=customer.object_version,
        without_persons="" if why is None else f"{why.reason} {why.detail}".strip(),
        met={} if known is None else known.met,
    )
    is_it = link.state is LinkState.LINKED or link.rest == "renumbered"
    link = replace(
        link,
        economic_version=seen.version,
        state=LinkState.LINKED if is_it else link.state,
        rest="" if is_it else link.rest,
        candidates=()
        if is_it
        else link.candidates,  # it is there: whatever looked like it under another number is not it
        barred=customer.barred,
        unsendable=of_here(link.unsendable),
        customer=replace(link.customer, economic=_newer(known, side)),
    )
    if why is not None:  # an error on that customer; nothing is known of its contact persons
        return link if link.unsendable else replace(link, unsendable=f"{_OF_ECONOMIC}{side.without_persons}")
    there = {
        str(one.number): Side(
            id=str(one.number), values=_values("contact", one), version=one.object_version, receives=one.receives
        )
        for one in customer.contacts
        if not one.deleted
    }
    return _contacts(link, System.ECONOMIC, there, {})


def of_here(unsendable: str) -> str:
    """Why the CRM's newest state could not be sent: what e-conomic could not tell is not counted."""
    return "" if unsendable.startswith(_OF_ECONOMIC) else unsendable


def _of_there(link: Link) -> str:
    """Why nothing flows although the CRM's state is known: e-conomic's contact persons are not."""
    side = link.customer.economic
    if side is not None and side.without_persons and link.number is not None:
        return f"{_OF_ECONOMIC}{side.without_persons}"
    return link.unsendable if link.unsendable.startswith(_OF_ECONOMIC) else ""


def another_identity(pair: Pair, contacts: Iterable[Pair]) -> bool:
    """Whether e-conomic's number seems to hold another customer than the one that was linked (R19).

    One lone edit is none, of the CVR number neither: bookkeepers correct it by hand, and every lone edit flows. A reused
    number brings another name with its CVR number. So it is one when both changed; or when two of name, address and CVR
    number changed and no contact person known there is left.
    """
    side = pair.economic
    if side is None or side.gone:
        return False
    before = _agreed(pair, side)
    ours = {name: one.economic for write in pair.pending.values() for name, one in write.becomes.items()}

    def changed(*names: str) -> bool:
        return any(
            # an empty detail that is filled in says nothing, but for the name: every other company has one
            (not fields.blank(was := before.get(name, "")) or (name == "name" and name in before))
            and not fields.same("customer", name, was, there := fields.text(side.values, name))
            and not fields.same("customer", name, ours.get(name, was), there)
            for name in names
        )

    if changed("name") and changed("cvr") and not fields.blank(fields.text(side.values, "cvr")):
        return True
    # whoever is new there came with the customer that has the number now
    known = [
        one.economic for one in contacts if one.economic is not None and (one.crm is not None or one.economic.gone)
    ]
    if not all(one.gone for one in known) or not changed("street", "postcode", "city", "country"):
        return False
    return changed("name") or (bool(known) and changed("cvr"))


def identity(link: Link) -> Mapping[str, str]:
    """What says which customer the link's number is known to be: as it is now, or before it seemed to be another."""
    there = link.customer.economic
    if there is None:
        return {}
    if not another_identity(link.customer, link.contacts):
        return known_as(there)
    return {name: value for name, value in _agreed(link.customer, there).items() if name in IDENTITY}


def _agreed(pair: Pair, there: Side) -> dict[str, str]:
    """What e-conomic's side held when both last agreed; where they never did, when it was last known to be that one."""
    return {**there.met, **{name: one.economic for name, one in pair.base.items() if not one.unknown}}


def _newer(known: Side | None, seen: Side) -> Side:
    """A read that still shows the version our write replaced is older than that write, whatever its counter says."""
    return known if known is not None and known.superseded and seen.version == known.superseded else seen


def _values(
    kind: Kind, record: Customer | EconomicCustomer | ContactPerson | EconomicContact
) -> dict[str, str]:  # fmt: skip
    return {name: value for name in fields.FIELDS[kind] if (value := getattr(record, name))}


def fate(link: Link) -> Link:
    """Where the link stands now that a side has been recorded: gone sides and foreign identities make it rest."""
    if link.state not in {LinkState.LINKED, LinkState.RESTING}:
        return link
    here, there = link.customer.crm, link.customer.economic
    if link.merged_into is not None:
        return replace(link, state=LinkState.RESTING, rest="merged")
    if here is not None and here.gone:
        numbers = () if link.number is None else (link.number,)
        return replace(
            link,
            state=LinkState.UNLINKED,
            rest="",
            unsendable=of_here(link.unsendable),
            flows=False,
            number=None,
            candidates=(),
            old_numbers=(*link.old_numbers, *numbers),
        )
    if link.rest == "renumbered":
        return link
    if there is not None and there.gone:
        # R7: a customer without link looks the same, so that the number may have changed unheard
        return replace(link, state=LinkState.RESTING, rest="renumbered" if link.candidates else "deleted_there")
    if another_identity(link.customer, link.contacts):
        return replace(link, state=LinkState.RESTING, rest="other_identity")
    stands = link.state is LinkState.LINKED and not link.rest
    return link if stands else replace(link, state=LinkState.LINKED, rest="")


def met(link: Link) -> Link:
    """The link of a customer that is known to be that one, with what says so where no base does."""
    there = link.customer.economic
    if link.state is not LinkState.LINKED or there is None or there.gone:
        return link
    known = {name: value for name, value in known_as(there).items() if name not in link.customer.base}
    return (
        link
        if known == there.met
        else replace(link, customer=replace(link.customer, economic=replace(there, met=known)))
    )


def known_as(there: Side) -> dict[str, str]:
    """What says now which customer that side of e-conomic is."""
    return {name: there.values[name] for name in IDENTITY if name in there.values}


def _contacts(link: Link, system: System, there: Mapping[str, Side], origins: Mapping[str, str]) -> Link:
    """The contact persons with that system's side as it is now; one that was seen and is missing is gone there."""
    left = dict(there)
    pairs = []
    for pair in link.contacts:
        side = pair.side(system)
        if side is None and (creation := pair.pending.get(system)) is not None:
            side = left.get(origins.get(str(creation.operation), ""))  # ours: it carries the operation that made it
        if side is None:
            pairs.append(pair)
        elif (now := left.pop(side.id, None)) is not None:
            now = now if now.receives is not None else replace(now, receives=side.receives)
            pairs.append(_with(pair, system, _newer(side, now)))
        else:  # if this read is older than the answer that made it, the next one shows it again
            # told once more, that it is missing is believed; what a removal of ours replaced is then seen to be gone
            again = replace(side, gone=True, confirmed=side.gone, superseded="")
            pairs.append(_with(pair, system, again))
    counter = link.counter
    for side in left.values():
        counter += 1
        pairs.append(_with(Pair(id=uuid5(link.id, f"contact/{counter}"), kind="contact"), system, side))
    return replace(link, counter=counter, contacts=tuple(pairs))


def _with(pair: Pair, system: System, side: Side) -> Pair:
    return replace(pair, crm=side) if system is System.CRM else replace(pair, economic=side)
