"""What can an operator say to the reconciler? Switch on and off, ask how things stand, let refused writes try again.

A command that changes something only tells what it would do, unless given ``--yes``. 0 is done, 1 is refused or needs a
person, 2 is wrongly called, 3 is asked and not answered yet.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa

from crm_outbox.messaging import outbox
from reconciler import agreements, bus, overview, reconcile, store, switching
from reconciler.agreements import Agreement
from reconciler.link import Due, Link
from reconciler.reconcile import Clocked
from reconciler.rules import Transfer

DONE, REFUSED, WRONG, WAITING = 0, 1, 2, 3
_LOOK_AGAIN = 0.1
Desk = Callable[[], tuple[sa.Engine, Clocked]]


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``switch-on``, ``switch-off``, ``status`` and ``retry``; each leaves its function in ``arguments.command``."""
    on = commands.add_parser("switch-on", help="switch the integration on for a tenant's agreement")
    on.add_argument("--tenant", required=True)
    on.add_argument("--agreement", type=int, help="its number, when the tenant connected more than one")
    on.add_argument("--transfer", choices=[str(one) for one in Transfer], default=str(Transfer.CREATED))
    on.add_argument("--number-from", type=int, help="the lowest customer number new customers may get")
    _changing(on, desk, _switch_on)
    off = commands.add_parser("switch-off", help="switch it off; everything is still recorded")
    off.add_argument("--tenant", required=True)
    off.add_argument("--agreement", type=int)
    _changing(off, desk, _switch_off)
    status = commands.add_parser("status", help="how agreements and customers stand")
    status.add_argument("--tenant")
    status.add_argument("--customer", metavar="ID", help="one customer of the CRM")
    status.set_defaults(command=lambda arguments: _status(arguments, desk))
    retry = commands.add_parser("retry", help="let what was refused for a customer be tried again")
    retry.add_argument("--customer", metavar="ID", required=True)
    retry.add_argument("--tenant")
    _changing(retry, desk, _retry)


