"""How are both sides read in full? Asked of both under one run, complete when everything told has been recorded.

Nothing is linked or created before. A sweep is asked and followed the same way; of e-conomic it tells only what differs.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4, uuid5

import structlog
from sqlalchemy import Connection

from crm_outbox.contract import BackfillProgressed, RunBackfill
from crm_outbox.messaging.envelope import Envelope
from crm_outbox.messaging.outbox import append
from economic_adapter.contract import ImportProgressed, LookAtCustomer, RunImport
from reconciler import agreements, bus, runs
from reconciler.agreements import Agreement
from reconciler.rules import System
from reconciler.runs import Run

log = structlog.get_logger(__name__)

Ended = Literal["done", "stopped", "failed", "replaced"]

PATIENCE = timedelta(minutes=5)
"""How long what was told may still be on its way before it is looked at singly."""
GIVEN_UP = timedelta(minutes=30)
LOOKED_AT_ONCE = 200
TOLD_EVERY = timedelta(seconds=1)
LOST = "{n} of the customers that were read did not arrive; read once more"
NEVER_ON = frozenset({"connected", "refused", "reading"})


def ask(
    connection: Connection,
    agreement: Agreement,
    now: datetime,
    resend: timedelta,
    *,
    by: str = "",
    kind: Literal["read", "sweep"] = "read",
) -> UUID:
    """Ask both sides of a locked agreement to tell everything they hold; the run under way, when there is one."""
    before = runs.latest(connection, agreement.tenant, agreement.agreement, ["read", "sweep"])
    if before is not None and before.ended is None:
        if before.kind in {kind, "read"}:
            return before.id
        _end(connection, before, "replaced", now)
    run = uuid4()
    runs.insert(
        connection,
        run,
        agreement.tenant,
        agreement.agreement,
        kind,
        state="running",
        started=now,
        asked_by=by,
        due=now + resend,
    )
    if kind == "read" and agreement.state in NEVER_ON:
        agreements.move(connection, agreement.tenant, agreement.agreement, "reading", now)
    _send(connection, agreement.tenant, RunImport(run=run, agreement=agreement.agreement, kind=_kind(kind)))
    _send(connection, agreement.tenant, RunBackfill(run=run))
    tell(connection, run, now)
    log.info("run.asked", run=str(run), kind=kind, agreement=agreement.agreement)
    return run


def locked(connection: Connection, run: UUID) -> Run | None:
    """Lock a run, and its agreement before it: what ends a run moves the agreement."""
    whose = runs.whose(connection, run)
    if whose is None:
        return None
    agreements.hold(connection, *whose)
    return runs.lock(connection, run)


def progressed(
    connection: Connection, envelope: Envelope, seen: ImportProgressed | BackfillProgressed, now: datetime
) -> None:
    """How far one side came; what is said of a run that is unknown or over is ignored."""
    run = locked(connection, seen.run)
    if run is None or run.ended is not None or run.tenant != envelope.tenant:
        return
    if isinstance(seen, BackfillProgressed):
        _backfilled(connection, run, seen, now)
    else:
        _imported(connection, run, seen, now)
    settle(connection, run.id, now)


def settle(connection: Connection, run_id: UUID, now: datetime) -> bool:
    """End a reading that is complete, and look singly at what is missing; whether anything followed."""
    run = locked(connection, run_id)
    if run is None or run.ended is not None or not (run.crm_closed and run.economic_closed):
        return False
    if run.closed is None:
        runs.update(connection, run.id, closed=now, due=now + PATIENCE)
    seen = runs.seen(connection, run.id)
    lacking = max(0, run.crm_read - seen.get(System.CRM, 0))
    if run.kind == "read":
        lacking += max(0, run.economic_read - seen.get(System.ECONOMIC, 0))
    if not lacking:
        _complete(connection, run, now)
        return True
    if run.closed is None or run.due is None or run.due > now:
        return False
    if now - run.closed >= GIVEN_UP:
        _end(connection, run, "failed", now, LOST.format(n=lacking))
        return True
    _ask_again(connection, run, seen.get(System.CRM, 0), now)
    return True


def resend(connection: Connection, run_id: UUID, now: datetime, gap: timedelta) -> bool:
    """Ask again what was not answered in time; the gap doubles, up to an hour."""
    run = locked(connection, run_id)
    if run is None or run.ended is not None or run.due is None or run.due > now or run.kind not in {"read", "sweep"}:
        return False
    if run.crm_closed and run.economic_closed:
        return settle(connection, run_id, now)
    if not run.crm_closed and run.crm_count is None:
        _send(connection, run.tenant, RunBackfill(run=run.crm_run or run.id))
    wanted = run.options.get("wanted", "start")
    if not run.economic_closed and (wanted != "start" or run.economic_count is None):
        _send(
            connection,
            run.tenant,
            RunImport(run=run.id, agreement=run.agreement, action=wanted, kind=_kind(run.kind)),
        )
    times = run.resent + 1
    runs.update(
        connection, run.id, resent=times, due=now + min(gap * 2 ** min(times, 16), max(timedelta(hours=1), gap))
    )
    return True


def steer(
    connection: Connection, run: Run, action: Literal["pause", "resume", "stop"], now: datetime, gap: timedelta
) -> None:
    """Pause, resume or stop a locked reading. What e-conomic's side does of it is asked until it answers."""
    if run.ended is not None:
        return
    _send(
        connection,
        run.tenant,
        RunImport(run=run.id, agreement=run.agreement, action=action, kind=_kind(run.kind)),
    )
    if action == "stop":
        _send(connection, run.tenant, RunBackfill(run=run.crm_run or run.id, start=False))
        _end(connection, run, "stopped", now)
        return
    state = "paused" if action == "pause" else "running"
    runs.update(connection, run.id, state=state, options={**run.options, "wanted": action}, due=now + gap, resent=0)
    tell(connection, run.id, now)


