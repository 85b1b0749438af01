"""What does the truth have to know of a step? Which record a creation is of, which two records became one, what was said.

Nothing here reaches the product: it reads what the product decided and tells it to the truth and to the story.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_outbox.contract import WriteCustomer
from reconciler import fields
from reconciler.link import Link, LinkState, Pair, Pending, Status
from reconciler.rules import System
from tests.simulation.receipts import CERTAIN
from tests.simulation.written import recognisable, values

if TYPE_CHECKING:
    from tests.simulation.world import World


class Silent:
    """A log nobody reads."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_more: None


def saved(world: "World", before: Link, after: Link, status: Status, told: Status | None) -> None:
    """A step was committed: what it means for the truth and the story."""
    truth = world.truth
    states = {
        System.CRM: ("crm", after.crm_id, str(after.crm_version)),
        System.ECONOMIC: ("economic", str(after.number), str(after.economic_version)),
    }
    for pair in after.pairs:
        for one in pair.pending.values():
            if one.operation in truth.decided:
                continue
            truth.decided[one.operation] = states[one.system.other]
            source = pair.side(one.system.other)
            if one.action == "create" and source is not None:
                truth.keys[one.operation] = key_of(world, after, pair.kind, one.system.other, source.id)
            if one.action == "create" and pair.kind == "customer":
                _created(world, after, one)
            if one.action == "remove":
                _removed(world, after, pair, one)
            if one.mark and one.mark in pair.chosen:
                truth.by_person.setdefault(one.operation, {})
            for group, choice in pair.chosen.items():
                seen = choice.seen_crm if one.system is System.CRM else choice.seen_economic
                chosen = {name: value for name, value in seen.items() if name in one.values}
                if chosen:
                    truth.by_person.setdefault(one.operation, {}).update(chosen)
                del group
    _joined_customer(world, before, after, states)
    joined = {(pair.crm.id, pair.economic.id) for pair in before.contacts if pair.crm and pair.economic}
    for pair in after.contacts:
        if pair.crm and pair.economic and (pair.crm.id, pair.economic.id) not in joined:
            here, there = world.crm.everyone.get(pair.crm.id), world.economic.everyone.get(int(pair.economic.id))
            if here is not None and there is not None and here.key != there.key:
                both = (states[System.CRM], states[System.ECONOMIC])
                truth.joined("contact", here.key, there.key, *both, kept=_kept(world, after))
                there.key = here.key
    about = after.crm_id or str(after.number)
    if (before.state, before.rest, before.number) != (after.state, after.rest, after.number):
        world.trace.note("reconciler", "link", about, str(after.state), after.rest, after.number or "", after.linked_by)
    if status != told:
        world.trace.note("reconciler", "status", about, status.state, status.reason, status.details)
        if status.state in {"choice", "deleted"}:
            world.trace.count("tasks")


def commanded(world: "World", command: Any, about: str) -> None:
    """A command was committed."""
    to = "CRM" if isinstance(command, WriteCustomer) else "e-conomic"
    for part in command.parts:
        world.sent(command, part)
        if part.operation in world.trace.told:
            world.trace.note("reconciler", "again", about, to)
            continue
        world.trace.told.add(part.operation)
        if part.action == "create" and part.record == "customer":
            world.trace.count("creations")
        world.trace.note("reconciler", "command", about, to, part.action, part.record, tuple(part.fields.items()))


def _removed(world: "World", link: Link, pair: Pair, removal: Pending) -> None:
    """A contact person is to be removed: an admin chose so, and a person removed that very one in the other system."""
    here = None if pair.crm is None else world.crm.everyone.get(pair.crm.id)
    there = None if pair.economic is None else world.economic.everyone.get(int(pair.economic.id))
    gone = pair.side(removal.system.other)
    world.truth.removing[removal.operation] = removal.version or ""
    world.trace.count("removals")
    if removal.system not in world.setup.removes:
        world.wrong.append(f"{link.crm_id}: a contact person is removed in {removal.system}, and nobody chose that")
    elif gone is None or (removal.system.other, gone.id) not in world.removed:
        world.wrong.append(f"{link.crm_id}: a contact person is removed in {removal.system} whom nobody removed before")
    elif here is None or there is None or here.key != there.key:
        world.wrong.append(f"{link.crm_id}: another contact person is removed in {removal.system} than was before")


