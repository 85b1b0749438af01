"""A backfill publishes every customer once, at the version it has, wherever it dies and whoever edits meanwhile."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox import applier, backfill, changes, customers, tables
from crm_outbox.contract import BackfillProgressed, CustomerChanged, RunBackfill, Stage
from crm_outbox.messaging.envelope import Envelope, Refused, decode


def messages(engine: sa.Engine) -> list[tuple[str, Envelope]]:
    of = tables.messages.outbox.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(of.body, of.message_id, of.lane).order_by(of.id)).all()
    return [(row.lane, decode(bytes(row.body), str(row.message_id), changes.OUTBOX.registry)) for row in rows]


def published(engine: sa.Engine, run: UUID) -> list[Envelope]:
    return [one for _, one in messages(engine) if isinstance(one.data, CustomerChanged) and one.data.run == run]


def progress(engine: sa.Engine, run: UUID) -> list[BackfillProgressed]:
    told = [one.data for _, one in messages(engine)]
    return [one for one in told if isinstance(one, BackfillProgressed) and one.run == run]


def made(engine: sa.Engine, number: int, **fields: str) -> list[str]:
    with engine.begin() as connection:
        edits = [customers.Edit(fields={"name": f"Kunde {one}", **fields}) for one in range(number)]
        return [customers.create(connection, "t", edit).held.customer.id for edit in edits]


def asked(engine: sa.Engine, run: UUID, *, start: bool = True, tenant: str = "t") -> None:
    envelope = Envelope(
        id=uuid4(),
        type="crm.backfill.run.v1",
        source="reconciler",
        time=datetime(2026, 11, 24, tzinfo=UTC),
        tenant=tenant,
        subject="x",
        correlation="c",
        data=RunBackfill(run=run, start=start),
    )
    with engine.begin() as connection:
        applier.handle(connection, envelope)


def turn(engine: sa.Engine, most: int = 2) -> int:
    with engine.begin() as connection:
        return backfill.page(connection, most)


def finish(engine: sa.Engine, most: int = 2) -> None:
    for _ in range(50):
        if not turn(engine, most):
            return
    raise AssertionError("a backfill that never ends")


def test_every_customer_of_the_tenant_is_published_once_as_it_is_and_the_run_closes(engine: sa.Engine) -> None:
    ids = made(engine, 5, city="Vejle")
    with engine.begin() as connection:
        edit = customers.Edit(fields={"phone": "1"}, persons=[customers.PersonEdit(fields={"name": "Anne Holm"})])
        customers.change(connection, "t", ids[0], edit)
        customers.change(connection, "t", ids[1], customers.Edit(deleted=True))
        customers.create(connection, "another", customers.Edit(fields={"name": "Fremmed"}))
    run = uuid4()
    asked(engine, run)
    finish(engine)
    told = published(engine, run)
    assert Counter(one.customer for one in told) == Counter(ids)
    by_id = {one.customer: one for one in told}
    with engine.connect() as connection:
        for one in ids:
            held = customers.find(connection, "t", one)
            assert held is not None
            envelope = by_id[one]
            assert isinstance(envelope.data, CustomerChanged)
            assert (envelope.data.customer, envelope.version) == (held.customer, held.version)
    assert {lane for lane, one in messages(engine) if getattr(one.data, "run", None) == run} == {"bulk"}
    assert [(one.read, one.count, one.closed) for one in progress(engine, run)] == [
        (0, 5, False),
        (2, 5, False),
        (4, 5, False),
        (5, 5, True),
    ]
    assert {one.correlation for one in told} == {"c"}


def test_no_version_moves_for_a_backfill(engine: sa.Engine) -> None:
    (one,) = made(engine, 1)
    with engine.connect() as connection:
        first = changes.current_version(connection, "t", one)
    for _ in range(2):
        asked(engine, uuid4())
        finish(engine)
    with engine.begin() as connection:
        assert changes.current_version(connection, "t", one) == first
        assert customers.change(connection, "t", one, customers.Edit(fields={"city": "Vejle"})).held.version.number == 2


def test_a_customer_that_was_never_published_gets_its_first_version(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tables.customer).values(
                tenant="t", id="old", stage=Stage.ACTIVE, name="Fra før", created=sa.func.now()
            )
        )
    run = uuid4()
    asked(engine, run)
    finish(engine)
    assert [one.version.number for one in published(engine, run) if one.version] == [1]


def test_after_a_restore_what_is_published_again_is_newer_than_all_before(engine: sa.Engine) -> None:
    (one,) = made(engine, 1)
    with engine.begin() as connection:
        epoch = changes.next_epoch(connection)
    run = uuid4()
    asked(engine, run)
    finish(engine)
    assert [envelope.version for envelope in published(engine, run)] == [(epoch, 1)]
    with engine.begin() as connection:
        edited = customers.change(connection, "t", one, customers.Edit(fields={"city": "Vejle"}))
        connection.execute(sa.update(tables.epoch).values(epoch=epoch - 1))
    assert edited.held.version == (epoch, 2)


def test_an_empty_crm_closes_at_once_with_nothing_read(engine: sa.Engine) -> None:
    run = uuid4()
    asked(engine, run)
    assert progress(engine, run) == [BackfillProgressed(run=run, read=0, count=0, closed=True)]
    assert turn(engine) == 0


def test_a_page_that_is_not_committed_is_published_by_the_next_one(engine: sa.Engine) -> None:
    ids = made(engine, 5)
    run = uuid4()
    asked(engine, run)
    turn(engine)
    with engine.connect() as connection:
        assert backfill.page(connection, 2) == 2
        connection.rollback()  # the process dies here
    finish(engine)
    assert Counter(one.customer for one in published(engine, run)) == Counter(ids)
    assert progress(engine, run)[-1].read == 5


def test_two_clocks_at_once_publish_nothing_twice(engine: sa.Engine) -> None:
    ids = made(engine, 5)
    run = uuid4()
    asked(engine, run)
    with engine.begin() as connection:
        assert backfill.page(connection, 2) == 2
        assert turn(engine) == 0, "the other one holds the run"
    finish(engine)
    assert Counter(one.customer for one in published(engine, run)) == Counter(ids)


def test_a_customer_somebody_is_changing_is_published_with_that_change_and_holds_nobody_up(engine: sa.Engine) -> None:
    ids = sorted(made(engine, 4))
    run = uuid4()
    asked(engine, run)
    with engine.begin() as editing:
        customers.change(editing, "t", ids[1], customers.Edit(fields={"city": "Vejle"}))
        assert turn(engine, 4) == 1, "only the one before it"
        assert turn(engine, 4) == 0
    finish(engine)
    told = {one.customer or "": one for one in published(engine, run)}
    assert sorted(told) == ids
    changed = told[ids[1]]
    assert isinstance(changed.data, CustomerChanged)
    assert changed.data.customer is not None
    assert changed.version is not None
    assert (changed.version.number, changed.data.customer.city) == (2, "Vejle")


def test_who_is_created_while_a_run_goes_on_is_no_part_of_it(engine: sa.Engine) -> None:
    ids = made(engine, 3)
    run = uuid4()
    asked(engine, run)
    turn(engine)
    made(engine, 3)
    finish(engine)
    assert Counter(one.customer for one in published(engine, run)) == Counter(ids)
    assert progress(engine, run)[-1] == BackfillProgressed(run=run, read=3, count=3, closed=True)


def test_a_customer_no_message_can_carry_is_published_with_the_reason_and_counts(engine: sa.Engine) -> None:
    made(engine, 1)
    made(engine, 1, street="x" * 1_100_000)
    made(engine, 1)
    run = uuid4()
    asked(engine, run)
    finish(engine, 10)
    told = [one.data for one in published(engine, run)]
    assert len(told) == 3
    (without,) = [one for one in told if isinstance(one, CustomerChanged) and one.customer is None]
    assert without.unsendable is not None
    assert (without.unsendable.reason, without.unsendable.detail) == ("too_large", "street")
    assert progress(engine, run)[-1].read == 3


def test_a_repeated_command_is_answered_with_how_far_it_is_and_begins_nothing(engine: sa.Engine) -> None:
    made(engine, 3)
    run = uuid4()
    asked(engine, run)
    turn(engine)
    asked(engine, run)
    assert progress(engine, run)[-1] == BackfillProgressed(run=run, read=2, count=3)
    finish(engine)
    asked(engine, run)
    assert progress(engine, run)[-1] == BackfillProgressed(run=run, read=3, count=3, closed=True)
    assert turn(engine) == 0


def test_a_run_that_is_ended_early_publishes_nothing_more(engine: sa.Engine) -> None:
    made(engine, 5)
    run = uuid4()
    asked(engine, run)
    turn(engine)
    asked(engine, run, start=False)
    assert turn(engine) == 0
    assert progress(engine, run)[-1] == BackfillProgressed(run=run, read=2, count=5, closed=True, stopped=True)
    asked(engine, run)
    assert turn(engine) == 0, "ended is ended"


def test_another_tenants_run_is_refused(engine: sa.Engine) -> None:
    made(engine, 1)
    run = uuid4()
    asked(engine, run)
    with pytest.raises(Refused, match="foreign_run"):
        asked(engine, run, start=False, tenant="another")
    assert turn(engine) == 1
