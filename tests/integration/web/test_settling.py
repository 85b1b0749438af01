"""A person settles a customer on its page: what was chosen is saved as it was seen, or that detail alone is refused."""

import html
import re
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import EconomicContact, WriteEconomicCustomer
from reconciler import people
from tests.builders.crm import a_person
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import CRM, Browser, Pages


def contested(both: Both, pages: Pages, **there_: str) -> Customer:
    """A customer whose name, and whatever the test names, was changed on both sides."""
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.set(paused='["crm", "economic"]')
    changed = {"name": "Birk og Søn ApS", **there_}
    both.in_economic(there(customer, 7, "v2", contacts=(), **changed), 2)
    customer = customer.model_copy(update={"name": "Birk & Søn ApS", **dict.fromkeys(there_, "new@nordhavn.example")})
    both.in_crm(customer, 2)
    both.set(paused="[]")
    pages.time = both.time
    return customer


def arrive(pages: Pages, **given: Any) -> Browser:
    return pages.arrive(tenant=TENANT, **given)


def form(browser: Browser, customer: Customer) -> dict[str, str]:
    """What the page of that customer would send with nothing chosen."""
    text = browser.get(f"/customers/{customer.id}").text
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', text))


def choice(fields: dict[str, str], detail: str) -> str:
    """The name of a detail's choice."""
    (mark,) = [name for name in fields if name.startswith("mark.") and name.endswith(f".{detail}")]
    return mark.replace("mark.", "choice.")


def decisions(pages: Pages) -> list[tuple[str, str]]:
    with pages.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text("select who, state from sync.decision order by at"))]


def test_the_page_shows_both_values_with_the_difference_marked_and_the_last_common_one(
    pages: Pages, both: Both
) -> None:
    customer = contested(both, pages)
    shown = arrive(pages).get(f"/customers/{customer.id}")
    assert shown.status_code == 200
    assert "Vælg de rigtige oplysninger (1)" in shown.text
    assert re.search(r'<mark><span class="hidden">forskellen begynder</span>&amp;<span', shown.text)
    assert re.search(r'<mark><span class="hidden">forskellen begynder</span>og<span', shown.text)
    assert "Nordhavn Tømrer ApS" in shown.text.partition("Birk")[2]
    assert shown.text.count('type="radio"') == 4, "only what is contested can be chosen"


def test_whoever_gets_invoices_is_marked_and_their_e_mail_is_asked_about(pages: Pages, both: Both) -> None:
    both.set(transfer="hand")
    customer = both.linked_by_hand(7, contacts=(a_person(name="Ida Holm", email="ida@nordhavn.example"),))
    both.set(paused='["crm", "economic"]')
    person = EconomicContact(
        number=1, object_version="b", name="Ida Holm", email="bog@nordhavn.example", receives=("invoices", "reminders")
    )
    both.in_economic(there(customer, 7, "v2", contacts=(person,)), 2)
    mine = customer.contacts[0].model_copy(update={"email": "ih@nordhavn.example"})
    both.in_crm(customer.model_copy(update={"contacts": (mine,)}), 2)
    both.set(paused="[]")
    pages.time = both.time
    shown = arrive(pages).get(f"/customers/{customer.id}").text
    assert "Vælg de rigtige oplysninger (1)" in shown
    asked = shown.partition("data-asks")[2].partition("</th>")[0]
    assert re.search(r'Ida Holm</span> <span class="badge">Modtager fakturaer</span>', asked)
    assert "Modtag e-mailkopi af: fakturaer, rykkere" in asked
    assert "bruges på fakturaer og e-fakturaer" in asked


def test_a_name_of_the_company_and_one_of_a_contact_person_are_told_apart(pages: Pages, both: Both) -> None:
    both.set(transfer="hand")
    customer = both.linked_by_hand(7, contacts=(a_person(name="Ida Holm", email="ida@nordhavn.example"),))
    both.set(paused='["crm", "economic"]')
    theirs = EconomicContact(number=1, object_version="b", name="Ida H. Holm", email="ida@nordhavn.example")
    both.in_economic(there(customer, 7, "v2", name="Birk og Søn ApS", contacts=(theirs,)), 2)
    mine = customer.contacts[0].model_copy(update={"name": "Ida Krag"})
    both.in_crm(customer.model_copy(update={"name": "Birk & Søn ApS", "contacts": (mine,)}), 2)
    both.set(paused="[]")
    pages.time = both.time
    browser = arrive(pages)
    shown = browser.get(f"/customers/{customer.id}").text
    assert re.findall(r'data-detail="([^"]*)" data-asks', shown) == ["navn", "Ida Krag: navn"]
    assert "Vælg først navn" in browser.get(f"/customers/{customer.id}?unchosen=1").text
    _, hers = re.findall(r'id="r\.([^"]*)"', shown)
    stale = browser.get(f"/customers/{customer.id}?stale={hers}").text
    assert "Ida Krag: navn er blevet rettet, efter at du åbnede siden." in stale


