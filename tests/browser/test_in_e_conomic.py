"""What a bookkeeper does at the sandbox's own pages, in a real browser: each form arrives, and one from elsewhere does not."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from economic_adapter.sandbox import app
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import APP_PUBLIC, Customer, Data
from tests.builders.sandbox import Caller


@pytest.fixture
def economic() -> Iterator[Running]:
    caller = Caller(data=Data(seed=1))
    caller.made(1001, name="Nordhavn Tømrer ApS")
    running = app.serve(caller.data)
    yield running
    running.close()


@pytest.fixture
def page(chromium: Browser, economic: Running) -> Iterator[Page]:
    context = chromium.new_context(locale="da-DK", base_url=economic.url)
    made = context.new_page()
    made.goto("/kunder/1001")
    yield made
    context.close()


def held(economic: Running) -> Customer:
    (agreement,) = [one for one in economic.data.agreements.values() if 1001 in one.customers]
    return agreement.customers[1001]


def test_a_customer_is_edited_and_it_is_said_that_it_was(page: Page, economic: Running) -> None:
    page.fill("input[name=name]", "Nordhavn Tømrer og Søn ApS")
    page.get_by_role("button", name="Gem", exact=True).first.click()
    page.wait_for_url("**/kunder/1001?ok=*")
    assert held(economic).values["name"] == "Nordhavn Tømrer og Søn ApS"


def test_e_conomic_is_taken_away_and_comes_back(page: Page, economic: Running) -> None:
    page.goto("/")
    page.get_by_role("button", name="Tag e-conomic væk i 30 sekunder").click()
    page.get_by_role("button", name="Lad e-conomic svare igen").wait_for()
    assert economic.data.faults.away()[0] > 0
    page.goto("/kunder/1001")  # the bookkeeper still gets in: only the interface is away
    page.fill("input[name=phone]", "70203040")
    page.get_by_role("button", name="Gem", exact=True).first.click()
    page.wait_for_url("**/kunder/1001?ok=*")
    assert held(economic).values["phone"] == "70203040"


def test_an_app_gets_access(page: Page) -> None:
    page.goto(f"/secure/api1/requestaccess.aspx?appPublicToken={APP_PUBLIC}")
    page.get_by_role("button", name="Giv adgang").click()
    page.get_by_text("Adgangen er givet").wait_for()


def test_a_form_of_another_site_saves_nothing(page: Page, economic: Running) -> None:
    there = f"{economic.url}/kunder/1001/slet".replace("127.0.0.1", "localhost")
    page.goto(economic.url.replace("127.0.0.1", "elsewhere.localhost"))
    page.set_content(f'<form method="post" action="{there}"><button>Vind en præmie</button></form>')
    page.get_by_role("button").click()
    page.get_by_text("Intet er gemt").wait_for()
    assert held(economic).values["name"] == "Nordhavn Tømrer ApS"
