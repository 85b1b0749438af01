"""What is there before the agreement? The same companies partly on both sides, spelled otherwise, unkeyed, one number twice."""

from typing import TYPE_CHECKING

from crm_outbox.contract import Stage
from tests.simulation.dice import Dice
from tests.simulation.pools import PERSON

if TYPE_CHECKING:
    from tests.simulation.world import World

NEIGHBOURS, NEIGHBOURS_PHONE = frozenset({1, 2}), "12345678"
"""Two companies in one building, with one switchboard."""


def both_sides(world: "World", dice: Dice, companies: int) -> None:
    """So many companies that one side has, or both, or e-conomic twice."""
    there: list[int] = []
    neighbours = dice.percent(40)

    def typed(company: int, *, keyed: bool) -> dict[str, str]:
        values = world.people.typed(dice, company)
        if not neighbours or not values["postcode"]:
            return values
        shared = company in NEIGHBOURS
        phone = NEIGHBOURS_PHONE if shared else f"2000000{company}"
        return values | {"phone": phone} | ({} if keyed or not shared else {"cvr": ""})

    for nth in range(companies):
        company = world.people.company()
        if company is None:
            break
        where = dice.pick(("both", "both", "both", "here", "there", "twice")) if nth else "both"
        if where != "there":
            stage = Stage.LEAD if dice.percent(10) else Stage.ACTIVE
            world.people.add(company, typed(company, keyed=True), stage)
            if dice.percent(30):
                _person_here(world, dice)
        if where != "here":
            there += [company, company] if where == "twice" else [company]
    while there:  # in another order than in the CRM: who came first says nothing
        company = there.pop(dice.below(len(there)))
        world.people.find(company, typed(company, keyed=False))
        if dice.percent(30):
            _person_there(world, dice)


def _person_here(world: "World", dice: Dice) -> None:
    crm_id = list(world.crm.rows)[-1]
    world.crm.add_person(crm_id, {name: dice.pick(pool) for name, pool in PERSON.items()})
    world.people.tell(crm_id)


def _person_there(world: "World", dice: Dice) -> None:
    number = list(world.economic.rows)[-1]
    values = {name: dice.pick(pool) for name, pool in PERSON.items()}
    world.economic.add_person(number, f"{number}-person-{world.economic.made}", values)
