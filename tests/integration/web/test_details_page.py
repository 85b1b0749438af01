"""An admin sees each rule with an example, what a change would do now, changes it, and takes it back; so does a service."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from reconciler import agreements, clock, people, ruleset
from reconciler.person import Role
from reconciler.rules import Decides, Direction, Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.web.browsing import Browser, Pages, ask

PAGE = "/set-up/details"


@pytest.fixture
def both(pages: Pages) -> Both:
    """A linked customer whose name was edited on both sides."""
    made = Both(engine=pages.engine, time=pages.time)
    made.switch_on(Transfer.CREATED)
    first = made.linked(7, id="kunde-7", name="Birk og Søn ApS", cvr="12345678", phone="12345678")
    made.set(paused='["crm", "economic"]')
    made.in_crm(first.model_copy(update={"name": "Birk & Søn"}), 2)
    made.in_economic(there(first, 7, "v2", contacts=(), name="Birk og Sønner"), 2)
    made.set(paused="[]")
    made.said()
    pages.time = made.time
    return made


@pytest.fixture
def admin(pages: Pages, both: Both) -> Browser:
    return pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin", to=PAGE)


def open_questions(pages: Pages) -> list[tuple[str, str | None]]:
    with pages.engine.connect() as connection:
        rows = connection.execute(sa.text("select kind, how from sync.task order by opened"))
        return [(row.kind, row.how) for row in rows]


def rules(pages: Pages) -> ruleset.Chosen:
    with pages.engine.connect() as connection:
        return agreements.current(connection, TENANT, AGREEMENT).chosen


def look(both: Both) -> None:
    while clock.make_links(both.engine) + clock.tell_again(both.engine, both.clocked):
        pass


def fields(page: str, action: str = PAGE) -> dict[str, str]:
    """The hidden fields of the form of that page that saves."""
    form = re.search(rf'<form method="post" action="[^"]*{action}"(.*?)</form>', page, re.DOTALL)
    assert form is not None
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form.group(1)))


def foreseen(admin: Browser, **chosen: str) -> str:
    """The page that shows what a change would do."""
    seen = dict(re.findall(r'name="(seen)" value="([^"]+)"', admin.get(PAGE).text))["seen"]
    query = "&".join(f"{name.replace('__', '.')}={value}" for name, value in chosen.items())
    answer = admin.get(f"{PAGE}/change?seen={seen}&{query}")
    assert answer.status_code == 200, (answer.status_code, answer.headers)
    return unescape(answer.text)


def saved(admin: Browser, page: str) -> httpx.Response:
    answer = admin.post(PAGE, fields(page))
    assert answer.status_code == 303
    assert "saved=" in answer.headers["location"], answer.headers["location"]
    return admin.get(answer.headers["location"])


def test_each_detail_has_its_row_with_an_example_of_a_customer_of_this_company(admin: Browser) -> None:
    shown = unescape(admin.get(PAGE).text)
    for name in ruleset.DETAILS:
        assert f'name="direction.{name}"' in shown
    assert "Rettes Birk & Søns navn i begge systemer, spørger vi jer." in shown
    assert "Retter Birk & Søns telefon i begge systemer, beholder vi Clickmates." in shown
    for text in (
        "Må rettes i", "Begge systemer", "Kun i e-conomic", "Kun i Clickmate", "Synkroniseres ikke",
        "Hvis begge har rettet", "Behold Clickmates", "Behold e-conomics", "Spørg", "Må være tom",
        "Gælder kun, når oplysningen er ændret forskelligt i begge systemer.", "Bogholderiet bestemmer fakturaoplysninger",
        "Findes ikke i e-conomic og bliver i Clickmate", "Faktura-e-mail", "Modtag e-mailkopi af",
        "Se, hvad det ændrer nu (1 kunder)",
    ):  # fmt: skip
        assert text in shown, text
    assert "Accounting decides invoice details" in admin.get(f"{PAGE}?lang=en").text


def test_a_rule_that_settles_a_question_says_so_first_and_the_history_says_it_after(
    pages: Pages, both: Both, admin: Browser
) -> None:
    assert open_questions(pages) == [("values", None)]
    page = foreseen(admin, decides__name="economic")
    assert "Navn: Begge systemer, Spørg, Må ikke være tom → <strong>Begge systemer, Behold e-conomics" in page
    assert "1 kunde bliver rettet med det samme" in page
    assert "1 åbent spørgsmål afgøres, fordi reglen ændres" in page
    assert "0 nye spørgsmål stilles" in page
    assert "Birk og Sønner" in page
    assert ruleset.rule(rules(pages), "name").decides is Decides.ASK
    after = saved(admin, page).text
    assert "Gemt. Alle kunder ses efter igen." in after
    assert "Mette Krogh" in after
    look(both)
    assert open_questions(pages) == [("values", "ruled")]
    past = admin.get("/history").text
    assert "Afgjort, fordi reglen blev ændret: Navn" in past
    assert past.count("Mette Krogh") >= 2
    assert "Afgjort, fordi reglen blev ændret: Navn" in admin.get("/history.csv").text
    assert "Afgjort, fordi reglen blev ændret" in admin.get("/history?who=rule&customer=kunde-7").text
    assert "Afgjort, fordi reglen blev ændret" not in admin.get("/history?who=person").text


def test_a_question_that_goes_by_itself_is_not_called_settled_by_a_rule(
    pages: Pages, both: Both, admin: Browser
) -> None:
    saved(admin, foreseen(admin, decides__phone="ask"))
    look(both)
    assert open_questions(pages) == [("values", None)]
    with pages.engine.connect() as connection:
        version = connection.scalar(sa.text("select crm_number from sync.link"))
    customer = both.new(id="kunde-7", name="Birk og Sønner", cvr="12345678", phone="12345678")
    both.in_crm(customer, int(version or 0) + 1)
    assert open_questions(pages) == [("values", "gone")]
    assert "Afgjort, fordi" not in admin.get("/history").text


def test_invoice_details_are_protected_in_one_click_and_it_is_undone(pages: Pages, both: Both, admin: Browser) -> None:
    one_click = fields(admin.get(PAGE).text)
    assert one_click["preset"] == "invoices"
    answer = admin.post(PAGE, one_click)
    shown = admin.get(answer.headers["location"]).text
    assert "Sådan er det allerede." in shown
    for name in ruleset.INVOICES:
        assert ruleset.rule(rules(pages), name).direction is Direction.ONLY_ECONOMIC
    look(both)
    undo = re.search(r'href="[^"]*(/set-up/details/change\?undo=[0-9a-f-]+)"', shown)
    assert undo is not None
    page = admin.get(undo.group(1)).text
    assert "Navn: Kun i e-conomic, Må ikke være tom → <strong>Begge systemer, Spørg, Må ikke være tom" in page
    back = saved(admin, page).text
    assert rules(pages) == {"customer": {}, "contact": {}}
    assert "Fortrudt" in back
    assert admin.get(undo.group(1)).headers["location"] == "/set-up/details?why=nothing"
    assert admin.post(PAGE, fields(page)).headers["location"].startswith("/set-up/details?why=")


def test_the_preview_of_protecting_lists_who_would_be_written_to(both: Both, pages: Pages, admin: Browser) -> None:
    page = unescape(admin.get(f"{PAGE}/change?preset=invoices").text)
    assert "Bogholderiet bestemmer fakturaoplysninger" in page
    # both had changed the name: only e-conomic's may be, so it goes to Clickmate
    assert "1 kunde bliver rettet med det samme" in page
    assert re.search(r"Birk & Søn</a>.*Navn.*Clickmate.*Birk & Søn.*Birk og Sønner", page, re.DOTALL)


def test_rules_that_were_changed_meanwhile_are_shown_anew_and_nothing_is_saved(pages: Pages, admin: Browser) -> None:
    page = foreseen(admin, decides__phone="ask")
    saved(admin, foreseen(admin, decides__phone="economic"))
    assert admin.post(PAGE, fields(page)).headers["location"] == "/set-up/details?why=moved"
    assert ruleset.rule(rules(pages), "phone").decides is Decides.ECONOMIC
    assert "Nogen har ændret reglerne imens. Intet er gemt." in admin.get("/set-up/details?why=moved").text
    old = admin.get(f"{PAGE}/change?seen=0&decides.phone=ask")
    assert old.headers["location"] == "/set-up/details?why=moved"


@pytest.mark.parametrize(
    "query",
    ["direction.shoe=both", "direction.name=up", "decides.name=newest", "empty.name=perhaps", "preset=all", "x=1", ""],
)
def test_what_no_page_of_ours_sends_is_refused(pages: Pages, admin: Browser, query: str) -> None:
    assert admin.get(f"{PAGE}/change?{query}").status_code == 400
    posted = dict(one.split("=") for one in query.split("&") if one)
    assert admin.post(PAGE, {"form_token": admin.token(PAGE), **posted}).status_code == 400
    assert rules(pages) == {}


def test_a_change_of_somebody_else_is_not_there(pages: Pages, admin: Browser) -> None:
    assert admin.get(f"{PAGE}/change?undo={uuid4()}").status_code == 404
    assert admin.get(f"{PAGE}/change?undo=x").status_code == 404
    answer = admin.post(PAGE, fields(admin.get(PAGE).text))
    change = answer.headers["location"].partition("saved=")[2]
    stranger = pages.arrive(tenant="other", role="admin")
    assert stranger.get(f"{PAGE}/change?undo={change}").status_code == 404
    assert stranger.post(PAGE, {"form_token": stranger.token(), "undo": change}).status_code == 404


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admin_sees_and_changes_rules(pages: Pages, admin: Browser, role: Role) -> None:
    other = pages.arrive(tenant=TENANT, sub="o", role=role)
    assert other.get(PAGE).status_code == 403
    assert other.get(f"{PAGE}/change?direction.shoe=both").status_code == 403
    assert other.post(PAGE, {"form_token": "forged", "preset": "invoices"}).status_code == 403
    assert rules(pages) == {}


def test_nothing_is_connected(pages: Pages) -> None:
    alone = pages.arrive(tenant="new", role="admin")
    assert "Integrationen med e-conomic er ikke sat op" in alone.get(PAGE).text
    assert alone.get(f"{PAGE}/change?preset=invoices").status_code == 404


def call(pages: Pages, method: str, path: str, body: Any = None, role: Role = "admin") -> httpx.Response:
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", role, pages.time)
    return ask(
        method, f"{pages.url}/api/v1/set-up/details{path}", json=body, headers={"authorization": f"Bearer {key}"}
    )


def test_a_service_sees_foresees_changes_and_takes_back_the_same(pages: Pages, both: Both) -> None:
    known = call(pages, "GET", "").json()
    assert {one["detail"] for one in known["details"]} == set(ruleset.DETAILS)
    wanted = {"rules": {"name": {"who_decides": "economic"}}, "seen": known["seen"]}
    would = call(pages, "POST", "/preview", wanted).json()
    assert (would["customers"], would["questions_settled"], would["questions_asked"]) == (1, 1, 0)
    assert would["named"][0]["writes"] == [
        {"system": "crm", "record": "customer", "field": "name", "before": "Birk & Søn", "after": "Birk og Sønner"}
    ]
    assert call(pages, "GET", "").json() == known
    changed = call(pages, "PATCH", "", wanted).json()
    assert changed["changes"][0]["changed"][0]["after"]["who_decides"] == "economic"
    stale = call(pages, "PATCH", "", {**wanted, "rules": {"phone": {"may_be_empty": False}}})
    assert (stale.status_code, stale.headers["content-type"]) == (409, "application/problem+json")
    pages.later(seconds=1)
    assert call(pages, "PATCH", "", {"preset": "invoices"}).status_code == 200
    pages.later(seconds=1)
    change = changed["changes"][0]["id"]
    assert call(pages, "POST", f"/changes/{change}/undo").status_code == 409, "that rule was changed again since"
    preset = call(pages, "GET", "").json()["changes"][0]
    assert (preset["preset"], preset["undone_by"]) == ("invoices", None)
    undone = call(pages, "POST", f"/changes/{preset['id']}/undo").json()
    name = next(one for one in undone["details"] if one["detail"] == "name")
    assert (name["may_be_changed_in"], name["who_decides"]) == ("both", "economic")
    assert [one["undoes"] for one in undone["changes"]] == [preset["id"], None, None]
    assert call(pages, "POST", f"/changes/{preset['id']}/undo").status_code == 409
    assert call(pages, "POST", f"/changes/{uuid4()}/undo").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"rules": {"shoe": {}}}, 422),
        ({"rules": {"name": {"who_decides": "newest"}}}, 422),
        ({"preset": "all"}, 422),
        ({"more": 1}, 422),
        ({"preset": "invoices", "rules": {"name": {}}}, 409),
        ({}, 409),
    ],
)
def test_a_service_that_asks_for_what_is_none_changes_nothing(pages: Pages, both: Both, body: Any, status: int) -> None:
    answer = call(pages, "PATCH", "", body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert call(pages, "PATCH", "", {"preset": "invoices"}, "user").status_code == 403
    assert rules(pages) == {}
