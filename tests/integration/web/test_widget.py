"""What stands at the right of a customer in the CRM: in a frame of the CRM alone, without a cookie, for the one customer of its pass."""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from crm_outbox.contract import ContactPerson, Customer, Outcome, Result
from economic_adapter.contract import DAY_LIMIT, EconomicContact, WriteEconomicCustomer, next_day
from reconciler.passes import sign
from reconciler.web.words import Words
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, economic_answered, there
from tests.integration.web.browsing import CRM, KEY, Pages
from tests.integration.web.test_tasks_json import Service


def widget(pages: Pages, shown: str, query: str = "", **given: Any) -> httpx.Response:
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": "user", "customer": shown, **given,
    }  # fmt: skip
    return pages.browser().get(f"/widget?pass={sign('one', KEY, claims)}{query}")


def test_a_linked_customer_says_its_number_and_that_it_is_the_same(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    pages.time = both.time
    shown = widget(pages, customer.id, "&version=1.1")
    assert shown.status_code == 200
    assert "Oplysningerne er ens" in shown.text
    assert "Kundenr. 7" in shown.text
    assert "Sammenlignet nu" in shown.text
    assert f'href="{CRM}/economic/launch?to=%2Fcustomers%2F{customer.id}" target="_top"' in shown.text
    assert "The details are the same" in widget(pages, customer.id, "&version=1.1&lang=en").text


def test_an_edit_that_was_not_heard_of_yet_is_said_to_be_on_its_way(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    pages.time = both.time
    assert "Sender din rettelse til e-conomic ..." in widget(pages, customer.id, "&version=1.2").text


def test_an_edit_that_waits_for_the_next_days_calls_says_so_and_when_it_goes(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    waits = Outcome(operation=command.parts[0].operation, result=Result.WAITING, reason=DAY_LIMIT)
    both.hear(economic_answered(command, waits))
    pages.time = both.time
    again = next_day(both.time)
    shown = widget(pages, customer.id, "&version=1.2").text
    assert "Venter på e-conomic" in shown
    when = Words("da", both.time).brief(again)
    assert f"Dagens grænse for kald til e-conomic er nået. Sendes {when}. Du kan lukke siden." in shown
    english = widget(pages, customer.id, "&version=1.2&lang=en").text
    assert "Today&#39;s limit of calls to e-conomic is reached. Will be sent" in english
    told = Service(pages).get(f"/customers/{customer.id}/status?version=1.2")
    assert (told["state"], told["reason"]) == ("sending", DAY_LIMIT)
    assert datetime.fromisoformat(told["next_try_at"]) == again


def differing(both: Both, pages: Pages) -> Customer:
    """One that does not flow: its address and phone differ, and Ida's phone; of Bo, without a name, e-conomic has no e-mail."""
    held = {"street": "Kajen 1", "postcode": "5000", "city": "Odense", "phone": "11111111"}
    both.set(transfer="hand")
    ida = ContactPerson(id="p1", name="Ida Krag", phone="22222222")
    customer = both.linked_by_hand(7, contacts=(ida,), **held)
    both.stop_flowing()
    hers = EconomicContact(number=1, object_version="b", name="Ida Krag", phone="33333333")
    moved = {"street": "Kajen 2", "postcode": "5100", "city": "Odense C", "phone": ""}
    both.in_economic(there(customer, 7, "v2", contacts=(hers,), **moved), 2)
    bo = ContactPerson(id="p2", name="", email="bo@nordhavn.example")
    both.in_crm(customer.model_copy(update={"contacts": (ida, bo)}), 2)
    pages.time = both.time
    return customer


@pytest.mark.parametrize(
    ("lang", "line", "named"),
    [
        ("da", "4 oplysninger er forskellige", ["Adresse", "Telefon", "Ida Krag: telefon", "Kontaktperson: e-mail"]),
        ("en", "4 details differ", ["Address", "Phone", "Ida Krag: phone", "Contact person: e-mail"]),
    ],
)
def test_the_list_behind_the_number_opens_in_place_with_both_values(
    pages: Pages, both: Both, lang: str, line: str, named: list[str]
) -> None:
    customer = differing(both, pages)
    shown = widget(pages, customer.id, f"&version=1.2&lang={lang}").text
    behind = shown.partition('<details class="differs">')[2].partition("</details>")[0]
    assert f'<summary class="line">{line}</summary>' in behind
    assert re.findall(r'<th scope="row">([^<]*)</th>', behind) == named
    values = re.findall(r'<td data-label="(?:Clickmate|e-conomic)">(?:<[^>]*>)?([^<]*)', behind)
    empty = "(tomt)" if lang == "da" else "(empty)"
    assert values == [
        "Kajen 1\n5000 Odense\nDanmark", "Kajen 2\n5100 Odense C\nDanmark", "11 11 11 11", empty,
        "22 22 22 22", "33 33 33 33", "bo@nordhavn.example", empty,
    ]  # fmt: skip
    assert ("Vis forskelle" if lang == "da" else "Show differences") in shown


def test_before_the_version_on_the_screen_was_compared_nothing_is_listed(pages: Pages, both: Both) -> None:
    customer = differing(both, pages)
    shown = widget(pages, customer.id, "&version=1.3").text
    assert "Sammenligner med e-conomic ..." in shown
    assert "differs" not in shown


def test_of_very_many_that_differ_the_first_are_listed_and_how_many_there_are(pages: Pages, both: Both) -> None:
    customer = differing(both, pages)
    people = tuple(ContactPerson(id=f"q{n}", name=f"Person {n}") for n in range(30))
    both.in_crm(customer.model_copy(update={"contacts": people}), 3)
    shown = widget(pages, customer.id, "&version=1.3").text
    assert shown.count("<tbody>") == 20
    assert "Der er" in shown.partition("</table>")[2]


def test_it_may_be_framed_by_the_crm_alone_and_sets_no_cookie(pages: Pages) -> None:
    shown = widget(pages, "48211")
    assert f"frame-ancestors {CRM}" in shown.headers["content-security-policy"]
    assert "set-cookie" not in shown.headers
    assert "Integrationen med e-conomic er ikke sat op" in shown.text


@pytest.mark.parametrize(
    "given", [{"exp": 0}, {"role": "owner"}, {"aud": "launch"}, {"customer": ""}, {"tenant": ""}], ids=str
)
def test_a_pass_that_does_not_hold_shows_nothing_of_a_customer(pages: Pages, both: Both, given: dict[str, Any]) -> None:
    customer = both.linked(7, cvr="12345678")
    shown = widget(pages, customer.id, **given)
    assert shown.status_code == 401
    assert "Kundenr." not in shown.text


def test_a_pass_of_another_tenant_knows_nothing_of_this_ones_customer(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    assert "Integrationen med e-conomic er ikke sat op" in widget(pages, customer.id, tenant="other").text
