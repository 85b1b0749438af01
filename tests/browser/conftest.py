"""A real Chromium in front of the real pages: the app on its socket, the real database behind it."""

import json
import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from reconciler.rules import Transfer
from tests.browser.screens import Screens
from tests.builders.meeting import Both
from tests.integration.web.browsing import Pages
from tests.integration.web.conftest import pages

__all__ = ["pages"]


@pytest.fixture(scope="module")
def chromium(server_addresses: dict[str, str]) -> Iterator[Browser]:
    """One browser a file: while it runs, the main thread counts as one with an event loop."""
    environ = {**os.environ, **json.loads(server_addresses["browser environ"])}
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=server_addresses["browser"],
            env=environ,
            args=["--no-sandbox", "--disable-gpu"],
            timeout=120_000,
        )
        yield made
        made.close()


@pytest.fixture
def screens(chromium: Browser, pages: Pages, request: pytest.FixtureRequest) -> Iterator[Screens]:
    """Windows on the pages."""
    made = Screens(chromium=chromium, pages=pages, pictures=request.config.option.pictures)
    yield made
    made.close()


@pytest.fixture
def both(pages: Pages) -> Both:
    """Both systems connected and on; the time stands still in the pages too."""
    wire = Both(engine=pages.engine)
    wire.switch_on(Transfer.CREATED)
    pages.time = wire.time
    return wire
