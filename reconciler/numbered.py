"""Which records are one customer by their CVR or EAN number? Those one each way; the others are for a person to tell apart."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.evidence import Evidence, Found, against, agreeing, differ, strangers, weighed
from reconciler.profiles import Profile, Shared

Apart = Collection[tuple[str, str]]

MOST_ASKED = 10
"""So many candidates are named of one record; the best ones."""
FEW = 100
"""Pairs up to which everybody that shares a number is compared with everybody."""
MOST_IN_BLOCK = 20
"""A name or phone that more records of one side have is not compared pair by pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """What the numbers said: pairs that are certain, and pairs of which a person must say whether they are."""

    certain: tuple[Found, ...]
    contested: tuple[Found, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides, sorted by id, and who is linked: those are in no answer, but what they hold is not another's alone."""

    crm: Sequence[Profile]
    economic: Sequence[Profile]
    linked: Collection[tuple[str, str]]
    crm_linked: Collection[str]
    economic_linked: Collection[str]
    counts: Shared
    apart: Apart

    @property
    def crm_free(self) -> list[Profile]:
        """The CRM's customers that have no link."""
        return [one for one in self.crm if one.id not in self.crm_linked]

    @property
    def economic_free(self) -> list[Profile]:
        """e-conomic's customers that have no link."""
        return [one for one in self.economic if one.id not in self.economic_linked]

    def parted(self, one: Profile, other: Profile) -> bool:
        """Whether the two can never be one customer, whatever else agrees."""
        return (one.id, other.id) in self.apart or differ(one, other)

    def found(self, one: Profile, other: Profile, evidence: Evidence, *, certain: bool = False) -> Found:
        """The two with everything that agrees and differs."""
        reasons = (*agreeing(one, other, self.counts), *against(one, other))
        return replace(weighed(one, other, evidence, reasons), certain=certain)


def numbered(sides: Sides) -> Numbered:
    """Pair by CVR and EAN number. A record that two numbers give to two others is certain with neither."""
    found: dict[tuple[str, str], Found] = {}
    asked: dict[tuple[str, str], Found] = {}
    eans = list(_groups(sides, lambda one: one.ean))
    lone_eans = {crm[0].ean for crm, economic in eans if len(crm) == len(economic) == 1}
    for crm, economic in _groups(sides, lambda one: one.identity):
        _by_cvr(sides, crm, economic, lone_eans, found, asked)
    for crm, economic in eans:
        here, there = _free(sides, crm, economic)
        if crm[0].ean in lone_eans:
            for one, other in _allowed(sides, here, there):
                found.setdefault((one.id, other.id), sides.found(one, other, Evidence.EAN, certain=True))
        elif max(len(crm), len(economic)) <= MOST_ASKED:
            _ask(asked, [sides.found(*both, Evidence.EAN) for both in _allowed(sides, here, there)])
    crm_ends, economic_ends = Counter(crm for crm, _ in found), Counter(economic for _, economic in found)
    certain = {pair: one for pair, one in found.items() if crm_ends[pair[0]] == economic_ends[pair[1]] == 1}
    asked |= {pair: replace(one, certain=False) for pair, one in found.items() if pair not in certain}
    done_crm, done_economic = {crm for crm, _ in certain}, {economic for _, economic in certain}
    contested = [
        one
        for (crm, economic), one in asked.items()
        if crm not in done_crm and economic not in done_economic
    ]  # fmt: skip
    return Numbered(certain=tuple(certain.values()), contested=tuple(contested))


def _groups(sides: Sides, number: Callable[[Profile], str]) -> Iterator[tuple[list[Profile], list[Profile]]]:
    """Records of both sides that hold the same number, linked ones too."""
    crm, economic = _grouped(sides.crm, number), _grouped(sides.economic, number)
    for value in sorted(crm.keys() & economic.keys()):
        yield crm[value], economic[value]


def _free(sides: Sides, crm: list[Profile], economic: list[Profile]) -> tuple[list[Profile], list[Profile]]:
    return (
        [one for one in crm if one.id not in sides.crm_linked],
        [other for other in economic if other.id not in sides.economic_linked],
    )


def _grouped(side: Iterable[Profile], number: Callable[[Profile], str]) -> dict[str, list[Profile]]:
    found: dict[str, list[Profile]] = defaultdict(list)
    for one in side:
        if value := number(one):
            found[value].append(one)
    return found


def _by_cvr(
    sides: Sides,
    crm: list[Profile],
    economic: list[Profile],
    lone_eans: Collection[str],
    found: dict[tuple[str, str], Found],
    asked: dict[tuple[str, str], Found],
) -> None:
    if len(crm) == len(economic) == 1:
        for one, other in _allowed(sides, *_free(sides, crm, economic)):
            if against(one, other) or strangers(one, other):
                _ask(asked, [_told_apart(sides, one, other)])
            else:
                found[one.id, other.id] = sides.found(one, other, Evidence.CVR, certain=True)
        return
    for stage in _STAGES:
        crm, economic, pairs = _split(sides, stage, crm, economic, lone_eans)
        for one, other in pairs:
            if (one.id, other.id) not in sides.linked:
                found[one.id, other.id] = sides.found(one, other, Evidence.CVR, certain=True)
    _ask(asked, _left(sides, *_free(sides, crm, economic)))


def _told_apart(sides: Sides, one: Profile, other: Profile) -> Found:
    asked = sides.found(one, other, Evidence.CVR)
    differing = () if against(one, other) else ("name_differs", "postcode_differs")
    return replace(asked, reasons=(*asked.reasons, *differing))


def _ean(one: Profile, lone_eans: Collection[str]) -> str:
    return one.ean if one.ean in lone_eans else ""


_STAGES: tuple[Callable[[Profile, Collection[str]], str], ...] = (
    _ean,
    lambda one, _: one.pnumber,
    lambda one, _: f"{one.name}|{one.postcode}" if one.name and one.postcode else "",
    lambda one, _: one.name,
)
"""What tells apart the customers of one CVR number, strongest first."""


def _split(
    sides: Sides,
    stage: Callable[[Profile, Collection[str]], str],
    crm: list[Profile],
    economic: list[Profile],
    lone_eans: Collection[str],
) -> tuple[list[Profile], list[Profile], list[tuple[Profile, Profile]]]:
    """Pairs that hold a value alone on both sides, and those that are left. What is linked already parts like the rest,

    so that asking again after some were linked gives the same answer for the others.
    """
    here = _grouped(crm, lambda one: stage(one, lone_eans))
    there = _grouped(economic, lambda one: stage(one, lone_eans))
    pairs = [
        (here[value][0], there[value][0])
        for value in here.keys() & there.keys()
        if len(here[value]) == len(there[value]) == 1 and _may_be_one(sides, here[value][0], there[value][0])
    ]
    crm_done, economic_done = {one.id for one, _ in pairs}, {other.id for _, other in pairs}
    return (
        [one for one in crm if one.id not in crm_done],
        [other for other in economic if other.id not in economic_done],
        pairs,
    )


def _may_be_one(sides: Sides, one: Profile, other: Profile) -> bool:
    if (one.id, other.id) in sides.linked:
        return True
    if one.id in sides.crm_linked or other.id in sides.economic_linked:
        return False
    if sides.parted(one, other) or strangers(one, other):
        return False
    if one.ean and one.ean == other.ean:
        return True
    if against(one, other):
        return False
    same_unit = bool(one.pnumber) and one.pnumber == other.pnumber
    return same_unit or not (one.postcode and other.postcode) or one.postcode == other.postcode


def _allowed(sides: Sides, crm: Iterable[Profile], economic: Sequence[Profile]) -> Iterator[tuple[Profile, Profile]]:
    return ((one, other) for one in crm for other in economic if not sides.parted(one, other))


def _left(sides: Sides, crm: list[Profile], economic: list[Profile]) -> list[Found]:
    """What a person is asked about those of one CVR number that nothing told apart.

    Two departments with an EAN number each are not asked about. In a large group each record is shown beside those it has
    something else in common with, or else beside the first few.
    """
    if len(crm) * len(economic) <= FEW:
        return [
            sides.found(one, other, Evidence.CVR)
            for one, other in _allowed(sides, crm, economic)
            if not against(one, other)
        ]
    pairs = set()
    here, there = _blocks(crm), _blocks(economic)
    for value in here.keys() & there.keys():
        if len(here[value]) <= MOST_IN_BLOCK and len(there[value]) <= MOST_IN_BLOCK:
            pairs |= {(one, other) for one in here[value] for other in there[value]}
    seen_crm, seen_economic = {one for one, _ in pairs}, {other for _, other in pairs}
    pairs |= {(nth, other) for nth in range(len(crm)) if nth not in seen_crm for other in range(min(3, len(economic)))}
    pairs |= {(one, nth) for nth in range(len(economic)) if nth not in seen_economic for one in range(min(3, len(crm)))}
    both = ((crm[one], economic[other]) for one, other in sorted(pairs))
    return [
        sides.found(one, other, Evidence.CVR)
        for one, other in both
        if not sides.parted(one, other) and not against(one, other)
    ]


def _blocks(side: Iterable[Profile]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for nth, one in enumerate(side):
        for value in {one.name, f"{one.postcode}|{one.street}", *one.phones, *one.emails}:
            if value and value[0] != "|":
                found[value].append(nth)
    return found


def _ask(asked: dict[tuple[str, str], Found], pairs: Iterable[Found]) -> None:
    for one in best(pairs):
        asked.setdefault((one.crm, one.economic), one)


def best(pairs: Iterable[Found]) -> list[Found]:
    """Of each record its best candidates, at most ten; a pair stays if it is among the best of either."""
    by_crm: dict[str, list[Found]] = defaultdict(list)
    by_economic: dict[str, list[Found]] = defaultdict(list)
    for one in pairs:
        by_crm[one.crm].append(one)
        by_economic[one.economic].append(one)
    kept: dict[tuple[str, str], Found] = {}
    for side in (by_crm, by_economic):
        for some in side.values():
            some.sort(key=lambda one: (-one.score, one.crm, one.economic))
            kept |= {(one.crm, one.economic): one for one in some[:MOST_ASKED]}
    return list(kept.values())
