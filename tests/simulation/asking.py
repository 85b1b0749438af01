"""Could a person answer what is asked? Each question names who it is about, what, both values and the last common one (P19).

How that reads in either language is no matter of a schedule.
"""

from collections.abc import Iterator
from typing import get_args

from reconciler.asked import Shown, Task
from reconciler.contract import TaskKind
from reconciler.link import Link, Pair, Side, Step

WITH_VALUES = frozenset({"values", "empty", "bouncing"})
"""Kinds whose answer is one of the values that are shown."""


def unclear(done: Step) -> Iterator[str]:
    """What is wrong with the questions of one step."""
    if not done.asked:
        return
    link, about = done.link, done.link.crm_id or str(done.link.number)
    if len({(one.kind, one.subject) for one in done.asked}) != len(done.asked):
        yield f"{about}: one question twice: {[(one.kind, one.subject) for one in done.asked]}"
    for task in done.asked:
        for what in _unclear(link, task):
            yield f"{about}: asked {task.kind} {task.reason}: {what}"


def _unclear(link: Link, task: Task) -> Iterator[str]:
    if task.kind not in get_args(TaskKind):
        yield "of no kind there is"
    if not task.customer and task.number is None:
        yield "about nobody"
    if (task.customer, task.number) != (link.crm_id, link.number):
        yield "about somebody else"
    if not task.fingerprint:
        yield "moved or not, it looks the same"
    if task.kind in WITH_VALUES:
        shown = {one.field if one.kind == "customer" else f"contact.{one.field}" for one in task.shown}
        if not task.details or not shown.issuperset(task.details):
            yield f"{task.details} differ, {sorted(shown)} are shown"
    if task.kind == "candidates" and not (task.candidates or task.candidates_here or _many(link)):
        yield "nobody it may be is named"
    pairs = {one.id: one for one in link.pairs}
    for one in task.shown:
        pair = pairs.get(one.record)
        if pair is None:
            yield f"{one.field} of nobody of this customer"
        elif (one.crm, one.economic) != (_held(pair.crm, one), _held(pair.economic, one)):
            yield f"{one.field} is shown as {one.crm!r} and {one.economic!r}, and is not"
        elif one.base != _base(pair, one):
            yield f"{one.field}: last common is {_base(pair, one)}, shown {one.base}"


def _many(link: Link) -> bool:
    return any(one.many is not None for one in link.customer.refusals)


def _held(side: Side | None, shown: Shown) -> str:
    return "" if side is None or side.gone else side.values.get(shown.field, "")


def _base(pair: Pair, shown: Shown) -> tuple[str, str] | None:
    base = pair.base.get(shown.field)
    return None if base is None else (base.crm, base.economic)
