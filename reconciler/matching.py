"""Which customers of the CRM are which customers of e-conomic? Links, suggestions, questions, and who is new.

Only CVR and EAN numbers, one each way, link by themselves. Everything else is a suggestion for an admin, one-to-one over
the whole set; what has several candidates is a question. The order of what is given never matters, and swapping the
sides swaps the answer.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler import keys, names, numbered
from reconciler.assignment import Edge, choose
from reconciler.evidence import Evidence, Found, compare, doubtful
from reconciler.numbered import MOST_IN_BLOCK, Apart, Sides
from reconciler.profiles import Profile, Record, profile, shared
from reconciler.rules import System

__all__ = ["Evidence", "Found", "Matching", "Record", "candidates", "match", "still_found"]

_ORDER = {evidence: nth for nth, evidence in enumerate(Evidence)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How the two sides belong together. Every record that was given and is not linked stands in exactly one class:

    ``certain``; ``suggested``, one-to-one; asked about (``crm_asked``, ``economic_asked``); or only on its side. A pair of
    ``contested`` may name a record that is suggested with another.
    """

    certain: tuple[Found, ...]
    suggested: tuple[Found, ...]
    contested: tuple[Found, ...]
    crm_only: tuple[str, ...]
    economic_only: tuple[str, ...]

    @property
    def crm_asked(self) -> tuple[str, ...]:
        """The CRM's customers that have candidates but neither a certain nor a suggested one."""
        return tuple(sorted({one.crm for one in self.contested} - {one.crm for one in self.suggested}))

    @property
    def economic_asked(self) -> tuple[str, ...]:
        """e-conomic's customers that have candidates but neither a certain nor a suggested one."""
        return tuple(sorted({one.economic for one in self.contested} - {one.economic for one in self.suggested}))


def match(
    crm: Iterable[Record],
    economic: Iterable[Record],
    apart: Collection[tuple[str, str]] = (),
    linked: Collection[tuple[str, str]] = (),
) -> Matching:
    """Match the whole of both sides. ``apart`` and ``linked`` are pairs (CRM id, e-conomic id).

    Give linked customers too: they are left out of the answer, but a value they hold is not another's alone.
    """
    sides = _sides(crm, economic, apart, linked)
    by_number = numbered.numbered(sides)
    done_crm = {one.crm for one in by_number.certain}
    done_economic = {one.economic for one in by_number.certain}
    open_crm = [one for one in sides.crm_free if one.id not in done_crm]
    open_economic = [one for one in sides.economic_free if one.id not in done_economic]
    asked = {(one.crm, one.economic): one for one in by_number.contested}
    weaker = [one for one in _weaker(sides, open_crm, open_economic) if (one.crm, one.economic) not in asked]
    suggested, contested = _settled(by_number.contested, weaker)
    found = (*suggested, *contested)
    seen_crm, seen_economic = {one.crm for one in found}, {one.economic for one in found}
    return Matching(
        certain=_sorted(by_number.certain),
        suggested=_sorted(suggested),
        contested=_sorted(contested),
        crm_only=tuple(one.id for one in open_crm if one.id not in seen_crm),
        economic_only=tuple(one.id for one in open_economic if one.id not in seen_economic),
    )


def still_found(one: Record, other: Record, evidence: str) -> bool:
    """Whether these two, the CRM's first, are found by evidence as strong as that: by themselves nobody else shares it."""
    known = [str(one) for one in Evidence]
    found = match([one], [other])
    strong = known[: known.index(evidence) + 1] if evidence in known else []
    return any(one.evidence in strong for one in (*found.certain, *found.suggested))


def candidates(
    record: Record,
    others: Iterable[Record],
    apart: Collection[tuple[str, str]] = (),
    *,
    side: System = System.CRM,
    own: Iterable[Record] = (),
    linked: Collection[tuple[str, str]] = (),
) -> tuple[Found, ...]:
    """Everybody among ``others`` that may be this record of that side, best first; at most one is certain.

    ``own`` are further records of its own side that share a key with it: without them a number that two customers hold
    would look like one's alone. Linked ones are to be among ``own`` and ``others`` as well, and are never candidates.
    """
    mine = (record, *(one for one in own if one.id != record.id))
    crm, economic = (mine, tuple(others)) if side is System.CRM else (tuple(others), mine)
    sides = _sides(crm, economic, apart, linked)
    by_number = numbered.numbered(sides)
    found = {(one.crm, one.economic): one for one in (*by_number.certain, *by_number.contested)}
    for one in _weaker(sides, sides.crm_free, sides.economic_free):
        found.setdefault((one.crm, one.economic), one)
    ours = [one for one in found.values() if record.id == (one.crm if side is System.CRM else one.economic)]
    certain = [one for one in ours if one.certain]
    return tuple(certain or sorted(ours, key=lambda one: (_ORDER[one.evidence], -one.score, one.crm, one.economic)))


