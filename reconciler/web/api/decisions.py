"""What can a service see and choose of one customer? Both values of each detail, decisions over what was seen, and their undo."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from pydantic import Field, StringConstraints

from reconciler import beside, choosing, decided, deciding, edits, fields, questions, store, views
from reconciler.choosing import Taken
from reconciler.decided import Saved
from reconciler.decisions import Means, NotUndone, Result, Take
from reconciler.link import Link
from reconciler.origin import Origin
from reconciler.person import Person
from reconciler.rules import System
from reconciler.web import receipts, settling, whys
from reconciler.web.api.detail_shapes import Both, Details, OnlyThere, Refused, Row, Why
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.status import CrmId
from reconciler.web.api.strict import TEXT, Text, needs
from reconciler.web.doors import Senseless, Unknown
from reconciler.web.reasons import NOT_UNDONE
from reconciler.web.receipts import How
from reconciler.web.site import Site

_MOST: Final = 200
Mark = Annotated[str, StringConstraints(max_length=64, pattern=TEXT)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=TEXT)]


class WishOf(Said):
    """What is chosen for one detail of one record. ``texts`` by field, with ``take`` text."""

    record: UUID
    detail: Name
    take: Literal["crm", "economic", "text", "different"]
    mark: Mark
    texts: Annotated[dict[Annotated[str, Field(max_length=64)], Text], Field(max_length=20, default_factory=dict)]


class Choosing(Said):
    """A decision. Its id is the caller's: sent again it is the same decision, and is told as it stands."""

    id: UUID
    wishes: Annotated[tuple[WishOf, ...], Field(min_length=1, max_length=_MOST)]


class By(Said):
    """Who decided, and when."""

    who: str
    at: datetime


class Part(Said):
    """One detail of a decision, and how it ended; nothing while it has not."""

    record: UUID
    detail: str
    take: Take
    result: Result | None
    reason: str
    taken_by: By | None


class DecisionTold(Said):
    """A decision as it stands: for each system that is to be written whether it has what was chosen."""

    id: UUID
    customer: str
    means: Means
    by: By
    state: Literal["open", "done", "refused", "partly"]
    ended: datetime | None
    systems: dict[System, How]
    parts: tuple[Part, ...]
    undoes: UUID | None
    undone_by: UUID | None


class Moved(Said):
    """A detail that is another than the one that was seen; who chose it meanwhile, if somebody did."""

    record: UUID
    detail: str
    taken_by: By | None


class Came(Said):
    """What came of wishes: a decision about those that held, and the details that moved; without any, no decision."""

    decision: DecisionTold | None
    moved: tuple[Moved, ...]


class Undoing(Said):
    """The undoing decision's id, the caller's: sent again it is the same one."""

    id: UUID


_NOT_THERE: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "Nothing of that id in this tenant"}
}
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    **_NOT_THERE,
    400: {"model": Problem, "description": "It names what is not there, or cannot be done; nothing was changed"},
    403: {"model": Problem, "description": "The key's role may only look"},
}


def details(site: Site, person: Person, crm_id: str) -> Details:
    """Both sides of a customer of that person's tenant."""
    with site.engine.connect() as connection:
        found = views.customer(connection, person.tenant, crm_id)
        stored = found.stored
        if stored is None:
            raise Unknown
        events, there = edits.of_link(connection, stored.link), views.named(connection, found)
    link = stored.link
    known = whys.origins(link, events)
    rows = beside.rows(link, stored.agreement.rules_for(link, site.resend), questions.overlooked(stored.asked))
    return Details(
        customer=link.crm_id,
        customer_number=link.number,
        rows=tuple(_row(one, known[one.key]) for one in rows),
        only_in_economic=tuple(
            OnlyThere(detail=one.detail, value=one.value, number=one.number, person=one.person) for one in there
        ),
    )


def _row(one: beside.Row, known: Mapping[System, Origin | None]) -> Row:
    return Row(
        record=one.record,
        kind=one.kind,
        person=one.person,
        detail=one.detail,
        fields=dict(one.texts),
        crm=one.crm,
        economic=one.economic,
        last_agreed=None if one.base is None else Both(crm=one.base[0], economic=one.base[1]),
        changed=tuple(sorted(one.changed)),
        stands=one.stands,
        may_be_chosen=one.may_be_chosen,
        refused=None
        if one.refusal is None
        else Refused(code=one.refusal.code, message=one.refusal.message, request_id=one.refusal.request_id),
        on_invoices=one.invoices,
        gone=tuple(sorted(one.gone)),
        receives=one.receives,
        stuck=one.stuck,
        mark=one.mark,
        why={system: None if it is None else _why(one, it) for system, it in known.items()},
    )


