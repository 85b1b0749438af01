"""The box beside a customer while it stands open: a piece of it again and again, compared again, small, with a pass that is renewed."""

import html
import re
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest

from crm_outbox.contract import Customer
from reconciler.passes import sign
from reconciler.web import status
from reconciler.web.screen import FILES
from reconciler.web.words import Words
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import CRM, KEY, Pages
from tests.integration.web.looking import Watching
from tests.waiting import eventually


def carried(pages: Pages, customer: str, **given: str) -> str:
    """A pass for the widget of that customer."""
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": "user", "customer": customer, **given,
    }  # fmt: skip
    return sign("one", KEY, claims)


def piece(watching: Watching, customer: str, mark: str = "", **query: str) -> httpx.Response:
    """What the widget's script asks for."""
    headers = {"authorization": f"Bearer {carried(watching.pages, customer)}", "if-none-match": mark}
    address = f"{watching.pages.url}/widget/status"
    return watching.pages.browser().client.get(address, params={"version": "1.1", **query}, headers=headers)


def opened(watching: Watching, customer: str, **query: str) -> httpx.Response:
    given = {"pass": carried(watching.pages, customer), "version": "1.1", **query}
    return watching.pages.browser().client.get(f"{watching.pages.url}/widget", params=given)


def has(shown: str) -> dict[str, str]:
    found = re.search(r'data-state="([^"]*)" data-freshness="([^"]*)" data-waits="([^"]*)"', shown)
    assert found is not None
    return dict(zip(("state", "freshness", "waits"), found.groups(), strict=True))


def test_opening_the_box_makes_a_look_and_its_script_only_follows(watching: Watching, customer: Customer) -> None:
    shown = opened(watching, customer.id)
    assert has(shown.text) == {"state": "same", "freshness": "older", "waits": "1"}
    assert "Oplysningerne var ens" in shown.text
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(seconds=1)
    assert has(piece(watching, customer.id).text) == {"state": "same", "freshness": "looking", "waits": "1"}
    watching.answer(look.look, customer, 7, 2)
    after = piece(watching, customer.id).text
    assert has(after) == {"state": "same", "freshness": "fresh", "waits": ""}
    assert ("Oplysningerne er ens" in after, "Sammenlignet nu" in after) == (True, True)
    watching.later(minutes=1)
    piece(watching, customer.id)
    assert watching.looks() == []
    piece(watching, customer.id, look="true")
    assert len(watching.looks()) == 1


def test_a_piece_that_is_as_it_was_is_not_sent_again_however_new_the_pass_is(
    watching: Watching, customer: Customer
) -> None:
    shown = opened(watching, customer.id)
    found = re.search(r'data-etag="([^"]*)"', shown.text)
    assert found is not None
    mark = html.unescape(found.group(1))
    again = piece(watching, customer.id, mark)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", mark)
    watching.later(seconds=1)
    assert piece(watching, customer.id, mark).status_code == 200
    assert piece(watching, customer.id, mark, lang="en").headers["etag"] != mark


def test_a_piece_carries_the_pass_it_was_asked_with_in_its_forms(watching: Watching, customer: Customer) -> None:
    shown = piece(watching, customer.id).text
    fields = re.findall(r'name="pass" value="([^"]*)"', shown)
    assert fields
    assert all(fields)


def test_without_a_pass_there_is_no_piece(watching: Watching, customer: Customer) -> None:
    assert watching.pages.browser().get("/widget/status?version=1.1").status_code == 401


def test_comparing_again_without_a_script_waits_for_the_answer(
    watching: Watching, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "LONGEST_WAIT", 120.0)  # longer than the browser would wait
    given = {"pass": carried(watching.pages, customer.id), "version": "1.1", "lang": "en"}

    def answer() -> None:
        found = eventually(watching.looks, within=30)
        assert found[0].look is not None
        watching.answer(found[0].look, customer, 7, 2)

    there_ = threading.Thread(target=answer)
    there_.start()
    pressed = watching.pages.browser().client.post(f"{watching.pages.url}/widget/compare", data=given)
    there_.join()
    assert pressed.status_code == 303
    to = urlsplit(pressed.headers["location"])
    assert (to.path, parse_qs(to.query)) == ("/widget", {name: [value] for name, value in given.items()})
    shown = watching.pages.browser().get(pressed.headers["location"]).text
    assert "Compared now" in shown


def test_comparing_again_shows_what_there_is_after_two_seconds(watching: Watching, customer: Customer) -> None:
    began = time.monotonic()
    given = {"pass": carried(watching.pages, customer.id), "version": "1.1"}
    pressed = watching.pages.browser().client.post(f"{watching.pages.url}/widget/compare", data=given)
    assert pressed.status_code == 303
    assert time.monotonic() - began >= 1.9
    assert has(watching.pages.browser().get(pressed.headers["location"]).text)["waits"] == "1"
    assert len(watching.looks()) == 1


def test_comparing_again_on_the_customers_own_page(watching: Watching, customer: Customer) -> None:
    watching.follow()
    browser = watching.pages.arrive(tenant=TENANT)
    page = f"/customers/{customer.id}"
    assert "Sammenlign igen" in browser.get(page).text
    (look,) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "unanswered", "away")
    token = browser.token(page)
    pressed = browser.post(f"{page}/compare", {"form_token": token})
    assert (pressed.status_code, urlsplit(pressed.headers["location"]).path) == (303, page)
    assert "e-conomic svarer ikke lige nu" in browser.get(page).text
    assert browser.post(f"{page}/compare", {"form_token": "0" * 64}).status_code == 403


