"""Is the integration switched on and off by messages, and what of customers meanwhile? On real tables."""

from datetime import timedelta

from crm_outbox.contract import Outcome, Result
from economic_adapter.contract import ConfigureAgreement, WriteEconomicCustomer
from reconciler import agreements, clock, switching
from reconciler.rules import Area
from tests.builders.crm import a_customer
from tests.builders.sync import (
    AGREEMENT,
    MORNING,
    TENANT,
    Wire,
    agreement_seen,
    crm_changed,
    economic_answered,
    statuses,
)
from tests.integration.reconciler.flows import linked, new, state, switch_on


def test_with_no_customers_in_e_conomic_it_goes_on_with_defaults_read_off_the_agreement(on: Wire) -> None:
    assert state(on) == ("on", "")
    with on.engine.connect() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
    assert {area: one.zone for area, one in known.defaults.items()} == {Area.DENMARK: 1, Area.EU: 2, Area.ABROAD: 3}
    assert known.since == MORNING
    assert known.operation is None


def test_with_some_customers_in_e_conomic_it_is_refused_and_the_adapter_is_told(wire: Wire) -> None:
    switch_on(wire)
    wire.switch(customers=3)
    assert state(wire) == ("refused", "both sides are read in full before the integration is switched on")
    (told,) = wire.said_only(ConfigureAgreement)
    assert told.on is False
    wire.hear(crm_changed(new(wire), 1))
    assert wire.said() == []


def test_with_uncounted_customers_it_is_refused(wire: Wire) -> None:
    switch_on(wire)
    wire.switch(customers=None)
    assert state(wire)[0] == "refused"


def test_an_unanswered_configuration_is_sent_again(wire: Wire) -> None:
    switch_on(wire)
    (first,) = wire.said_only(ConfigureAgreement)
    wire.later(seconds=121)
    assert clock.resend_configurations(wire.engine, wire.clocked) == 1
    assert wire.said_only(ConfigureAgreement) == [first]


def test_customers_from_before_switching_on_are_known_and_wait(wire: Wire) -> None:
    older = a_customer(created=MORNING - timedelta(days=1), active_since=MORNING - timedelta(days=1))
    wire.hear(crm_changed(older, 1, agreement=None))
    assert wire.said() == []
    switch_on(wire)
    meanwhile = a_customer(created=MORNING + timedelta(seconds=1), active_since=MORNING + timedelta(seconds=1))
    wire.hear(crm_changed(meanwhile, 1, agreement=None))
    wire.switch()
    assert clock.make_links(wire.engine) == 2
    assert clock.make_links(wire.engine) == 0
    assert clock.tell_again(wire.engine, wire.clocked) == 2
    said = wire.said()
    assert {one.customer: one.data.state for one in said if hasattr(one.data, "state")} == {
        older.id: "not_there",
        meanwhile.id: "creating",
    }
    assert [one.customer for one in said if isinstance(one.data, WriteEconomicCustomer)] == [meanwhile.id]
    assert clock.tell_again(wire.engine, wire.clocked) == 0


def test_a_change_without_agreement_reaches_the_one_that_is_on(on: Wire) -> None:
    on.hear(crm_changed(new(on), 1, agreement=None))
    (command,) = on.said_only(WriteEconomicCustomer)
    assert command.agreement == AGREEMENT


def test_lost_access_marks_no_customer_as_failed_and_what_was_asked_goes_on_when_it_is_back(on: Wire) -> None:
    customer = linked(on, phone="12345678")
    on.said()
    on.hear(agreement_seen(on.time, state="access_lost", cause="unauthorised"))
    on.hear(crm_changed(customer.model_copy(update={"phone": "87654321"}), 2))
    said = on.said()
    assert statuses(said) == ["access_lost"]
    (command,) = [one.data for one in said if isinstance(one.data, WriteEconomicCustomer)]
    waits = Outcome(operation=command.parts[0].operation, result=Result.WAITING, reason="access_lost")
    on.hear(economic_answered(command, waits))
    assert on.said() == []
    on.later(minutes=1)
    on.hear(agreement_seen(on.time, state="on"))
    clock.tell_again(on.engine, on.clocked)
    assert [one.data.state for one in on.said()] == ["sending"]  # type: ignore[attr-defined]


def test_switched_off_nothing_is_written_and_everything_recorded(on: Wire) -> None:
    customer = linked(on, phone="12345678")
    on.said()
    with on.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        switching.switch_off(connection, known, on.time, on.resend)
    assert [one.on for one in on.said_only(ConfigureAgreement)] == [False]
    on.hear(crm_changed(customer.model_copy(update={"phone": "87654321"}), 2))
    said = on.said()
    assert statuses(said) == ["off"]
    assert len(said) == 1
