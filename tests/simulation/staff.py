"""What do people do with contact persons? They add, edit and remove them, in either system."""

from typing import TYPE_CHECKING

from reconciler.rules import System
from tests.simulation.dice import Dice
from tests.simulation.pools import PERSON

if TYPE_CHECKING:
    from tests.simulation.world import World


class Staff:
    """The contact persons of everybody's customers, as people keep them."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def come(self) -> None:
        """Each customer of the CRM has two contact persons, who are to be removed later."""
        for crm_id in self.world.crm.rows:
            for nth in (0, 1):
                self.world.crm.add_person(crm_id, {name: pool[nth] for name, pool in PERSON.items()})
            self.world.people.tell(crm_id)

    def person(self, dice: Dice) -> None:
        """Somebody adds, edits or removes a contact person."""
        world = self.world
        crm_id = dice.pick(tuple(world.crm.rows))
        row = world.crm.rows[crm_id]
        system = dice.pick(tuple(System))
        number = world.economic.number_of(row.key)
        if row.deleted or (system is System.ECONOMIC and number is None):
            return
        world.trace.count("edits")
        crm = system is System.CRM
        there = {} if number is None else world.economic.rows[number].persons
        known: list[str] = list(row.contacts) if crm else [str(one) for one in there]
        roll = dice.below(100)
        if not known or roll < 40:
            values = {name: dice.pick(pool) for name, pool in PERSON.items()}
            if crm:
                world.crm.add_person(crm_id, values)
            else:
                world.economic.add_person(number or 0, f"{number}-person-{world.economic.made}", values)
            world.trace.note(where(system), "person added", crm_id, values["name"], values["email"])
        elif roll < (80 if world.setup.removes else 55):
            one = dice.pick(self._on_both(crm_id, system, known) or known)
            gone = row.contacts.pop(one) if crm else there.pop(int(one))
            world.removed.add((system, one))
            world.trace.note(where(system), "person removed", crm_id, gone.key)
        else:
            one, name = dice.pick(known), dice.pick(tuple(PERSON))
            value = dice.pick(PERSON[name])
            if crm:
                world.crm.set_person(crm_id, one, name, value)
            else:
                world.economic.set_person(number or 0, int(one), name, value)
            world.trace.note(where(system), "person edited", crm_id, one, name, value)
        if crm:
            world.people.tell(crm_id)
        elif number is not None:
            world.economic.touched(number)
            world.economic.hooks.append((number, None))

    def _on_both(self, crm_id: str, system: System, known: list[str]) -> list[str]:
        """Those of these persons who are in the other system too, where an admin has such persons removed."""
        link = self.world.sync.of(crm_id)
        if link is None or system.other not in self.world.setup.removes:
            return []
        sides = [pair.side(system) for pair in link.contacts if pair.crm and pair.economic]
        return [one for one in known if any(side is not None and side.id == one for side in sides)]


def where(system: System) -> str:
    """What a story calls that system."""
    return "the CRM" if system is System.CRM else "e-conomic"
