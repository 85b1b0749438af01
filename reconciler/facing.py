"""Which two customers stand beside one another in a question, and what speaks for their being one? Reading only."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from economic_adapter.contract import Reference
from reconciler import agreements, contacts, evidence, fields, profiles, sides, similar, store
from reconciler.asked import Task
from reconciler.link import Link
from reconciler.profiles import Record

MOST = 20
"""Candidates that are shown of one question."""
_FIELDS = fields.FIELDS["customer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facing:
    """A customer that may be the one a question is about. ``number`` in e-conomic, or ``customer`` in the CRM; ``values`` by field.

    ``same`` names what agrees, as fields. ``taken``: the customer of the CRM that is linked with that number. ``known`` off:
    nothing was ever seen of it.
    """

    number: int | None
    customer: str
    values: Mapping[str, str]
    same: tuple[str, ...]
    taken: str = ""
    known: bool = True
    barred: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return fields.text(self.values, "name")


def own(link: Link) -> Mapping[str, str]:
    """What is known of the customer a question is about: the CRM's side, else e-conomic's."""
    here, there = link.customer.crm, link.customer.economic
    side = here if here is not None and link.crm_id else there
    return {} if side is None else side.values


def candidates(connection: Connection, task: Task, link: Link) -> tuple[Facing, ...]:
    """The customers that may be this one, the likeliest first, with all that agrees."""
    mine = Record(id="", values=own(link), persons=_persons(link))
    found = [_there(connection, link, number) for number in task.candidates]
    found += [_here(connection, link, customer) for customer in task.candidates_here if not link.crm_id]
    shown = found[:MOST]
    known = [profiles.profile(one) for _, one in shown]
    counts = profiles.shared([profiles.profile(mine)], known)
    result = []
    for (facing, _), other in zip(shown, known, strict=True):
        codes = evidence.agreeing(profiles.profile(mine), other, counts) if facing.known else ()
        same = tuple(dict.fromkeys(_CODES[one] for one in codes if one in _CODES))
        result.append(
            Facing(
                number=facing.number, customer=facing.customer, values=facing.values, same=same, taken=facing.taken,
                known=facing.known, barred=facing.barred,
            )
        )  # fmt: skip
    return tuple(result)


def heirs(connection: Connection, heir: Link | None, merged: Link) -> tuple[Facing, Facing] | None:
    """Of a merge: the survivor's own customer in e-conomic, and the merged one's; none where either is not known."""
    if heir is None or heir.number is None or merged.number is None:
        return None
    return _there(connection, heir, heir.number)[0], _there(connection, merged, merged.number)[0]


def choices(connection: Connection, link: Link) -> Reference | None:
    """What e-conomic offers for a new customer, as far as it was told."""
    return agreements.reference(connection, link.tenant, link.agreement or 0)


def _there(connection: Connection, link: Link, number: int) -> tuple[Facing, Record]:
    seen = sides.economic(connection, link.tenant, link.agreement or 0, number)
    customer = None if seen is None else seen.customer
    record = Record(id=str(number), values={}) if customer is None else similar.of_economic(customer)
    holders = store.of_number(connection, number, link.tenant, link.agreement)
    taken = next((one.link.crm_id for one in holders if one.link.crm_id and one.link.id != link.id), "")
    facing = Facing(
        number=number,
        customer="",
        values=record.values,
        same=(),
        taken=taken,
        known=customer is not None,
        barred=record.barred,
    )
    return facing, record


def _here(connection: Connection, link: Link, crm_id: str) -> tuple[Facing, Record]:
    seen = sides.crm(connection, link.tenant, crm_id)
    customer = None if seen is None else seen.customer
    values = {} if customer is None else {name: getattr(customer, name) for name in _FIELDS}
    persons = () if customer is None else tuple(
        {name: getattr(one, name, "") for name in fields.FIELDS["contact"]} for one in customer.contacts
    )  # fmt: skip
    linked = store.of_customer(connection, crm_id, link.tenant, link.agreement)
    taken = next((str(one.link.number) for one in linked if one.link.number is not None), "")
    facing = Facing(number=None, customer=crm_id, values=values, same=(), taken=taken, known=customer is not None)
    return facing, Record(id=crm_id, values=values, persons=persons)


def _persons(link: Link) -> tuple[Mapping[str, str], ...]:
    alive = [one.crm if contacts.alive(one.crm) else one.economic for one in link.contacts]
    return tuple(side.values for side in alive if side is not None and not side.gone)


_CODES = {
    "cvr": "cvr", "ean": "ean", "pnumber": "pnumber", "name": "name", "name_similar": "name", "street": "address",
    "street_similar": "address", "postcode": "postcode", "city": "city", "phone": "phone", "email": "email",
    "contact_email": "email", "email_domain": "email",
}  # fmt: skip
"""What agrees, as the fields people know."""
