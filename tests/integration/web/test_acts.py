"""Whatever an administrator does by a button or a service is in the history once, with who, when and what; for good."""

import csv
import io
import json
from html import unescape
from typing import Any, get_args

import pytest
import sqlalchemy as sa

from reconciler import acts, decisions, people
from reconciler.history import RULED
from reconciler.web import asks
from reconciler.web.words import Words
from tests.builders.sync import TENANT
from tests.integration.web import acts as every
from tests.integration.web import routes
from tests.integration.web.acts import Done, Ids
from tests.integration.web.browsing import Browser, Pages, ask

pytestmark = pytest.mark.slow
WHO, SERVICE = "Karla Friis", "Regnskab"


def kept(pages: Pages) -> list[Any]:
    with pages.engine.connect() as connection:
        return list(connection.execute(sa.text("select * from sync.act order by at, id")))


def filled(text: str, ids: Ids) -> str:
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def lines(browser: Browser, path: str) -> list[list[str]]:
    text = browser.get(path).content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))[1:]


@pytest.mark.parametrize("one", every.EVERY, ids=str)
def test_what_an_admin_does_on_a_page_is_in_the_history_once(pages: Pages, one: Done) -> None:
    ids = one.begin(pages)
    karla = pages.arrive(tenant=TENANT, sub="k", name=WHO, role="admin")
    before = len(kept(pages))
    fields = {name: filled(text, ids) for name, text in one.form.items()}
    for _ in range(2):
        answer = karla.post(filled(one.page[1], ids), {"form_token": karla.token("/"), **fields})
        assert answer.status_code == 303, (answer.status_code, answer.text)
        assert len(kept(pages)) == before + 1, "once, however often it is sent"
    (act,) = [act for act in kept(pages) if act.who == WHO]
    assert (act.what, act.who_id, act.tenant, act.at) == (one.act, "k", TENANT, pages.time)
    about = {name: (each["before"], each["after"]) for name, each in act.about.items() if name != acts.CUSTOMER}
    assert about == dict(one.changes)
    words = asks.ACTS[one.act]
    said = Words("da", pages.time)(words)
    found = lines(karla, "/history.csv?person=k")
    assert (found[0][0], found[0][4]) == (WHO, said)
    assert len(found) == 1 + len(about)
    for language, text in (("da", said), ("en", words)):
        page = unescape(karla.get(f"/history?person=k&lang={language}").text)
        assert page.count('<th scope="row"') == 1
        assert text in page
        assert WHO in page
    assert lines(karla, "/history.csv?who=person&person=k") == found
    for other in ("who=rule", "who=crm", "system=crm", "detail=name", "person=nobody", "customer=nobody", "group=1"):
        assert said not in unescape(karla.get(f"/history.csv?{other}").text), other
    assert WHO not in pages.arrive(tenant="other", role="admin").get("/history").text


@pytest.mark.parametrize("one", every.EVERY, ids=str)
def test_what_a_service_does_is_in_the_history_by_the_name_of_its_key(pages: Pages, one: Done) -> None:
    ids = one.begin(pages)
    if one.act == "mail":
        pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, SERVICE, "admin", pages.time)[1]
    headers, before = {"authorization": f"Bearer {key}"}, len(kept(pages))
    body = None if one.body is None else json.loads(filled(json.dumps(one.body), ids))
    for turn in range(2):
        answer = ask(one.service[0], pages.url + filled(one.service[1], ids), headers=headers, json=body)
        assert answer.is_success or (turn and answer.status_code == 409), answer.text
        assert len(kept(pages)) == before + 1, "once, however often it is sent"
    (act,) = [act for act in kept(pages) if act.who == SERVICE]
    assert act.what == one.act
    about = {name: (each["before"], each["after"]) for name, each in act.about.items() if name != acts.CUSTOMER}
    assert about == dict(one.changes)
    told = ask("GET", f"{pages.url}/api/v1/history?person_id={act.who_id}&lang=en", headers=headers).json()
    assert told["total"] == 1
    (event,) = told["history"]
    assert (event["by"], event["who"], event["action"], event["text"]) == (
        "person",
        SERVICE,
        one.act,
        asks.ACTS[one.act],
    )
    assert {each["field"]: (each["before"], each["after"]) for each in event["changes"]} == about


def test_whatever_an_admin_alone_may_send_is_walked_here_or_named_with_why_it_is_no_act() -> None:
    forms = {route for route, right in routes.PAGES.items() if right == "administer" and route[0] != "GET"}
    calls = {route for route, right in routes.SERVICES.items() if right == "administer" and route[0] != "GET"}
    assert forms - set(every.NONE) == {one.page for one in every.EVERY}
    assert calls - set(every.NONE) == {one.service for one in every.EVERY}
    assert {one.act for one in every.EVERY} | {"connect"} == set(acts.EVERY)


