"""What does the truth have to know of a step? Which record a creation is of, which two records became one, what was said.

Nothing here reaches the product: it reads what the product decided and tells it to the truth and to the story.
"""

from typing import TYPE_CHECKING

from crm_outbox.contract import WriteCustomer
from reconciler.link import Command, Link, LinkState, Step
from reconciler.rules import System

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.world import World


def remember(world: "World", before: Link, after: Link) -> None:
    """Tell the truth which record a creation is of, and which two records were found to be one."""
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
                truth.keys[one.operation] = key_of(world, pair.kind, one.system.other, source.id)
    _joined_customer(world, before, after, states)
    joined = {(pair.crm.id, pair.economic.id) for pair in before.contacts if pair.crm and pair.economic}
    for pair in after.contacts:
        if pair.crm and pair.economic and (pair.crm.id, pair.economic.id) not in joined:
            here, there = world.crm.everyone[pair.crm.id], world.economic.everyone[int(pair.economic.id)]
            if here.key != there.key:
                truth.joined("contact", here.key, there.key, states[System.CRM], states[System.ECONOMIC])
                there.key = here.key


def _joined_customer(world: "World", before: Link, after: Link, states: dict[System, tuple[str, str, str]]) -> None:
    if after.state is not LinkState.LINKED or after.number is None or before.number is not None:
        return
    world.trace.count("links")
    row = world.economic.rows.get(after.number)
    here = world.crm.rows.get(after.crm_id)
    if row is None or here is None or row.key == here.key:
        return
    if row.who != here.who and after.linked_by not in {"person", "created"}:
        world.wrong.append(f"{after.crm_id} was linked to {after.number}, another company, by {after.linked_by!r}")
    world.truth.joined("customer", here.key, row.key, states[System.CRM], states[System.ECONOMIC])
    row.key = here.key


def key_of(world: "World", kind: str, system: System, record: str) -> str:
    """The name of a record in the truth."""
    if kind == "contact":
        one = world.crm.everyone[record] if system is System.CRM else world.economic.everyone[int(record)]
        return one.key
    return world.crm.rows[record].key if system is System.CRM else world.economic.rows[int(record)].key


def told(world: "World", before: Link, after: Link, done: Step, commands: "Sequence[Command]") -> None:
    """What a step did, for the story and the checks."""
    trace, about = world.trace, after.crm_id or str(after.number)
    if (before.state, before.rest, before.number) != (after.state, after.rest, after.number):
        trace.note("reconciler", "link", about, str(after.state), after.rest, after.number or "", after.linked_by)
    for command in commands:
        to = "CRM" if isinstance(command, WriteCustomer) else "e-conomic"
        for part in command.parts:
            world.sent(command, part)
            if part.operation in trace.told:
                trace.note("reconciler", "again", about, to, str(part.operation)[:8])
                continue
            trace.told.add(part.operation)
            if part.action == "create" and part.record == "customer":
                trace.count("creations")
            trace.note("reconciler", "command", about, to, part.action, part.record, tuple(part.fields.items()))
    if done.status != world.sync.told.get(after.id):
        trace.note("reconciler", "status", about, done.status.state, done.status.reason, done.status.details)
        if done.status.state in {"choice", "deleted"}:
            trace.count("tasks")
