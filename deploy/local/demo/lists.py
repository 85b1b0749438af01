"""What do the two systems hold before the tour begins? Two lists of customers, kept by hand, of which many are the same.

Pairs differ only by blanks and by spelling that means the same; so whatever links them asks nobody anything.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from deploy.local.invented import Company, companies

SAME_CVR = 170
NO_COMMON_KEY = 44
CRM_ONLY = 106
LEADS = 12
"""Of those that only the CRM has."""
ECONOMIC_ONLY = 91
SEED = 2026


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Each side's customers, and by name: the pairs with a common key, and the ones that only one side has."""

    crm: tuple[Company, ...]
    economic: tuple[Company, ...]
    keyed: tuple[str, ...]
    leads: frozenset[str]
    crm_only: frozenset[str]
    economic_only: frozenset[str]

    def __str__(self) -> str:
        persons = [sum(len(one.persons) for one in side) for side in (self.crm, self.economic)]
        return (
            f"Clickmate: {len(self.crm)} customers, {persons[0]} contact persons · "
            f"e-conomic: {len(self.economic)}, {persons[1]}"
        )


def lists(seed: int = SEED) -> Lists:
    """The same two lists for the same seed."""
    rng = random.Random(seed)
    invented = companies(seed)
    same = [_pair(rng, one) for one in islice(invented, SAME_CVR)]
    unkeyed = [_without_key(rng, *_pair(rng, one)) for one in islice(invented, NO_COMMON_KEY)]
    crm_only = tuple(islice(invented, CRM_ONLY))
    economic_only = tuple(islice(invented, ECONOMIC_ONLY))
    pairs = same + unkeyed
    crm = [here for here, _ in pairs] + list(crm_only)
    economic = [there for _, there in pairs] + list(economic_only)
    rng.shuffle(crm)
    rng.shuffle(economic)
    return Lists(
        crm=tuple(crm),
        economic=tuple(economic),
        keyed=tuple(here.name for here, _ in same),
        leads=frozenset(one.name for one in crm_only[:LEADS]),
        crm_only=frozenset(one.name for one in crm_only),
        economic_only=frozenset(one.name for one in economic_only),
    )


def _pair(rng: random.Random, company: Company) -> tuple[Company, Company]:
    """One company as each side wrote it down: now and then a detail is blank on one side, or spelled another way."""
    here, there = dict(company.fields), dict(company.fields)
    for name in ("phone", "email", "website"):
        if rng.random() < 0.08:
            rng.choice([here, there])[name] = ""
    for name, spell in _SPELLINGS.items():
        if rng.random() < 0.15 and (side := rng.choice([here, there]))[name]:
            side[name] = spell(side[name])
    return Company(fields=here, persons=company.persons), Company(fields=there, persons=company.persons)


def _without_key(rng: random.Random, here: Company, there: Company) -> tuple[Company, Company]:
    """The pair, its CVR number known on one side only."""
    blank = rng.choice([here, there])
    blank.fields["cvr"] = ""
    return here, there


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 2] for at in range(0, len(number), 2))


_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "cvr": lambda value: f"DK {value}" if int(value) % 2 else _spaced(value),
    "postcode": lambda value: f"DK-{value}",
    "country": lambda _: "DK",
    "email": lambda value: value.capitalize(),
    "website": lambda value: value.removeprefix("https://").removeprefix("www.").removesuffix("/"),
    "phone": lambda value: value.replace(" ", ""),
}