def test_where_access_was_lost_the_page_says_since_when(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    both.set(state="access_lost")
    shown = arrive(pages).get(f"/customers/{customer.id}").text
    assert re.search(r"e-conomic afviser vores adgang siden (i g.r )?kl\. \d\d\.\d\d\. Intet", shown)


def test_what_is_chosen_goes_to_the_other_system_and_the_receipt_says_so(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    answer = browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "name"): "crm"})
    assert answer.status_code == 303
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Birk & Søn ApS"}
    waiting = browser.get(answer.headers["location"]).text
    assert "e-conomic: venter" in waiting
    seen = there(customer, 7, "v3", contacts=())
    from tests.builders.sync import done, economic_answered  # noqa: PLC0415

    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    finished = browser.get(answer.headers["location"]).text
    assert re.search(r"e-conomic: opdateret kl\. \d\d\.\d\d", finished)
    assert decisions(pages) == [("Anne Holm", "done")]
    assert "Oplysningerne" in finished


def test_a_value_of_ones_own_goes_to_both(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    name = choice(fields, "name")
    text = f"text.{name.removeprefix('choice.')}.name"
    browser.post(f"/customers/{customer.id}", {**fields, name: "text", text: "Birk og Søn A/S"})
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Birk og Søn A/S"}
    assert both.said_only(WriteCustomer) == [], "Clickmate follows once e-conomic took it"


def test_a_detail_that_moved_is_refused_alone_and_the_others_are_carried_out(pages: Pages, both: Both) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    browser = arrive(pages)
    fields = form(browser, customer)
    both.in_crm(customer.model_copy(update={"name": "Birk & Sønner ApS"}), 3)
    chosen = {choice(fields, "name"): "economic", choice(fields, "email"): "crm"}
    answer = browser.post(f"/customers/{customer.id}", {**fields, **chosen})
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"email": "new@nordhavn.example"}
    shown = browser.get(answer.headers["location"]).text
    assert "Navn er blevet rettet, efter at du åbnede siden. Se den nye værdi, og vælg igen." in shown
    assert "Sønner" in shown


def test_the_same_form_sent_twice_is_one_decision(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    sent = {**fields, choice(fields, "name"): "economic"}
    first = browser.post(f"/customers/{customer.id}", sent)
    second = browser.post(f"/customers/{customer.id}", sent)
    assert first.headers["location"] == second.headers["location"]
    assert len(decisions(pages)) == 1
    assert len(both.said_only(WriteCustomer)) == 1


def test_left_different_nothing_is_written_and_nothing_is_asked(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    answer = browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "name"): "different"})
    assert both.said_only(WriteEconomicCustomer) == []
    shown = browser.get(answer.headers["location"]).text
    assert "Beholdt forskellige" in shown
    assert decisions(pages) == [("Anne Holm", "done")]


def test_an_id_of_the_crm_may_hold_any_letters(pages: Pages, both: Both) -> None:
    customer = both.linked(7, id="kunde æ 1?", cvr="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", contacts=(), name="Birk og Søn ApS"), 2)
    both.in_crm(customer.model_copy(update={"name": "Birk & Søn ApS"}), 2)
    both.set(paused="[]")
    pages.time = both.time
    browser = arrive(pages)
    path = "/customers/kunde%20%C3%A6%201%3F"
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', browser.get(path).text))
    assert f'href="{CRM}/customers/kunde%20%C3%A6%201%3F">Åbn i Clickmate</a>' in browser.get(path).text
    answer = browser.post(path, {**fields, choice(fields, "name"): "different"})
    assert answer.headers["location"].startswith(f"{path}?decision=")
    assert browser.get(answer.headers["location"]).status_code == 200


def test_undo_puts_the_question_back(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    answer = browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "name"): "different"})
    decision = answer.headers["location"].partition("decision=")[2]
    undone = browser.post(f"/decisions/{decision}/undo", {"form_token": fields["form_token"]})
    assert undone.status_code == 303
    assert "Vælg de rigtige oplysninger (1)" in browser.get(undone.headers["location"]).text


def test_whoever_has_the_same_name_is_another_person_and_undoes_it_only_where_others_may(
    pages: Pages, both: Both
) -> None:
    customer = contested(both, pages)
    browser, namesake = arrive(pages), arrive(pages, sub="u2")
    with pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_bulk", True)
    fields = form(browser, customer)
    answer = browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "name"): "different"})
    undo = f"/decisions/{answer.headers['location'].partition('decision=')[2]}/undo"
    assert namesake.post(undo, {"form_token": namesake.token()}).status_code == 403
    assert browser.post(undo, {"form_token": browser.token()}).status_code == 303
    with pages.engine.connect() as connection:
        assert set(connection.execute(sa.text("select who_id from sync.decision")).scalars()) == {"u1"}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"choice.x.name": "crm"}, 400),
        ({"choice": "nonsense"}, 400),
        ({"decision": "not-an-id"}, 404),
        ({"form_token": "x"}, 403),
        ({}, 303),
        ({"from": "http://elsewhere.example"}, 303),
    ],
)
def test_what_no_page_of_ours_sends_changes_nothing(
    pages: Pages, both: Both, given: dict[str, str], status: int
) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    if "choice" in given:
        given = {choice(fields, "name"): given["choice"]}
    answer = browser.post(f"/customers/{customer.id}", {**fields, **given})
    assert answer.status_code == status
    assert decisions(pages) == []


