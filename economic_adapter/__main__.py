"""``python -m economic_adapter``: what can be started and asked? The command line; what a duty is made of is in ``duties``."""

import argparse
import os
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from crm_outbox.messaging import commands as messaging
from crm_outbox.messaging import database, telemetry
from crm_outbox.messaging.commands import Package
from crm_outbox.messaging.duty import run
from economic_adapter import access, agreements, commands, connecting, sentences
from economic_adapter.attempt import LIFETIME, Attempt
from economic_adapter.duties import OUTBOX, client, duties, entry, now
from economic_adapter.settings import DUTIES, Settings
from economic_adapter.tables import messages


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 2 for wrong settings, all of them named."""
    return messaging.run(_parser().parse_args(arguments))


def _settings(*needs: str) -> Settings:
    settings = Settings.from_env(os.environ, needs)
    telemetry.configure("+".join(needs) or "command", secrets=settings.secrets)
    return settings


def _run(arguments: argparse.Namespace) -> int:
    settings = _settings(*arguments.duties)
    with _engine(settings) as engine, engine.begin() as connection:
        unknown = set(agreements.keys_in_use(connection)) - set(settings.keys.keys)
    if unknown:
        sys.stderr.write(f"ECONOMIC_KEYS lacks keys that stored grants need: {', '.join(sorted(unknown))}\n")
        return 2
    if settings.metrics is not None:
        telemetry.serve(*settings.metrics)
    return run(duties(settings, arguments.duties))


def _connect(arguments: argparse.Namespace) -> int:
    settings = _settings("connect")
    grant = os.environ.get("ECONOMIC_GRANT") or sys.stdin.readline()
    with _engine(settings) as engine, client(settings) as sender:
        # nobody rings: a relay looks by itself ten times a second
        reach = entry(settings, engine, sender, lambda: None)
        ending = access.connect(
            reach, arguments.tenant, grant.strip(), expected=arguments.agreement, dry=not arguments.do
        )
    sys.stdout.write(sentences.tell("en", ending) + "\n")
    if ending.sentence == "connected" and not arguments.do:
        sys.stdout.write("nothing was kept; repeat with --yes\n")
    return 0 if ending.sentence == "connected" else 1


def _connect_link(arguments: argparse.Namespace) -> int:
    settings = _settings("hooks")
    attempt = Attempt(
        tenant=arguments.tenant, locale=arguments.locale, nonce=secrets.token_urlsafe(16), expires=now() + LIFETIME
    )
    sys.stdout.write(connecting.link(settings.keys, settings.public_url, attempt) + "\n")
    return 0


def _rotate_keys(arguments: argparse.Namespace) -> int:
    settings = _settings()
    with _engine(settings) as engine:
        return commands.rotate_keys(engine, settings.keys, do=arguments.do)


@contextmanager
def _engine(settings: Settings) -> Iterator[sa.Engine]:
    engine = database.engine(settings.database, "command", pool=2)
    try:
        yield engine
    finally:
        engine.dispose()


def _on_database(command: Callable[..., int], *names: str, **more: object) -> Callable[[argparse.Namespace], int]:
    def do(arguments: argparse.Namespace) -> int:
        settings = _settings()
        given = {name: getattr(arguments, name) for name in names}
        with _engine(settings) as engine:
            return command(engine, **given, **more)

    return do


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="economic_adapter", description="Everything that speaks to e-conomic.")
    actions = parser.add_subparsers(required=True)
    running = actions.add_parser("run", help="run duties until a signal")
    running.add_argument("duties", nargs="+", choices=DUTIES, metavar="|".join(DUTIES))
    running.set_defaults(command=_run)
    connect = _changing(actions.add_parser("connect", help="keep a grant, read from ECONOMIC_GRANT or standard input"))
    connect.add_argument("--tenant", required=True)
    connect.add_argument("--agreement", type=int, help="the agreement number it must be")
    connect.set_defaults(command=_connect)
    invite = actions.add_parser("connect-link", help="the address at which a person connects, good for half an hour")
    invite.add_argument("--tenant", required=True)
    invite.add_argument("--locale", choices=["da", "en"], default="da")
    invite.set_defaults(command=_connect_link)
    listing = actions.add_parser("agreements", help="the agreements and their states")
    listing.set_defaults(command=_on_database(commands.show_agreements))
    one = actions.add_parser("op", help="where one operation is")
    one.add_argument("name", metavar="ID", type=uuid.UUID)
    one.set_defaults(command=_on_database(commands.show_operation, "name"))
    for name, on in (("pause", True), ("resume", False)):
        action = _changing(actions.add_parser(name, help=f"{name} all calls for an agreement"))
        action.add_argument("--agreement", dest="number", type=int, required=True)
        action.set_defaults(command=_on_database(commands.pause, "number", "do", on=on, told=OUTBOX))
    rotate = _changing(actions.add_parser("rotate-keys", help="seal every grant with the first key of ECONOMIC_KEYS"))
    rotate.set_defaults(command=_rotate_keys)
    renew = _changing(actions.add_parser("rotate-hook-secret", help="give an agreement's webhook a new secret"))
    renew.add_argument("--agreement", dest="number", type=int, required=True)
    renew.add_argument(
        "--keep-hours", dest="hours", type=_hours, default=24.0, help="how long the old one is taken too"
    )
    renew.set_defaults(command=_on_database(commands.rotate_hook_secret, "number", "hours", "do"))
    actions.add_parser("status", help="what waits, and why").set_defaults(command=_on_database(commands.status))
    messaging.mount(
        actions,
        Package(name="economic_adapter", owner="ECONOMIC", tables=messages, next_epoch=agreements.next_epoch),
    )
    return parser


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 <= hours <= 24 * 30:
        raise argparse.ArgumentTypeError("from 0 to 720 hours")
    return hours


def _changing(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--yes", dest="do", action="store_true", help="do it; without this, only tell")
    return parser


if __name__ == "__main__":
    sys.exit(main())
