"""How does a person settle a customer? One page: both values, a choice for each detail, one save, a receipt for each system."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import beside, decided, deciding, fields, ordering, store, views
from reconciler.beside import Row
from reconciler.decided import Saved
from reconciler.deciding import NotDecided
from reconciler.decisions import Decision, Wish
from reconciler.link import Link
from reconciler.stepping import Clocked
from reconciler.web import doors, screen, status
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.says import first, label, small
from reconciler.web.site import Site
from reconciler.web.status import Told

TAKES = ("crm", "economic", "text", "different")


def page(site: Site, request: Request, one: Known) -> Response:
    """Both sides of a customer, and what a save came to."""
    told = status.of(site, one.person, request.path_params["crm_id"], None, ours=True)
    if told.found.stored is None:
        raise Unknown
    with site.engine.connect() as connection:
        saved = _saved(connection, told.found.stored.link, request.query_params.get("decision", ""))
    return _shown(site, one, told, told.found.stored, saved, tuple(request.query_params.getlist("stale")))


def save(site: Site, request: Request, one: Known) -> Response:
    """Save what was chosen: each detail as it was seen, or it is refused alone and shown anew."""
    given = doors.form(site, request, one)
    doors.must(site, one.person, "settle")
    decision_id = _id("".join(given.get("decision", [])))

    def do(connection: sa.Connection) -> tuple[Saved | None, list[str]]:
        stored = _found(connection, one, request.path_params["crm_id"])
        link = stored.link
        wishes, stale = _wishes(link, beside.rows(link, stored.agreement.rules_for(link, site.resend)), given)
        if not wishes:
            return None, stale
        decision = Decision(
            id=decision_id,
            tenant=link.tenant,
            agreement=link.agreement or 0,
            link=link.id,
            means="settle",
            who=one.person.name,
            who_id=one.person.id,
            at=site.now(),
            wishes=tuple(wishes),
            seen=deciding.versions(link),
        )
        return deciding.save(_clocked(site), connection, decision), stale

    try:
        saved, stale = ordering.within(site.engine, do)
    except NotDecided as why:
        raise Senseless(str(why)) from why
    after = "&".join(f"stale={name}" for name in stale)
    if saved is not None:
        after = f"decision={saved.decision.id}" + (f"&{after}" if after else "")
    return doors.to(site, f"/customers/{quote(request.path_params['crm_id'], safe='')}?{after}")


def undo(site: Site, request: Request, one: Known) -> Response:
    """Put back what a decision did, where nobody edited since."""
    doors.form(site, request, one)
    doors.must(site, one.person, "settle")
    undone = _id(request.path_params["decision"])

    def do(connection: sa.Connection) -> tuple[Saved, str]:
        known = decided.get(connection, undone)
        if known is None or known.decision.tenant != one.person.tenant:
            raise Unknown
        person = one.person
        if not known.decision.is_by(person):
            doors.must(site, person, "undo_others")
        again = deciding.undo(_clocked(site), connection, person.tenant, undone, person.name, uuid4(), who_id=person.id)
        link = store.load(connection, again.decision.link).link
        return again, link.crm_id

    try:
        again, crm_id = ordering.within(site.engine, do)
    except NotDecided as why:
        raise Senseless(str(why)) from why
    return doors.to(site, f"/customers/{quote(crm_id, safe='')}?decision={again.decision.id}")


def _shown(
    site: Site, one: Known, told: Told, stored: store.Stored, saved: Saved | None, stale: tuple[str, ...]
) -> Response:
    link, agreement = stored.link, told.found.agreement
    rules = stored.agreement.rules_for(link, site.resend)
    rows = beside.rows(link, rules)
    crm = link.customer.crm.values if link.customer.crm else {}
    return screen.page(
        site,
        "customer.html",
        one,
        customer=link.crm_id,
        name=fields.text(crm, "name") or link.crm_id,
        number=link.number,
        cvr=fields.text(crm, "cvr"),
        line=first(one.words, told.first, told.second, None if agreement is None else agreement.changed),
        small=small(one.words, told.second),
        open_rows=[row for row in rows if row.stands in {"contested", "differs", "kept", "waits"}],
        same_rows=[row for row in rows if row.stands == "same"],
        parts=beside.parts,
        label=lambda name: label(one.words, name),
        may_settle=one.person.role != "reader",
        decision=uuid4(),
        saved=saved,
        receipt=None if saved is None else _receipt(saved),
        stale=stale,
    )


def _receipt(saved: Saved) -> dict[str, str]:
    """For each system whether it has what was chosen: ``updated``, ``waiting``, or nothing where nothing was to be written."""
    towards: dict[str, str] = {}
    left = {(one.record, one.detail): one for one in saved.outcome}
    for wish in saved.decision.wishes:
        ended = left.get((wish.record, wish.detail))
        for system, target in (("crm", wish.crm), ("economic", wish.economic)):
            if target is None or (ended is not None and ended.result == "refused"):
                continue
            if ended is None:
                towards[system] = "waiting"
            else:
                towards.setdefault(system, "updated")
    return towards


def _wishes(link: Link, rows: tuple[Row, ...], given: Mapping[str, list[str]]) -> tuple[list[Wish], list[str]]:
    """What was chosen, as wishes over what was seen; and the details that moved since, by their label's field."""
    wishes: list[Wish] = []
    stale: list[str] = []
    known = {row.key: row for row in rows}
    pairs = {pair.id: pair for pair in link.pairs}
    for name, values in given.items():
        if not name.startswith("choice."):
            continue
        row, take = known.get(name.removeprefix("choice.")), values[-1]
        if row is None or take not in TAKES:
            raise Senseless(name)
        if "".join(given.get(f"mark.{row.key}", [])) != row.mark:
            stale.append(row.detail)
            continue
        texts = (
            {field: _line(given.get(f"text.{row.key}.{field}", [])) for field in row.fields} if take == "text" else None
        )
        wishes.append(deciding.wish(link, pairs[row.record], row.detail, take, texts))
    return wishes, stale


def _line(values: list[str]) -> str:
    return values[-1].replace("\r\n", "\n") if values else ""


def _found(connection: sa.Connection, one: Known, crm_id: str) -> store.Stored:
    found = views.customer(connection, one.person.tenant, crm_id).stored
    if found is None:
        raise Unknown
    return found


def _saved(connection: sa.Connection, link: Link, text: str) -> Saved | None:
    try:
        found = decided.get(connection, UUID(text)) if text else None
    except ValueError:
        return None
    return found if found is not None and found.decision.link == link.id else None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Unknown from error


def _clocked(site: Site) -> Clocked:
    return Clocked(resend=site.resend, now=site.now)


PAGES: Final = {
    ("GET", "/customers/{crm_id}"): page,
    ("POST", "/customers/{crm_id}"): save,
    ("POST", "/decisions/{decision}/undo"): undo,
}
