"""Does a message have its whole effect, once, on real tables? Fed by hand, read from the outbox."""

from dataclasses import replace

import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import clock
from tests.builders.crm import a_person
from tests.builders.sync import (
    Wire,
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
from tests.integration.reconciler.flows import linked, new


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


def test_another_tenant_s_messages_never_reach_a_link(on: Wire) -> None:
    customer = linked(on, phone="12345678")
    on.said()
    foreign = crm_changed(customer.model_copy(update={"phone": "87654321"}), 2)
    on.hear(replace(foreign, tenant="other"))
    assert on.said() == []
