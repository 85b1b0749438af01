"""Does a world keep the promises? Each check says what is wrong, or nothing.

Nothing here asks the product's planner whether the product is right about values: rules are read from the world, and
edits from the truth.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from economic_adapter import mapping
from reconciler import contacts, fields, plan
from reconciler.decide import stopped
from reconciler.link import Link, LinkState, Pair
from reconciler.plan import Do
from reconciler.rules import Decides, Direction, System
from reconciler.status import status
from tests.simulation.pools import rule_of

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUNDS = 5
"""Rounds of delivering and sweeping within which a world must have come to rest."""


def at_rest(world: "World") -> Iterator[str]:
    """Everything that does not hold once a world has settled."""
    yield from one_to_one(world)
    ended = {(one.decision, one.record, one.detail) for one in world.ended}
    for wish, crm_id in world.wished.items():
        if wish not in ended and not world.is_stuck(world.sync.of(crm_id)):
            yield f"{crm_id}: what a person decided about {wish[2]} was neither carried out nor refused"
    for link in world.sync.links.values():
        if world.is_stuck(link):
            continue  # it holds up nobody else (P15)
        name = link.crm_id or str(link.number)
        if any(link.pending):
            yield f"{name}: a write is still open"
        if link.state is LinkState.CREATING:
            yield f"{name}: still being created"
        if link.state is LinkState.RESTING and not _departed(world, link):
            yield f"{name}: rests, though nobody deleted or merged it: {link.rest}"
        if link.state is LinkState.LINKED:
            yield from converged(world, link)


def _departed(world: "World", link: Link) -> bool:
    """Whether somebody deleted or merged it away on either side, or another company has its number."""
    if link.crm_id in world.departed:
        return True
    row = world.economic.rows.get(link.number or 0)
    here = world.crm.rows.get(link.crm_id)
    return row is None or here is None or row.key != here.key


def converged(world: "World", link: Link) -> Iterator[str]:
    """P1: what the systems hold agrees, or the detail is asked about, refused or an accepted difference. P9, P16."""
    there = world.economic.rows.get(link.number or 0)
    here = world.crm.rows[link.crm_id]
    if there is None or there.key != here.key:
        yield f"{link.crm_id}: linked to {link.number}, is {world.economic.number_of(here.key)}"
        return
    if not link.flows or world.sync.agreement.state != "on":
        return  # a lead is linked and compared, and nothing is written
    yield from _record(world, link, link.customer, here.key, here.values, there.values)
    seen = []
    for pair in link.contacts:
        one = None if pair.crm is None else here.contacts.get(pair.crm.id)
        other = None if pair.economic is None else there.persons.get(int(pair.economic.id))
        if contacts.alive(pair.crm) and pair.crm is not None:
            seen.append(pair.crm.id)
        if contacts.alive(pair.crm) != (one is not None) or contacts.alive(pair.economic) != (other is not None):
            yield f"{link.crm_id}: a contact person is not known as it is"
        elif one is not None and other is not None:
            yield from _record(world, link, pair, one.key, one.values, mapping.contact_values(other.body))
        elif one is None and other is None:
            yield f"{link.crm_id}: a contact person that nobody holds is kept"
        else:
            values = one.values if one is not None else mapping.contact_values(other.body) if other else {}
            waits = pair.rest or pair.refusals or _closed(world, crm=one is not None)
            if pair.rest == "to_remove":
                yield f"{link.crm_id}: a contact person who was to be removed is still there: {values}"
            if not waits and not fields.blank(values.get("name", "")):
                yield f"{link.crm_id}: a contact person is on one side only: {values}"
    if sorted(seen) != sorted(here.contacts):
        yield f"{link.crm_id}: contact persons of the CRM are not known"
    told = status(link, world.rules, world.now)
    if told.state == "same" and (differing := _differing(world, here.values, there.values)):
        yield f"{link.crm_id}: said to be the same, and differs in {differing}"
    if told.state in {"sending", "creating"}:
        yield f"{link.crm_id}: said to be on its way, and nothing is: {told}"


def _differing(world: "World", here: dict[str, str], there: dict[str, str]) -> list[str]:
    return [
        name
        for group in fields.GROUPS["customer"]
        if rule_of(world.rules, "customer", group.name, group.rule).direction is not Direction.NONE
        for name in group.fields
        if not fields.agree("customer", name, here.get(name, ""), there.get(name, ""))
    ]


def _closed(world: "World", *, crm: bool) -> bool:
    """Whether persons may not be changed on the side that has this one."""
    group = fields.GROUPS["contact"][0]
    naming = rule_of(world.rules, "contact", group.name, group.rule).direction
    return naming in {Direction.NONE, Direction.ONLY_ECONOMIC if crm else Direction.ONLY_CRM}


def _record(
    world: "World", link: Link, pair: Pair, record: str, here: dict[str, str], there: dict[str, str]
) -> Iterator[str]:
    known = (dict(pair.crm.values) if pair.crm else {}, dict(pair.economic.values) if pair.economic else {})
    names = fields.FIELDS[pair.kind]
    real = tuple({name: row[name] for name in names if row.get(name)} for row in (here, there))
    if known != real:
        yield f"{record}: recorded {known}, real {real}"
    for one in plan.of(pair, world.rules, stopped(pair)):
        rule = rule_of(world.rules, pair.kind, one.group.name, one.group.rule)
        match one.do:
            case Do.ASK if one.reason == "both" and record not in world.truth.without_base:
                if any(name not in pair.base for name in one.group.fields):
                    pass  # what was never agreed on may be asked: a rule would empty what only one side has
                elif rule.decides is not Decides.ASK or rule.direction is not Direction.BOTH:
                    yield f"{record} {one.group.name}: asked, though a rule decides it"
                elif any(record_id == pair.id for _, record_id, _ in world.wished):
                    pass  # taking a decision back may ask again
                elif not world.truth.clash(pair.kind, record, one.group.fields):
                    yield f"{record} {one.group.name}: asked, though not both sides changed it"
            case Do.ASK if one.reason == "unknown":
                # half refused, what a person or a run chose is asked again
                wished = any(record_id == pair.id for _, record_id, _ in world.wished)
                run = None if link.run is None else world.receipts.promises.get(link.run)
                wished = wished or (run is not None and run.asked.differing == "economic")
                if not wished and not world.trace.counts["unclear"]:
                    yield f"{record} {one.group.name}: asked as unknown, though every answer was clear"
            case Do.WRITE_CRM | Do.WRITE_ECONOMIC | Do.WAIT:
                yield f"{record} {one.group.name}: not written: {one}"
            case _:
                pass
    yield from _nothing_left(world, pair, record)


def _nothing_left(world: "World", pair: Pair, record: str) -> Iterator[str]:
    """An edit that nobody else made, that nothing refused and no rule forbids, has arrived."""
    refused = {name for one in pair.refusals for name in one.values}
    for group in fields.GROUPS[pair.kind]:
        rule = rule_of(world.rules, pair.kind, group.name, group.rule)
        if rule.direction is not Direction.BOTH or not rule.may_be_empty or refused & set(group.fields):
            continue
        if any(record_id == pair.id and detail == group.name for _, record_id, detail in world.wished):
            continue
        if group.name in stopped(pair) or any(one.unknown for one in pair.base.values()):
            continue
        if record in world.truth.without_base or world.trace.counts["rules"] > 1:
            continue
        for name in group.fields:
            here, there = (world.truth.cell(str(system), record, name).now for system in System)
            if fields.agree(pair.kind, name, here.value, there.value):
                continue
            if (here.edits <= there.edits) == (there.edits <= here.edits):
                continue
            if not world.truth.clash(pair.kind, record, group.fields):
                yield f"{record} {name}: an edit never arrived: {here.value!r} here, {there.value!r} there"


def unseen(world: "World") -> Iterator[str]:
    """Nothing was lost, everything arrived: what e-conomic holds of a linked customer is then known without a sweep."""
    for link in world.sync.links.values():
        row = world.economic.rows.get(link.number or 0)
        if link.state is not LinkState.LINKED or row is None or link.customer.economic is None or world.is_stuck(link):
            continue
        known = {name: fields.text(link.customer.economic.values, name) for name in fields.FIELDS["customer"]}
        if known != {name: row.values[name] for name in known}:
            yield f"{link.crm_id}: a change in e-conomic was not seen, though its hook arrived"


def one_to_one(world: "World") -> Iterator[str]:
    """P11, P12: a number belongs to one link, and no record was created twice."""
    numbers = [link.number for link in world.sync.links.values() if link.number is not None]
    if len(set(numbers)) != len(numbers):
        yield "two links share a number"
    for number, row in world.economic.rows.items():
        made = [one.key for one in row.persons.values() if one.made_by == "product"]
        if len(set(made)) != len(made):
            yield f"{number}: a contact person was created twice in e-conomic"
    keys = [row.key for row in world.economic.rows.values()]
    if len(set(keys)) != len(keys):
        yield "a customer is in e-conomic twice"


def one_at_a_time(link: Link) -> Iterator[str]:
    """At most one open write per record and side; those to the CRM share one version."""
    for pair in link.pairs:
        for system, one in pair.pending.items():
            if one.system is not system:
                yield "a pending write stands under the wrong system"
    if len({one.version for one in link.pending if one.system is System.CRM}) > 1:
        yield "two versions of the CRM are being written on"
