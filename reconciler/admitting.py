"""Which services may ask a tenant's JSON interface? Keys are listed, made and ended on the command line; shown once."""

import argparse
from typing import get_args
from uuid import UUID

import sqlalchemy as sa

from reconciler import people
from reconciler.desk import DONE, REFUSED, Desk, changing, opened, say
from reconciler.person import Role
from reconciler.stepping import Clocked


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``api-keys``, ``make-api-key`` and ``end-api-key``."""
    listed = commands.add_parser("api-keys", help="the keys of a tenant that hold, with when each was used last")
    listed.add_argument("--tenant", required=True)
    listed.set_defaults(command=lambda arguments: _listed(arguments, desk))
    make = commands.add_parser("make-api-key", help="a new key for a service; it is shown this once")
    make.add_argument("--tenant", required=True)
    make.add_argument("--name", required=True, help="who uses it, as it stands in the history of what it does")
    make.add_argument("--role", choices=get_args(Role), default="reader")
    changing(make, desk, _make)
    end = commands.add_parser("end-api-key", help="the key does not hold any more")
    end.add_argument("--tenant", required=True)
    end.add_argument("key", type=UUID, metavar="ID")
    changing(end, desk, _end)


def _listed(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, _), engine.connect() as connection:
        found = people.keys(connection, arguments.tenant)
        for one in found:
            used = "never used" if one.used is None else f"used {one.used:%Y-%m-%d %H:%M}"
            say(f"{one.id} {one.name} ({one.role}), made {one.made:%Y-%m-%d %H:%M}, {used}")
    if not found:
        say(f"tenant {arguments.tenant} has no key")
    return DONE


def _make(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    if not arguments.yes:
        say(f"{arguments.name} would get a key of tenant {arguments.tenant} as {arguments.role}; repeat with --yes")
        return DONE
    with engine.begin() as connection:
        key_id, key = people.make_key(connection, arguments.tenant, arguments.name, arguments.role, clocked.now())
    say(f"{key_id} {arguments.name} ({arguments.role}); keep the key, it is not shown again:")
    say(key)
    return DONE


def _end(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    with engine.begin() as connection:
        known = [one for one in people.keys(connection, arguments.tenant) if one.id == arguments.key]
        if not known:
            say(f"tenant {arguments.tenant} has no key {arguments.key}")
            return REFUSED
        if not arguments.yes:
            say(f"the key of {known[0].name} would be ended; repeat with --yes")
            return DONE
        people.end_key(connection, arguments.tenant, arguments.key, clocked.now())
    say(f"the key of {known[0].name} is ended")
    return DONE
