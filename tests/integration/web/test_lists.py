"""The tabs of the list of work: each with its count, its filter, its pages and its download; what is in them can be taken back."""

import csv
import io
import re
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import handover, people, worklists
from reconciler.person import Person
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, refused, there
from tests.integration.web.browsing import Browser, Pages


def arrive(pages: Pages, **given: Any) -> Browser:
    return pages.arrive(tenant=TENANT, **given)


def clashed(both: Both, number: int = 7, **fields: tuple[str, str]) -> Customer:
    """A customer of which both sides changed these details while nothing was written: (in Clickmate, in e-conomic)."""
    customer = both.linked(number, cvr=f"1234{number:04}", phone="11111111", email="old@nordhavn.example")
    both.set(paused='["crm", "economic"]')
    theirs = {name: two for name, (_, two) in fields.items()}
    both.in_economic(there(customer, number, "v2", contacts=(), **theirs), 2)
    customer = customer.model_copy(update={name: one for name, (one, _) in fields.items()})
    both.in_crm(customer, 2)
    both.set(paused="[]")
    both.in_crm(customer, 3)
    return customer


def by_rule(both: Both, number: int = 7) -> Customer:
    """A customer whose phone was changed on both sides: the rule let Clickmate's hold."""
    customer = clashed(both, number, phone=("22222222", "33333333"))
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(customer, number, "v3", contacts=())
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    both.said()
    return customer


def failing(both: Both, number: int = 7, email: str = "wrong@") -> Customer:
    """A customer whose e-mail address e-conomic refused."""
    customer = both.linked(number, cvr=f"1234{number:04}")
    both.in_crm(customer.model_copy(update={"email": email}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid email.")
    both.hear(economic_answered(command, outcome, customer=there(customer, number, "v1", contacts=()), version=2))
    both.said()
    return customer


def counts(browser: Browser, path: str = "/") -> dict[str, str]:
    """What the tabs say: their names and counts."""
    found = re.findall(r'>([^<>]+) <span class="count">([^<]+)</span>', browser.get(path).text)
    return {name.strip(): count for name, count in found}


def lines(browser: Browser, path: str) -> list[list[str]]:
    """A download as a Danish spreadsheet reads it."""
    answer = browser.get(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_each_tab_has_the_count_of_its_list(pages: Pages, both: Both) -> None:
    by_rule(both, 7)
    failing(both, 8)
    clashed(both, 9, name=("Birk & Søn", "Birk og Søn"))
    pages.time = both.time
    browser = arrive(pages)
    shown = counts(browser)
    assert list(shown) == ["Kræver dit valg", "Løst automatisk", "Fejl", "Beholdte forskelle", "Historik"]
    assert [shown[name] for name in list(shown)[:4]] == ["1", "1", "1", "0"]
    assert int(shown["Historik"]) == browser.get("/history").text.count('<th scope="row"')
    for path, name in (("/settled", "Løst automatisk"), ("/errors", "Fejl"), ("/kept", "Beholdte forskelle")):
        assert f"{name} ({shown[name]})" in browser.get(path).text
    assert set(counts(pages.arrive(tenant="other")).values()) == {"0"}


def test_what_a_rule_settled_is_listed_with_both_values_and_undone_it_is_asked(pages: Pages, both: Both) -> None:
    customer = by_rule(both)
    pages.time = both.time
    browser = arrive(pages)
    shown = browser.get("/settled").text
    assert re.search(r"Telefon.*33 33 33 33.*22 22 22 22.*e-conomic", shown, re.DOTALL)
    (path,) = re.findall(r'action="[^"]*(/settled/\d+/undo)"', shown)
    answer = browser.post(path, {"form_token": browser.token(), "filter": ""})
    assert answer.headers["location"].endswith("/settled?told=undone")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "33333333"}
    back = there(customer, 7, "v4", contacts=(), phone="33333333")
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=back, version=4))
    assert both.said_only(WriteCustomer) == [], "nothing is written to Clickmate that nobody chose"
    after = browser.get(answer.headers["location"]).text
    assert "Værdien føres tilbage" in after
    assert "Fortrudt i" in after
    assert counts(browser)["Kræver dit valg"] == "1"
    again = browser.post(path, {"form_token": browser.token(), "filter": ""})
    assert again.headers["location"].endswith("told=undone")
    assert both.said_only(WriteEconomicCustomer) == []


def test_what_was_edited_since_is_not_put_back(pages: Pages, both: Both) -> None:
    customer = by_rule(both)
    both.in_crm(customer.model_copy(update={"phone": "44444444"}), 4)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(customer, 7, "v4", contacts=(), phone="44444444")
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=4))
    both.said()
    pages.time = both.time
    browser = arrive(pages)
    (path,) = re.findall(r'action="[^"]*(/settled/\d+/undo)"', browser.get("/settled").text)
    answer = browser.post(path, {"form_token": browser.token()})
    assert answer.headers["location"].endswith("told=moved")
    assert "Kan ikke fortrydes: oplysningen er rettet i mellemtiden" in browser.get(answer.headers["location"]).text
    assert both.said_only(WriteEconomicCustomer) == []


