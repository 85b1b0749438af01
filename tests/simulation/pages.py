"""What do people do on the page of a task? They settle what it asks, as it was when they opened it, or take that back."""

from typing import TYPE_CHECKING, Literal
from uuid import uuid5

from reconciler import contacts, fields, plan
from reconciler.carrying import standing_in
from reconciler.decide import stopped
from reconciler.decisions import Decision, Wish, backwards
from reconciler.link import Decided, Link, LinkState, Pair
from reconciler.plan import Detail
from tests.simulation.dice import Dice
from tests.simulation.peril import Crash

if TYPE_CHECKING:
    from tests.simulation.world import World


class Pages:
    """The open pages, and what is said on them."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.decisions = 0
        self.open: list[Link] = []
        """Links as they were when somebody opened them."""

    def page(self, dice: Dice) -> None:
        """Somebody opens the page of a customer and looks at it for a while."""
        links = [one for one in self.world.sync.links.values() if one.state is LinkState.LINKED]
        if links:
            self.open = [*self.open[-2:], dice.pick(links)]

    def decide(self, dice: Dice) -> None:
        """Somebody settles what an open page asks, as it was when it was opened: at once, late, or after somebody else."""
        if not self.open or dice.percent(60):
            self.page(dice)
        if not self.open:
            return
        link = dice.pick(self.open)
        wishes = []
        for pair in link.pairs:
            if not contacts.alive(pair.crm) or not contacts.alive(pair.economic):
                continue
            wishes += [
                self._wish(dice, pair, detail)
                for detail in plan.of(pair, self.world.rules, stopped(pair))
                if detail.do is plan.Do.ASK or dice.percent(40 if detail.differing else 12)
            ]
        if wishes:
            self._say(link, wishes, "settle")

    def undo(self, dice: Dice) -> None:
        """Somebody takes a decision back."""
        done = [one for one in self.world.ended if one.result in {"written", "kept"}]
        if not done:
            return
        last = dice.pick(done[-4:])
        link = next(
            (one for one in self.world.sync.links.values() if any(p.id == last.record for p in one.pairs)), None
        )
        if link is not None:
            self._say(link, list(backwards([last], standing_in(link))), "undo")

    def _wish(self, dice: Dice, pair: Pair, detail: Detail) -> Wish:
        names = detail.group.fields
        crm = {name: fields.text(pair.crm.values if pair.crm else {}, name) for name in names}
        economic = {name: fields.text(pair.economic.values if pair.economic else {}, name) for name in names}
        take = dice.pick(("crm", "economic", "text", "different"))
        kind: Literal["crm", "economic", "text", "different"] = take  # type: ignore[assignment]
        here: dict[str, str] | None = None
        there: dict[str, str] | None = None
        if kind == "crm":
            there = dict(crm)
        elif kind == "economic":
            here = dict(economic)
        elif kind == "text":
            here = there = {
                name: f"chosen {dice.below(3)}" if name in detail.differing else crm[name] for name in names
            }
        return Wish(
            record=pair.id, detail=detail.group.name, take=kind, crm=here, economic=there, seen_crm=crm,
            seen_economic=economic,
        )  # fmt: skip

    def _say(self, link: Link, wishes: list[Wish], means: Literal["settle", "undo"]) -> None:
        world = self.world
        self.decisions += 1
        decision = Decision(
            id=uuid5(link.id, f"decision {self.decisions}"), tenant=link.tenant, agreement=link.agreement or 0,
            link=link.id, means=means, who="Marie", at=world.now, wishes=tuple(wishes),
        )  # fmt: skip
        world.trace.count("decisions")
        told = ", ".join(f"{one.detail} {one.take}" for one in wishes)
        world.trace.note("Marie", "decides", link.crm_id, told)
        wished = {(decision.id, one.record, one.detail): link.crm_id for one in wishes}
        try:
            world.sync.run(link.id, Decided(decision=decision))
        except Crash as crash:
            if crash.where == "after the commit":
                world.wished |= wished
            raise
        world.wished |= wished
