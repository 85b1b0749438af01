"""An admin connects in a real browser, by way of e-conomic's own page on another site, and by a key that is pasted."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from crm_outbox.messaging.server import Server
from economic_adapter.sandbox.app import Running
from tests.integration.economic_adapter.parts import AGREEMENT, GRANT, TENANT, Parts
from tests.integration.economic_adapter.test_server import given, invitation, parts, server

__all__ = ["given", "parts", "server"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="da-DK")
    yield context.new_page()
    context.close()


@pytest.fixture
def invited(
    given: dict[str, str],
    server: Server,
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Page:
    page.goto(invitation(given, monkeypatch, capsys))
    return page


def test_access_is_given_at_e_conomic_which_is_another_site(invited: Page, parts: Parts, sandbox: Running) -> None:
    there = sandbox.url.replace("127.0.0.1", "economic.localhost")
    install = invited.locator("a.button").get_attribute("href")
    assert install is not None
    invited.evaluate("address => { location.href = address }", install.replace(sandbox.url, there))
    invited.get_by_role("button", name="Giv adgang").click()
    invited.get_by_text(f"aftale {AGREEMENT}").wait_for()
    assert invited.url == parts.settings.public_url + "/connect/economic"
    assert (parts.agreement().state, parts.agreement().tenant) == ("connected", TENANT)


def test_a_key_is_pasted(invited: Page, parts: Parts) -> None:
    invited.fill("input[name=grant]", "nobodys-grant")
    invited.get_by_role("button", name="Brug nøglen").click()
    invited.get_by_text("Du gav ikke Clickmate adgang").wait_for()
    invited.fill("input[name=grant]", GRANT)
    invited.get_by_role("button", name="Brug nøglen").click()
    invited.get_by_text(f"aftale {AGREEMENT}").wait_for()
    assert parts.agreement().state == "connected"
