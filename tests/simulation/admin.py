"""What do the people do who switch on, transfer, pause, take back and let go, and what does the clock do of it?

They use the product's own flows behind the commands; what they tick and when is chance.
"""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from reconciler import acts, agreements, clock, confirming, receipt, releasing, running, steering, store, undoing
from reconciler.previewed import Asked, Preview
from reconciler.rules import System, Transfer
from reconciler.runs import Run
from tests.simulation import resting
from tests.simulation.agreement import AGREEMENT, TENANT
from tests.simulation.dice import Dice
from tests.simulation.schedule import rules_of

if TYPE_CHECKING:
    from tests.simulation.world import World

GROUPS = ("name_postcode", "name_phone", "name_email", "name_city", "email", "phone")
"""Suggestions by their evidence, for somebody to tick."""
_TIMES = 60


class Admin:
    """The operator, and the clock that carries out what was confirmed."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.page: Preview | None = None
        """The preview that somebody looks at."""
        self.does: dict[str, Callable[[Dice], object]] = {
            "preview": self.preview, "confirm": self.confirm, "clock": lambda _dice: self.clock(),
            "steer": self.steer, "take back": self.take_back, "release": self.release,
            "new rules": self.rules, "switch off": self.switch_off,  "stop writing": self.stop_writing,
        }  # fmt: skip

    @property
    def sync(self) -> Any:
        return self.world.sync

    # ---- switching on, transferring

    def preview(self, dice: Dice) -> None:
        """Somebody looks at what switching on, or a transfer, would do, with some groups ticked."""
        known = self.sync.agreement
        if known.busy is not None or known.state not in {"connected", "refused", "off", "on"}:
            return
        kind = "transfer" if known.state == "on" else "switch_on"
        groups = frozenset(one for nth, one in enumerate(GROUPS) if dice.percent(70 if nth < 4 else 35))
        self._look(
            Asked(
                kind=kind,  # type: ignore[arg-type]
                tenant=TENANT,
                agreement=AGREEMENT,
                run=self.sync.fresh_id(),
                differing="economic" if kind == "transfer" and dice.percent(30) else "keep",
                groups=groups,
                create_there=kind == "switch_on" and dice.percent(40),
            )
        )

    def _look(self, asked: Asked) -> None:
        words = SimpleNamespace(yes=False, preview=True, confirm=None)
        self.page, _ = confirming.confirmed(words, self.sync.engine, self.sync.clocked, self.sync.agreement, asked)  # type: ignore[arg-type]
        self._shown(self.page)

    def _shown(self, shown: Preview) -> None:
        world, asked = self.world, shown.asked
        ticked = [*sorted(asked.groups), *(["create in e-conomic"] if asked.create_there else []), asked.differing]
        sums = tuple(f"{shown.count(one)} {one}" for one in ("link", "change", "create_here", "create_there"))
        world.trace.note("an admin", "previews", asked.kind, ", ".join(sums), ", ".join(ticked))
        world.receipts.shown(shown)

    def confirm(self, _dice: Dice) -> None:
        """Somebody confirms the counts of the page that is open; if anything moved since, the new list is shown instead."""
        world, known, page = self.world, self.sync.agreement, self.page
        on = known.state in {"switching_on", "on", "access_lost"}
        if page is None or known.busy is not None or on != (page.asked.kind == "transfer"):
            return
        words = SimpleNamespace(yes=True, preview=False, confirm=receipt.counts(page.confirmed_by))
        asked = replace(page.asked, run=self.sync.fresh_id())
        shown, run = confirming.confirmed(words, self.sync.engine, self.sync.clocked, known, asked)  # type: ignore[arg-type]
        if run is None:
            self.page = shown
            self._shown(shown)
            return
        with self.sync.engine.begin() as connection:
            locked = agreements.lock(connection, TENANT, AGREEMENT)
            if locked is None or locked.busy is not None or locked.state != known.state:
                return
            connection.after.append(lambda: world.receipts.confirmed(run, shown))
            transfer = Transfer.CREATED if asked.kind == "switch_on" else None
            running.begin(connection, locked, run, shown.confirmed_by, self.sync.clocked, transfer=transfer)
        self.page = None

    def clock(self) -> int:
        """One look of the clock at configurations, links to look at again, runs and passes; how much it did."""
        engine, clocked = self.sync.engine, self.sync.clocked
        return (
            clock.resend_configurations(engine, clocked)
            + clock.tell_again(engine, clocked)
            + clock.make_links(engine)
            + clock.follow_runs(engine, clocked)
            + running.carry_out(engine, clocked)
            + undoing.undo(engine, clocked)
        )

    def steer(self, dice: Dice) -> None:
        """Somebody pauses, resumes or stops what is carried out."""
        found = self._going()
        if found is None:
            return
        action = "resume" if found.state == "paused" else dice.pick(("pause", "pause", "stop"))
        self._steer(found, action)

    def _going(self) -> Run | None:
        kinds = {"switch_on", "transfer", "undo"}
        going = (one for one in self.sync.runs.values() if one.kind in kinds and one.state in {"running", "paused"})
        return next(going, None)

    def _steer(self, run: Run, action: str) -> None:
        self.world.trace.note("an admin", "steers", run.kind, action)
        with self.sync.engine.begin() as connection:
            steering.steer(connection, run.id, action, self.world.now)

    def take_back(self, dice: Dice) -> None:
        """Somebody takes back a run that has ended."""
        known = self.sync.agreement
        done = [one for one in self.sync.runs.values() if one.done and undoing.may_be(one, self.world.now)]
        if not done or known.state not in {"on", "off"} or known.busy is not None:
            return
        run = dice.pick(done)
        with self.sync.engine.begin() as connection:
            locked = agreements.lock(connection, TENANT, AGREEMENT)
            if locked is None or locked.busy is not None or locked.state != known.state:
                return
            connection.after.append(lambda: self.world.trace.note("an admin", "takes back", run.kind))
            connection.after.append(lambda: self.world.trace.count("undoings"))
            undoing.begin(connection, locked, run, self.sync.clocked)

    def switch_off(self, _dice: Dice) -> None:
        """Somebody switches the integration off; what is carried out stops."""
        with self.sync.engine.begin() as connection:
            locked = agreements.lock(connection, TENANT, AGREEMENT)
            if locked is None or locked.state != "on":
                return
            connection.after.append(lambda: self.world.trace.note("an admin", "switches off", "the agreement"))
            steering.switch_off(connection, locked, self.sync.clocked, acts.operator(TENANT))

    # ---- passes

    def rules(self, dice: Dice) -> None:
        """Other rules hold, and every link is looked at again by them."""
        self.world.trace.note("an admin", "rules", "")
        self.world.change_rules(rules_of(dice))
        self._pass()

    def stop_writing(self, dice: Dice) -> None:
        """Nothing is written to one side for a while, or again."""
        known = self.sync.agreement
        paused = frozenset() if known.rules.paused else frozenset({dice.pick(tuple(System))})
        self.world.trace.note("an admin", "stops writing" if paused else "has written again", "", *sorted(paused))
        self.sync.settings[AGREEMENT] = replace(known, rules=replace(known.rules, paused=paused))
        self.world.receipts.everything()
        if paused and dice.percent(60) and self._going() is None and not self.world.inside:
            self._meanwhile(dice)
        self._pass()

    def _meanwhile(self, dice: Dice) -> None:
        """Others edit more customers than a pass may write to, and all of that is heard of."""
        for _ in range(5):
            self.world.people.edit(dice)
        with self.world.peril.of(None):
            resting.drain(self.world)

    def _pass(self) -> None:
        with self.sync.engine.begin() as connection:
            store.look_again(connection, TENANT, AGREEMENT)

    def release(self, dice: Dice, *, edited: bool = True) -> None:
        """Somebody lets go what a pass stopped before; now and then customers on its list were edited since."""
        stopped = next((one for one in self.sync.runs.values() if one.state == "braked"), None)
        if stopped is None:
            return
        if edited and dice.percent(50) and self._going() is None and not self.world.inside:
            self._meanwhile(dice)
        self.world.trace.note("an admin", "lets go", "")
        self.world.trace.count("releases")
        releasing.release(self.sync.engine, self.sync.clocked, stopped.id)

    # ---- the end

    def let_write(self) -> None:
        """Both sides are written to again."""
        if self.sync.agreement.rules.paused:
            self.stop_writing(Dice(0))

    def finish(self) -> None:
        """Everything that was begun comes to its end: what is paused goes on, what was stopped is let go."""
        world = self.world
        for times in range(_TIMES):
            resting.drain(world)
            if world.broken:
                return
            going = self._going()
            if going is not None and going.state == "paused":
                self._steer(going, "resume")
            elif any(one.state == "braked" for one in self.sync.runs.values()):
                world.wrong += world.receipts.stands()
                self.release(Dice(world.schedule.seed), edited=not times)
            elif self.sync.agreement.since is None:
                self.preview(Dice(world.schedule.seed))
                self.confirm(Dice(0))
            elif going is None:
                return
        world.wrong.append("a run never ends")
