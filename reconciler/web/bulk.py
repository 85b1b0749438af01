"""What does a decision about many say? What it will do, how far it came, what it came to; confirmed, stopped and undone as one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import agreements, bulking, bulks, differences, ordering, suggestions
from reconciler.bulking import Form
from reconciler.bulks import Bulk, Item
from reconciler.decisions import KEEP
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.web import asks, doors, filters, screen
from reconciler.web.doors import Conflict, Known, Unknown
from reconciler.web.filters import A_PAGE
from reconciler.web.says import label, within
from reconciler.web.site import Site
from reconciler.web.words import Words

HEADINGS: Final[Mapping[str, str]] = {
    "crm": "Use Clickmate for all shown ({n})", "economic": "Use e-conomic for all shown ({n})",
    "different": "Leave all shown different ({n})", "undo": "Undo all ({n})", "link": "Link the selected ({n})",
    "apart": "Not the same customer", "flow": "Let the selected flow automatically ({n})",
}  # fmt: skip
SAVES: Final[Mapping[str, str]] = {
    "crm": "Save to e-conomic", "economic": "Save to Clickmate", "different": "Leave them different", "flow": "Turn on",
}  # fmt: skip
PLACES: Final[Mapping[str, str]] = {
    "settle": "differences",
    "link": "suggestions",
    "apart": "suggestions",
    "flow": "customers",
}
"""The list that each kind is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value of a preview: what is written where, or both values where nothing is."""

    detail: str
    person: str
    crm: str
    economic: str
    to_crm: bool


def page(site: Site, request: Request, one: Known) -> Response:
    """A decision about many: before it is confirmed, while it is carried out, and after."""
    person = one.person
    with site.engine.connect() as connection:
        bulk = _of(connection, person, request.path_params["bulk"])
        paged = filters.page(request.query_params)
        shown = bulk.state == "previewed" and not bulk.listed
        items = list(
            bulks.items(
                connection, person.tenant, bulk.id, limit=A_PAGE, skip=A_PAGE * (paged - 1), troubled=not shown
            )
        )  # fmt: skip
        session = bulks.of_session(connection, person.tenant, mark(one) if bulk.session == mark(one) else "")
        left = differences.counts(connection, person.tenant, Filter())
        agreement = agreements.in_use(connection, person.tenant)
        suggested = 0 if agreement is None else sum(suggestions.counts(connection, person.tenant, agreement).values())
    whole = bulk.id in session.bulks and len(session.bulks) > 1
    return screen.page(
        site,
        "bulk.html",
        one,
        here="",
        bulk=bulk,
        heading=heading(one.words, bulk),
        button=one.words(SAVES[bulk.what if bulk.kind == "settle" else bulk.kind]) if shown else "",
        place=PLACES.get(bulk.what if bulk.kind == "undo" else bulk.kind, ""),
        rows=[(each, _lines(bulk, each)) for each in items],
        page=paged,
        pages=max(1, -(-bulk.customers // A_PAGE)) if shown else 1,
        label=lambda name: label(one.words, name),
        within=lambda name: within(one.words, name),
        shown=asks.shown,
        session=session,
        whole=whole,
        undoes=session.all if whole else bulk.done,
        left=left,
        suggested=suggested,
        undo=uuid4(),
        may=doors.has(site, person, "bulk"),
        may_undo=_may_undo(site, person, bulk),
        told=request.query_params.get("told", ""),
    )


def confirm(site: Site, request: Request, one: Known) -> Response:
    """What was shown is carried out; back to its page, which says how far it came."""
    doors.form(site, request, one, "bulk")
    found = confirmed(site, one.person, doors.parsed(request.path_params["bulk"]), mark(one))
    return doors.to(site, f"/bulk/{found.id}")


def stop(site: Site, request: Request, one: Known) -> Response:
    """Begin with no more of it."""
    doors.form(site, request, one, "bulk")
    found = stopped(site, one.person, doors.parsed(request.path_params["bulk"]))
    return doors.to(site, f"/bulk/{found.id}")


def undo(site: Site, request: Request, one: Known) -> Response:
    """Undo it, or everything of this session with it, as one."""
    given = doors.form(site, request, one, "bulk", "undo", "all")
    which, form = (
        doors.parsed(request.path_params["bulk"]),
        Form(id=doors.parsed("".join(given.get("undo", []))), session=mark(one)),
    )
    try:
        found = undone(site, one.person, which, form, everything=given.get("all") == ["1"])
    except Conflict:
        return doors.to(site, f"/bulk/{which}?told=nothing")
    return doors.to(site, f"/bulk/{found.id}")


def confirmed(site: Site, person: Person, which: UUID, session: str) -> Bulk:
    """Have what was shown carried out. ``Unknown``, ``Lacking``."""
    doors.must(site, person, "bulk")
    with site.engine.begin() as connection:
        found = bulking.confirm(connection, person, which, session)
    if found is None:
        raise Unknown
    return found


def stopped(site: Site, person: Person, which: UUID) -> Bulk:
    """Begin with no more of it. ``Unknown``, ``Lacking``."""
    doors.must(site, person, "bulk")
    with site.engine.begin() as connection:
        bulks.stop(connection, person.tenant, which)
        found = bulks.find(connection, person.tenant, which)
    if found is None:
        raise Unknown
    return found


def undone(site: Site, person: Person, which: UUID, form: Form, *, everything: bool = False) -> Bulk:
    """Undo it, or all of the session it was made in. ``Unknown``, ``Lacking``; ``Conflict`` where nothing can be undone."""
    doors.must(site, person, "bulk")

    def do(connection: sa.Connection) -> Bulk | None:
        first = bulks.find(connection, person.tenant, which)
        if first is None:
            raise Unknown
        ids = [which]
        if everything and first.session and first.session == form.session:
            ids = list(bulks.of_session(connection, person.tenant, form.session).bulks)
        found = [one for each in ids if (one := bulks.find(connection, person.tenant, each)) is not None]
        if any(one.who_id != person.id for one in found):
            doors.must(site, person, "undo_others")
        return bulking.undo(site.clocked, connection, person, form, found)

    made = ordering.within(site.engine, do)
    if made is None:
        raise Conflict("nothing of it can be undone")
    return made


def heading(words: Words, bulk: Bulk) -> str:
    """What it is about, as the button said that it was made with."""
    return words(HEADINGS[bulk.what if bulk.kind == "settle" else bulk.kind], n=words.number(bulk.total))


def mark(one: Known) -> str:
    """Marks what a person does while they are signed in once."""
    return hashlib.sha256(b"bulk" + one.session.form_key).hexdigest()[:32]


def _may_undo(site: Site, person: Person, bulk: Bulk) -> bool:
    if bulk.undone_by is not None or not bulk.done or site.now() - bulk.at > KEEP:
        return False
    if bulk.kind == "undo" and bulk.what != "settle":
        return False
    mine = bulk.who_id == person.id or doors.has(site, person, "undo_others")
    return mine and doors.has(site, person, "bulk")


def _lines(bulk: Bulk, item: Item) -> list[Line]:
    return [
        Line(
            detail=value.detail or part.detail, person=value.person, crm=value.crm, economic=value.economic,
            to_crm=bulk.what == "economic" or value.system == "crm",
        )
        for part in item.parts
        for value in part.values
    ]  # fmt: skip


def _of(connection: sa.Connection, person: Person, text: str) -> Bulk:
    found = bulks.find(connection, person.tenant, doors.parsed(text))
    if found is None:
        raise Unknown
    return found


PAGES: Final[Mapping[tuple[str, str], Any]] = {
    ("GET", "/bulk/{bulk}"): page,
    ("POST", "/bulk/{bulk}/confirm"): confirm,
    ("POST", "/bulk/{bulk}/stop"): stop,
    ("POST", "/bulk/{bulk}/undo"): undo,
}