def test_what_was_kept_different_is_listed_and_asked_again(pages: Pages, both: Both) -> None:
    customer = clashed(both, name=("Birk & Søn", "Birk og Søn"))
    pages.time = both.time
    browser = arrive(pages)
    page = browser.get(f"/customers/{customer.id}").text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page))
    (mark,) = [name for name in fields if name.startswith("mark.")]
    browser.post(f"/customers/{customer.id}", {**fields, mark.replace("mark.", "choice."): "different"})
    assert counts(browser)["Beholdte forskelle"] == "1"
    shown = browser.get("/kept").text
    assert re.search(r"Birk &amp; Søn.*Birk og Søn.*Anne Holm", shown, re.DOTALL)
    assert "Her er ikke noget." in browser.get("/kept?detail=phone").text
    (path,) = re.findall(r'action="[^"]*(/kept/[^"]+/undo)"', shown)
    with pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_bulk", True)
    other = arrive(pages, sub="u2", name="Bo")
    assert other.post(path, {"form_token": other.token()}).status_code == 403, (
        "only who kept it, while admins keep that"
    )
    answer = browser.post(path, {"form_token": browser.token(), "filter": "?detail=name"})
    assert answer.headers["location"].startswith("/kept?detail=name&told=")
    assert counts(browser)["Beholdte forskelle"] == "0"
    assert counts(browser)["Kræver dit valg"] == "1"
    assert both.said_only(WriteEconomicCustomer) == []


def test_an_error_says_why_since_when_and_how_often_and_a_correction_closes_it(pages: Pages, both: Both) -> None:
    customer = failing(both)
    pages.time = both.time
    browser = arrive(pages)
    shown = browser.get("/errors").text
    assert "e-conomic godtager ikke e-mailadressen &#34;wrong@&#34;." in shown
    assert "Ret det i Clickmate, så prøver vi igen af os selv." in shown
    assert "1 forsøg" in shown
    assert "CustomerInvalidEmail · Invalid email." in shown
    corrected = customer.model_copy(update={"email": "right@nordhavn.example"})
    both.in_crm(corrected, 3)
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"email": "right@nordhavn.example"}
    assert "Her er ikke noget." in browser.get("/errors").text
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid email.")
    both.hear(economic_answered(command, outcome, customer=there(customer, 7, "v1", contacts=()), version=3))
    assert "2 forsøg" in browser.get("/errors").text


def test_history_says_who_when_where_before_and_after(pages: Pages, both: Both) -> None:
    customer = by_rule(both)
    both.in_crm(customer.model_copy(update={"city": "Aarhus", "phone": "22222222"}), 4)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(customer, 7, "v4", contacts=(), city="Aarhus")
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=4))
    pages.time = both.time
    browser = arrive(pages)
    rows = lines(browser, "/history.csv")
    assert rows[0] == ["Hvem", "Hvornår", "Kunde", "Kundenr.", "Oplysning", "Før", "Efter", "System"]
    assert [(row[0], row[4], row[5], row[6], row[7]) for row in rows[1:3]] == [
        ("Clickmate", "By", "", "Aarhus", "e-conomic"),
        ("En regel", "Telefon", "33333333", "22222222", "e-conomic"),
    ]
    assert [row[4] for row in lines(browser, "/history.csv?who=crm&system=economic&detail=address")[1:]] == [
        "By", "Oprettet i e-conomic", "Land",
    ]  # fmt: skip
    assert [row[4] for row in lines(browser, "/history.csv?who=rule")[1:]] == ["Telefon"]
    assert lines(browser, "/history.csv?who=economic")[1:] == []
    assert lines(browser, f"/history.csv?customer={customer.id}") == rows
    assert lines(browser, "/history.csv?customer=nobody")[1:] == []
    assert "Aarhus" in browser.get("/history").text


def test_what_people_decided_is_in_the_history_with_their_name(pages: Pages, both: Both) -> None:
    customer = by_rule(both)
    pages.time = both.time
    browser = arrive(pages)
    (path,) = re.findall(r'action="[^"]*(/settled/\d+/undo)"', browser.get("/settled").text)
    browser.post(path, {"form_token": browser.token()})
    (command,) = both.said_only(WriteEconomicCustomer)
    back = there(customer, 7, "v4", contacts=(), phone="33333333")
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=back, version=4))
    found = lines(browser, "/history.csv?person=u1")[1:]
    assert {(row[0], row[4], row[5], row[6]) for row in found} == {
        ("Anne Holm", "Telefon", "22222222", "33333333"), ("Anne Holm", "Fortrød", "", ""),
    }  # fmt: skip


