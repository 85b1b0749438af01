"""How does a person settle a customer? One page: both values, a choice for each detail, one save, a receipt for each system."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import (
    beside,
    choosing,
    decided,
    deciding,
    edits,
    facing,
    fields,
    handover,
    ordering,
    people,
    presence,
    questions,
    store,
    views,
    worklists,
)
from reconciler.beside import Row
from reconciler.choosing import Chosen, Taken
from reconciler.decided import Saved
from reconciler.decisions import KEEP, NotDecided, NotUndone
from reconciler.link import Link
from reconciler.person import Person, may
from reconciler.web import acting, candidates, doors, piece, reasons, rule_words, says, screen, status, whys
from reconciler.web import asks as asking
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.piece import LIST
from reconciler.web.receipts import receipt, taken_by
from reconciler.web.says import documents, label
from reconciler.web.site import Site
from reconciler.web.status import Told

KEPT: Final = "POST /customers/{crm_id}"
"""The form whose choices are kept where its session had ended."""
_ANSWERED_HERE: Final = asking.BESIDE | {"refused"}


def page(site: Site, request: Request, one: Known) -> Response:
    """Both sides of a customer, and what a save came to."""
    found = status.of(site, one.person, request.path_params["crm_id"], None, ours=True, opening=True)
    if found.found.stored is None:
        raise Unknown
    with site.engine.begin() as connection:
        return _shown(site, connection, one, found, found.found.stored, request.query_params)


def save(site: Site, request: Request, one: Known) -> Response:
    """Save what was chosen: each detail as it was seen, or it is refused alone and shown anew."""
    given = doors.form(site, request, one, "settle", "decision", "from", "choice.", "mark.", "text.")
    crm_id, decision = request.path_params["crm_id"], doors.parsed("".join(given.get("decision", [])))
    came = chosen(site, one.person, crm_id, decision, _takes(given))
    if came.saved is not None:
        with site.engine.begin() as connection:
            people.drop_form(connection, one.person, crm_id)
            presence.leave(connection, came.saved.decision.link, one.person)
    after = [("stale", key) for key in came.stale]
    after += [("decision", str(came.saved.decision.id))] if came.saved is not None else []
    return _to(site, crm_id, given, after or [("unchosen", "1")])


def compare(site: Site, request: Request, one: Known) -> Response:
    """Compare again: e-conomic is asked unless it just was, and its answer waited for a moment; then what there is."""
    given, crm_id = doors.form(site, request, one, "see", "from"), request.path_params["crm_id"]
    status.compare(site, one.person, crm_id)
    return _to(site, crm_id, given, [])


def undo(site: Site, request: Request, one: Known) -> Response:
    """Put back what a decision did, where nobody edited since."""
    given = doors.form(site, request, one, "settle", "decision", "from")
    which, new = doors.parsed(request.path_params["decision"]), "".join(given.get("decision", []))
    try:
        crm_id, again = undone(site, one.person, which, doors.parsed(new) if new else uuid4())
    except NotUndone as why:
        with site.engine.connect() as connection:
            crm_id, _ = told(connection, one.person, which)
        return _to(site, crm_id, given, [("decision", str(which)), ("not_undone", why.why)])
    return _to(site, crm_id, given, [("decision", str(again.decision.id))])


def chosen(site: Site, person: Person, crm_id: str, decision: UUID, takes: Mapping[str, Taken]) -> Chosen:
    """Save what that person chose, for pages and services alike."""
    doors.must(site, person, "settle")
    try:
        came = ordering.within(
            site.engine,
            lambda connection: choosing.choose(site.clocked, connection, person, crm_id, decision, takes),
        )
    except NotDecided as why:
        raise Senseless(why.text, **why.values) from why
    if came is None:
        raise Unknown
    return came


def undone(site: Site, person: Person, which: UUID, new: UUID) -> tuple[str, Saved]:
    """Undo a decision, by another one named ``new``; the customer it is about. ``NotUndone`` where that cannot be."""
    doors.must(site, person, "settle")

    def do(connection: sa.Connection) -> tuple[str, Saved]:
        crm_id, known = told(connection, person, which)
        if not known.decision.is_by(person):
            doors.must(site, person, "undo_others")
        again = deciding.undo(site.clocked, connection, person.tenant, which, person.name, new, who_id=person.id)
        return crm_id, again

    try:
        return ordering.within(site.engine, do)
    except NotUndone:
        raise
    except NotDecided as why:
        raise Senseless(why.text, **why.values) from why


def told(connection: sa.Connection, person: Person, which: UUID) -> tuple[str, Saved]:
    """A decision of that person's tenant, and the customer it is about."""
    known = decided.get(connection, which)
    if known is None or known.decision.tenant != person.tenant:
        raise Unknown
    return store.load(connection, known.decision.link).link.crm_id, known


