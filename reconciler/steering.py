"""What happens when a person pauses, resumes or stops what is carried out, or switches off in the middle of it?

What is done stays. An undo that is stopped begins with nobody else, and finishes those it has begun: nobody stays linked
with one side put back.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Connection

from reconciler import acts, items, reading, running, runs, switching, undoing
from reconciler.agreements import Agreement
from reconciler.person import Person
from reconciler.reconcile import Clocked
from reconciler.runs import Run

STOPPED = "stopped"
Direct = Literal["pause", "resume", "stop"]
_ACTS: Final[Mapping[Direct, acts.Act]] = {"pause": "pause_run", "resume": "resume_run", "stop": "stop_run"}
_STANDS: Final[Mapping[Direct, str]] = {"pause": "paused", "resume": "running"}


def directed(connection: Connection, run_id: UUID, action: Direct, clocked: Clocked, by: Person) -> bool:
    """Pause, resume or stop a reading, or what is carried out; false when it is over already."""
    run = reading.locked(connection, run_id)
    if run is None or run.ended is not None:
        return False
    if run.state != _STANDS.get(action) and not (action == "stop" and run.options.get("stopped")):
        about = {"run": ("", run.kind)} | ({acts.CUSTOMER: ("", only)} if (only := run.options.get("only")) else {})
        acts.add(connection, by, _ACTS[action], clocked.now(), run.agreement, about)
    if run.kind in {"read", "sweep"}:
        reading.steer(connection, run, action, clocked.now(), clocked.resend)
    else:
        steer(connection, run.id, action, clocked.now())
    return True


def steer(connection: Connection, run_id: UUID, action: str, now: datetime) -> bool:
    """Pause, resume or stop a run that is carried out; whether a stopped one still has to finish what it has begun."""
    run = reading.locked(connection, run_id)
    if run is None or run.ended is not None:
        return False
    finishes = False
    if action != "stop":
        runs.update(connection, run_id, state="paused" if action == "pause" else "running")
    else:
        finishes = run.kind == "undo" and _begun_of(connection, run, now)
        if finishes:
            runs.update(connection, run_id, state="running", options={**run.options, "stopped": True})
        else:
            runs.update(connection, run_id, state=STOPPED, ended=now)
            undoing.tell(connection, run, [], STOPPED, now)
            running.release(connection, run, now)
    reading.tell(connection, run_id, now)
    return finishes


def switch_off(connection: Connection, known: Agreement, clocked: Clocked, by: Person) -> None:
    """Switch a locked agreement off; what is carried out stops. What an undo has begun it finishes while it is off."""
    now = clocked.now()
    if known.state in switching.IN_USE:
        acts.add(connection, by, "switch_off", now, known.agreement)
    if known.busy is not None:
        if steer(connection, known.busy, "stop", now):
            run = reading.locked(connection, known.busy)
            if run is not None:  # e-conomic's side closes now, and is opened again for that alone
                runs.update(connection, run.id, options={**run.options, "opened": False})
        else:
            known = replace(known, busy=None)
    switching.switch_off(connection, known, now, clocked.resend)


def _begun_of(connection: Connection, run: Run, now: datetime) -> bool:
    """Whether any customer is left that was begun with; all others are left out."""
    items.leave(connection, run.id, now, STOPPED)
    return items.left(connection, run.id)
