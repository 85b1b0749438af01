"""What stands beside what on the page of one customer? A row for each detail, with both values and the last common one, pure.

A row's mark is of the raw values that were seen: chosen with another mark than the row has now, a detail has moved.
"""

import difflib
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from reconciler import alone, chosen, contacts, fields
from reconciler.alone import Stuck
from reconciler.fields import Group
from reconciler.link import Kind, Link, Pair, Refusal, flows
from reconciler.pair import INVOICE_COPIES, Receives
from reconciler.plan import Detail, Do
from reconciler.rules import Rules, System
from reconciler.tasks import named, planned, tasks

Stands = Literal["contested", "refused", "differs", "kept", "one_side", "waits", "same", "alone"]
"""``refused``: a write of it was refused, and another value can be chosen. ``alone``: only one side has the record, or shows it;
``one_side``: and that counts as different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One detail of one record. ``base`` is what each side held when they last agreed, none where they never did.

    ``changed`` are the sides that moved since. ``refusal`` is why a write of it was refused last. ``texts`` are the values of its fields in the CRM, for a value of one's own.
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
    refusal: Refusal | None
    mark: str
    invoices: bool
    gone: frozenset[System]
    """Where it was removed, of a record that the other side still has."""
    stays: Refusal | None
    """Why it was not removed there too, though an admin chose so."""
    stuck: Stuck | None
    """Of a person in one system only who is different: why *Update in e-conomic* does not carry them over."""
    receives: tuple[Receives, ...]
    """Of a contact person, the documents e-conomic sends them copies of."""
    texts: Mapping[str, str]

    @property
    def key(self) -> str:
        """What its fields in a form are named by."""
        return f"{self.record}.{self.detail}"

    @property
    def gets_invoices(self) -> bool:
        """Whether it is of a contact person who gets copies of invoices or e-invoices."""
        return not INVOICE_COPIES.isdisjoint(self.receives)

    @property
    def may_be_chosen(self) -> bool:
        """Whether a person can choose whose value both get."""
        return self.stands in {"contested", "refused", "differs", "kept"}

    @property
    def is_different(self) -> bool:
        """Whether it is one of the details that are said to be different."""
        return self.may_be_chosen or self.stands == "one_side"

    @property
    def asks(self) -> bool:
        """Whether it waits for a choice."""
        return self.stands in {"contested", "refused"}


def rows(link: Link, rules: Rules, overlooked: Collection[str] = ()) -> tuple[Row, ...]:
    """The details of a customer and of its contact persons, in order; of what one side alone has, those that are not empty.

    ``overlooked``: details that a comparison found to differ without anybody knowing. They would flow and did not: chosen between.
    """
    plans: dict[UUID, list[Detail]] = {}
    for pair, one in planned(link, rules):
        plans.setdefault(pair.id, []).append(one)
    found: list[Row] = []
    for pair in link.pairs:
        if pair.kind == "contact" and not (contacts.alive(pair.crm) or contacts.alive(pair.economic)):
            continue
        planned_ = plans.get(pair.id, [])
        stuck = alone.stuck(pair, rules) if planned_ and alone.stands_in(pair) else None
        found += [
            replace(_row(pair, one.group, _stands(link, rules, pair, one, overlooked), one.reason), stuck=stuck)
            for one in planned_
        ]
        if not planned_ or alone.stands_in(pair):
            known = {one.group.name for one in planned_}
            left = (_row(pair, group, "alone", "") for group in fields.GROUPS[pair.kind] if group.name not in known)
            found += [one for one in left if one.crm.strip() or one.economic.strip()]
    return tuple(found)


def may_be(link: Link, rules: Rules, now: datetime) -> tuple[int, ...]:
    """The numbers of e-conomic that an unlinked customer may be, without those that an open question asks about."""
    if not link.may_be:
        return ()
    found = tasks(link, rules, now)
    about = {number for one in found if one.kind == "candidates" for number in one.candidates}
    return tuple(one for one in link.may_be if one not in about)


def mark(pair: Pair, group: Group) -> str:
    """A mark of what both sides hold of a detail, letter by letter."""
    seen = [
        [side.id, fields.text(side.values, name)]
        for side in (pair.crm, pair.economic)
        if side is not None
        for name in group.fields
    ]
    return hashlib.sha256(repr(seen).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def person(pair: Pair) -> str:
    """What a contact person is called; nothing for the customer."""
    if pair.kind == "customer":
        return ""
    held = [side.values for side in (pair.crm, pair.economic) if side is not None]
    return next((name for one in held if (name := fields.text(one, "name"))), "")


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


def _row(pair: Pair, group: Group, stands: Stands, reason: str) -> Row:
    hidden = stands == "one_side"  # what is gone there is no value beside the other one
    crm = pair.crm.values if pair.crm and not (hidden and pair.crm.gone) else {}
    economic = pair.economic.values if pair.economic and not (hidden and pair.economic.gone) else {}
    base = {name: pair.base[name] for name in group.fields if name in pair.base}
    known = len(base) == len(group.fields)
    before = {
        system: {name: each.crm if system is System.CRM else each.economic for name, each in base.items()}
        for system in System
    }
    return Row(
        record=pair.id,
        kind=pair.kind,
        person=person(pair),
        detail=group.name,
        fields=group.fields,
        crm=text(group, crm),
        economic=text(group, economic),
        base=(text(group, before[System.CRM]), text(group, before[System.ECONOMIC])) if known else None,
        changed=frozenset(
            _changed(pair.kind, group, before, {System.CRM: crm, System.ECONOMIC: economic}) if known else ()
        ),
        stands=stands,
        reason=reason,
        refusal=next((one for one in pair.refusals if any(name in one.values for name in group.fields)), None),
        mark=mark(pair, group),
        invoices=fields.ruled(pair, group).invoices,
        gone=frozenset(one for one in System if (side := pair.side(one)) is not None and side.gone),
        stays=next((one for one in pair.refusals if one.action == "remove"), None),
        stuck=None,
        receives=() if pair.economic is None else pair.economic.receives or (),
        texts={name: fields.text(crm, name) for name in group.fields},
    )


def _stands(link: Link, rules: Rules, pair: Pair, one: Detail, overlooked: Collection[str]) -> Stands:
    choice = pair.chosen.get(one.group.name)
    if one.do is Do.ASK:
        return "contested"
    if one.do is Do.REFUSED:
        return "refused"
    if choice is not None and chosen.kept(choice):
        return "kept"
    goes = one.target is not None and flows(link, rules) and (rules.receive or one.target is not System.CRM)
    if alone.stands_in(pair):
        return "waits" if goes or one.decision is not None else "one_side"
    if goes and choice is None and set(overlooked) & set(named(pair, (one.group.name, *one.group.fields))):
        return "contested"
    if one.do is Do.WAIT or choice is not None or goes:
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


def text(group: Group, values: Mapping[str, str]) -> str:
    """A detail as people read it: an address in lines, its postcode and city in one."""
    if group.name != "address":
        return "\n".join(fields.text(values, name) for name in group.fields)
    place = " ".join(filter(None, (fields.text(values, "postcode"), fields.text(values, "city"))))
    return "\n".join(filter(None, (fields.text(values, "street"), place, fields.text(values, "country"))))


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s+|[^\W_]+|.", text, re.DOTALL)
