"""What does an operator say to transfer all customers from e-conomic, and to take back a transfer or a switching on?"""

import argparse
import time
from collections.abc import Mapping
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler import acts, receipt, running, taking_back
from reconciler.agreements import Agreement
from reconciler.confirming import agreed, link_groups, wait_for_run
from reconciler.desk import DONE, REFUSED, Desk, agreement, changing, of_agreement, say
from reconciler.previewed import Asked
from reconciler.proposing import NotProposed
from reconciler.reconcile import Clocked

_FIRST = {
    "access_lost": "give access again with `economic_adapter connect`",
    "reading": "wait until both sides are read, see `runs`",
}


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``transfer``, ``undo-transfer`` and ``undo-switch-on``."""
    transfer = of_agreement(commands.add_parser("transfer", help="transfer all customers from e-conomic"))
    transfer.add_argument("--preview", action="store_true", help="read both sides and show what would be done")
    transfer.add_argument("--confirm", metavar="CREATED", help="the counts of the preview, as it printed them")
    transfer.add_argument(
        "--differing",
        choices=("keep", "economic"),
        default="keep",
        help="details that differ: leave them, or use e-conomic's",
    )
    link_groups(transfer)
    transfer.add_argument("--without-barred", action="store_true", help="leave out those that are blocked in e-conomic")
    changing(transfer, desk, _transfer)
    for name, kind, words in (
        ("undo-transfer", "transfer", "take back a transfer: nothing is deleted"),
        ("undo-switch-on", "switch_on", "take back what switching on linked and filled in, and switch off"),
    ):
        undo = of_agreement(commands.add_parser(name, help=words))
        undo.add_argument("--run", type=UUID, help="which one; without, the last")
        undo.set_defaults(kind=kind)
        changing(undo, desk, _undo)


def _transfer(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = agreement(engine, arguments)
    if known is None:
        return REFUSED
    if known.state != "on":
        say(f"agreement {known.agreement} is {known.state}: first switch it on, then transfer")
        return REFUSED
    if not (arguments.yes or arguments.preview):
        say("all customers of e-conomic would be transferred; look with --preview")
        return DONE
    asked = Asked(
        kind="transfer",
        tenant=known.tenant,
        agreement=known.agreement,
        run=uuid4(),
        differing=arguments.differing,
        groups=frozenset(arguments.link_group),
        without_barred=arguments.without_barred,
    )

    def begin(connection: sa.Connection, locked: Agreement, run: UUID, counts: Mapping[str, int]) -> None:
        running.begin(connection, locked, run, counts, clocked)

    begun = agreed(arguments, engine, clocked, known, asked, begin)
    if begun.run is None or begun.shown is None:
        return begun.answer
    shown = begun.shown
    say(f"{len(shown.items)} customers are transferred, {len(shown.skipped)} skipped")
    for one in shown.skipped:
        say(f"  skipped {one.number or one.crm_id}: {receipt.said(one.reason)}")
    return wait_for_run(arguments, engine, begun.run, time.monotonic() + arguments.wait)


def _undo(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = agreement(engine, arguments)
    if known is None:
        return REFUSED
    now = clocked.now()
    with engine.connect() as connection:
        run = taking_back.last(connection, known, arguments.kind, now, arguments.run)
        if run is None:
            say("there is nothing to take back: no such run has ended within 30 days")
            return REFUSED
        foreseen = taking_back.foreseen(connection, run)
    if known.state not in taking_back.MAY_BE:
        say(
            f"agreement {known.agreement} is {known.state}: {_FIRST.get(known.state, 'wait until it is on')}, then repeat this"
        )
        return REFUSED
    say(
        f"{foreseen.links} links are removed, {foreseen.details} details are put back where nobody edited since,"
        f" {foreseen.inactive} customers created in Clickmate are set inactive, no customer is deleted"
    )
    for reason, count in foreseen.reasons.items():
        say(f"  left {count}: {receipt.said(reason)}")
    if known.state != "on":
        say("it is off: e-conomic's side is opened for this alone, and closed after it; nothing else is written")
    if not arguments.yes:
        say("nothing is done yet; repeat with --yes")
        return DONE
    with engine.begin() as connection:
        try:
            undo = taking_back.begin(connection, run.id, clocked, by=acts.operator(known.tenant))
        except NotProposed:
            say("another run is being carried out; see `runs`")
            return REFUSED
    return wait_for_run(arguments, engine, undo, time.monotonic() + arguments.wait)
