"""Many customers begin to flow automatically at once: marked in the list, seen first, refused singly, undone as one."""

from uuid import uuid4

import pytest

from reconciler import pressing
from reconciler.person import Person
from reconciler.pressing import Press
from tests.builders.sync import TENANT
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Shop
from tests.integration.web.test_tasks_json import Service

ANNE = Person(tenant=TENANT, id="u1", name="Anne Holm", role="user")


@pytest.fixture
def shop(pages: Pages) -> Shop:
    """Three linked customers that do not flow, of which two were edited in Clickmate since."""
    made = Shop(pages)
    for number in (101, 102, 103):
        made.linked(number, phone=f"1111{number:04}", website="w.example")
        with pages.engine.begin() as connection:
            pressing.still(made.both.clocked, connection, Press(person=ANNE, customer=f"c{number}", id=uuid4()))
    for number in (101, 102):
        made.company.here(made.company.crm[f"c{number}"].model_copy(update={"website": "new.example"}))
    assert made.company.work() == []
    return made


def flows(shop: Shop) -> dict[str, bool]:
    return {one.crm_id: one.flows for one in shop.both.links()}


def test_what_would_be_written_is_seen_then_they_flow_and_all_of_it_is_undone(shop: Shop) -> None:
    mine = shop.arrive()
    mine.open("/customers?list=left_out").press(
        "Lad de markerede flyde automatisk (0)", customer=["c101", "c103", "nobody"]
    )
    assert "new.example" in mine.text
    assert "Intet bliver skrevet." in mine.text
    assert "1 er ikke med: den er ikke tilknyttet eller flyder allerede." in mine.text
    assert not any(flows(shop).values())
    mine.press("Turn on" if "Turn on" in mine.text else "Slå til")
    shop.carry_out()
    assert flows(shop) == {"c101": True, "c102": False, "c103": True}
    assert shop.company.economic[101].website == "new.example"
    assert shop.company.economic[102].website == "w.example"
    told = shop.bulk(mine.at)
    assert (told.state, told.done, told.moved) == ("done", 2, 0)
    mine.open(mine.at).press("Fortryd alle (2)")
    shop.carry_out()
    assert not any(flows(shop).values())
    text = " ".join(mine.open(mine.at).text.split())
    assert "2 fortrudt. Det, der blev skrevet, bliver stående." in text


def test_one_of_which_anything_moved_since_it_was_seen_does_not_begin(shop: Shop) -> None:
    mine = shop.arrive()
    mine.open("/customers").press("Lad de markerede flyde automatisk (0)", customer=["c101", "c102"])
    shop.company.here(shop.company.crm["c102"].model_copy(update={"website": "newer.example"}))
    mine.press("Slå til")
    shop.carry_out()
    assert flows(shop) == {"c101": True, "c102": False, "c103": False}
    assert "1 afgjort. 1 er rettet i mellemtiden og venter på dit valg." in mine.open(mine.at).text


def test_who_may_not_settle_many_marks_nothing_and_nothing_marked_is_nothing(shop: Shop) -> None:
    mine, reader, stranger = shop.arrive(), shop.arrive("reader", sub="u9"), shop.pages.arrive(tenant="other")
    target, fields = mine.open("/customers?list=left_out").form("Lad de markerede flyde automatisk (0)")
    assert "Lad de markerede" not in reader.open("/customers").text
    assert reader.browser.post(target, {**fields, "form_token": reader.browser.token()}).status_code == 403
    assert mine.browser.post(target, fields).headers["location"] == "/customers?list=left_out"
    theirs = stranger.post(target, {**fields, "form_token": stranger.token(), "customer": ["c101"]})
    assert theirs.headers["location"] == "/customers?list=left_out"


def test_a_service_lets_many_flow(shop: Shop) -> None:
    service = Service(shop.pages)
    given = {"id": str(uuid4()), "customers": ["c101", "c102", "c103"]}
    made = service.ask("POST", "/flow", given).json()
    assert (made["kind"], made["state"], made["total"]) == ("flow", "previewed", 3)
    (first, *_) = service.get(f"/bulk/{given['id']}/parts")["parts"]
    assert [(one["detail"], one["crm"], one["economic"]) for one in first["values"]] == [
        ("website", "new.example", "w.example")
    ]
    service.ask("POST", f"/bulk/{given['id']}/confirm")
    shop.carry_out()
    assert all(flows(shop).values())
    assert service.ask("POST", "/flow", {**given, "id": str(uuid4())}).status_code == 409
    assert service.ask("POST", "/flow", {"id": str(uuid4()), "customers": []}).status_code == 422
