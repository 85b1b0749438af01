"""What settled itself, what was kept different and what happened, for a service? The lists of work that ask nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request

from reconciler import history, worklists
from reconciler.decided import Saved
from reconciler.history import By, Entry
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.rules import System
from reconciler.web import asks, filters, lists, reversals
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import ASKED_WHOLE, TEXT, needs
from reconciler.web.api.tasks import (
    Limit,
    OfCustomer,
    OfDetail,
    OfGroup,
    Page,
    Since,
    moment,
    spoken,
)
from reconciler.web.doors import Conflict
from reconciler.web.site import Site

Responses = dict[int | str, dict[str, Any]]
Who = Literal["crm", "economic", "rule", "person"]
OfPerson = Annotated[str, Query(max_length=200, pattern=TEXT, description="Only of this person, by id.")]
NONE: Responses = {404: {"model": Problem, "description": "Nothing of that id"}}
STALE: Responses = {409: {"model": Problem, "description": "It has changed since"}}
NO_RIGHT: Responses = {403: {"model": Problem, "description": "No right"}}


class Change(Said):
    """One field that was written."""

    field: str
    before: str
    after: str


class Settled(Said):
    """A write that a rule decided; ``undone_at``: since when it is put back."""

    id: int
    at: datetime
    crm_id: str
    customer_number: int | None
    name: str
    record: Literal["customer", "contact"]
    system: System
    changes: tuple[Change, ...]
    undone_at: datetime | None


class AllSettled(Said):
    """A page of what rules settled in the last 30 days, the newest first. ``total`` is counted up to 1,000."""

    total: int
    settled: tuple[Settled, ...]


class Kept(Said):
    """A detail that was left different; ``link`` and ``record`` name it to ask about it again."""

    link: UUID
    record: UUID
    kind: Literal["customer", "contact"]
    detail: str
    crm: str
    economic: str
    crm_id: str
    customer_number: int | None
    name: str
    who: str
    at: datetime | None


class AllKept(Said):
    """A page of kept differences, the newest first."""

    total: int
    kept: tuple[Kept, ...]


class Event(Said):
    """One write, one decision, or one act of an administrator, whose `changes` are settings.

    ``by``: a person, a rule, or ``flow``: it was changed in ``source``.
    """

    id: str
    at: datetime
    by: By
    who: str
    who_id: str
    source: System | None
    system: System | None
    action: str
    text: str
    crm_id: str
    customer_number: int | None
    name: str
    record: str
    changes: tuple[Change, ...]


class History(Said):
    """A page of the history, the newest first. ``total`` is counted up to 1,000."""

    total: int
    history: tuple[Event, ...]


class Decided(Said):
    """A decision that was taken, and how it stands."""

    decision: UUID
    state: Literal["open", "done", "refused", "partly"]


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked of the lists of work."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/settled", tags=["history"])
    def settled(
        person: Asking, detail: OfDetail = None, system: System | None = None, since: Since = None,
        customer: OfCustomer = "", group: OfGroup = None, page: Page = 1, limit: Limit = filters.A_PAGE,
    ) -> AllSettled:  # fmt: skip
        """What rules settled within the last 30 days."""
        wanted = Filter(
            detail=detail or "", system=system or "", since=moment(since), customer=customer, group=group
        )  # fmt: skip
        with site.engine.connect() as connection:
            found, total = worklists.settled(
                connection, person.tenant, site.now(), wanted, limit=limit, skip=limit * (page - 1)
            )
            back = lists.taken_back(connection, person.tenant, found)
        return AllSettled(total=total, settled=tuple(_settled(one, back.get(one.id)) for one in found))

    @made.post(
        "/settled/{write}/undo",
        tags=["history"],
        responses={**NONE, **NO_RIGHT, **STALE},
        openapi_extra=needs("settle"),
    )
    def undo_settled(person: Asking, write: Annotated[int, Path(ge=1, le=2**62), ASKED_WHOLE]) -> Decided:
        """Put back what a rule wrote over, and ask about it; the same write is put back once."""
        return decided(reversals.settled(site, person, str(write)))

    @made.get("/kept", tags=["history"])
    def kept(
        person: Asking, detail: OfDetail = None, person_id: OfPerson = "", since: Since = None,
        customer: OfCustomer = "", group: OfGroup = None, page: Page = 1, limit: Limit = filters.A_PAGE,
    ) -> AllKept:  # fmt: skip
        """What people chose to leave different."""
        wanted = Filter(
            detail=detail or "", person=person_id, since=moment(since), customer=customer, group=group
        )  # fmt: skip
        with site.engine.connect() as connection:
            found, total = worklists.kept(connection, person.tenant, wanted, limit=limit, skip=limit * (page - 1))
        return AllKept(total=total, kept=tuple(_kept(one) for one in found))

    @made.post(
        "/kept/{link}/{record}/{detail}/undo",
        tags=["history"],
        responses={**NONE, **NO_RIGHT, **STALE},
        openapi_extra=needs("settle"),
    )
    def undo_kept(
        person: Asking,
        link: Annotated[UUID, Path()],
        record: Annotated[UUID, Path()],
        detail: Annotated[str, Path(max_length=40, pattern=r"^[a-z]+$")],
    ) -> Decided:
        """Ask again about a detail that was left different."""
        return decided(reversals.kept(site, person, str(link), str(record), detail))

    @made.get("/history", tags=["history"])
    def past(
        request: Request, person: Asking, who: Annotated[Who | None, Query(description="By whom it was.")] = None,
        system: Annotated[System | None, Query(description="Where it was written.")] = None, detail: OfDetail = None,
        person_id: OfPerson = "", since: Since = None, customer: OfCustomer = "", group: OfGroup = None,
        page: Page = 1, limit: Limit = filters.A_PAGE,
    ) -> History:  # fmt: skip
        """Who wrote, decided and set up what, when, and what stood there before."""
        wanted = Filter(
            who=who or "", system=system or "", detail=detail or "", person=person_id, since=moment(since),
            customer=customer, group=group,
        )  # fmt: skip
        with site.engine.connect() as connection:
            found, total = history.entries(connection, person.tenant, wanted, limit=limit, skip=limit * (page - 1))
        words = spoken(site, request)
        return History(total=total, history=tuple(_event(one, asks.deed(words, one)) for one in found))

    @made.post(
        "/history/{write}/{detail}/undo",
        tags=["history"],
        responses={**NONE, **NO_RIGHT, **STALE},
        openapi_extra=needs("settle"),
    )
    def undo_written(
        person: Asking,
        write: Annotated[int, Path(ge=1, le=2**62), ASKED_WHOLE],
        detail: Annotated[str, Path(max_length=40, pattern=r"^[a-z]+$")],
    ) -> Decided:
        """Put back a detail of what was written to e-conomic, and ask about it; Clickmate keeps what it has."""
        return decided(reversals.changed(site, person, write, detail))


def decided(saved: Saved | None) -> Decided:
    """A decision as a service is told it; ``Conflict`` for none."""
    if saved is None:
        raise Conflict("it has changed since it was shown")
    return Decided(decision=saved.decision.id, state=saved.state)


def _settled(one: worklists.Settled, back: Saved | None) -> Settled:
    return Settled(
        id=one.id,
        at=one.at,
        crm_id=one.customer,
        customer_number=one.number,
        name=one.name,
        record=one.record,
        system=one.system,
        changes=_changes(one.changes),
        undone_at=None if back is None or back.state == "refused" else back.decision.at,
    )


def _kept(one: worklists.Kept) -> Kept:
    crm, economic = one.both
    return Kept(
        link=one.link, record=one.record, kind=one.kind, detail=one.detail, crm=crm, economic=economic,
        crm_id=one.customer, customer_number=one.number, name=one.name, who=one.who, at=one.at,
    )  # fmt: skip


def _event(one: Entry, text: str) -> Event:
    return Event(
        id=one.id, at=one.at, by=one.by, who=one.who, who_id=one.who_id, source=one.source, system=one.system,
        action=one.action, text=text, crm_id=one.customer, customer_number=one.number, name=one.name, record=one.record,
        changes=_changes(one.changes),
    )  # fmt: skip


def _changes(found: tuple[worklists.Change, ...]) -> tuple[Change, ...]:
    return tuple(Change(field=one.field, before=one.before, after=one.after) for one in found)
