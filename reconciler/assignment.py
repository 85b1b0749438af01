"""Which of many possible pairs belong together, one-to-one over the whole set? Not greedy: the best sum decides.

A pair is chosen only where every best way to pair has it; where two ways are equally good, nobody is chosen.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

MOST_EXACT = 60
"""Records of one connected set up to which the best sum is found exactly. In a larger one only pairs stand that are
better than any other pair of both their records."""


class Edge(NamedTuple):
    """A possible pair and what speaks for it; more is better."""

    left: str
    right: str
    weight: int


def choose(edges: Iterable[Edge]) -> set[tuple[str, str]]:
    """The pairs of every best one-to-one pairing; weights must be above zero. The order of edges does not matter."""
    chosen: set[tuple[str, str]] = set()
    for part in connected(edges):
        if len(part) == 1:
            chosen.add((part[0].left, part[0].right))
        elif len({edge.left for edge in part}) + len({edge.right for edge in part}) <= MOST_EXACT:
            chosen |= _in_every_best(part)
        else:
            chosen |= _better_than_any_other(part)
    return chosen


def connected(edges: Iterable[Edge]) -> Iterator[list[Edge]]:
    """The edges of each connected set, sorted."""
    around: dict[tuple[int, str], list[Edge]] = defaultdict(list)
    for edge in sorted(edges):
        around[0, edge.left].append(edge)
        around[1, edge.right].append(edge)
    seen: set[tuple[int, str]] = set()
    for start in around:
        if start in seen:
            continue
        seen.add(start)
        part: set[Edge] = set()
        waiting = deque([start])
        while waiting:
            for edge in around[waiting.popleft()]:
                part.add(edge)
                for end in ((0, edge.left), (1, edge.right)):
                    if end not in seen:
                        seen.add(end)
                        waiting.append(end)
        yield sorted(part)


def _in_every_best(part: list[Edge]) -> set[tuple[str, str]]:
    """A pair is in every best pairing if without it the best sum is smaller."""
    graph: dict[str, dict[str, int]] = defaultdict(dict)
    for edge in part:
        graph[edge.left][edge.right] = edge.weight
    pairs, best = _best(graph)
    found = set()
    for left, right in pairs.items():
        without = {
            one: {to: worth for to, worth in ends.items() if (one, to) != (left, right)} for one, ends in graph.items()
        }
        if _best(without)[1] < best:
            found.add((left, right))
    return found


def _best(graph: Mapping[str, Mapping[str, int]]) -> tuple[dict[str, str], int]:
    """A pairing with the largest sum, and the sum: the best augmenting path again and again until none gains."""
    taken: dict[str, str] = {}
    pairs: dict[str, str] = {}
    total = 0
    while True:
        gain, path = _path(graph, pairs, taken)
        if gain <= 0:
            return pairs, total
        total += gain
        for left, right in path:
            pairs[left] = right
            taken[right] = left


def _path(
    graph: Mapping[str, Mapping[str, int]], pairs: Mapping[str, str], taken: Mapping[str, str]
) -> tuple[int, list[tuple[str, str]]]:
    """The augmenting path that gains most: its gain and the pairs it makes. Bellman-Ford over the free left ends.

    A best pairing of its size stays the best of its size after each such path, so no cycle gains anything, and the gains
    only fall: the first that gains nothing ends the search.
    """
    reach = {left: 0 for left in graph if left not in pairs}
    came: dict[str, str] = {}
    gains: dict[str, int] = {}
    waiting = deque(reach)
    queued = set(waiting)
    while waiting:
        left = waiting.popleft()
        queued.discard(left)
        for right, worth in graph[left].items():
            gain = reach[left] + worth
            if pairs.get(left) == right or gain <= gains.get(right, -1 << 60):
                continue
            gains[right] = gain
            came[right] = left
            if (owner := taken.get(right)) is not None:
                back = gain - graph[owner][right]
                if back > reach.get(owner, -1 << 60):
                    reach[owner] = back
                    if owner not in queued:
                        queued.add(owner)
                        waiting.append(owner)
    ends = [(gain, right) for right, gain in gains.items() if right not in taken]
    if not ends:
        return 0, []
    gain, right = max(ends)
    path = []
    while True:
        left = came[right]
        path.append((left, right))
        if left not in pairs:
            return gain, path
        right = pairs[left]


def _better_than_any_other(part: list[Edge]) -> set[tuple[str, str]]:
    tops: dict[tuple[int, str], list[int]] = defaultdict(list)
    for edge in part:
        tops[0, edge.left].append(edge.weight)
        tops[1, edge.right].append(edge.weight)
    highest = {end: max(weights) for end, weights in tops.items() if weights.count(max(weights)) == 1}
    return {
        (edge.left, edge.right)
        for edge in part
        if highest.get((0, edge.left)) == edge.weight and highest.get((1, edge.right)) == edge.weight
    }
