"""How does an operator come to a run? Both sides read first, a preview, its counts confirmed, the agreement taken: then it begins."""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from reconciler import acts, agreements, items, proposing, reading, receipt, running, runs
from reconciler.agreements import Agreement
from reconciler.desk import DONE, LOOK_AGAIN, REFUSED, WAITING, again, say
from reconciler.previewed import Asked, Preview, options
from reconciler.proposing import FRESH
from reconciler.reconcile import Clocked

MOVED = "something changed since the list was made; this is the new list"
Begin = Callable[[sa.Connection, Agreement, UUID, Mapping[str, int]], None]
"""Begins a stored run of a locked agreement, with the counts that were confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What came of it: the run that has begun and its preview, or the command's answer and no run."""

    answer: int = DONE
    run: UUID | None = None
    shown: Preview | None = None


def _free(known: Agreement) -> bool:
    return known.busy is None


def agreed(
    arguments: argparse.Namespace,
    engine: sa.Engine,
    clocked: Clocked,
    known: Agreement,
    asked: Asked,
    begin: Begin,
    *,
    free: Callable[[Agreement], bool] = _free,
    nothing: str = "",
) -> Begun:
    """Read first, preview, have the counts confirmed, take the agreement, begin. ``free``: whether it may be taken.

    ``nothing``: what is said, and that it is refused, where the preview has no customers.
    """
    known, answer = read_first(arguments, engine, clocked, known)
    if answer != DONE:
        return Begun(answer=answer)
    shown, run = confirmed(arguments, engine, clocked, known, asked)
    if nothing and not shown.items:
        say(nothing)
        return Begun(answer=REFUSED)
    if run is None:
        return Begun(answer=DONE if arguments.preview and not arguments.yes else REFUSED)
    with engine.begin() as connection:
        locked = agreements.lock(connection, known.tenant, known.agreement)
        if locked is None or not free(locked):
            say("another run is being carried out; see `runs`")
            return Begun(answer=REFUSED)
        begin(connection, locked, run, shown.confirmed_by)
        by = acts.operator(known.tenant)
        proposing.confirmed(connection, by, asked, shown.confirmed_by, clocked.now())
    return Begun(run=run, shown=shown)


def read_first(
    arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked, known: Agreement, *, fresh: float = FRESH
) -> tuple[Agreement, int]:
    """Both sides read in full, now or a little ago; waits for it, and says where it stands when that takes too long."""
    now = clocked.now()
    if known.read_at is not None and (now - known.read_at).total_seconds() < fresh:
        return known, DONE
    with engine.begin() as connection:
        locked = agreements.lock(connection, known.tenant, known.agreement)
        if locked is None:
            return known, REFUSED
        run = reading.ask(connection, locked, now, clocked.resend, by="operator")
    deadline = time.monotonic() + arguments.wait
    while True:
        with engine.connect() as connection:
            found = runs.find(connection, run)
            done, total = (0, 0) if found is None else reading.how_far(connection, found)
        if found is None or found.state in {"failed", "stopped", "replaced"}:
            say(f"could not be read: {'' if found is None else found.reason or found.state}")
            return again(engine, known), REFUSED
        if found.state == "done":
            return again(engine, known), DONE
        if time.monotonic() >= deadline:
            waits = f" ({found.reason})" if found.reason else ""
            say(f"reading both systems: {done} of {total} customers{waits}; it goes on, see `runs`, then repeat this")
            return known, WAITING
        time.sleep(LOOK_AGAIN)


def confirmed(
    arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked, known: Agreement, asked: Asked
) -> tuple[Preview, UUID | None]:
    """The preview, printed where it must be seen, and the stored run if its counts were confirmed."""
    now = clocked.now()
    shown = running.look(engine, known, asked, now, clocked.resend)
    with engine.begin() as connection:
        before = runs.newest(connection, known.tenant, known.agreement, asked.kind, trial=asked.only is not None)
        same = before is not None and before.state == "previewed" and dict(before.options) == options(asked)
        counts = shown.confirmed_by
        unmoved = same and before is not None and before.fingerprint == shown.fingerprint
        if not unmoved:
            running.keep(connection, shown, now, by="operator")
        run = before.id if unmoved and before is not None else asked.run
    told = receipt.counts(counts)
    nothing = not any(counts.values())
    given = "" if arguments.confirm is None else arguments.confirm.replace(" ", "")
    if arguments.yes and (nothing or (unmoved and given == told)):
        return shown, run
    if arguments.yes and given and same and not unmoved:
        say(MOVED)
    for line in receipt.receipt(shown):
        say(line)
    needed = "" if nothing else f" --confirm {told}   ({receipt.in_words(counts)})"
    say(f"nothing is saved yet; to do exactly this: --yes{needed}")
    return shown, None


def wait_for_run(arguments: argparse.Namespace, engine: sa.Engine, run: UUID, deadline: float) -> int:
    """Wait for a run that is carried out, and report what became of it; one without customers needs no waiting."""
    while True:
        with engine.connect() as connection:
            found = runs.find(connection, run)
            left_out = items.left_out(connection, run)
        if found is None or not found.total:
            return DONE
        if found.ended is not None or time.monotonic() >= deadline:
            break
        time.sleep(LOOK_AGAIN)
    say(f"{found.state}: {found.done + found.left_out} of {found.total} customers, {found.left_out} left out")
    say_reasons(left_out)
    if found.ended is None:
        say(f"it goes on by itself; see `runs --tenant {arguments.tenant} --run {run}`")
        return WAITING
    return DONE if found.state == "done" else REFUSED


def say_reasons(left_out: Mapping[str, int]) -> None:
    """How many customers were left out, by reason."""
    for reason, count in left_out.items():
        say(f"  left out {count}: {receipt.said(reason)}")


def link_groups(parser: argparse.ArgumentParser) -> None:
    """Add the option that ticks groups of suggestions."""
    parser.add_argument(
        "--link-group",
        action="append",
        default=[],
        metavar="EVIDENCE",
        help="link the suggestions of this evidence too, such as name_postcode; may be said several times",
    )
