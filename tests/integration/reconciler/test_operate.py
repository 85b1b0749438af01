"""What does an operator get for an answer? The command line, on a real database."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from economic_adapter.contract import ConfigureAgreement, ImportProgressed, RunImport, WriteEconomicCustomer
from reconciler import clock, meeting, reconcile, store
from reconciler.__main__ import main
from tests.builders.crm import a_customer
from tests.builders.sync import (
    TENANT,
    Wire,
    agreement_seen,
    crm_changed,
    done,
    economic_answered,
    envelope,
    installation_seen,
    refused,
    statuses,
    there,
)
from tests.waiting import eventually

ON = ("switch-on", "--tenant", TENANT)


@pytest.fixture
def wire(engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setenv("DATABASE_URL", database)
    return Wire(engine=engine, time=datetime.now(UTC))


@pytest.fixture
def answering(wire: Wire) -> Iterator[list[int | None]]:
    """Answers a reading of nothing, then the next configuration with this count of customers in e-conomic."""
    counts: list[int | None] = []

    def answer() -> None:
        eventually(lambda: _reading(wire))
        wire.read_both()
        eventually(lambda: _asked(wire))
        wire.switch(customers=counts[0])

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield counts
    thread.join(timeout=60)


def _reading(wire: Wire) -> bool:
    with wire.engine.connect() as connection:
        return bool(connection.scalar(sa.text("select count(*) from sync.run where kind = 'read' and ended is null")))


def _asked(wire: Wire) -> bool:
    with wire.engine.connect() as connection:
        return bool(connection.scalar(sa.text("select count(*) from sync.agreement where operation is not null")))


def test_without_an_agreement_it_says_what_comes_first(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ON]) == 1
    assert "economic_adapter connect" in capsys.readouterr().out


def test_switching_on_shows_the_counts_of_both_sides_and_does_nothing_without_yes(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.hear(agreement_seen(wire.time, state="connected", customers=0))
    wire.hear(crm_changed(a_customer(), 1))
    assert main([*ON]) == 0
    said = capsys.readouterr().out
    assert "Clickmate 1 (1 active), e-conomic 0" in said
    assert "repeat with --yes" in said
    assert wire.said() == []


def test_a_preview_waits_for_an_agreement_that_was_only_just_connected(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    looked: list[float] = []

    def answer(seconds: float) -> None:
        if not looked:
            wire.hear(agreement_seen(wire.time, state="connected"))
        elif _reading(wire):
            wire.read_both()
        looked.append(seconds)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "sleep", answer)
        assert main([*ON, "--preview", "--wait", "10"]) == 0
    assert "nothing is saved yet" in capsys.readouterr().out


def test_switching_on_waits_for_the_answer(
    wire: Wire, answering: list[int | None], capsys: pytest.CaptureFixture[str]
) -> None:
    answering.append(0)
    wire.hear(agreement_seen(wire.time, state="connected"))
    assert main([*ON, "--yes", "--wait", "60", "--number-from", "10001", "--transfer", "active"]) == 0
    assert "is on" in capsys.readouterr().out


def test_a_reading_that_fails_is_told_with_its_cause(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    assert main([*ON, "--yes", "--wait", "0"]) == 3
    assert "reading both systems" in capsys.readouterr().out
    (asked,) = wire.said_only(RunImport)
    failed = ImportProgressed(run=asked.run, agreement=asked.agreement, state="failed", cause="the list never ended")
    wire.hear(envelope(failed))
    assert main(["runs", "--tenant", TENANT]) == 0
    assert "the list never ended" in capsys.readouterr().out


def test_an_answer_that_does_not_come_in_time_is_no_refusal(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    assert main([*ON, "--yes", "--wait", "0"]) == 3
    wire.read_both()
    assert main([*ON, "--yes", "--wait", "0"]) == 3
    assert "not answered yet" in capsys.readouterr().out
    (asked,) = wire.said_only(ConfigureAgreement)
    assert asked.on


def test_switching_off_tells_the_adapter(wire: Wire) -> None:
    _on(wire)
    assert main(["switch-off", "--tenant", TENANT]) == 0
    assert wire.said() == []
    assert main(["switch-off", "--tenant", TENANT, "--yes"]) == 0
    (asked,) = wire.said_only(ConfigureAgreement)
    assert not asked.on


def test_a_refused_customer_is_shown_and_tried_again(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    _on(wire)
    customer = a_customer(created=wire.time, active_since=wire.time)
    wire.hear(crm_changed(customer, 1))
    (command,) = wire.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", message="Invalid e-mail", detail="email")
    wire.hear(economic_answered(command, outcome))
    capsys.readouterr()
    assert main(["status", "--customer", customer.id]) == 1
    said = capsys.readouterr().out
    assert "error" in said
    assert "Invalid e-mail" in said
    assert "Nordhavn" not in said
    wire.said()
    assert main(["retry", "--customer", customer.id]) == 0
    assert wire.said() == []
    assert main(["retry", "--customer", customer.id, "--yes"]) == 0
    said_again = wire.said()
    assert statuses(said_again) == ["creating"]
    (again,) = [one.data for one in said_again if isinstance(one.data, WriteEconomicCustomer)]
    assert again.parts[0].operation != command.parts[0].operation
    wire.hear(
        economic_answered(
            again, done(again.parts[0].operation, created="7"), customer=there(customer, 7, "a"), version=1
        )
    )
    assert main(["status"]) == 0
    assert "same: 1" in capsys.readouterr().out


def test_a_write_nobody_answered_for_an_hour_needs_a_person(wire: Wire) -> None:
    _on(wire)
    wire.hear(crm_changed(a_customer(created=wire.time, active_since=wire.time), 1))
    with wire.engine.connect() as connection:
        assert clock.needs_a_person(connection, wire.time) == []
        (item,) = clock.needs_a_person(connection, wire.time + timedelta(hours=1, seconds=1))
    assert item.kind.queue == "attention.unclear-write"


def test_a_link_the_clock_fails_on_delays_no_other(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    _on(wire)
    first, second = (a_customer(created=wire.time, active_since=wire.time) for _ in range(2))
    wire.hear(crm_changed(first, 1))
    wire.hear(crm_changed(second, 1))
    wire.said()
    wire.later(seconds=121)
    take = meeting.take

    def failing(
        clocked: reconcile.Clocked, connection: sa.Connection, stored: store.Stored, *more: Any, **other: Any
    ) -> object:
        if stored.link.crm_id == first.id:
            raise ValueError("a fault of ours")
        return take(clocked, connection, stored, *more, **other)

    monkeypatch.setattr(meeting, "take", failing)
    tell = partial(clock.tell_due, wire.engine, wire.clocked)
    assert tell() == 2
    assert [one.customer for one in wire.said()] == [second.id]
    assert tell() == 0
    monkeypatch.undo()
    wire.later(seconds=10)
    assert clock.tell_due(wire.engine, wire.clocked) == 1
    assert [one.customer for one in wire.said()] == [first.id]


def test_wrong_settings_are_all_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "SYNC_DATABASE_URL", "BROKER_URL", "BROKER_MANAGEMENT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RESEND_SECONDS", "soon")
    assert main(["run", "relay", "reconcile"]) == 2
    said = capsys.readouterr().err
    for name in (
        "DATABASE_URL",
        "BROKER_URL",
        "BROKER_PASSWORD_RECONCILER",
        "BROKER_PASSWORD_RELAY_SYNC",
        "RESEND_SECONDS",
    ):
        assert name in said


def _on(wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    assert main([*ON, "--yes", "--wait", "0"]) == 3
    wire.read_both()
    assert main([*ON, "--yes", "--wait", "0"]) == 3
    wire.switch()
    wire.relay()
    wire.time = datetime.now(UTC) + timedelta(seconds=1)  # after it was asked, however long the commands took


def test_status_names_what_the_adapter_lacks_while_it_is_heard_of(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.hear(installation_seen(wire.time - timedelta(minutes=4), "ECONOMIC_APP_SECRET"))
    assert main(["status"]) == 0
    assert "ECONOMIC_APP_SECRET" not in capsys.readouterr().out, "that was long ago"
    wire.hear(installation_seen(wire.time, "ECONOMIC_APP_SECRET", "CONNECT_KEY"))
    assert main(["status"]) == 1
    assert "give access to e-conomic: ECONOMIC_APP_SECRET, CONNECT_KEY\n" in capsys.readouterr().out
