"""Where does a save die? ``python -m tests.faults.halting POINT web|hear|carry|undo`` ends by SIGKILL at that pass of the database.

Every statement and every commit is passed twice, before and after it, counted from the moment the file ``HALTING_ARMED``
exists. ``web`` serves the pages; ``hear`` takes one message as the duty ``reconcile`` does; ``carry`` carries decisions about many
out as the duty ``clock`` does; ``undo`` has one of them undone as its page does. The product knows nothing of it.
"""

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from crm_outbox.messaging.server import Server
from reconciler import bulking, bulks, ordering, reconcile
from reconciler.bulking import Form
from reconciler.person import Person
from reconciler.stepping import Clocked
from tests.builders.sync import TENANT
from tests.faults.served import RESEND, served
from tests.forked import Child, forks


def victim(point: int, what: str, log: Path, environ: Mapping[str, str]) -> Child:
    """Start one who does that and dies at that pass; what it says goes to ``log``."""
    asked = forks()
    asked.prepare("tests.faults.served")
    argv = ["tests.faults.halting", str(point), what]
    pid = asked.ask(do="start", argv=argv, environ={**os.environ, **environ}, log=str(log), stdin=os.devnull)
    return Child(asked, int(pid))


def halt_at(point: int, armed: Path) -> None:
    """Die at that pass."""
    passed = 0
    lock = threading.Lock()

    def passes() -> None:
        nonlocal passed
        with lock:
            if not armed.exists():
                return
            passed += 1
            if passed == point:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()

    def around(owner: Any, name: str) -> None:
        method: Callable[..., Any] = getattr(owner, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            passes()
            result = method(*given, **named)
            passes()
            return result

        setattr(owner, name, wrapped)

    around(psycopg.Cursor, "execute")
    around(psycopg.Connection, "commit")


def serve(engine: sa.Engine, now: datetime, port: int, ready: Path) -> None:
    """The pages, until the end."""
    Server(served(engine, now, os.environ["HALTING_URL"]), "127.0.0.1", port)
    ready.touch()
    signal.pause()


def hear(engine: sa.Engine, now: datetime, message: Path) -> None:
    """Take that message in one transaction."""
    envelope = pickle.loads(message.read_bytes())  # noqa: S301 - this very test wrote it

    def take(connection: sa.Connection) -> None:
        ordering.prepare(connection, [envelope], ())
        reconcile.handle(Clocked(resend=RESEND, now=lambda: now), connection, envelope)

    ordering.within(engine, take)


def carry(engine: sa.Engine, now: datetime) -> None:
    """Carry every decision about many out, until nothing moves."""
    while bulking.carry_on(engine, Clocked(resend=RESEND, now=lambda: now)):
        pass


def undo(engine: sa.Engine, now: datetime, which: UUID, form: UUID) -> None:
    """Have a decision about many undone in one transaction."""
    person = Person(tenant=TENANT, id="u1", name="Anne Holm", role="admin")
    clocked = Clocked(resend=RESEND, now=lambda: now)

    def do(connection: sa.Connection) -> None:
        found = bulks.find(connection, TENANT, which)
        bulking.undo(clocked, connection, person, Form(id=form), [] if found is None else [found])

    ordering.within(engine, do)


def main() -> None:
    """Be the victim."""
    point, what = int(sys.argv[1]), sys.argv[2]
    engine = sa.create_engine(os.environ["HALTING_DATABASE"])
    now = datetime.fromisoformat(os.environ["HALTING_NOW"])
    halt_at(point, Path(os.environ["HALTING_ARMED"]))
    match what:
        case "web":
            serve(engine, now, int(os.environ["HALTING_PORT"]), Path(os.environ["HALTING_READY"]))
        case "hear":
            hear(engine, now, Path(os.environ["HALTING_MESSAGE"]))
        case "carry":
            carry(engine, now)
        case "undo":
            undo(engine, now, UUID(os.environ["HALTING_BULK"]), UUID(os.environ["HALTING_UNDO"]))
        case _:
            sys.exit(f"nobody does {what}")


if __name__ == "__main__":
    main()
