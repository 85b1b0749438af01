"""What do people do? They edit, clear, put back, add, remove, renumber, delete and merge, in either system, at any moment."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from crm_outbox.contract import Stage
from reconciler import fields
from reconciler.rules import Direction, System
from tests.simulation.crm import Row
from tests.simulation.dice import Dice
from tests.simulation.pages import Pages
from tests.simulation.pools import COMPANIES, details, rule_of
from tests.simulation.schedule import rules_of
from tests.simulation.staff import Staff, where
from tests.simulation.store import Connection

if TYPE_CHECKING:
    from tests.simulation.world import World


class People:
    """Everybody who uses the two systems. Each method is one thing somebody does; without anybody to do it, nothing happens."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.made = 0
        self.staff = Staff(world)
        pages = Pages(world)
        self.does: dict[str, Callable[[Dice], None]] = {
            "edit": self.edit, "person": self.staff.person, "create": self.create, "stage": self.stage, "found": self.found,
            "renumber": self.renumber, "remove": self.remove, "reuse": self.reuse, "delete": self.delete,
            "merge": self.merge, "rules": self.rules, "retype": self.retype, "both": self.both, "page": pages.page, "decide": pages.decide, "undo": pages.undo,
        }  # fmt: skip

    # ---- in the CRM

    def create(self, dice: Dice) -> None:
        """Somebody creates a customer in the CRM: a lead, or an active one; now and then one that e-conomic has already."""
        world, company = self.world, self.company(dice, here=True)
        if company is None:
            return
        stage = Stage.LEAD if world.setup.theme == "creation" and dice.percent(40) else Stage.ACTIVE
        self.add(company, self.typed(dice, company), stage)

    def add(self, company: int, values: dict[str, str], stage: Stage) -> None:
        world = self.world
        crm_id = f"c{len(world.crm.rows) + 1}"
        active = world.now if stage is Stage.ACTIVE else None
        world.crm.rows[crm_id] = Row(
            key=crm_id, who=f"company {company}", created=world.now, stage=stage, active_since=active
        )
        for name, value in values.items():
            world.crm.set(crm_id, name, value)
        world.trace.note("the CRM", "created", crm_id, world.crm.rows[crm_id].values["name"], str(stage))
        self.tell(crm_id, "created")

    def company(self, dice: Dice | None = None, *, here: bool = True) -> int | None:
        """The next company that turns up, or one that only the other side has; none once all are there."""
        if dice is not None and self.world.setup.meet and dice.percent(self.world.setup.meet):
            mine = {row.who for row in self.world.crm.rows.values()}
            theirs = {row.who for row in self.world.economic.rows.values()}
            only = sorted(theirs - mine if here else mine - theirs)
            if only:
                return int(dice.pick(only).split()[1])
        self.made += 1
        return self.made - 1 if self.made <= len(COMPANIES) else None

    def typed(self, dice: Dice, company: int) -> dict[str, str]:
        """What somebody types of a new customer: its name and numbers as they like to spell them, or not at all."""
        pools = details(company)
        spelled = self.world.setup.meet > 0
        values = {}
        for name, pool in pools.items():
            if name in {"name", "cvr", "postcode"}:
                values[name] = dice.pick(pool[:2]) if spelled else pool[0]
            else:
                values[name] = dice.pick(pool[:2] if spelled and name == "country" else pool)
        if spelled and dice.percent(30):
            values["cvr"] = ""
        if spelled and dice.percent(25):  # a private person, of whom nothing is known but the name
            values = dict.fromkeys(values, "") | {"name": values["name"].rsplit(" ", 1)[0], "country": "Danmark"}
        return values | {"email": ""}

    def stage(self, dice: Dice) -> None:
        """A lead becomes active, or a customer inactive."""
        row_id = self._any(dice)
        row = self.world.crm.rows.get(row_id)
        if row is None or row.deleted:
            return
        row.stage = Stage.ACTIVE if row.stage is not Stage.ACTIVE else dice.pick((Stage.LEAD, Stage.INACTIVE))
        if row.stage is Stage.ACTIVE:
            row.active_since = row.active_since or self.world.now
        self.world.trace.note("the CRM", "stage", row_id, str(row.stage))
        self.tell(row_id)

    def delete(self, dice: Dice) -> None:
        """Somebody deletes a customer in the CRM."""
        row = self.world.crm.rows.get(row_id := self._any(dice))
        if row is None or row.deleted:
            return
        row.deleted = True
        self.world.gone(row_id)
        self.world.trace.note("the CRM", "deleted", row_id)
        self.tell(row_id, "deleted")

    def merge(self, dice: Dice) -> None:
        """Somebody merges a customer into another in the CRM: into one just made for it, which has no link yet, too."""
        rows = self.world.crm.rows
        one, other = self._any(dice), self._any(dice)
        if dice.percent(40) and not rows[one].deleted and (company := self.company()) is not None:
            self.add(company, self.typed(dice, company), Stage.ACTIVE)
            other = next(reversed(rows))
        if one == other or rows[one].deleted or rows[other].deleted:
            return
        rows[one].merged_into, rows[one].deleted = other, True
        self.world.gone(one)
        self.world.trace.note("the CRM", "merged", one, other)
        self.tell(one, "merged")

    def tell(self, crm_id: str, change: str = "changed") -> None:
        self.world.receipts.touched("crm", crm_id)
        self.world.crm.changed(Connection(), crm_id, change)

    # ---- in either

    def edit(self, dice: Dice) -> None:
        """Somebody edits one detail: anew, emptied, spelled otherwise, or back to what it was."""
        world = self.world
        crm_id = self._any(dice)
        row = world.crm.rows[crm_id]
        if row.deleted:
            return
        system = dice.pick(tuple(System))
        names = world.office if system is System.CRM else world.bookkeeping
        name = dice.pick(names)
        pool = details(int(row.who.split()[1]))[name]
        before = world.truth.cell(system, row.key, name).entries[-2:]
        back = len(before) == 2 and dice.percent(30)
        value = before[0].value if back else dice.pick(pool)
        if system is System.CRM:
            old = row.values.get(name, "")
            world.crm.set(crm_id, name, value)
            self.tell(crm_id)
        elif number := world.economic.number_of(row.key):
            old = world.economic.rows[number].values[name]
            value = world.economic.set(number, name, value)
            world.economic.hooks.append((number, None))
        else:
            return
        world.trace.count("edits")
        world.trace.note(where(system), "edit", crm_id, name, old, value)
        if system is System.ECONOMIC and dice.percent(60):
            world.machine.hook(dice, newest=True)

    # ---- in e-conomic

    def retype(self, dice: Dice) -> None:
        """A bookkeeper edits one detail of any customer, linked or not; its CVR number not."""
        number, economic = self._number(dice), self.world.economic
        if number is None:
            return
        name = dice.pick([one for one in self.world.bookkeeping if one != "cvr"] or ["phone"])
        old = economic.rows[number].values[name]
        value = economic.set(number, name, dice.pick(details(int(economic.rows[number].who.split()[1]))[name]))
        economic.hooks.append((number, None))
        self.world.trace.count("edits")
        self.world.trace.note("e-conomic", "edit", str(number), name, old, value)

    def found(self, dice: Dice) -> None:
        """A bookkeeper creates a customer in e-conomic."""
        company = self.company(dice, here=False)
        if company is None:
            return
        self.find(company, self.typed(dice, company))

    def find(self, company: int, values: dict[str, str]) -> None:
        economic = self.world.economic
        number = economic.create(f"e{economic.tick()}", f"company {company}", values)
        self.world.trace.note("e-conomic", "created", str(number), values["name"])

    def both(self, dice: Dice) -> None:
        """One company is created on both sides at the same time, and both are told of at the same time (R4)."""
        world, company = self.world, self.company()
        if company is None:
            return
        values = self.typed(dice, company)
        self.find(company, values | ({"cvr": ""} if dice.percent(50) else {}))
        self.add(company, values, Stage.ACTIVE)
        with world.peril.of(None):
            world.machine.hook(None, newest=True)
            world.now += timedelta(seconds=3)
            while world.machine.work(None):
                pass
            world.machine.relay(None, "crm")
            queue = world.bus.queues["economic-adapter"]
            while queue:
                world.machine.take("economic-adapter", queue.pop(0))
            for _ in range(3):
                world.machine.relay(None, "economic")

    def renumber(self, dice: Dice) -> None:
        """A bookkeeper gives a customer another number; none twice, for no look can follow two moves it was not told of."""
        number = self._number(dice)
        if number is None or number >= 5000:
            return
        row = self.world.economic.rows[number]
        others = [one.values for one in self.world.economic.rows.values() if one is not row]
        own = [
            name
            for name in ("cvr", "ean", "phone", "mobile", "email")
            if row.values[name]
            and not any(fields.agree("customer", name, row.values[name], one[name]) for one in others)
        ]
        if not own:
            return  # with nothing of its own but a name, one edit before it is heard of is enough to be somebody else
        new = 5000 + self.world.economic.tick()  # apart from the range new customers get
        self.world.economic.renumber(number, new)
        self.world.trace.count("renumberings")
        self.world.trace.note("e-conomic", "renumbered", str(number), new)

    def remove(self, dice: Dice) -> None:
        """A bookkeeper deletes a customer."""
        number = self._number(dice)
        if number is None:
            return
        self.world.gone(self.world.economic.rows[number].key)
        self.world.economic.remove(number)
        self.world.trace.note("e-conomic", "deleted", str(number))

    def reuse(self, dice: Dice) -> None:
        """A bookkeeper deletes a customer and gives its number to another company.

        Without a name and a CVR number that flow, nothing there tells one company from another; so not then.
        """
        number = self._number(dice)
        if number is None or not self._recognisable(number):
            return
        economic, company = self.world.economic, self.company()
        if company is None:
            return
        self.world.gone(economic.rows[number].key)
        economic.remove(number)
        values = {name: pool[0] for name, pool in details(company).items() if name != "email"}
        economic.create(f"e{economic.tick()}", f"company {company}", values, number)
        self.world.trace.note("e-conomic", "reused", str(number), values["name"])

    def rules(self, dice: Dice) -> None:
        """An admin changes the rules."""
        self.world.change_rules(rules_of(dice))
        self.world.trace.note("an admin", "rules", "")

    def _recognisable(self, number: int) -> bool:
        rules = self.world.rules
        flows = all(
            rule_of(rules, "customer", group.name, group.rule).direction is not Direction.NONE
            for group in fields.GROUPS["customer"]
            if group.name in {"name", "cvr"}
        )
        return flows and bool(self.world.economic.rows[number].values["cvr"])

    # ---- whom

    def _any(self, dice: Dice) -> str:
        return dice.pick(tuple(self.world.crm.rows))

    def _number(self, dice: Dice) -> int | None:
        numbers = tuple(self.world.economic.rows)
        return dice.pick(numbers) if numbers else None
