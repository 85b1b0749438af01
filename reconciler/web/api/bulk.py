"""What can a service decide about many customers at once? It is shown first, confirmed, followed, stopped and undone as one."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field

from reconciler import bulks, differences
from reconciler.bulking import Form
from reconciler.bulks import Bulk, Item, Kind, State
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.web import bulk as deciding
from reconciler.web import differences as pages
from reconciler.web import filters, flows
from reconciler.web.api.lists import NO_RIGHT, NONE, STALE
from reconciler.web.api.problems import Said
from reconciler.web.api.strict import TEXT, needs
from reconciler.web.api.tasks import Detail, Limit, OfCustomer, OfDetail, OfGroup, Page, Since, moment
from reconciler.web.doors import Conflict, Unknown
from reconciler.web.site import Site

NAMED = 200
"""Customers that a request names at most: more of them are no request of ours, which holds 64 kB."""
BulkId = Annotated[UUID, Path(description="The decision's id.")]


class Value(Said):
    """One value that differs; ``key`` names it, ``person`` is the contact person it is of."""

    key: str
    detail: str
    person: str
    crm: str
    economic: str


class Difference(Said):
    """One line: a detail of a customer, or all that differs of its contact persons."""

    crm_id: str
    customer_number: int | None
    name: str
    detail: str
    opened: datetime
    values: tuple[Value, ...]


class Differences(Said):
    """A page of the differences that wait for a choice, the oldest first; ``counts`` are lines by detail."""

    total: int
    counts: dict[str, int]
    differences: tuple[Difference, ...]


class ChoiceGiven(Said):
    """One choice for everything that a filter shows, once for its ``id``: the first ten thousand lines of it."""

    id: UUID
    take: Literal["crm", "economic", "different"]
    detail: Detail | None = None
    customer: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""


class FlowGiven(Said):
    """Let these customers of the CRM flow automatically, once for its ``id``."""

    id: UUID
    customers: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)], ...],
        Field(min_length=1, max_length=NAMED),
    ]


class UndoGiven(Said):
    """Undo it as one, once for its ``id``."""

    id: UUID


class BulkTold(Said):
    """A decision about many, and how far it came: of ``total`` parts, how many are done, had moved, were refused, were not begun
    with, or wait. ``excluded``: lines that could not be part of it, of which ``resolved`` waited for no choice any more. Nothing
    is done while its state is ``previewed``; it can be confirmed when ``listed`` is 0: of so many customers it is not read yet
    what would be written."""

    id: UUID
    kind: Kind
    what: str
    who: str
    at: datetime
    state: State
    ended: datetime | None
    undone_by: UUID | None
    customers: int
    total: int
    done: int
    moved: int
    failed: int
    left_out: int
    left: int
    excluded: int
    resolved: int
    listed: int


class PartTold(Said):
    """One customer of it, as it was shown; ``decision`` is what was decided about it."""

    crm_id: str | None
    customer_number: int | None
    name: str
    state: Literal["listed", "planned", "sent", "ended", "left_out"]
    decision: UUID | None
    done: int
    moved: int
    failed: int
    values: tuple[Value, ...]


class PartsTold(Said):
    """A page of the customers of it."""

    customers: int
    parts: tuple[PartTold, ...]


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked of many at once."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/differences", tags=["bulk"])
    def every_difference(
        person: Asking, detail: OfDetail = None, since: Since = None, customer: OfCustomer = "", group: OfGroup = None,
        page: Page = 1, limit: Limit = filters.A_PAGE,
    ) -> Differences:  # fmt: skip
        """Every difference that waits for a choice between two values."""
        wanted = Filter(detail=detail or "", since=moment(since), customer=customer, group=group)
        with site.engine.connect() as connection:
            counts = differences.counts(connection, person.tenant, wanted)
            found = differences.shown(
                connection, person.tenant, wanted, site.resend, limit=limit, skip=limit * (page - 1)
            )
        total = counts.get(detail, 0) if detail else sum(counts.values())
        return Differences(total=total, counts=counts, differences=tuple(_difference(one) for one in found))

    @made.post(
        "/differences", tags=["bulk"], status_code=202, responses={**NO_RIGHT, **STALE}, openapi_extra=needs("bulk")
    )
    def choose(person: Asking, given: ChoiceGiven) -> BulkTold:
        """Show what one choice for all that the filter shows would write; it is confirmed by itself."""
        wanted = Filter(detail=given.detail or "", customer=given.customer)
        found = pages.chosen(site, person, Form(id=given.id, filter=filters.written(wanted)), wanted, given.take)
        if found is None:
            raise Conflict("nothing waits for a choice there")
        return told(found)

    @made.post("/flow", tags=["bulk"], status_code=202, responses={**NO_RIGHT, **STALE}, openapi_extra=needs("bulk"))
    def flow(person: Asking, given: FlowGiven) -> BulkTold:
        """Show what would be written if these customers flowed automatically; it is confirmed by itself."""
        found = flows.chosen(site, person, Form(id=given.id), given.customers)
        if found is None:
            raise Conflict("none of these is linked and does not flow")
        return told(found)

    @made.get("/bulk/{bulk}", tags=["bulk"], responses=NONE)
    def one(person: Asking, bulk: BulkId) -> BulkTold:
        """A decision about many, and how far it came."""
        return told(_of(site, person, bulk))

    @made.get("/bulk/{bulk}/parts", tags=["bulk"], responses=NONE)
    def parts(person: Asking, bulk: BulkId, page: Page = 1, limit: Limit = filters.A_PAGE) -> PartsTold:
        """Whom it is about, and what is done about each."""
        whole = _of(site, person, bulk)
        with site.engine.connect() as connection:
            found = list(bulks.items(connection, person.tenant, bulk, limit=limit, skip=limit * (page - 1)))
        return PartsTold(customers=whole.customers, parts=tuple(_part(each) for each in found))

    @made.post(
        "/bulk/{bulk}/confirm",
        tags=["bulk"],
        status_code=202,
        responses={**NONE, **NO_RIGHT, **STALE},
        openapi_extra=needs("bulk"),
    )
    def confirm(person: Asking, bulk: BulkId) -> BulkTold:
        """Have what was shown carried out; confirmed twice is once."""
        found = deciding.confirmed(site, person, bulk, "")
        if found.listed:
            raise Conflict("it is not read whole yet")
        return told(found)

    @made.post("/bulk/{bulk}/stop", tags=["bulk"], responses={**NONE, **NO_RIGHT}, openapi_extra=needs("bulk"))
    def stop(person: Asking, bulk: BulkId) -> BulkTold:
        """Begin with no more of it; what was sent is waited for."""
        return told(deciding.stopped(site, person, bulk))

    @made.post(
        "/bulk/{bulk}/undo",
        tags=["bulk"],
        status_code=202,
        responses={**NONE, **NO_RIGHT, **STALE},
        openapi_extra=needs("bulk"),
    )
    def undo(person: Asking, bulk: BulkId, given: UndoGiven) -> BulkTold:
        """Undo it as one, where nobody edited since; the answer is the decision that undoes it."""
        return told(deciding.undone(site, person, bulk, Form(id=given.id)))


def told(one: Bulk) -> BulkTold:
    """A decision about many as a service is told it."""
    return BulkTold(
        id=one.id, kind=one.kind, what=one.what, who=one.who, at=one.at, state=one.state, ended=one.ended,
        undone_by=one.undone_by, customers=one.customers, total=one.total, done=one.done, moved=one.moved,
        failed=one.failed, left_out=one.left_out, left=one.left, excluded=one.excluded,
        resolved=one.resolved, listed=one.listed,
    )  # fmt: skip


def _of(site: Site, person: Person, which: UUID) -> Bulk:
    with site.engine.connect() as connection:
        found = bulks.find(connection, person.tenant, which)
    if found is None:
        raise Unknown
    return found


def _difference(one: differences.Difference) -> Difference:
    return Difference(
        crm_id=one.crm_id, customer_number=one.number, name=one.name, detail=one.detail, opened=one.opened,
        values=tuple(
            Value(key=row.key, detail=row.detail, person=row.person, crm=row.crm, economic=row.economic)
            for row in one.rows
        ),
    )  # fmt: skip


def _part(one: Item) -> PartTold:
    return PartTold(
        crm_id=one.crm_id, customer_number=one.number, name=one.name or one.there, state=one.state,
        decision=one.decision, done=one.done, moved=one.moved, failed=one.failed,
        values=tuple(
            Value(key=each.key, detail=each.detail, person=each.person, crm=each.crm, economic=each.economic)
            for part in one.parts
            for each in part.values
        ),
    )  # fmt: skip
