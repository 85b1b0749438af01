"""What does a customer hold in canonical values, and how many others hold the same? Values only."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler import keys, names

MOST_SHARING = 2
"""A value that more customers of one side hold says nothing about any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One customer of one side: its id there (e-conomic's number as text) and its values by the contracts' names."""

    id: str
    values: Mapping[str, str]
    persons: tuple[Mapping[str, str], ...] = ()
    barred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A record by its canonical values; an empty one says nothing."""

    id: str
    identity: str
    """CVR number, or a foreign VAT number."""
    ean: str
    pnumber: str
    name: str
    full: str
    normal: str
    personal: bool
    postcode: str
    city: str
    street: str
    phones: frozenset[str]
    email: str
    contact_emails: frozenset[str]

    @property
    def emails(self) -> frozenset[str]:
        """Its own address and those of its contact persons."""
        return self.contact_emails | {self.email} if self.email else self.contact_emails


def profile(record: Record) -> Profile:
    """The canonical values of a record."""
    values = record.values
    name = keys.text(values, "name")
    own = keys.email(values)
    return Profile(
        id=record.id,
        identity=keys.identity(values),
        ean=keys.ean(values),
        pnumber=keys.pnumber(values),
        name=names.folded(name),
        full=name,
        normal=names.normal(name),
        personal=names.personal(name),
        postcode=keys.postcode(values),
        city=keys.city(values),
        street=keys.street(values),
        phones=keys.phones(values),
        email=own,
        contact_emails=frozenset(address for one in record.persons if (address := keys.email(one))) - {own},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """How many customers of each side hold a value: phones, e-mail addresses, names at a place."""

    crm: Mapping[str, int]
    economic: Mapping[str, int]

    def few(self, value: str) -> bool:
        """Whether a value is held by so few that it says something."""
        return self.crm.get(value, 0) <= MOST_SHARING and self.economic.get(value, 0) <= MOST_SHARING

    def alone(self, value: str) -> bool:
        """Whether one customer of each side holds it."""
        return self.crm.get(value, 0) <= 1 and self.economic.get(value, 0) <= 1


def shared(crm: Iterable[Profile], economic: Iterable[Profile]) -> Shared:
    """Count the values of both sides."""
    return Shared(crm=_counted(crm), economic=_counted(economic))


def _counted(side: Iterable[Profile]) -> Mapping[str, int]:
    return Counter(value for one in side for value in (*one.phones, *one.emails, *places(one)))


def places(one: Profile) -> tuple[str, ...]:
    """A name alone and together with a place, each as one value; of a private person also with the door."""
    if not one.name:
        return ()
    found = [f"{one.name}|{place}" for place in (one.postcode, one.city) if place]
    if one.personal:
        found += [f"{place}|{one.street}" for place in found]
    found.append(f"{one.name}|")
    if domain := keys.domain(one.email):
        found.append(f"{one.name}@{domain}")
    return tuple(found)
