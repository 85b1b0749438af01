"""How does the tour use our pages? As a person's browser does: signed in by the CRM, reading forms and sending them."""

import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from reconciler.passes import sign


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and what it would send as it stands."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    """What may be chosen, by the name of the choice; none is chosen."""


class Page(HTMLParser):
    """A page as it was read: its forms, by their id or their action, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.forms: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._loose: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        for owner, given in self._loose:
            self._keep(self._by_id[owner], given)

    def form(self, ending: str) -> Form:
        """The form that is sent to an address that ends so; ``LookupError`` where there is none."""
        for one in self.forms:
            if one.method.lower() == "post" and urlsplit(one.action).path.endswith(ending):
                return one
        raise LookupError(f"no form is sent to {ending}; there are {[one.action for one in self.forms]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
            if "id" in given:
                self._by_id[given["id"]] = self._open
        elif tag in {"input", "textarea"} and given.get("name"):
            if "form" in given:
                self._loose.append((given["form"], given))
            elif self._open is not None:
                self._keep(self._open, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    @staticmethod
    def _keep(form: Form, given: dict[str, str]) -> None:
        if given.get("type") == "radio":
            form.choices.setdefault(given["name"], []).append(given.get("value", ""))
        elif given.get("type") == "hidden":
            form.fields.append((given["name"], given.get("value", "")))


class Visitor:
    """A person at our pages, signed in as the demo's CRM signs people in."""

    def __init__(self, pages: str, crm: str, keys: str, *, tenant: str, who: str, name: str, role: str) -> None:
        self._pages = pages
        self._http = httpx.Client(follow_redirects=True, timeout=20, headers={"accept-language": "en", "origin": crm})
        key_id, _, key = keys.partition("=")
        now = int(time.time())
        claims = {
            "aud": "launch", "jti": uuid4().hex, "iat": now, "exp": now + 60, "tenant": tenant, "sub": who,
            "name": name, "role": role, "return_to": crm, "lang": "en",
        }  # fmt: skip
        held = sign(key_id, bytes.fromhex(key), claims)
        self._http.post(f"{pages}/launch", data={"pass": held, "to": "/"}).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def look(self, path: str) -> Page:
        """Open a page."""
        return Page(self._http.get(f"{self._pages}{path}").raise_for_status().text)

    def press(self, form: Form, **chosen: str) -> Page:
        """Send a form as it stands with what was chosen; the page it leads to."""
        sent: dict[str, list[str]] = {}
        for name, value in (*form.fields, *chosen.items()):
            sent.setdefault(name, []).append(value)
        at = form.action if form.action.startswith("http") else f"{self._pages}{form.action}"
        headers = {"sec-fetch-site": "same-origin", "origin": self._pages}
        return Page(self._http.post(at, data=sent, headers=headers).raise_for_status().text)

    def status(self, customer: str, key: str) -> dict[str, object]:
        """How a customer stands, by the JSON."""
        headers = {"authorization": f"Bearer {key}"}
        answer = self._http.get(f"{self._pages}/api/v1/customers/{customer}/status", headers=headers)
        found: dict[str, object] = answer.raise_for_status().json()
        return found