def tell(connection: Connection, run_id: UUID, now: datetime) -> None:
    """Say how far a run came."""
    run = runs.find(connection, run_id)
    if run is None:
        return
    done = how_far(connection, run)
    append(connection, bus.OUTBOX, bus.progressed(run, *done))
    runs.update(connection, run.id, told=now, told_done=done[0])


def tell_progress(connection: Connection, run_id: UUID, now: datetime) -> bool:
    """Say how far a run came if it moved since that was told, once a second at most."""
    run = runs.find(connection, run_id)
    if run is None or run.ended is not None or (run.told is not None and now - run.told < TOLD_EVERY):
        return False
    if how_far(connection, run)[0] == run.told_done:
        return False
    tell(connection, run_id, now)
    return True


def how_far(connection: Connection, run: Run, told: int | None = None) -> tuple[int, int]:
    """Done and total: of a reading what was recorded, of any other its items. ``told``: under it, where that is known."""
    if run.kind not in {"read", "sweep"}:
        return run.done, run.total
    total = max(run.crm_count or 0, run.crm_read) + max(run.economic_count or 0, run.economic_read)
    if run.kind == "sweep":
        return run.crm_read + run.economic_read, total
    return sum(runs.seen(connection, run.id).values()) if told is None else told, total


def _backfilled(connection: Connection, run: Run, seen: BackfillProgressed, now: datetime) -> None:
    if seen.run != (run.crm_run or run.id):
        return
    if seen.stopped:
        _end(connection, run, "stopped", now)
        return
    closed = run.crm_closed or seen.closed
    runs.update(
        connection,
        run.id,
        crm_read=seen.read if seen.closed else max(run.crm_read, seen.read),
        crm_count=seen.count,
        crm_closed=closed,
        **_answered(run, closed, run.economic_closed or run.economic_count is not None),
    )


def _imported(connection: Connection, run: Run, seen: ImportProgressed, now: datetime) -> None:
    if seen.state in {"failed", "stopped"}:
        _send(connection, run.tenant, RunBackfill(run=run.crm_run or run.id, start=False))
        _end(connection, run, seen.state, now, seen.cause)
        return
    closed = run.economic_closed or seen.closed
    state = {"paused": "paused", "running": "running", "closed": "running"}.get(seen.state, run.state)
    waits = {"pause": "paused", "resume": "running"}.get(run.options.get("wanted", ""))
    options = dict(run.options)
    if seen.state == waits or closed:
        options.pop("wanted", None)
    elif waits is not None:
        state = waits
    runs.update(
        connection,
        run.id,
        state=state,
        reason=seen.cause if seen.state == "waiting" else "",
        economic_read=seen.read if seen.closed else max(run.economic_read, seen.read),
        economic_count=run.economic_count if seen.count is None else seen.count,
        economic_closed=closed,
        contacts=max(run.contacts, seen.contacts),
        calls=max(run.calls, seen.calls),
        found=max(run.found, seen.found),
        options=options,
        **({} if "wanted" in options else _answered(run, run.crm_closed or run.crm_count is not None, True)),
    )
    if state != run.state:
        tell(connection, run.id, now)


def _answered(run: Run, crm: bool, economic: bool) -> dict[str, datetime | None]:
    """Nothing is asked again once both sides have answered; while what was told is still arriving, its time stands."""
    return {"due": None} if crm and economic and run.closed is None else {}


def _ask_again(connection: Connection, run: Run, crm_seen: int, now: datetime) -> None:
    """Look at the known numbers that are missing, and have the CRM's side tell once more."""
    for number in runs.missing_numbers(connection, run, LOOKED_AT_ONCE):
        _send(connection, run.tenant, LookAtCustomer(agreement=run.agreement, number=number))
    more: dict[str, object] = {}
    if crm_seen < run.crm_read:
        again = uuid5(run.id, f"crm/{run.resent + 1}")
        more = {"crm_run": again, "crm_closed": False, "crm_count": None, "resent": run.resent + 1}
        _send(connection, run.tenant, RunBackfill(run=again))
    runs.update(connection, run.id, due=now + PATIENCE, **more)


def _complete(connection: Connection, run: Run, now: datetime) -> None:
    _end(connection, run, "done", now)
    for number in runs.missing_numbers(connection, run, LOOKED_AT_ONCE) if run.kind == "read" else []:
        # recorded before, and not there any more when it was read: a look says so
        _send(connection, run.tenant, LookAtCustomer(agreement=run.agreement, number=number))


def _end(connection: Connection, run: Run, state: Ended, now: datetime, reason: str = "") -> None:
    found = {"found_crm": runs.missed(connection, run.id)} if run.kind == "sweep" else {}
    runs.update(connection, run.id, state=state, reason=reason, ended=now, due=None, **found)
    known = agreements.lock(connection, run.tenant, run.agreement)
    if known is not None and run.kind == "read":
        read = {"read_at": now, "run": run.id} if state == "done" else {}
        after = "connected" if known.state == "reading" else known.state
        agreements.move(connection, run.tenant, run.agreement, after, now, reason=reason or known.reason, **read)
    tell(connection, run.id, now)
    log.info("run.ended", run=str(run.id), kind=run.kind, state=state, reason=reason)


def _kind(kind: str) -> Literal["import", "sweep"]:
    return "sweep" if kind == "sweep" else "import"


def _send(connection: Connection, tenant: str, words: RunImport | RunBackfill | LookAtCustomer) -> None:
    append(connection, bus.OUTBOX, bus.asked(tenant, words))
