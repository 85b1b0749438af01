"""How is a question answered that is not about two values? A page for each: what it is, what is known of it, what may be said.

Where values are chosen it leads on to the customer's page. An answer is sent once, by the id of its form.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import Request, Response
from pydantic import TypeAdapter

from reconciler import decided, facing, fields, ordering, people, replies, replying, worklists
from reconciler.asked import Shown, Task
from reconciler.decided import Saved
from reconciler.decisions import NotDecided, Supplied
from reconciler.person import Person
from reconciler.replies import Answer, Offer
from reconciler.replying import Found, Given
from reconciler.rules import Area
from reconciler.stepping import Clocked
from reconciler.tasks import all_candidates
from reconciler.web import answered, asks, doors, halting, screen
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.says import label
from reconciler.web.site import Site
from reconciler.worklists import Question

AREAS: Final[Mapping[Area, str]] = {Area.DENMARK: "Denmark", Area.EU: "EU", Area.ABROAD: "Abroad"}
_ANSWER: Final = TypeAdapter[Answer](Answer)
_FIELDS: Final = (
    "decision", "seen", "answer", "number", "customer", "record", "other", "area", "group", "zone", "terms", "currency",
)  # fmt: skip


def page(site: Site, request: Request, one: Known) -> Response:
    """A question with what is known of it and its answers; once it is closed, how it ended."""
    task = doors.parsed(request.path_params["task"])
    with site.engine.connect() as connection:
        found = replying.find(clocked(site), connection, one.person.tenant, task)
        if found is None:
            raise Unknown
        customer = found.question.customer
        if customer and found.question.kind in asks.BESIDE and not found.closed:
            return doors.to(site, f"/customers/{quote(customer, safe='')}?from=list")
        if found.question.run is not None and found.question.kind == "brake":
            return _braked(site, request, one, connection, found.question)
        saved = _saved(connection, one.person.tenant, request.query_params.get("decision", ""))
        values = _shown(site, connection, one, found)
    told = request.query_params.get("refused", "")
    return screen.page(
        site,
        "task.html",
        one,
        here="",
        one=found.question,
        closed=found.closed,
        decision=uuid4(),
        label=lambda name: label(one.words, name),
        shown=asks.shown,
        after=None if saved is None else answered.said(one.words, saved),
        refused=answered.refused(one.words, told) if told else "",
        may=doors.rights(site, one.person),
        **values,
    )


def answer(site: Site, request: Request, one: Known) -> Response:
    """Answer a question once; back to its page, which says what came of it."""
    given = doors.form(site, request, one, "settle", *_FIELDS)
    task, said = doors.parsed(request.path_params["task"]), _given(given)
    if said.offer.answer == "link" and said.offer.number is None and not said.offer.customer:
        return doors.to(site, f"/tasks/{task}?refused=number")
    try:
        saved = reply(site, one.person, task, said, doors.parsed("".join(given.get("decision", []))))
    except NotDecided as why:
        raise Senseless(why.text, **why.values) from why
    if isinstance(saved, str):
        return doors.to(site, f"/tasks/{task}?refused={quote(saved)}")
    return doors.to(site, f"/tasks/{task}?decision={saved.decision.id}")


def reply(site: Site, person: Person, task: UUID, given: Given, decision: UUID) -> Saved | str:
    """Answer a question, for a page and a service alike. A text says that the question is another one by now.

    ``Unknown``; ``Lacking``; ``NotDecided`` for what is not offered, or cannot be understood.
    """
    with site.engine.connect() as connection:
        found = replying.find(clocked(site), connection, person.tenant, task)
    if found is None:
        raise Unknown
    offer = replies.matching(found.offers, given.offer)
    doors.must(site, person, "settle" if offer is None else offer.right)
    saved = ordering.within(
        site.engine, lambda connection: replying.reply(clocked(site), connection, person, task, given, decision)
    )
    if saved is None:
        raise Unknown
    return saved


def clocked(site: Site) -> Clocked:
    """What a step needs besides the database."""
    return Clocked(resend=site.resend, now=site.now)


def _braked(site: Site, request: Request, one: Known, connection: sa.Connection, question: Question) -> Response:
    """A pass that stopped, with everything it would write."""
    tenant = one.person.tenant
    halted = None if question.run is None else halting.halted(connection, tenant, question.run)
    if halted is None:
        raise Unknown
    went, left, told = (request.query_params.get(name, "") for name in ("went", "left", "refused"))
    listed = [each.crm_id for each in halted.listed[: halting.MOST_SHOWN] if each.crm_id]
    said = halted.run.options.get("answered")
    return screen.page(
        site,
        "task_brake.html",
        one,
        here="",
        question=question,
        halted=halted,
        most_shown=halting.MOST_SHOWN,
        names=worklists.names(connection, tenant, listed),
        label=lambda name: label(one.words, name),
        shown=asks.shown,
        systems=asks.SYSTEMS,
        went=int(went) if went.isascii() and went.isdecimal() and len(went) < 9 else None,
        left=int(left) if left.isascii() and left.isdecimal() and len(left) < 9 else 0,
        moved=bool(told) and not halted.ended,
        said_at=one.words.brief(datetime.fromisoformat(said["said_at"])) if said else "",
        may_administer=one.person.role == "admin",
        admins=people.admins(connection, tenant),
    )


def _shown(site: Site, connection: sa.Connection, one: Known, found: Found) -> dict[str, Any]:
    """What is known of a question, and its answers in words."""
    words, task, stored = one.words, found.task, found.stored
    link = None if stored is None else stored.link
    may_be: tuple[facing.Facing, ...] = ()
    both, heir = None, None
    if task is not None and link is not None:
        may_be = facing.candidates(connection, task, link)
        heir = replying.heir(connection, link) if task.kind == "merged" else None
        both = facing.heirs(connection, heir, link)
    numbers = {} if both is None else {"keep_own": both[0].number, "keep_merged": both[1].number}
    allowed_to = doors.rights(site, one.person)
    offers = [
        (each, answered.button(words, each, found.question.kind, numbers), allowed_to(each.right))
        for each in found.offers
    ]
    mine = {} if link is None else facing.own(link)
    return {
        "heading": answered.heading(words, found),
        "mark": "" if task is None else task.fingerprint,
        "mine": mine,
        "in_crm": bool(link is not None and link.crm_id),
        "may_be": [
            (
                each,
                answered.may_be(words, each),
                facing.both(mine, each.values),
                [each_ for each_ in offers if _about(each_[0], each)],
            )
            for each in may_be
        ],
        "both": None
        if both is None or heir is None
        else [(each, facing.both(facing.own(heir), each.values)) for each in both],
        "offers": [each for each in offers if not any(_about(each[0], other) for other in may_be)],
        "values": () if task is None or task.kind in {"candidates", "contact", "missing"} else _values(task),
        "persons": _persons(found),
        "message": "" if task is None else task.message,
        "whole": None if link is None else all_candidates(link),
        "offered": facing.choices(connection, link) if link is not None and found.question.kind == "missing" else None,
        "areas": AREAS,
        "lacking": [] if all(allowed for _, _, allowed in offers) else people.admins(connection, one.person.tenant),
    }


def _values(task: Task) -> list[Shown]:
    """The values a question shows, as a customer's details are read; what stands nowhere is left out."""
    order = fields.FIELDS["customer"] + fields.FIELDS["contact"]
    told = [one for one in task.shown if any(text.strip() for text in (one.crm, one.economic, *(one.base or ())))]
    return sorted(told, key=lambda one: (one.person, order.index(one.field) if one.field in order else len(order)))


