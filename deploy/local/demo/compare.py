"""Are both systems the same? Every customer, every person, detail by detail, against what was entered on either side.

Reads the CRM's tables and the sandbox's own state; it asks nothing of the parts that did the syncing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_outbox.contract import Customer
from economic_adapter.contract import hold

DETAILS = {
    "name": "name",
    "cvr": "cvrNo",
    "ean": "eanLocationNumber",
    "pnumber": "pnr",
    "postcode": "postCode",
    "city": "city",
    "country": "country",
    "phone": "phone",
    "mobile": "mobilePhone",
    "email": "email",
    "website": "homepage",
}
"""Our word for a detail, and the property of customersapi 3.1.0 that holds it. The street is two properties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One customer as one system holds it: details, persons by name, and the names that stand there more than once."""

    details: Mapping[str, str]
    persons: Mapping[str, Mapping[str, str]]
    twice: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Entered:
    """What people entered, in either system: the values that must stand in both at the end, by CVR number."""

    customers: dict[str, dict[str, str]] = field(default_factory=dict)
    persons: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a comparison found; all of it zero when the systems are the same and hold what was entered."""

    crm: int
    economic: int
    persons: int
    details: int
    lost: list[str]
    doubled: list[str]
    differing: list[str]

    @property
    def same(self) -> bool:
        """Whether nothing is lost, doubled or differing."""
        return not (self.lost or self.doubled or self.differing)

    def __str__(self) -> str:
        return (
            f"C {self.crm} · E {self.economic} customers · {self.persons} persons · {self.details} details compared · "
            f"lost {len(self.lost)} · doubled {len(self.doubled)} · differing {len(self.differing)}"
        )


def crm_holdings(customers: Iterable[Customer]) -> list[Holding]:
    """What the CRM holds, as e-conomic would keep it."""
    return [
        Holding(
            details={name: hold("customer", name, getattr(customer, name)) for name in (*DETAILS, "street")},
            persons={
                person.name: {name: hold("contact", name, getattr(person, name)) for name in ("email", "phone")}
                for person in customer.contacts
            },
            twice=_repeated(person.name for person in customer.contacts),
        )
        for customer in customers
        if not customer.deleted
    ]


def economic_holdings(agreement: Mapping[str, Any]) -> list[Holding]:
    """What the sandbox's agreement holds, under our words."""
    persons: dict[int, list[tuple[str, dict[str, str]]]] = {}
    for contact in agreement["contacts"]:
        if not contact.get("isDeleted"):
            details = {name: contact.get(name) or "" for name in ("email", "phone")}
            persons.setdefault(contact["customerNumber"], []).append((contact["name"], details))
    return [
        Holding(
            details={
                **{ours: str(body.get(theirs) or "") for ours, theirs in DETAILS.items()},
                "street": "\n".join(part for part in (body.get("address1"), body.get("address2")) if part),
            },
            persons=dict(persons.get(body["customerNumber"], ())),
            twice=_repeated(name for name, _ in persons.get(body["customerNumber"], ())),
        )
        for body in agreement["customers"]
    ]


def compare(crm: list[Holding], economic: list[Holding], entered: Entered) -> Verdict:
    """Hold both systems and what was entered against each other, by CVR number."""
    here, there = (_by_cvr(side) for side in (crm, economic))
    doubled = [
        f"{cvr} stands {count} times in {system}"
        for system, side in (("C", crm), ("E", economic))
        for cvr, count in Counter(one.details["cvr"] for one in side).items()
        if count > 1
    ] + [
        f"{one.details['cvr']} person {name} stands more than once in {system}"
        for system, side in (("C", crm), ("E", economic))
        for one in side
        for name in one.twice
    ]
    lost, differing, details, persons = [], [], 0, 0
    for cvr in sorted(set(here) | set(there)):
        if cvr not in here or cvr not in there:
            differing.append(f"{cvr} stands in {'C' if cvr in here else 'E'} only")
            continue
        details += len(here[cvr].details)
        persons += len(here[cvr].persons)
        differing += _differences(cvr, here[cvr], there[cvr])
    for cvr, values in entered.customers.items():
        wanted_persons = entered.persons.get(cvr, {})
        for system, side in (("C", here), ("E", there)):
            lost += _missing(cvr, system, side.get(cvr), values, wanted_persons)
    return Verdict(
        crm=len(crm),
        economic=len(economic),
        persons=persons,
        details=details,
        lost=lost,
        doubled=doubled,
        differing=differing,
    )


def _repeated(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name, count in Counter(names).items() if count > 1)


def _by_cvr(side: list[Holding]) -> dict[str, Holding]:
    return {one.details["cvr"]: one for one in side}


def _differences(cvr: str, here: Holding, there: Holding) -> list[str]:
    found = [
        f"{cvr} {name}: C {value!r}, E {there.details[name]!r}"
        for name, value in here.details.items()
        if value != there.details[name]
    ]
    for name in sorted(set(here.persons) | set(there.persons)):
        mine, theirs = here.persons.get(name), there.persons.get(name)
        if mine != theirs:
            found.append(f"{cvr} person {name}: C {mine}, E {theirs}")
    return found


def _missing(
    cvr: str,
    system: str,
    held: Holding | None,
    values: Mapping[str, str],
    persons: Mapping[str, Mapping[str, str]],
) -> list[str]:
    if held is None:
        return [f"{cvr} is not in {system}"]
    lost = [
        f"{cvr} {name}: {value!r} was entered, {system} holds {held.details[name]!r}"
        for name, value in values.items()
        if held.details[name] != hold("customer", name, value)
    ]
    for person, wanted in persons.items():
        found = held.persons.get(person)
        if found is None:
            lost.append(f"{cvr} person {person} is not in {system}")
            continue
        lost += [
            f"{cvr} person {person} {name}: {value!r} was entered, {system} holds {found[name]!r}"
            for name, value in wanted.items()
            if found[name] != hold("contact", name, value)
        ]
    return lost
