"""What would switching on, or a transfer, do? Counts that add up to both totals, and exactly the writes of the run.

Pure. Each customer of a system stands in one class: linked already, linked by its evidence, a suggestion, one of several
that a person must choose between, or only there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid5

from crm_outbox.contract import Stage
from reconciler import fields
from reconciler.classes import CONTESTED, LINKED, ONLY, SUGGESTED, Classes, Here, There, classes, exists
from reconciler.link import Create, CrmSeen, Due, EconomicSeen, Heard, Link, Linked, LinkState, Message, new_link
from reconciler.previewed import PILOT, Asked, Counted, Item, Placed, Preview, Skipped
from reconciler.rehearsal import Rehearsed, Write, quiet, rehearse
from reconciler.rules import Rules, System
from reconciler.step import step

CALLS = {"change": 4, "contact": 3, "customer": 5}
"""Calls to e-conomic for a customer that is written and looked at again, a new contact person, a new customer."""
CALLS_A_MINUTE = 400


def preview(here: Sequence[Here], there: Sequence[There], asked: Asked, rules: Rules, now: datetime) -> Preview:
    """What the run would do with what is recorded now."""
    rules = _as_carried_out(rules, now)
    crm = {one.id: one for one in here if exists(one)}
    economic = {one.number: one for one in there if one.seen.customer is not None}
    known = classes(crm, economic)
    chosen = [one for one in known.found.suggested if str(one.evidence) in asked.groups]
    items: list[Item] = []
    skipped: list[Skipped] = []
    runs = _Rehearsals(crm=crm, economic=economic, asked=asked, rules=rules, now=now)
    if (only := asked.only) is not None and (number := asked.only_number) is not None:
        if only in crm and number in economic and LINKED not in {known.here[only], known.there[number]}:
            _put(runs.linking(only, number, PILOT), items, skipped)
        return _summed(asked, known, crm, economic, tuple(items), tuple(skipped))
    for pair in (*known.found.certain, *chosen):
        _put(runs.linking(pair.crm, int(pair.economic), str(pair.evidence)), items, skipped)
    for crm_id, label in known.here.items():
        if label == LINKED and asked.kind == "switch_on" and _may_drift(crm[crm_id]):
            _put(runs.drifting(crm[crm_id]), items, skipped)
        if label == ONLY and asked.create_there:
            _put(runs.creating_there(crm[crm_id]), items, skipped)
    ticked = {int(one.economic) for one in chosen}
    for number, label in known.there.items():
        if asked.kind == "transfer" and number not in ticked:
            _transferring(economic[number], label, runs, asked, items, skipped)
    if asked.only is not None:
        items = [one for one in items if one.crm_id == asked.only]
        skipped = [one for one in skipped if one.crm_id == asked.only]
    items.sort(key=_order)
    return _summed(asked, known, crm, economic, tuple(items), tuple(skipped))


def rehearsed(
    action: str, link: Link, here: CrmSeen | None, there: EconomicSeen | None, asked: Asked, rules: Rules, now: datetime
) -> Rehearsed:
    """One customer's part of the run, on what is recorded now; it is asked again just before it is carried out."""
    rules = _as_carried_out(rules, now)
    if here is not None and link.crm_version is None and link.crm_id:
        link = step(link, Heard(crm=here), replace(rules, agreement="connected"), now).link
    return rehearse(quiet(link), message(action, there, asked), rules, now, crm=here, economic=there)


def _as_carried_out(rules: Rules, now: datetime) -> Rules:
    """The rules a run is carried out by. What waits for a pause follows when it is over, so it is shown and confirmed too."""
    return replace(rules, agreement="on", since=rules.since or now, paused=frozenset())


