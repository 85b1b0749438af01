"""Does a world at rest keep the promises? Each check says what is wrong, or nothing."""

from collections.abc import Iterator

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import contacts, fields, plan
from reconciler.link import Link, LinkState, Pair
from reconciler.plan import Do
from reconciler.rules import Direction, System
from reconciler.status import status
from tests.simulation.systems import Row
from tests.simulation.world import World


def at_rest(world: World) -> Iterator[str]:
    """Everything that does not hold once a world has settled."""
    yield from world.truth.wrong  # P2
    yield from one_to_one(world)
    yield from no_deletion(world)
    for crm_id, link in world.links.items():
        if any(link.pending):
            yield f"{crm_id}: a write is still open"
        if link.state is LinkState.CREATING:
            yield f"{crm_id}: still being created"
        if link.state is LinkState.RESTING:
            yield f"{crm_id}: rests, though nobody deleted or merged it: {link.rest}"
        if link.state is LinkState.LINKED:
            yield from converged(world, link)


def converged(world: World, link: Link) -> Iterator[str]:
    """P1: what the systems hold agrees, or the detail is asked about, refused or an accepted difference. P9, P16."""
    number = world.number(link.crm_id)
    if number != link.number:
        yield f"{link.crm_id}: linked to {link.number}, is {number}"
        return
    there = world.economic.rows[number or 0]
    here = world.crm.rows[link.crm_id]
    yield from _record(world, link.customer, here, there)
    for pair in link.contacts:
        one = None if pair.crm is None else here.contacts.get(pair.crm.id)
        other = None if pair.economic is None else there.contacts.get(int(pair.economic.id))
        if contacts.alive(pair.crm) != (one is not None) or contacts.alive(pair.economic) != (other is not None):
            yield f"{link.crm_id}: a contact person is not known as it is"
        elif one is not None and other is not None:
            yield from _record(world, pair, one, other)
        elif one is None and other is None:
            yield f"{link.crm_id}: a contact person that nobody holds is kept"
        elif not (
            pair.rest
            or pair.refusals
            or _closed(world, one)
            or fields.blank((one or other or here).values.get("name", ""))
        ):
            yield f"{link.crm_id}: a contact person is on one side only: {(one or other or here).values}"
    seen = [pair.crm.id for pair in link.contacts if contacts.alive(pair.crm) and pair.crm]
    if sorted(seen) != sorted(here.contacts):
        yield f"{link.crm_id}: contact persons of the CRM are not known"
    told = status(link, world.rules, world.now)
    if told.state == "same" and any(
        not fields.agree("customer", name, here.values.get(name, ""), there.values.get(name, ""))
        for name in fields.FIELDS["customer"]
        if ("customer", name) in world.flowing
    ):
        yield f"{link.crm_id}: said to be the same, and is not"
    if told.state in {"sending", "creating"}:
        yield f"{link.crm_id}: said to be on its way, and nothing is: {told}"


def _closed(world: World, here: Row | None) -> bool:
    """Whether persons may not be changed on the side that has this one."""
    naming = fields.rule("contact", fields.GROUPS["contact"][0], world.rules).direction
    return naming in {Direction.NONE, Direction.ONLY_ECONOMIC if here is not None else Direction.ONLY_CRM}


def _record(world: World, pair: Pair, here: Row, there: Row) -> Iterator[str]:
    record = here.key
    known = (dict(pair.crm.values) if pair.crm else {}, dict(pair.economic.values) if pair.economic else {})
    real = tuple({name: value for name, value in row.values.items() if value} for row in (here, there))
    if known != real:
        yield f"{record}: recorded {known}, real {real}"
    for one in plan.of(pair, world.rules):
        match one.do:
            case Do.ASK if one.reason == "both" and record not in world.truth.without_base:
                if not world.truth.clash(pair.kind, record, one.group.fields):
                    yield f"{record} {one.group.name}: asked, though not both sides changed it"
            case Do.ASK if one.reason == "unknown" and not world.unclear:
                yield f"{record} {one.group.name}: asked as unknown, though every answer was clear"
            case Do.WRITE_CRM | Do.WRITE_ECONOMIC | Do.WAIT:
                yield f"{record} {one.group.name}: not written: {one}"
            case _:
                pass
    for name, base in pair.base.items():
        if not base.unknown and not fields.agree(pair.kind, name, base.crm, base.economic) and world.all_both:
            yield f"{record} {name}: a base on which nobody agreed: {base}"


def one_to_one(world: World) -> Iterator[str]:
    """P11, P12: a number belongs to one link, and no record was created twice."""
    numbers = [link.number for link in world.links.values() if link.number is not None]
    if len(set(numbers)) != len(numbers):
        yield "two links share a number"
    keys = [row.key for row in world.economic.rows.values()]
    if len(set(keys)) != len(keys):
        yield "a customer was created twice"
    for number, row in world.economic.rows.items():
        made = [one.key for one in row.contacts.values() if one.made_by == "product"]
        if len(set(made)) != len(made):
            yield f"{number}: a contact person was created twice in e-conomic"
    for crm_id, customer in world.crm.rows.items():
        made = [one.key for one in customer.contacts.values() if one.made_by == "product"]
        if len(set(made)) != len(made):
            yield f"{crm_id}: a contact person was created twice in the CRM"


def no_deletion(world: World) -> Iterator[str]:
    """P13: nothing is removed, barred or made inactive by itself."""
    for command in world.sent:
        match command:
            case WriteCustomer(parts=parts):
                if any(one.action == "remove" or one.stage is not None for one in parts):
                    yield "the CRM was told to remove something"
            case WriteEconomicCustomer(parts=others):
                if any(one.action in {"remove", "bar"} for one in others):
                    yield "e-conomic was told to remove something"


def quiet(world: World) -> Iterator[str]:
    """P3: at rest, reading everything again writes nothing."""
    before = world.writes
    world.sweep()
    world.drain()
    if world.writes != before:
        yield f"at rest, {world.writes - before} more commands were sent"


def one_at_a_time(link: Link) -> Iterator[str]:
    """At most one open write per record and side; those to the CRM share one version."""
    for pair in link.pairs:
        for system, one in pair.pending.items():
            if one.system is not system:
                yield "a pending write stands under the wrong system"
    if len({one.version for one in link.pending if one.system is System.CRM}) > 1:
        yield "two versions of the CRM are being written on"
