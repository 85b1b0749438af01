"""Regular checks: every minute by day and while anything changes on either side, seldom in a quiet night."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import CustomerChanged
from crm_outbox.messaging.envelope import Envelope, Version
from economic_adapter import activity, addresses, clock, duties, store, tables
from economic_adapter.hooks import Webhooks, app
from economic_adapter.intake import Intake
from economic_adapter.rhythm import Rhythm
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from economic_adapter.store import Gather
from tests.builders.crm import a_customer
from tests.builders.economic import TENANT, Bench, creation
from tests.builders.http import ask

pytestmark = pytest.mark.slow


@pytest.fixture
def quiet(at_desk: Bench) -> Bench:
    """A customer both sides know, at three o'clock in a night in which nothing changed for hours."""
    at_desk.write(creation())
    night = at_desk.time.replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)
    at_desk.passes((night - at_desk.time).total_seconds())
    assert checks(at_desk) == 1
    return at_desk


def checks(at_desk: Bench) -> int:
    """Let the clock plan, and do it; how many regular checks there were."""
    ticks = clock.Clock(
        engine=at_desk.engine,
        outbox=at_desk.outbox,
        now=lambda: at_desk.time,
        threads=1,
        rhythm=Rhythm(active=60, idle=300),
        probe=60,
    )
    planned = ticks.plan()
    at_desk.work()
    return planned


def in_the_crm(at_desk: Bench, run: UUID | None = None) -> None:
    """A customer is edited in the CRM, or told under a run."""
    customer = a_customer(id="48211")
    message = Envelope(
        id=uuid4(),
        type="crm.customer.changed.v1",
        source="crm_outbox",
        time=at_desk.time,
        tenant=TENANT,
        subject="customer/48211",
        version=Version(1, int(at_desk.time.timestamp())),
        data=CustomerChanged(id="48211", change="updated", customer=customer, run=run),
    )
    with at_desk.engine.begin() as connection:
        Intake(outbox=duties.OUTBOX, now=lambda: at_desk.time).handle(connection, message)


def by_hook(at_desk: Bench) -> None:
    """e-conomic tells of a customer."""
    with at_desk.engine.begin() as connection:
        addresses.add_secret(connection, AGREEMENT, "endpoint", hashlib.sha256(b"a-secret").digest())
    site = app(Webhooks(engine=at_desk.engine, now=lambda: at_desk.time, gather=Gather()), None, https=True)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert ask(site, "/hooks/economic/endpoint/a-secret", method="POST", body=b"new=1001", headers=form).status == 204


def found_by_a_check(at_desk: Bench) -> None:
    """A customer is edited in e-conomic, which tells nobody; the next check finds it."""
    ui.edit_customer(at_desk.sandbox.data, 1001, {"city": "Odense"})
    at_desk.passes(300)
    assert checks(at_desk) == 1


def changed_at(at_desk: Bench) -> object:
    (row,) = at_desk.rows(tables.activity)
    return row["changed_at"]


def test_in_a_quiet_night_a_check_is_made_every_five_minutes(quiet: Bench) -> None:
    quiet.passes(299)
    assert checks(quiet) == 0
    quiet.passes(1)
    assert checks(quiet) == 1


@pytest.mark.parametrize("change", [in_the_crm, by_hook, found_by_a_check])
def test_half_an_hour_from_a_change_on_either_side_a_check_is_made_every_minute(
    quiet: Bench, change: Callable[[Bench], None]
) -> None:
    change(quiet)
    made = []
    for _ in range(35):
        quiet.passes(60)
        made.append(checks(quiet))
    assert made[:29] == [1] * 29
    assert made[29:] == [0, 0, 0, 0, 1, 0]


def test_by_day_a_check_is_made_every_minute_though_nothing_changes(quiet: Bench) -> None:
    quiet.passes(8 * 3600)
    assert checks(quiet) == 1
    for _ in range(3):
        quiet.passes(60)
        assert checks(quiet) == 1


def test_what_a_run_tells_is_no_change(quiet: Bench) -> None:
    in_the_crm(quiet, run=uuid4())
    quiet.passes(60)
    assert checks(quiet) == 0


def test_a_burst_of_changes_is_noted_once_a_minute(quiet: Bench) -> None:
    in_the_crm(quiet)
    first = changed_at(quiet)
    quiet.passes(59)
    in_the_crm(quiet)
    assert changed_at(quiet) == first
    quiet.passes(1)
    in_the_crm(quiet)
    assert changed_at(quiet) == quiet.time


def test_whoever_notes_a_change_never_waits_for_another_who_does(quiet: Bench) -> None:
    in_the_crm(quiet)
    quiet.passes(61)
    with quiet.engine.begin() as one, quiet.engine.begin() as other:
        activity.note(one, AGREEMENT, quiet.time)
        other.execute(sa.text("set local lock_timeout = '1s'"))
        activity.note(other, AGREEMENT, quiet.time)
    assert changed_at(quiet) == quiet.time


def test_polls_are_planned_by_the_clock_once_at_a_time(at_desk: Bench) -> None:
    at_desk.passes(120)
    with at_desk.engine.begin() as connection:
        moment = at_desk.time - timedelta(seconds=60)
        assert [one.agreement for one in activity.checked_before(connection, moment)] == [AGREEMENT]
        assert activity.plan_polls(connection, [AGREEMENT], at_desk.time) == 1
        assert activity.plan_polls(connection, [AGREEMENT], at_desk.time) == 0
    at_desk.work()
    with at_desk.engine.begin() as connection:
        assert activity.checked_before(connection, moment) == []


@pytest.mark.parametrize("values", [{"state": "off"}, {"polling": False}])
def test_who_is_off_or_not_to_be_checked_is_not_checked(quiet: Bench, values: dict[str, object]) -> None:
    with quiet.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(**values))
        store.plan(connection, AGREEMENT, "check", due_at=quiet.time)
    quiet.work()
    quiet.passes(3600)
    assert checks(quiet) == 0