def message(action: str, there: EconomicSeen | None, asked: Asked, evidence: str = "") -> Message:
    """What is told to the link of an item."""
    match action:
        case "link" if there is not None:
            return Linked(number=there.number, by=evidence, run=asked.run, economic=there, differing=asked.differing)
        case "create_here":
            return Create(system=System.CRM, run=asked.run, economic=there)
        case "create_there":
            return Create(system=System.ECONOMIC, run=asked.run)
        case _:
            return Due()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rehearsals:
    crm: Mapping[str, Here]
    economic: Mapping[int, There]
    asked: Asked
    rules: Rules
    now: datetime

    def linking(self, crm_id: str, number: int, evidence: str) -> Item | Skipped:
        one, other = self.crm[crm_id], self.economic[number]
        done = self._take("link", self._link(one), one.seen, other.seen)
        if done.first.state is not LinkState.LINKED or done.first.number != number:
            return Skipped(crm_id=crm_id, number=number, reason=_why(done))
        return Item(
            action="link", crm_id=crm_id, number=number, evidence=evidence, writes=done.writes, differing=done.differing
        )

    def drifting(self, one: Here) -> Item | None:
        number = None if one.link is None else one.link.number
        other = None if number is None else self.economic.get(number)
        done = self._take("change", self._link(one), one.seen, None if other is None else other.seen)
        if not done.writes:
            return None
        return Item(
            action="change", crm_id=one.id, number=number, evidence=LINKED, writes=done.writes, differing=done.differing
        )

    def creating_there(self, one: Here) -> Item | Skipped:
        if one.seen.customer is None or one.seen.customer.stage is not Stage.ACTIVE:
            return Skipped(crm_id=one.id, reason="inactive")
        done = self._take("create_there", self._link(one), one.seen, None)
        if not done.writes:
            return Skipped(crm_id=one.id, reason=_why(done))
        return Item(action="create_there", crm_id=one.id, writes=done.writes)

    def creating_here(self, other: There) -> Item | Skipped:
        done = self._take("create_here", self.stranger(other), None, other.seen)
        if not done.writes:
            return Skipped(number=other.number, reason=_why(done))
        return Item(action="create_here", number=other.number, writes=done.writes)

    def stranger(self, other: There) -> Link:
        fresh = new_link(self.asked.tenant, self.asked.agreement, "", uuid5(self.asked.run, f"there/{other.number}"))
        return other.link or replace(fresh, number=other.number)

    def _take(self, action: str, link: Link, here: CrmSeen | None, there: EconomicSeen | None) -> Rehearsed:
        return rehearsed(action, link, here, there, self.asked, self.rules, self.now)

    def _link(self, one: Here) -> Link:
        fresh = new_link(self.asked.tenant, self.asked.agreement, one.id, uuid5(self.asked.run, f"here/{one.id}"))
        return one.link or fresh


def _transferring(
    one: There, label: str, runs: _Rehearsals, asked: Asked, items: list[Item], skipped: list[Skipped]
) -> None:
    customer = one.seen.customer
    if label == ONLY:
        if asked.without_barred and customer is not None and customer.barred:
            skipped.append(Skipped(number=one.number, reason="barred"))
        else:
            _put(runs.creating_here(one), items, skipped)
    elif label == CONTESTED or label.startswith(SUGGESTED):
        skipped.append(Skipped(number=one.number, reason=label))


def _put(found: Item | Skipped | None, items: list[Item], skipped: list[Skipped]) -> None:
    if isinstance(found, Item):
        items.append(found)
    elif found is not None:
        skipped.append(found)


