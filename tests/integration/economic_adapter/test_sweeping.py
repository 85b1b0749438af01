"""The nightly reading of what is known: silent where nothing moved, and a count of what nobody had told."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from economic_adapter import records, tables, work
from economic_adapter.contract import Shown
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from tests.builders.economic import Bench
from tests.integration.economic_adapter.reading import OTHER, at_call, numbers, seeded

pytestmark = pytest.mark.slow


def known(at_desk: Bench) -> None:
    """An e-conomic that was read, whose hooks are said to come."""
    seeded(at_desk, customers=10, contacts=10)
    at_desk.imported()
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(webhooks="registered"))
    at_desk.passes(3600)
    at_desk.calls()


def test_a_sweep_of_what_is_known_tells_nothing(at_desk: Bench) -> None:
    known(at_desk)
    run = at_desk.imported(kind="sweep")
    last = at_desk.far(run)[-1]
    assert (last.kind, last.read, last.found) == ("sweep", 10, 0)
    assert at_desk.under(run) == []
    assert {row["counter"] for row in at_desk.rows(tables.mirror)} == {1}


def test_a_sweep_tells_and_counts_what_nobody_had_told(at_desk: Bench) -> None:
    known(at_desk)
    data = at_desk.sandbox.data
    ui.edit_customer(data, 2, {"name": "Ændret ApS"})
    ui.create_contact(data, 3, {"name": "Ny Person"})
    ui.delete_contact(data, 4)
    ui.create_customer(data, {"name": "Ny ApS"}, 99)
    ui.edit_customer(data, 6, {"creditMaximum": 100.0})
    ui.delete_customer(data, 7)
    run = at_desk.run(kind="sweep")
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.closed, last.read, last.found) == (True, 10, 5), "the credit limit is nothing we map"
    assert sorted(numbers(at_desk.under(run))) == [2, 3, 4, 6, 99]
    assert {one.why for one in at_desk.under(run)} == {"sweep"}
    assert at_desk.agreement()["missed"] == 5
    at_desk.settle()
    gone = at_desk.new()[-1]
    assert (gone.number, gone.absent, gone.why) == (7, True, "sweep")
    again = at_desk.imported(kind="sweep")
    assert (at_desk.far(again)[-1].found, at_desk.under(again)) == (0, [])


def test_a_sweep_tells_what_is_only_read_there_and_counts_nothing(at_desk: Bench) -> None:
    known(at_desk)
    data = at_desk.sandbox.data
    ui.edit_customer(data, 2, {"defaultInvoiceRecipient": "faktura@nordhavn.example", "creditMaximum": 100.0})
    ui.edit_customer(data, 3, {"customerGroupNumber": 2})
    ui.edit_contact(data, 4, {"eInvoiceId": "57-4"})
    run = at_desk.imported(kind="sweep")
    told = {one.number: one.economic for one in at_desk.under(run) if one.economic is not None}
    assert [one.shown for one in told.values()] == [
        Shown(invoice_recipient="faktura@nordhavn.example", credit_limit=100.0), None, None,
    ]  # fmt: skip
    assert (told[3].group, [one.e_invoice_id for one in told[4].contacts]) == (2, ["57-4"])
    assert (at_desk.far(run)[-1].found, at_desk.agreement()["missed"]) == (0, 0)


def test_a_sweep_tells_once_more_what_an_update_told_too_little_of(at_desk: Bench) -> None:
    known(at_desk)
    ui.edit_contact(at_desk.sandbox.data, 4, {"receiveInvoices": True})
    at_desk.imported(kind="sweep")
    with at_desk.engine.begin() as connection:  # as the migration leaves it
        connection.execute(sa.update(tables.mirror).where(tables.mirror.c.number == 4).values(retell=True))
    run = at_desk.imported(kind="sweep")
    (told,) = at_desk.under(run)
    assert told.economic is not None
    assert [one.receives for one in told.economic.contacts] == [("invoices",)]
    assert at_desk.far(run)[-1].found == 0, "nobody missed a change"
    assert at_desk.under(at_desk.imported(kind="sweep")) == []


def test_a_sweep_leaves_to_a_look_what_a_hook_had_told(at_desk: Bench) -> None:
    known(at_desk)
    ui.edit_customer(at_desk.sandbox.data, 2, {"name": "Ændret ApS"})
    at_desk.hook(2)
    run = at_desk.imported(kind="sweep")
    assert (at_desk.far(run)[-1].found, at_desk.under(run), at_desk.agreement()["missed"]) == (0, [], 0)


def test_a_sweep_never_puts_what_it_listed_over_what_was_written_meanwhile(at_desk: Bench) -> None:
    known(at_desk)

    def write() -> None:
        ui.create_contact(at_desk.sandbox.data, 3, {"name": "Ny Person"})
        at_desk.look(3)
        assert work.step(at_desk.desk, AGREEMENT, OTHER)

    at_call(at_desk, "/Contacts", write, nth=3)
    run = at_desk.imported(kind="sweep")
    assert at_desk.under(run) == []
    assert at_desk.seen(3).economic is not None
    assert [one.name for one in at_desk.seen(3).economic.contacts][-1] == "Ny Person"  # type: ignore[union-attr]


def test_a_customer_missed_once_and_listed_again_is_missed_no_more(at_desk: Bench) -> None:
    known(at_desk)
    with at_desk.engine.begin() as connection:
        records.miss(connection, AGREEMENT, 3, at_desk.time - timedelta(minutes=2))
    at_desk.imported(kind="sweep")
    assert all(row["missing_since"] is None for row in at_desk.rows(tables.mirror))


def test_two_runs_at_once_each_tell_everything(at_desk: Bench) -> None:
    seeded(at_desk)
    runs = [at_desk.run(), at_desk.run()]
    at_desk.work(most=200)
    for run in runs:
        assert at_desk.far(run)[-1].closed
        assert numbers(at_desk.under(run)) == Counter(range(1, 26))
