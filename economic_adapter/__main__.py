"""``python -m economic_adapter``: who starts what, with which settings? Wiring lives only here."""

import argparse
import os
import random
import secrets
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from crm_outbox.contract import TYPES as CRM_TYPES
from crm_outbox.messaging import commands as messaging
from crm_outbox.messaging import database, telemetry, upkeep
from crm_outbox.messaging.commands import Package
from crm_outbox.messaging.consumer import Consumer
from crm_outbox.messaging.duty import Duty, Periodic, run
from crm_outbox.messaging.envelope import Lane, Registry
from crm_outbox.messaging.outbox import Doorbell, Outbox
from crm_outbox.messaging.relay import Relay
from crm_outbox.messaging.settings import Broker
from economic_adapter import access, agreements, clock, commands, connecting, hooks, sentences, work
from economic_adapter.attempt import LIFETIME, Attempt
from economic_adapter.checking import Checking
from economic_adapter.client import Addresses, Client, Grant
from economic_adapter.contract import TYPES
from economic_adapter.desk import Desk
from economic_adapter.intake import CONSUMER, Intake
from economic_adapter.server import Server
from economic_adapter.settings import DUTIES, Settings
from economic_adapter.store import Gather
from economic_adapter.tables import messages
from economic_adapter.worker import Waker, Worker

