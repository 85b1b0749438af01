"""How is something of a list taken back? One press puts back what a rule wrote over, or asks again about what was kept different."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import decided, ordering, reversing, store, worklists
from reconciler.decided import Saved
from reconciler.decisions import NotDecided
from reconciler.person import Person
from reconciler.stepping import Clocked
from reconciler.web import doors, filters
from reconciler.web.doors import Known, Unknown
from reconciler.web.site import Site


def undo_settled(site: Site, request: Request, one: Known) -> Response:
    """Put back what a rule wrote over, and ask about it."""
    given = doors.form(site, request, one, "settle", "filter")
    return _back(site, "settled", given, settled(site, one.person, request.path_params["write"]))


def undo_kept(site: Site, request: Request, one: Known) -> Response:
    """Ask again about a detail that was kept different."""
    given, path = doors.form(site, request, one, "settle", "filter"), request.path_params
    return _back(site, "kept", given, kept(site, one.person, path["link"], path["record"], path["detail"]))


def settled(site: Site, person: Person, write: str) -> Saved | None:
    """Take back what a rule wrote; none where it was edited since, or is too old."""
    doors.must(site, person, "settle")
    if not (write.isascii() and write.isdecimal() and len(write) < 19):
        raise Unknown

    def do(connection: sa.Connection) -> Saved | None:
        if worklists.settled_one(connection, person.tenant, int(write)) is None:
            raise Unknown
        return reversing.rule(_clocked(site), connection, person, int(write))

    return _within(site, do)


def changed(site: Site, person: Person, write: int, detail: str) -> Saved | None:
    """Put back one detail of what was written to e-conomic; none where it was edited since, or is too old."""
    doors.must(site, person, "settle")

    def do(connection: sa.Connection) -> Saved | None:
        if worklists.changed_there(connection, person.tenant, write) is None:
            raise Unknown
        return reversing.change(_clocked(site), connection, person, write, detail)

    return _within(site, do)


def kept(site: Site, person: Person, link: str, record: str, detail: str) -> Saved | None:
    """Ask again about a kept difference; none where it is none any more."""
    doors.must(site, person, "settle")
    ids = doors.parsed(link), doors.parsed(record)

    def do(connection: sa.Connection) -> Saved | None:
        stored = store.find(connection, ids[0])
        if stored is None or stored.link.tenant != person.tenant:
            raise Unknown
        choice = next((pair.chosen.get(detail) for pair in stored.link.pairs if pair.id == ids[1]), None)
        first = None if choice is None else decided.get(connection, choice.decision)
        if first is not None and not first.decision.is_by(person):
            doors.must(site, person, "undo_others")
        return reversing.kept(_clocked(site), connection, *ids, detail, person)

    return _within(site, do)


def _within(site: Site, do: Callable[[sa.Connection], Saved | None]) -> Saved | None:
    try:
        return ordering.within(site.engine, do)
    except NotDecided:
        return None


def _back(site: Site, tab: str, given: Mapping[str, list[str]], saved: Saved | None) -> Response:
    """To the list it was pressed on, with what came of it."""
    wanted = filters.read(dict(parse_qsl("".join(given.get("filter", [])).removeprefix("?"))))
    told = "moved" if saved is None or saved.state == "refused" else "undone"
    return doors.to(site, f"/{tab}{filters.written(wanted, told=told)}")


def _clocked(site: Site) -> Clocked:
    return Clocked(resend=site.resend, now=site.now)


PAGES: Final = {
    ("POST", "/settled/{write}/undo"): undo_settled,
    ("POST", "/kept/{link}/{record}/{detail}/undo"): undo_kept,
}