def _shown(site: Site, connection: sa.Connection, one: Known, told: Told, stored: store.Stored, asked: Any) -> Response:
    link, words = stored.link, one.words
    rules = stored.agreement.rules_for(link, site.resend)
    rows = beside.rows(link, rules, questions.overlooked(stored.asked))
    others = facing.there(connection, link, beside.may_be(link, rules, site.now()))
    may_settle, asks = one.person.role != "reader", any(row.asks for row in rows)
    events = edits.of_link(connection, link)
    origins = whys.origins(link, events)
    crm = link.customer.crm.values if link.customer.crm else {}
    economic = link.customer.economic.values if link.customer.economic else {}
    contested = [(row.record, name) for row in rows if row.stands == "contested" for name in row.fields]
    at, from_list = acting.of_session(link.crm_id, one), asked.get("from") == LIST
    return screen.page(
        site,
        "customer.html",
        one,
        customer=link.crm_id,
        name=fields.text(crm, "name") or fields.text(economic, "name") or link.crm_id,
        number=link.number,
        cvr=fields.text(crm, "cvr") or fields.text(economic, "cvr"),
        status=piece.values(site, at, told, from_list=from_list),
        asks_again=piece.asks(at, rows, told.found.shown, others, from_list=from_list),
        why=reasons.why(words, rows, views.agreed(connection, link.id, contested) if contested else None),
        rows={
            "open": [row for row in rows if row.is_different or row.stands == "waits"],
            "same": [row for row in rows if row.stands == "same"],
            "alone": [row for row in rows if row.stands == "alone"],
        },
        shown=_only_there(connection, one, told),
        parts=beside.parts,
        why_this=lambda row: whys.why(words, row.key, link, rules, origins[row.key]),
        by_rule=whys.settled(words, link, rules, events, site.now() - KEEP),
        cause=lambda row: reasons.cause(words, row),
        label=lambda name: label(words, name),
        inside=lambda row: reasons.named(words, row, inside=True),
        why_stays=lambda row: reasons.stays(words, row),
        one_side=lambda row: reasons.one_side(words, row),
        documents=lambda receives: documents(words, receives),
        always=lambda row: rule_words.always(words, row, rules) if may(one.person.role, "administer") else [],
        may_settle=may_settle,
        asks=asks,
        questions=_questions(connection, one, link),
        overlooked=one.words(asking.SAYS["silent"]) if questions.overlooked(stored.asked) else "",
        others=presence.enter(connection, link.id, one.person, site.now()) if may_settle and asks else [],
        holder=handover.holder(connection, link.id),
        colleagues=handover.colleagues(connection, link.tenant) if may_settle and asks else [],
        decision=uuid4(),
        **_filled_in(connection, one, rows, link, asked),
        unchosen=next((row for row in rows if row.asks), None) if "unchosen" in asked else None,
        stale=[_stale(one, connection, link, key) for key in asked.getlist("stale")[: len(rows)]],
        place=views.place(connection, link.tenant, link.id) if from_list else None,
        back=_back(one, link.crm_id),
        card=site.card(link.crm_id),
        **candidates.shown(site, one, link, others, asked),
        **_receipt(site, connection, one, stored, asked),
    )


def _only_there(connection: sa.Connection, one: Known, told: Told) -> list[tuple[str, str, str]]:
    """What e-conomic alone holds: its label, its value, and of a contact person whose it is."""
    return [
        (
            one.words(says.SHOWN[each.detail]),
            each.value if each.amount is None else one.words.amount(each.amount),
            each.person,
        )
        for each in views.named(connection, told.found)
    ]


def _questions(connection: sa.Connection, one: Known, link: Link) -> list[tuple[UUID, str]]:
    """What is asked of the customer that is answered on a page of its own: the question's id, and what it is."""
    found = worklists.of_link(connection, link.tenant, link.id)
    return [(each.id, asking.line(one.words, each)) for each in found if each.kind not in _ANSWERED_HERE]


