"""An admin chooses what new customers get, from what e-conomic offers, and whether inactive ones flow; so does a service."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage
from economic_adapter.contract import Defaults, WriteEconomicCustomer
from reconciler import agreements, clock, people
from reconciler.person import Role
from reconciler.rules import Area, System, Transfer
from tests.builders.crm import a_person
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, there
from tests.integration.web.browsing import Browser, Pages, ask

PAGE = "/set-up/new-customers"
DENMARK = Defaults(group=1, zone=1, terms=2, currency="DKK")


@pytest.fixture
def both(pages: Pages) -> Both:
    made = Both(engine=pages.engine, time=pages.time)
    made.switch_on(Transfer.CREATED)
    pages.time = made.time
    return made


@pytest.fixture
def admin(pages: Pages, both: Both) -> Browser:
    return pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin", to=PAGE)


def chosen(pages: Pages) -> agreements.Agreement:
    with pages.engine.connect() as connection:
        return agreements.of_tenant(connection, TENANT)[0]


def look(both: Both) -> list[WriteEconomicCustomer]:
    both.later(seconds=1)
    while clock.make_links(both.engine) + clock.tell_again(both.engine, both.clocked):
        pass
    return both.said_only(WriteEconomicCustomer)


def save(admin: Browser, **fields: str) -> httpx.Response:
    given = {name.replace("__", "."): text for name, text in fields.items()}
    return admin.post(PAGE, {"form_token": admin.token(PAGE), **given})


def selected(page: str, name: str) -> str:
    select = re.search(rf'<select name="{re.escape(name)}".*?</select>', page, re.DOTALL)
    assert select is not None
    found = re.findall(r'value="([^"]*)" selected', select.group())
    return found[0] if found else ""


def test_it_is_prefilled_from_what_e_conomic_offers(pages: Pages, admin: Browser) -> None:
    shown = unescape(admin.get(PAGE).text)
    assert [selected(shown, f"{part}.denmark") for part in ("group", "zone", "terms", "currency")] == [
        "1",
        "1",
        "2",
        "DKK",
    ]
    assert [selected(shown, f"zone.{area}") for area in Area] == ["1", "2", "3"]
    for text in (
        "Standardværdier for nye kunder i e-conomic: kundegruppe, momszone, betalingsbetingelse, valuta",
        "Danmark", "EU", "Udland (også Grønland og Færøerne)", "Danske kunder", "Netto 14 dage", "Indland",
        "<legend>Når en kontaktperson fjernes i e-conomic</legend>", "value=\"keep\" checked> Behold i Clickmate</label>",
        "<legend>Når en kontaktperson fjernes i Clickmate</legend>", "value=\"keep\" checked> Behold i e-conomic</label>",
    ):  # fmt: skip
        assert text in shown, text
    assert "Vælg det, e-conomic selv foreslår" not in shown


def test_whoever_waited_for_a_choice_is_created_with_it(pages: Pages, both: Both, admin: Browser) -> None:
    none = dict.fromkeys((f"{part}__denmark" for part in ("group", "zone", "terms", "currency")), "")
    assert save(admin, **none).headers["location"] == f"{PAGE}?saved=yes"
    look(both)
    assert chosen(pages).defaults.keys() == {Area.EU, Area.ABROAD}
    both.in_crm(both.new(id="ny", country="Danmark"))
    assert both.said_only(WriteEconomicCustomer) == []
    assert "1 ny kunde venter på, at de bliver valgt." in admin.get(PAGE).text
    shown = admin.get(PAGE).text
    assert "Vælg det, e-conomic selv foreslår" in shown
    assert save(admin, suggested="yes").headers["location"] == f"{PAGE}?saved=yes"
    assert "Gemt. Alle kunder ses efter igen." in admin.get(f"{PAGE}?saved=yes").text
    (command,) = look(both)
    assert command.parts[0].defaults == DENMARK
    assert "venter på, at de bliver valgt" not in admin.get(PAGE).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"group__eu": "1", "zone__eu": "2", "terms__eu": "", "currency__eu": "EUR"}, "Vælg alle fire for EU"),
        ({"group__eu": "1"}, "Vælg alle fire for EU"),
        (
            {"group__eu": "9", "zone__eu": "2", "terms__eu": "8", "currency__eu": "EUR"},
            "e-conomic tilbyder ikke det for EU: Kundegruppe, Betalingsbetingelse. Intet er gemt.",
        ),
    ],
)
def test_what_is_half_chosen_or_not_offered_is_said_and_changes_nothing(
    pages: Pages, admin: Browser, fields: dict[str, str], said: str
) -> None:
    before = chosen(pages)
    answer = save(admin, **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert chosen(pages).defaults == before.defaults


@pytest.mark.parametrize(
    "fields",
    [
        {"group__mars": "1"},
        {"group__eu": "x", "zone__eu": "1", "terms__eu": "1", "currency__eu": "DKK"},
        {"group__eu": "1" * 12, "zone__eu": "1", "terms__eu": "1", "currency__eu": "DKK"},
        {"group__eu": "1", "zone__eu": "1", "terms__eu": "1", "currency__eu": "D" * 300},
        {"inactive": "sleeps"},
        {"more": "1"},
    ],
)
def test_what_no_form_of_ours_sends_is_refused(pages: Pages, admin: Browser, fields: dict[str, str]) -> None:
    before = chosen(pages)
    assert save(admin, **fields).status_code == 400
    assert (chosen(pages).defaults, chosen(pages).inactive) == (before.defaults, before.inactive)


def test_what_is_not_offered_any_more_may_stay_and_no_other_may_be_chosen(pages: Pages, admin: Browser) -> None:
    with pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set reference = jsonb_set(reference, '{groups}', '[]')"))
    assert "1 (tilbydes ikke længere)" in admin.get(PAGE).text
    kept = {"group__denmark": "1", "zone__denmark": "1", "terms__denmark": "2", "currency__denmark": "DKK"}
    assert save(admin, **kept).status_code == 303
    assert save(admin, **{**kept, "zone__denmark": "3"}).status_code == 400


def test_inactive_customers_rest_until_they_are_active_again(pages: Pages, both: Both, admin: Browser) -> None:
    customer = both.linked(7, id="kunde-7", name="Nordhavn Tag ApS", phone="11111111")
    assert save(admin, inactive="rests").status_code == 303
    look(both)
    inactive = customer.model_copy(update={"stage": Stage.INACTIVE, "phone": "22222222"})
    both.in_crm(inactive, 2)
    assert both.said_only(WriteEconomicCustomer) == []
    assert "Nordhavn" in admin.get("/customers?only=inactive").text
    shown = admin.get("/customers/kunde-7").text
    assert "Flyder ikke" in shown
    both.in_crm(inactive.model_copy(update={"stage": Stage.ACTIVE}), 3)
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "22222222"}


def test_inactive_customers_flow_on_unless_an_admin_says_otherwise(both: Both, admin: Browser) -> None:
    customer = both.linked(7, id="kunde-7", phone="11111111")
    both.in_crm(customer.model_copy(update={"stage": Stage.INACTIVE, "phone": "22222222"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "22222222"}
    assert 'value="flows" checked' in admin.get(PAGE).text


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admin_sees_and_chooses(pages: Pages, admin: Browser, role: Role) -> None:
    other = pages.arrive(tenant=TENANT, sub="o", role=role)
    assert other.get(PAGE).status_code == 403
    assert other.post(PAGE, {"form_token": other.token(), "inactive": "sleeps"}).status_code == 403


def test_nothing_is_connected(pages: Pages) -> None:
    alone = pages.arrive(tenant="new", role="admin")
    assert "Integrationen med e-conomic er ikke sat op" in alone.get(PAGE).text
    assert alone.post(PAGE, {"form_token": alone.token(), "inactive": "rests"}).status_code == 404


def call(pages: Pages, method: str, body: Any = None, role: Role = "admin") -> httpx.Response:
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", role, pages.time)
    headers = {"authorization": f"Bearer {key}"}
    return ask(method, f"{pages.url}/api/v1/set-up/new-customers", json=body, headers=headers)


def test_a_service_sees_and_chooses_the_same(pages: Pages, both: Both) -> None:
    known = call(pages, "GET").json()
    assert known["defaults"]["denmark"] == DENMARK.model_dump()
    assert known["groups"] == [{"number": 1, "name": "Danske kunder"}]
    assert (known["currencies"], known["waiting"], known["inactive"]) == (["DKK", "EUR"], 0, "flows")
    euro = {"group": 1, "zone": 2, "terms": 2, "currency": "EUR"}
    changed = call(pages, "PATCH", {"defaults": {"eu": euro, "abroad": None}, "inactive": "rests"}).json()
    assert changed["defaults"] == {"denmark": known["defaults"]["denmark"], "eu": euro}
    assert changed["inactive"] == "rests"
    assert chosen(pages).defaults == {Area.DENMARK: DENMARK, Area.EU: Defaults(**euro)}
    assert call(pages, "GET").json() == changed


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"defaults": {"eu": {"group": 9, "zone": 2, "terms": 2, "currency": "EUR"}}}, 400),
        ({"defaults": {"eu": {"group": 1, "zone": 2, "terms": 2, "currency": "euro"}}}, 422),
        ({"defaults": {"mars": None}}, 422),
        ({"defaults": {"eu": {"group": 1}}}, 422),
        ({"inactive": "sleeps"}, 422),
        ({"more": 1}, 422),
    ],
)
def test_a_service_that_chooses_what_is_not_there_changes_nothing(
    pages: Pages, both: Both, body: Any, status: int
) -> None:
    before = call(pages, "GET").json()
    answer = call(pages, "PATCH", body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert call(pages, "GET").json() == before
    assert call(pages, "PATCH", {"inactive": "rests"}, "user").status_code == 403


def test_persons_who_are_removed_in_one_system_are_removed_in_the_other_only_once_an_admin_chose_so(
    pages: Pages, both: Both, admin: Browser
) -> None:
    both.set(transfer="hand")
    customer = both.linked_by_hand(7, contacts=(a_person(name="Ida Holm", email="ida@nordhavn.example"),))
    assert save(admin, gone_there="keep", gone_here="remove").headers["location"].endswith("?saved=yes")
    shown = unescape(admin.get(PAGE).text)
    assert re.search(r'name="gone_here" value="remove" checked> Fjern også i e-conomic', shown)
    assert re.search(r'name="gone_there" value="keep" checked> Behold i Clickmate', shown)
    assert look(both) == []
    both.in_crm(customer.model_copy(update={"contacts": ()}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    (part,) = command.parts
    assert (part.action, part.record, part.number) == ("remove", "contact", 1)
    gone = there(customer, 7, "v2", contacts=())
    both.hear(economic_answered(command, done(part.operation), customer=gone, version=3))
    pages.time = both.time
    history = unescape(admin.get("/history").text)
    assert "Kontaktperson fjernet i e-conomic" in history
    assert "Ida Holm" in history
    assert "Ida Holm" not in admin.get("/settled").text, "nobody can put her back"
    (link,) = both.links()
    assert link.contacts == ()


def test_whoever_is_kept_is_marked_on_the_page_of_the_customer(pages: Pages, both: Both, admin: Browser) -> None:
    both.set(transfer="hand")
    customer = both.linked_by_hand(7, contacts=(a_person(name="Ida Holm", email="ida@nordhavn.example"),))
    both.in_economic(there(customer, 7, "v2", contacts=()), 3)
    both.in_economic(there(customer, 7, "v2", contacts=()), 4)
    assert both.said_only(WriteEconomicCustomer) == []
    pages.time = both.time
    shown = admin.get(f"/customers/{customer.id}").text
    assert re.search(r'Ida Holm</span>.*?<span class="badge">Findes ikke længere i e-conomic</span>', shown, re.DOTALL)


@pytest.mark.parametrize("name", ["gone_there", "gone_here"])
def test_another_choice_for_who_is_removed_is_refused(admin: Browser, name: str) -> None:
    assert save(admin, **{name: "forget"}).status_code == 400


def test_a_service_chooses_what_becomes_of_who_is_removed(pages: Pages, both: Both) -> None:
    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, "The CRM", "admin", pages.time)[1]
    client, headers = pages.browser().client, {"authorization": f"Bearer {key}"}
    address = f"{pages.url}/api/v1/set-up/new-customers"
    told = client.patch(address, headers=headers, json={"removed_in_economic": "remove"}).json()
    assert (told["removed_in_economic"], told["removed_in_crm"]) == ("remove", "keep")
    with pages.engine.connect() as connection:
        rules = agreements.rules_of(connection, chosen(pages), both.clocked.resend)
    assert rules.removes == {System.CRM}
    assert client.patch(address, headers=headers, json={"removed_in_crm": "forget"}).status_code == 422
