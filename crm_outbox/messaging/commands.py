"""What can an operator say to any package? The commands about messaging, mounted by each package's command line.

A command that changes something only tells what it would do, unless given ``--yes``. 0 is done or nothing found, 1 found
something, 2 wrongly called.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import Connection

from crm_outbox.messaging import attention, database, deadletter, inbox, management, outbox, settings
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Environment
from crm_outbox.messaging.tables import MessageTables

Command = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What the commands need to know of the package that mounts them. ``owner`` begins its settings, such as ``CRM``."""

    name: str
    owner: str
    tables: MessageTables
    next_epoch: Callable[[Connection], int] | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def mount(commands: Any, package: Package) -> None:
    """Add ``outbox``, ``deadletter``, ``topology`` and, where the package counts versions, ``epoch``.

    ``commands`` is what ``add_subparsers`` gave. Each command leaves its function in ``arguments.command``, to be called
    with the arguments through ``run``.
    """
    _mount_outbox(commands.add_parser("outbox", help="messages of this package on their way to the broker"), package)
    _mount_deadletter(commands.add_parser("deadletter", help="messages a consumer refused"), package)
    _mount_topology(commands.add_parser("topology", help="what the broker must hold"), package)
    if package.next_epoch is not None:
        epoch = commands.add_parser("epoch", help="after a restore: make every later version newer than any before")
        epoch.add_argument("action", choices=["next"])
        _changing(epoch, lambda arguments: _epoch(package, arguments))


def run(arguments: argparse.Namespace) -> int:
    """Carry out the command that was chosen; wrong settings and an unreachable broker are told, not raised."""
    try:
        command: Command = arguments.command
        return command(arguments)
    except settings.SettingsError as error:
        for problem in error.problems:
            _complain(problem)
        return 2
    except management.ManagementError as error:
        _complain(str(error))
        return 1


def _mount_outbox(parser: argparse.ArgumentParser, package: Package) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    status = actions.add_parser("status", help="what waits, and for how long")
    status.set_defaults(command=lambda _: _outbox_status(package))
    replay = actions.add_parser("replay", help="send messages again, under their own ids")
    replay.add_argument("--message", type=UUID, help="one message, by its id")
    replay.add_argument("--tenant")
    replay.add_argument("--subject", help="one aggregate, such as customer/48211")
    replay.add_argument("--since", type=_moment, help="a moment, such as 2026-01-31T08:00")
    replay.add_argument("--until", type=_moment)
    replay.add_argument("--everything", action="store_true", help="all that is kept")
    _changing(replay, lambda arguments: _replay(package, replay, arguments))
    parked = actions.add_parser("parked", help="messages that could not be published by themselves")
    parked.set_defaults(command=lambda _: _parked(package))
    retry = actions.add_parser("retry", help="let parked messages try again")
    retry.add_argument("ids", nargs="*", type=int, metavar="ID")
    retry.add_argument("--all", action="store_true")
    _changing(retry, lambda arguments: _retry_parked(package, retry, arguments))


def _mount_deadletter(parser: argparse.ArgumentParser, package: Package) -> None:
    parser.add_argument("queue", help="the queue that refused them, such as economic-adapter.inbound")
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="ids, types and reasons")
    listing.set_defaults(command=lambda arguments: _letters(package, arguments, headers=False))
    show = actions.add_parser("show", help="headers too, and the body if asked for")
    show.add_argument("ids", nargs="*", metavar="ID")
    show.add_argument("--body", action="store_true", help="it holds personal data")
    show.set_defaults(command=lambda arguments: _letters(package, arguments, headers=True))
    for name, does in (("retry", "send them to their queue again"), ("drop", "throw them away")):
        action = actions.add_parser(name, help=does)
        action.add_argument("ids", nargs="*", metavar="ID")
        action.add_argument("--all", action="store_true")
        _changing(action, partial(_settle_letters, package, action))


def _mount_topology(parser: argparse.ArgumentParser, package: Package) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="compare the broker with the definitions")
    verify.set_defaults(command=lambda _: _verify(package))
    init = actions.add_parser("init", help="fill a new broker (BROKER_ADMIN_URL), and give it its identity")
    _changing(init, lambda arguments: _init(package, arguments))


def _outbox_status(package: Package) -> int:
    stuck = False
    with _transaction(package) as connection:
        for lane in outbox.figures(connection, package.tables):
            _say(f"{lane.lane}: {lane.waiting} waiting, oldest {lane.age:.0f} s, {lane.parked} parked")
            stuck = stuck or lane.parked > 0 or lane.age >= attention.LATE_SECONDS
    return 1 if stuck else 0


