"""A decision about many dies at every statement and every commit: started again each customer is dealt with once, and none by half."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4, uuid5

import pytest
import sqlalchemy as sa

from reconciler import bulking, bulks, decided, pressing, suggestions
from reconciler.bulking import Form
from reconciler.bulks import Bulk
from reconciler.enlisted import Marked
from reconciler.evidence import Evidence, Found
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.pressing import Press
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT, economic_seen, there
from tests.faults import halting
from tests.integration.web.browsing import Pages
from tests.integration.web.conftest import pages
from tests.integration.web.shop import Shop
from tests.waiting import eventually

__all__ = ["pages"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
MOST: Final = 250
"""Passes that none of these comes near."""
LEAST: Final = 70
"""Deaths that each walk must have seen."""
STEP: Final = 2
"""A statement and a commit are each passed before and after; what is after one is before the next."""
ANNE: Final = Person(tenant=TENANT, id="u1", name="Anne Holm", role="admin")


@dataclass
class Walk:
    """Three customers a round of whom one moves after it was shown; everybody who carries it out dies one step later each round."""

    shop: Shop
    folder: Path
    deaths: int = 0
    told: list[UUID] = field(default_factory=list)

    def carried_out(self, point: int, bulk: UUID, moves: Callable[[], object] = lambda: None) -> Bulk:
        """Somebody carries it out and dies at that pass, is started again, and once more when it was answered; how it ended."""
        self._dies(point, bulk)
        self._goes_on(bulk, lambda: all(one.state != "planned" for one in self.items(bulk)))
        moves()
        self.told += [part.operation for command in self.shop.company.work() for part in command.parts]
        self._dies(point, bulk)
        self._goes_on(bulk, lambda: self.of(bulk).ended is not None)
        assert len(self.told) == len(set(self.told)), "a write was told twice"
        assert self.shop.company.work() == [], "and nothing more is told"
        return self.of(bulk)

    def pressed(self, point: int, bulk: UUID) -> Bulk:
        """Somebody has it undone by a process that dies at that pass, and sends the same form again: one undoing, and whole."""
        form = uuid4()
        self._dies(point, bulk, "undo", HALTING_BULK=str(bulk), HALTING_UNDO=str(form))
        with self.shop.pages.engine.begin() as connection:
            first = bulks.find(connection, TENANT, bulk)
            assert first is not None
            back = bulking.undo(self.shop.both.clocked, connection, ANNE, Form(id=form), [first])
        assert back is not None
        assert (back.id, back.total, back.left, self.of(bulk).undone_by) == (form, first.done, first.done, form)
        return back

    def of(self, bulk: UUID) -> Bulk:
        with self.shop.pages.engine.connect() as connection:
            found = bulks.find(connection, TENANT, bulk)
        assert found is not None
        return found

    def items(self, bulk: UUID) -> list[bulks.Item]:
        with self.shop.pages.engine.connect() as connection:
            return list(bulks.items(connection, TENANT, bulk))

    def is_whole(self, bulk: UUID) -> None:
        """Each customer has its decision or was not begun with, and every open write has its command."""
        with self.shop.pages.engine.connect() as connection:
            told = connection.execute(
                sa.text("select string_agg(convert_from(body, 'utf-8'), ' ') from sync.outbox")
            ).scalar()
            for one in bulks.items(connection, TENANT, bulk):
                its = uuid5(bulk, str(one.position))
                saved = decided.get(connection, its)
                if one.state == "planned" or (one.state == "ended" and one.decision is None):
                    assert saved is None, "a decision that its line does not know"
                else:
                    assert one.decision == its
                    assert saved is not None, "a line that stands as decided, and no decision"
                assert one.done + one.moved + one.failed == (len(one.parts) if one.state == "ended" else 0)
        for link in self.shop.both.links():
            for write in link.pending:
                assert str(write.operation) in (told or ""), "a write without its command"

    def _goes_on(self, bulk: UUID, done: Callable[[], bool]) -> None:
        """Whoever is started next carries on; a lock of the dead may stand for a moment."""

        def finished() -> bool:
            bulking.carry_on(self.shop.pages.engine, self.shop.both.clocked)
            return done()

        eventually(finished, within=60, every=0.02)
        self.is_whole(bulk)

    def _dies(self, point: int, bulk: UUID, does: str = "carry", **given: str) -> None:
        environ = {
            "HALTING_DATABASE": self.shop.pages.engine.url.render_as_string(hide_password=False),
            "HALTING_NOW": self.shop.both.time.isoformat(),
            "HALTING_ARMED": str(self.folder / "armed"),
            **given,
        }
        (self.folder / "armed").touch()
        log = self.folder / "victim.log"
        code = halting.victim(point, does, log, environ).wait(120)
        assert code in {0, -9}, log.read_text("utf-8")
        if code:
            self.deaths += 1
            self.is_whole(bulk)


def differing(walk: Walk, point: int) -> UUID:
    """Three phones are to be Clickmate's: the decision about them, confirmed."""
    shop = walk.shop
    for number in numbers_of(point):
        shop.linked(number, elsewhere={"phone": f"3{number:07}"}, phone=f"2{number:07}")
    with shop.pages.engine.begin() as connection:
        shown = bulking.settle(shop.both.clocked, connection, ANNE, Form(id=uuid4()), Filter(detail="phone"), "crm")
    assert shown is not None
    confirmed(walk, shown.id)
    return shown.id


