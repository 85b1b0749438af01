"""A save is killed at every statement and every commit, on the page and where its answers are heard: no decision is ever half."""

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from crm_outbox.messaging.envelope import Envelope
from deploy.local import ports
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import decided
from reconciler.link import Link
from tests.builders.meeting import Both
from tests.builders.sync import crm_answered, done, economic_answered, there
from tests.faults import halting
from tests.forked import Child
from tests.integration.web.browsing import Browser, Pages
from tests.integration.web.conftest import both, pages
from tests.integration.web.test_settling import arrive, choice
from tests.waiting import eventually

__all__ = ["both", "pages"]
DETAILS = ("name", "email", "phone")
MOST = 90
"""Passes no save comes near."""
LEAST = 200
"""Deaths that a walk must have seen."""


@dataclass
class Walk:
    """One customer that is settled again and again, each time with everybody dying one pass later."""

    pages: Pages
    both: Both
    folder: Path
    customer: Customer
    number: int = 7
    crm_version: int = 1
    economic_version: int = 1
    deaths: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    def victim(self, point: int, what: str, **given: str) -> Child:
        environ = {
            "HALTING_DATABASE": self.pages.engine.url.render_as_string(hide_password=False),
            "HALTING_NOW": self.pages.time.isoformat(),
            "HALTING_ARMED": str(self.folder / "armed"),
            **given,
        }
        return halting.victim(point, what, self.folder / "victim.log", environ)

    def contest(self, turn: int) -> None:
        """Name, e-mail and phone are changed on both sides."""
        here = {"name": f"Birk {turn} ApS", "email": f"a{turn}@birk.example", "phone": f"1{turn:07d}"}
        beyond = {"name": f"Søn {turn} ApS", "email": f"b{turn}@birk.example", "phone": f"2{turn:07d}"}
        self.both.set(paused='["crm", "economic"]')
        self.both.later(minutes=1)
        self.customer = self.customer.model_copy(update=here)
        self.economic_version += 1
        self.both.in_economic(
            there(self.customer, self.number, f"e{turn}", contacts=(), **beyond), self.economic_version
        )
        self.crm_version += 1
        self.both.in_crm(self.customer, self.crm_version)
        self.both.set(paused="[]")
        self.both.said()
        self.pages.time = self.both.time

    def save(self, point: int) -> UUID:
        """Choose e-mail of e-conomic, name of Clickmate and a new phone; die at that pass, be whole, and press again."""
        browser = arrive(self.pages)
        text = browser.get(f"/customers/{self.customer.id}").text
        fields = fields_of(text)
        phone = choice(fields, "phone")
        sent = {
            **fields,
            choice(fields, "name"): "crm",
            choice(fields, "email"): "economic",
            phone: "text",
            f"text.{phone.removeprefix('choice.')}.phone": "55555555",
        }
        return self._pressed(point, browser, f"/customers/{self.customer.id}", sent)

    def undo(self, point: int, decision: UUID) -> UUID:
        """Undo that decision, in the same way."""
        browser = arrive(self.pages)
        sent = {"form_token": browser.token(), "decision": str(uuid4())}
        return self._pressed(point, browser, f"/decisions/{decision}/undo", sent)

    def _pressed(self, point: int, browser: Browser, path: str, sent: Mapping[str, str]) -> UUID:
        decision = UUID(sent["decision"])
        if self._dies_posting(point, browser, path, sent):
            self.deaths += 1
            self.is_whole(decision)
        assert browser.post(path, dict(sent)).status_code == 303
        return decision

    def _dies_posting(self, point: int, browser: Browser, path: str, sent: Mapping[str, str]) -> bool:
        (port,), ready, armed = ports.free(1), self.folder / "ready", self.folder / "armed"
        ready.unlink(missing_ok=True)
        given = {"HALTING_PORT": str(port), "HALTING_READY": str(ready), "HALTING_URL": self.pages.url}
        child = self.victim(point, "web", **given)
        eventually(ready.exists, within=60, every=0.01)
        armed.touch()
        try:
            elsewhere = Browser(f"http://127.0.0.1:{port}", client=browser.client)
            elsewhere.post(path, dict(sent))
        except httpx.TransportError:
            return True
        else:
            return False
        finally:
            armed.unlink()
            child.kill()
            child.wait(60)

    def hear(self, point: int, envelope: Envelope, decision: UUID) -> None:
        """Somebody dies hearing that answer; it is delivered again."""
        message, armed = self.folder / "message", self.folder / "armed"
        message.write_bytes(pickle.dumps(envelope))
        armed.touch()
        child = self.victim(point, "hear", HALTING_MESSAGE=str(message))
        code = child.wait(60)
        armed.unlink()
        assert code in {0, -9}, (self.folder / "victim.log").read_text("utf-8")
        if code:
            self.deaths += 1
            self.is_whole(decision)
        self.both.hear(envelope)

    def held(self) -> tuple[dict[str, str], dict[str, str]]:
        """What each side holds of the details, as it is known."""
        here, beyond = _held(self.link(), "crm"), _held(self.link(), "economic")
        return {name: here[name] for name in DETAILS}, {name: beyond[name] for name in DETAILS}

    def link(self) -> Link:
        return self.both.of(self.customer.id)

    def is_whole(self, decision: UUID) -> None:
        """It was not stored at all, or each part stands as a choice or has ended, and every open write has its command."""
        with self.pages.engine.connect() as connection:
            saved = decided.get(connection, decision)
            told = connection.execute(
                sa.text("select string_agg(convert_from(body, 'utf-8'), ' ') from sync.outbox")
            ).scalar()
        link = self.link()
        standing = {name for name, one in link.customer.chosen.items() if one.decision == decision}
        if saved is None:
            assert not standing
            return
        ended = {one.detail for one in saved.outcome}
        assert standing | ended == set(DETAILS)
        assert not standing & ended
        for one in link.pending:
            assert str(one.operation) in (told or ""), "a write without its command"

    def finish(self, point: int, decision: UUID) -> tuple[dict[str, str], dict[str, str]]:
        """Both systems answer what they are told, until nothing is told any more; what each holds then."""
        here, beyond = dict(_held(self.link(), "crm")), dict(_held(self.link(), "economic"))
        told: list[UUID] = []
        for _ in range(4):
            said = [one.data for one in self.both.said()]
            commands = [one for one in said if isinstance(one, WriteCustomer | WriteEconomicCustomer)]
            for command in commands:
                told += [part.operation for part in command.parts]
                outcomes = [done(part.operation) for part in command.parts]
                self.both.later(seconds=1)
                self.pages.time = self.both.time
                if isinstance(command, WriteCustomer):
                    for part in command.parts:
                        here.update(part.fields)
                    self.crm_version += 1
                    self.customer = self.customer.model_copy(update=here)
                    answer = crm_answered(command, *outcomes, customer=self.customer, version=self.crm_version)
                else:
                    for wanted in command.parts:
                        beyond.update(wanted.fields)
                    self.economic_version += 1
                    seen = there(self.customer, self.number, f"w{self.economic_version}", contacts=(), **beyond)
                    answer = economic_answered(command, *outcomes, customer=seen, version=self.economic_version)
                self.hear(point, answer, decision)
        assert len(told) == len(set(told)), "a write was told twice"
        with self.pages.engine.connect() as connection:
            saved = decided.get(connection, decision)
        assert saved is not None
        assert saved.state == "done", saved.outcome
        return {name: here[name] for name in DETAILS}, {name: beyond[name] for name in DETAILS}


def fields_of(text: str) -> dict[str, str]:
    """The hidden fields of the form that saves."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', text))


def _held(link: Link, side: str) -> Mapping[str, str]:
    found = link.customer.crm if side == "crm" else link.customer.economic
    assert found is not None
    return found.values


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_any_pass_of_a_save_no_decision_is_half(pages: Pages, both: Both, tmp_path: Path) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678", email="first@birk.example")
    both.set(rules='{"customer": {"phone": {"direction": "both", "decides": "ask", "may_be_empty": true}}}')
    walk = Walk(pages=pages, both=both, folder=tmp_path, customer=customer)
    for point in range(1, MOST):
        before = walk.deaths
        walk.contest(point)
        before_it = walk.held()
        first = walk.save(point)
        here, beyond = walk.finish(point, first)
        chosen = {"name": f"Birk {point} ApS", "email": f"b{point}@birk.example", "phone": "55555555"}
        assert here == beyond == chosen
        assert walk.finish(point, walk.undo(point, first)) == before_it
        if walk.deaths == before:
            break
    else:
        raise AssertionError(f"{MOST} passes and no end")
    print(f"{walk.deaths} deaths in {point} rounds")  # noqa: T201 - for ``pytest -rP``
    assert walk.deaths >= LEAST
