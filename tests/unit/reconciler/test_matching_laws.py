"""Laws of matching, over sets nobody thought of: one-to-one, never what is excluded, no order, no side, no stranger's say."""

from itertools import combinations, permutations

from hypothesis import given
from hypothesis import strategies as some

from reconciler import assignment, evidence, keys, names, profiles
from reconciler.assignment import Edge
from reconciler.matching import Evidence, Found, Matching, Record, candidates, match
from reconciler.rules import System

# Few values each, so that much is shared; every field may be missing.
VALUES = some.fixed_dictionaries(
    {},
    optional={
        "name": some.sampled_from(
            [
                "Nord ApS",
                "Nord A/S",
                "nord",
                "Nord Holding ApS",
                "Jens Hansen",
                "Jens P. Hansen",
                "Åby Smede",
                "Aaby Smede",
            ]
        ),
        "cvr": some.sampled_from(["12345678", "DK 12 34 56 78", "87654321", "DE123456789", "1234"]),
        "ean": some.sampled_from(["5790000123456", "5790 0001 23456", "5790000654321"]),
        "pnumber": some.sampled_from(["1003000001", "1003000002"]),
        "postcode": some.sampled_from(["8000", "DK-8000", "5000"]),
        "city": some.sampled_from(["Aarhus C", "Århus", "Odense"]),
        "street": some.sampled_from(["Søndergade 1", "Soendergade 1, 2. th", "Vestergade 9"]),
        "phone": some.sampled_from(["86123456", "+45 86 12 34 56", "70101010"]),
        "mobile": some.sampled_from(["20202020", "86123456"]),
        "email": some.sampled_from(["a@nord.dk", "b@nord.dk", "faktura@hotel.dk", "x@gmail.com"]),
    },
)
PERSONS = some.lists(
    some.fixed_dictionaries({"email": some.sampled_from(["a@nord.dk", "chef@nord.dk"])}), max_size=1
).map(tuple)


@some.composite
def _side(draw: some.DrawFn, prefix: str) -> list[Record]:
    drawn = draw(some.lists(some.tuples(VALUES, PERSONS), max_size=7))
    return [Record(id=f"{prefix}{nth}", values=values, persons=people) for nth, (values, people) in enumerate(drawn)]


CRM, ECONOMIC = _side("c"), _side("e")
APART = some.sets(some.tuples(some.integers(0, 6), some.integers(0, 6)), max_size=6).map(
    lambda drawn: frozenset((f"c{one}", f"e{other}") for one, other in drawn)
)


def pairs(found: tuple[Found, ...]) -> list[tuple[str, str]]:
    return [(one.crm, one.economic) for one in found]


def everything(found: Matching) -> tuple[Found, ...]:
    return (*found.certain, *found.suggested, *found.contested)


@given(CRM, ECONOMIC, APART)
def test_links_and_suggestions_are_one_to_one_and_every_customer_stands_in_one_class(
    crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]]
) -> None:
    found = match(crm, economic, apart)
    one_to_one = (*found.certain, *found.suggested)
    here = [one.crm for one in one_to_one] + list(found.crm_asked) + list(found.crm_only)
    there = [one.economic for one in one_to_one] + list(found.economic_asked) + list(found.economic_only)
    assert sorted(here) == sorted(one.id for one in crm)
    assert sorted(there) == sorted(one.id for one in economic)
    assert all(one.certain and one.evidence in {Evidence.CVR, Evidence.EAN} for one in found.certain)
    assert not any(one.certain for one in (*found.suggested, *found.contested))
    assert len(set(pairs(everything(found)))) == len(everything(found))


@given(CRM, ECONOMIC, APART)
def test_what_is_apart_or_has_another_number_is_never_named(
    crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]]
) -> None:
    known = {one.id: profiles.profile(one) for one in (*crm, *economic)}
    for pair in pairs(everything(match(crm, economic, apart))):
        assert pair not in apart
        assert not evidence.differ(known[pair[0]], known[pair[1]])


@given(CRM, ECONOMIC, APART)
def test_every_pair_says_why(crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]]) -> None:
    for one in everything(match(crm, economic, apart)):
        assert one.reasons
        assert not all(code.endswith("_differs") for code in one.reasons)
        assert one.evidence not in {Evidence.CVR, Evidence.EAN} or str(one.evidence) in one.reasons
    for one in match(crm, economic, apart).suggested:
        assert not evidence.doubtful(one)


@given(CRM, ECONOMIC, APART, some.randoms(use_true_random=False))
def test_the_order_never_matters(
    crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]], dice: object
) -> None:
    before = match(crm, economic, apart)
    shuffle = dice.shuffle  # type: ignore[attr-defined]
    here, there = list(crm), list(economic)
    shuffle(here)
    shuffle(there)
    assert match(iter(here), iter(there), apart) == before


@given(CRM, ECONOMIC, APART)
def test_swapping_the_sides_swaps_the_answer(
    crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]]
) -> None:
    before = match(crm, economic, apart)
    after = match(economic, crm, frozenset((other, one) for one, other in apart))
    for some_, others in (
        (before.certain, after.certain),
        (before.suggested, after.suggested),
        (before.contested, after.contested),
    ):
        assert {(one.crm, one.economic, one.evidence, one.reasons) for one in some_} == {
            (one.economic, one.crm, one.evidence, one.reasons) for one in others
        }
    assert (before.crm_only, before.economic_only) == (after.economic_only, after.crm_only)


