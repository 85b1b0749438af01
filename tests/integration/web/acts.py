"""Every act of an administrator: how a tenant comes to where it can be done, what its form sends, and what a service sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa

from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements, clock, ruleset, running
from reconciler.acts import Act
from reconciler.rules import Transfer
from reconciler.web import halting
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, economic_answered, refused, there
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company
from tests.integration.web.routes import Route

Ids = Mapping[str, str]
Begin = Callable[[Pages], Ids]
"""Brings a tenant to where something can be done; what the addresses and forms of it name."""


def _connected(pages: Pages) -> Ids:
    """A company that was kept by hand, connected and not switched on."""
    Admin(pages, company(pages))
    return {}


@dataclass(frozen=True, kw_only=True)
class Done:
    """One act. ``form`` and ``body`` name what was found with ``{...}``."""

    act: Act
    page: Route
    form: Mapping[str, str]
    service: Route
    body: Any = None
    begin: Begin = _connected
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.act


def _paused(pages: Pages) -> Ids:
    admin = Admin(pages, company(pages))
    admin.press("/set-up/pause", to="economic", ends="open")
    return {}


def _ruled(pages: Pages, *, changed: bool) -> Ids:
    admin = Admin(pages, company(pages))
    seen = _mark(pages)
    if changed:
        admin.press("/set-up/details", **{"decides.website": "ask", "seen": seen})
    with pages.engine.connect() as connection:
        change = connection.scalar(sa.text("select id from sync.rule_change"))
    return {"seen": _mark(pages), "change": str(change)}


def _mark(pages: Pages) -> str:
    with pages.engine.connect() as connection:
        return ruleset.mark(agreements.current(connection, TENANT, AGREEMENT).chosen)


def _on(pages: Pages) -> Ids:
    admin = Admin(pages, company(pages))
    admin.switch_on()
    return {"run": str(admin.newest().id)}


def _reading(pages: Pages, *, paused: bool = False) -> Ids:
    """Both sides are being read."""
    admin = Admin(pages, company(pages))
    admin.press("/set-up/preview")
    with pages.engine.connect() as connection:
        run = connection.scalar(sa.text("select id from sync.run where kind = 'read'"))
    if paused:
        admin.press(f"/runs/{run}/steer", action="pause")
    return {"run": str(run)}


def _previewed(pages: Pages, path: str, kind: str = "switch_on", *, on: bool = False, **chosen: str) -> Ids:
    admin = Admin(pages, company(pages))
    if on:
        admin.switch_on()
    admin.previewed(path, **chosen)
    run = admin.newest(kind, trial="customer" in chosen)
    assert run.summary is not None
    return {"run": str(run.id), **{name: str(count) for name, count in run.summary["counts"].items()}}


def _tried(pages: Pages) -> Ids:
    admin = Admin(pages, company(pages))
    admin.confirm(admin.previewed("/set-up/pilot", customer="alike"))
    admin.turn()
    admin.company.wire.switch(customers=4)
    for _ in range(2):
        running.carry_out(pages.engine, admin.company.wire.clocked)
    admin.company.work()
    return {}


def _transferred(pages: Pages) -> Ids:
    admin = Admin(pages, company(pages))
    admin.switch_on()
    admin.confirm(admin.previewed("/transfer"))
    admin.turn()
    admin.carry_out()
    return {"run": str(admin.newest("transfer").id)}


def _braked(pages: Pages) -> Ids:
    """A pass stopped before two customers."""
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    customers = [both.linked(number, cvr=f"1234{number:04}") for number in (7, 8, 9)]
    both.set(brake_customers=1, brake_percent=100, paused='["crm", "economic"]')
    for one in customers:
        both.in_crm(one.model_copy(update={"phone": "22222222"}), 2)
    both.set(paused="[]")
    both.look_again()
    while clock.tell_again(both.engine, both.clocked):
        pass
    pages.time = both.time
    with pages.engine.connect() as connection:
        task, run = connection.execute(sa.text("select id, run from sync.task where kind = 'brake'")).one()
        found = halting.halted(connection, TENANT, run)
    assert found is not None
    return {"task": str(task), "run": str(run), "seen": found.mark}


def _failing(pages: Pages) -> Ids:
    """e-conomic refused an e-mail address."""
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    customer = both.linked(7, cvr="12345678")
    both.in_crm(customer.model_copy(update={"email": "odd"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    no = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid.")
    both.hear(economic_answered(command, no, customer=there(customer, 7, "v1", contacts=()), version=2))
    pages.time = both.time
    return {"shown": pages.time.isoformat(), "retry": str(uuid4())}


def _retrying(pages: Pages) -> Ids:
    ids = _failing(pages)
    mette = pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    mette.post(
        "/errors/retry", {"form_token": mette.token("/"), "filter": "", "shown": ids["shown"], "retry": ids["retry"]}
    )
    return ids


def _approved(pages: Pages) -> Ids:
    admin = Admin(pages, company(pages))
    admin.press("/suggestions/groups", evidence="phone", approved="1")
    return {}


def _set_up(act: Act, form: dict[str, str], body: Any, **more: Any) -> Done:
    return Done(act=act, page=("POST", "/set-up"), form=form, service=("PATCH", "/api/v1/set-up"), body=body, **more)


def _at(act: Act, path: str, form: dict[str, str], body: Any, **more: Any) -> Done:
    """An act that pages and services do under one address."""
    return Done(act=act, page=("POST", path), form=form, service=("POST", f"/api/v1{path}"), body=body, **more)


def _asked(act: Act, path: str, form: dict[str, str], **more: Any) -> Done:
    kind = act.removeprefix("ask_")
    return Done(
        act=act, page=("POST", path), form=form, service=("POST", "/api/v1/runs"), body={"kind": kind, **form}, **more
    )  # fmt: skip


def _confirmed(act: Act, begin: Begin, **counts: str) -> Done:
    return _at(
        act,
        "/runs/{run}/confirm",
        {f"count.{name}": f"{{{name}}}" for name in counts},
        {"counts": {name: int(count) for name, count in counts.items()}},
        begin=begin,
        changes={name: ("", count) for name, count in counts.items()},
    )


def _braking(act: Act, word: str) -> Done:
    return Done(
        act=act, page=("POST", "/tasks/{task}/brake"), form={"answer": word, "seen": "{seen}"},
        service=("POST", "/api/v1/runs/{run}/brake"), body={"answer": word, "seen": "{seen}"}, begin=_braked,
    )  # fmt: skip


_OURS: Final = {"agreement": str(AGREEMENT)}
_ENDED: Final = {"page": ("POST", "/set-up/pilot/end"), "service": ("POST", "/api/v1/trial/end"), "begin": _tried}
_RETRIED: Final = {"filter": "", "retry": "{retry}", "shown": "{shown}"}
EVERY: Final = (
    _at("right_agreement", "/set-up/agreement", {**_OURS, "right": "yes"}, {"agreement": AGREEMENT, "right": True}),
    _at("wrong_agreement", "/set-up/agreement", {**_OURS, "right": "no"}, {"agreement": AGREEMENT, "right": False}),
    _at("disconnect", "/set-up/disconnect", _OURS, {"agreement": AGREEMENT}),
    _at("check", "/set-up/check", _OURS, {"agreement": AGREEMENT}),
    _at("switch_off", "/set-up/off", _OURS, {"agreement": AGREEMENT}, begin=_on),
    _set_up("set_up", {"transfer": "active"}, {"transfer": "active"}, changes={"transfer": ("created", "active")}),
    _set_up("set_up", {"receive": "nothing"}, {"receive": "nothing"}, changes={"receive": ("webhooks", "nothing")}),
    _set_up("set_up", {"flows": "no"}, {"flows_by_default": False}, changes={"flows": ("yes", "no")}),
    _set_up(
        "set_up",
        {"number_from": "1000", "number_to": "2000"},
        {"number_from": 1000, "number_to": 2000},
        changes={"number_from": ("", "1000"), "number_to": ("", "2000")},
    ),
    _set_up("rights", {"may_create": "admins"}, {"may_create": "admins"}, changes={"may_create": ("users", "admins")}),
    _set_up("rights", {"may_bulk": "admins"}, {"may_bulk": "admins"}, changes={"may_bulk": ("users", "admins")}),
    Done(
        act="new_customers", page=("POST", "/set-up/new-customers"), form={"inactive": "rests", "gone_here": "remove"},
        service=("PATCH", "/api/v1/set-up/new-customers"),
        body={"inactive": "rests", "removed_in_crm": "remove"},
        changes={"inactive": ("flows", "rests"), "gone_here": ("keep", "remove")},
    ),
    Done(
        act="rules", page=("POST", "/set-up/details"), form={"decides.website": "ask", "seen": "{seen}"},
        service=("PATCH", "/api/v1/set-up/details"), body={"rules": {"website": {"who_decides": "ask"}}},
        begin=lambda pages: _ruled(pages, changed=False), changes={"website": ("both crm empty", "both ask empty")},
    ),
    Done(
        act="undo_rules", page=("POST", "/set-up/details"), form={"undo": "{change}", "seen": "{seen}"},
        service=("POST", "/api/v1/set-up/details/changes/{change}/undo"),
        begin=lambda pages: _ruled(pages, changed=True), changes={"website": ("both ask empty", "both crm empty")},
    ),
    Done(
        act="mail", page=("POST", "/set-up/mail"), form={"letter_to": "bogholder@firma.example", "letter_links": "yes"},
        service=("PATCH", "/api/v1/set-up/mail"), body={"letter_to": ["bogholder@firma.example"], "letter_links": True},
        changes={"letter_to": ("", "bogholder@firma.example"), "letter_links": ("no", "yes")},
    ),
    Done(
        act="mail", page=("POST", "/set-up/mail"), form={"of.m": "mette@firma.example"},
        service=("PATCH", "/api/v1/set-up/mail"), body={"addresses": {"m": "mette@firma.example"}},
        changes={"mail.Mette Krogh": ("", "mette@firma.example")},
    ),
    _at("pause", "/set-up/pause", {"to": "both", "ends": "open"}, {"to": "both"},
        changes={"to_crm": ("", "open"), "to_economic": ("", "open")}),
    _at("resume", "/set-up/pause/resume", {"to": "both"}, {"to": "both"}, begin=_paused,
        changes={"to_economic": ("open", "")}),
    _asked("ask_switch_on", "/set-up/preview", {}),
    _asked("ask_trial", "/set-up/pilot", {"customer": "alike"}),
    _asked("ask_transfer", "/transfer", {}, begin=_on),
    _confirmed("confirm_switch_on", lambda pages: _previewed(pages, "/set-up/preview"), linked="2", filled="1", created="0"),
    _confirmed("confirm_trial", lambda pages: _previewed(pages, "/set-up/pilot", customer="alike"), linked="1", filled="1", created="0"),
    _confirmed("confirm_transfer", lambda pages: _previewed(pages, "/transfer", "transfer", on=True), created="1"),
    _at("pause_run", "/runs/{run}/steer", {"action": "pause"}, {"action": "pause"}, begin=_reading, changes={"run": ("", "read")}),
    _at("resume_run", "/runs/{run}/steer", {"action": "resume"}, {"action": "resume"},
        begin=lambda pages: _reading(pages, paused=True), changes={"run": ("", "read")}),
    _at("stop_run", "/runs/{run}/steer", {"action": "stop"}, {"action": "stop"}, begin=_reading, changes={"run": ("", "read")}),
    _at("undo_switch_on", "/runs/{run}/undo", {}, None, begin=_on),
    _at("undo_transfer", "/runs/{run}/undo", {}, None, begin=_transferred),
    Done(act="keep_trial", form={"answer": "keep"}, body={"answer": "keep"}, **_ENDED),  # type: ignore[arg-type]
    Done(act="undo_trial", form={"answer": "undo"}, body={"answer": "undo"}, **_ENDED),  # type: ignore[arg-type]
    Done(act="skip_trial", page=("POST", "/set-up/pilot/skip"), form={}, service=("POST", "/api/v1/trial/skip")),
    _braking("release_brake", "release"),
    _braking("stop_brake", "stop"),
    Done(
        act="retry_all", page=("POST", "/errors/retry"), form=_RETRIED, service=("POST", "/api/v1/errors/retries"),
        body={"id": "{retry}", "shown": "{shown}"}, begin=_failing, changes={"errors": ("", "1")},
    ),
    Done(
        act="stop_retry", page=("POST", "/retries/{retry}/stop"), form={"filter": ""},
        service=("POST", "/api/v1/errors/retries/{retry}/stop"), begin=_retrying,
    ),
    _at("approve_group", "/suggestions/groups", {"evidence": "phone", "approved": "1"},
        {"evidence": "phone", "approved": True}, changes={"evidence": ("", "phone")}),
    _at("withdraw_group", "/suggestions/groups", {"evidence": "phone"}, {"evidence": "phone", "approved": False},
        begin=_approved, changes={"evidence": ("", "phone")}),
)  # fmt: skip
"""Each act once or more, by its button and by its service."""
NONE: Final[Mapping[Route, str]] = {
    ("POST", "/api/v1/set-up/details/preview"): "it tells what a change would do, and keeps nothing",
    ("POST", "/api/v1/set-up/connect-link"): "who gives access by it is in the history once access is given",
}
"""What an administrator may send and no act comes of, and why."""