def _summed(
    asked: Asked,
    known: Classes,
    crm: Mapping[str, Here],
    economic: Mapping[int, There],
    items: tuple[Item, ...],
    skipped: tuple[Skipped, ...],
) -> Preview:
    items = tuple(replace(one, counted=tuple(_counted(one))) for one in items)
    counted = [one for item in items for one in item.counted]
    calls = sum(_calls(one) for one in items)
    barred = Counter(
        label
        for number, label in known.there.items()
        if (customer := economic[number].seen.customer) is not None and customer.barred
    )
    return Preview(
        asked=asked,
        crm=dict(Counter(known.here.values())),
        economic=dict(Counter(known.there.values())),
        barred=dict(barred),
        items=items,
        skipped=skipped,
        filled=dict(Counter(one.detail for one in counted if one.kind == "filled")),
        overwritten=dict(Counter(one.detail for one in counted if one.kind == "overwritten")),
        persons=dict(Counter(one.system for one in counted if one.kind == "person" and one.system is not None)),
        differing=dict(Counter(one.detail for one in counted if one.kind == "differs")),
        calls=calls,
        minutes=-(-calls // CALLS_A_MINUTE),
        safe=_safe(known, crm),
        placed=tuple(_placed(known, crm, economic)),
        suggested=(*known.found.certain, *known.found.suggested),
    )


def _counted(item: Item) -> Iterator[Counted]:
    """What the numbers count of one customer: a detail of several fields once, and nothing of what is created whole."""
    details: dict[tuple[System, str, str, str], list[Write]] = {}
    for write in item.writes:
        if write.id:
            details.setdefault((write.system, write.record, write.id, write.detail), []).append(write)
        elif write.record == "contact" and write.field == "name" and item.action in {"link", "change"}:
            yield Counted(kind="person", system=write.system, detail=f"person.{write.system}", after=write.after)
    for (system, _, _, detail), writes in details.items():
        over = any(not fields.blank(one.before) for one in writes)
        before = ", ".join(one.before for one in writes if one.before)
        after = ", ".join(one.after for one in writes if one.after)
        yield Counted(
            kind="overwritten" if over else "filled", system=system, detail=detail, before=before, after=after
        )
    for detail in item.differing:
        yield Counted(kind="differs", system=None, detail=detail)


def _calls(item: Item) -> int:
    """The calls to e-conomic that one customer's writes cost."""
    there = [one for one in item.writes if one.system is System.ECONOMIC]
    persons = sum(not one.id and one.record == "contact" and one.field == "name" for one in there)
    changed = any(one.id for one in there)
    created = item.action == "create_there"
    return CALLS["change"] * changed + CALLS["contact"] * persons + CALLS["customer"] * created


def _placed(known: Classes, crm: Mapping[str, Here], economic: Mapping[int, There]) -> Iterator[Placed]:
    """Every customer of both systems with its class and its partner, where it has one."""
    pairs = [(one.crm, one.economic) for one in (*known.found.certain, *known.found.suggested)]
    pairs += [
        (one.id, str(one.link.number))
        for one in crm.values()
        if known.here.get(one.id) == LINKED and one.link is not None and one.link.number is not None
    ]
    there = dict(pairs)
    here = {number: crm_id for crm_id, number in pairs}
    for crm_id, label in known.here.items():
        yield Placed(system=System.CRM, id=crm_id, label=label, partner=there.get(crm_id, ""))
    for number, label in known.there.items():
        customer = economic[number].seen.customer
        barred = customer is not None and bool(customer.barred)
        partner = here.get(str(number), "")
        yield Placed(system=System.ECONOMIC, id=str(number), label=label, partner=partner, barred=barred)


def _safe(known: Classes, crm: Mapping[str, Here]) -> tuple[str, ...]:
    names = []
    if not known.here:
        names.append("empty_crm")
    if not known.there:
        names.append("empty_economic")
    numbers = [
        (one.economic, None if (customer := crm[one.crm].seen.customer) is None else customer.number)
        for one in known.found.certain
    ]
    if numbers and all(str(number) == there for there, number in numbers):
        names.append("numbers_match")
    return tuple(names)


def _may_drift(one: Here) -> bool:
    return one.link is not None and one.link.state is LinkState.LINKED and one.link.flows and not one.link.pending


def _why(done: Rehearsed) -> str:
    said = next((one for one in done.counted if one.startswith(("not_linked.", "not_created."))), "")
    return said.partition(".")[2] or done.first.rest or done.status.reason or "not_carried_out"


def _order(item: Item) -> tuple[int, str, str, int]:
    order = {"link": 0, "change": 1, "create_here": 2, "create_there": 3}[item.action]
    return order, item.evidence, item.crm_id or "", item.number or 0