@given(CRM, ECONOMIC)
def test_a_customer_that_shares_nothing_changes_nothing(crm: list[Record], economic: list[Record]) -> None:
    stranger = {
        "name": "Helt Fremmed Fabrik", "cvr": "55555556", "ean": "5799999999999", "postcode": "9990", "city": "Skagen",
        "phone": "98765432", "email": "info@fremmed.dk", "street": "Fyrvej 77",
    }  # fmt: skip
    before = match(crm, economic)
    after = match([*crm, Record(id="z", values=stranger)], economic)
    assert everything(after) == everything(before)
    assert (after.crm_only, after.economic_only) == ((*before.crm_only, "z"), before.economic_only)


@given(CRM, ECONOMIC, APART, some.integers(0, 7))
def test_asking_again_after_some_were_linked_gives_the_same_answer_for_the_others(
    crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]], most: int
) -> None:
    before = match(crm, economic, apart)
    linked = pairs(before.certain)[:most]
    after = match(crm, economic, apart, linked)
    assert after.certain == before.certain[most:]
    if most >= len(before.certain):
        assert (after.suggested, after.contested) == (before.suggested, before.contested)
        assert (after.crm_only, after.economic_only) == (before.crm_only, before.economic_only)


@given(CRM, ECONOMIC, APART)
def test_the_candidates_of_one_hold_whatever_the_whole_set_found_for_it(
    crm: list[Record], economic: list[Record], apart: frozenset[tuple[str, str]]
) -> None:
    whole = match(crm, economic, apart)
    for one in crm:
        found = candidates(one, economic, apart, own=crm)
        certain = [pair for pair in found if pair.certain]
        assert certain == [pair for pair in whole.certain if pair.crm == one.id]
        if not certain:
            theirs = {pair.economic for pair in whole.suggested if pair.crm == one.id}
            assert theirs <= {pair.economic for pair in found}
    for other in economic:
        swapped = candidates(other, crm, apart, side=System.ECONOMIC, own=economic)
        assert {pair.economic for pair in swapped} <= {other.id}


EDGES = some.dictionaries(some.tuples(some.integers(0, 4), some.integers(0, 4)), some.integers(1, 6), max_size=12).map(
    lambda drawn: [Edge(f"l{left}", f"r{right}", weight) for (left, right), weight in drawn.items()]
)


def every_best(edges: list[Edge]) -> list[frozenset[tuple[str, str]]]:
    """All one-to-one pairings with the largest sum, by trying everything."""
    best, found = 0, [frozenset[tuple[str, str]]()]
    for size in range(1, min(5, len(edges)) + 1):
        for chosen in combinations(edges, size):
            if len({one.left for one in chosen}) < size or len({one.right for one in chosen}) < size:
                continue
            total = sum(one.weight for one in chosen)
            if total > best:
                best, found = total, []
            if total == best:
                found.append(frozenset((one.left, one.right) for one in chosen))
    return found


@given(EDGES)
def test_chosen_are_exactly_the_pairs_of_every_best_pairing(edges: list[Edge]) -> None:
    assert assignment.choose(edges) == set(frozenset.intersection(*every_best(edges)))


def test_a_greedy_choice_is_not_the_best() -> None:
    edges = [Edge("a", "1", 10), Edge("a", "2", 9), Edge("b", "1", 9)]
    assert assignment.choose(edges) == {("a", "2"), ("b", "1")}
    for order in permutations(edges):
        assert assignment.choose(order) == {("a", "2"), ("b", "1")}


def test_a_set_too_large_to_be_solved_keeps_only_pairs_better_than_all_others_of_both() -> None:
    chain = [Edge(f"l{nth}", f"r{nth}", 9) for nth in range(50)]
    chain += [Edge(f"l{nth}", f"r{nth + 1}", 5) for nth in range(49)]
    assert assignment.choose(chain) == {(f"l{nth}", f"r{nth}") for nth in range(50)}
    assert assignment.choose([edge._replace(weight=9) for edge in chain]) == set()


TEXTS = some.text(max_size=40) | some.sampled_from(["A/S", "v/ Bo", "\u202eABC\u202c", "Å & Ö +", "H.C. A.", "x" * 900])


@given(TEXTS)
def test_a_normalised_name_stays_as_it_is(name: str) -> None:
    once = names.normal(name)
    assert names.folded(once) == names.folded(name)
    assert once == once.lower()
    assert names.plain(names.plain(once)) == names.plain(once)


@given(TEXTS, TEXTS)
def test_likeness_has_no_order(one: str, other: str) -> None:
    assert names.similar(one, other) == names.similar(other, one)
    assert names.alike(one, other) == names.alike(other, one)
    assert names.one_person(one, other) == names.one_person(other, one)


@given(some.dictionaries(some.sampled_from(["name", "cvr", "ean", "phone", "email", "street", "city"]), TEXTS))
def test_keys_of_anything_are_sorted_short_and_marked(values: dict[str, str]) -> None:
    found = keys.of(values)
    assert list(found) == sorted(set(found))
    assert keys.MARK in found
    assert all(len(key) < 300 and "\x00" not in key for key in found)
