"""``python -m crm_outbox``: who starts what, with which settings? Wiring lives only here."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

import sqlalchemy as sa

from crm_outbox import applier, backfill, changes, customers, tables, tailing
from crm_outbox.contract import Stage
from crm_outbox.messaging import commands, database, telemetry, upkeep
from crm_outbox.messaging.consumer import Consumer
from crm_outbox.messaging.doorbell import Doorbell
from crm_outbox.messaging.duty import Duty, Periodic, run
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.lying import Lying
from crm_outbox.messaging.relay import Relay
from crm_outbox.settings import DUTIES, USERS, Settings

PACKAGE = commands.Package(name="crm_outbox", owner="CRM", tables=tables.messages, next_epoch=changes.next_epoch)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 2 for wrong settings, all of them named."""
    return commands.run(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crm_outbox", description="The CRM's side: its customers and their changes.")
    actions = parser.add_subparsers(dest="verb", required=True)
    duties = actions.add_parser("run", help="run duties, each in a thread of its own")
    duties.add_argument("duties", nargs="+", choices=DUTIES, metavar="DUTY", help=", ".join(DUTIES))
    duties.set_defaults(command=_run)
    again = actions.add_parser("backfill", help="publish every customer once more; after a restore and epoch next")
    again.add_argument("--tenant", required=True)
    again.add_argument("--yes", action="store_true", help="do it; without this, only tell")
    again.set_defaults(command=_publish_again)
    _mount_customers(actions.add_parser("customer", help="the small CRM's customers"))
    commands.mount(actions, PACKAGE)
    tailing.mount(actions)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    chosen: list[str] = arguments.duties
    settings = Settings.from_env(os.environ, chosen)
    telemetry.configure("-".join(chosen), secrets=settings.secrets)
    if settings.metrics is not None:
        telemetry.serve(*settings.metrics)
    duties: dict[str, Callable[[], Duty]] = {}
    for duty in chosen:
        duties |= _factories(duty, settings)
    return run(duties)


def _factories(duty: str, settings: Settings) -> dict[str, Callable[[], Duty]]:
    broker = settings.broker
    if broker is None:
        raise AssertionError("every duty has a broker user")
    engine = partial(database.engine, settings.database, f"crm-{duty}")
    if duty == "relay":
        return {
            f"relay-{lane}": lambda lane=lane: Relay(  # type: ignore[misc]
                engine(), tables.messages, broker, USERS["relay"], lane, "relay-crm"
            )
            for lane in Lane
        }
    if duty == "applier":
        return {"applier": lambda: _applier(settings)}
    return {
        "clock-backfill": lambda: _backfill(engine()),
        "clock-retention": lambda: Periodic(60.0, partial(upkeep.retain, engine(), tables.messages)),
        "clock-attention": lambda: Periodic(
            30.0,
            partial(
                upkeep.attend,
                engine(),
                tables.messages,
                broker,
                PACKAGE.name,
                Lying(consumer=applier.CONSUMER, command="crm_outbox run applier"),
            ),
        ),
    }


def _applier(settings: Settings) -> Consumer:
    if settings.broker is None:
        raise AssertionError("the applier has a broker user")
    engine = database.engine(settings.database, "crm-applier")
    return Consumer(
        engine=engine,
        broker=settings.broker,
        user=USERS["applier"],
        consumer=applier.CONSUMER,
        registry=changes.OUTBOX.registry,
        tables=tables.messages,
        handle=applier.handle,
        committed=Doorbell(engine, "crm").ring,
        name="applier",
    )


def _backfill(engine: sa.Engine) -> backfill.Backfill:
    return backfill.Backfill(engine, Doorbell(engine, "crm").ring)


def _publish_again(arguments: argparse.Namespace) -> int:
    run_id = uuid4()
    engine = database.engine(Settings.from_env(os.environ).database, "command", pool=1)
    with engine.connect() as connection:
        count = len(customers.all_of(connection, arguments.tenant))
    if arguments.yes:
        with engine.begin() as connection:
            backfill.command(connection, arguments.tenant, run_id, start=True)
    said = "is published again" if arguments.yes else "would be published again; repeat with --yes"
    print(f"every customer ({count}) {said}{f', run {run_id}' if arguments.yes else ''}")
    return 0


def _mount_customers(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="ids, numbers and names")
    show = verbs.add_parser("show", help="one customer with its persons")
    create = verbs.add_parser("create", help="a new customer: name=... phone=...")
    change = verbs.add_parser("set", help="change details: phone=... stage=active")
    for verb in (listing, show, create, change):
        verb.add_argument("--tenant", required=True)
    for verb in (show, change):
        verb.add_argument("id")
    for verb in (create, change):
        verb.add_argument("details", nargs="+", metavar="detail=value")
        verb.add_argument("--yes", action="store_true", help="do it; without this, only tell what would be done")
    listing.set_defaults(command=_list)
    show.set_defaults(command=_show)
    create.set_defaults(command=_create)
    change.set_defaults(command=_set)


def _list(arguments: argparse.Namespace) -> int:
    engine = database.engine(Settings.from_env(os.environ).database, "command", pool=1)
    with engine.connect() as connection:
        for one in customers.all_of(connection, arguments.tenant).values():
            print(f"{one.id}  {one.stage}  {one.name}  {len(one.contacts)} persons{'  deleted' if one.deleted else ''}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    engine = database.engine(Settings.from_env(os.environ).database, "command", pool=1)
    with engine.connect() as connection:
        held = customers.find(connection, arguments.tenant, arguments.id)
    if held is None:
        print(f"no customer {arguments.id} in the CRM", file=sys.stderr)
        return 1
    print(f"version {held.version}\n{held.customer.model_dump_json(indent=2, exclude_defaults=True)}")
    return 0


def _create(arguments: argparse.Namespace) -> int:
    return _edited(
        arguments,
        "created",
        lambda connection, edit: customers.create(connection, arguments.tenant, edit),
    )


def _set(arguments: argparse.Namespace) -> int:
    return _edited(
        arguments,
        "changed",
        lambda connection, edit: customers.change(connection, arguments.tenant, arguments.id, edit),
    )


def _edited(
    arguments: argparse.Namespace, done: str, make: Callable[[sa.Connection, customers.Edit], customers.Made]
) -> int:
    details = dict(detail.partition("=")[::2] for detail in arguments.details)
    try:
        stage = Stage(details.pop("stage")) if "stage" in details else None
        engine = database.engine(Settings.from_env(os.environ).database, "command", pool=1)
        with engine.connect() as connection, connection.begin() as transaction:
            made = make(connection, customers.Edit(fields=details, stage=stage))
            if not arguments.yes:
                transaction.rollback()
    except (LookupError, ValueError) as error:
        print(error.args[0], file=sys.stderr)
        return 1
    said = f"customer {made.held.customer.id} {done}, version {made.held.version}"
    print(said if arguments.yes else f"{said} would be; repeat with --yes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
