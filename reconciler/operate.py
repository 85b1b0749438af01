"""How does everything stand, and what is to be tried again? What an operator asks every day.

A command that changes something only tells what it would do, unless given ``--yes``. 0 is done, 1 is refused or needs a
person, 2 is wrongly called, 3 is asked and not answered yet.
"""

import argparse
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from crm_outbox.messaging import outbox
from reconciler import agreements, bus, installation, ordering, overview, reconcile, store
from reconciler.desk import DONE, REFUSED, WRONG, Desk, changing, opened, say
from reconciler.entered import entered
from reconciler.link import Due, Link
from reconciler.reconcile import Clocked


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``status`` and ``retry``; each leaves its function in ``arguments.command``."""
    status = commands.add_parser("status", help="how agreements and customers stand")
    status.add_argument("--tenant")
    status.add_argument("--customer", metavar="ID", help="one customer of the CRM")
    status.set_defaults(command=lambda arguments: _status(arguments, desk))
    retry = commands.add_parser("retry", help="let what was refused for a customer be tried again")
    retry.add_argument("--customer", metavar="ID", required=True)
    retry.add_argument("--tenant")
    changing(retry, desk, _retry)


def _status(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, clocked), engine.connect() as connection:
        if arguments.customer is not None:
            return _status_of_customer(connection, arguments)
        chosen = [arguments.tenant] if arguments.tenant else overview.tenants(connection)
        found = [known for tenant in chosen for known in agreements.of_tenant(connection, tenant)]
        waiting = [lane for lane in outbox.figures(connection, bus.OUTBOX.tables) if lane.waiting or lane.parked]
        told = installation.last(connection)
        lacks = told.lacks if told is not None and entered(told, clocked.now()) == "missing" else ()
        needed = bool(lacks) or any(lane.parked for lane in waiting)
        for known in found:
            standing = overview.statuses(connection, known.tenant, known.agreement)
            needed = needed or known.state in {"refused", "access_lost"}
            needed = needed or any(state in overview.NEED_A_PERSON for state in standing)
            say(f"{known.tenant} agreement {known.agreement} {known.name}: {known.state} {known.reason}".rstrip())
            for state, count in standing.items():
                say(f"  {state}: {count}")
    if not found:
        say("no agreement was ever connected")
    if lacks:
        say(f"the adapter lacks settings without which nobody can give access to e-conomic: {', '.join(lacks)}")
    for lane in waiting:
        say(f"outbox {lane.lane}: {lane.waiting} waiting, oldest {lane.age:.0f} s, {lane.parked} parked")
    return REFUSED if needed else DONE


def _status_of_customer(connection: sa.Connection, arguments: argparse.Namespace) -> int:
    found = overview.customers(connection, arguments.customer, arguments.tenant)
    if not found:
        say(f"customer {arguments.customer} has no link: no agreement is on, or it was never heard of")
        return REFUSED
    for one in found:
        number = "" if one.number is None else f", customer number {one.number}"
        say(f"{one.tenant} agreement {one.agreement}: {one.status} ({one.link}{number})")
        if one.since is not None:
            say(f"  since {one.since:%Y-%m-%d %H:%M:%S}")
        for label, text in (("details", ", ".join(one.details)), ("reason", one.reason), ("e-conomic", one.message)):
            if text:
                say(f"  {label}: {text}")
        for write in one.open_writes:
            waits = f" ({write['cause']})" if write["cause"] else ""
            fields = ", ".join(write["fields"])
            say(f"  unanswered{waits}: {write['action']} in {write['system']}: {fields}, sent {write['sent']:%H:%M:%S}")
        for entry in one.written:
            fields = ", ".join(entry["fields"])
            say(f"  {entry['at']:%Y-%m-%d %H:%M:%S} {entry['action']} in {entry['system']} by {entry['by']}: {fields}")
    return REFUSED if any(one.status in overview.NEED_A_PERSON for one in found) else DONE


def _retry(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    with engine.connect() as connection:
        found = overview.customers(connection, arguments.customer, arguments.tenant)
    if len({one.tenant for one in found}) > 1:
        say("more than one tenant has that customer; say --tenant")
        return WRONG
    for one in found:
        state = ordering.within(engine, partial(_tried_again, clocked, one)) if arguments.yes else None
        if state is None:
            say(f"agreement {one.agreement}: {one.status}; would be tried again, repeat with --yes")
        else:
            say(f"agreement {one.agreement}: {one.status} before, {state} now")
    if not found:
        say(f"customer {arguments.customer} has no link")
        return REFUSED
    return DONE


def _tried_again(clocked: Clocked, one: overview.Customer, connection: sa.Connection) -> str | None:
    stored = store.lock(connection, one.tenant, one.agreement, one.crm_id)
    if stored is None:
        return None
    return reconcile.take_step(clocked, connection, stored, Due(), prepare=_forgiven).status.state


def _forgiven(link: Link) -> Link:
    customer, *contacts = (replace(pair, refusals=(), pause={}) for pair in link.pairs)
    return replace(link, customer=customer, contacts=tuple(contacts), candidates=())
