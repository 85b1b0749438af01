"""Many differences are settled with one choice for all that is shown: seen before, refused singly where they moved, undone as one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from reconciler import bulking, bulks, people, previewing
from tests.builders.crm import a_person
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Shop
from tests.integration.web.test_tasks_json import Service


@pytest.fixture
def shop(pages: Pages) -> Shop:
    return Shop(pages)


def forty(shop: Shop) -> None:
    """18 phones, 12 names and 10 addresses that differ, of 20 customers."""
    for nth in range(20):
        number = 100 + nth
        elsewhere: dict[str, object] = {}
        if nth < 18:
            elsewhere["phone"] = f"2222{number:04}"
        if nth >= 8:
            elsewhere["name"] = f"Anders {number}"
        if nth < 10:
            elsewhere["street"] = f"Gade {number}"
        shop.linked(
            number, elsewhere=elsewhere, phone=f"1111{number:04}", street="Vej 1", postcode="8000", city="Aarhus"
        )


def test_forty_differences_in_three_details_in_ten_clicks_and_undone_in_two(shop: Shop) -> None:
    forty(shop)
    before = {**shop.company.crm}, {**shop.company.economic}
    mine = shop.arrive()
    assert "Afgør mange på én gang (40)" in mine.open("/").text
    mine.follow("Afgør mange på én gang (40)")
    mine.follow("18 telefon").press("Brug e-conomic for alle viste (18)")
    assert shop.bulk(mine.at).state == "previewed"
    assert "11110100" not in mine.text, "phones are shown as people write them"
    assert "11 11 01 00" in mine.text
    assert shop.company.work() == []
    mine.press("Gem i Clickmate")
    shop.carry_out()
    mine.open(mine.at)
    assert "18 afgjort." in mine.text
    mine.follow("12 navn").press("Brug Clickmate for alle viste (12)").press("Gem i e-conomic")
    shop.carry_out()
    mine.open(mine.at).follow("10 adresse").press("Lad alle viste være forskellige (10)")
    mine.press("Lad dem være forskellige")
    shop.carry_out()
    mine.open(mine.at)
    assert mine.clicks <= 10
    assert "Alt er på plads. 30 afgjort, 10 forskelle beholdt." in mine.text
    assert {one.phone for one in shop.company.crm.values()} >= {f"2222{number:04}" for number in range(100, 118)}
    assert {one.name for one in shop.company.economic.values()} == {f"Kunde {number}" for number in range(100, 120)}
    assert "Intet venter på dig." in shop.arrive().open("/differences").text
    mine.clicks = 0
    mine.press("Fortryd alle (40)")
    shop.carry_out()
    assert mine.clicks <= 2
    mine.open(mine.at)
    assert "40 fortrudt." in mine.text
    for crm_id, was in before[0].items():
        assert shop.company.crm[crm_id].phone == was.phone
    for number, held in before[1].items():
        assert shop.company.economic[number].name == held.name
    assert "Afgør mange på én gang (40)" in mine.open("/differences").text
    mine.open(mine.at)


def test_of_very_many_the_clock_reads_what_would_be_written_and_then_it_goes_as_any_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulking, "AT_ONCE", 10)
    monkeypatch.setattr(previewing, "CHUNK", 7)
    forty(shop)
    mine = shop.arrive().open("/differences").press("Brug Clickmate for alle viste (40)")
    page = mine.at
    assert "Laver listen ... 0 af 20 kunder" in " ".join(mine.text.split())
    assert "Gem i e-conomic" not in mine.text
    mine.browser.post(f"{page}/confirm", {"form_token": mine.browser.token()})
    assert (shop.bulk(page).state, shop.bulk(page).listed) == ("previewed", 20), "nobody confirms what nobody saw"
    service = Service(shop.pages)
    told = service.get(f"/bulk/{page.rpartition('/')[2]}")
    assert (told["listed"], told["total"], told["state"]) == (20, 40, "previewed")
    assert service.ask("POST", f"/bulk/{page.rpartition('/')[2]}/confirm").status_code == 409
    settled = shop.company.crm["c119"]
    shop.company.here(settled.model_copy(update={"name": shop.company.economic[119].name}))
    assert previewing.carry_on(shop.pages.engine, shop.both.clocked) == 7
    known = shop.bulk(page)
    assert (known.listed, known.customers in {19, 20}) == (13, True), "whoever became equal is no part of it once read"
    read = f"Laver listen ... {known.customers - 13} af {known.customers} kunder"
    assert read in " ".join(mine.open(page).text.split())
    while previewing.carry_on(shop.pages.engine, shop.both.clocked):
        pass
    assert (shop.bulk(page).total, shop.bulk(page).excluded) == (39, 1), "what became equal meanwhile is left out"
    assert "1 er ikke med: den venter ikke længere på dit valg." in mine.open(page).text
    assert "et navn må ikke være tomt" not in mine.text
    told = service.get(f"/bulk/{page.rpartition('/')[2]}")
    assert (told["excluded"], told["resolved"]) == (1, 1)
    mine.press("Gem i e-conomic")
    shop.carry_out()
    assert "39 afgjort." in mine.open(page).text
    assert {one.name for one in shop.company.economic.values()} >= {f"Kunde {number}" for number in range(100, 119)}
    mine.press("Fortryd alle (39)")
    shop.carry_out()
    assert "39 fortrudt." in mine.open(mine.at).text


@pytest.mark.parametrize("at_once", [1000, 1], ids=["at once", "listed"])
def test_an_empty_name_is_not_taken_and_that_is_all_that_is_said(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(bulking, "AT_ONCE", at_once)
    shop.linked(102, elsewhere={"name": "Firma"})
    nameless = shop.linked(110)
    shop.both.set(paused='["crm", "economic"]')
    shop.both.in_economic(there(nameless, 110, "v2", name=""), 2)
    shop.both.in_crm(nameless.model_copy(update={"name": "Birk & Søn ApS"}), 2)
    shop.both.set(paused="[]")
    mine = shop.arrive().open("/differences?detail=name").press("Brug e-conomic for alle viste (2)")
    previewing.carry_on(shop.pages.engine, shop.both.clocked)
    assert "1 er ikke med: et navn må ikke være tomt." in mine.open(mine.at).text
    assert "venter ikke længere" not in mine.text
    assert shop.bulk(mine.at).total == 1


def test_what_moved_since_it_was_shown_is_refused_singly_and_the_rest_is_settled(shop: Shop) -> None:
    for number in (101, 102, 103):
        shop.linked(number, elsewhere={"phone": f"2222{number:04}"}, phone=f"1111{number:04}")
    mine = shop.arrive()
    mine.open("/differences?detail=phone").press("Brug Clickmate for alle viste (3)")
    moved = shop.company.crm["c102"].model_copy(update={"phone": "33333333"})
    shop.company.here(moved)
    mine.press("Gem i e-conomic")
    shop.carry_out()
    mine.open(mine.at)
    assert "2 afgjort. 1 er rettet i mellemtiden og venter på dit valg." in mine.text
    assert "Kunde 102" in mine.text
    assert [shop.company.economic[number].phone for number in (101, 102, 103)] == ["11110101", "22220102", "11110103"]
    told = shop.bulk(mine.at)
    assert (told.state, told.done, told.moved, told.failed, told.left) == ("done", 2, 1, 0, 0)
    with shop.pages.engine.connect() as connection:
        taken = connection.execute(sa.text("select who, means from sync.decision")).all()
    assert {tuple(one) for one in taken} == {("Anne Holm", "settle")}


def test_an_undo_leaves_what_somebody_edited_since_and_can_be_undone_itself(shop: Shop) -> None:
    for number in (101, 102):
        shop.linked(number, elsewhere={"phone": f"2222{number:04}"}, phone=f"1111{number:04}")
    mine = shop.arrive()
    mine.open("/differences").press("Brug e-conomic for alle viste (2)").press("Gem i Clickmate")
    shop.carry_out()
    settled = mine.at
    shop.company.here(shop.company.crm["c102"].model_copy(update={"phone": "44444444"}))
    shop.carry_out()
    mine.open(settled).press("Fortryd alle (2)")
    shop.carry_out()
    mine.open(mine.at)
    assert "1 fortrudt. 1 kan ikke fortrydes: den er rettet i mellemtiden." in mine.text
    assert [shop.company.crm[one].phone for one in ("c101", "c102")] == ["11110101", "44444444"]
    assert "Det er fortrudt." in shop.arrive().open(settled).text
    mine.press("Fortryd alle (1)")
    shop.carry_out()
    assert shop.company.crm["c101"].phone == "22220101"
    assert shop.bulk(settled).undone_by is None


def test_what_differs_of_contact_persons_is_one_line_of_their_customer(shop: Shop) -> None:
    anne = a_person(id="p1", name="Anne", phone="11111111", email="a@n.example")
    shop.linked(102, contacts=(anne,))
    other = shop.company.economic[102]
    (person,) = other.contacts
    shop.both.set(paused='["crm", "economic"]')
    changed = person.model_copy(update={"name": "Anne Holm", "object_version": "v9"})
    shop.company.there(other.model_copy(update={"contacts": (changed,), "object_version": "v9"}))
    customer = shop.company.crm["c102"]
    shop.company.here(customer.model_copy(update={"contacts": (anne.model_copy(update={"name": "Anne H."}),)}))
    shop.both.set(paused="[]")
    mine = shop.arrive()
    mine.open("/differences")
    assert "1 kontaktperson" in mine.text
    mine.press("Brug e-conomic for alle viste (1)").press("Gem i Clickmate")
    shop.carry_out()
    assert shop.company.crm["c102"].contacts[0].name == "Anne Holm"


def test_it_is_stopped_and_what_was_not_begun_with_is_said(shop: Shop) -> None:
    for number in (101, 102):
        shop.linked(number, elsewhere={"phone": f"2222{number:04}"}, phone=f"1111{number:04}")
    mine = shop.arrive()
    mine.open("/differences").press("Brug e-conomic for alle viste (2)").press("Gem i Clickmate").press("Stop")
    shop.carry_out()
    mine.open(mine.at)
    assert "0 afgjort. 2 blev ikke påbegyndt." in " ".join(mine.text.split())
    assert shop.company.crm["c101"].phone == "11110101"
    assert shop.bulk(mine.at).state == "stopped"


def test_a_form_sent_twice_is_one_decision_and_only_of_the_own_tenant_with_the_right(shop: Shop) -> None:
    shop.linked(101, elsewhere={"phone": "22222222"}, phone="11111111")
    mine, reader, stranger = shop.arrive(), shop.arrive("reader", sub="u9"), shop.pages.arrive(tenant="other")
    target, fields = mine.open("/differences").form("Brug e-conomic for alle viste (1)")
    assert "Brug e-conomic" not in reader.open("/differences").text
    assert reader.browser.post(target, {**fields, "form_token": reader.browser.token()}).status_code == 403
    assert reader.browser.post(target, {"form_token": reader.browser.token()}).status_code == 403
    nothing = stranger.post(target, {**fields, "form_token": stranger.token()})
    assert nothing.headers["location"] == "/differences?told=none"
    assert mine.browser.post(target, {**fields, "take": "text"}).status_code == 400
    first, second = (mine.browser.post(target, fields).headers["location"] for _ in range(2))
    assert first == second
    assert stranger.get(first).status_code == 404
    for press, more in (("confirm", {}), ("stop", {}), ("undo", {"undo": str(uuid4())})):
        answer = stranger.post(f"{first}/{press}", {"form_token": stranger.token(), **more})
        assert answer.status_code == 404, press
    assert reader.browser.post(f"{first}/confirm", {"form_token": reader.browser.token()}).status_code == 403
    with shop.pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_bulk", True)
    assert mine.browser.post(f"{first}/confirm", {"form_token": mine.browser.token()}).status_code == 403
    assert shop.bulk(first).state == "previewed"


def test_two_clocks_at_once_decide_about_each_customer_once(shop: Shop) -> None:
    for number in range(101, 113):
        shop.linked(number, elsewhere={"phone": f"2222{number:04}"}, phone=f"1111{number:04}")
    mine = shop.arrive()
    mine.open("/differences").press("Brug e-conomic for alle viste (12)").press("Gem i Clickmate")
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: bulking.carry_on(shop.pages.engine, shop.both.clocked), range(2)))
    shop.carry_out()
    with shop.pages.engine.connect() as connection:
        decided = connection.execute(sa.text("select link, count(*) as times from sync.decision group by link")).all()
    assert [row.times for row in decided] == [1] * 12
    assert (shop.bulk(mine.at).done, shop.bulk(mine.at).state) == (12, "done")


def test_what_was_only_shown_is_forgotten_after_a_day_and_what_was_done_when_it_cannot_be_undone(shop: Shop) -> None:
    shop.linked(101, elsewhere={"phone": "22222222", "name": "Andet"}, phone="11111111")
    mine = shop.arrive()
    shown = mine.open("/differences?detail=name").press("Brug e-conomic for alle viste (1)").at
    done = mine.open("/differences?detail=phone").press("Brug e-conomic for alle viste (1)").press("Gem i Clickmate").at
    shop.carry_out()
    now = shop.both.time
    with shop.pages.engine.begin() as connection:
        assert bulks.forget(connection, now + timedelta(seconds=1), now - timedelta(days=31)) == 1
    assert mine.browser.get(shown).status_code == 404
    assert "Fortryd alle (1)" in mine.open(done).text
    shop.pages.later(days=31)
    assert "Fortryd alle" not in shop.arrive().open(done).text
    with shop.pages.engine.begin() as connection:
        assert bulks.forget(connection, now, now + timedelta(seconds=1)) == 1
        assert connection.scalar(sa.text("select count(*) from sync.decision")) == 1, "decisions are kept for good"


def test_a_service_sees_chooses_confirms_follows_and_undoes(shop: Shop) -> None:
    for number in (101, 102):
        shop.linked(number, elsewhere={"phone": f"2222{number:04}", "name": f"A {number}"}, phone=f"1111{number:04}")
    service = Service(shop.pages)
    shown = service.get("/differences?detail=phone")
    assert (shown["total"], shown["counts"]) == (2, {"name": 2, "phone": 2})
    assert {one["values"][0]["economic"] for one in shown["differences"]} == {"22220101", "22220102"}
    given = {"id": str(uuid4()), "take": "economic", "detail": "phone"}
    made = service.ask("POST", "/differences", given)
    assert (made.status_code, made.json()["state"], made.json()["total"]) == (202, "previewed", 2)
    path = f"/bulk/{given['id']}"
    parts = service.get(f"{path}/parts")
    assert {one["values"][0]["crm"] for one in parts["parts"]} == {"11110101", "11110102"}
    assert service.ask("POST", f"{path}/confirm").status_code == 202
    shop.carry_out()
    assert (service.get(path)["done"], service.get(path)["state"]) == (2, "done")
    decision = service.get(f"{path}/parts")["parts"][0]["decision"]
    assert service.get(f"/decisions/{decision}")["state"] == "done"
    assert service.ask("POST", "/differences", {**given, "id": str(uuid4())}).status_code == 409
    undo = service.ask("POST", f"{path}/undo", {"id": str(uuid4())}).json()
    shop.carry_out()
    assert service.get(f"/bulk/{undo['id']}")["done"] == 2
    assert service.get(path)["undone_by"] == undo["id"]
    assert shop.company.crm["c101"].phone == "11110101"
    assert service.ask("POST", f"{path}/undo", {"id": str(uuid4())}).status_code == 409
