"""The applier: a command to the CRM is carried out once, on the version it was decided on, and always answered."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox import applier, customers, tables
from crm_outbox.changes import OUTBOX
from crm_outbox.contract import CustomerChanged, CustomerWritten, Part, Result, Stage, WriteCustomer, many
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
    [
        {"cvr": "13748136"},
        {"cvr": "dk 13 74-81.36"},
        {"ean": "5798000000001"},
        {"ean": "5798 0000 0000 1"},
        {"email": "POST@skovbo.example", "name": "skovbo vvs aps"},
        {"email": " post@skovbo.example ", "name": "Skovbo  VVS\u200f ApS "},
    ],
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


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ({"cvr": "DK-13 74 81 36"}, {"cvr": "13748136"}),
        ({"ean": "5798-000000001"}, {"ean": "5798000000001"}),
        ({"email": "Ålborg@Skovbo.Example\u200e"}, {"email": "ålborg@skovbo.example", "name": "SKOVBO VVS APS"}),
    ],
)
def test_no_spelling_of_what_the_crm_holds_hides_a_twin(
    engine: sa.Engine, stored: dict[str, str], given: dict[str, str]
) -> None:
    held = existing(engine, (), **stored)
    part = a_part(action="create", fields={"name": "Another", **given})
    answer = apply(engine, WriteCustomer(agreement=1, parts=(part,)))
    assert (answer.outcomes[0].reason, answer.candidates) == ("candidates", (held.customer.id,))


def test_a_deleted_customer_is_no_twin(engine: sa.Engine) -> None:
    held = existing(engine, cvr="13748136")
    with engine.begin() as connection:
        customers.change(connection, "t", held.customer.id, customers.Edit(deleted=True))
    part = a_part(action="create", fields={"name": "Skovbo VVS ApS", "cvr": "13748136"})
    assert apply(engine, WriteCustomer(agreement=1, parts=(part,))).outcomes[0].result is Result.WRITTEN


def test_one_that_was_not_told_apart_stops_a_creation_among_many_that_were(engine: sa.Engine) -> None:
    ruled_out = tuple(existing(engine, cvr="13748136").customer.id for _ in range(3))
    unseen = existing(engine, cvr="13748136").customer.id
    part = a_part(action="create", fields={"name": "Another", "cvr": "13748136"})
    answer = apply(engine, WriteCustomer(agreement=1, parts=(part,), ruled_out=ruled_out))
    assert answer.candidates == (unseen,)
    assert changed(engine) == 4


def test_five_thousand_twins_are_ruled_out_as_a_whole_and_one_more_stops_the_creation(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
                insert into crm.customer (tenant, id, name, cvr, created, stage)
                select 't', 'c' || n, 'Afdeling ' || n, '13748136', now(), 'active' from generate_series(1, 5000) n
            """)
        )
    ids = [f"c{n}" for n in range(1, 5001)]

    def create(**told_apart: Any) -> CustomerWritten:
        part = a_part(action="create", fields={"name": "Another", "cvr": "13748136"})
        return apply(engine, WriteCustomer(agreement=1, parts=(part,), **told_apart))

    answer = create()
    assert answer.outcomes[0].reason == "candidates"
    assert (answer.candidates, answer.candidates_many) == (tuple(sorted(ids)[:100]), many(ids))
    assert len(answer.model_dump_json()) < 3000
    one_more = existing(engine, cvr="13748136").customer.id
    again = create(ruled_out_many=answer.candidates_many)
    assert again.outcomes[0].reason == "candidates", "the decision had not seen that one"
    assert again.candidates_many == many([*ids, one_more])
    assert create(ruled_out_many=again.candidates_many).outcomes[0].result is Result.WRITTEN


def test_a_customer_is_created_with_its_persons_and_stage_in_one_change_and_made_once(engine: sa.Engine) -> None:
    whole = a_part(action="create", stage=Stage.LEAD, fields={"name": "Fjordens El A/S", "email": "x@fjordens.example"})
    persons = [a_part(action="create", record="contact", fields={"name": name}) for name in ("Anne Holm", "Ib Dahl")]
    command = WriteCustomer(agreement=1, parts=(persons[0], whole, persons[1]))
    first = apply(engine, command)
    again = apply(engine, command)
    assert first.customer is not None
    assert (first.customer.stage, first.customer.active_since) == (Stage.LEAD, None)
    made = [(one.name, one.id, one.origin) for one in first.customer.contacts]
    assert made == [
        ("Anne Holm", first.outcomes[0].created, persons[0].operation),
        ("Ib Dahl", first.outcomes[2].created, persons[1].operation),
    ]
    assert first.outcomes[1].created == first.customer.id
    assert again.outcomes == first.outcomes
    assert changed(engine) == 1


def test_two_creations_of_one_company_at_once_make_one_customer(engine: sa.Engine) -> None:
    answers: list[CustomerWritten] = []

    def create(spelling: str) -> None:
        part = a_part(action="create", fields={"name": "Fjordens El A/S", "cvr": spelling})
        with engine.begin() as connection:
            applier.handle(connection, a_command(WriteCustomer(agreement=1, parts=(part,))))

    threads = [threading.Thread(target=create, args=(spelling,)) for spelling in ("13748136", "DK13748136")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    answers += [one.data for one in messages(engine) if isinstance(one.data, CustomerWritten)]
    assert sorted(answer.outcomes[0].reason for answer in answers) == ["", "candidates"]
    assert changed(engine) == 1


def test_a_search_for_twins_reads_indexes_however_many_customers_there_are(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("set local enable_seqscan = off"))
        for column, key in (("cvr", tables.CVR_KEY), ("ean", tables.EAN_KEY), ("email", tables.EMAIL_KEY)):
            plan = connection.execute(
                sa.text(f"explain select id from crm.customer where tenant = 't' and {column} <> '' and {key} = 'x'")
            ).scalars()
            assert "_key" in " ".join(plan)


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