def test_who_may_only_look_has_no_choices_and_cannot_save(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    able, reader = arrive(pages), arrive(pages, sub="u9", name="Læser", role="reader")
    fields = form(able, customer)
    page = reader.get(f"/customers/{customer.id}")
    assert 'type="radio"' not in page.text
    sent = {**fields, choice(fields, "name"): "crm", "form_token": reader.token()}
    assert reader.post(f"/customers/{customer.id}", sent).status_code == 403
    assert decisions(pages) == []


def test_another_tenants_customer_and_decision_do_not_exist(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    browser = arrive(pages)
    fields = form(browser, customer)
    answer = browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "name"): "different"})
    decision = answer.headers["location"].partition("decision=")[2]
    stranger = pages.arrive(tenant="other", role="admin")
    token = stranger.token()
    assert stranger.get(f"/customers/{customer.id}").status_code == 404
    assert stranger.post(f"/customers/{customer.id}", {**fields, "form_token": token}).status_code == 404
    assert stranger.post(f"/decisions/{decision}/undo", {"form_token": token}).status_code == 404
    for text in (str(uuid4()), "1", "' or 1=1 --"):
        assert browser.get(f"/customers/{text}").status_code == 404
        assert browser.post(f"/decisions/{text}/undo", {"form_token": browser.token()}).status_code == 404


def test_script_in_any_value_is_text(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    both.set(paused='["crm", "economic"]')
    both.in_crm(customer.model_copy(update={"name": "<script>alert(1)</script>"}), 3)
    shown = arrive(pages).get(f"/customers/{customer.id}").text
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_a_question_with_a_page_of_its_own_is_reached_from_the_customer(pages: Pages, both: Both) -> None:
    both.in_economic(sydhavn(cvr="", postcode="5000"), why="import")
    customer = both.new(name="Sydhavn Maler A/S", postcode="5000", city="Odense")
    both.in_crm(customer)
    pages.time = both.time
    browser = arrive(pages)
    shown = browser.get(f"/customers/{customer.id}").text
    found = re.search(r'<li>Findes måske allerede[^<]*<a class="button" href="[^"]*(/tasks/[^"]+)">Vælg<', shown)
    assert found is not None
    assert "samme navn, postnr." in browser.get(found.group(1)).text
    values = contested(both, pages)
    assert "/tasks/" not in browser.get(f"/customers/{values.id}").text, "what is asked there is answered there"


def test_what_one_side_changed_of_a_customer_that_does_not_flow_can_be_chosen(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.stop_flowing()
    both.in_economic(there(customer, 7, "v2", contacts=(), phone="87654321"), 2)
    pages.time = both.time
    browser = arrive(pages)
    shown = browser.get(f"/customers/{customer.id}").text
    assert re.search(r"name=\"choice\.[^\"]+\.phone\"", shown)
    assert ">venter<" not in shown, "nothing is on its way"
    fields = form(browser, customer)
    browser.post(f"/customers/{customer.id}", {**fields, choice(fields, "phone"): "economic"})
    (command,) = both.said_only(WriteCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}


def leads(text: str) -> dict[tuple[str, str], str]:
    """What is offered to be done always: where it leads, by choice and what it says."""
    found = re.findall(r'<a data-take="(\w+)" href="([^"]+)">([^<]+)</a>', text)
    return {(take, said): html.unescape(to) for take, to, said in found}


def test_an_admin_is_led_to_the_preview_of_the_rule_that_always_does_as_chosen(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    admin = arrive(pages, role="admin")
    found = leads(admin.get(f"/customers/{customer.id}").text)
    change = f"{pages.url}/set-up/details/change?"
    assert found == {
        ("crm", "Gør altid sådan med navn (Behold Clickmates)"): f"{change}decides.name=crm",
        ("economic", "Gør altid sådan med navn (Behold e-conomics)"): f"{change}decides.name=economic",
        ("different", "Gør altid sådan med navn (Synkroniseres ikke)"): f"{change}direction.name=none",
    }
    for to in found.values():
        shown = admin.client.get(to)
        assert (shown.status_code, shown.history) == (200, [])
        assert "Navn: Begge systemer, Spørg, Må ikke være tom → " in re.sub(r"<[^>]+>", "", shown.text)
    assert decisions(pages) == []


@pytest.mark.parametrize("role", ["reader", "user"])
def test_nobody_else_is_led_to_the_rules(pages: Pages, both: Both, role: str) -> None:
    customer = contested(both, pages)
    assert "Gør altid sådan" not in arrive(pages, role=role).get(f"/customers/{customer.id}").text
