"""Suggested links: by what speaks for them, both side by side; marked and linked or told apart many at once, undone as one."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from reconciler import people, suggesting
from reconciler.web.filters import A_PAGE
from tests.builders.crm import a_customer
from tests.builders.sync import TENANT, economic_seen, there
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Clicks, Shop
from tests.integration.web.test_tasks_json import Service

WAYS = ("cvr", "ean", "name_postcode", "phone", "email")


@pytest.fixture
def shop(pages: Pages) -> Shop:
    made = Shop(pages)
    made.both.set(state="off")
    return made


def pair(shop: Shop, nth: int, way: str, **elsewhere: str) -> tuple[str, int]:
    """A customer of each system that may be one, found by that."""
    crm_id, number = f"c{nth}", 1000 + nth
    shared = {
        "cvr": {"cvr": f"{10_000_000 + nth * 11}"},
        "ean": {"ean": f"57980000{nth:05}"},
        "name_postcode": {"name": f"Firma Unik{nth} ApS", "postcode": f"{4000 + nth}"},
        "phone": {"phone": f"4{nth:07}"},
        "email": {"email": f"post{nth}@domaene{nth}.example"},
    }[way]
    mine = {"name": f"Herom {_word(nth)} ApS", **shared}
    shop.company.here(a_customer(id=crm_id, **mine))
    other = there(a_customer(**{"name": f"Derovre {_word(nth)} ApS", **shared, **elsewhere}), number, "v1", contacts=())
    shop.company.economic[number], shop.company.counters[number] = other, 1
    shop.both.hear(economic_seen(other, 1, why="import"))
    return crm_id, number


def _word(nth: int) -> str:
    return "".join(chr(ord("a") + int(digit)) * 2 for digit in f"{nth:04}")


def look(shop: Shop, by: Clicks) -> Clicks:
    by.open("/suggestions").press("Find forslag")
    assert suggesting.carry_on(shop.pages.engine, shop.both.clocked) == 1
    return by.open("/suggestions")


def linked(shop: Shop) -> set[tuple[str, int]]:
    return {
        (one.crm_id, one.number) for one in shop.both.links() if one.crm_id and one.number and one.state == "linked"
    }


def test_four_hundred_suggestions_in_twelve_clicks_and_undone_in_two(shop: Shop) -> None:
    wanted = {pair(shop, nth, WAYS[nth % 5]) for nth in range(400)}
    admin = look(shop, shop.arrive("admin", sub="u2", name="Mette"))
    assert "(400)" in admin.text
    admin.clicks = 0
    with shop.pages.engine.connect() as connection:
        found = connection.execute(sa.text("select evidence, count(*) as pairs from sync.suggestion group by 1"))
        assert {row.evidence: row.pairs for row in found} == dict.fromkeys(WAYS, 80)
    for words in ("Samme navn og postnr.", "Samme telefon", "Samme e-mail"):
        admin.press(f"Godkend gruppen: {words} (80)")
    admin.follow("Vælg alle viste (400)").press("Tilknyt de markerede (400)")
    shop.carry_out()
    assert admin.clicks <= 12
    assert linked(shop) == wanted
    admin.open(admin.at)
    assert "400 afgjort." in admin.text
    told = shop.bulk(admin.at)
    assert (told.done, told.moved, told.failed) == (400, 0, 0)
    admin.clicks = 0
    admin.press("Fortryd alle (400)")
    shop.carry_out()
    assert admin.clicks <= 2
    assert linked(shop) == set()
    assert "400 fortrudt." in admin.open(admin.at).text
    assert "(400)" in admin.open("/suggestions").text


def test_a_weak_group_is_linked_only_after_an_admin_approved_it(shop: Shop) -> None:
    strong, weak = pair(shop, 1, "cvr"), pair(shop, 2, "phone")
    user = look(shop, shop.arrive())
    assert "Samme telefon: en administrator skal godkende gruppen først." in user.text
    assert "Vælg alle viste (1)" in user.text
    key = {one: f"{one[1]}.{one[0]}" for one in (strong, weak)}
    user.press("Tilknyt de markerede (0)", pair=[key[weak]])
    assert user.at.startswith("/suggestions?told=approve")
    user.press("Tilknyt de markerede (0)", pair=[key[strong], key[weak]])
    shop.carry_out()
    assert linked(shop) == {strong}
    assert "1 er i en gruppe, som ingen administrator har godkendt" in user.open(user.at).text
    assert user.browser.post("/suggestions/groups", {"form_token": user.browser.token()}).status_code == 403
    admin = shop.arrive("admin", sub="u2", name="Mette").open("/suggestions")
    admin.press("Godkend gruppen: Samme telefon (1)")
    assert "godkendt af Mette" in admin.text
    user.open("/suggestions").press("Tilknyt de markerede (0)", pair=[key[weak]])
    shop.carry_out()
    assert linked(shop) == {strong, weak}
    user.open(user.at)
    assert "1 afgjort." in user.text
    assert "2 navn" in user.text, "what differs of the two is settled next"


def test_a_link_that_filled_something_in_is_undone_with_it_while_the_integration_is_on(shop: Shop) -> None:
    first = pair(shop, 1, "phone", website="w.example")
    user = look(shop, shop.arrive("admin"))
    user.press("Godkend gruppen: Samme telefon (1)")
    shop.both.set(state="on")
    user.follow("Vælg alle viste (1)").press("Tilknyt de markerede (1)")
    shop.carry_out()
    assert linked(shop) == {first}
    assert shop.company.crm["c1"].website == "w.example"
    user.open(user.at).press("Fortryd alle (1)")
    shop.carry_out()
    assert linked(shop) == set()
    assert shop.company.crm["c1"].website == ""
    assert "1 fortrudt." in user.open(user.at).text


def test_not_the_same_is_remembered_and_undone_as_one(shop: Shop) -> None:
    pairs = [pair(shop, nth, "phone") for nth in (1, 2)]
    user = look(shop, shop.arrive())
    user.press("Ikke den samme kunde", pair=[f"{number}.{crm_id}" for crm_id, number in pairs])
    shop.carry_out()
    assert "2 afgjort." in user.open(user.at).text
    receipt = user.at
    user.open("/suggestions").press("Find forslag igen")
    suggesting.carry_on(shop.pages.engine, shop.both.clocked)
    assert "Der er ingen forslag." in user.open("/suggestions").text
    assert {one.crm_id: one.apart for one in shop.both.links() if one.crm_id} == {
        one: (number,) for one, number in pairs
    }
    user.open(receipt).press("Fortryd alle (2)")
    shop.carry_out()
    assert {one.apart for one in shop.both.links() if one.crm_id} == {()}


def test_what_is_not_as_it_was_suggested_any_more_is_refused_singly(shop: Shop) -> None:
    (stays, moves, taken) = (pair(shop, nth, "cvr") for nth in (1, 2, 3))
    user = look(shop, shop.arrive())
    user.follow("Vælg alle viste (3)")
    target, fields = user.form("Tilknyt de markerede (3)")
    shop.company.here(shop.company.crm[moves[0]].model_copy(update={"cvr": "87654321"}))
    shop.company.here(a_customer(id="other", name="Andre"))
    answered = user.browser.post(target, fields)
    user.open(answered.headers["location"])
    shop.company.there(shop.company.economic[taken[1]].model_copy(update={"cvr": "", "object_version": "v2"}))
    shop.carry_out()
    assert linked(shop) == {stays}
    assert "1 afgjort. 2 er rettet i mellemtiden og venter på dit valg." in user.open(user.at).text
    assert user.browser.post(target, fields).headers["location"] == answered.headers["location"]


def test_of_all_that_is_shown_what_was_not_ticked_stays(shop: Shop) -> None:
    pairs = [pair(shop, nth, "cvr") for nth in range(60)]
    user = look(shop, shop.arrive()).follow("Vælg alle viste (60)")
    target, fields = user.form("Tilknyt de markerede (60)")
    assert len(fields["pair"]) == A_PAGE
    left = fields["pair"].pop()
    fields["shown"] = [*fields["pair"], left]
    user.browser.post(target, fields)
    shop.carry_out()
    assert linked(shop) == {one for one in pairs if f"{one[1]}.{one[0]}" != left}


def test_each_form_asks_for_its_right_and_a_stranger_sees_nothing(shop: Shop) -> None:
    crm_id, number = pair(shop, 1, "cvr")
    user = look(shop, shop.arrive())
    target, fields = user.form("Tilknyt de markerede (0)")
    reader, stranger = shop.arrive("reader", sub="u9"), shop.pages.arrive(tenant="other", role="admin")
    assert "Tilknyt de markerede" not in reader.open("/suggestions").text
    assert reader.browser.post(target, {**fields, "form_token": reader.browser.token()}).status_code == 403
    assert "Herom" not in stranger.get("/suggestions").text
    sent = stranger.post(
        target, {**fields, "form_token": stranger.token(), "answer": "link", "pair": f"{number}.{crm_id}"}
    )
    assert sent.headers["location"] == "/suggestions?told=none"
    for wrong in ({"answer": "both"}, {"answer": "link", "pair": "x"}, {"answer": "link", "pair": "7."}):
        assert user.browser.post(target, {**fields, **wrong}).status_code == 400
    admin = shop.arrive("admin", sub="u2").browser
    for evidence in ("cvr", "name", "odd"):
        assert admin.post("/suggestions/groups", {"form_token": admin.token(), "evidence": evidence, "approved": "1"}).status_code == 400  # fmt: skip
    with shop.pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_bulk", True)
    assert user.browser.post(target, {**fields, "answer": "link"}).status_code == 403
    assert linked(shop) == set()


def test_a_service_looks_approves_links_and_tells_apart(shop: Shop) -> None:
    strong, weak, other = pair(shop, 1, "cvr"), pair(shop, 2, "email"), pair(shop, 3, "phone")
    service, admin = Service(shop.pages), Service(shop.pages, "admin")
    assert service.ask("POST", "/suggestions/search").json()["asked_at"] is not None
    suggesting.carry_on(shop.pages.engine, shop.both.clocked)
    shown = service.get("/suggestions")
    assert (shown["total"], shown["counts"], shown["asked_at"]) == (3, {"cvr": 1, "email": 1, "phone": 1}, None)
    first = shown["suggestions"][0]
    assert (first["crm_id"], first["customer_number"], first["same"]) == (*strong, ["cvr"])
    assert shown["suggestions"][1]["economic"]["email"] == "post2@domaene2.example"
    given = {"id": str(uuid4()), "answer": "link", "every": ["email"]}
    assert service.ask("POST", "/suggestions", given).status_code == 409
    group = {"evidence": "email", "approved": True}
    assert service.ask("POST", "/suggestions/groups", group).status_code == 403
    assert admin.ask("POST", "/suggestions/groups", group).json()["approved"] == ["email"]
    assert service.ask("POST", "/suggestions", given).json()["total"] == 1
    shop.carry_out()
    assert linked(shop) == {weak}
    apart = {"id": str(uuid4()), "answer": "not_the_same", "pairs": [{"crm_id": other[0], "customer_number": other[1]}]}
    assert service.ask("POST", "/suggestions", apart).json()["kind"] == "apart"
    shop.carry_out()
    assert service.get(f"/bulk/{apart['id']}")["done"] == 1
    assert service.get("/suggestions")["counts"] == {"cvr": 1}
    assert admin.ask("POST", "/suggestions/groups", {**group, "approved": False}).json()["approved"] == []
