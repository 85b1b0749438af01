"""What fails, for a service? Errors with their cause and next step, tried again one by one or all that a filter shows."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field

from reconciler import retries, worklists
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.retries import Retry, State
from reconciler.web import filters, retrying
from reconciler.web.api.lists import NO_RIGHT, NONE, STALE, Decided, decided
from reconciler.web.api.problems import Said
from reconciler.web.api.strict import TEXT, Moment, needs
from reconciler.web.api.task_shapes import Task
from reconciler.web.api.tasks import (
    Detail,
    Limit,
    OfCustomer,
    OfDetail,
    OfGroup,
    Page,
    Since,
    TaskId,
    moment,
    spoken,
    told,
)
from reconciler.web.doors import Conflict, Unknown
from reconciler.web.site import Site


class Error(Said):
    """What could not be transferred: ``task`` says why; the code and words of the other side; how often, and when again.

    ``request_id``: what e-conomic calls its answer (`X-RequestId`), for its support; empty where it did not say.
    """

    task: Task
    code: str
    message: str
    request_id: str
    value: str
    tries: int
    next_try_at: datetime | None


class Errors(Said):
    """A page of errors, the oldest first."""

    total: int
    errors: tuple[Error, ...]


class AgainGiven(Said):
    """Try an error again, once for its ``id``."""

    id: UUID


class AllAgainGiven(Said):
    """Try again every error that a filter showed at ``shown``, once for its ``id``."""

    id: UUID
    shown: Moment
    detail: Detail | None = None
    customer: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""


class Attempt(Said):
    """How far trying many again came: of ``total``, how many are done, failed again, were left out, or wait."""

    id: UUID
    state: State
    who: str
    at: datetime
    ended: datetime | None
    total: int
    done: int
    failed: int
    left_out: int
    left: int


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked of errors."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/errors", tags=["errors"])
    def errors(
        request: Request, person: Asking, detail: OfDetail = None, since: Since = None, customer: OfCustomer = "",
        group: OfGroup = None, page: Page = 1, limit: Limit = filters.A_PAGE,
    ) -> Errors:  # fmt: skip
        """What could not be transferred, with its cause and next step."""
        wanted = Filter(detail=detail or "", since=moment(since), customer=customer, group=group)
        with site.engine.connect() as connection:
            found, total = worklists.questions(
                connection, person.tenant, "errors", wanted, limit=limit, skip=limit * (page - 1)
            )
        words = spoken(site, request)
        return Errors(
            total=total,
            errors=tuple(
                Error(
                    task=told(words, one), code=one.reason, message=one.message, request_id=one.request_id,
                    value=one.value, tries=one.tries, next_try_at=one.next_try,
                )
                for one in found
            ),
        )  # fmt: skip

    @made.post(
        "/errors/retries",
        tags=["errors"],
        status_code=202,
        responses={**NO_RIGHT, **STALE},
        openapi_extra=needs("administer"),
    )
    def try_all(person: Asking, given: AllAgainGiven) -> Attempt:
        """Try every error again that the filter showed; an administrator's right."""
        wanted = Filter(detail=given.detail or "", customer=given.customer)
        found = retrying.all_again(site, person, wanted, given.shown, given.id)
        if found is None:
            raise Conflict("it has changed since it was shown")
        return _attempt(found)

    @made.get("/errors/retries/{retry}", tags=["errors"], responses=NONE)
    def attempt(person: Asking, retry: Annotated[UUID, Path()]) -> Attempt:
        """How far trying many again came."""
        with site.engine.connect() as connection:
            found = retries.find(connection, person.tenant, retry)
        if found is None:
            raise Unknown
        return _attempt(found)

    @made.post(
        "/errors/retries/{retry}/stop",
        tags=["errors"],
        responses={**NONE, **NO_RIGHT},
        openapi_extra=needs("administer"),
    )
    def stop(person: Asking, retry: Annotated[UUID, Path()]) -> Attempt:
        """Begin with no more of them; what was sent is waited for."""
        return _attempt(retrying.stop(site, person, retry))

    @made.post("/errors/{task}/retry", tags=["errors"], responses={**NONE, **NO_RIGHT}, openapi_extra=needs("settle"))
    def try_one(person: Asking, task: TaskId, given: AgainGiven) -> Decided:
        """Try one error again."""
        return decided(retrying.again(site, person, task, given.id))


def _attempt(one: Retry) -> Attempt:
    return Attempt(
        id=one.id, state=one.state, who=one.who, at=one.at, ended=one.ended, total=one.total, done=one.done,
        failed=one.failed, left_out=one.left_out, left=one.left,
    )  # fmt: skip