def settled(walk: Walk, point: int) -> Bulk:
    """They are, but of the one that somebody edited since."""
    shop, numbers, bulk = walk.shop, numbers_of(point), differing(walk, point)
    moved(walk, numbers[2], phone="99887766")
    found = walk.carried_out(point, bulk)
    assert [shop.company.economic[number].phone for number in numbers[:2]] == [
        f"2{number:07}" for number in numbers[:2]
    ]
    assert shop.company.economic[numbers[2]].phone == f"3{numbers[2]:07}", "what moved is not written"
    moved(walk, numbers[2], phone=f"3{numbers[2]:07}")  # nothing of it is left for the next round
    return found


def undone(walk: Walk, point: int) -> Bulk:
    """They were, and are put back as one, but where somebody edited since."""
    shop, numbers, bulk = walk.shop, numbers_of(point), differing(walk, point)
    shop.carry_out()
    moved(walk, numbers[2], phone="99887766")
    shop.company.work()
    found = walk.carried_out(point, walk.pressed(point, bulk).id)
    assert [shop.company.economic[number].phone for number in numbers[:2]] == [
        f"3{number:07}" for number in numbers[:2]
    ]
    assert shop.company.economic[numbers[2]].phone == "99887766", "what somebody wrote since stays"
    for number in numbers[:2]:  # nothing of it is left for the next round
        moved(walk, number, phone=f"3{number:07}")
    return found


def flowing(walk: Walk, point: int) -> Bulk:
    """Three customers flow from now on and what was edited goes out, but for the one that was edited again."""
    shop, numbers = walk.shop, numbers_of(point)
    for number in numbers:
        shop.linked(number, website="w.example")
        with shop.pages.engine.begin() as connection:
            pressing.still(shop.both.clocked, connection, Press(person=ANNE, customer=f"c{number}", id=uuid4()))
        moved(walk, number, website="new.example")
    with shop.pages.engine.begin() as connection:
        crm_ids = [f"c{number}" for number in numbers]
        shown = bulking.flow(shop.both.clocked, connection, ANNE, Form(id=uuid4()), crm_ids)
    assert shown is not None
    confirmed(walk, shown.id)
    moved(walk, numbers[2], website="newer.example")
    found = walk.carried_out(point, shown.id)
    flows = {one.crm_id: one.flows for one in shop.both.links()}
    assert [flows[f"c{number}"] for number in numbers] == [True, True, False]
    held = [shop.company.economic[number].website for number in numbers]
    assert held == ["new.example", "new.example", "w.example"]
    return found


def linked(walk: Walk, point: int) -> Bulk:
    """Three suggested pairs are linked, but for the one that is no longer found by what was shown."""
    shop, numbers = walk.shop, numbers_of(point)
    shop.both.set(state="off")
    for number in numbers:
        customer = a_customer(id=f"c{number}", name=f"Herom {number} ApS", cvr=f"{10_000_000 + number}")
        shop.company.here(customer)
        other = there(customer, number, "v1", name=f"Derovre {number}")
        shop.company.economic[number], shop.company.counters[number] = other, 1
        shop.both.hear(economic_seen(other, 1, why="import"))
    found = [Found(crm=f"c{one}", economic=f"{one}", evidence=Evidence.CVR, reasons=("cvr",)) for one in numbers]
    marked = Marked(pairs=[(f"c{number}", number) for number in numbers])
    with shop.pages.engine.begin() as connection:
        suggestions.replace(connection, TENANT, AGREEMENT, found, shop.both.time)
        bulk, _ = bulking.pair(shop.both.clocked, connection, ANNE, Form(id=uuid4()), "link", AGREEMENT, marked)
    assert bulk is not None
    moved(walk, numbers[2], cvr="99999999")
    ended = walk.carried_out(point, bulk.id)
    pairs = {(one.crm_id, one.number) for one in shop.both.links() if one.state == "linked"}
    assert {(f"c{number}", number) for number in numbers} & pairs == {(f"c{number}", number) for number in numbers[:2]}
    return ended


def numbers_of(point: int) -> Sequence[int]:
    """The customers of a round."""
    return range(1000 + 10 * point, 1003 + 10 * point)


def confirmed(walk: Walk, bulk: UUID) -> None:
    with walk.shop.pages.engine.begin() as connection:
        bulking.confirm(connection, ANNE, bulk, "")


def moved(walk: Walk, number: int, **edit: str) -> None:
    """Somebody edits that customer in Clickmate."""
    company = walk.shop.company
    company.here(company.crm[f"c{number}"].model_copy(update=edit))


@pytest.mark.parametrize("does", [settled, undone, flowing, linked])
def test_killed_at_any_pass_each_customer_is_dealt_with_once_and_none_by_half(
    pages: Pages, tmp_path: Path, does: Callable[[Walk, int], Bulk]
) -> None:
    walk = Walk(shop=Shop(pages), folder=tmp_path)
    for point in range(1, MOST, STEP):
        before = walk.deaths
        ended = does(walk, point)
        assert (ended.done, ended.moved, ended.failed, ended.state) == (2, 1, 0, "done")
        if walk.deaths == before:
            break
    else:
        raise AssertionError(f"{MOST} passes and no end")
    print(f"{does.__name__}: {walk.deaths} deaths in {point // STEP + 1} rounds")  # noqa: T201 - for ``pytest -rP``
    assert walk.deaths >= LEAST
