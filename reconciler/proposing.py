"""How does a person on a page come to a run? It is asked for, both sides are read, a preview is made, its counts are confirmed.

Nothing takes long where the person waits: the clock makes the preview, and makes it once more before the run begins, so
that nothing is carried out that was not shown. Every step stands in the run's row: whoever is killed, the next look goes on.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from crm_outbox.messaging.database import is_away
from reconciler import acts, agreements, reading, running, runs, switching
from reconciler.agreements import Agreement
from reconciler.person import Person
from reconciler.previewed import Asked, options
from reconciler.reconcile import Clocked
from reconciler.rules import Transfer
from reconciler.runs import Run

log = structlog.get_logger(__name__)

FRESH: Final = 3600.0
"""A reading older than so many seconds is made again before a preview."""
OFF: Final = frozenset({"connected", "refused", "off"})
"""The states in which one customer may be tried, and in which it is switched on."""
Why = Literal["not_connected", "access_lost", "on", "off", "busy", "trial", "counts", "over", "empty"]
"""Why there is no run: the agreement is not as it must be, another run goes on, or something else was confirmed."""
_ASKED: Final[Mapping[str, acts.Act]] = {
    "switch_on": "ask_switch_on", "trial": "ask_trial", "transfer": "ask_transfer",
}  # fmt: skip
_CONFIRMED: Final[Mapping[str, acts.Act]] = {
    "switch_on": "confirm_switch_on", "trial": "confirm_trial", "transfer": "confirm_transfer",
}  # fmt: skip
MOVED, OLD = "moved", "old"
"""Why a preview was made anew: its set moved, or what it was made from was read too long ago."""


class NotProposed(Exception):
    """There is no such run now; ``why`` says what is in its way."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


def stale(known: Agreement, now: datetime) -> bool:
    """Whether both sides have to be read before a preview of that agreement."""
    return known.read_at is None or (now - known.read_at).total_seconds() >= FRESH


def in_the_way(known: Agreement, kind: str) -> Why | None:
    """What keeps a run of that kind from beginning in an agreement; none where nothing does."""
    match known.state:
        case "disconnected":
            return "not_connected"
        case "access_lost":
            return "access_lost"
        case "switching_on" | "on" if kind == "switch_on":
            return "on"
        case state if kind == "transfer" and state != "on":
            return "off"
    if known.pilot is not None:
        return "trial"
    return None if known.busy is None else "busy"


def read(connection: Connection, known: Agreement, clocked: Clocked, *, by: str) -> UUID | None:
    """Have both sides of a locked agreement read unless they were a little ago; the reading, where there is one."""
    now = clocked.now()
    if not stale(known, now):
        return None
    return reading.ask(connection, known, now, clocked.resend, by=by)


def ask(connection: Connection, known: Agreement, asked: Asked, clocked: Clocked, *, by: Person) -> UUID:
    """Ask for a preview in a locked agreement, and for reading both sides where that is due; the run it will be.

    What was asked already is not asked twice; ``NotProposed`` where the run could not begin.
    """
    trial = asked.only is not None
    if (why := in_the_way(known, asked.kind)) is not None:
        raise NotProposed(why)
    before = runs.newest(connection, known.tenant, known.agreement, asked.kind, trial=trial)
    if before is not None and before.state == "asked" and dict(before.options) == options(asked):
        return before.id
    if before is not None and before.state == "confirmed":
        raise NotProposed("busy")
    read(connection, known, clocked, by=by.name)
    _ask(connection, asked, clocked.now(), by=by.name)
    _noted(connection, by, _ASKED, asked, clocked.now())
    return asked.run


def confirm(connection: Connection, run_id: UUID, counts: Mapping[str, int], clocked: Clocked, *, by: Person) -> UUID:
    """A person confirmed a preview by its counts: it begins at the clock's next look. The run that is to be looked at.

    Another one than was confirmed where what it was made from is too old: its new preview. Confirmed twice is once.
    ``NotProposed`` where it cannot begin, or other counts were shown.
    """
    run = reading.locked(connection, run_id)
    if run is None or run.kind not in running.CARRIED:
        raise NotProposed("over")
    known = agreements.lock(connection, run.tenant, run.agreement)
    if run.state != "previewed" or run.summary is None or known is None:
        if run.confirmed is not None and dict(run.confirmed) == dict(counts):
            return run.id
        raise NotProposed("over")
    if dict(run.summary["counts"]) != dict(counts):
        raise NotProposed("counts")
    asked = running.asked_of(run)
    if (why := in_the_way(known, run.kind)) is not None:
        raise NotProposed(why)
    if asked.only is not None and not run.total:
        raise NotProposed("empty")
    if stale(known, clocked.now()):
        anew = replace(asked, run=uuid4())
        read(connection, known, clocked, by=run.asked_by)
        _ask(connection, anew, clocked.now(), by=run.asked_by, reason=OLD)
        _noted(connection, by, _ASKED, anew, clocked.now())
        return anew.run
    runs.update(connection, run.id, state="confirmed", confirmed=dict(counts), reason="")
    confirmed(connection, by, asked, counts, clocked.now())
    return run.id


