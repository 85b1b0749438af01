"""What does an operator say to try the integration with one customer before it is switched on for all?"""

import argparse
import time
from collections.abc import Mapping
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler import acts, agreements, proposing, receipt, runs, trying
from reconciler.agreements import Agreement
from reconciler.confirming import agreed, wait_for_run
from reconciler.desk import DONE, REFUSED, WRONG, Desk, agreement, awaited_agreement, changing, of_agreement, say
from reconciler.previewed import Asked
from reconciler.proposing import OFF
from reconciler.reconcile import Clocked


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``pilot``."""
    pilot = of_agreement(commands.add_parser("pilot", help="try with one customer; everything else stays off"))
    pilot.add_argument("--customer", metavar="ID[=NUMBER]", help="one of Clickmate, and of e-conomic where it is known")
    pilot.add_argument("--create-in-economic", action="store_true", help="create it there if it is not there")
    pilot.add_argument("--preview", action="store_true", help="read both sides and show what would be done")
    pilot.add_argument(
        "--confirm", metavar="LINKED,FILLED,CREATED", help="the counts of the preview, as it printed them"
    )
    pilot.add_argument("--keep", action="store_true", help="end the trial and keep the link")
    pilot.add_argument("--undo", action="store_true", help="end the trial and put everything back")
    changing(pilot, desk, _pilot)


def _pilot(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    if arguments.keep or arguments.undo:
        return _end(arguments, engine, clocked)
    if arguments.customer is None:
        say("say with which customer: --customer ID or ID=NUMBER")
        return WRONG
    crm_id, _, number = arguments.customer.partition("=")
    if number and not number.isdecimal():
        say(f"{number} is no customer number")
        return WRONG
    known = awaited_agreement(engine, arguments)
    if known is None:
        return REFUSED
    if (refused := _why_not(known)) is not None:
        say(refused)
        return REFUSED
    asked = Asked(
        kind="switch_on",
        tenant=known.tenant,
        agreement=known.agreement,
        run=uuid4(),
        create_there=arguments.create_in_economic,
        groups=frozenset(receipt.GROUPS),
        only=crm_id,
        only_number=int(number) if number else None,
    )

    def begin(connection: sa.Connection, locked: Agreement, run: UUID, counts: Mapping[str, int]) -> None:
        begun = runs.find(connection, run)
        if begun is not None:
            proposing.begin(connection, locked, begun, counts, clocked)

    nothing = f"customer {crm_id} has no partner that could be tried: name its number with --customer {crm_id}=NUMBER"
    begun = agreed(
        arguments, engine, clocked, known, asked, begin, free=lambda one: _why_not(one) is None, nothing=nothing
    )
    if begun.run is None:
        return begun.answer
    say(f"customer {crm_id} flows alone: edit something on either side, and see `status --customer {crm_id}`")
    return wait_for_run(arguments, engine, begun.run, time.monotonic() + arguments.wait)


def _end(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = agreement(engine, arguments)
    if known is None or known.pilot is None:
        say("no customer is being tried")
        return REFUSED
    kept = "its link is kept" if arguments.keep else "what nobody edited since is put back, its link removed"
    if not arguments.yes:
        say(f"the trial with customer {known.pilot} would end, {kept}; repeat with --yes")
        return DONE
    with engine.begin() as connection:
        locked = agreements.lock(connection, known.tenant, known.agreement)
        if locked is None:
            return REFUSED
        undo = trying.end(connection, locked, clocked, undo=arguments.undo, by=acts.operator(known.tenant))
    say(f"the trial with customer {known.pilot} ends, {kept}")
    return DONE if undo is None else wait_for_run(arguments, engine, undo, time.monotonic() + arguments.wait)


def _why_not(known: Agreement) -> str | None:
    if known.state not in OFF:
        return f"agreement {known.agreement} is {known.state}: a trial comes before it is switched on"
    if known.pilot is not None:
        return f"customer {known.pilot} is being tried already: end that with --keep or --undo"
    return None
