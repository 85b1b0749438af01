"""Somebody new connects an agreement from the set-up page: to the adapter, to e-conomic and back, in at most six clicks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.messaging.server import Server
from economic_adapter import duties
from economic_adapter.contract import AgreementObserved, InstallationObserved
from economic_adapter.sandbox.app import Running
from tests.builders.sync import TENANT, Wire
from tests.integration.economic_adapter.parts import Parts, environ
from tests.integration.web.browsing import CONNECT_KEY, Pages
from tests.integration.web.serving import free_port, served

MOST_CLICKS = 6


@dataclass
class Person:
    """A browser that follows links and sends forms, and counts what is pressed; it goes from site to site."""

    client: httpx.Client
    at: str = ""
    text: str = ""
    clicks: int = 0
    seen: list[str] = field(default_factory=list)

    def go(self, address: str) -> None:
        self._shown(self.client.get(address))

    def follow(self, words: str) -> None:
        """Press a link that says so."""
        found = re.search(rf'href="([^"]+)"[^>]*>{re.escape(words)}</a>', self.text)
        assert found is not None, (words, self.text)
        self.clicks += 1
        self._shown(self.client.get(urljoin(self.at, unescape(found.group(1)))))

    def press(self, words: str) -> None:
        """Press a button that says so, with everything its form holds."""
        for form in re.findall(r"<form.*?</form>", self.text, re.DOTALL):
            button = re.search(rf"<button([^>]*)>\s*{re.escape(words)}", form)
            if button is None:
                continue
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
            fields |= dict(re.findall(r'name="([^"]+)" value="([^"]*)"', button.group(1)))
            fields |= dict(re.findall(r'<select[^>]*name="([^"]+)"><option value="([^"]*)"', form))
            action = re.search(r'<form[^>]*action="([^"]*)"', form)
            self.clicks += 1
            where = urljoin(self.at, unescape(action.group(1)) if action else "")
            headers = {"sec-fetch-site": "same-origin"}
            self._shown(self.client.post(where, data={k: unescape(v) for k, v in fields.items()}, headers=headers))
            return
        raise AssertionError((words, self.text))

    def _shown(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, (answer.url, answer.status_code, answer.text)
        self.at, self.text = str(answer.url), answer.text
        self.seen.append(urlsplit(self.at).path)


@dataclass
class Stage:
    """The pages, the adapter's own pages and the sandbox, each on an address of its own; messages are carried by hand."""

    pages: Pages
    parts: Parts
    wire: Wire
    carried: int = 0

    def carry(self) -> None:
        """What the adapter told is heard."""
        told = [one for one in self.parts.told() if isinstance(one.data, AgreementObserved | InstallationObserved)]
        for one in told[self.carried :]:
            self.wire.hear(one)
        self.carried = len(told)


@pytest.fixture
def stage(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Stage]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = environ(database, None, sandbox, HOOKS_PUBLIC_URL=url, CONNECT_KEY=CONNECT_KEY.decode())
    parts = Parts(given, engine)
    pages_of_adapter = Server(duties.http(parts.settings, engine, parts.client, lambda: None), "127.0.0.1", port)
    with served(engine, hooks_url=url) as pages:
        pages.time = datetime.now(UTC)  # the adapter judges by the clock how old an invitation is
        yield Stage(pages=pages, parts=parts, wire=Wire(engine=engine, time=pages.time))
    pages_of_adapter.close()
    parts.close()


@pytest.fixture
def person(stage: Stage) -> Person:
    browser = stage.pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    browser.client.follow_redirects = True
    return Person(client=browser.client)


def test_from_nothing_to_the_right_agreement(stage: Stage, person: Person) -> None:
    duties.tell_installation(stage.parts.settings, stage.parts.engine)
    stage.carry()
    person.go(f"{stage.pages.url}/set-up")
    person.follow("Forbind til e-conomic")
    assert "Du logger ind hos e-conomic og giver Clickmate adgang." in person.text
    person.follow("Forbind til e-conomic")
    assert person.at.startswith(stage.parts.settings.login_url)
    person.press("Giv adgang")
    assert "I er forbundet med Nordhavn Tømrer ApS, aftale 123456." in person.text
    assert "token=" not in person.at
    stage.carry()
    person.follow("Tilbage til opsætningen i Clickmate")
    assert "I er forbundet med Nordhavn Tømrer ApS, aftale 123456. Er det den rigtige?" in person.text
    person.press("Ja")
    assert "Er det den rigtige?" not in person.text
    assert person.clicks <= MOST_CLICKS
    person.go(f"{stage.pages.url}/history?person=m")
    assert person.text.count("Gav adgang til e-conomic") == person.text.count("Mette Krogh</th>") - 1 == 1
    assert stage.parts.agreement().tenant == TENANT
