"""Whoever undoes a decision about many waits for as much of the database for many lines as for few; the clock carries it out."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from reconciler import bulking, bulks
from reconciler.bulking import Form
from reconciler.person import Person
from tests.builders.sync import TENANT
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Clicks, Shop
from tests.integration.web.statements import carried_by
from tests.integration.web.test_tasks_json import Service
from tests.waiting import eventually

MOST = 14
"""Statements of the request, signing in among them."""


@pytest.fixture
def shop(pages: Pages) -> Shop:
    return Shop(pages)


def settled(shop: Shop, first: int, many: int) -> Clicks:
    """So many customers more whose phones differ; all that wait are settled."""
    for number in range(first, first + many):
        shop.linked(number, elsewhere={"phone": f"2222{number:04}"}, phone=f"1111{number:04}")
    mine = shop.arrive().open("/differences?detail=phone")
    (button,) = [one for one in shown(mine) if one.startswith("Brug e-conomic")]
    mine.press(button).press("Gem i Clickmate")
    shop.carry_out()
    return mine.open(mine.at)


def shown(mine: Clicks) -> list[str]:
    return [" ".join(one.split("<")[0].split()) for one in mine.text.replace("<button", ">").split(">")]


def test_the_press_reads_and_sends_as_much_for_many_lines_as_for_few_and_the_clock_does_the_rest(shop: Shop) -> None:
    found = []
    for first, more, many in ((1000, 10, 10), (1010, 30, 40)):
        mine = settled(shop, first, more)
        receipt = mine.at
        target, fields = mine.form(f"Fortryd alle ({many})")
        with carried_by(shop.pages.engine) as carried:
            answer = mine.browser.post(target, fields)
        found.append(carried)
        mine.open(answer.headers["location"])
        assert f"0 af {many}" in mine.text
        assert "Stop" in shown(mine)
        told = shop.bulk(mine.at)
        assert (told.state, told.ended, told.customers, told.total, told.left) == ("running", None, many, many, many)
        assert mine.browser.post(target, fields).headers["location"] == answer.headers["location"], (
            "sent again, it is one"
        )
        shop.carry_out()
        told = shop.bulk(mine.at)
        assert (told.state, told.done, told.moved, told.failed, told.left_out) == ("done", many, 0, 0, 0)
        assert f"{many} fortrudt." in mine.open(mine.at).text
        assert "Det er fortrudt." in mine.open(receipt).text
    assert {one.phone for one in shop.company.crm.values()} == {f"1111{number:04}" for number in range(1000, 1040)}
    assert found[0] == found[1]
    assert len(found[0]) // 2 <= MOST


@pytest.mark.parametrize("same", [True, False], ids=["one form", "two forms"])
def test_pressed_twice_at_once_it_is_undone_once(shop: Shop, same: bool) -> None:
    mine = settled(shop, 101, 2)
    which, first = UUID(mine.at.rpartition("/")[2]), uuid4()
    target, fields = mine.form("Fortryd alle (2)")
    fields["undo"] = str(first if same else uuid4())
    anne = Person(tenant=TENANT, id="u1", name="Anne Holm", role="user")
    with ThreadPoolExecutor(1) as other:
        with shop.pages.engine.begin() as connection:
            known = bulks.find(connection, TENANT, which)
            assert known is not None
            bulking.undo(shop.both.clocked, connection, anne, Form(id=first), [known])
            second = other.submit(mine.browser.post, target, fields)
            eventually(lambda: waits(shop.pages.engine))
        location = second.result().headers["location"]
    assert location == (f"/bulk/{first}" if same else f"/bulk/{which}?told=nothing")
    shop.carry_out()
    with shop.pages.engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from sync.bulk where kind = 'undo'")) == 1
    assert (shop.bulk(str(first)).done, shop.bulk(str(which)).undone_by) == (2, first)
    assert "11110101" in {one.phone for one in shop.company.crm.values()}


def waits(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        blocked = sa.text(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        return bool(connection.scalar(blocked))


def test_of_a_customer_that_moved_in_part_the_rest_is_undone_and_only_that_is_named(shop: Shop) -> None:
    for number in (101, 102):
        elsewhere = {"phone": f"2222{number:04}", "name": f"Anders {number}"}
        shop.linked(number, elsewhere=elsewhere, phone=f"1111{number:04}")
    mine = shop.arrive().open("/differences").press("Brug e-conomic for alle viste (4)")
    shop.company.here(shop.company.crm["c101"].model_copy(update={"phone": "33333333"}))
    mine.press("Gem i Clickmate")
    shop.carry_out()
    mine.open(mine.at).press("Fortryd alle (3)")
    assert "0 af 3" in mine.text
    mine.press("Stop")
    shop.carry_out()
    assert "0 fortrudt. 3 blev ikke påbegyndt." in " ".join(mine.open(mine.at).text.split())
    told = Service(shop.pages).get(f"/bulk/{mine.at.rpartition('/')[2]}/parts")["parts"]
    named = {one["crm_id"]: (one["state"], [value["detail"] for value in one["values"]]) for one in told}
    assert named == {"c101": ("left_out", ["name"]), "c102": ("left_out", ["name", "phone"])}
    assert shop.company.crm["c101"].name == "Anders 101"
