"""What did somebody say on the command line, as a decision? Values of the arguments, read against the customer's link."""

import argparse
import getpass
from hashlib import sha256
from uuid import UUID, uuid4

from reconciler import deciding, fields, store, wishing
from reconciler.decisions import Decision, Means, NotDecided, Supplied, Wish
from reconciler.link import Link, Pair
from reconciler.rules import Area
from reconciler.stepping import Clocked


def wishes(link: Link, pair: Pair, arguments: argparse.Namespace) -> tuple[Wish, ...]:
    """What is chosen of that record, detail by detail; ``NotDecided`` for what cannot be understood."""
    takes: dict[str, str] = {}
    texts: dict[str, dict[str, str]] = {}

    def take(detail: str, what: str) -> None:
        if takes.setdefault(detail, what) != what:
            raise NotDecided(f"{detail} was chosen twice")

    for one in arguments.use:
        detail, _, side = one.partition("=")
        if side not in {"crm", "economic"}:
            raise NotDecided(f"--use {one}: say DETAIL=crm or DETAIL=economic")
        take(detail, side)
    for one in arguments.text:
        field, equals, value = one.partition("=")
        group = next((each for each in fields.GROUPS[pair.kind] if field in each.fields), None)
        if not equals or group is None:
            names = ", ".join(fields.FIELDS[pair.kind])
            raise NotDecided(
                f"--text {one}: there is no field {field}; there are {names}"
                if equals
                else f"--text {one}: say FIELD=TEXT"
            )
        take(group.name, "text")
        texts.setdefault(group.name, {})[field] = value
    for detail in arguments.leave:
        take(detail, "different")
    return tuple(wishing.wish(link, pair, detail, what, texts.get(detail)) for detail, what in takes.items())


def record(link: Link, person: str | None) -> Pair:
    """The customer, or the contact person of that id: ours, the CRM's, or e-conomic's number."""
    if person is None:
        return link.customer
    for pair in link.contacts:
        known = {str(pair.id), *(side.id for side in (pair.crm, pair.economic) if side is not None)}
        if person in known:
            return pair
    raise NotDecided(f"there is no contact person {person}")


def mark(shown: tuple[Wish, ...]) -> str:
    """A short mark of the values that were shown."""
    seen = [
        (one.detail, str(one.record), sorted(one.seen_crm.items()), sorted(one.seen_economic.items())) for one in shown
    ]
    return sha256(repr(sorted(seen)).encode()).hexdigest()[:8]


def supplied(arguments: argparse.Namespace) -> Supplied:
    """What is chosen for the creation of this customer alone."""
    return Supplied(
        area=None if arguments.area is None else Area(arguments.area),
        group=arguments.group,
        terms=arguments.terms,
        zone=arguments.zone,
        currency=arguments.currency or "",
    )


def decision(
    stored: store.Stored,
    means: Means,
    arguments: argparse.Namespace,
    clocked: Clocked,
    *,
    chosen: tuple[Wish, ...] = (),
    task: str = "",
    number: int | None = None,
    ids: tuple[str, ...] = (),
    record: UUID | None = None,
    other: UUID | None = None,
    given: Supplied | None = None,
) -> Decision:
    """A new decision of whoever is named, about that customer as it is remembered now."""
    link = stored.link
    return Decision(
        id=uuid4(),
        tenant=link.tenant,
        agreement=link.agreement or 0,
        link=link.id,
        means=means,
        who=who(arguments),
        at=clocked.now(),
        wishes=chosen,
        task=task,
        number=number,
        ids=ids,
        record=record,
        other=other,
        seen=deciding.versions(link),
        supplied=given,
    )


def who(arguments: argparse.Namespace) -> str:
    """Who decides: as named, or who is signed in here."""
    return arguments.who or getpass.getuser()
