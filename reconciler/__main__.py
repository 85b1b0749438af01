"""``python -m reconciler``: what can be started and asked? The command line; what a duty is made of is in ``duties``."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crm_outbox.messaging import commands, telemetry
from crm_outbox.messaging.duty import run
from reconciler.duties import duties, now
from reconciler.settings import DUTIES, Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from reconciler.stepping import Clocked


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 2 for wrong settings, all of them named."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(prog="reconciler", description="Compares both sides and settles what differs.")
    subcommands = parser.add_subparsers(required=True)
    starting = subcommands.add_parser("run", help="run these duties in one process until told to stop")
    starting.add_argument("duties", nargs="+", choices=DUTIES)
    starting.set_defaults(command=_run)
    if given[:1] != ["run"]:
        _mount(subcommands)
    return commands.run(parser.parse_args(given))


def _mount(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Everything that can be asked; a process that runs duties reads none of it."""
    from reconciler import (
        admitting,
        answering,
        asking,
        brakes,
        comparing,
        operate,
        piloting,
        rulebook,
        switchboard,
        transferring,
    )
    from reconciler.tables import messages

    switchboard.mount(subcommands, _desk)
    figures = subcommands.add_parser("match-report", help="precision and recall of matching on labelled customers")
    figures.set_defaults(command=_match_report)
    transferring.mount(subcommands, _desk)
    brakes.mount(subcommands, _desk)
    rulebook.mount(subcommands, _desk)
    comparing.mount(subcommands, _desk)
    piloting.mount(subcommands, _desk)
    operate.mount(subcommands, _desk)
    asking.mount(subcommands, _desk)
    answering.mount(subcommands, _desk)
    admitting.mount(subcommands, _desk)
    commands.mount(subcommands, commands.Package(name="reconciler", owner="SYNC", tables=messages))


def _run(arguments: argparse.Namespace) -> int:
    chosen = list(dict.fromkeys(arguments.duties))
    settings = Settings.from_env(os.environ, chosen)
    telemetry.configure("+".join(chosen), secrets=settings.secrets)
    if settings.metrics is not None:
        telemetry.serve(*settings.metrics)
    return run(duties(settings, chosen))


def _desk() -> "tuple[sa.Engine, Clocked]":
    from crm_outbox.messaging import database
    from reconciler.stepping import Clocked

    settings = Settings.from_env(os.environ)
    telemetry.configure("command", secrets=settings.secrets, level="WARNING")
    return database.engine(settings.database, "command", pool=2), Clocked(resend=settings.resend, now=now)


def _match_report(_arguments: argparse.Namespace) -> int:
    """0 when no pair was linked wrongly, else 1; 2 where the data sets are not installed."""
    from reconciler import match_report

    try:
        lines, wrong = match_report.report()
    except match_report.DataMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
