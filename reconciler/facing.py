"""Which two customers stand beside one another in a question, and what speaks for their being one? Reading only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from economic_adapter.contract import Reference
from reconciler import agreements, contacts, evidence, fields, profiles, sides, similar
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
    numbers = task.candidates[:MOST]
    shown = _there(connection, link, numbers)
    shown += _here(connection, link, () if link.crm_id else task.candidates_here[: MOST - len(numbers)])
    return _agreeing(link, shown)


def there(connection: Connection, link: Link, numbers: Sequence[int]) -> tuple[Facing, ...]:
    """These customers of e-conomic, in that order, with all that agrees."""
    return _agreeing(link, _there(connection, link, numbers[:MOST]))


def both(mine: Mapping[str, str], theirs: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The fields that either of two customers holds, with both values."""
    pairs = [(name, fields.text(mine, name), fields.text(theirs, name)) for name in _FIELDS]
    return [one for one in pairs if one[1].strip() or one[2].strip()]


def _agreeing(link: Link, shown: Sequence[tuple[Facing, Record]]) -> tuple[Facing, ...]:
    mine = Record(id="", values=own(link), persons=_persons(link))
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
    ((own_, _),), ((theirs, _),) = (
        _there(connection, one, [number]) for one, number in ((heir, heir.number), (merged, merged.number))
    )
    return own_, theirs


def choices(connection: Connection, link: Link) -> Reference | None:
    """What e-conomic offers for a new customer, as far as it was told."""
    return agreements.reference(connection, link.tenant, link.agreement or 0)


def _there(connection: Connection, link: Link, numbers: Sequence[int]) -> list[tuple[Facing, Record]]:
    """Those customers of e-conomic, in that order; in as many statements as one of them."""
    seen = sides.economic_of(connection, link.tenant, link.agreement or 0, numbers) if numbers else {}
    holders = connection.execute(_HOLDERS, {**_key(link), "numbers": list(numbers)}).all() if numbers else ()
    found = []
    for number in numbers:
        customer = seen[number].customer if number in seen else None
        record = Record(id=str(number), values={}) if customer is None else similar.of_economic(customer)
        taken = next((one.crm_id for one in holders if one.number == number and one.id != link.id), "")
        facing = Facing(
            number=number, customer="", values=record.values, same=(), taken=taken, known=customer is not None,
            barred=record.barred,
        )  # fmt: skip
        found.append((facing, record))
    return found


def _here(connection: Connection, link: Link, ids: Sequence[str]) -> list[tuple[Facing, Record]]:
    """Those customers of the CRM, in that order; in as many statements as one of them."""
    seen = sides.crm_of(connection, link.tenant, ids) if ids else {}
    linked = (
        {one.crm_id: one.number for one in connection.execute(_LINKED, {**_key(link), "ids": list(ids)})} if ids else {}
    )
    found = []
    for crm_id in ids:
        customer = seen[crm_id].customer if crm_id in seen else None
        values = {} if customer is None else {name: getattr(customer, name) for name in _FIELDS}
        persons = () if customer is None else tuple(
            {name: getattr(one, name, "") for name in fields.FIELDS["contact"]} for one in customer.contacts
        )  # fmt: skip
        facing = Facing(
            number=None, customer=crm_id, values=values, same=(), taken=str(linked.get(crm_id, "")),
            known=customer is not None,
        )  # fmt: skip
        found.append((facing, Record(id=crm_id, values=values, persons=persons)))
    return found


def _key(link: Link) -> dict[str, Any]:
    return {"tenant": link.tenant, "agreement": link.agreement}


def _persons(link: Link) -> tuple[Mapping[str, str], ...]:
    alive = [one.crm if contacts.alive(one.crm) else one.economic for one in link.contacts]
    return tuple(side.values for side in alive if side is not None and not side.gone)


_IN_USE = """
    from sync.link l join sync.agreement a on a.tenant = l.tenant and a.agreement = l.agreement and a.state <> 'disconnected'
    where l.tenant = :tenant and l.agreement = :agreement and l.crm_id is not null and l.number is not null
"""
_HOLDERS = sa.text(f"select l.id, l.number, l.crm_id {_IN_USE} and l.number = any(cast(:numbers as integer[]))")
_LINKED = sa.text(f"select l.crm_id, l.number {_IN_USE} and l.crm_id = any(cast(:ids as text[]))")
_CODES = {
    "cvr": "cvr", "ean": "ean", "pnumber": "pnumber", "name": "name", "name_similar": "name", "street": "address",
    "street_similar": "address", "postcode": "postcode", "city": "city", "phone": "phone", "email": "email",
    "contact_email": "email", "email_domain": "email",
}  # fmt: skip
"""What agrees, as the fields people know."""
