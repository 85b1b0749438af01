"""Who gets in? Whom the CRM sends, once, for as long as the session holds; and no form counts that is not this session's."""

import html
import re

import pytest

from tests.integration.web.browsing import CRM, Pages


def links(page: str, text: str) -> list[str]:
    """Where the links of that text lead."""
    return [html.unescape(one) for one in re.findall(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(text)}</a>', page)]


def test_whom_the_crm_sends_is_in_and_led_to_the_page_that_was_asked_for(pages: Pages) -> None:
    browser = pages.browser()
    answer = browser.client.post(f"{pages.url}/launch", data={"pass": pages.launch(), "to": "/?lang=en"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=en")
    shown = browser.get("/?lang=en")
    assert (shown.status_code, shown.headers["content-language"]) == (200, "en")
    assert "Anne Holm, User" in shown.text


def test_without_a_session_a_page_says_how_to_get_in(pages: Pages) -> None:
    shown = pages.browser().get("/customers?list=choice")
    assert shown.status_code == 401
    assert "Du skal åbne siden fra Clickmate igen." in shown.text
    assert "Dine valg er gemt" not in shown.text
    assert links(shown.text, "Åbn fra Clickmate") == [f"{CRM}/economic/launch?to=%2Fcustomers%3Flist%3Dchoice"]


def test_a_form_that_is_not_kept_is_not_said_to_be_and_leads_to_the_first_page(pages: Pages) -> None:
    shown = pages.browser().post("/set-up", {"form_token": "x"})
    assert (shown.status_code, "Dine valg er gemt" in shown.text) == (401, False)
    assert links(shown.text, "Åbn fra Clickmate") == [f"{CRM}/economic/launch?to=%2F"]


def test_an_error_is_told_in_the_language_that_its_reader_chose(pages: Pages) -> None:
    browser = pages.arrive(lang="en")
    browser.client.headers["accept-language"] = "da"
    for path, said in (
        ("/customers/nobody", "This page does not exist."),
        ("/set-up", "Only an administrator can do this."),
    ):
        shown = browser.get(path)
        assert (shown.status_code // 100, shown.headers["content-language"]) == (4, "en"), path
        assert said in shown.text


def test_a_launch_opens_one_session_and_a_refused_one_none(pages: Pages) -> None:
    launch = pages.launch()
    first, second = pages.browser(), pages.browser()
    assert first.client.post(f"{pages.url}/launch", data={"pass": launch}).status_code == 303
    assert second.client.post(f"{pages.url}/launch", data={"pass": launch}).status_code == 401
    assert (first.get().status_code, second.get().status_code) == (200, 401)
    old = pages.launch()
    pages.later(seconds=91)
    assert second.client.post(f"{pages.url}/launch", data={"pass": old}).status_code == 401
    assert second.client.post(f"{pages.url}/launch", data={"pass": pages.launch(role="owner")}).status_code == 401
    assert second.client.post(f"{pages.url}/launch", data={}).status_code == 401


def test_only_the_crm_and_nobody_elses_page_can_send_a_browser(pages: Pages) -> None:
    for origin, status in ((CRM, 303), ("https://evil.example", 401), ("null", 401)):
        data = {"pass": pages.launch()}
        answer = pages.browser().client.post(f"{pages.url}/launch", data=data, headers={"origin": origin})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "", "javascript:alert(1)", "/x\r\nset-cookie: a=b"],
)
def test_a_launch_leads_to_no_other_site(pages: Pages, to: str) -> None:
    answer = pages.browser().client.post(f"{pages.url}/launch", data={"pass": pages.launch(), "to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_session_ends_when_nobody_uses_it_and_when_its_person_signs_out(pages: Pages) -> None:
    idle, leaving = pages.arrive(), pages.arrive()
    answer = leaving.post("/sign-out", {"form_token": leaving.token()})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CRM}/customers/48211")
    assert leaving.get().status_code == 401
    pages.later(minutes=31)
    assert idle.get().status_code == 401


def test_signing_out_leads_to_the_crm_and_to_no_other_site(pages: Pages) -> None:
    browser = pages.arrive(return_to="https://evil.example/")
    answer = browser.post("/sign-out", {"form_token": browser.token()})
    assert answer.headers["location"] == CRM


def test_a_form_must_come_from_a_page_of_this_session(pages: Pages) -> None:
    mine, theirs = pages.arrive(), pages.arrive(sub="u2", name="Bo")
    token = mine.token()
    assert mine.post("/sign-out", {}).status_code == 403
    assert mine.post("/sign-out", {"form_token": theirs.token()}).status_code == 403
    assert mine.post("/sign-out", {"form_token": token}, **{"sec-fetch-site": "cross-site"}).status_code == 403
    without = mine.client.post(f"{pages.url}/sign-out", data={"form_token": token})
    assert without.status_code == 403
    other = mine.client.post(f"{pages.url}/sign-out", data={"form_token": token}, headers={"origin": CRM})
    assert other.status_code == 403
    assert mine.get().status_code == 200, "none of these ended the session"
    assert mine.client.post(
        f"{pages.url}/sign-out", data={"form_token": token}, headers={"origin": pages.url}
    ).status_code == 303  # fmt: skip


def test_a_name_is_text_and_nothing_else(pages: Pages) -> None:
    browser = pages.arrive(name="<script>alert(1)</script>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in browser.get().text
    turned = pages.arrive(name="Anne\u202e\u2067\u200f Holm").get().text
    assert "<span>Anne Holm, " in turned, "nothing turns the writing of a page round"


def test_what_is_not_there_is_said_in_both_languages_and_every_answer_is_guarded(pages: Pages) -> None:
    missing = pages.browser().get("/nothing")
    assert (missing.status_code, "Siden findes ikke." in missing.text) == (404, True)
    assert "This page does not exist." in pages.browser().get("/nothing?lang=en").text
    for answer in (missing, pages.arrive().get()):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_our_own_files_are_named_by_what_they_hold_and_kept_for_a_year(pages: Pages) -> None:
    shown = pages.arrive().get().text
    address = shown.partition('rel="stylesheet" href="')[2].partition('"')[0]
    sheet = pages.browser().client.get(address)
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert pages.browser().get("/static/pages.css").status_code == 404
    assert pages.browser().get("/static/..%2fapp.py").status_code == 404
