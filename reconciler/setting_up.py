"""What does an admin set for a whole agreement? When customers are transferred, how changes are heard of, and whether at all.

Each takes the locked agreement, and tells the adapter where it has to do something else from now on.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import structlog
from sqlalchemy import Connection

from economic_adapter import contract
from economic_adapter.contract import HOOK_DATA, HOOK_TYPE
from reconciler import acts, agreements, people, reading, runs, store, switching
from reconciler.agreement import Agreement
from reconciler.person import Person
from reconciler.rules import Transfer
from reconciler.stepping import Clocked

log = structlog.get_logger(__name__)

Receive = Literal["webhooks", "checks", "nothing"]
"""How what changes in e-conomic comes to the CRM: at once, by regular checks alone, or not at all."""
Obstacle = Literal["not_connected", "busy", "trial"]
HIGHEST_NUMBER: Final = 999_999_999
"""The highest customer number e-conomic takes."""


HOOK: Final = HOOK_DATA, HOOK_TYPE
"""What e-conomic is to send of a webhook that a person makes, and as what."""


class NotNow(Exception):
    """It cannot be done now; ``why`` says what is in the way."""

    def __init__(self, why: Obstacle) -> None:
        super().__init__(why)
        self.why: Obstacle = why


def receives(known: Agreement) -> Receive:
    """How what changes in e-conomic comes to the CRM."""
    if not known.receive:
        return "nothing"
    return "webhooks" if known.hooks else "checks"


def change(
    connection: Connection,
    known: Agreement,
    clocked: Clocked,
    *,
    by: Person,
    transfer: Transfer | None = None,
    receive: Receive | None = None,
    number_from: int | Literal["any"] | None = None,
    number_to: int | Literal["any"] | None = None,
    flows_first: bool | None = None,
) -> Agreement:
    """Set what is given (none: as it is) from now on; the agreement as it is then.

    What follows for customers that are here already is written as a pass, which the brake stops.
    """
    wanted = replace(
        known,
        transfer=known.transfer if transfer is None else str(transfer),
        receive=known.receive if receive is None else receive != "nothing",
        hooks=known.hooks if receive in {None, "nothing"} else receive == "webhooks",
        number_from=known.number_from if number_from is None else None if number_from == "any" else number_from,
        number_to=known.number_to if number_to is None else None if number_to == "any" else number_to,
        flows_first=known.flows_first if flows_first is None else flows_first,
    )
    about = acts.moved(
        {
            name: (before, after)
            for (name, before), after in zip(_chosen(known).items(), _chosen(wanted).values(), strict=True)
        }
    )
    for name, chosen, before in (
        ("receive", receive, known.receive_chosen),
        ("transfer", transfer, known.transfer_chosen),
    ):
        if chosen is not None and before is None:
            about = {name: ("", str(chosen)), **about}  # who says what holds already has chosen it all the same
            agreements.choose(connection, known.tenant, known.agreement, **{f"{name}_chosen": clocked.now()})
    if about:
        acts.add(connection, by, "set_up", clocked.now(), known.agreement, about)
    if wanted == known:
        return known
    agreements.choose(
        connection,
        known.tenant,
        known.agreement,
        transfer=wanted.transfer,
        receive=wanted.receive,
        hooks=wanted.hooks,
        number_from=wanted.number_from,
        number_to=wanted.number_to,
        flows_first=wanted.flows_first,
    )
    numbers = (wanted.number_from, wanted.number_to) != (known.number_from, known.number_to)
    if numbers or (wanted.transfer, wanted.receive) != (known.transfer, known.receive):
        store.look_again(connection, known.tenant, known.agreement)
    if (numbers or wanted.hooks is not known.hooks) and known.state in switching.IN_USE:
        switching.work_as_set(connection, wanted, clocked.now(), clocked.resend)
    return wanted


def _chosen(known: Agreement) -> dict[str, str]:
    """What an admin chose of an agreement, as its acts name it; empty: nothing."""
    low, high = ("" if one is None else str(one) for one in (known.number_from, known.number_to))
    return {
        "transfer": known.transfer,
        "receive": receives(known),
        "flows": "yes" if known.flows_first else "no",
        "number_from": low,
        "number_to": high,
    }


def keep(connection: Connection, by: Person, now: datetime, *, create: bool | None, bulk: bool | None) -> None:
    """Keep for admins, or let users do, what is given (none: as it is) in that person's tenant."""
    if create is None and bulk is None:
        return
    people.hold(connection, by.tenant)
    before = people.kept(connection, by.tenant)
    given = {"may_create": (before.create, create), "may_bulk": (before.bulk, bulk)}
    about = {name: (_of_whom(was), _of_whom(kept)) for name, (was, kept) in given.items() if kept not in {None, was}}
    for name in about:
        people.choose(connection, by.tenant, name.replace("may_", "keep_"), given[name][1])
    if about:
        acts.add(connection, by, "rights", now, None, about)


def _of_whom(kept: bool | None) -> str:
    return "admins" if kept else "users"


def confirm(connection: Connection, known: Agreement, now: datetime, by: Person) -> None:
    """An admin said that it is the right agreement."""
    if known.confirmed is None:
        agreements.choose(connection, known.tenant, known.agreement, confirmed=now)
        acts.add(connection, by, "right_agreement", now, known.agreement)


def look_over(connection: Connection, known: Agreement, clocked: Clocked, by: Person) -> None:
    """Have a locked agreement looked over at e-conomic now; while that, or something else, is asked already it is not asked twice."""
    if known.state != "disconnected" and known.configure is None:
        switching.look_over(connection, known, clocked.now(), clocked.resend)
        acts.add(connection, by, "check", clocked.now(), known.agreement)


def hand_made(key: bytes, known: Agreement) -> str:
    """The path of the webhook that a person makes in e-conomic."""
    return contract.hand_made(key, known.tenant, known.agreement)


def is_asked(known: Agreement) -> bool:
    """Whether e-conomic is being asked how the agreement is."""
    return known.configure is not None and not known.configure.disconnect


def asked_at(known: Agreement, now: datetime) -> datetime:
    """When e-conomic was asked last."""
    return now if known.configure is None or known.configure.asked is None else known.configure.asked


def obstacle(known: Agreement) -> Obstacle | None:
    """What keeps an agreement from being given up now; none where nothing does."""
    if known.state == "disconnected":
        return "not_connected"
    if known.pilot is not None:
        return "trial"
    return None if known.busy is None else "busy"


def disconnect(connection: Connection, known: Agreement, clocked: Clocked, by: Person, *, wrong: bool = False) -> UUID:
    """Give an agreement up: nothing is deleted on either side, and links stay. ``NotNow`` where something is carried out.

    ``wrong``: because it is not the right one.
    """
    if (why := obstacle(known)) is not None:
        raise NotNow(why)
    if known.configure is not None and known.configure.disconnect:
        return known.configure.operation
    under_way = runs.latest(connection, known.tenant, known.agreement, ["read", "sweep"])
    if under_way is not None and (run := reading.locked(connection, under_way.id)) is not None:
        reading.steer(connection, run, "stop", clocked.now(), clocked.resend)
    acts.add(connection, by, "wrong_agreement" if wrong else "disconnect", clocked.now(), known.agreement)
    log.info("agreement.disconnect", agreement=known.agreement)
    return switching.disconnect(connection, known, clocked.now(), clocked.resend)
