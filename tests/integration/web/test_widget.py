"""What stands at the right of a customer in the CRM: in a frame of the CRM alone, without a cookie, for the one customer of its pass."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from crm_outbox.contract import Outcome, Result
from economic_adapter.contract import DAY_LIMIT, WriteEconomicCustomer, next_day
from reconciler.passes import sign
from reconciler.web.words import Words
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, economic_answered
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