def confirmed(connection: Connection, by: Person, asked: Asked, counts: Mapping[str, int], now: datetime) -> None:
    """Remember who confirmed it, by which counts."""
    _noted(connection, by, _CONFIRMED, asked, now, {name: ("", str(count)) for name, count in counts.items()})


def _noted(
    connection: Connection,
    by: Person,
    acts_of: Mapping[str, acts.Act],
    asked: Asked,
    now: datetime,
    about: acts.About = acts.NOTHING,
) -> None:
    trial = {} if asked.only is None else {acts.CUSTOMER: ("", asked.only)}
    act = acts_of["trial" if trial else asked.kind]
    acts.add(connection, by, act, now, asked.agreement, {**about, **trial})


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """Make the previews that were asked for, and begin the runs that were confirmed; returns how many moved."""
    with engine.begin() as connection:
        found = runs.proposed(connection)
    return sum(_carry_on(engine, clocked, run) for run in found)


def _carry_on(engine: sa.Engine, clocked: Clocked, run_id: UUID) -> bool:
    with engine.begin() as connection:
        run = reading.locked(connection, run_id)
        known = None if run is None else agreements.lock(connection, run.tenant, run.agreement)
        if run is None or known is None or run.state not in {"asked", "confirmed"}:
            return False
        before = runs.latest(connection, run.tenant, run.agreement, ["read", "sweep"])
        if before is not None and before.ended is None and before.kind == "read":
            return False
        if known.read_at is None or (run.started - known.read_at).total_seconds() >= FRESH:
            reason = "" if before is None else before.reason
            runs.update(connection, run.id, state="stopped", reason=reason, ended=clocked.now())
            return True
    # it may take a minute, so nothing is held open meanwhile
    try:
        shown = running.look(engine, known, running.asked_of(run), clocked.now(), clocked.resend)
    except Exception as error:
        if is_away(error):
            raise
        log.exception("run.preview_failed", run=str(run_id))
        with engine.begin() as connection:
            runs.update(connection, run_id, state="stopped", reason=running.FAILED, ended=clocked.now())
        return True
    with engine.begin() as connection:
        again = reading.locked(connection, run_id)
        known = agreements.lock(connection, run.tenant, run.agreement)
        if again is None or known is None or again.state != run.state:
            return False
        now = clocked.now()
        if run.state == "asked":
            running.keep(connection, shown, now, by=run.asked_by, reason=run.reason)
        elif shown.fingerprint != run.fingerprint:
            runs.update(connection, run.id, state="replaced", ended=now)
            anew = replace(shown, asked=replace(shown.asked, run=uuid4()))
            running.keep(connection, anew, now, by=run.asked_by, reason=MOVED)
        elif (why := in_the_way(known, run.kind)) is not None:
            runs.update(connection, run.id, state="previewed", reason=why)
        else:
            begin(connection, known, run, run.confirmed or {}, clocked)
    log.info("run.proposed", run=str(run_id), was=run.state)
    return True


def begin(
    connection: Connection,
    known: Agreement,
    run: Run,
    counts: Mapping[str, int],
    clocked: Clocked,
    *,
    transfer: Transfer | None = None,
    number_from: int | None = None,
) -> None:
    """Begin a confirmed run of a locked agreement: a trial, switching on with what the agreement says or what is given, or a
    transfer."""
    only = run.options.get("only")
    if only is not None:
        runs.update(connection, run.id, state="running", confirmed=dict(counts))
        switching.open_for_pilot(connection, known, only, clocked.now(), clocked.resend)
    elif run.kind == "switch_on":
        transfer = transfer or Transfer(known.transfer)
        number_from = number_from or known.number_from
        running.begin(connection, known, run.id, counts, clocked, transfer=transfer, number_from=number_from)
    else:
        running.begin(connection, known, run.id, counts, clocked)


def _ask(connection: Connection, asked: Asked, now: datetime, *, by: str, reason: str = "") -> None:
    key = {"tenant": asked.tenant, "agreement": asked.agreement, "kind": asked.kind}
    runs.replace(connection, asked.run, now, **key, trial=asked.only is not None)
    given = {"state": "asked", "started": now, "asked_by": by, "options": options(asked), "reason": reason}
    runs.insert(connection, asked.run, asked.tenant, asked.agreement, asked.kind, **given)
