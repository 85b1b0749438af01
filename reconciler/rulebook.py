"""What does an operator say to choose where each detail may be changed, and who decides when both sides did?"""

import argparse
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from crm_outbox.messaging.database import is_contended
from reconciler import acts, agreements, ruleset, ruling
from reconciler.agreements import Agreement
from reconciler.desk import DONE, REFUSED, WRONG, Desk, agreement, changing, of_agreement, say
from reconciler.reconcile import Clocked
from reconciler.rule_changes import Preset
from reconciler.rules import Decides, Direction
from reconciler.ruleset import DETAILS, INVOICES, Chosen

_WHERE = {
    Direction.BOTH: "may be changed in both",
    Direction.ONLY_CRM: "only in Clickmate",
    Direction.ONLY_ECONOMIC: "only in e-conomic",
    Direction.NONE: "is not kept the same",
}
_WHO = {
    Decides.CRM: "if both did: Clickmate's",
    Decides.ECONOMIC: "if both did: e-conomic's",
    Decides.ASK: "if both did: ask",
}


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``rules``."""
    rules = of_agreement(commands.add_parser("rules", help="where each detail may be changed, and who decides"))
    rules.add_argument("--detail", action="append", default=[], metavar="NAME", help="change this one; may be repeated")
    rules.add_argument("--direction", choices=[str(one) for one in Direction], help="where it may be changed")
    rules.add_argument("--decides", choices=[str(one) for one in Decides], help="whose value holds if both changed it")
    rules.add_argument("--usual", action="store_true", help="the rule that the detail comes with")
    rules.add_argument(
        "--protect-invoice-details",
        action="store_true",
        help="what stands on invoices, or steers where they go, may be changed in e-conomic only",
    )
    changing(rules, desk, _rules)


def _rules(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = agreement(engine, arguments)
    if known is None:
        return REFUSED
    if wrong := _wrong(arguments):
        say(wrong)
        return WRONG
    with engine.connect() as connection:
        before = agreements.current(connection, known.tenant, known.agreement).chosen
    after = _after(arguments, before)
    names = arguments.detail or (INVOICES if arguments.protect_invoice_details else DETAILS)
    _show(before, names)
    if not (arguments.detail or arguments.protect_invoice_details):
        return DONE
    moved = ruleset.moved(before, after)
    if not moved:
        say("that is how it is already")
        return DONE
    say("would become" if not arguments.yes else "becomes")
    _show(after, moved)
    _foreseen(engine, clocked, known, after)
    if not arguments.yes:
        say("nothing is saved yet; repeat with --yes")
        return DONE
    return _give(arguments, engine, clocked, known)


def _wrong(arguments: argparse.Namespace) -> str:
    unknown = [name for name in arguments.detail if name not in DETAILS]
    if unknown:
        return f"no such detail: {', '.join(unknown)}; there are {', '.join(DETAILS)}"
    given = bool(arguments.direction or arguments.decides)
    if arguments.protect_invoice_details and (arguments.detail or given or arguments.usual):
        return "--protect-invoice-details stands alone"
    if arguments.detail and given == arguments.usual:
        return "say --direction, --decides or both, or --usual"
    if not arguments.detail and (given or arguments.usual):
        return "say which one with --detail"
    return ""


def _after(arguments: argparse.Namespace, chosen: Chosen) -> Chosen:
    direction = Direction(arguments.direction) if arguments.direction else None
    decides = Decides(arguments.decides) if arguments.decides else None
    for name in arguments.detail:
        chosen = ruleset.changed(chosen, name, direction, decides)
    return ruleset.protected(chosen) if arguments.protect_invoice_details else chosen


def _show(chosen: Chosen, names: Iterable[str]) -> None:
    for name in names:
        rule, usual = ruleset.rule(chosen, name), DETAILS[name][1].rule
        who = _WHO[rule.decides] if rule.direction is Direction.BOTH else ""
        marks = [
            "on invoices" if name in INVOICES else "",
            "" if rule.may_be_empty else "never empty",
            "" if rule == usual else "chosen",
        ]
        words = ", ".join(one for one in (_WHERE[rule.direction], who, *marks) if one)
        say(f"  {name:<22}{words}")


def _foreseen(engine: sa.Engine, clocked: Clocked, known: Agreement, chosen: Chosen) -> None:
    with engine.connect() as connection:
        state = agreements.current(connection, known.tenant, known.agreement).choosing(chosen)
        found = ruling.foreseen(connection, known, state, clocked)
        limit = agreements.brake(connection, known.tenant, known.agreement)
    details = ", ".join(f"{name} {count}" for name, count in sorted(found.details.items()))
    say(f"{found.customers} customers would be written to at once{f': {details}' if details else ''}")
    if found.answered or found.asked:
        say(f"{found.answered} open questions are answered by it, {found.asked} new ones are asked")
    if found.customers > limit:
        say(f"after {limit} of them it stops and asks: see `runs`, `release-brake` and `stop-brake`")


def _give(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked, known: Agreement) -> int:
    preset: Preset = "invoices" if arguments.protect_invoice_details else ""
    try:
        with engine.begin() as connection:
            ruling.give(
                connection,
                known,
                lambda chosen: _after(arguments, chosen),
                clocked.now(),
                by=acts.operator(known.tenant),
                preset=preset,
            )
    except DBAPIError as error:
        if not is_contended(error):
            raise
        say("nothing is saved: others are at these customers just now; repeat this")
        return REFUSED
    say("saved; every customer is looked at again")
    return DONE
