"""An error is tried again by one press, all that a filter shows by an admin: n done, n failed again, and it can be stopped."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import retries, retrying
from reconciler.retries import Retry
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, refused, there
from tests.integration.web.browsing import Browser, Pages


def failing(both: Both, number: int, detail: str = "email") -> Customer:
    """A customer of which e-conomic refused a detail."""
    customer = both.linked(number, cvr=f"1234{number:04}", name=f"Kunde {number}")
    edited = customer.model_copy(update={detail: "odd"})
    both.in_crm(edited, 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", detail=detail, message="Invalid.")
    both.hear(economic_answered(command, outcome, customer=there(customer, number, "v1", contacts=()), version=2))
    both.said()
    return edited


def answer(both: Both, customer: Customer, command: WriteEconomicCustomer, *, again: bool) -> None:
    """e-conomic takes it, or refuses it again."""
    operation = command.parts[0].operation
    outcome = refused(operation, "CustomerInvalidEmail", detail="email") if again else done(operation)
    held = customer.model_copy(update={"email": ""}) if again else customer
    assert command.number is not None
    both.hear(economic_answered(command, outcome, customer=there(held, command.number, "v5", contacts=()), version=5))


def arrive(pages: Pages, both: Both, **given: Any) -> Browser:
    pages.time = both.time
    return pages.arrive(tenant=TENANT, **given)


def form(browser: Browser, action: str, path: str = "/errors") -> tuple[str, dict[str, str]]:
    """The form of a page that goes there, with its fields."""
    for target, inner in re.findall(
        r'<form method="post" action="([^"]*)">(.*?)</form>', browser.get(path).text, re.DOTALL
    ):
        if re.search(action, target):
            fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inner)
            return target.removeprefix(browser.url), {name: value.replace("&amp;", "&") for name, value in fields}
    raise AssertionError(action)


def newest(pages: Pages) -> Retry:
    with pages.engine.connect() as connection:
        found = retries.newest(connection, TENANT, pages.time - timedelta(days=1))
        assert found is not None
        return found


def test_one_is_tried_again_and_the_same_form_sent_twice_is_one_try(pages: Pages, both: Both) -> None:
    customer = failing(both, 7)
    browser = arrive(pages, both)
    target, fields = form(browser, r"/errors/[^/]+/retry$")
    for _ in range(2):
        answered = browser.post(target, fields)
        assert answered.headers["location"] == "/errors?told=again"
    (command,) = both.said_only(WriteEconomicCustomer)
    assert (command.parts[0].fields, command.person) == ({"email": "odd"}, True), "somebody waits for it"
    assert "Her er ikke noget." in browser.get("/errors").text, "it is on its way"
    answer(both, customer, command, again=True)
    assert "2 forsøg" in browser.get("/errors").text


def test_all_that_the_filter_shows_are_tried_again_with_how_far_it_came(pages: Pages, both: Both) -> None:
    customers = {number: failing(both, number) for number in (7, 8)}
    failing(both, 9, "phone")
    admin = arrive(pages, both, sub="u2", name="Mette", role="admin")
    assert "Prøv alle viste igen (3)" in admin.get("/errors").text
    target, fields = form(admin, r"/errors/retry$", "/errors?detail=email")
    failing(both, 10)  # came after the page was shown
    with pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.task set opened = opened + interval '1 hour' where link in "
                                   "(select id from sync.link where number = 10)"))  # fmt: skip
    for _ in range(2):
        assert admin.post(target, fields).headers["location"] == "/errors?detail=email"
    assert newest(pages).total == 2
    retrying.carry_on(pages.engine, both.clocked)
    sent = both.said_only(WriteEconomicCustomer)
    assert {one.number for one in sent} == {7, 8}
    shown = admin.get("/errors?detail=email").text
    assert "0 lykkedes, 0 mislykkedes igen · 0 af 2" in shown
    for command in sent:
        answer(both, customers[command.number or 0], command, again=command.number == 8)
    retrying.carry_on(pages.engine, both.clocked)
    assert "1 lykkedes, 1 mislykkedes igen" in admin.get("/errors").text
    found = newest(pages)
    assert (found.state, found.done, found.failed, found.left, found.who) == ("done", 1, 1, 0, "Mette")
    with pages.engine.connect() as connection:
        who = connection.execute(sa.text("select who, who_id from sync.decision where means = 'retry'")).all()
    assert set(who) == {("Mette", "u2")}


def test_it_is_stopped_and_what_was_not_begun_with_is_left_out(pages: Pages, both: Both) -> None:
    for number in (7, 8):
        failing(both, number)
    admin = arrive(pages, both, sub="u2", name="Mette", role="admin")
    admin.post(*form(admin, r"/errors/retry$"))
    admin.post(*form(admin, r"/retries/[^/]+/stop$"))
    retrying.carry_on(pages.engine, both.clocked)
    assert both.said_only(WriteEconomicCustomer) == []
    found = newest(pages)
    assert (found.state, found.left_out, found.left) == ("stopped", 2, 0)
    assert found.ended is not None
    assert "2 blev ikke forsøgt" in admin.get("/errors").text


def test_one_that_was_corrected_meanwhile_counts_as_done(pages: Pages, both: Both) -> None:
    customer = failing(both, 7)
    admin = arrive(pages, both, sub="u2", name="Mette", role="admin")
    admin.post(*form(admin, r"/errors/retry$"))
    both.in_crm(customer.model_copy(update={"email": "right@n.example"}), 3)
    both.said()
    while retrying.carry_on(pages.engine, both.clocked):
        pass
    assert (newest(pages).done, newest(pages).state) == (1, "done")
    assert both.said_only(WriteEconomicCustomer) == []


def test_only_an_admin_tries_all_again_and_only_of_the_own_tenant(pages: Pages, both: Both) -> None:
    failing(both, 7)
    user, reader = arrive(pages, both), arrive(pages, both, sub="u9", role="reader")
    stranger = pages.arrive(tenant="other", role="admin")
    admin = arrive(pages, both, sub="u2", name="Mette", role="admin")
    target, fields = form(admin, r"/errors/retry$")
    one, its = form(admin, r"/errors/[^/]+/retry$")
    assert user.post(target, {**fields, "form_token": user.token()}).status_code == 403
    assert reader.post(one, {**its, "form_token": reader.token()}).status_code == 403
    assert stranger.post(one, {**its, "form_token": stranger.token()}).status_code == 404
    assert stranger.post(target, {**fields, "form_token": stranger.token()}).headers["location"] == "/errors?told=none"
    assert admin.post(target, {**fields, "shown": "now"}).status_code == 400
    admin.post(target, fields)
    running = newest(pages)
    stop = f"/retries/{running.id}/stop"
    assert stranger.post(stop, {"form_token": stranger.token()}).status_code == 404
    assert user.post(stop, {"form_token": user.token()}).status_code == 403
    assert admin.post(f"/retries/{uuid4()}/stop", {"form_token": admin.token()}).status_code == 404
    assert newest(pages).state == "running"
