"""Our own page of a customer tells of it what the box beside it tells, and follows what e-conomic answers."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from crm_outbox.contract import Customer, Stage
from reconciler.person import Role
from tests.builders.crm import a_customer, a_person
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, there
from tests.integration.web.acting import Door, Opens
from tests.integration.web.browsing import Browser, Pages
from tests.integration.web.looking import Watching


def follows(shown: str) -> tuple[str, str]:
    """What the page's script asks for, and the mark of what it has."""
    found = re.search(r'data-ask="([^"]*)" data-etag="([^"]*)"', shown)
    assert found is not None
    address, mark = (html.unescape(one) for one in found.groups())
    return address, mark


def asked(browser: Browser, address: str, mark: str = "", **query: str) -> httpx.Response:
    return browser.client.get(httpx.URL(address).copy_merge_params(query), headers={"if-none-match": mark})


def test_it_has_badges_what_else_waits_and_how_many_persons_are_the_same(pages: Pages, both: Both, door: Opens) -> None:
    persons = (a_person(id="p1", name="Mette Holm"), a_person(id="p2", name="Bo Lund", email="bo@nordhavn.example"))
    customer = both.linked(7, cvr="12345678", phone="12345678", contacts=persons)
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="Nordhavn B", contacts=(), barred=True), 2)
    both.in_crm(customer.model_copy(update={"name": "Nordhavn A", "phone": "87654321"}), 2)
    pages.time = both.time
    shown = door(customer).status()
    assert "Synkroniseringen er sat på pause" in shown
    assert '<span class="badge">Spærret i e-conomic</span>' in shown
    assert "1 oplysning venter også på dit valg" in shown
    assert "0 af 2 kontaktpersoner er ens" in shown
    assert 'data-copy="7"' in shown


def test_a_lead_is_marked_as_one_and_who_may_not_act_sees_who_can(pages: Pages, both: Both) -> None:
    pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="Nordhavn B", contacts=()), 2)
    both.in_crm(customer.model_copy(update={"name": "Nordhavn A", "stage": Stage.LEAD}), 2)
    both.set(paused="[]")
    pages.time = both.time
    reader = Door(pages, customer.id, framed=False, role="reader", sub="l", name="Lars Bak").status()
    assert "Det kan en administrator: Mette Krogh" in reader
    assert '<span class="badge">Emne</span>' in reader
    assert "Det kan en administrator" not in Door(pages, customer.id, framed=False, role="admin").status()


def test_the_page_follows_what_e_conomic_answers(watching: Watching, customer: Customer) -> None:
    browser = watching.pages.arrive(tenant=TENANT)
    shown = browser.get(f"/customers/{customer.id}?from=list").text
    assert "Oplysningerne var ens" in shown
    (look,) = watching.looks()
    assert look.look is not None
    address, mark = follows(shown)
    assert urlsplit(address).path == f"/customers/{customer.id}/status"
    assert parse_qs(urlsplit(address).query)["from"] == ["list"]
    same = asked(browser, address, mark)
    assert (same.status_code, same.content) == (304, b"")
    watching.later(seconds=1)
    looking = asked(browser, address, mark)
    assert ('data-freshness="looking"' in looking.text, '<input type="hidden" name="from" value="list">' in looking.text) == (
        True, True,
    )  # fmt: skip
    watching.answer(look.look, customer, 7, 2)
    after = asked(browser, address, mark).text
    assert ("Oplysningerne er ens" in after, "Sammenlignet nu" in after, "data-reload" in after) == (True, True, False)
    assert watching.looks() == [], "following asks for nothing"
    watching.later(minutes=1)
    asked(browser, address, look="true")
    assert len(watching.looks()) == 1


def test_it_says_when_the_values_beside_each_other_are_old(watching: Watching, customer: Customer) -> None:
    browser = watching.pages.arrive(tenant=TENANT)
    address, mark = follows(browser.get(f"/customers/{customer.id}").text)
    (look,) = watching.looks()
    assert look.look is not None
    watching.answer(look.look, customer, 7, 2, phone="11223344")
    after = asked(browser, address, mark).text
    assert "Kunden er rettet, efter at du åbnede siden" in after
    assert "data-reload" in after
    assert "data-reload" not in browser.get(f"/customers/{customer.id}").text


@pytest.mark.parametrize("role", ["reader", "user", "admin"])
def test_it_is_told_to_whoever_is_signed_in_and_of_that_tenant(
    watching: Watching, customer: Customer, role: Role
) -> None:
    address, _ = follows(watching.pages.arrive(tenant=TENANT).get(f"/customers/{customer.id}").text)
    assert asked(watching.pages.arrive(tenant=TENANT, role=role), address).status_code == 200
    assert asked(watching.pages.browser(), address).status_code == 401
    assert asked(watching.pages.arrive(tenant="other"), address).status_code == 404


def test_a_customer_that_was_never_heard_of_has_none(pages: Pages, both: Both) -> None:
    assert pages.arrive().get(f"/customers/{a_customer().id}/status").status_code == 404
