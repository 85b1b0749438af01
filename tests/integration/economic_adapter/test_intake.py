"""What becomes of a message: at once an observation, or work; once, whatever is repeated."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_outbox.contract import CustomerChanged, NotSent, Result
from crm_outbox.messaging.envelope import Refused, Version
from economic_adapter.budget import Lane
from economic_adapter.contract import (
    CustomerObserved,
    EconomicPart,
    ImportProgressed,
    LookAtCustomer,
    RunImport,
    WriteEconomicCustomer,
)
from economic_adapter.sandbox.app import Running
from economic_adapter.tables import mark, messages, operation, work
from tests.builders.crm import a_customer
from tests.integration.economic_adapter.parts import AGREEMENT, TENANT, Parts, configure, environ, now


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    made = Parts(environ(database, None, sandbox), engine)
    yield made
    made.close()


def observed(parts: Parts) -> list[CustomerObserved]:
    return [one.data for one in parts.told() if isinstance(one.data, CustomerObserved)]


def changed(parts: Parts, number: int, tenant: str = TENANT, epoch: int = 1, **more: object) -> None:
    customer = a_customer(id="c1", name=f"Version {number}")
    data = CustomerChanged.model_validate({"id": "c1", "change": "updated", "customer": customer, **more})
    parts.receive(data, tenant=tenant, subject="customer/c1", version=Version(epoch, number))


def command(number: int = 7, **more: object) -> WriteEconomicCustomer:
    part = EconomicPart(operation=uuid.uuid4(), action="change", record="customer", number=number, object_version="1")
    return WriteEconomicCustomer.model_validate(
        {"agreement": AGREEMENT, "customer": "c1", "number": number, "parts": (part,), **more}
    )


def test_a_change_becomes_an_observation_without_a_call(parts: Parts, sandbox: Running) -> None:
    changed(parts, 1)
    (seen,) = observed(parts)
    assert (seen.agreement, seen.why, seen.customer, seen.version) == (None, "crm_changed", "c1", None)
    assert seen.crm is not None
    assert seen.crm.customer is not None
    assert (seen.crm.version, seen.crm.customer.name) == ("1.1", "Version 1")
    assert sum(sandbox.data.calls.values()) == 0


def test_a_change_names_the_agreement_and_continues_its_cause(parts: Parts) -> None:
    parts.connect()
    changed(parts, 1)
    envelope = parts.told()[-1]
    assert (envelope.agreement, envelope.tenant, envelope.subject) == (AGREEMENT, TENANT, "customer/c1")
    assert envelope.causation is not None
    assert envelope.correlation == str(envelope.causation)


def test_older_and_repeated_versions_are_taken_and_ignored(parts: Parts) -> None:
    for number in (3, 2, 3, 7, 1):
        changed(parts, number)
    changed(parts, 1, epoch=2)
    assert [one.crm.version for one in observed(parts) if one.crm] == ["1.3", "1.7", "2.1"]


def test_what_a_run_publishes_again_is_told_whatever_its_version_and_moves_nothing_back(parts: Parts) -> None:
    run = uuid.uuid4()
    changed(parts, 3)
    changed(parts, 3, run=run)
    changed(parts, 1, run=run)
    changed(parts, 2)
    changed(parts, 4)
    assert [(one.crm.version, one.run) for one in observed(parts) if one.crm] == [
        ("1.3", None),
        ("1.3", run),
        ("1.1", run),
        ("1.4", None),
    ]
    with parts.engine.connect() as connection:
        lanes = connection.scalars(sa.select(messages.outbox.c.lane).order_by(messages.outbox.c.id)).all()
    assert lanes == ["live", "bulk", "bulk", "live"]


def test_versions_of_one_tenant_say_nothing_of_another(parts: Parts) -> None:
    changed(parts, 5)
    changed(parts, 1, tenant="t2")
    assert len(observed(parts)) == 2


def test_content_that_could_not_be_sent_is_told_as_such(parts: Parts) -> None:
    changed(parts, 1, customer=None, unsendable=NotSent(reason="nul", detail="name"))
    (seen,) = observed(parts)
    assert seen.crm is not None
    assert seen.crm.unsendable == NotSent(reason="nul", detail="name")


def test_a_change_without_a_version_is_refused(parts: Parts) -> None:
    data = CustomerChanged(id="c1", change="updated", customer=a_customer(id="c1"))
    with pytest.raises(Refused, match="no_version"):
        parts.receive(data, subject="customer/c1")


def test_a_write_is_planned_once_and_a_repeat_is_acknowledged(parts: Parts) -> None:
    parts.switch_on()
    write = command()
    parts.receive(write)
    assert observed(parts) == []
    parts.receive(write)
    (outcome,) = observed(parts)[-1].outcomes
    assert (outcome.operation, outcome.result) == (write.parts[0].operation, Result.WAITING)
    with parts.engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(work.c.kind == "write")) == 1
        assert connection.scalar(sa.select(sa.func.count()).where(operation.c.customer == "c1")) == 1


def test_a_repeat_of_an_answered_write_is_answered_from_what_is_stored(parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    write = command(404)
    parts.receive(write)
    parts.work()
    first = observed(parts)[-1].outcomes
    assert first[0].reason == "not_found"
    calls = sum(sandbox.data.calls.values())
    parts.receive(write)
    parts.work()
    assert observed(parts)[-1].outcomes == first
    assert sum(sandbox.data.calls.values()) == calls


def test_writes_to_an_agreement_that_is_off_or_unknown_are_refused(parts: Parts) -> None:
    parts.receive(command())
    assert observed(parts)[-1].outcomes[0].reason == "disconnected"
    parts.connect()
    parts.receive(command())
    assert observed(parts)[-1].outcomes[0].reason == "off"


@pytest.mark.parametrize("kind", ["write", "look", "configure", "import"])
def test_another_tenants_agreement_is_refused_and_nothing_is_told(parts: Parts, kind: str) -> None:
    parts.switch_on()
    told = len(parts.told())
    data = {
        "write": command(),
        "look": LookAtCustomer(agreement=AGREEMENT, number=7),
        "configure": configure(on=False, disconnect=True),
        "import": RunImport(run=uuid.uuid4(), agreement=AGREEMENT),
    }[kind]
    with pytest.raises(Refused, match="foreign_agreement"):
        parts.receive(data, tenant="t2")
    assert len(parts.told()) == told
    assert parts.agreement().state == "on"


def test_an_import_is_planned_once_below_everything_else_and_answered_at_once(parts: Parts) -> None:
    parts.connect()
    asked = RunImport(run=uuid.uuid4(), agreement=AGREEMENT)
    for _ in range(2):
        envelope = parts.receive(asked)
    with parts.engine.begin() as connection:
        rows = connection.execute(sa.select(work.c.key, work.c.lane).where(work.c.kind == "page")).all()
    assert [(row.key, Lane(row.lane)) for row in rows] == [(str(asked.run), Lane.IMPORT)]
    answers = [one for one in parts.told() if isinstance(one.data, ImportProgressed)]
    assert [one.data for one in answers] == [ImportProgressed(run=asked.run, agreement=AGREEMENT, state="running")] * 2
    assert answers[-1].causation == envelope.id


def test_a_sweep_goes_before_an_import(parts: Parts) -> None:
    parts.connect()
    parts.receive(RunImport(run=uuid.uuid4(), agreement=AGREEMENT, kind="sweep"))
    with parts.engine.begin() as connection:
        assert connection.scalar(sa.select(work.c.lane).where(work.c.kind == "page")) == Lane.SWEEP


def test_an_import_of_what_was_never_connected_fails_and_of_what_is_disconnected_waits(parts: Parts) -> None:
    parts.receive(RunImport(run=uuid.uuid4(), agreement=AGREEMENT))
    parts.switch_on()
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert parts.agreement().state == "disconnected"
    parts.receive(RunImport(run=uuid.uuid4(), agreement=AGREEMENT))
    told = [one.data for one in parts.told() if isinstance(one.data, ImportProgressed)]
    assert [(one.state, one.cause) for one in told] == [
        ("failed", "e-conomic was never connected"),
        ("waiting", "disconnected"),
    ]
    assert parts.work() == 0


def test_a_run_of_another_agreement_is_refused(parts: Parts, sandbox: Running) -> None:
    sandbox.data.add_agreement(200002, "Vestre Malerforretning", "other-grant")
    parts.connect()
    assert parts.connect("other-grant", tenant="t2").sentence == "connected"
    run = uuid.uuid4()
    parts.receive(RunImport(run=run, agreement=AGREEMENT))
    with pytest.raises(Refused, match="foreign_run"):
        parts.receive(RunImport(run=run, agreement=200002, action="stop"), tenant="t2")


def test_configuring_what_was_never_connected_is_refused(parts: Parts) -> None:
    asked = configure(on=True)
    parts.receive(asked)
    (told,) = parts.agreements_told()
    assert told.outcome is not None
    assert (told.outcome.operation, told.outcome.reason) == (asked.operation, "disconnected")


def test_a_switch_that_was_asked_for_earlier_and_arrives_later_changes_nothing(parts: Parts) -> None:
    parts.switch_on()
    parts.agreements_told()
    moment = now()
    off, on = configure(on=False, asked=moment), configure(on=True, asked=moment + timedelta(seconds=1))
    for command in (on, off, off):
        parts.receive(command)
    parts.work()
    told = [one for one in parts.agreements_told() if one.outcome is not None]
    results = {(one.outcome.operation, one.outcome.result) for one in told if one.outcome is not None}
    assert {(off.operation, Result.REFUSED), (on.operation, Result.WRITTEN)} <= results
    assert told[-1].state == "on"


def test_a_look_of_a_person_may_expire_and_any_other_becomes_a_mark(parts: Parts) -> None:
    parts.switch_on()
    parts.receive(LookAtCustomer(agreement=AGREEMENT, number=7))
    parts.receive(LookAtCustomer(agreement=AGREEMENT, number=8, expires=now() + timedelta(seconds=30)))
    with parts.engine.begin() as connection:
        assert list(connection.scalars(sa.select(mark.c.number))) == [7]
        looks = sa.select(work.c.number, work.c.expires_at).where(work.c.kind == "look").order_by(work.c.number)
        found = connection.execute(looks).all()
    assert [(row.number, row.expires_at is None) for row in found] == [(7, True), (8, False)]
    parts.receive(LookAtCustomer(agreement=999, number=7))
