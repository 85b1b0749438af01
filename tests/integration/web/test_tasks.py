"""What waits for a person stands in one list, the oldest first; of another tenant nothing does."""

import pytest

from tests.builders.meeting import Both
from tests.builders.sync import TENANT, there
from tests.integration.web.browsing import Pages


def test_a_question_leads_to_its_customer_and_says_what_it_is_about(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="Nordhavn A/S", contacts=()), 2)
    both.in_crm(customer.model_copy(update={"name": "Nordhavn Gruppen"}), 2)
    both.set(paused="[]")
    both.in_crm(customer.model_copy(update={"name": "Nordhavn Gruppen", "city": customer.city}), 3)
    pages.time = both.time
    shown = pages.arrive(tenant=TENANT).get().text
    assert "Vælg de rigtige oplysninger (1)" in shown
    assert f'/customers/{customer.id}?from=list">Nordhavn Gruppen</a>' in shown
    assert "Navn" in shown.partition("Nordhavn Gruppen</a>")[2]
    assert "Intet venter på dig." in pages.arrive(tenant="other").get().text


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "2"])
def test_a_page_that_is_not_there_is_empty_and_no_mistake(pages: Pages, page: str) -> None:
    assert pages.arrive().get(f"/?page={page}").status_code == 200
