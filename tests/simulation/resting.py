"""How does a world come to rest? What is under way arrives, both sides are swept, and then nothing may move any more."""

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation import checks
from tests.simulation.bus import CONSUMERS, OWNERS
from tests.simulation.shelf import mark
from tests.simulation.store import Blocked, Connection

if TYPE_CHECKING:
    from tests.simulation.world import World


def sweep(world: "World") -> None:
    """Both systems are read in full."""
    connection = Connection()
    for crm_id in world.crm.rows:
        world.shelf.told.pop(crm_id, None)
        world.crm.tell(connection, crm_id)
    for number in sorted({*world.economic.rows, *world.shelf.mirror}):
        mark(world.shelf, connection, number, "poll", world.now)


def drain(world: "World") -> None:
    """Nothing goes wrong any more: everything under way arrives."""
    for _ in range(400):
        if world.broken:
            return
        before = world.now
        while world.economic.hooks:
            world.machine.hook(None)
        for owner in OWNERS:
            while world.bus.pending[owner]:
                world.machine.relay(None, owner)
        for name in CONSUMERS:
            queue = world.bus.queues[name]
            while queue and not world.broken:
                message = queue.pop(0)
                try:
                    world.machine.take(name, message)
                except Blocked as why:
                    world.wrong.append(f"{message.about}: its {type(message.data).__name__} can never be taken: {why}")
        world.machine.all_work()
        if world.switching and world.admin.clock():
            world.pass_time(timedelta(seconds=1))
        elif world.bus.quiet and not world.economic.hooks:
            waits = [row.due_at for row in world.shelf.rows.values() if not world.stuck_with(row.number)]
            if not waits:
                return
            least = timedelta(seconds=20 if world.stuck else 1)  # while e-conomic seems away, nothing is due at all
            world.pass_time(max(min(waits) - world.now, least))
        else:
            world.pass_time(timedelta(seconds=3))
        assert world.now > before
    world.wrong.append("messages go round and round")


def rest(world: "World") -> None:
    """Faults stop: what was under way arrives, both are swept, and then nothing may move any more."""
    world.events.clear()
    world.trace.note("the world", "rests", "")
    world.admin.let_write()
    world.pass_time(timedelta(minutes=3))
    drain(world)
    if world.switching and not world.broken:
        world.admin.finish()
    if not world.missed and not world.broken:
        world.wrong += checks.unseen(world)
    rounds = 0
    while not world.broken:
        before = world.writes
        sweep(world)
        drain(world)
        world.pass_time(timedelta(hours=2))
        drain(world)
        if world.switching:
            world.admin.finish()
        rounds += 1
        going = [one for one in world.sync.links.values() if one.pending and not world.is_stuck(one)]
        if world.writes == before and not going:
            break
        if rounds > checks.ROUNDS:
            world.wrong.append(f"not at rest after {rounds} rounds")
    if not world.broken:
        world.wrong += [*checks.at_rest(world), *world.receipts.at_rest()]
