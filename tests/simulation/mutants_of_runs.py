"""Which safeties of runs, of passes and of what is tried first can be taken away, and how?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from reconciler import braking, fields, linking, matching, releasing, restoring, running, steering
from reconciler.assignment import Edge
from reconciler.link import Link, Unlinked
from reconciler.rehearsal import Write
from tests.simulation import adapter


def _greedy_matching() -> Any:
    def greedy(edges: Iterable[Edge]) -> set[tuple[str, str]]:
        chosen: dict[str, str] = {}
        for one in sorted(edges):
            if one.left not in chosen and one.right not in chosen.values():
                chosen[one.left] = one.right
        return set(chosen.items())

    return patch.object(matching, "choose", greedy)


def _run_not_rechecked() -> Any:
    return patch.object(running, "_moved", lambda *_: "")


def _undo_by_itself() -> Any:
    unlinked = linking.unlinked

    def forgotten(link: Link, said: Unlinked) -> tuple[Link, str]:
        done, what = unlinked(link, said)
        return (replace(done, old_numbers=(), parted=()) if said.by == "undo" else done), what

    return patch.object(linking, "unlinked", forgotten)


def _undo_overwrites() -> Any:
    wishes = restoring.wishes_of

    def careless(link: Link, writes: tuple[Write, ...]) -> Any:
        now = []
        for one in writes:
            pair = restoring.pair_of(link, one)
            side = None if pair is None else pair.side(one.system)
            now.append(one if side is None else replace(one, after=fields.text(side.values, one.field)))
        return wishes(link, tuple(now))

    return patch.object(restoring, "wishes_of", careless)


def _undo_finishes() -> Any:
    return patch.object(steering, "_begun_of", lambda *_: False)


def _undo_stills() -> Any:
    return patch.object(restoring, "still", lambda *_, **_more: lambda link: link)


def _fair_probe() -> Any:
    claim = adapter._Tables.claim

    def first_in_line(tables: Any, connection: Any, agreement: int, **named: Any) -> Any:
        return claim(tables, connection, agreement, **{**named, "probe": False})

    return patch.object(adapter._Tables, "claim", first_in_line)


def _brake() -> Any:
    return patch.object(braking, "admits", lambda *_: None)


def _brake_release() -> Any:
    return patch.object(releasing, "differs_from", lambda *_: False)


PATCHES: Mapping[str, Callable[[], Any]] = {
    "greedy-matching": _greedy_matching,
    "run-not-rechecked": _run_not_rechecked,
    "undo-by-itself": _undo_by_itself,
    "undo-overwrites": _undo_overwrites,
    "undo-finishes": _undo_finishes,
    "undo-stills": _undo_stills,
    "fair-probe": _fair_probe,
    "brake": _brake,
    "brake-release": _brake_release,
}