def _created(world: "World", link: Link, creation: Pending) -> None:
    """A customer is to be created: nobody known on that side may be the same company, as far as its details show."""
    if world.sync.settings[1].read_at is None and link.run is None:
        world.wrong.append(f"{link.crm_id or link.number} is created before both sides were read")
    _by_itself(world, link, creation)
    source = link.customer.side(creation.system.other)
    if source is None:
        return
    world.truth.seen_apart[creation.operation] = frozenset(int(one) for one in creation.ruled_out if one.isdecimal())
    if creation.system is System.ECONOMIC:
        row = world.crm.rows.get(link.crm_id)
        for number, seen in world.sync.economic_side.items():
            there = world.economic.rows.get(number)
            if row is None or there is None or there.who != row.who or seen.customer is None or number in link.apart:
                continue
            if world.sync.holder(number) or str(number) in creation.ruled_out:
                continue
            if recognisable(source.values, values(seen.customer)):
                world.wrong.append(
                    f"{link.crm_id} is created in e-conomic, though {number}, known, is the same company"
                )
        return
    company = world.economic.rows.get(link.number or 0)
    key = world.truth.keys[creation.operation]
    before = next((row.who for row in world.crm.rows.values() if row.key == key), company.who if company else "")
    world.crm.companies[creation.operation] = world.economic.whose.get(key, before)
    for crm_id, known in world.sync.crm_side.items():
        here = world.crm.rows.get(crm_id)
        if company is None or here is None or here.who != company.who or known.customer is None or here.deleted:
            continue
        mine = world.sync.of(crm_id)
        if crm_id in creation.ruled_out or (mine is not None and (mine.number or mine.apart)):
            continue
        if _one_of_several(world, link.number, source.values):
            continue  # which of them it is nothing tells; the CRM's own search finds that number, and refuses
        if recognisable(source.values, values(known.customer)):
            world.wrong.append(f"{link.number} is created in the CRM, though {crm_id}, known, is the same company")


def _one_of_several(world: "World", number: int | None, source: Mapping[str, str]) -> bool:
    """Whether another customer of e-conomic is recorded with the same CVR number."""
    cvr = fields.canon("customer", "cvr", fields.text(source, "cvr"))
    others = (seen.customer for other, seen in world.sync.economic_side.items() if other != number)
    return cvr != "" and any(one is not None and fields.canon("customer", "cvr", one.cvr) == cvr for one in others)


def _by_itself(world: "World", link: Link, creation: Pending) -> None:
    """Whom a run creates was ticked; nobody is created anew who was there before, or whose linking was taken back."""
    promise = None if link.run is None else world.receipts.promises.get(link.run)
    there = creation.system is System.ECONOMIC
    if promise is not None and (there != (promise.asked.kind == "switch_on") or there > promise.asked.create_there):
        world.wrong.append(f"{link.crm_id or link.number} is created in {creation.system}, and nobody ticked that")
    if promise is not None:
        return
    row, since = world.crm.rows.get(link.crm_id), world.sync.agreement.since
    if there and row is not None and since is not None and row.created < since:
        world.wrong.append(f"{link.crm_id}, older than the integration, is created in e-conomic by itself")
    taken_back = link.crm_id in world.receipts.apart_here if there else link.number in world.receipts.apart_there
    if taken_back:
        world.wrong.append(f"{link.crm_id or link.number}: its linking was taken back, and it is created by itself")


