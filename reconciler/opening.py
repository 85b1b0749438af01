"""A person opens a customer: is e-conomic asked about it? At most one look is on its way, whoever watches.

Whoever waits finds it by its id; the command leaves through the outbox in the transaction that says so.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from crm_outbox.messaging.outbox import append
from economic_adapter.contract import LookAtCustomer
from reconciler import bus, freshness, looks, resembling, store, suggestions
from reconciler.agreement import Agreement
from reconciler.freshness import EXPIRES, Look
from reconciler.link import Link
from reconciler.looking import Target, target

RECENT: Final = timedelta(minutes=10)
"""Who opened a customer so long ago may still be looking at it."""
MOST_AGAIN: Final = 100


def opened(
    connection: sa.Connection, link: Link, agreement: Agreement, seen: datetime | None, now: datetime
) -> tuple[Look | None, bool]:
    """The look a person waits for who opens that customer now, and whether it was only just asked for.

    ``seen``: when e-conomic was seen last. None where there is nothing to ask.
    """
    wanted = target(link, agreement.state)
    if wanted is None:
        return looks.of(connection, link.id), False
    last = looks.opened(connection, link, now)
    if not freshness.is_asked(last, seen, agreement.reach, now):
        return last, False
    return _ask(connection, link, wanted, last, now), True


def resembled(connection: sa.Connection, stored: store.Stored) -> store.Stored:
    """An unlinked customer as it is known, with whom of e-conomic it may be: what is recorded is searched, no call is made.

    What is found is kept with its link, which is not waited for; the clock tells of it and lists it.
    """
    link = stored.link
    numbers = resembling.found(connection, link)
    if numbers == link.suggested:
        return stored
    suggestions.keep(connection, link.id, numbers)
    return replace(stored, link=replace(link, suggested=numbers))


def again(connection: sa.Connection, tenant: str, agreement: int, now: datetime) -> int:
    """e-conomic answers again: what people opened lately is looked at, the last opened one first; how many."""
    asked = 0
    for one in looks.opened_since(connection, tenant, agreement, now - RECENT, MOST_AGAIN):
        asked += _again(connection, one, now)
    return asked


def _again(connection: sa.Connection, link: UUID, now: datetime) -> bool:
    stored = store.find(connection, link)
    wanted = None if stored is None else target(stored.link, "on")
    last = looks.free(connection, link)
    if stored is None or wanted is None or last is None or freshness.is_on_its_way(last, now):
        return False
    _ask(connection, stored.link, wanted, last, now)
    return True


def _ask(connection: sa.Connection, link: Link, wanted: Target, last: Look, now: datetime) -> Look:
    if link.agreement is None:
        raise ValueError("a link without an agreement is asked about nowhere")
    words = LookAtCustomer(
        agreement=link.agreement, number=wanted.number, expires=now + EXPIRES, look=uuid4(), search=wanted.search
    )
    if words.look is None:
        raise AssertionError("it was just given")
    looks.ask(connection, link.id, words.look, last, now)
    append(connection, bus.OUTBOX, bus.waited_for(link, words))
    return Look(id=words.look, asked=now, answered=last.answered, missing=last.missing)