def _replay(package: Package, parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    chosen = {name: getattr(arguments, name) for name in ("message", "tenant", "subject", "since", "until")}
    if arguments.everything == any(value is not None for value in chosen.values()):
        parser.error("say which messages, or --everything")
    with _transaction(package) as connection:
        number = outbox.replay(connection, package.tables, outbox.Selection(**chosen), dry=not arguments.yes)
    return _told(arguments, f"{number} messages", "sent again")


def _parked(package: Package) -> int:
    with _transaction(package) as connection:
        items = attention.of_outbox(connection, package.tables, package.name, datetime.now(UTC))
    parked = [item for item in items if item.kind is attention.Kind.PARKED]
    for item in parked:
        _say(f"{item.since:%Y-%m-%d %H:%M:%S}  {item.cause}  {item.command}")
    return 1 if parked else 0


def _retry_parked(package: Package, parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if arguments.all == bool(arguments.ids):
        parser.error("name ids, or --all")
    with _transaction(package, keep=arguments.yes) as connection:
        number = outbox.retry_parked(connection, package.tables, arguments.ids or None)
    return _told(arguments, f"{number} parked messages", "made ready to send")


def _letters(package: Package, arguments: argparse.Namespace, *, headers: bool) -> int:
    wanted = set(getattr(arguments, "ids", ()))
    bodies = bool(getattr(arguments, "body", False))
    broker = _broker(package)
    with Management.of(broker, deadletter.USER) as manager:
        lying = deadletter.lying(manager, arguments.queue, bodies=bodies)
    chosen = [one for one in lying if not wanted or one.letter.message_id in wanted]
    with _transaction(package) as connection:
        reasons = inbox.reasons(connection, package.tables, [one.letter.message_id or "" for one in chosen])
    for one in chosen:
        letter = one.letter
        reason = reasons.get(letter.message_id or "", one.why)
        again = f"  retried {one.replays} times" if one.replays else ""
        _say(f"{letter.message_id or '(no id)'}  {letter.type or '(no type)'}  {letter.size} bytes  {reason}{again}")
        if headers:
            for key, value in letter.headers.items():
                _say(f"    {key}: {value}")
        if bodies:
            _say(letter.body.decode("utf-8", "backslashreplace"))
    return 1 if chosen else 0


def _settle_letters(package: Package, parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if arguments.all == bool(arguments.ids):
        parser.error("name ids, or --all")
    ids = None if arguments.all else set(arguments.ids)
    broker = _broker(package)
    done = "sent to their queue again" if arguments.action == "retry" else "dropped"
    with Management.of(broker, deadletter.USER) as manager:
        if not arguments.yes:
            lying = deadletter.lying(manager, arguments.queue)
            number = sum(1 for one in lying if ids is None or one.letter.message_id in ids)
        elif arguments.action == "retry":
            number = deadletter.retry(broker, manager, arguments.queue, ids)
        else:
            number = deadletter.drop(broker, arguments.queue, ids)
    return _told(arguments, f"{number} messages", done)


def _verify(package: Package) -> int:
    with _management(package) as manager:
        problems = management.verify(manager)
        partly = "users" not in manager.found()
    for problem in problems:
        _say(problem)
    if partly:
        _say("not compared: users and permissions (set BROKER_ADMIN_URL)")
    if not problems:
        _say("the broker is as the definitions say")
    return 1 if problems else 0


def _init(package: Package, arguments: argparse.Namespace) -> int:
    environment = Environment(package.environ)
    address, admin = _admin(environment)
    vhost = settings.vhost(environment)
    users = [entry["name"] for entry in management.definitions(vhost)["users"]]
    given = {user: package.environ.get(settings.password_name(user), "") for user in users}
    passwords = {user: password for user, password in given.items() if password}
    if not address:
        environment.wrong("BROKER_ADMIN_URL is missing")
    environment.done()
    with Management(address, *admin, vhost) as manager:
        if not arguments.yes:
            problems = management.verify(manager)
            for problem in problems:
                _say(problem)
            return _told(arguments, f"{len(problems)} differences", "settled where something is missing")
        management.fill(address, admin, vhost, passwords)
        _say(f"broker {management.init(manager)}; passwords set: {', '.join(sorted(passwords)) or 'none'}")
    return 0


def _epoch(package: Package, arguments: argparse.Namespace) -> int:
    if package.next_epoch is None:
        raise AssertionError("epoch is mounted only where a package counts versions")
    with _transaction(package, keep=arguments.yes) as connection:
        number = package.next_epoch(connection)
    return _told(arguments, f"epoch {number}", "begun")


def _changing(parser: argparse.ArgumentParser, command: Command) -> None:
    parser.add_argument("--yes", action="store_true", help="do it; without this, only tell what would be done")
    parser.set_defaults(command=command)


@contextmanager
def _transaction(package: Package, *, keep: bool = True) -> Iterator[Connection]:
    environment = Environment(package.environ)
    url = settings.database_url(environment, package.owner)
    environment.done()
    engine = database.engine(url, "command", pool=1, statement_seconds=600.0)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            yield connection
            if not keep:
                transaction.rollback()
    finally:
        engine.dispose()


def _broker(package: Package) -> settings.Broker:
    environment = Environment(package.environ)
    broker = settings.broker(environment, deadletter.USER)
    environment.done()
    return broker


def _management(package: Package) -> Management:
    environment = Environment(package.environ)
    address, admin = _admin(environment)
    if not address:
        return Management.of(_broker(package), deadletter.USER)
    vhost = settings.vhost(environment)
    environment.done()
    return Management(address, *admin, vhost)


def _admin(environment: Environment) -> tuple[str, tuple[str, str]]:
    url = environment.url("BROKER_ADMIN_URL", default="")
    parts = urlsplit(url)
    if not url:
        return "", ("", "")
    if not parts.username or not parts.password:
        environment.wrong(
            "BROKER_ADMIN_URL must hold an administrator and password, as http://user:password@host:15672"
        )
        environment.done()
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return address, (unquote(parts.username or ""), unquote(parts.password or ""))


def _told(arguments: argparse.Namespace, what: str, done: str) -> int:
    _say(f"{what} {done}" if arguments.yes else f"{what} would be {done}; repeat with --yes")
    return 0


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
