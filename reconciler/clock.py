"""What does time bring? Unanswered commands again, links whose agreement changed, customers without a link, retention.

Every link is a transaction of its own, so that one that fails delays no other.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.exc import DBAPIError

from crm_outbox.messaging import upkeep
from crm_outbox.messaging.attention import Item, Kind
from crm_outbox.messaging.database import is_away, is_contended
from crm_outbox.messaging.duty import Turn
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.lying import Lying
from crm_outbox.messaging.settings import Broker
from reconciler import (
    agreements,
    alive,
    braking,
    bulking,
    bulks,
    bus,
    comparisons,
    foreseeing,
    installation,
    looks,
    meeting,
    ordering,
    overview,
    pausing,
    people,
    presence,
    proposing,
    reading,
    records,
    resuming,
    retrying,
    running,
    runs,
    store,
    suggesting,
    switching,
    trying,
    undoing,
)
from reconciler.categories import category
from reconciler.decisions import KEEP
from reconciler.link import Due
from reconciler.status import status
from reconciler.stepping import Clocked
from reconciler.tables import messages

log = structlog.get_logger(__name__)

CHUNK = 100
MOST_LINKS = 5000
"""Links made in one statement."""
IDLE = 0.5
"""Seconds between two looks when nothing was due."""
LONGEST_PUT_OFF = timedelta(hours=1)
UNANSWERED = timedelta(hours=1)
"""An operation neither answered nor acknowledged for so long needs a person."""
KEEP_OPERATIONS = timedelta(days=90)
KEEP_RUNS = KEEP + timedelta(days=1)
"""What a run wrote, customer by customer, is kept a little longer than it can be taken back."""

STUCK = Gauge("sync_operations_stuck", "Writes neither answered nor acknowledged for an hour")


class Clock:
    """The duty: one look at everything that waits for time."""

    def __init__(self, engine: sa.Engine, clocked: Clocked, committed: Callable[[], None]) -> None:
        self._engine = engine
        self._clocked = clocked
        self._many = replace(clocked, many=True)
        self._committed = committed

    def run_once(self) -> Turn:
        """Tell at most a hundred links of each kind; more without a pause while there are more."""
        worked = (
            tell_due(self._engine, self._clocked)
            + resend_configurations(self._engine, self._clocked)
            + tell_again(self._engine, self._clocked)
            + pausing.end_due(self._engine, self._clocked)
            + tell_paused(self._engine, self._clocked)
            + make_links(self._engine)
            + fill_keys(self._engine)
            + fill_lists(self._engine, self._clocked)
            + follow_runs(self._engine, self._clocked)
            + proposing.carry_on(self._engine, self._clocked)
            + trying.look(self._engine, self._clocked)
            + running.carry_out(self._engine, self._clocked)
            + undoing.undo(self._engine, self._clocked)
            + retrying.carry_on(self._engine, self._many)
            + bulking.carry_on(self._engine, self._many)
            + suggesting.carry_on(self._engine, self._clocked)
            + foreseeing.carry_on(self._engine, self._clocked)
        )
        if worked:
            self._committed()
        return Turn(worked, 0.0 if worked >= CHUNK else IDLE)

    def close(self) -> None:
        """Nothing is kept between two looks."""


def tell_due(engine: sa.Engine, clocked: Clocked) -> int:
    """Tell the links whose time has come; returns how many."""
    with engine.begin() as connection:
        found = store.due(connection, clocked.now(), CHUNK)
    return sum(_tell(engine, clocked, link, Lane.LIVE) for link in found)


def tell_again(engine: sa.Engine, clocked: Clocked) -> int:
    """Look again at links whose agreement was switched, or whose rules changed; returns how many."""
    with engine.begin() as connection:
        found = store.to_look_again(connection, CHUNK)
    return sum(_tell(engine, clocked, link, Lane.BULK) for link in found)


def tell_paused(engine: sa.Engine, clocked: Clocked) -> int:
    """Tell the links that wait for a pause which is over, in the order in which they began to wait; returns how many.

    They are found by how they stand, so that an edit which crosses the end of a pause is found too.
    """
    with engine.begin() as connection:
        found = resuming.waiting(connection, CHUNK)
    return sum(_tell(engine, clocked, link, Lane.LIVE) for link in found)


def make_links(engine: sa.Engine) -> int:
    """Make links for customers recorded before their tenant's agreement was switched on; returns how many.

    They are only made here, to be looked at like any other link whose agreement was switched.
    """
    with engine.begin() as connection:
        found = agreements.to_look_again(connection)
    return sum(_make_links(engine, tenant, agreement) for tenant, agreement in found)


def _make_links(engine: sa.Engine, tenant: str, agreement: int) -> int:
    try:
        with engine.begin() as connection:
            agreements.hold(connection, tenant, agreement)
            made = store.insert_missing(connection, tenant, agreement, MOST_LINKS)
            if not made:
                agreements.looked(connection, tenant, agreement)
            return made
    except DBAPIError as error:
        if not is_contended(error):
            raise
        return 0  # somebody holds the agreement for long: the next look makes them


def fill_keys(engine: sa.Engine) -> int:
    """Make the keys of customers that were recorded before keys were kept; returns how many."""
    with engine.begin() as connection:
        return records.fill(connection, CHUNK)


def fill_lists(engine: sa.Engine, clocked: Clocked) -> int:
    """Say in which list customers stand whose links were saved before there were lists; returns how many."""
    with engine.begin() as connection:
        found = store.unlisted(connection, CHUNK)
        for stored in found:
            now = clocked.now()
            rules = stored.agreement.rules_for(stored.link, clocked.resend)
            told = status(stored.link, rules, now)
            store.list_in(connection, stored.link, category(stored.link, told, rules, now))
    return len(found)


def resend_configurations(engine: sa.Engine, clocked: Clocked) -> int:
    """Send the configurations again that were not answered in time; returns how many."""
    with engine.begin() as connection:
        now = clocked.now()
        found = agreements.unanswered(connection, now)
    worked = 0
    for tenant, number in found:
        with engine.begin() as connection:
            known = agreements.lock(connection, tenant, number)
            if known is not None and known.due is not None and known.due <= now:
                switching.resend_configuration(connection, known, now, clocked.resend)
                worked += 1
    return worked


def follow_runs(engine: sa.Engine, clocked: Clocked) -> int:
    """Ask again, look at what is missing, end what is complete, say how far each run came; returns how many moved."""
    with engine.begin() as connection:
        found = runs.under_way(connection)
        worked = braking.end_passes(connection, clocked.now())
    for run in found:
        with engine.begin() as connection:
            now = clocked.now()
            moved = reading.resend(connection, run, now, clocked.resend) or reading.settle(connection, run, now)
            worked += moved or reading.tell_progress(connection, run, now)
    return worked


def sweep(engine: sa.Engine, clocked: Clocked, hour: int | None) -> int:
    """Ask for a full pass of both sides: nightly, once a day from that hour (UTC) on, where the integration was on by then
    (none: never); and once after a switching on, for what was edited while it was carried out. Returns how many were asked.
    """
    now = clocked.now()
    asked = 0
    with engine.begin() as connection:
        found = list(agreements.to_sweep_after_a_run(connection))
        if hour is not None:
            mark = now.replace(hour=hour, minute=0, second=0, microsecond=0)
            mark -= timedelta(days=1) if mark > now else timedelta(0)
            found += agreements.to_sweep(connection, mark)
    for tenant, number in dict.fromkeys(found):
        with engine.begin() as connection:
            known = agreements.lock(connection, tenant, number)
            if known is not None and known.state == "on" and known.busy is None:
                reading.ask(connection, known, now, clocked.resend, by="clock", kind="sweep")
                asked += 1
    return asked


def attend(engine: sa.Engine, broker: Broker, lying: Lying) -> int:
    """Show what needs a person, in the metrics and in the broker's own pages; returns how many queues changed."""
    return upkeep.attend(engine, messages, broker, bus.CONSUMER, lying, needs_a_person)