def test_nothing_to_compare_is_not_offered(watching: Watching, customer: Customer) -> None:
    assert "Sammenlign igen" in opened(watching, customer.id).text
    watching.reach(down_since=watching.both.time)
    shown = opened(watching, customer.id).text
    assert ("Sammenlign igen" in shown, "e-conomic har ikke svaret siden" in shown) == (False, True)
    watching.reach()
    watching.both.set(state="off")
    shown = opened(watching, customer.id).text
    assert ("Sammenlign igen" in shown, "Sidst sammenlignet" in shown) == (False, False)


def test_the_number_is_copied_an_older_page_reloaded_and_a_customer_not_found_named(
    watching: Watching, customer: Customer
) -> None:
    newer = customer.model_copy(update={"phone": "12345678"})
    watching.both.in_economic(there(newer, 7, "v2", contacts=()), 2)
    watching.both.in_crm(newer, 2)
    shown = opened(watching, customer.id).text
    assert re.search(r'data-copy="7" data-copied="Kopieret" hidden>Kopiér<', shown)
    assert re.search(r"Kunden er rettet, efter at du åbnede siden.*data-reload hidden>Genindlæs<", shown, re.DOTALL)
    watching.later(minutes=1)
    assert "data-reload" not in opened(watching, customer.id, version="1.2").text
    (*_, look) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "missing")
    assert "Kundenr. 7 blev ikke fundet. Vi kontrollerer igen i nat." in piece(watching, customer.id).text


def test_all_of_the_box_is_less_than_sixty_kilobytes_and_its_script_may_run(
    watching: Watching, customer: Customer
) -> None:
    shown = opened(watching, customer.id)
    files = re.findall(r'(?:src|href)="([^"]*/static/[^"]+)"', shown.text)
    assert len(files) == 3
    sizes = [len(watching.pages.browser().client.get(one).content) for one in files]
    assert len(shown.content) + sum(sizes) < 60 * 1024
    policy = shown.headers["content-security-policy"]
    assert ("script-src 'self'" in policy, "connect-src 'self'" in policy) == (True, True)
    assert f'data-crm="{CRM}"' in shown.text


def framed(shown: httpx.Response) -> tuple[bool, bool]:
    """Whether a page tells the CRM's page that it is there, and which of them it tells."""
    return "static/framed." in shown.text, f'data-crm="{CRM}"' in shown.text


def test_every_page_of_the_frame_says_that_it_is_there_but_one_that_failed(
    watching: Watching, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, address = watching.pages.browser().client, f"{watching.pages.url}/widget"
    given = {"pass": carried(watching.pages, customer.id), "version": "1.1", "lang": "en"}
    panel = browser.get(f"{address}/unlink", params=given)
    assert (panel.status_code, framed(panel)) == (200, (True, True))
    reader = {**given, "pass": carried(watching.pages, customer.id, role="reader")}
    lacking = browser.get(f"{address}/unlink", params=reader)
    assert (lacking.status_code, framed(lacking)) == (403, (True, True))
    assert (">Back to the status<" in lacking.text, f"/widget?{urlencode(reader)}" in html.unescape(lacking.text)) == (
        True, True,
    )  # fmt: skip
    assert "<nav" not in lacking.text

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    large = browser.post(f"{address}/unlink", data={**given, "x": "y" * 70_000})
    assert (large.status_code, framed(large), "<header" in large.text) == (413, (False, True), False)
    monkeypatch.setattr(status, "of", fail)
    failed = browser.get(address, params=given)
    assert (failed.status_code, framed(failed)) == (500, (False, True))


def test_a_pass_that_ran_out_is_no_dead_end_and_what_was_pressed_is_not_pressed_again(
    watching: Watching, customer: Customer
) -> None:
    given = {"version": "1.1", "lang": "en", "pass": carried(watching.pages, customer.id)}
    watching.later(minutes=11)
    browser, address = watching.pages.browser().client, f"{watching.pages.url}/widget/unlink"
    asked = browser.get(address, params=given)
    pressed = browser.post(address, data={**given, "number": "7", "decision": str(uuid4())})
    for shown, path, itself in ((asked, "/widget/unlink", True), (pressed, "/widget", False)):
        assert (shown.status_code, framed(shown)) == (401, (True, True))
        assert "This page must be opened again. Nothing was changed." in shown.text
        link = re.search(r'href="([^"]*)" data-again( data-itself)? hidden>Reload<', shown.text)
        assert link is not None
        to = urlsplit(html.unescape(link.group(1)))
        assert (to.path, parse_qs(to.query), bool(link.group(2))) == (
            path, {name: [value] for name, value in given.items()}, itself,
        )  # fmt: skip


def test_the_snippet_says_the_agreed_words_when_we_are_away() -> None:
    snippet = FILES["snippet.js"].body.decode()
    now: Any = None
    for language in ("da", "en"):
        assert Words(language, now)("The status cannot be shown right now") in snippet
