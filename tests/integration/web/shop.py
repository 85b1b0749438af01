"""A company whose two systems differ in many customers, and somebody who settles them: what a test of many at once needs."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from crm_outbox.contract import Customer
from reconciler import bulking, bulks, clock, joining, running, undoing
from reconciler.bulks import Bulk
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.meeting import Both, by_hand
from tests.builders.sync import AGREEMENT, TENANT, economic_seen, there
from tests.integration.web.browsing import Browser, Pages


@dataclass
class Shop:
    """Both systems, the clock that is turned when a test says so, and browsers whose clicks are counted."""

    pages: Pages
    both: Both = field(init=False)
    company: Company = field(init=False)

    def __post_init__(self) -> None:
        self.both = Both(engine=self.pages.engine, time=self.pages.time)
        self.both.switch_on()
        by_hand(self.both)
        self.both.set(rules='{"customer": {"phone": {}}}')  # people are asked about phones too
        self.company = Company(wire=self.both)
        self.pages.time = self.both.time

    def linked(self, number: int, *, elsewhere: dict[str, Any] | None = None, **given: Any) -> Customer:
        """A customer that both had when it was linked; what is given as ``elsewhere`` e-conomic holds otherwise."""
        customer = a_customer(**{"id": f"c{number}", "name": f"Kunde {number}", **given})
        self.company.here(customer)
        other = there(customer, number, "v1", **(elsewhere or {}))
        self.company.economic[number], self.company.counters[number] = other, 1
        self.both.hear(economic_seen(other, 1, why="import"))
        with self.pages.engine.begin() as connection:
            joining.link(self.both.clocked, connection, TENANT, AGREEMENT, customer.id, number, by="person")
        self.company.work()
        return customer

    def carry_out(self) -> None:
        """Everything that goes on goes on until nothing does."""
        both = self.both
        while True:
            moved = bulking.carry_on(both.engine, both.clocked) + len(self.company.work())
            moved += clock.tell_due(both.engine, both.clocked) + undoing.undo(both.engine, both.clocked)
            moved += running.carry_out(both.engine, both.clocked)
            if not moved:
                return
            both.later(seconds=2)
            self.pages.time = both.time

    def arrive(self, role: str = "user", **given: Any) -> "Clicks":
        return Clicks(self.pages.arrive(tenant=TENANT, role=role, **given))

    def bulk(self, path: str) -> Bulk:
        with self.pages.engine.connect() as connection:
            found = bulks.find(connection, TENANT, UUID(path.rpartition("/")[2].partition("?")[0]))
        assert found is not None
        return found


@dataclass
class Clicks:
    """A browser that stands on a page: links are followed and buttons pressed by what they say, and counted."""

    browser: Browser
    at: str = "/"
    text: str = ""
    clicks: int = 0

    def open(self, path: str) -> "Clicks":
        """A page that is opened by its address, which is no click."""
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        self.at, self.text = path, answer.text
        return self

    def follow(self, says: str) -> "Clicks":
        """Press the link that says so."""
        self.clicks += 1
        for target, inner in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.text, re.DOTALL):
            if " ".join(re.sub(r"<[^>]+>", "", inner).split()) == says:
                return self.open(self._path(target))
        raise AssertionError(f"no link says {says}: {self.text}")

    def press(self, says: str, **more: Any) -> "Clicks":
        """Press the button that says so; what it leads to is opened."""
        self.clicks += 1
        answer = self.send(says, **more)
        assert answer.status_code == 303, (says, answer.status_code, answer.text)
        return self.open(answer.headers["location"])

    def send(self, says: str, **more: Any) -> httpx.Response:
        """What pressing that button is answered with."""
        target, fields = self.form(says)
        return self.browser.post(target, {**fields, **more})

    def form(self, says: str) -> tuple[str, dict[str, Any]]:
        """The form of the button that says so: where it goes and what it carries, each box as it is ticked."""
        for target, inner in re.findall(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', self.text, re.DOTALL):
            for attributes, what in re.findall(r"<button([^>]*)>(.*?)</button>", inner, re.DOTALL):
                if " ".join(re.sub(r"<[^>]+>", "", what).split()) == says:
                    fields: dict[str, Any] = {}
                    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inner):
                        fields[name] = value.replace("&amp;", "&")
                    for box in re.findall(r'<input type="checkbox"[^>]*>', inner):
                        if " checked" in box:
                            name, value = re.findall(r'(?:name|value)="([^"]*)"', box)
                            fields.setdefault(name, []).append(value)
                    fields |= dict(re.findall(r'name="([^"]+)" value="([^"]*)"', attributes))
                    return self._path(target), fields
        raise AssertionError(f"no button says {says}: {self.text}")

    def _path(self, target: str) -> str:
        return "/" + target.removeprefix(self.browser.url).lstrip("/").replace("&amp;", "&")
