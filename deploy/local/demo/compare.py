"""Are both systems the same? Every customer, every person, detail by detail, against what was entered on either side.

Reads the CRM's tables and the sandbox's own state; it asks nothing of the parts that did the syncing, not even when two
spellings mean the same.
"""

import re
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
    """What people entered, in either system: the values that must stand in both at the end, by what tells customers apart."""

    customers: dict[str, dict[str, str]] = field(default_factory=dict)
    persons: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    crm_only: set[str] = field(default_factory=set)
    economic_only: set[str] = field(default_factory=set)
    """Customers that nobody has asked to have on the other side: there they would be too many."""


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


def compare(crm: list[Holding], economic: list[Holding], entered: Entered, by: str = "cvr") -> Verdict:
    """Hold both systems and what was entered against each other, by a detail that tells customers apart."""
    here, there = ({_plain(by, one.details[by]): one for one in side} for side in (crm, economic))
    doubled = [
        f"{detail} {value} stands {count} times in {system}"
        for system, side in (("C", crm), ("E", economic))
        for detail in dict.fromkeys((by, "cvr"))
        for value, count in Counter(_plain(detail, one.details[detail]) for one in side).items()
        if count > 1 and value
    ] + [
        f"{one.details[by]} person {name} stands more than once in {system}"
        for system, side in (("C", crm), ("E", economic))
        for one in side
        for name in one.twice
    ]
    lost, differing, details, persons = [], [], 0, 0
    for key in sorted(set(here) | set(there)):
        if key not in here or key not in there:
            if key not in (entered.crm_only if key in here else entered.economic_only):
                differing.append(f"{key} stands in {'C' if key in here else 'E'} only")
            continue
        if key in entered.crm_only | entered.economic_only:
            differing.append(f"{key} stands in both, and nobody asked for that")
        details += len(here[key].details)
        persons += len(here[key].persons)
        differing += _differences(key, here[key], there[key])
    for key, values in entered.customers.items():
        wanted_persons = entered.persons.get(key, {})
        sides = [("C", here)] if key not in entered.economic_only else []
        sides += [("E", there)] if key not in entered.crm_only else []
        for system, side in sides:
            lost += _missing(key, system, side.get(key), values, wanted_persons)
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


def _plain(name: str, value: str) -> str:
    """The value without what people write differently and mean the same."""
    text = " ".join(value.split())
    match name:
        case "cvr" | "ean" | "phone" | "mobile":
            return re.sub(r"^(\+45|0045|DK)", "", re.sub(r"[\s.\-]", "", text))
        case "postcode":
            return text.removeprefix("DK-")
        case "email":
            return text.lower()
        case "website":
            return re.sub(r"^(https?://)?(www\.)?", "", text).rstrip("/")
        case "country":
            return {"DK": "Danmark", "Denmark": "Danmark"}.get(text, text)
        case _:
            return text


def _plainly(details: Mapping[str, str]) -> dict[str, str]:
    return {name: _plain(name, value) for name, value in details.items()}


def _differences(key: str, here: Holding, there: Holding) -> list[str]:
    found = [
        f"{key} {name}: C {value!r}, E {there.details[name]!r}"
        for name, value in here.details.items()
        if _plain(name, value) != _plain(name, there.details[name])
    ]
    for name in sorted(set(here.persons) | set(there.persons)):
        mine, theirs = here.persons.get(name), there.persons.get(name)
        if mine is None or theirs is None or _plainly(mine) != _plainly(theirs):
            found.append(f"{key} person {name}: C {mine}, E {theirs}")
    return found


def _missing(
    key: str,
    system: str,
    held: Holding | None,
    values: Mapping[str, str],
    persons: Mapping[str, Mapping[str, str]],
) -> list[str]:
    if held is None:
        return [f"{key} is not in {system}"]
    lost = [
        f"{key} {name}: {value!r} was entered, {system} holds {held.details[name]!r}"
        for name, value in values.items()
        if _plain(name, held.details[name]) != _plain(name, hold("customer", name, value))
    ]
    for person, wanted in persons.items():
        found = held.persons.get(person)
        if found is None:
            lost.append(f"{key} person {person} is not in {system}")
            continue
        lost += [
            f"{key} person {person} {name}: {value!r} was entered, {system} holds {found[name]!r}"
            for name, value in wanted.items()
            if _plain(name, found[name]) != _plain(name, hold("contact", name, value))
        ]
    return lost
