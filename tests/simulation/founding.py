"""What is there before the agreement? The same companies partly on both sides, spelled otherwise, unkeyed, one number twice."""

from typing import TYPE_CHECKING

from crm_outbox.contract import Stage
from tests.simulation.dice import Dice
from tests.simulation.pools import PERSON

if TYPE_CHECKING:
    from tests.simulation.world import World


def both_sides(world: "World", dice: Dice, companies: int) -> None:
    """So many companies that one side has, or both, or e-conomic twice."""
    for _ in range(companies):
        company = world.people.company()
        if company is None:
            return
        where = dice.pick(("both", "both", "both", "here", "there", "twice"))
        if where != "there":
            stage = Stage.LEAD if dice.percent(10) else Stage.ACTIVE
            world.people.add(company, world.people.typed(dice, company), stage)
            if dice.percent(30):
                _person_here(world, dice)
        if where != "here":
            world.people.find(company, world.people.typed(dice, company))
            if dice.percent(30):
                _person_there(world, dice)
        if where == "twice":
            world.people.find(company, world.people.typed(dice, company))


def _person_here(world: "World", dice: Dice) -> None:
    crm_id = list(world.crm.rows)[-1]
    world.crm.add_person(crm_id, {name: dice.pick(pool) for name, pool in PERSON.items()})
    world.people.tell(crm_id)


def _person_there(world: "World", dice: Dice) -> None:
    number = list(world.economic.rows)[-1]
    values = {name: dice.pick(pool) for name, pool in PERSON.items()}
    world.economic.add_person(number, f"{number}-person-{world.economic.made}", values)