def _why(row: beside.Row, it: Origin) -> Why:
    group = next(group for group in fields.GROUPS[row.kind] if group.name == row.detail)
    return Why(by=it.by, system=it.system, at=it.at, who=it.who, before=beside.text(group, it.before))


def told(connection: sa.Connection, crm_id: str, saved: Saved) -> DecisionTold:
    """A decision as it stands now."""
    link = store.load(connection, saved.decision.link).link
    ended = {(one.record, one.detail): one for one in saved.outcome}
    back = decided.undone_by(connection, saved)
    parts = []
    for wish in saved.decision.wishes:
        end = ended.get((wish.record, wish.detail))
        first = deciding.chosen_first(connection, link, end) if end and end.reason in {"moved", "chosen"} else None
        parts.append(
            Part(
                record=wish.record,
                detail=wish.detail,
                take=wish.take,
                result=None if end is None else end.result,
                reason="" if end is None else end.reason,
                taken_by=_by(first),
            )
        )
    return DecisionTold(
        id=saved.decision.id,
        customer=crm_id,
        means=saved.decision.means,
        by=By(who=saved.decision.who, at=saved.decision.at),
        state=saved.state,
        ended=saved.ended,
        systems=receipts.systems(saved, link),
        parts=tuple(parts),
        undoes=saved.decision.undoes,
        undone_by=None if back is None else back.decision.id,
    )


def _by(saved: Saved | None) -> By | None:
    return None if saved is None else By(who=saved.decision.who, at=saved.decision.at)


def _moved(connection: sa.Connection, link: Link, key: str) -> Moved:
    record, _, detail = key.partition(".")
    return Moved(record=UUID(record), detail=detail, taken_by=_by(choosing.settled_by(connection, link, key)))


def choose(site: Site, person: Person, crm_id: str, given: Choosing) -> Came:
    """Save wishes as the page does."""
    takes = {f"{one.record}.{one.detail}": Taken(take=one.take, mark=one.mark, texts=one.texts) for one in given.wishes}
    if len(takes) < len(given.wishes):
        raise Senseless("a detail was chosen twice")
    came = settling.chosen(site, person, crm_id, given.id, takes)
    with site.engine.connect() as connection:
        stored = views.customer(connection, person.tenant, crm_id).stored
        if stored is None:
            raise Unknown
        return Came(
            decision=None if came.saved is None else told(connection, crm_id, came.saved),
            moved=tuple(_moved(connection, stored.link, key) for key in came.stale),
        )


def undo(site: Site, person: Person, decision: UUID, given: Undoing) -> DecisionTold:
    """Undo a decision as the page does."""
    try:
        crm_id, again = settling.undone(site, person, decision, given.id)
    except NotUndone as why:
        raise Senseless(NOT_UNDONE[why.why]) from why
    with site.engine.connect() as connection:
        return told(connection, crm_id, again)


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked and chosen about one customer's details."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/customers/{crm_id}/details", tags=["customers"], responses=_NOT_THERE)
    def customer_details(person: Asking, crm_id: CrmId) -> Details:
        """Both values of each detail, the last common ones, and the marks that a decision carries."""
        return details(site, person, crm_id)

    @made.post("/customers/{crm_id}/decisions", tags=["decisions"], responses=_REFUSED, openapi_extra=needs("settle"))
    def decide(person: Asking, crm_id: CrmId, given: Choosing) -> Came:
        """Choose for details as they were seen. What moved since is left out and told; the rest is carried out."""
        return choose(site, person, crm_id, given)

    @made.get("/decisions/{decision}", tags=["decisions"], responses=_NOT_THERE)
    def one_decision(person: Asking, decision: UUID) -> DecisionTold:
        """How a decision stands: its receipt."""
        with site.engine.connect() as connection:
            crm_id, saved = settling.told(connection, person, decision)
            return told(connection, crm_id, saved)

    @made.post("/decisions/{decision}/undo", tags=["decisions"], responses=_REFUSED, openapi_extra=needs("settle"))
    def undo_decision(person: Asking, decision: UUID, given: Undoing) -> DecisionTold:
        """Put back what a decision did, where nobody edited since; itself a decision that can be undone."""
        return undo(site, person, decision, given)