def _sides(
    crm: Iterable[Record], economic: Iterable[Record], apart: Apart, linked: Collection[tuple[str, str]]
) -> Sides:
    here = sorted((profile(one) for one in crm), key=lambda one: one.id)
    there = sorted((profile(one) for one in economic), key=lambda one: one.id)
    return Sides(
        crm=here,
        economic=there,
        linked=frozenset(linked),
        crm_linked=frozenset(one for one, _ in linked),
        economic_linked=frozenset(other for _, other in linked),
        counts=shared(here, there),
        apart=frozenset(apart),
    )


def _weaker(sides: Sides, crm: Sequence[Profile], economic: Sequence[Profile]) -> list[Found]:
    """Pairs that share no number and have something else in common: compared only within small blocks of equal values."""
    pairs: set[tuple[int, int]] = set()
    for block in _BLOCKS:
        here, there = _blocked(crm, block), _blocked(economic, block)
        for value in here.keys() & there.keys():
            if len(here[value]) <= MOST_IN_BLOCK and len(there[value]) <= MOST_IN_BLOCK:
                pairs.update((one, other) for one in here[value] for other in there[value])
    found = []
    for one, other in sorted(pairs):
        if sides.parted(crm[one], economic[other]):
            continue
        if (likely := compare(crm[one], economic[other], sides.counts)) is not None:
            found.append(likely)
    return found


def _blocked(side: Sequence[Profile], block: Callable[[Profile], Iterator[str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for nth, one in enumerate(side):
        for value in block(one):
            found[value].append(nth)
    return found


def _names(one: Profile) -> Iterator[str]:
    if one.name:
        yield f"{one.name}|"
        if one.postcode:
            yield f"{one.name}|{one.postcode}"
            yield from (f"{word}~{one.postcode}" for word in names.plain(one.normal).split() if len(word) > 2)
        if one.city:
            yield f"{one.name}|{one.city}"
        if host := keys.domain(one.email):
            yield f"{one.name}@{host}"


def _places(one: Profile) -> Iterator[str]:
    if one.street and one.postcode:
        yield f"{one.postcode}|{one.street}"
    if one.street and one.city:
        yield f"{one.city}|{one.street}"


_BLOCKS: tuple[Callable[[Profile], Iterator[str]], ...] = (
    lambda one: iter(one.phones),
    lambda one: iter(one.emails),
    _names,
    _places,
)
"""By which values two records are worth comparing."""


def _settled(asked: Iterable[Found], weaker: Iterable[Found]) -> tuple[list[Found], list[Found]]:
    """What is suggested, and what is asked: what numbers contest, what differs as well, what has no single best pairing."""
    contested = list(asked)
    asked_crm, asked_economic = {one.crm for one in contested}, {one.economic for one in contested}
    open_: list[Found] = []
    other: list[Found] = []
    for one in weaker:
        doubt = one.crm in asked_crm or one.economic in asked_economic or doubtful(one)
        (other if doubt else open_).append(one)
    chosen = choose(Edge(one.crm, one.economic, one.score) for one in open_)
    suggested = [one for one in open_ if (one.crm, one.economic) in chosen]
    taken_crm, taken_economic = {one.crm for one in suggested}, {one.economic for one in suggested}
    for one in (*open_, *other):
        taken = (one.crm in taken_crm) + (one.economic in taken_economic)
        if taken == 0 or (taken == 1 and _named(one) and one.evidence is not Evidence.NAME):
            contested.append(one)
    return suggested, numbered.best(contested)


def _named(one: Found) -> bool:
    """Whether the names agree too: only then may one be a second record of a customer that is suggested with another.

    By the name alone nobody is, for a company of that name at its own place has its partner.
    """
    return "name" in one.reasons or "name_similar" in one.reasons


def _sorted(pairs: Iterable[Found]) -> tuple[Found, ...]:
    return tuple(sorted(pairs, key=lambda one: (one.crm, one.economic)))
