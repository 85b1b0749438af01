"""A person at a browser, in the words of a test: signed in from the CRM, looking at pages, pressing buttons."""

import re
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from reconciler.passes import sign

CRM = "http://crm.localhost:9"
KEY = bytes(range(32))
KEYS = {"one": KEY}
CONNECT = "http://hooks.localhost:9/connect/economic"
CONNECT_KEY = b"c" * 32
TENANT = "t"
TLS = ssl.create_default_context()
"""Given to every client: reading the machine's certificates anew would cost more than most requests do."""


def ask(method: str, url: str, **given: Any) -> httpx.Response:
    """One request on a connection of its own, as a service makes it."""
    return httpx.request(method, url, verify=TLS, timeout=60, **given)


@dataclass
class Browser:
    """One browser with its cookies; it sends what browsers send, unless the test says otherwise."""

    url: str
    client: httpx.Client = field(  # how long an answer takes says how busy the machine is
        default_factory=lambda: httpx.Client(headers={"accept-language": "da"}, timeout=60, verify=TLS)
    )

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return self.client.get(self.url + path, headers=headers)

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> httpx.Response:
        """Send a form of our own pages."""
        return self.client.post(self.url + path, data=fields, headers={"sec-fetch-site": "same-origin", **headers})

    def token(self, path: str = "/") -> str:
        """What a form of that page carries."""
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(path).text)
        assert found is not None
        return found.group(1)


@dataclass
class Pages:
    """The running pages."""

    engine: sa.Engine
    url: str
    time: datetime
    _browsers: list[Browser] = field(default_factory=list)

    def later(self, **given: float) -> None:
        self.time += timedelta(**given)

    def launch(self, **given: Any) -> str:
        """A pass as the CRM signs it for a sign-in; only what the test names matters."""
        at = int(self.time.timestamp())
        claims = {
            "aud": "launch", "jti": uuid4().hex, "iat": at, "exp": at + 60, "tenant": TENANT, "sub": "u1",
            "name": "Anne Holm", "role": "user", "return_to": f"{CRM}/customers/48211",
        }  # fmt: skip
        return sign("one", KEY, {**claims, **given})

    def browser(self) -> Browser:
        self._browsers.append(Browser(self.url))
        return self._browsers[-1]

    def close(self) -> None:
        for one in self._browsers:
            one.client.close()

    def arrive(self, to: str = "/", **given: Any) -> Browser:
        """Somebody whom the CRM just sent here."""
        browser = self.browser()
        answer = browser.client.post(f"{self.url}/launch", data={"pass": self.launch(**given), "to": to})
        assert answer.status_code == 303, answer.text
        return browser
