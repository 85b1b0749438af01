"""A company whose two systems were kept by hand, and an admin at the pages who switches it on: what a test of them needs."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from economic_adapter.contract import RunImport
from reconciler import clock, proposing, running, runs, undoing
from reconciler.runs import Run
from tests.builders.company import Company
from tests.builders.crm import a_customer, a_person
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen, there
from tests.integration.web.browsing import Browser, Pages


@dataclass
class Admin:
    """An admin's browser, the company behind it, and the clock that is turned when the test says so."""

    pages: Pages
    company: Company
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")

    def text(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers)
        return answer.text

    def press(self, path: str, **fields: Any) -> str:
        """Send a form; the path it leads to."""
        answer = self.browser.post(path, {"form_token": self.browser.token("/"), **fields})
        assert answer.status_code == 303, (path, answer.status_code, answer.text)
        return str(answer.headers["location"])

    def turn(self) -> None:
        """The clock looks once; both sides answer a reading that was asked for."""
        if self.asked_to_read():
            self.company.wire.read = 0
            self.company.read()
        proposing.carry_on(self.company.wire.engine, self.company.wire.clocked)

    def asked_to_read(self) -> bool:
        with self.company.wire.engine.connect() as connection:
            found = runs.latest(connection, TENANT, AGREEMENT, ["read"])
        return found is not None and found.ended is None

    def carry_out(self) -> None:
        """Everything that goes on goes on until nothing does."""
        wire = self.company.wire
        for _ in range(8):
            while (
                clock.follow_runs(wire.engine, wire.clocked)
                + running.carry_out(wire.engine, wire.clocked)
                + undoing.undo(wire.engine, wire.clocked)
            ):
                wire.later(seconds=2)
                self.company.work()
            self.company.work()
            wire.later(seconds=2)
        self.pages.time = wire.time

    def newest(self, kind: str = "switch_on", *, trial: bool = False) -> Run:
        with self.company.wire.engine.connect() as connection:
            found = runs.newest(connection, TENANT, AGREEMENT, kind, trial=trial)
        assert found is not None
        return found

    def run(self, run: UUID) -> Run:
        with self.company.wire.engine.connect() as connection:
            found = runs.find(connection, run)
        assert found is not None
        return found

    def previewed(self, path: str = "/set-up/preview", **chosen: Any) -> str:
        """The page of a preview that was just made."""
        self.press(path, **chosen)
        self.turn()
        return self.text(path)

    def confirm(self, page: str, **chosen: str) -> str:
        """Press the button that carries the counts, with what is ticked there and what is ``chosen`` since."""
        found = re.search(r'action="[^"]*(/runs/[^/"]+/confirm|/transfer)"(.*?)</form>', page, re.DOTALL)
        assert found is not None
        path, form = found.groups()
        fields = dict(re.findall(r'type="hidden" name="(count\.[a-z]+|run)" value="([^"]+)"', form))
        if path == "/transfer":
            fields |= {"to": "carry-out", **dict(re.findall(r'name="([^"]+)" value="([^"]+)" checked', form))}
        return self.press(path, **fields, **chosen)

    def switch_on(self) -> None:
        """From nothing to on."""
        self.previewed()
        self.confirm(self.text("/set-up/switch-on"))
        self.turn()
        self.company.wire.switch(customers=len(self.company.economic))
        self.carry_out()


def company(pages: Pages) -> Company:
    """Two that are the same by CVR, one a suggestion and blocked, a lead, and one only on each side, with a person there."""
    made = Company(Wire(engine=pages.engine, time=pages.time))
    made.wire.hear(agreement_seen(made.wire.time, state="connected"))
    alike = a_customer(id="alike", name="Alfa ApS", cvr="13748136", phone="", mobile="11111111")
    spelled = a_customer(id="spelled", name="Zeta ApS", cvr="DK 35 20 45 39")
    perhaps = a_customer(id="perhaps", name="Beta Tømrer", postcode="8000", city="Aarhus")
    made.here(alike, spelled, perhaps, a_customer(id="lead", name="Gamma <b>", stage="lead"))
    made.here(a_customer(id="only", name="Delta", cvr="11111119"))
    person = a_person(name="Anne Holm", email="anne@epsilon.example")
    made.there(
        there(alike.model_copy(update={"phone": "22222222", "mobile": "33333333"}), 1, "a"),
        there(spelled.model_copy(update={"cvr": "35204539"}), 2, "a"),
        there(perhaps.model_copy(update={"city": "Århus C"}), 5, "a", barred=True),
        there(a_customer(name="Epsilon", cvr="22222228", contacts=(person,)), 9, "a"),
    )
    made.wire.later(seconds=1)
    pages.time = made.wire.time
    return made


def asked_to_read(company: Company) -> list[RunImport]:
    """Readings that were asked for since the last question."""
    return company.wire.said_only(RunImport)
