"""Using, losing and giving up access to an agreement, against the sandbox: on, off, disconnected, access lost."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Result
from economic_adapter import access, agreements, clock, duties
from economic_adapter.contract import EconomicPart, WriteEconomicCustomer
from economic_adapter.protocol import Forbidden
from economic_adapter.rhythm import Rhythm
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import Webhook
from economic_adapter.tables import operation, work
from tests.integration.economic_adapter.parts import AGREEMENT, GRANT, Parts, configure, environ, now
from tests.waiting import eventually


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    made = Parts(environ(database, None, sandbox), engine)
    yield made
    made.close()


def test_switching_on_reads_registers_and_answers_once(parts: Parts, sandbox: Running) -> None:
    command = parts.switch_on(number_from=5000)
    told = parts.agreements_told()[-1]
    assert told.outcome is not None
    assert (told.outcome.operation, told.outcome.result) == (command.operation, Result.WRITTEN)
    assert (told.state, told.webhooks, told.customers) == ("on", "registered", 0)
    assert told.reference is not None
    assert told.reference.groups
    assert told.reference.terms
    assert told.reference.zones
    assert told.reference.base_currency == "DKK"
    webhook = sandbox.data.agreement().webhooks["CUSTOMER_UPDATED"]
    assert webhook.values["url"].startswith("http://127.0.0.1:9/hooks/economic/")
    assert "new=[" in webhook.values["postData"]
    parts.receive(command)
    again = parts.agreements_told()[-1]
    assert again.outcome == told.outcome
    assert len([one for one in parts.agreements_told() if one.outcome]) == 2


def test_a_repeat_of_a_configuration_that_waits_is_acknowledged(parts: Parts) -> None:
    parts.connect()
    command = configure(on=True)
    parts.receive(command)
    parts.receive(command)
    outcome = parts.agreements_told()[-1].outcome
    assert outcome is not None
    assert (outcome.operation, outcome.result) == (command.operation, Result.WAITING)


def test_a_role_that_may_not_make_webhooks_leaves_the_load_to_polling(parts: Parts, sandbox: Running) -> None:
    sandbox.data.grants[GRANT].role = "Sales"
    parts.switch_on()
    told = parts.agreements_told()[-1]
    assert (told.state, told.webhooks, told.polling) == ("on", "refused", True)
    assert told.cause.startswith("webhook:")


def test_a_webhook_that_we_cannot_see_leaves_the_load_to_polling(parts: Parts, sandbox: Running) -> None:
    assert parts.connect().sentence == "connected"
    sandbox.data.agreement().webhooks["CUSTOMER_UPDATED"] = Webhook(
        event="CUSTOMER_UPDATED", app=None, values={"url": "https://elsewhere.example"}, version="1", updated=now()
    )
    parts.receive(configure(on=True))
    parts.work()
    told = parts.agreements_told()[-1]
    assert (told.state, told.webhooks) == ("on", "refused")
    assert told.cause == "webhook:WebhookAlreadyExistsForEventType"


def test_switching_on_again_renews_the_webhook(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    before = sandbox.data.agreement().webhooks["CUSTOMER_UPDATED"].values["url"]
    parts.receive(configure(on=True))
    parts.work()
    assert parts.agreements_told()[-1].webhooks == "registered"
    assert sandbox.data.agreement().webhooks["CUSTOMER_UPDATED"].values["url"] != before


def test_a_newer_configuration_supersedes_one_that_waits(parts: Parts) -> None:
    parts.connect()
    first, second = configure(on=True), configure(on=False)
    parts.receive(first)
    parts.receive(second)
    parts.work()
    outcomes = {one.outcome.operation: one.outcome for one in parts.agreements_told() if one.outcome}
    assert outcomes[first.operation].reason == "superseded"
    assert outcomes[second.operation].result is Result.WRITTEN
    assert parts.agreement().state == "off"


def test_switching_off_refuses_what_is_planned_and_calls_nothing(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    write = planned_write(parts)
    calls = sum(sandbox.data.calls.values())
    parts.receive(configure(on=False))
    parts.work()
    assert sum(sandbox.data.calls.values()) == calls
    (outcome,) = [one for told in parts.told() for one in getattr(told.data, "outcomes", ())]
    assert (outcome.operation, outcome.reason) == (write.parts[0].operation, "off")
    assert parts.agreement().state == "off"
    told = [type(one.data).__name__ for one in parts.told()]
    assert told[-2:] == ["CustomerObserved", "AgreementObserved"]


def test_disconnecting_refuses_settles_removes_and_erases(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    planned_write(parts)
    command = configure(on=False, disconnect=True)
    parts.receive(command)
    parts.work()
    told = parts.agreements_told()[-1]
    assert told.state == "disconnected"
    assert told.outcome is not None
    assert (told.outcome.operation, told.outcome.result) == (command.operation, Result.WRITTEN)
    assert sandbox.data.agreement().webhooks == {}
    assert not parts.agreement().has_grant
    (outcome,) = [one for told in parts.told() for one in getattr(told.data, "outcomes", ())]
    assert outcome.reason == "disconnected"


def test_disconnecting_waits_for_what_was_sent(parts: Parts) -> None:
    parts.switch_on()
    write = planned_write(parts)
    with parts.engine.begin() as connection:
        mine = operation.c.operation == write.parts[0].operation
        connection.execute(sa.update(operation).where(mine).values(state="sent", sent_at=now()))
        connection.execute(sa.update(work).where(work.c.kind == "write").values(worker=1, claimed_at=now()))
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert parts.agreement().has_grant
    with parts.engine.begin() as connection:
        connection.execute(sa.update(operation).where(mine).values(state="written"))
    eventually(lambda: parts.work() and not parts.agreement().has_grant, every=0.2)


def test_lost_access_is_told_once_waits_and_comes_back_by_itself(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    write = planned_write(parts)
    sandbox.data.grants[GRANT].revoked = True
    parts.work()
    told = parts.agreements_told()[-1]
    assert told.state == "access_lost"
    parts.receive(write)
    waiting = [one for told in parts.told() for one in getattr(told.data, "outcomes", ())][-1]
    assert (waiting.result, waiting.reason) == (Result.WAITING, "access_lost")
    count = len(parts.agreements_told())
    eventually(lambda: parts.work() or True)
    assert len(parts.agreements_told()) == count
    sandbox.data.grants[GRANT].revoked = False
    eventually(lambda: (parts.work() or True) and parts.agreement().state == "on", every=0.1)
    assert parts.agreements_told()[-1].state == "on"
    eventually(lambda: (parts.work() or True) and answered(parts, write), every=0.1)


def test_connecting_again_ends_lost_access_at_once(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    planned_write(parts)
    sandbox.data.grants["new-grant"] = sandbox.data.grants.pop(GRANT)
    parts.work()
    assert parts.agreement().state == "access_lost"
    assert parts.connect("new-grant").sentence == "connected"
    assert parts.agreement().state == "on"


def test_the_clock_sees_to_it_that_lost_access_is_looked_for(parts: Parts) -> None:
    parts.switch_on()
    with parts.engine.begin() as connection:
        assert agreements.lose_access(connection, AGREEMENT, "access_lost")
    ticks = clock.Clock(engine=parts.engine, outbox=duties.OUTBOX, now=now, threads=2, rhythm=Rhythm(), probe=0)
    assert ticks.plan() == 1
    assert ticks.plan() == 0
    parts.work()
    assert parts.agreement().state == "on"


def planned_write(parts: Parts) -> WriteEconomicCustomer:
    part = EconomicPart(operation=uuid.uuid4(), action="change", record="customer", number=7, object_version="1")
    command = WriteEconomicCustomer(agreement=AGREEMENT, customer="c1", number=7, parts=(part,))
    parts.receive(command)
    return command


def answered(parts: Parts, write: WriteEconomicCustomer) -> bool:
    outcomes = [one for told in parts.told() for one in getattr(told.data, "outcomes", ())]
    return any(one.operation == write.parts[0].operation and one.result is not Result.WAITING for one in outcomes)


def test_while_it_is_off_it_is_looked_over_when_asked_and_stays_off(parts: Parts, sandbox: Running) -> None:
    parts.connect()
    asked = configure(on=False, check=True)
    parts.receive(asked)
    assert parts.agreements_told()[-1].outcome is None, "not before e-conomic answered"
    parts.work()
    told = parts.agreements_told()[-1]
    assert told.outcome is not None
    assert (told.outcome.operation, told.outcome.result) == (asked.operation, Result.UNCHANGED)
    assert (told.state, told.webhooks) == ("connected", "none")
    assert told.reference is not None
    assert told.reference.groups
    assert sandbox.data.agreement().webhooks == {}


def test_looked_over_it_tells_that_access_is_lost_and_that_it_is_there_again(parts: Parts, sandbox: Running) -> None:
    parts.connect()
    sandbox.data.grants[GRANT].missing_modules = ["API"]
    for _ in range(2):
        asked = configure(on=False, check=True)
        parts.receive(asked)
        parts.work()
        told = parts.agreements_told()[-1]
        assert (told.state, told.cause) == ("access_lost", "AccessDeniedAgreementMissingModules")
        assert told.outcome is not None
        assert told.outcome.operation == asked.operation
    sandbox.data.grants[GRANT].missing_modules = []
    parts.receive(configure(on=False, check=True))
    parts.work()
    assert parts.agreements_told()[-1].state == "connected"


def test_a_check_of_one_that_is_on_tries_the_webhook_again(parts: Parts, sandbox: Running) -> None:
    sandbox.data.grants[GRANT].role = "Sales"
    parts.switch_on()
    assert parts.agreements_told()[-1].webhooks == "refused"
    sandbox.data.grants[GRANT].role = "SuperUser"
    parts.receive(configure(on=True, check=True))
    parts.work()
    told = parts.agreements_told()[-1]
    assert (told.state, told.webhooks, told.cause) == ("on", "registered", "")


def test_webhooks_that_are_no_longer_wanted_are_taken_away(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    assert sandbox.data.agreement().webhooks
    for _ in range(2):
        parts.receive(configure(on=True, webhooks=False))
        parts.work()
        told = parts.agreements_told()[-1]
        assert (told.state, told.webhooks) == ("on", "none")
        assert sandbox.data.agreement().webhooks == {}
    parts.receive(configure(on=True))
    parts.work()
    assert parts.agreements_told()[-1].webhooks == "registered"


def test_why_access_is_lost_is_told_when_it_is_known_later(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    with parts.engine.begin() as connection:
        access.lose(connection, duties.OUTBOX, AGREEMENT, Forbidden("status_403"), now(), 0.0)
    assert parts.agreements_told()[-1].cause == "status_403"
    sandbox.data.grants[GRANT].missing_modules = ["API"]
    parts.work(most=1)
    assert parts.agreements_told()[-1].cause == "AccessDeniedAgreementMissingModules"
    told = len(parts.agreements_told())
    with parts.engine.begin() as connection:
        access.lose(connection, duties.OUTBOX, AGREEMENT, Forbidden("status_403"), now(), 0.0)
    assert len(parts.agreements_told()) == told
