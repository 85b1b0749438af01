"""``python -m reconciler``: who starts what, with which settings? Wiring lives only here."""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from crm_outbox.messaging import commands, database, telemetry
from crm_outbox.messaging.consumer import Consumer
from crm_outbox.messaging.doorbell import Doorbell
from crm_outbox.messaging.duty import Duty, Periodic, run
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.lying import Lying
from crm_outbox.messaging.relay import Relay
from crm_outbox.messaging.server import Server
from crm_outbox.messaging.settings import Broker, SettingsError
from reconciler import (
    admitting,
    alive,
    answering,
    asking,
    brakes,
    bus,
    clock,
    comparing,
    match_report,
    nightly,
    operate,
    ordering,
    piloting,
    reconcile,
    rulebook,
    switchboard,
    transferring,
)
from reconciler.mail import rounds
from reconciler.mail.rounds import Post
from reconciler.reconcile import Clocked
from reconciler.settings import DUTIES, Settings
from reconciler.tables import messages
from reconciler.web.app import app
from reconciler.web.site import Site

ATTEND_SECONDS = 30.0
RETAIN_SECONDS = 3600.0
SWEEP_SECONDS = 60.0
MAIL_SECONDS = 30.0
COMPARE_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 2 for wrong settings, all of them named."""
    parser = argparse.ArgumentParser(prog="reconciler", description="Compares both sides and settles what differs.")
    subcommands = parser.add_subparsers(required=True)
    duties = subcommands.add_parser("run", help="run these duties in one process until told to stop")
    duties.add_argument("duties", nargs="+", choices=DUTIES)
    duties.set_defaults(command=_run)
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
    return commands.run(parser.parse_args(arguments))


def _run(arguments: argparse.Namespace) -> int:
    chosen = list(dict.fromkeys(arguments.duties))
    settings = Settings.from_env(os.environ, chosen)
    telemetry.configure("+".join(chosen), secrets=settings.secrets)
    if settings.metrics is not None:
        telemetry.serve(*settings.metrics)
    makers: dict[str, Callable[[], Duty]] = {}
    for duty in chosen:
        makers |= _DUTIES[duty](settings)
    makers["alive"] = _alive(settings, chosen)
    return run(makers)


def _alive(settings: Settings, duties: Sequence[str]) -> Callable[[], Duty]:
    engine = database.engine(settings.database, "alive", pool=1)
    process = f"{socket.gethostname()}/{os.getpid()}"
    return partial(
        Periodic, alive.EVERY, partial(alive.write, engine, duties, process, lambda: datetime.now(UTC)), engine.dispose
    )


def _match_report(_arguments: argparse.Namespace) -> int:
    """0 when no pair was linked wrongly, else 1; 2 where the data sets are not installed."""
    try:
        lines, wrong = match_report.report()
    except match_report.DataMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 1 if wrong else 0


def _relay(settings: Settings) -> Mapping[str, Callable[[], Duty]]:
    engine = database.engine(settings.database, "relay", pool=len(Lane))
    return {
        f"relay.{lane}": partial(Relay, engine, messages, _broker(settings), "relay-sync", lane, "relay")
        for lane in Lane
    }


def _reconcile(settings: Settings) -> Mapping[str, Callable[[], Duty]]:
    engine = database.engine(settings.database, "reconcile")
    consumer = partial(
        Consumer,
        engine=engine,
        broker=_broker(settings),
        user="reconciler",
        consumer=bus.CONSUMER,
        registry=bus.TAKEN,
        tables=messages,
        handle=partial(reconcile.handle, _clocked(settings)),
        prepare=ordering.prepare,
        committed=Doorbell(engine, messages.schema).ring,
        name="reconcile",
    )
    return {"reconcile": consumer}


def _web(settings: Settings) -> Mapping[str, Callable[[], Duty]]:
    pages = settings.pages
    if pages is None:
        raise SettingsError(["no pages were asked for"])
    engine = database.engine(settings.database, "web", pool=10)
    site = Site(
        engine=engine,
        ring=Doorbell(engine, messages.schema).ring,
        now=lambda: datetime.now(UTC),
        keys=pages.keys,
        public_url=pages.public_url,
        crm_origin=pages.crm_origin,
        crm_customer=pages.crm_customer,
        crm_launch=pages.crm_launch,
        resend=settings.resend,
        hooks_url=pages.hooks_url,
        connect_key=pages.connect_key.encode(),
        has_mail=settings.mail is not None,
    )
    return {"web": partial(Server, app(site), *pages.listen, shared=pages.shared)}


def _clock(settings: Settings) -> Mapping[str, Callable[[], Duty]]:
    engine = database.engine(settings.database, "clock")
    patient = database.engine(settings.database, "clock.retention", pool=2, statement_seconds=600.0)
    committed = Doorbell(engine, messages.schema).ring
    mail: dict[str, Callable[[], Duty]] = {}
    if settings.mail is not None:
        post = Post(
            engine=database.engine(settings.database, "clock.mail", pool=1),
            now=lambda: datetime.now(UTC),
            server=settings.mail,
            launch=settings.crm_launch,
            pages=settings.public_url,
        )
        mail["clock.mail"] = partial(Periodic, MAIL_SECONDS, partial(rounds.turn, post))
        mail["clock.mail.retention"] = partial(Periodic, RETAIN_SECONDS, partial(rounds.forget, post))
    lying = Lying(consumer=bus.CONSUMER, command="reconciler run reconcile")
    return {
        "clock": partial(clock.Clock, engine, _clocked(settings), committed),
        "clock.sweep": partial(
            Periodic, SWEEP_SECONDS, partial(clock.sweep, engine, _clocked(settings), settings.sweep)
        ),
        "clock.compare": partial(Periodic, COMPARE_SECONDS, partial(nightly.carry_on, patient, _clocked(settings))),
        "clock.attention": partial(Periodic, ATTEND_SECONDS, partial(clock.attend, engine, _broker(settings), lying)),
        "clock.retention": partial(Periodic, RETAIN_SECONDS, partial(clock.retain, patient)),
        **mail,
    }


_DUTIES: Mapping[str, Callable[[Settings], Mapping[str, Callable[[], Duty]]]] = {
    "relay": _relay,
    "reconcile": _reconcile,
    "web": _web,
    "clock": _clock,
}


def _desk() -> tuple[sa.Engine, Clocked]:
    settings = Settings.from_env(os.environ)
    telemetry.configure("command", secrets=settings.secrets, level="WARNING")
    return database.engine(settings.database, "command", pool=2), _clocked(settings)


def _clocked(settings: Settings) -> Clocked:
    return Clocked(resend=settings.resend, now=lambda: datetime.now(UTC))


def _broker(settings: Settings) -> Broker:
    if settings.broker is None:
        raise SettingsError(["no broker was asked for"])
    return settings.broker


if __name__ == "__main__":
    sys.exit(main())