OUTBOX = Outbox(tables=messages, registry=Registry((*CRM_TYPES, *TYPES)), source="economic_adapter")
PROBE_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 2 for wrong settings, all of them named."""
    return messaging.run(_parser().parse_args(arguments))


def duties(settings: Settings, names: Sequence[str]) -> dict[str, Callable[[], Duty]]:
    """The factories of these duties; a clock is several loops."""
    made: dict[str, Callable[[], Duty]] = {}
    for name in names:
        made |= _DUTIES[name](settings)
    return made


def _relay(settings: Settings) -> dict[str, Callable[[], Duty]]:
    def make(lane: Lane) -> Duty:
        engine = database.engine(settings.database, "relay", pool=2)
        return Relay(engine, messages, _broker(settings), "relay-economic", lane, "relay")

    return {f"relay.{lane}": partial(make, lane) for lane in Lane}


def _intake(settings: Settings) -> dict[str, Callable[[], Duty]]:
    def make() -> Duty:
        engine = database.engine(settings.database, "intake", pool=2)
        return Consumer(
            engine=engine,
            broker=_broker(settings),
            user="economic-adapter",
            consumer=CONSUMER,
            registry=OUTBOX.registry,
            tables=messages,
            handle=Intake(outbox=OUTBOX, now=_now).handle,
            committed=Doorbell(engine, messages.schema).ring,
            name="intake",
        )

    return {"intake": make}


def _hooks(settings: Settings) -> dict[str, Callable[[], Duty]]:
    def make() -> Duty:
        engine = database.engine(settings.database, "hooks", pool=10)
        webhooks = hooks.Webhooks(engine=engine, now=_now, gather=_gather(settings))
        entry = _access(settings, engine)
        pages = connecting.Connecting(
            keys=settings.keys,
            connect=partial(access.connect, entry),
            now=_now,
            public_url=settings.public_url,
            login_url=settings.login_url,
            app_public=settings.app_public,
            ready=bool(settings.app_secret),
        )
        app = hooks.app(webhooks, pages, https=settings.public_url.startswith("https:"))
        return Server(app, *settings.listen)

    return {"hooks": make}


def _worker(settings: Settings) -> dict[str, Callable[[], Duty]]:
    def make() -> Duty:
        engine = database.engine(settings.database, "worker", pool=settings.worker_threads + 2)
        desk = _desk(settings, engine)
        return Worker(
            engine=engine,
            url=_broker(settings).url("economic-jobs", jobs=True),
            threads=settings.worker_threads,
            step=partial(work.step, desk),
            through=partial(clock.served, engine),
        )

    return {"worker": make}


def _clock(settings: Settings) -> dict[str, Callable[[], Duty]]:
    broker = _broker(settings)

    def ticking() -> clock.Clock:
        engine = database.engine(settings.database, "clock", pool=1)
        probe = min(PROBE_SECONDS, settings.clocks.backoff_max)
        return clock.Clock(
            engine=engine, now=_now, threads=settings.worker_threads, poll=settings.clocks.poll, probe=probe
        )

    def waking() -> Duty:
        waker, ticks = Waker(broker.url("economic-jobs", jobs=True)), ticking()
        return Periodic(0.1, lambda: ticks.wake(waker.send) or waker.rest(), waker.close)

    def attending() -> Duty:
        engine = database.engine(settings.database, "clock", pool=1)
        attend = partial(upkeep.attend, engine, messages, broker, clock.PACKAGE, CONSUMER, clock.open_items)
        return Periodic(15.0, attend)

    return {
        "clock.wake": waking,
        "clock.claims": lambda: Periodic(1.0, ticking().free_claims),
        "clock.plan": lambda: Periodic(min(1.0, settings.clocks.poll / 2), ticking().plan),
        "clock.retain": lambda: Periodic(600.0, ticking().retain),
        "clock.measure": lambda: Periodic(10.0, ticking().measure),
        "clock.attend": attending,
    }


_DUTIES: Mapping[str, Callable[[Settings], dict[str, Callable[[], Duty]]]] = {
    "relay": _relay,
    "intake": _intake,
    "hooks": _hooks,
    "worker": _worker,
    "clock": _clock,
}


def _desk(settings: Settings, engine: sa.Engine) -> Desk:
    probe = min(PROBE_SECONDS, settings.clocks.backoff_max)
    return Desk(
        engine=engine,
        client=_client(settings),
        outbox=OUTBOX,
        now=_now,
        chance=random.random,
        open_grant=lambda connection, number: Grant(agreements.grant_of(connection, settings.keys, number)),
        lost=lambda connection, number, failed: access.lose(connection, OUTBOX, number, failed, _now(), probe),
        check=Checking(public_url=settings.public_url, key=uuid.uuid4, probe=probe).do,
        ring=Doorbell(engine, messages.schema).ring,
        backoff_max=settings.clocks.backoff_max,
    )


def _access(settings: Settings, engine: sa.Engine) -> access.Access:
    client = _client(settings)
    return access.Access(
        engine=engine,
        keys=settings.keys,
        outbox=OUTBOX,
        calls=lambda grant: partial(client.send, grant=Grant(grant)),
        now=_now,
        committed=Doorbell(engine, messages.schema).ring,
    )


def _client(settings: Settings) -> Client:
    addresses = Addresses(
        rest=settings.rest_url,
        apis=settings.apis_url,
        customersapi=settings.customersapi,
        webhooksapi=settings.webhooksapi,
        development=settings.development_hosts,
    )
    return Client(app_secret=settings.app_secret, addresses=addresses)


def _gather(settings: Settings) -> Gather:
    return Gather(quiet=settings.clocks.gather, most=settings.clocks.gather_limit)


def _broker(settings: Settings) -> Broker:
    if settings.broker is None:
        raise AssertionError("a duty that needs the broker reads its settings")
    return settings.broker


def _now() -> datetime:
    return datetime.now(UTC)


def _settings(*needs: str) -> Settings:
    settings = Settings.from_env(os.environ, needs)
    telemetry.configure("+".join(needs) or "command", secrets=settings.secrets)
    return settings


def _run(arguments: argparse.Namespace) -> int:
    settings = _settings(*arguments.duties)
    engine = database.engine(settings.database, "start", pool=1)
    try:
        with engine.begin() as connection:
            unknown = set(agreements.keys_in_use(connection)) - set(settings.keys.keys)
    finally:
        engine.dispose()
    if unknown:
        sys.stderr.write(f"ECONOMIC_KEYS lacks keys that stored grants need: {', '.join(sorted(unknown))}\n")
        return 2
    return run(duties(settings, arguments.duties))


def _connect(arguments: argparse.Namespace) -> int:
    settings = _settings("connect")
    grant = os.environ.get("ECONOMIC_GRANT") or sys.stdin.readline()
    entry = _access(settings, _engine(settings))
    ending = access.connect(entry, arguments.tenant, grant.strip(), expected=arguments.agreement, dry=not arguments.do)
    sys.stdout.write(sentences.tell("en", ending) + "\n")
    if ending.sentence == "connected" and not arguments.do:
        sys.stdout.write("nothing was kept; repeat with --yes\n")
    return 0 if ending.sentence == "connected" else 1


def _connect_link(arguments: argparse.Namespace) -> int:
    settings = _settings("hooks")
    attempt = Attempt(
        tenant=arguments.tenant, locale=arguments.locale, nonce=secrets.token_urlsafe(16), expires=_now() + LIFETIME
    )
    sys.stdout.write(connecting.link(settings.keys, settings.public_url, attempt) + "\n")
    return 0


def _engine(settings: Settings) -> sa.Engine:
    return database.engine(settings.database, "command", pool=2)


def _on_database(command: Callable[..., int], *names: str, **more: object) -> Callable[[argparse.Namespace], int]:
    def do(arguments: argparse.Namespace) -> int:
        settings = _settings()
        given = {name: getattr(arguments, name) for name in names}
        return command(_engine(settings), **given, **more)

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
        action.set_defaults(command=_on_database(commands.pause, "number", "do", on=on))
    rotate = _changing(actions.add_parser("rotate-keys", help="seal every grant with the first key of ECONOMIC_KEYS"))
    rotate.set_defaults(
        command=lambda arguments: commands.rotate_keys(_engine(settings := _settings()), settings.keys, do=arguments.do)
    )
    actions.add_parser("status", help="what waits, and why").set_defaults(command=_on_database(commands.status))
    messaging.mount(
        actions,
        Package(name="economic_adapter", owner="ECONOMIC", tables=messages, next_epoch=agreements.next_epoch),
    )
    return parser


def _changing(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--yes", dest="do", action="store_true", help="do it; without this, only tell")
    return parser


if __name__ == "__main__":
    sys.exit(main())