def _filled_in(connection: sa.Connection, one: Known, rows: Sequence[Row], link: Link, asked: Any) -> dict[str, Any]:
    """The choices a page begins with: all of one system, or what was filled in while a session ended, as far as it holds."""
    if (side := asked.get("all")) in {"crm", "economic"}:
        return {"chosen": {row.key: side for row in rows}, "typed": {}, "kept": False}
    takes = {} if "decision" in asked else _takes(people.kept_form(connection, one.person, link.crm_id, one.words.now))
    held = {row.key: takes[row.key] for row in rows if row.key in takes and takes[row.key].mark == row.mark}
    return {
        "chosen": {key: taken.take for key, taken in held.items()},
        "typed": {key: taken.texts for key, taken in held.items() if taken.take == "text"},
        "kept": bool(held),
    }


def _receipt(site: Site, connection: sa.Connection, one: Known, stored: store.Stored, asked: Any) -> dict[str, Any]:
    """What the page says of the decision that it was led to."""
    link = stored.link
    saved = _saved(connection, link, asked.get("decision", ""))
    if saved is None:
        return {"saved": None, "receipt": None, "not_undone": ""}
    taken = {
        f"{end.record}.{end.detail}": by
        for end in saved.outcome
        if end.reason in {"moved", "chosen"} and (by := deciding.chosen_first(connection, link, end)) is not None
    }
    rules = stored.agreement.rules_for(link, site.resend)
    shown = receipt(
        one.words, saved, link, rules, decided.landed(connection, saved.decision.id), taken,
        decided.undone_by(connection, saved),
    )  # fmt: skip
    mine = saved.decision.is_by(one.person) or doors.has(site, one.person, "undo_others")
    why = reasons.NOT_UNDONE.get(asked.get("not_undone", ""), "")
    return {
        "saved": saved,
        "receipt": shown,
        "may_undo": shown.undo and mine,
        "not_undone": one.words(why) if why else "",
    }


def _stale(one: Known, connection: sa.Connection, link: Link, key: str) -> str:
    """That a detail moved before it could be chosen, or who chose it first."""
    detail = key.partition(".")[2]
    if detail not in {group.name for groups in fields.GROUPS.values() for group in groups}:
        return ""
    record = next((pair.id for pair in link.pairs if str(pair.id) == key.partition(".")[0]), None)
    name, by = reasons.named_in(one.words, link, record, detail), choosing.settled_by(connection, link, key)
    if by is not None:
        return f"{name}: {taken_by(one.words, by)}"
    return one.words(reasons.MOVED, detail=name)


def _takes(given: Mapping[str, list[str]]) -> dict[str, Taken]:
    """The choices of a form, by the keys of their rows."""
    takes = {}
    for name, values in given.items():
        if name.startswith("choice."):
            key = name.removeprefix("choice.")
            texts = {
                field.rpartition(".")[2]: typed[-1].replace("\r\n", "\n")
                for field, typed in given.items()
                if field.startswith(f"text.{key}.")
            }
            takes[key] = Taken(take=values[-1], mark="".join(given.get(f"mark.{key}", [])), texts=texts)
    return takes


def _to(site: Site, crm_id: str, given: Mapping[str, list[str]], after: list[tuple[str, str]]) -> Response:
    """On to the page of that customer, from the list if it was opened from there."""
    came = [("from", LIST)] if given.get("from") == [LIST] else []
    return doors.to(site, f"/customers/{quote(crm_id, safe='')}?{urlencode(after + came)}")


def _back(one: Known, crm_id: str) -> str:
    """The customer in Clickmate, where the CRM said which of its pages it came from."""
    return one.session.return_to if unquote(urlsplit(one.session.return_to).path).endswith(f"/{crm_id}") else ""


def _saved(connection: sa.Connection, link: Link, text: str) -> Saved | None:
    try:
        found = decided.get(connection, UUID(text)) if text else None
    except ValueError:
        return None
    return found if found is not None and found.decision.link == link.id else None


PAGES: Final = {
    ("GET", "/customers/{crm_id}"): page,
    ("POST", "/customers/{crm_id}"): save,
    ("POST", "/customers/{crm_id}/compare"): compare,
    ("POST", "/decisions/{decision}/undo"): undo,
}
