"""What does an operator say to switch on and off? Read first, preview, confirm by count, carry out, undo.

Switching on asks for both sides to be read, shows what it would do, and does exactly that once the counts are confirmed.
"""

import argparse
import time
from collections.abc import Mapping
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler import acts, agreements, items, overview, proposing, reading, receipt, runs, steering, switching
from reconciler.agreements import Agreement
from reconciler.confirming import agreed, link_groups, read_first, say_reasons, wait_for_run
from reconciler.desk import (
    DONE,
    LOOK_AGAIN,
    REFUSED,
    WAITING,
    WRONG,
    Desk,
    again,
    agreement,
    awaited_agreement,
    changing,
    of_agreement,
    say,
)
from reconciler.previewed import Asked
from reconciler.reconcile import Clocked
from reconciler.rules import Transfer

NOT_ANSWERED = "not answered yet: it goes on by itself when the adapter and e-conomic answer; see `status`"


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``read``, ``switch-on``, ``switch-off`` and ``run``."""
    read = of_agreement(commands.add_parser("read", help="read both sides in full, for a preview"))
    changing(read, desk, _read)
    on = of_agreement(commands.add_parser("switch-on", help="switch the integration on for a tenant's agreement"))
    on.add_argument("--transfer", choices=[str(one) for one in Transfer], default=str(Transfer.CREATED))
    on.add_argument("--number-from", type=int, help="the lowest customer number new customers may get")
    on.add_argument("--preview", action="store_true", help="read both sides and show what would be done")
    on.add_argument("--confirm", metavar="LINKED,FILLED,CREATED", help="the counts of the preview, as it printed them")
    link_groups(on)
    on.add_argument("--create-in-economic", action="store_true", help="create those only Clickmate has in e-conomic")
    changing(on, desk, _switch_on)
    off = of_agreement(commands.add_parser("switch-off", help="switch it off; everything is still recorded"))
    changing(off, desk, _switch_off)
    run = of_agreement(commands.add_parser("runs", help="readings, previews, transfers: how far, pause, resume, stop"))
    run.add_argument("--run", type=UUID, help="one of them, with what it left out")
    run.add_argument("--steer", choices=("pause", "resume", "stop"))
    changing(run, desk, _runs)


def _read(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = awaited_agreement(engine, arguments)
    if known is None:
        return REFUSED
    if not arguments.yes:
        say(f"both sides of agreement {known.agreement} would be read in full; repeat with --yes")
        return DONE
    _, answer = read_first(arguments, engine, clocked, known, fresh=0.0)
    if answer == DONE:
        say("both sides were read")
    return answer


def _switch_on(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = awaited_agreement(engine, arguments)
    if known is None:
        return REFUSED
    with engine.connect() as connection:
        here = overview.in_crm(connection, known.tenant)
    there = "not counted yet" if known.customers is None else str(known.customers)
    stages = ", ".join(f"{count} {stage}" for stage, count in here.items()) or "none"
    say(f"agreement {known.agreement} {known.name} of tenant {known.tenant}: {known.state}")
    say(f"customers: Clickmate {sum(here.values())} ({stages}), e-conomic {there}")
    if known.state in switching.IN_USE - {"switching_on"}:
        say("it is on already")
        return DONE
    if not (arguments.yes or arguments.preview):
        say(
            f"would be switched on: customers created from now on are transferred ({arguments.transfer}), older ones wait;"
            " look with --preview, repeat with --yes"
        )
        return DONE
    asked = Asked(
        kind="switch_on",
        tenant=known.tenant,
        agreement=known.agreement,
        run=uuid4(),
        groups=frozenset(arguments.link_group),
        create_there=arguments.create_in_economic,
    )

    def begin(connection: sa.Connection, locked: Agreement, run: UUID, counts: Mapping[str, int]) -> None:
        begun = runs.find(connection, run)
        if begun is not None:
            transfer, number_from = Transfer(arguments.transfer), arguments.number_from
            proposing.begin(connection, locked, begun, counts, clocked, transfer=transfer, number_from=number_from)

    begun = agreed(arguments, engine, clocked, known, asked, begin)
    if begun.run is None:
        return begun.answer
    say("asked e-conomic's side to switch on")
    return _wait_for_answer(arguments, engine, known, begun.run)


def _wait_for_answer(arguments: argparse.Namespace, engine: sa.Engine, asked: Agreement, run: UUID) -> int:
    deadline = time.monotonic() + arguments.wait
    while True:
        known = again(engine, asked)
        match known.state:
            case "on":
                say(f"agreement {known.agreement} {known.name} is on, customers in e-conomic: {known.customers}")
                return wait_for_run(arguments, engine, run, deadline)
            case "switching_on" if time.monotonic() < deadline:
                time.sleep(LOOK_AGAIN)
            case "switching_on":
                say(NOT_ANSWERED)
                return WAITING
            case _:
                say(f"refused: {known.reason or known.state}")
                return REFUSED


def _switch_off(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = agreement(engine, arguments)
    if known is None:
        return REFUSED
    if not arguments.yes:
        say(f"agreement {known.agreement} of tenant {known.tenant} would be switched off; repeat with --yes")
        return DONE
    with engine.begin() as connection:
        locked = agreements.lock(connection, known.tenant, known.agreement)
        if locked is None:
            return REFUSED
        steering.switch_off(connection, locked, clocked, acts.operator(known.tenant))
    say(f"agreement {known.agreement} of tenant {known.tenant} is off")
    return DONE


def _runs(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = agreement(engine, arguments)
    if known is None:
        return REFUSED
    with engine.connect() as connection:
        found = [
            one
            for one in runs.of_agreement(connection, known.tenant, known.agreement)
            if arguments.run in {None, one.id}
        ]
        for one in found:
            done, total = reading.how_far(connection, one)
            ended = "" if one.ended is None else f", ended {one.ended:%Y-%m-%d %H:%M:%S}"
            say(f"{one.id} {one.kind} {one.state}: {done} of {total}, started {one.started:%Y-%m-%d %H:%M:%S}{ended}")
            if one.reason:
                say(f"  {one.reason}")
            if one.kind == "sweep" and one.state == "done":
                say("  found customers that had changed without anybody having told:")
                say(f"    {one.found} in e-conomic, {one.found_crm} in Clickmate")
            if arguments.run is not None:
                say_reasons(items.left_out(connection, one.id))
                for item in items.listed(connection, one.id, ["left_out"]):
                    say(f"  left out: {item.crm_id or ''} {item.number or ''} {receipt.said(item.reason)}")
    if arguments.steer is None:
        return DONE
    if arguments.run is None or not found:
        say("say which one with --run")
        return WRONG
    if not arguments.yes:
        say(f"would {arguments.steer}; repeat with --yes")
        return DONE
    with engine.begin() as connection:
        if not steering.directed(connection, arguments.run, arguments.steer, clocked, acts.operator(known.tenant)):
            say("it is over already")
            return REFUSED
    say(f"asked to {arguments.steer}")
    return DONE