def _joined_customer(world: "World", before: Link, after: Link, states: dict[System, tuple[str, str, str]]) -> None:
    if before.crm_id and before.number is not None and after.number is None:
        row, here = world.economic.rows.get(before.number), world.crm.rows.get(before.crm_id)
        if row is not None and here is not None and row.key == here.key:
            other = f"{row.key} once {world.economic.tick()}"
            world.truth.parted(row.key, other)
            row.key = other
    if after.state is not LinkState.LINKED or after.number is None or not after.crm_id:
        return
    if before.number == after.number and before.crm_id == after.crm_id and before.state is not LinkState.CREATING:
        return
    world.trace.count("links")
    both, kept = (states[System.CRM], states[System.ECONOMIC]), _kept(world, after)
    row, here = world.economic.rows.get(after.number), world.crm.rows.get(after.crm_id)
    if row is not None and here is not None and row.key == here.key and after.linked_by != "created":
        world.truth.without_base.add(here.key)
    seen = world.truth.now_named(world.truth.shown_as.get((after.number, str(after.economic_version)), ""))
    if row is not None and here is not None and seen not in {"", row.key}:
        # the number changed hands since it was last looked at: R19 has to see it
        if seen == here.key:
            return
        company = world.economic.whose.get(seen) or world.economic.companies(seen)
        if not _by_a_person(after) and company not in _companies(world, after.crm_id):
            world.wrong.append(f"{after.crm_id} was linked to {after.number}, another company, by {after.linked_by!r}")
        world.truth.joined("customer", here.key, seen, *both, kept=kept)
        return
    if row is None and here is not None:
        gone = seen or world.economic.last.get(after.number, here.key)
        if gone != here.key:
            world.truth.joined("customer", here.key, gone, *both, kept=kept)
            for one in world.economic.rows.values():
                if one.key == gone:  # it has another number by now, which nobody has heard of yet
                    one.key = here.key
    if row is None or here is None or row.key == here.key:
        return
    if row.who not in _companies(world, after.crm_id) and not _by_a_person(after):
        world.wrong.append(f"{after.crm_id} was linked to {after.number}, another company, by {after.linked_by!r}")
    if row.who != here.who and after.linked_by == "created":
        return  # the number changed hands before the answer came: R19 has to see it
    for another in world.economic.rows.values():
        if another.key == here.key:  # a creation that nobody could tell the end of; the customer is another one now
            another.key = f"{here.key} once {world.economic.tick()}"
            world.truth.parted(here.key, another.key)
    world.truth.joined("customer", here.key, row.key, *both, kept=kept)
    row.key = here.key


def _kept(world: "World", link: Link) -> bool:
    """Whether a run linked them, and what differs was to stay so."""
    promise = None if link.run is None else world.receipts.promises.get(link.run)
    return promise is not None and promise.asked.differing == "keep"


def _by_a_person(link: Link) -> bool:
    """Whether a person said that those two are one: singly, or by ticking what was suggested."""
    return link.linked_by in {"person", "created"} or (link.run is not None and link.linked_by not in CERTAIN)


def _companies(world: "World", crm_id: str) -> set[str]:
    """Which real companies a customer of the CRM is: its own, and those that were merged into it."""
    found, more = set[str](), {crm_id}
    while more:
        found |= {world.crm.rows[one].who for one in more}
        more = {one for one, row in world.crm.rows.items() if row.merged_into in more and row.who not in found}
    return found


def key_of(world: "World", link: Link, kind: str, system: System, record: str) -> str:
    """The name of a record in the truth, as it was when it was last seen."""
    if kind == "contact":
        one = world.crm.everyone[record] if system is System.CRM else world.economic.everyone[int(record)]
        return one.key
    if system is System.CRM:
        return world.crm.rows[record].key
    seen = world.truth.shown_as.get((int(record), str(link.economic_version)), "")
    row = world.economic.rows.get(int(record))
    if row is not None and (not seen or world.truth.now_named(seen) == row.key):
        return row.key
    return seen or world.economic.last[int(record)]
