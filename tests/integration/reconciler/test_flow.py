"""Does a message have its whole effect, once, on real tables? Fed by hand, read from the outbox."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result, WriteCustomer
from economic_adapter.contract import ConfigureAgreement, WriteEconomicCustomer
from reconciler import agreements, clock, switching
from reconciler.rules import Area, Transfer
from tests.builders.crm import a_customer, a_person
from tests.builders.sync import (
    AGREEMENT,
    MORNING,
    TENANT,
    Wire,
    agreement_seen,
    crm_answered,
    crm_changed,
    crm_unsendable,
    done,
    economic_answered,
    economic_seen,
    refused,
    statuses,
    there,
)


@pytest.fixture
def wire(engine: sa.Engine) -> Wire:
    return Wire(engine=engine)


def switch_on(wire: Wire, transfer: Transfer = Transfer.CREATED) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    with wire.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        switching.switch_on(connection, known, wire.time, wire.resend, transfer=transfer, number_from=None)


@pytest.fixture
def on(wire: Wire) -> Wire:
    switch_on(wire)
    wire.switch()
    wire.later(minutes=1)
    return wire


def state(wire: Wire) -> tuple[str, str]:
    with wire.engine.connect() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
    return known.state, known.reason


def new(wire: Wire, **given: Any) -> Any:
    return a_customer(created=wire.time, active_since=wire.time, **given)


def linked(wire: Wire, number: int = 7, **given: Any) -> Any:
    """A customer that was created in e-conomic."""
    customer = new(wire, **given)
    wire.hear(crm_changed(customer, 1))
    (command,) = wire.said_only(WriteEconomicCustomer)
    outcome = done(command.parts[0].operation, created=str(number))
    wire.hear(economic_answered(command, outcome, customer=there(customer, number, "v1", contacts=()), version=1))
    return customer


def test_a_customer_created_after_switching_on_is_created_in_e_conomic_and_linked(on: Wire) -> None:
    customer = new(on, cvr="12345678", phone="12345678")
    on.hear(crm_changed(customer, 1))
    first = on.said()
    (command,) = [one.data for one in first if isinstance(one.data, WriteEconomicCustomer)]
    assert command.number is None
    assert command.parts[0].action == "create"
    assert command.parts[0].defaults is not None
    assert statuses(first) == ["creating"]
    outcome = done(command.parts[0].operation, created="7")
    on.hear(economic_answered(command, outcome, customer=there(customer, 7, "v1"), version=1))
    second = on.said()
    assert statuses(second) == ["same"]
    assert [one.number for one in second] == [7]
    assert second[0].causation is not None


def test_contact_persons_follow_once_the_number_is_known(on: Wire) -> None:
    customer = linked(on, contacts=(a_person(name="Mette Holm", email="mette@nordhavn.example"),))
    said = on.said()
    (command,) = [one.data for one in said if isinstance(one.data, WriteEconomicCustomer)]
    assert command.number == 7
    assert [part.record for part in command.parts] == ["contact"]
    outcome = done(command.parts[0].operation, created="1")
    on.hear(economic_answered(command, outcome, customer=there(customer, 7, "v1"), version=2))
    assert statuses(on.said()) == ["same"]


def test_an_edit_in_the_crm_arrives_in_e_conomic(on: Wire) -> None:
    customer = linked(on, phone="12345678")
    on.said()
    edited = customer.model_copy(update={"phone": "87654321"})
    on.hear(crm_changed(edited, 2))
    said = on.said()
    (command,) = [one.data for one in said if isinstance(one.data, WriteEconomicCustomer)]
    assert command.parts[0].fields == {"phone": "87654321"}
    assert command.parts[0].object_version == "v1"
    assert statuses(said) == ["sending"]
    on.hear(economic_answered(command, done(command.parts[0].operation), customer=there(edited, 7, "v2"), version=2))
    assert statuses(on.said()) == ["same"]
    with on.engine.connect() as connection:
        rows = connection.execute(sa.text("select system, action, before, after, by from sync.audit order by id")).all()
    assert rows[-1] == ("economic", "change", {"phone": "12345678"}, {"phone": "87654321"}, "flow")


def test_an_edit_in_e_conomic_arrives_in_the_crm(on: Wire) -> None:
    customer = linked(on, street="Havnegade 1")
    on.said()
    on.hear(economic_seen(there(customer, 7, "v2", street="Havnegade 2"), 2))
    said = on.said()
    (command,) = [one.data for one in said if isinstance(one.data, WriteCustomer)]
    assert command.version == "1.1"
    assert command.parts[0].fields == {"street": "Havnegade 2"}
    edited = customer.model_copy(update={"street": "Havnegade 2"})
    on.hear(crm_answered(command, done(command.parts[0].operation), customer=edited, version=2))
    assert statuses(on.said()) == ["same"]
    on.hear(crm_changed(edited, 2))
    assert on.said() == []


def test_a_refused_version_is_planned_anew_on_the_newer_one(on: Wire) -> None:
    customer = linked(on, phone="12345678", mobile="")
    on.said()
    edited = customer.model_copy(update={"phone": "87654321"})
    on.hear(crm_changed(edited, 2))
    (command,) = on.said_only(WriteEconomicCustomer)
    newer = there(customer, 7, "v2", mobile="22222222")
    on.hear(economic_answered(command, refused(command.parts[0].operation, "version"), customer=newer, version=2))
    said = on.said()
    (again,) = [one.data for one in said if isinstance(one.data, WriteEconomicCustomer)]
    assert again.parts[0].object_version == "v2"
    assert again.parts[0].fields == {"phone": "87654321"}
    assert again.parts[0].operation != command.parts[0].operation
    (back,) = [one.data for one in said if isinstance(one.data, WriteCustomer)]
    assert back.parts[0].fields == {"mobile": "22222222"}


def test_a_refusal_is_remembered_with_its_words_until_the_value_moves(on: Wire) -> None:
    customer = linked(on, email="mail@nordhavn.example")
    on.said()
    wrong = customer.model_copy(update={"email": "wrong"})
    on.hear(crm_changed(wrong, 2))
    (command,) = on.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", message="Invalid e-mail", detail="email")
    on.hear(economic_answered(command, outcome, customer=there(customer, 7, "v1"), version=2))
    told, asked = on.said()
    assert asked.data.kind == "refused"  # type: ignore[attr-defined]
    assert told.data.state == "error"  # type: ignore[attr-defined]
    assert told.data.message == "Invalid e-mail"  # type: ignore[attr-defined]
    on.hear(crm_changed(wrong.model_copy(update={"website": "nordhavn.example"}), 3))
    (other,) = on.said_only(WriteEconomicCustomer)
    assert other.parts[0].fields == {"website": "nordhavn.example"}


def test_an_unanswered_command_goes_out_again_as_the_same_operation_in_a_new_message(on: Wire) -> None:
    on.hear(crm_changed(new(on), 1))
    (first,) = [one for one in on.said() if isinstance(one.data, WriteEconomicCustomer)]
    assert clock.tell_due(on.engine, on.clocked) == 0
    on.later(seconds=121)
    assert clock.tell_due(on.engine, on.clocked) == 1
    (second,) = [one for one in on.said() if isinstance(one.data, WriteEconomicCustomer)]
    assert second.id != first.id
    assert second.data == first.data
    on.later(seconds=121)
    assert clock.tell_due(on.engine, on.clocked) == 0
    on.later(seconds=121)
    assert clock.tell_due(on.engine, on.clocked) == 1


def test_a_waiting_acknowledgement_is_no_answer_and_says_why(on: Wire) -> None:
    on.hear(crm_changed(new(on), 1))
    (command,) = on.said_only(WriteEconomicCustomer)
    outcome = Outcome(operation=command.parts[0].operation, result=Result.WAITING, reason="away")
    on.hear(economic_answered(command, outcome))
    (told,) = on.said()
    assert (told.data.state, told.data.reason) == ("creating", "away")  # type: ignore[attr-defined]


def test_an_answer_that_comes_twice_changes_nothing_the_second_time(on: Wire) -> None:
    customer = new(on)
    on.hear(crm_changed(customer, 1))
    (command,) = on.said_only(WriteEconomicCustomer)
    answer = economic_answered(
        command, done(command.parts[0].operation, created="7"), customer=there(customer, 7, "v1"), version=1
    )
    on.hear(answer)
    on.said()
    on.hear(answer)
    assert on.said() == []


def test_an_older_version_that_comes_later_is_not_recorded(on: Wire) -> None:
    customer = linked(on, phone="12345678")
    edited = customer.model_copy(update={"phone": "87654321"})
    on.hear(crm_changed(edited, 3))
    on.said()
    on.hear(crm_changed(customer.model_copy(update={"phone": "11111111"}), 2))
    assert on.said() == []


def test_what_was_seen_of_a_number_before_it_was_linked_is_not_lost(on: Wire) -> None:
    customer = new(on, street="Havnegade 1")
    on.hear(crm_changed(customer, 1))
    (command,) = on.said_only(WriteEconomicCustomer)
    on.hear(economic_seen(there(customer, 7, "v2", street="Havnegade 2"), 2))
    assert on.said() == []
    outcome = done(command.parts[0].operation, created="7")
    on.hear(economic_answered(command, outcome, customer=there(customer, 7, "v1"), version=1))
    (back,) = on.said_only(WriteCustomer)
    assert back.parts[0].fields == {"street": "Havnegade 2"}


def test_an_unsendable_customer_says_so(on: Wire) -> None:
    customer = linked(on)
    on.said()
    on.hear(crm_unsendable(customer.id, 2))
    told, asked = on.said()
    assert (told.data.state, told.data.details) == ("error", ("street",))  # type: ignore[attr-defined]
    assert (asked.data.kind, asked.data.reason) == ("refused", "unsendable")  # type: ignore[attr-defined]


def test_a_number_that_another_link_has_makes_the_older_link_rest(on: Wire) -> None:
    first, second = linked(on, 7), linked(on, 8)
    on.said()
    on.hear(economic_seen(there(second, 8, "v2"), 2, old_numbers=(7,)))
    told, asked = on.said()
    assert (told.customer, told.data.state, told.data.reason) == (  # type: ignore[attr-defined]
        first.id, "choice", "renumbered",
    )  # fmt: skip
    assert (asked.customer, asked.data.kind) == (first.id, "renumbered")  # type: ignore[attr-defined]


def test_a_renumbered_customer_keeps_its_link(on: Wire) -> None:
    customer = linked(on, 7, phone="12345678")
    on.said()
    on.hear(economic_seen(there(customer, 20, "v2"), 2, old_numbers=(7,)))
    assert on.said() == []
    on.hear(crm_changed(customer.model_copy(update={"phone": "87654321"}), 2))
    (command,) = on.said_only(WriteEconomicCustomer)
    assert command.number == 20


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


def test_another_tenant_s_messages_never_reach_a_link(on: Wire) -> None:
    customer = linked(on, phone="12345678")
    on.said()
    foreign = crm_changed(customer.model_copy(update={"phone": "87654321"}), 2)
    on.hear(replace(foreign, tenant="other"))
    assert on.said() == []