def test_no_act_is_called_as_a_write_or_a_decision_is() -> None:
    """By its name alone the history knows what an entry is."""
    others = {*get_args(decisions.Means), RULED, "create", "change", "bar", "remove"}
    assert not others & set(acts.EVERY)
    assert set(asks.ACTS) == set(acts.EVERY)


def test_what_is_refused_or_changes_nothing_is_no_act(pages: Pages) -> None:
    every._connected(pages)
    karla = pages.arrive(tenant=TENANT, sub="k", name=WHO, role="admin")
    reader = pages.arrive(tenant=TENANT, sub="r", name="Rasmus", role="reader")
    for browser, path, fields in (
        (karla, "/set-up", {"may_create": "users"}),
        (karla, "/set-up", {"number_from": "2000", "number_to": "1000"}),
        (karla, "/set-up/off", {"agreement": "123456"}),
        (karla, "/set-up/pause", {"to": "both", "ends": "day", "until": "1. januar 2020"}),
        (karla, "/set-up/pause/resume", {"to": "both"}),
        (karla, "/set-up/new-customers", {"inactive": "flows"}),
        (karla, "/set-up/mail", {"letter_to": "no address"}),
        (karla, "/set-up/mail", {"letter_to": ""}),
        (karla, "/transfer", {}),
        (karla, "/suggestions/groups", {"evidence": "phone"}),
        (reader, "/set-up", {"transfer": "hand"}),
        (reader, "/set-up/pause", {"to": "both"}),
    ):  # fmt: skip
        browser.post(path, {"form_token": browser.token("/"), **fields})
    assert kept(pages) == []


def test_who_says_what_holds_already_for_the_first_time_has_chosen_it(pages: Pages) -> None:
    every._connected(pages)
    karla = pages.arrive(tenant=TENANT, sub="k", name=WHO, role="admin")
    for _ in range(2):
        karla.post("/set-up", {"form_token": karla.token("/"), "transfer": "created", "receive": "webhooks"})
    (act,) = kept(pages)
    assert act.about == {
        "transfer": {"before": "", "after": "created"},
        "receive": {"before": "", "after": "webhooks"},
    }


def test_an_act_about_a_customer_is_in_the_history_of_that_customer(pages: Pages) -> None:
    every._previewed(pages, "/set-up/pilot", customer="alike")
    karla = pages.arrive(tenant=TENANT, sub="k", name=WHO, role="admin")
    (row,) = lines(karla, "/history.csv?customer=alike")
    assert (row[0], row[2], row[4]) == ("Mette Krogh", "Alfa ApS", "Fik vist, hvad en prøve med én kunde vil gøre")
    assert lines(karla, "/history.csv?customer=only") == []


def test_what_was_chosen_is_told_in_plain_words(pages: Pages) -> None:
    every._connected(pages)
    karla = pages.arrive(tenant=TENANT, sub="k", name=WHO, role="admin")
    for path, fields in (
        ("/set-up", {"transfer": "active", "number_from": "1000", "may_bulk": "admins"}),
        ("/set-up/pause", {"to": "economic", "ends": "day", "until": "24-12-2099"}),
        ("/set-up/pause/resume", {"to": "both"}),
        ("/set-up/new-customers", {"gone_there": "remove"}),
        ("/set-up/details", {"decides.website": "ask", "seen": every._mark(pages)}),
        ("/set-up/mail", {"of.k": "karla@firma.example"}),
    ):  # fmt: skip
        assert karla.post(path, {"form_token": karla.token("/"), **fields}).status_code == 303, path
    told = {(row[4].partition(": ")[2], row[5], row[6]) for row in lines(karla, "/history.csv")}
    assert told - {("", "", "")} == {
        ("Overfør nye kunder til e-conomic", "Når kunden oprettes", "Når kunden bliver aktiv"),
        ("Laveste nummer til nye kunder", "", "1000"),
        ("Hvem må tilknytte og afgøre mange på én gang og fortryde det, andre har gjort?", "Alle brugere", "Kun administratorer"),
        ("Rettelser til e-conomic", "skrives", "på pause til 24. dec. 2099"),
        ("Rettelser til e-conomic", "på pause til 24. dec. 2099", "skrives"),
        ("Når en kontaktperson fjernes i e-conomic", "Behold i Clickmate", "Fjern også i Clickmate"),
        ("Hjemmeside", "Begge systemer, Behold Clickmates", "Begge systemer, Spørg"),
        ("Mail til Karla Friis", "", "karla@firma.example"),
    }  # fmt: skip


def test_the_tab_counts_what_the_list_shows(pages: Pages) -> None:
    every._on(pages)
    shown = pages.arrive(tenant=TENANT, sub="k", name=WHO, role="admin").get("/history").text
    assert f'Historik <span class="count">{shown.count(chr(60) + "th scope=" + chr(34) + "row")}</span>' in shown
