"""What stands beside what on the page of one customer? A row for each detail, with both values and the last common one, pure.

A row's mark is of the raw values that were seen: chosen with another mark than the row has now, a detail has moved.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from reconciler import chosen, fields
from reconciler.fields import Group
from reconciler.link import Kind, Link, Pair
from reconciler.plan import Detail, Do
from reconciler.rules import Rules, System
from reconciler.tasks import planned

Stands = Literal["contested", "differs", "kept", "waits", "same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One detail of one record. ``base`` is what each side held when they last agreed, none where they never did.

    ``changed`` are the sides that moved since. ``texts`` are the values of its fields in the CRM, for a value of one's own.
    """

    record: UUID
    kind: Kind
    person: str
    detail: str
    fields: tuple[str, ...]
    crm: str
    economic: str
    base: tuple[str, str] | None
    changed: frozenset[System]
    stands: Stands
    reason: str
    mark: str
    invoices: bool
    texts: Mapping[str, str]

    @property
    def key(self) -> str:
        """What its fields in a form are named by."""
        return f"{self.record}.{self.detail}"


def rows(link: Link, rules: Rules) -> tuple[Row, ...]:
    """The details of a linked customer and of the contact persons both sides have, in order."""
    return tuple(_row(pair, one) for pair, one in planned(link, rules))


def mark(pair: Pair, group: Group) -> str:
    """A mark of what both sides hold of a detail, letter by letter."""
    seen = [
        [side.id, fields.text(side.values, name)]
        for side in (pair.crm, pair.economic)
        if side is not None
        for name in group.fields
    ]
    return hashlib.sha256(repr(seen).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def parts(one: str, other: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both values cut into pieces, each with whether it is in that value alone."""
    first, second = _pieces(one), _pieces(other)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        for found, pieces in ((left, first[a:b]), (right, second[c:d])):
            if text := "".join(pieces):
                found.append((text, tag != "equal"))
    return left, right


def _row(pair: Pair, one: Detail) -> Row:
    crm = pair.crm.values if pair.crm else {}
    economic = pair.economic.values if pair.economic else {}
    group = one.group
    base = {name: pair.base[name] for name in group.fields if name in pair.base}
    known = len(base) == len(group.fields)
    before = {
        system: {name: each.crm if system is System.CRM else each.economic for name, each in base.items()}
        for system in System
    }
    person = "" if pair.kind == "customer" else fields.text(crm, "name") or fields.text(economic, "name")
    return Row(
        record=pair.id,
        kind=pair.kind,
        person=person,
        detail=group.name,
        fields=group.fields,
        crm=_text(group, crm),
        economic=_text(group, economic),
        base=(_text(group, before[System.CRM]), _text(group, before[System.ECONOMIC])) if known else None,
        changed=frozenset(
            _changed(pair.kind, group, before, {System.CRM: crm, System.ECONOMIC: economic}) if known else ()
        ),
        stands=_stands(pair, one),
        reason=one.reason,
        mark=mark(pair, group),
        invoices=group.invoices,
        texts={name: fields.text(crm, name) for name in group.fields},
    )


def _stands(pair: Pair, one: Detail) -> Stands:
    choice = pair.chosen.get(one.group.name)
    if one.do is Do.ASK:
        return "contested"
    if choice is not None and chosen.kept(choice):
        return "kept"
    if one.do is Do.WAIT or choice is not None or one.target is not None:
        return "waits"
    return "differs" if one.differing else "same"


def _changed(
    kind: Kind, group: Group, before: Mapping[System, Mapping[str, str]], now: Mapping[System, Mapping[str, str]]
) -> Iterable[System]:
    for system in System:
        if any(
            not fields.same(kind, name, before[system][name], fields.text(now[system], name)) for name in group.fields
        ):
            yield system


def _text(group: Group, values: Mapping[str, str]) -> str:
    """A detail as people read it: an address in lines, its postcode and city in one."""
    if group.name != "address":
        return "\n".join(fields.text(values, name) for name in group.fields)
    place = " ".join(filter(None, (fields.text(values, "postcode"), fields.text(values, "city"))))
    return "\n".join(filter(None, (fields.text(values, "street"), place, fields.text(values, "country"))))


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s+|[^\W_]+|.", text, re.DOTALL)
