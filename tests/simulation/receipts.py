"""Does a run do what its preview showed, and nothing else? Does a pass stop in time, and does an undo put back what was?

Kept beside the product: who was edited when, what was shown, and every write that left since.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from reconciler import fields
from reconciler.items import Stored as Item
from reconciler.link import Link, LinkState
from reconciler.previewed import Asked, Preview
from reconciler.runs import Run
from tests.simulation import written
from tests.simulation.store import Session
from tests.simulation.written import Wrote

if TYPE_CHECKING:
    from tests.simulation.world import World

CERTAIN = frozenset({"cvr", "ean"})
"""Evidence that links by itself; every other was ticked by a person."""


@dataclass
class Promise:
    """What somebody confirmed. ``at``: edits up to that one were seen; ``unheard``: customers of which not.

    ``shown_at``: edits up to that one were made before the preview was on the screen.
    """

    asked: Asked
    at: int
    shown_at: int
    unheard: frozenset[tuple[str, str]]
    wrote: dict[UUID, set[Wrote]] = field(default_factory=dict)
    """What was written since, by link."""
    carried: dict[UUID, Item] = field(default_factory=dict)
    """The customers that were carried out, by link."""


class Receipts:
    """Every promise, and who moved since."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.edits = 0
        self.moved: dict[tuple[str, str], int] = {}
        self.late: dict[tuple[str, str], int] = {}
        """As ``moved``, by writes of ours."""
        self.all_moved = 0
        self.promises: dict[UUID, Promise] = {}
        self.undone: list[tuple[Promise, Item]] = []
        self.apart_here: set[str] = set()
        self.apart_there: set[int] = set()
        """Customers whose linking or creation was taken back."""
        self.put_back: dict[UUID, Item] = {}
        """Of which links an undo has put something back, and what it was to do."""
        self.passes: dict[UUID, set[UUID]] = {}
        """Whom each pass wrote to."""
        self.on_screen: dict[UUID, int] = {}
        """How many edits there were when a preview was shown, by its run."""

    # ---- what happens

    def touched(self, system: str, record: str) -> None:
        """Somebody changed that customer there."""
        self.edits += 1
        self.moved[system, record] = self.edits

    def landed(self, system: str, record: str) -> None:
        """A write of ours changed that customer there, perhaps one that was long under way."""
        self.edits += 1
        self.late[system, record] = self.edits

    def everything(self) -> None:
        """Something changed that every customer goes by."""
        self.edits += 1
        self.all_moved = self.edits

    def shown(self, shown: Preview) -> None:
        """A preview is on the screen: no suggestion passes over the same company."""
        self.world.trace.count("previews")
        self.on_screen[shown.asked.run] = self.edits
        for one in shown.items:
            if one.action == "link" and one.crm_id and one.number:
                self._suggested(one.crm_id, one.number, one.evidence)

    def confirmed(self, run: UUID, shown: Preview) -> None:
        """Somebody confirmed it."""
        world = self.world
        world.trace.note("an admin", "confirms", shown.asked.kind)
        world.trace.count("transfers" if shown.asked.kind == "transfer" else "switchings")
        self.promises[run] = Promise(
            asked=shown.asked,
            at=self.edits,
            shown_at=self.on_screen.get(run, self.edits),
            unheard=frozenset(self._unheard()),
        )

    def ended(self, run: Run, item: Item, wrote: Sequence[tuple[UUID, tuple[Wrote, ...], tuple[Wrote, ...]]]) -> None:
        """A customer of a run was carried out or left out, in the transaction that wrote that."""
        mine = {one for link, fresh, _ in wrote if link == item.link for one in fresh}
        about = item.crm_id or str(item.number)
        self.world.trace.note("reconciler", f"run {item.state}", about, str(run.kind), item.action, item.reason)
        if run.kind == "pass":
            by_itself = {one for link, _, fresh in wrote if link == item.link for one in fresh}
            if item.state == "done" and (more := by_itself - written.planned(item.writes)):
                self.world.wrong.append(f"{about}: let go, and what was not on the list was written: {_few(more)}")
            return
        promise = self.promises.get(run.id)
        if promise is None:
            return
        if item.state == "left_out":
            self.world.trace.count("left out")
            names = (("crm", item.crm_id or ""), ("economic", str(item.number or "")))
            ours = any(self.late.get(one, 0) > promise.at for one in names)
            moved = ours or not self._still(promise, item, None) or self._appeared(promise, item)
            if item.reason == "moved" and not moved:
                self.world.wrong.append(f"{about}: left out as moved, though nobody moved it since the preview")
            return
        self.world.trace.count("carried out")
        if more := mine - written.planned(item.writes):
            self.world.wrong.append(f"{about}: the run writes what its preview did not show: {_few(more)}")
        over = {one for one in mine if one.record and not fields.blank(one.before)}
        if item.action == "link" and promise.asked.differing == "keep" and over:
            self.world.wrong.append(f"{about}: values were to be kept, and are overwritten: {_few(over)}")
        if item.link is not None:
            promise.carried[item.link] = item
            promise.wrote.setdefault(item.link, set()).update(mine)

    def wrote(self, link: UUID, fresh: Sequence[Wrote], chosen: Sequence[Wrote], by: Collection[UUID]) -> None:
        """Writes left for a link, some of them decided on, by these decisions: what an undo puts back is what the run wrote."""
        if chosen:
            self._puts_back(link, chosen, by)
        if unchosen := [one for one in fresh if one not in chosen]:
            self._flows_no_more(link, unchosen)
        for one in self.promises.values():
            if link in one.carried:
                one.wrote[link].update(fresh)

    def _taking_back(self, link: UUID) -> list[Item]:
        items = [one for one in self.world.sync.items.values() if one.link == link and one.state == "planned"]
        return [one for one in items if self.world.sync.runs[one.run].kind == "undo"]

    def _flows_no_more(self, link: UUID, fresh: Sequence[Wrote]) -> None:
        for item in self._taking_back(link):
            if item.action == "link" and (item.run, item.position) in self.world.sync.item_at:
                self.world.wrong.append(f"{item.crm_id}: is being taken back, and still written to: {_few(fresh)}")

    def _puts_back(self, link: UUID, decided: Sequence[Wrote], by: Collection[UUID]) -> None:
        sync = self.world.sync
        for item in self._taking_back(link):
            if sync.runs[item.run].of_run in by and (item.run, item.position) not in sync.item_at:
                continue  # the run's own choice, sent again; the undo has not come to this customer yet
            self.put_back[link] = item
            made = {(str(one.system), str(one.record), one.field): one.after for one in item.writes if one.id}
            for one in decided:
                after = made.get((one.system, one.kind, one.name), one.before)
                if one.kind == "customer" and not fields.same("customer", one.name, one.before, after):
                    self.world.wrong.append(f"{item.crm_id}: an undo overwrites what somebody typed: {_few({one})}")

    def held(self, session: Session, link: Link) -> None:
        """A link writes: not one that a pass holds, but what a person chose, or confirmed that a run does."""
        if link.run is not None and link.run in self.promises and self.world.sync.runs[link.run].ended is None:
            return
        chosen = any(pair.chosen or one.decided for pair in link.pairs for one in pair.pending.values())
        if session.get(self.world.sync.holds, link.id) is not None and not chosen:
            self.world.wrong.append(f"{link.crm_id}: is held by a pass, and written to all the same")

    def passed(self, before: Link) -> None:
        """A look at everything wrote to a customer that was not made just now: no more of them than the limit."""
        found = next((one for one in self.world.sync.runs.values() if one.kind == "pass" and one.ended is None), None)
        if found is None:
            self.world.wrong.append(f"{before.crm_id}: a look at everything wrote to it, and nothing counts that")
            return
        customers = self.passes.setdefault(found.id, set())
        customers.add(before.id)
        if len(customers) > found.options["limit"]:
            self.world.wrong.append(f"{before.crm_id}: a pass wrote to more customers than its limit")

    def taken_back(self, run: UUID, position: int) -> None:
        """A customer of a run was taken back."""
        item = self.world.sync.items[run, position]
        link = None if item.link is None else self.world.sync.links.get(item.link)
        promise = self.promises[run]
        self.world.trace.note("reconciler", "took back", item.crm_id or str(item.number), item.action)
        if item.action == "change" or link is None:
            return
        self.undone.append((promise, item))
        self.apart_here.add(link.crm_id)
        self.apart_there.update(link.parted)

    # ---- what must hold

    def stands(self) -> Iterator[str]:
        """A pass that stopped asks, and holds everybody on its list."""
        for run in self.world.sync.runs.values():
            if run.state == "braked" and (run.id, "brake") not in self.world.sync.questions:
                yield "a pass stopped, and nobody is asked"

    def at_rest(self) -> Iterator[str]:
        """P18 for everybody who did not move; what was taken back is as it was before."""
        for promise in self.promises.values():
            for link_id, item in promise.carried.items():
                yield from self._as_shown(promise, item, self.world.sync.links.get(link_id))
        for promise, item in self.undone:
            yield from self._as_before(promise, item)
        for link_id, item in self.put_back.items():
            link, undo = self.world.sync.links.get(link_id), self.world.sync.runs[item.run]
            linked = link is not None and link.state is LinkState.LINKED and link.run == undo.of_run
            if linked and item.action != "change":
                yield f"{item.crm_id}: an undo put something of it back, and left it linked"
        for question in self.world.sync.questions:
            if self.world.sync.runs[question[0]].ended is not None:
                yield "somebody is still asked about a run that has ended"

    def _as_shown(self, promise: Promise, item: Item, link: Link | None) -> Iterator[str]:
        if link is None or link.state is not LinkState.LINKED or not self._still(promise, item, link):
            return
        if link.id in self.put_back:
            return
        self.world.trace.count("as shown")
        shown, did = written.planned(item.writes), promise.wrote[link.id]
        if more := did - shown:
            yield f"{link.crm_id}: nobody moved it, and more was written than its preview showed: {_few(more)}"
        waits = self.world.sync.agreement.state != "on" or any(pair.refusals or pair.rest for pair in link.pairs)
        if not waits and (less := shown - did):
            yield f"{link.crm_id}: nobody moved it, and not all was written that its preview showed: {_few(less)}"

    def _as_before(self, promise: Promise, item: Item) -> Iterator[str]:
        link = None if item.link is None else self.world.sync.links.get(item.link)
        if link is None or not link.parted or not self._still(promise, item, link):
            return
        for one in item.writes:
            row = self.world.economic.rows.get(link.parted[-1])
            here = self.world.crm.rows.get(link.crm_id)
            if not one.id or one.record != "customer" or row is None or here is None:
                continue
            now = (here.values if one.system == "crm" else row.values).get(one.field, "")
            if not fields.same("customer", one.field, now, one.before):
                yield f"{link.crm_id}: taken back, and its {one.field} is {now!r}, not {one.before!r} as before"

    def _still(self, promise: Promise, item: Item, link: Link | None) -> bool:
        """Whether nobody changed that customer since it was shown, and everything there was of it was known then."""
        names = {("crm", item.crm_id or ""), ("economic", str(item.number or ""))}
        if link is not None:
            numbers = (link.number, *link.old_numbers)
            names |= {("crm", link.crm_id), *(("economic", str(one)) for one in numbers if one)}
        late = any(self.moved.get(one, 0) > promise.at or one in promise.unheard for one in names)
        return not late and self.all_moved <= promise.at

    def _appeared(self, promise: Promise, item: Item) -> bool:
        """Whether anybody at all changed or was not known then: one who is to be created may be that one."""
        creates = item.action in {"create_here", "create_there"}
        return creates and (bool(promise.unheard) or any(one > promise.shown_at for one in self.moved.values()))

    def _unheard(self) -> Iterator[tuple[str, str]]:
        world = self.world
        for crm_id, row in world.crm.rows.items():
            here = world.sync.crm_side.get(crm_id)
            if here is None or here.version.number != row.version:
                yield "crm", crm_id
        for number, one in world.economic.rows.items():
            there = world.sync.economic_side.get(number)
            customer = None if there is None else there.customer
            known = {} if customer is None else {person.number: person.object_version for person in customer.contacts}
            real = {nth: person.body["objectVersion"] for nth, person in one.persons.items()}
            if customer is None or customer.object_version != one.body["objectVersion"] or known != real:
                yield "economic", str(number)

        for number, gone in world.sync.economic_side.items():
            if gone.customer is not None and number not in world.economic.rows:
                yield "economic", str(number)

    def _suggested(self, crm_id: str, number: int, evidence: str) -> None:
        """Two companies are never linked by their numbers, nor by a name; and none beside one that is plainly the same."""
        world = self.world
        here, there = world.crm.rows.get(crm_id), world.economic.rows.get(number)
        if here is None or there is None or here.who == there.who or evidence == "linked":
            return
        mine = world.sync.of(crm_id)
        if mine is not None and number in mine.parted:
            return  # a person linked them once by mistake, and what that wrote could not all be put back
        if evidence in CERTAIN:
            world.wrong.append(f"{crm_id} would be linked with {number}, another company, by {evidence}")
            return
        known = world.sync.crm_side[crm_id].customer
        for other, seen in world.sync.economic_side.items():
            row, customer = world.economic.rows.get(other), seen.customer
            if row is None or customer is None or known is None or row.who != here.who or world.sync.holder(other):
                continue
            if written.recognisable(written.values(known), written.values(customer)):
                world.wrong.append(f"{crm_id} is suggested with {number}, though {other} is plainly the same company")


def _few(wrote: Collection[Wrote]) -> str:
    return "; ".join(f"{one.system} {one.kind} {one.name} {one.before!r} -> {one.after!r}" for one in sorted(wrote)[:3])
