"""What would *Update in e-conomic* overwrite there, and what does it leave alone, and why? A detail at a time, pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from reconciler import alone, beside, chosen, fields
from reconciler.alone import Stuck
from reconciler.beside import Row
from reconciler.link import Link, Pair
from reconciler.plan import Detail, Do
from reconciler.rules import Direction, Rules, System
from reconciler.tasks import planned

Left = Literal["changed_there", "only_there", "empty_here"] | Stuck
"""Why a detail that differs is left alone: only e-conomic changed it since both agreed; it may be changed in e-conomic alone;
Clickmate holds nothing of it that was ever meant to be there; or why a contact person in one system only stays there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwriting:
    """The details it would overwrite, as they stand on both sides, and those that differ and are left alone, each with why.

    A contact person that e-conomic lacks is created there, with all its details.
    """

    overwrites: tuple[Row, ...]
    left: tuple[tuple[Row, Left], ...]


def overwriting(link: Link, rules: Rules) -> Overwriting:
    """What it would do to that customer and its contact persons now; to one that is not linked, nothing.

    What is under way already, by a rule or by a choice, is neither overwritten nor left alone.
    """
    rows = {row.key: row for row in beside.rows(link, rules)}
    overwrites: list[Row] = []
    left: list[tuple[Row, Left]] = []
    for pair, one in _differing(link, rules):
        row = rows[f"{pair.id}.{one.group.name}"]
        why = _left(pair, one, row, rules)
        if why is None:
            overwrites.append(row)
        else:
            left.append((row, why))
    return Overwriting(overwrites=tuple(overwrites), left=tuple(left))


def _differing(link: Link, rules: Rules) -> Iterator[tuple[Pair, Detail]]:
    for pair, one in planned(link, rules):
        choice = pair.chosen.get(one.group.name)
        under_way = one.do is Do.WAIT or (choice is not None and not chosen.kept(choice)) or alone.PERSON in pair.chosen
        if one.differing and not under_way:
            yield pair, one


def _left(pair: Pair, one: Detail, row: Row, rules: Rules) -> Left | None:
    rule = fields.rule_of(pair, one.group, rules)
    crm = {} if pair.crm is None else pair.crm.values
    if row.stands == "one_side":
        return row.stuck
    if rule.direction is Direction.ONLY_ECONOMIC:
        return "only_there"
    if System.ECONOMIC in row.changed and System.CRM not in row.changed:
        return "changed_there"
    emptied = all(fields.blank(fields.text(crm, name)) for name in one.group.fields)
    return "empty_here" if emptied and (row.base is None or not rule.may_be_empty) else None
