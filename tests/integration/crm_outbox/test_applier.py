"""The applier: a command to the CRM is carried out once, on the version it was decided on, and always answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox import applier, customers, tables
from crm_outbox.changes import OUTBOX
from crm_outbox.contract import CustomerChanged, CustomerWritten, Part, Result, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Envelope, decode


def a_command(command: WriteCustomer) -> Envelope:
    return Envelope(
        id=uuid4(),
        type="crm.customer.write.v1",
        source="reconciler",
        time=datetime(2026, 11, 24, tzinfo=UTC),
        tenant="t",
        subject="customer/x",
        correlation="c",
        data=command,
    )


def apply(engine: sa.Engine, command: WriteCustomer) -> CustomerWritten:
    with engine.begin() as connection:
        applier.handle(connection, a_command(command))
    answer = messages(engine)[-1].data
    assert isinstance(answer, CustomerWritten)
    return answer


def messages(engine: sa.Engine) -> list[Envelope]:
    of = tables.messages.outbox.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(of.body, of.message_id).order_by(of.id))
        return [decode(bytes(row.body), str(row.message_id), OUTBOX.registry) for row in rows]


def changed(engine: sa.Engine) -> int:
    return sum(isinstance(message.data, CustomerChanged) for message in messages(engine))


def existing(engine: sa.Engine, persons: Sequence[customers.PersonEdit] = (), **fields: str) -> customers.Held:
    with engine.begin() as connection:
        edit = customers.Edit(fields={"name": "Skovbo VVS ApS", **fields}, persons=persons)
        return customers.create(connection, "t", edit).held


def a_part(**given: Any) -> Part:
    return Part(**{"operation": uuid4(), "action": "change", "record": "customer", **given})


def test_a_change_on_the_decided_version_is_written_and_answered_with_the_new_state(engine: sa.Engine) -> None:
    held = existing(engine)
    part = a_part(fields={"phone": "86 12 34 57"})
    answer = apply(
        engine,
        WriteCustomer(agreement=1, customer=held.customer.id, version=str(held.version), parts=(part,)),
    )
    assert answer.outcomes[0].result is Result.WRITTEN
    assert answer.customer is not None
    assert answer.customer.phone == "86 12 34 57"
    assert messages(engine)[-1].version == (1, 2)
    assert changed(engine) == 2, "the write is a change like any other"


def test_a_change_on_an_older_version_is_refused_and_says_what_the_crm_holds_now(engine: sa.Engine) -> None:
    held = existing(engine)
    with engine.begin() as connection:
        customers.change(connection, "t", held.customer.id, customers.Edit(fields={"city": "Vejle"}))
    command = WriteCustomer(
        agreement=1, customer=held.customer.id, version=str(held.version), parts=(a_part(fields={"city": "Kolding"}),)
    )
    answer = apply(engine, command)
    assert [outcome.reason for outcome in answer.outcomes] == ["version"]
    assert answer.customer is not None
    assert answer.customer.city == "Vejle"


def test_a_repeated_operation_is_answered_from_its_stored_answer_and_not_done_again(engine: sa.Engine) -> None:
    held = existing(engine)
    command = WriteCustomer(
        agreement=1, customer=held.customer.id, version=str(held.version), parts=(a_part(fields={"city": "Kolding"}),)
    )
    first = apply(engine, command)
    with engine.begin() as connection:
        customers.change(connection, "t", held.customer.id, customers.Edit(fields={"city": "Vejle"}))
    again = apply(engine, command)
    assert again.outcomes == first.outcomes
    assert again.customer is not None
    assert again.customer.city == "Vejle"
    assert changed(engine) == 3


def test_a_write_that_changes_nothing_is_answered_unchanged_and_moves_no_version(engine: sa.Engine) -> None:
    held = existing(engine, city="Vejle")
    command = WriteCustomer(
        agreement=1, customer=held.customer.id, version=str(held.version), parts=(a_part(fields={"city": "Vejle"}),)
    )
    answer = apply(engine, command)
    assert answer.outcomes[0].result is Result.UNCHANGED
    assert changed(engine) == 1


def test_persons_are_added_changed_and_removed_in_one_step_with_the_customer(engine: sa.Engine) -> None:
    held = existing(
        engine,
        persons=[customers.PersonEdit(fields={"name": "Anne Holm"}), customers.PersonEdit(fields={"name": "Ib Dahl"})],
    )
    anne, ib = held.customer.contacts
    added = a_part(action="create", record="contact", fields={"name": "Mette Lund"})
    parts = (
        a_part(fields={"city": "Vejle"}),
        a_part(record="contact", id=anne.id, fields={"phone": "20 30 40 50"}),
        a_part(action="remove", record="contact", id=ib.id),
        added,
    )
    command = WriteCustomer(agreement=1, customer=held.customer.id, version=str(held.version), parts=parts)
    answer = apply(engine, command)
    assert {outcome.result for outcome in answer.outcomes} == {Result.WRITTEN}
    assert answer.customer is not None
    assert [(one.name, one.phone) for one in answer.customer.contacts] == [
        ("Anne Holm", "20 30 40 50"),
        ("Mette Lund", ""),
    ]
    mette = answer.customer.contacts[1]
    assert (answer.outcomes[3].created, mette.origin) == (mette.id, added.operation)
    assert changed(engine) == 2


def test_a_creation_keeps_its_operation_as_origin_and_is_made_once(engine: sa.Engine) -> None:
    part = a_part(action="create", stage=Stage.ACTIVE, fields={"name": "Fjordens El A/S", "cvr": "13748136"})
    command = WriteCustomer(agreement=1, parts=(part,))
    first = apply(engine, command)
    again = apply(engine, command)
    assert first.customer is not None
    assert first.customer.origin == part.operation
    assert again.outcomes == first.outcomes
    assert again.customer == first.customer
    assert changed(engine) == 1


@pytest.mark.parametrize(
    "evidence",
    [{"cvr": "13748136"}, {"ean": "5798000000001"}, {"email": "POST@skovbo.example", "name": "skovbo vvs aps"}],
)
def test_a_creation_that_would_make_a_twin_is_refused_with_the_candidates(
    engine: sa.Engine, evidence: dict[str, str]
) -> None:
    held = existing(engine, cvr="13748136", ean="5798000000001", email="post@skovbo.example")
    part = a_part(action="create", fields={"name": "Another", **evidence})
    answer = apply(engine, WriteCustomer(agreement=1, parts=(part,)))
    assert answer.outcomes[0].reason == "candidates"
    assert answer.candidates == (held.customer.id,)
    told_apart = WriteCustomer(
        agreement=1, parts=(part.model_copy(update={"operation": uuid4()}),), ruled_out=(held.customer.id,)
    )
    assert apply(engine, told_apart).outcomes[0].result is Result.WRITTEN


def test_a_rule_of_the_crm_that_says_no_is_answered_with_its_name_and_nothing_is_half_written(
    engine: sa.Engine,
) -> None:
    held = existing(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("alter table crm.customer add constraint no_kolding check (city <> 'Kolding')"))
    try:
        parts = (a_part(fields={"city": "Kolding", "phone": "1"}), a_part(action="create", record="contact"))
        answer = apply(
            engine, WriteCustomer(agreement=1, customer=held.customer.id, version=str(held.version), parts=parts)
        )
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("alter table crm.customer drop constraint no_kolding"))
    assert {(outcome.reason, outcome.message) for outcome in answer.outcomes} == {("write_refused", "no_kolding")}
    assert answer.customer == held.customer


@pytest.mark.parametrize("missing", ["customer", "person", "detail"])
def test_what_the_crm_does_not_have_is_refused_as_not_found(engine: sa.Engine, missing: str) -> None:
    held = existing(engine)
    customer = "nobody" if missing == "customer" else held.customer.id
    part = {
        "customer": a_part(fields={"city": "Vejle"}),
        "person": a_part(record="contact", id="nobody", fields={"phone": "1"}),
        "detail": a_part(fields={"shoe_size": "44"}),
    }[missing]
    answer = apply(engine, WriteCustomer(agreement=1, customer=customer, version=str(held.version), parts=(part,)))
    assert answer.outcomes[0].reason == "not_found"


def test_an_outcome_is_kept_for_every_operation(engine: sa.Engine) -> None:
    held = existing(engine)
    operations: list[UUID] = []
    for city in ("Vejle", "Kolding"):
        part = a_part(fields={"city": city})
        operations.append(part.operation)
        apply(engine, WriteCustomer(agreement=1, customer=held.customer.id, version=str(held.version), parts=(part,)))
    with engine.connect() as connection:
        kept = connection.execute(sa.select(tables.operation.c.operation)).scalars().all()
    assert set(kept) == set(operations)
