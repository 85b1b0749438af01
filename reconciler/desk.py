"""What do the commands of the reconciler share? Their answers, how they find an agreement, how they wait."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from reconciler import agreements
from reconciler.agreements import Agreement
from reconciler.reconcile import Clocked

DONE, REFUSED, WRONG, WAITING = 0, 1, 2, 3
LOOK_AGAIN = 0.1
Desk = Callable[[], tuple[sa.Engine, Clocked]]
Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def changing(
    parser: argparse.ArgumentParser, desk: Desk, does: Callable[[argparse.Namespace, sa.Engine, Clocked], int]
) -> None:
    """A command that changes something only when told ``--yes``."""
    parser.add_argument("--yes", action="store_true", help="do it; without this, only tell what would be done")
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for the answer")

    def command(arguments: argparse.Namespace) -> int:
        with opened(desk) as (engine, clocked):
            return does(arguments, engine, clocked)

    parser.set_defaults(command=command)


@contextmanager
def opened(desk: Desk) -> Iterator[tuple[sa.Engine, Clocked]]:
    """The database and the time, given back at the end."""
    engine, clocked = desk()
    try:
        yield engine, clocked
    finally:
        engine.dispose()


def agreement(engine: sa.Engine, arguments: argparse.Namespace, *, quiet: bool = False) -> Agreement | None:
    """The tenant's agreement, or the one that was named; none is said."""
    with engine.connect() as connection:
        found = [
            one
            for one in agreements.of_tenant(connection, arguments.tenant)
            if one.state != "disconnected" and arguments.agreement in {None, one.agreement}
        ]
    if found:
        return found[0]
    if not quiet:
        say(
            f"tenant {arguments.tenant} has no agreement connected; first `economic_adapter connect`,"
            " or repeat in a moment if that was only just done"
        )
    return None


def awaited_agreement(engine: sa.Engine, arguments: argparse.Namespace) -> Agreement | None:
    """The agreement; work waits for one that was only just connected, because its message may still be on its way."""
    works = arguments.yes or arguments.preview
    deadline = time.monotonic() + (arguments.wait if works else 0.0)
    while True:
        known = agreement(engine, arguments, quiet=time.monotonic() < deadline)
        if known is not None or time.monotonic() >= deadline:
            return known
        time.sleep(LOOK_AGAIN)


def again(engine: sa.Engine, known: Agreement) -> Agreement:
    """The agreement as it stands now."""
    with engine.connect() as connection:
        found = agreements.of_tenant(connection, known.tenant)
    return next(one for one in found if one.agreement == known.agreement)


def of_agreement(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Say whose agreement it is about."""
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--agreement", type=int, help="its number, when the tenant connected more than one")
    return parser


def say(line: str) -> None:
    """One line of the answer."""
    sys.stdout.write(f"{line}\n")
