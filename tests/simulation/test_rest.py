"""Does a world come to rest in the same place, whatever the order and number of its messages, and stay there?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.link import Due
from reconciler.rules import System
from tests.simulation import quick, resting
from tests.simulation.dice import Dice
from tests.simulation.pools import RULES
from tests.simulation.schedule import schedule
from tests.simulation.shrink import lived
from tests.simulation.store import Connection
from tests.simulation.world import World


def _end(seed: int, order: int) -> tuple[object, ...]:
    """One customer, edited twelve times on both sides while nothing is written; its messages shuffled, and so many times."""
    given = schedule(seed)
    setup = replace(
        given.setup,
        theme="values",
        rules=RULES,
        customers=1,
        crash=0.0,
        trouble=0.0,
        lost=0.0,
        doubled=0.0,
        crowded=0.0,
    )
    world = World(replace(given, setup=setup, events=()))
    with world.at_work(), quick.core():
        dice = Dice(seed)
        world.people.create(dice)
        resting.drain(world)
        link = next(iter(world.sync.links.values()))
        world.rules = replace(RULES, paused=frozenset(System))
        number = link.number or 0
        for _ in range(12):
            name = dice.pick(world.bookkeeping)
            value = f"{dice.below(4)}"
            if dice.percent(50):
                world.crm.set(link.crm_id, name, f"crm {value}")  # else both may agree in passing
                world.crm.changed(Connection(), link.crm_id)
            else:
                world.economic.set(number, name, f"economic {value}")
                world.economic.hooks.append((number, None))
                world.machine.hook(None)
                world.now += timedelta(seconds=3)
                world.machine.work(None)
        for owner in ("crm", "economic"):
            world.machine.relay(None, owner)
        for name in ("economic-adapter", "economic-adapter"):
            while world.bus.queues[name]:
                world.machine.take(name, world.bus.queues[name].pop(0))
        for _ in range(3):
            world.machine.relay(None, "economic")
        told = world.bus.queues["reconciler"]
        shuffled = Dice(order)
        while told:
            message = told.pop(shuffled.below(len(told)))
            world.machine.take("reconciler", message)
            if order > 1 and shuffled.percent(50):
                told.append(message._replace(id=-message.id - shuffled.below(10_000)))
        world.rules = RULES
        world.sync.run(link.id, Due())
        resting.drain(world)
        assert not world.broken
        after = world.sync.links[link.id]
        row = world.economic.rows[number]
        return world.crm.rows[link.crm_id].values, row.values, after.customer.base


@pytest.mark.parametrize("seed", range(1, 60))
def test_for_fixed_edits_the_order_and_number_of_messages_does_not_matter(seed: int) -> None:
    assert _end(seed, 1) == _end(seed, 2) == _end(seed, 3)


def test_at_rest_time_alone_sends_nothing() -> None:
    world = lived(schedule(1))
    assert not world.broken
    before = world.writes
    with world.at_work():
        for _ in range(20):
            world.pass_time(timedelta(days=1))
            for link in list(world.sync.links):
                world.sync.run(link, Due())
    assert world.writes == before