def _about(offer: Offer, one: facing.Facing) -> bool:
    if offer.customer:
        return offer.customer == one.customer
    return offer.number is not None and offer.number == one.number


def _persons(found: Found) -> list[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """The contact persons a question is about: the name of each, and what both sides hold."""
    task, stored = found.task, found.stored
    if task is None or stored is None or task.kind != "contact":
        return []
    named = {str(each) for offer in found.offers for each in (offer.record, offer.other) if each is not None}
    named.add(task.subject)
    return [
        (
            answered.person(pair),
            {} if pair.crm is None or pair.crm.gone else pair.crm.values,
            {} if pair.economic is None or pair.economic.gone else pair.economic.values,
        )
        for pair in stored.link.contacts
        if str(pair.id) in named
    ]


def _given(fields_: Mapping[str, list[str]]) -> Given:
    """An answer as a form sends it; ``Senseless`` for what no form of ours does."""
    given = {name: "".join(values) for name, values in fields_.items()}
    try:
        offer = Offer(
            answer=_ANSWER.validate_python(given.get("answer", "")),
            number=_number(given.get("number", "")),
            customer=given.get("customer", ""),
            record=UUID(given["record"]) if given.get("record") else None,
            other=UUID(given["other"]) if given.get("other") else None,
        )
        supplied = Supplied(
            area=Area(given["area"]) if given.get("area") else None,
            group=_number(given.get("group", "")),
            terms=_number(given.get("terms", "")),
            zone=_number(given.get("zone", "")),
            currency=given.get("currency", ""),
        )
    except ValueError as error:
        raise Senseless("an answer that is none") from error
    return Given(offer=offer, seen=given.get("seen", ""), supplied=supplied)


def _number(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(text)
    return int(text)


def _saved(connection: sa.Connection, tenant: str, text: str) -> Saved | None:
    try:
        saved = decided.get(connection, UUID(text)) if text else None
    except ValueError:
        return None
    return saved if saved is not None and saved.decision.tenant == tenant else None


PAGES: Final = {
    ("GET", "/tasks/{task}"): page,
    ("POST", "/tasks/{task}"): answer,
}
