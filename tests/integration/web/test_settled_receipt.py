"""What a person is told after a save, and before it: which is to be chosen first, each system's line, who was first, undo."""

import re
from collections.abc import Mapping

import pytest

from crm_outbox.contract import Customer, Outcome, Result
from economic_adapter.contract import WriteEconomicCustomer
from tests.builders.meeting import Both
from tests.builders.sync import done, economic_answered, refused, there
from tests.integration.web.browsing import CRM, Browser, Pages
from tests.integration.web.test_settling import arrive, choice, contested, form


def save(browser: Browser, customer: Customer, takes: Mapping[str, str], **more: str) -> str:
    """Choose these and save; the address that is led to."""
    fields = form(browser, customer)
    given = {choice(fields, detail): take for detail, take in takes.items()}
    answer = browser.post(f"/customers/{customer.id}", {**fields, **given, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def answer(both: Both, customer: Customer, outcome: str, detail: str = "", **held: str) -> None:
    """e-conomic answers the write it was sent last; ``held`` is what it holds then that the CRM does not."""
    (command,) = both.said_only(WriteEconomicCustomer)
    operation = command.parts[0].operation
    told = done(operation) if outcome == "written" else refused(operation, outcome, detail=detail, message="No")
    seen = there(customer, 7, "v3", contacts=(), **held)
    both.hear(economic_answered(command, told, customer=seen, version=3))


def test_nothing_chosen_and_the_page_says_which_to_choose_first(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    shown = browser.get(save(browser, customer, {})).text
    assert "Vælg først navn" in shown
    assert re.search(r'<a href="#r\.[0-9a-f-]+\.name">', shown)


def test_what_is_not_chosen_stays_open(pages: Pages, both: Both) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    browser = arrive(pages)
    shown = browser.get(save(browser, customer, {"email": "different"})).text
    assert "Gemt kl." in shown
    assert shown.count("data-asks") == 1


def test_all_of_one_system_are_chosen_without_a_script(pages: Pages, both: Both) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    shown = arrive(pages).get(f"/customers/{customer.id}?all=economic").text
    assert len(re.findall(r'value="economic" form="save" checked', shown)) == 2
    assert 'value="crm" form="save" checked' not in shown
    assert "checked" not in arrive(pages).get(f"/customers/{customer.id}?all=nonsense").text


def test_the_reason_says_since_when_both_were_changed(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    shown = arrive(pages).get(f"/customers/{customer.id}").text
    assert re.search(r"Kunden er rettet i begge systemer siden \d+\. \w+\.? \d{4}\.", shown)


def test_away_the_receipt_says_what_is_saved_and_that_nothing_need_be_done(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    page = save(browser, customer, {"name": "crm"})
    (command,) = both.said_only(WriteEconomicCustomer)
    waits = Outcome(operation=command.parts[0].operation, result=Result.WAITING, reason="away")
    both.hear(economic_answered(command, waits))
    shown = browser.get(page).text
    assert "Gemt i Clickmate. e-conomic svarer ikke lige nu. Vi prøver igen af os selv" in shown
    assert "e-conomic: venter" in shown
    assert "Clickmate: opdateret" not in shown, "nothing is written there"


def test_a_value_new_to_both_waits_in_both(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    text = choice(form(browser, customer), "name").replace("choice.", "text.") + ".name"
    page = save(browser, customer, {"name": "text"}, **{text: "Birk A/S"})
    (command,) = both.said_only(WriteEconomicCustomer)
    waits = Outcome(operation=command.parts[0].operation, result=Result.WAITING, reason="away")
    both.hear(economic_answered(command, waits))
    shown = browser.get(page).text
    assert "Dit valg er gemt. e-conomic svarer ikke lige nu. Begge systemer bliver opdateret af sig selv" in shown
    assert "Clickmate: venter" in shown


def test_paused_the_receipt_says_when_it_will_be_written(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    both.set(paused='["economic"]')
    browser = arrive(pages)
    assert (
        "Dit valg er gemt og bliver skrevet, når pausen er slut."
        in browser.get(save(browser, customer, {"name": "crm"})).text
    )


def test_refused_by_economic_the_cause_is_told_in_words_and_another_value_can_be_chosen(
    pages: Pages, both: Both
) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    browser = arrive(pages)
    page = save(browser, customer, {"email": "crm"})
    held = {"name": "Birk og Søn ApS", "email": "old@nordhavn.example"}
    answer(both, customer, "CustomerInvalidEmail", "email", **held)
    shown = browser.get(page).text
    assert "e-conomic godtager ikke e-mailadressen" in shown
    assert "CustomerInvalidEmail" not in shown
    assert "Intet er gemt" in shown
    assert shown.count("data-asks") == 2, "the name, and the e-mail anew"
    assert "e-conomic afviste e-mail" in shown


def test_who_comes_second_is_told_who_chose(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    birthe, marie = arrive(pages, sub="u2", name="Birthe Lund"), arrive(pages, sub="u3", name="Marie Krogh")
    seen = form(marie, customer)
    save(birthe, customer, {"name": "crm"})
    answer(both, customer, "written")
    late = marie.post(f"/customers/{customer.id}", {**seen, choice(seen, "name"): "economic"})
    shown = marie.get(late.headers["location"]).text
    assert re.search(r"Navn: Birthe Lund har allerede valgt \(kl\. \d\d\.\d\d\)\.", shown)
    assert both.said_only(WriteEconomicCustomer) == []


def test_who_comes_second_is_told_who_chose_also_while_it_is_being_written(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    birthe, marie = arrive(pages, sub="u2", name="Birthe Lund"), arrive(pages, sub="u3", name="Marie Krogh")
    seen = form(marie, customer)
    save(birthe, customer, {"name": "crm"})
    late = marie.post(f"/customers/{customer.id}", {**seen, choice(seen, "name"): "economic"})
    shown = marie.get(late.headers["location"]).text
    assert re.search(r"Navn: Birthe Lund har allerede valgt \(kl\. \d\d\.\d\d\)\.", shown)
    assert "er blevet rettet, efter at du åbnede siden" not in shown


def test_sent_again_after_it_was_carried_out_the_first_receipt_is_shown(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    sent = {**fields, choice(fields, "name"): "crm"}
    first = browser.post(f"/customers/{customer.id}", sent)
    answer(both, customer, "written")
    again = browser.post(f"/customers/{customer.id}", sent)
    assert again.headers["location"] == first.headers["location"]
    assert re.search(r"e-conomic: opdateret kl\. \d\d\.\d\d", browser.get(again.headers["location"]).text)


def test_an_undo_can_be_undone_and_says_where_it_could_not(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    page = save(browser, customer, {"name": "different"})

    def undo(page: str) -> str:
        shown = browser.get(page).text
        found = re.search(r'action="[^"]*(/decisions/[0-9a-f-]+/undo)"', shown)
        assert found is not None, shown
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', shown))
        sent = {name: fields[name] for name in ("form_token", "decision")}
        return browser.post(found.group(1), sent).headers["location"]

    back = undo(page)
    assert re.search(r"Fortrudt kl\. \d\d\.\d\d", browser.get(back).text)
    assert re.search(r"Fortrudt kl\. \d\d\.\d\d", browser.get(page).text), "the first receipt says so too"
    assert "Fortryd</button>" not in browser.get(page).text
    again = undo(back)
    assert "Beholdt forskellige" in browser.get(again).text
    both.in_crm(customer.model_copy(update={"name": "Somebody else's edit"}), 9)
    late = undo(again)
    assert "Kan ikke fortrydes: oplysningen er rettet i mellemtiden" in browser.get(late).text


def test_after_thirty_days_it_says_so(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    page = save(browser, customer, {"name": "different"})
    decision = page.partition("decision=")[2]
    pages.later(days=31)
    browser = arrive(pages)
    assert "Fortryd</button>" not in browser.get(page).text
    late = browser.post(f"/decisions/{decision}/undo", {"form_token": browser.token()})
    assert "over 30 dage siden" in browser.get(late.headers["location"]).text


def test_opened_from_the_list_it_says_where_and_leads_on(pages: Pages, both: Both) -> None:
    first = contested(both, pages)
    both.later(minutes=1)
    second = both.linked(8, id="second", cvr="11111111", name="Anden ApS", email="anden@example.dk", phone="")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(second, 8, "v2", contacts=(), name="Anden og Søn ApS"), 2)
    both.in_crm(second.model_copy(update={"name": "Anden & Søn ApS"}), 2)
    both.set(paused="[]")
    pages.time = both.time
    browser = arrive(pages, return_to=f"{CRM}/customers/{first.id}")
    shown = browser.get(f"/customers/{first.id}?from=list").text
    assert "1 af 2" in shown
    assert re.search(r'rel="next" href="[^"]*/customers/second\?from=list">Spring over<', shown)
    assert f'href="{CRM}/customers/{first.id}">Tilbage til kunden' in shown
    page = save(browser, first, {"name": "different"}, **{"from": "list"})
    assert page.endswith("&from=list")
    assert re.search(r'href="[^"]*/customers/second\?from=list">Næste opgave<', browser.get(page).text)
    assert "1 af 2" not in browser.get(f"/customers/{first.id}").text
    assert "Tilbage til kunden" not in browser.get("/customers/second").text


def test_a_customer_without_link_shows_what_its_side_holds(pages: Pages, both: Both) -> None:
    both.set(transfer="hand")
    customer = both.new(id="alone", name="Ene ApS", cvr="")
    both.in_crm(customer)
    pages.time = both.time
    shown = arrive(pages).get("/customers/alone").text
    assert "Ikke oprettet i e-conomic" in shown
    assert shown.count("Ene ApS") >= 3
    assert 'type="radio"' not in shown


@pytest.mark.parametrize("stale", ["x", "1.name", "00000000-0000-0000-0000-000000000000.nonsense"])
def test_a_made_up_address_says_nothing_untrue(pages: Pages, both: Both, stale: str) -> None:
    customer = contested(both, pages)
    shown = arrive(pages).get(f"/customers/{customer.id}?stale={stale}&decision={stale}&not_undone={stale}")
    assert shown.status_code == 200
    assert "har allerede valgt" not in shown.text
