"""Every customer stands in exactly one list, the counts add up, a page goes on where the last ended, and search finds it."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage
from reconciler import clock
from reconciler.people import make_key
from tests.builders.crm import a_customer
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import Browser, Pages


def everybody(both: Both) -> None:
    """One customer in each list, and more who are left out, each for a reason of its own."""
    both.linked(7, id="same", name="Aalborg Byg A/S", cvr="11111118", phone="11111111")
    different = both.linked(8, id="choice", name="Birk ApS", cvr="22222226", phone="22222222")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(different, 8, "v2", name="Birk og Søn ApS", contacts=()), 2)
    both.in_crm(different.model_copy(update={"name": "Birk & Søn ApS"}), 2)
    both.set(paused="[]")
    waiting = both.linked(9, id="waiting", name="Cirkel A/S", cvr="33333334", phone="33333333")
    both.in_crm(waiting.model_copy(update={"phone": "33333344"}), 2)
    both.in_crm(both.new(id="lead", name="Dansk Emne", stage=Stage.LEAD, cvr="", phone="44444444"), 1)
    both.in_economic(sydhavn(50, name="Østre Maler"), why="poll")
    both.said()


def lists(text: str) -> dict[str, int]:
    """The counts on the tabs of a page."""
    found = re.findall(r'<a href="[^"]*customers(?:\?list=(\w+))?"[^>]*>[^<]*\((\d+)\)</a>', text)
    return {name or "all": int(count) for name, count in found}


def names(text: str) -> list[str]:
    """The customers of a page in their order."""
    return [re.sub(r"<[^>]+>", "", one) for one in re.findall(r'<th scope="row">(.*?)</th>', text)]


def arrive(pages: Pages, both: Both, **given: Any) -> Browser:
    pages.time = both.time
    return pages.arrive(tenant=TENANT, **given)


def test_each_customer_stands_in_one_list_and_the_counts_add_up(pages: Pages, both: Both) -> None:
    everybody(both)
    browser = arrive(pages, both)
    text = browser.get("/customers").text
    counts = lists(text)
    total = counts.pop("all")
    assert total == sum(counts.values())
    assert total == len(names(text))
    shown = [name for one in counts for name in names(browser.get(f"/customers?list={one}").text)]
    assert sorted(shown) == sorted(names(text))
    for one, count in counts.items():
        assert len(names(browser.get(f"/customers?list={one}").text)) == count
    assert counts == {"same": 1, "choice": 1, "waiting": 2, "left_out": 1, "different": 0, "error": 0}


def test_who_is_left_out_is_left_out_for_a_reason_that_is_said(pages: Pages, both: Both) -> None:
    everybody(both)
    text = arrive(pages, both).get("/customers?list=left_out").text
    assert names(text) == ["Dansk Emne"]
    assert re.search(r"Udeladt · <span[^>]*>Emne</span>", text)


def test_what_only_e_conomic_has_is_there_until_it_is_linked(pages: Pages, both: Both) -> None:
    both.set(receive=False, transfer="hand")
    both.in_economic(sydhavn(50), why="import")
    browser = arrive(pages, both)
    text = browser.get("/customers?list=left_out").text
    assert names(text) == ["Sydhavn Maler A/S"]
    assert "Kun i e-conomic" in text
    customer = both.linked_by_hand(51, name="Vestre Tømrer", cvr="", phone="55555555")
    assert names(browser.get("/customers").text) == ["Sydhavn Maler A/S", "Vestre Tømrer"]
    with pages.engine.begin() as connection:
        from reconciler import joining  # noqa: PLC0415

        joining.unlink(both.clocked, connection, TENANT, 123456, customer.id, by="person")
    text = browser.get("/customers?list=left_out").text
    assert names(text) == ["Sydhavn Maler A/S", "Vestre Tømrer", "Vestre Tømrer"]
    assert "Kun i Clickmate" in text


def test_before_anything_was_switched_on_everybody_is_left_out(pages: Pages) -> None:
    wire = Both(engine=pages.engine, time=pages.time)
    from tests.builders.sync import agreement_seen, crm_changed  # noqa: PLC0415

    wire.hear(agreement_seen(wire.time, state="connected"))
    wire.hear(crm_changed(a_customer(id="1", name="Aalborg Byg"), 1))
    wire.hear(crm_changed(a_customer(id="2", name="Birk", stage=Stage.LEAD), 1))
    text = pages.arrive(tenant=TENANT).get("/customers").text
    assert names(text) == ["Aalborg Byg", "Birk"]
    assert lists(text)["left_out"] == lists(text)["all"] == 2
    assert "Integrationen er slået fra" in text


@pytest.mark.parametrize("category", ["", "&list=same"])
def test_pages_follow_one_another_both_ways_without_a_gap(pages: Pages, both: Both, category: str) -> None:
    both.set(receive=False)
    for number in range(1, 61):
        name = "Ens Navn" if number % 3 else f"Kunde {number:03}"
        both.linked(
            number, id=f"c{number}", name=name, cvr="", phone=f"{number:08}", email=f"k{number}@n{number}.example"
        )
    for number in range(100, 160):
        both.in_economic(sydhavn(number, name="Ens Navn", cvr="", city=f"By {number}"), why="import")
    browser = arrive(pages, both)
    total = lists(browser.get("/customers").text)["all" if not category else "same"]
    seen: list[str] = []
    address = f"/customers?x=1{category}"
    while True:
        text = browser.get(address).text
        rows = re.findall(r'<th scope="row">.*?</td>', text, re.DOTALL)
        seen += rows
        following = re.search(r'href="[^"]*?(/customers\?[^"]+)" rel="next"', text)
        if following is None:
            break
        address = following.group(1).replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == total
    back = re.search(r'href="[^"]*?(/customers\?[^"]+)" rel="prev"', text)
    assert back is not None
    before = re.findall(r'<th scope="row">.*?</td>', browser.get(back.group(1).replace("&amp;", "&")).text, re.DOTALL)
    assert before == seen[-len(rows) - 50 : -len(rows)]


@pytest.mark.parametrize("search", ["aal", "AALBORG  b", "11111118", "11 11 11 18", "7"])
def test_search_finds_by_the_beginning_of_the_name_cvr_number_and_customer_number(
    pages: Pages, both: Both, search: str
) -> None:
    everybody(both)
    assert names(arrive(pages, both).get(f"/customers?search={search}").text) == ["Aalborg Byg A/S"]


@pytest.mark.parametrize("search", ["byg", "%", "_", "\\", "'", "9999999999", "\x00"])
def test_search_finds_nothing_else(pages: Pages, both: Both, search: str) -> None:
    everybody(both)
    shown = arrive(pages, both).client.get(pages.url + "/customers", params={"search": search})
    assert shown.status_code == 200


def test_a_cursor_nobody_gave_is_the_first_page(pages: Pages, both: Both) -> None:
    everybody(both)
    browser = arrive(pages, both)
    for text in ("x", "W10", "WyJhIiwwLCJ4IixmYWxzZV0", "%00", "é"):
        assert len(names(browser.get(f"/customers?from={text}").text)) > 1


def test_another_tenant_sees_nothing_of_it(pages: Pages, both: Both) -> None:
    everybody(both)
    assert names(pages.arrive(tenant="other", role="admin").get("/customers").text) == []


def test_the_list_is_downloaded_as_csv(pages: Pages, both: Both) -> None:
    everybody(both)
    answer = arrive(pages, both).get("/customers.csv?list=same")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[1:] == ["Aalborg Byg A/S;same;7;Ens;"]


def test_the_list_is_json_too_and_goes_on(pages: Pages, both: Both) -> None:
    everybody(both)
    pages.time = both.time
    with pages.engine.begin() as connection:
        key = make_key(connection, TENANT, "list", "reader", pages.time)[1]
    browser = pages.browser()
    head = {"authorization": f"Bearer {key}"}
    first = browser.get("/api/v1/customers?limit=2", **head).json()
    second = browser.get(f"/api/v1/customers?limit=500&after={first['next']}", **head).json()
    assert first["total"] == sum(first["counts"].values()) == len(first["customers"]) + len(second["customers"])
    assert first["customers"][0] == {
        "crm_id": "same", "customer_number": 7, "name": "Aalborg Byg A/S", "list": "same", "left_out_because": "",
        "flows": True, "blocked": False,
    }  # fmt: skip
    assert second["next"] is None
    wrong = browser.get("/api/v1/customers?after=nonsense", **head)
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")


def test_links_saved_before_there_were_lists_are_put_in_theirs_by_the_clock(pages: Pages, both: Both) -> None:
    both.linked(7, id="same", name="Aalborg Byg A/S", cvr="11111118")
    with pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set category = 'waiting', left_out = '?', name_key = ''"))
        connection.execute(sa.text("update sync.economic_side set name_key = '', linked = false"))
    browser = arrive(pages, both)
    assert lists(browser.get("/customers").text)["waiting"] == 1
    assert clock.fill_lists(pages.engine, both.clocked) == 1
    assert clock.fill_keys(pages.engine) > 0
    assert clock.fill_lists(pages.engine, both.clocked) == clock.fill_keys(pages.engine) == 0
    assert names(browser.get("/customers?list=same&search=aalborg").text) == ["Aalborg Byg A/S"]