def test_questions_are_filtered_and_shown_in_pages_and_downloaded_whole(pages: Pages, both: Both) -> None:
    for number in range(100, 153):
        both.linked(number, cvr=f"2000{number:04}", name=f"Kunde {number}")
    with pages.engine.begin() as connection:
        connection.execute(
            sa.text("""
            insert into sync.task (id, tenant, agreement, link, kind, details, fingerprint, opened)
            select gen_random_uuid(), l.tenant, l.agreement, l.id, case when l.number % 2 = 0 then 'values' else 'empty' end,
                   case when l.number % 2 = 0 then '{name}' else '{contact.email}' end::text[], '',
                   cast('2026-01-01' as timestamptz) + l.number * interval '1 day'
            from sync.link l
        """)
        )
    pages.time = both.time
    browser = arrive(pages)
    first, second = browser.get("/").text, browser.get("/?page=2").text
    assert (first.count("<li>"), second.count("<li>")) == (50, 3)
    assert "?page=2" in first
    assert "?page=1" in second
    assert browser.get("/?kind=empty").text.count("<li>") == 26
    assert browser.get("/?detail=contact").text.count("<li>") == 26
    assert browser.get("/?detail=name").text.count("<li>") == 27
    assert browser.get("/?detail=address").text.count("<li>") == 0
    assert browser.get("/?since=2026-06-01").text.count("<li>") == 2
    shown = browser.get("/?since=1.6.2026").text
    assert shown.count("<li>") == 2, "as people write it"
    assert 'name="since" value="01.06.2026"' in shown
    assert 'name="since" value="01/06/2026"' in browser.get("/?since=1.6.2026&lang=en").text
    wrong = browser.get("/?since=31.6.2026").text
    assert "&#34;31.6.2026&#34; er ikke en dato. Skriv den som dd.mm.åååå. Listen vises fra begyndelsen." in wrong
    assert 'value="31.6.2026" maxlength="30" autocomplete="off" aria-invalid="true" aria-describedby="no-day"' in wrong
    assert wrong.count("<li>") == 50
    assert len(lines(browser, "/questions.csv")) == 54
    assert len(lines(browser, "/questions.csv?kind=empty&detail=contact")) == 27


def test_what_was_handed_to_a_colleague_says_so_and_is_theirs(pages: Pages, both: Both) -> None:
    customer = clashed(both, name=("Birk & Søn", "Birk og Søn"))
    pages.time = both.time
    anne, _ = arrive(pages), arrive(pages, sub="u2", name="Birthe")
    with pages.engine.begin() as connection:
        link = both.of(customer.id).id
        assert handover.hand(
            connection, link, Person(tenant=TENANT, id="u1", name="Anne", role="user"), "u2", both.time
        )
    assert "Birthe skal vælge" in anne.get("/").text
    assert anne.get("/?person=u2").text.count("<li>") == 1
    assert anne.get("/?person=u1").text.count("<li>") == 0
    with pages.engine.connect() as connection:
        assert [worklists.mine(connection, TENANT, who) for who in ("u1", "u2")] == [0, 1]


def test_a_list_is_filtered_by_the_customer_group_of_e_conomic(pages: Pages, both: Both) -> None:
    customer = by_rule(both)
    both.in_economic(there(customer, 7, "v9", contacts=(), group=1), 9)
    pages.time = both.time
    browser = arrive(pages)
    assert "Danske kunder" in browser.get("/settled").text
    assert "33 33 33 33" in browser.get("/settled?group=1").text
    assert "33 33 33 33" not in browser.get("/settled?group=2").text


@pytest.mark.parametrize("path", ["/", "/settled", "/errors", "/kept", "/history", "/history.csv", "/questions.csv"])
def test_what_is_no_filter_is_no_mistake(pages: Pages, path: str) -> None:
    browser = pages.arrive()
    for query in (
        "detail=x", "kind=%00", "since=2026-13-99", "since=0001-01-01", "page=99999", "group=x", "group=999999999",
        "who=x", "system=x", "person=%00", f"customer={'x' * 300}", "customer=%27%20or%201=1",
    ):  # fmt: skip
        assert browser.get(f"{path}?{query}").status_code == 200, query


def test_nobody_takes_back_what_is_another_tenants_or_without_the_right(pages: Pages, both: Both) -> None:
    by_rule(both)
    pages.time = both.time
    (path,) = re.findall(r'action="[^"]*(/settled/\d+/undo)"', arrive(pages).get("/settled").text)
    stranger, reader = pages.arrive(tenant="other", role="admin"), arrive(pages, sub="u9", role="reader")
    assert "/undo" not in reader.get("/settled").text
    assert stranger.post(path, {"form_token": stranger.token()}).status_code == 404
    assert reader.post(path, {"form_token": reader.token()}).status_code == 403
    assert arrive(pages).post(path, {"form_token": "x"}).status_code == 403
    browser = arrive(pages)
    for wrong in ("/settled/x/undo", "/settled/99999999/undo", "/kept/x/y/name/undo"):
        assert browser.post(wrong, {"form_token": browser.token()}).status_code == 404
    assert both.said_only(WriteEconomicCustomer) == []