def _switch_on(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = _wait_for_agreement(arguments, engine)
    if known is None:
        return REFUSED
    with engine.connect() as connection:
        here = overview.in_crm(connection, known.tenant)
    there = "not counted yet" if known.customers is None else str(known.customers)
    stages = ", ".join(f"{count} {stage}" for stage, count in here.items()) or "none"
    _say(f"agreement {known.agreement} {known.name} of tenant {known.tenant}: {known.state}")
    _say(f"customers: Clickmate {sum(here.values())} ({stages}), e-conomic {there}")
    if known.state in switching.IN_USE - {"switching_on"}:
        _say("it is on already")
        return DONE
    if not arguments.yes:
        _say(
            f"would be switched on: customers created from now on are transferred ({arguments.transfer}), older ones wait;"
            " repeat with --yes"
        )
        return DONE
    with engine.begin() as connection:
        locked = agreements.lock(connection, known.tenant, known.agreement)
        if locked is None:
            return REFUSED
        operation = switching.switch_on(
            connection,
            locked,
            clocked.now(),
            clocked.resend,
            transfer=Transfer(arguments.transfer),
            number_from=arguments.number_from,
        )
    _say(f"asked e-conomic's side to read and switch on (operation {operation})")
    return _wait_for_answer(arguments, engine, known)


def _switch_off(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    known = _one(engine, arguments)
    if known is None:
        return REFUSED
    if not arguments.yes:
        _say(f"agreement {known.agreement} of tenant {known.tenant} would be switched off; repeat with --yes")
        return DONE
    with engine.begin() as connection:
        locked = agreements.lock(connection, known.tenant, known.agreement)
        if locked is None:
            return REFUSED
        switching.switch_off(connection, locked, clocked.now(), clocked.resend)
    _say(f"agreement {known.agreement} of tenant {known.tenant} is off")
    return DONE


def _status(arguments: argparse.Namespace, desk: Desk) -> int:
    with _opened(desk) as (engine, _), engine.connect() as connection:
        if arguments.customer is not None:
            return _status_of_customer(connection, arguments)
        chosen = [arguments.tenant] if arguments.tenant else overview.tenants(connection)
        found = [known for tenant in chosen for known in agreements.of_tenant(connection, tenant)]
        waiting = [lane for lane in outbox.figures(connection, bus.OUTBOX.tables) if lane.waiting or lane.parked]
        needed = any(lane.parked for lane in waiting)
        for known in found:
            standing = overview.statuses(connection, known.tenant, known.agreement)
            needed = needed or known.state in {"refused", "access_lost"}
            needed = needed or any(state in overview.NEED_A_PERSON for state in standing)
            _say(f"{known.tenant} agreement {known.agreement} {known.name}: {known.state} {known.reason}".rstrip())
            for state, count in standing.items():
                _say(f"  {state}: {count}")
    if not found:
        _say("no agreement was ever connected")
    for lane in waiting:
        _say(f"outbox {lane.lane}: {lane.waiting} waiting, oldest {lane.age:.0f} s, {lane.parked} parked")
    return REFUSED if needed else DONE


def _status_of_customer(connection: sa.Connection, arguments: argparse.Namespace) -> int:
    found = overview.customers(connection, arguments.customer, arguments.tenant)
    if not found:
        _say(f"customer {arguments.customer} has no link: no agreement is on, or it was never heard of")
        return REFUSED
    for one in found:
        number = "" if one.number is None else f", customer number {one.number}"
        _say(f"{one.tenant} agreement {one.agreement}: {one.status} ({one.link}{number})")
        if one.since is not None:
            _say(f"  since {one.since:%Y-%m-%d %H:%M:%S}")
        for label, text in (("details", ", ".join(one.details)), ("reason", one.reason), ("e-conomic", one.message)):
            if text:
                _say(f"  {label}: {text}")
        for write in one.open_writes:
            waits = f" ({write['cause']})" if write["cause"] else ""
            fields = ", ".join(write["fields"])
            _say(
                f"  unanswered{waits}: {write['action']} in {write['system']}: {fields}, sent {write['sent']:%H:%M:%S}"
            )
        for entry in one.written:
            fields = ", ".join(entry["fields"])
            _say(f"  {entry['at']:%Y-%m-%d %H:%M:%S} {entry['action']} in {entry['system']} by {entry['by']}: {fields}")
    return REFUSED if any(one.status in overview.NEED_A_PERSON for one in found) else DONE


def _retry(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    with engine.begin() as connection:
        found = overview.customers(connection, arguments.customer, arguments.tenant)
        if len({one.tenant for one in found}) > 1:
            _say("more than one tenant has that customer; say --tenant")
            return WRONG
        for one in found:
            stored = store.lock(connection, one.tenant, one.agreement, one.crm_id)
            if stored is not None and arguments.yes:
                done = reconcile.take_step(clocked, connection, stored, Due(), prepare=_forgiven)
                _say(f"agreement {one.agreement}: {one.status} before, {done.status.state} now")
            else:
                _say(f"agreement {one.agreement}: {one.status}; would be tried again, repeat with --yes")
    if not found:
        _say(f"customer {arguments.customer} has no link")
        return REFUSED
    return DONE


def _forgiven(link: Link) -> Link:
    customer, *contacts = (replace(pair, refusals=(), pause={}) for pair in link.pairs)
    return replace(link, customer=customer, contacts=tuple(contacts), candidates=())


def _wait_for_agreement(arguments: argparse.Namespace, engine: sa.Engine) -> Agreement | None:
    """The agreement; one that was only just connected is waited for, because its message may still be on its way."""
    deadline = time.monotonic() + (arguments.wait if arguments.yes else 0.0)
    while True:
        known = _one(engine, arguments, quiet=time.monotonic() < deadline)
        if known is not None or time.monotonic() >= deadline:
            return known
        time.sleep(_LOOK_AGAIN)


def _wait_for_answer(arguments: argparse.Namespace, engine: sa.Engine, asked: Agreement) -> int:
    deadline = time.monotonic() + arguments.wait
    while True:
        with engine.connect() as connection:
            known = next(
                one for one in agreements.of_tenant(connection, asked.tenant) if one.agreement == asked.agreement
            )
        match known.state:
            case "on":
                _say(f"agreement {known.agreement} {known.name} is on, customers in e-conomic: {known.customers}")
                return DONE
            case "switching_on" if time.monotonic() < deadline:
                time.sleep(_LOOK_AGAIN)
            case "switching_on":
                _say("not answered yet: it goes on by itself when the adapter and e-conomic answer; see `status`")
                return WAITING
            case _:
                _say(f"refused: {known.reason or known.state}")
                return REFUSED


def _one(engine: sa.Engine, arguments: argparse.Namespace, *, quiet: bool = False) -> Agreement | None:
    with engine.connect() as connection:
        found = [
            one
            for one in agreements.of_tenant(connection, arguments.tenant)
            if one.state != "disconnected" and arguments.agreement in {None, one.agreement}
        ]
    if found:
        return found[0]
    if not quiet:
        _say(f"tenant {arguments.tenant} has no agreement connected; first `economic_adapter connect`")
    return None


def _changing(
    parser: argparse.ArgumentParser, desk: Desk, does: Callable[[argparse.Namespace, sa.Engine, Clocked], int]
) -> None:
    parser.add_argument("--yes", action="store_true", help="do it; without this, only tell what would be done")
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for the answer")

    def command(arguments: argparse.Namespace) -> int:
        with _opened(desk) as (engine, clocked):
            return does(arguments, engine, clocked)

    parser.set_defaults(command=command)


@contextmanager
def _opened(desk: Desk) -> Iterator[tuple[sa.Engine, Clocked]]:
    engine, clocked = desk()
    try:
        yield engine, clocked
    finally:
        engine.dispose()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