def needs_a_person(connection: sa.Connection, now: datetime) -> list[Item]:
    """What of the reconciler's own waits for a person; counted for the metrics as well."""
    items = overview.attention(connection, now - UNANSWERED)
    STUCK.set(sum(item.kind is Kind.UNCLEAR_WRITE for item in items))
    return items


def retain(engine: sa.Engine) -> int:
    """Make outbox days ahead, drop old ones, forget old inbox ids and settled operations; returns how many."""
    worked = upkeep.retain(engine, messages)
    with engine.begin() as connection:
        now = datetime.now(UTC)
        worked += people.forget(connection, now) + presence.forget(connection, now)
        worked += comparisons.forget(connection, now) + alive.forget(connection, now)
        worked += installation.forget(connection, now)
        return (
            worked
            + store.expire(connection, now - KEEP_OPERATIONS)
            + looks.forget(connection, now)
            + bulks.forget(connection, now - bulking.KEEP_SHOWN, now - KEEP_RUNS)
            + foreseeing.forget(connection, now)
            + runs.forget(connection, now - KEEP_RUNS)
        )


def _tell(engine: sa.Engine, clocked: Clocked, waiting: store.Waiting, lane: Lane) -> int:
    def tell(connection: sa.Connection) -> None:
        stored = store.lock_due(connection, waiting.id, clocked.now())
        if stored is not None:
            meeting.take(clocked, connection, stored, Due(), lane=lane, in_pass=lane is Lane.BULK)

    try:
        ordering.within(engine, tell, *([(waiting.tenant, waiting.agreement)] if waiting.joining else []))
    except Exception as error:
        if is_away(error):
            raise
        if is_contended(error):
            return 0  # somebody else is at it: it is still due, and the next look comes soon
        log.exception("clock.link_failed", link=str(waiting.id))
        with engine.begin() as connection:
            store.put_off(connection, waiting.id, clocked.now(), LONGEST_PUT_OFF)
    return 1
