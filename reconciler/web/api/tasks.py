"""What waits for a person, for a service? The open questions with what is known of each, and their answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from reconciler import facing, replying, worklists
from reconciler.contract import TaskKind
from reconciler.decisions import NotDecided, Supplied
from reconciler.narrowing import Filter
from reconciler.newcomers import Reference
from reconciler.person import Person
from reconciler.prefill import currencies
from reconciler.replies import Offer
from reconciler.replying import Found, Given
from reconciler.web import answered, asks, doors, filters, halting, tasks
from reconciler.web.api.new_customers import choices_of
from reconciler.web.api.problems import Problem
from reconciler.web.api.strict import ASKED_WHOLE, TEXT, Day, needs
from reconciler.web.api.task_shapes import (
    AnswerGiven,
    Candidate,
    Counted,
    Lists,
    Offered,
    Replied,
    Task,
    Tasks,
    Value,
    WholeTask,
)
from reconciler.web.doors import Conflict, Senseless, Unknown
from reconciler.web.site import Site
from reconciler.web.words import Words, language
from reconciler.worklists import Question

MOST: Final = 500
Detail = Literal["name", "cvr", "ean", "pnumber", "address", "phone", "mobile", "email", "website", "contact"]
Page = Annotated[int, Query(ge=1, le=10_000, description="The page, from 1.", examples=[1]), ASKED_WHOLE]
Limit = Annotated[int, Query(ge=1, le=MOST, description="So many a page.", examples=[50]), ASKED_WHOLE]
OfDetail = Annotated[Detail | None, Query(description="Only what is about this detail; `contact`: contact persons.")]
OfCustomer = Annotated[
    str, Query(max_length=200, pattern=TEXT, description="Only this customer, by its id in the CRM.")
]
OfGroup = Annotated[
    Annotated[int, Field(ge=0, le=999_999_999), ASKED_WHOLE] | None,
    Query(description="Only this customer group of e-conomic."),
]
Since = Annotated[Day | None, Query(description="Only since this day, in Denmark.", examples=["2026-11-24"])]
TaskId = Annotated[UUID, Path(description="The question's id.")]


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked and answered about questions."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/tasks", tags=["tasks"])
    def all_tasks(
        request: Request,
        person: Asking,
        kind: Annotated[TaskKind | None, Query(description="Only questions of this kind.")] = None,
        detail: OfDetail = None,
        since: Since = None,
        customer: OfCustomer = "",
        group: OfGroup = None,
        person_id: Annotated[
            str, Query(max_length=200, pattern=TEXT, description="Only what was handed to this person, by id.")
        ] = "",
        page: Page = 1,
        limit: Limit = filters.A_PAGE,
    ) -> Tasks:
        """The open questions of the tenant that need a choice; errors are under `/errors`."""
        wanted = Filter(
            kind=kind or "", detail=detail or "", since=moment(since), customer=customer, group=group, person=person_id
        )  # fmt: skip
        with site.engine.connect() as connection:
            found, total = worklists.questions(
                connection, person.tenant, "questions", wanted, limit=limit, skip=limit * (page - 1)
            )
        words = spoken(site, request)
        return Tasks(total=total, tasks=tuple(told(words, each) for each in found))

    @made.get("/tasks/count", tags=["tasks"])
    def count(
        person: Asking,
        of: Annotated[
            str, Query(max_length=200, pattern=TEXT, description="Whose `mine` it is, by id; else the key's own.")
        ] = "",
    ) -> Counted:
        """How many questions wait, for a badge in the CRM's menu. `mine`: all but those handed to somebody else."""
        with site.engine.connect() as connection:
            counts = worklists.counts(connection, person.tenant, site.now())
            mine = 0 if person.role == "reader" else worklists.mine(connection, person.tenant, of or person.id)
        return Counted(mine=mine, all=counts["questions"], errors=counts["errors"])

    @made.get("/tasks/{task}", tags=["tasks"], responses={404: {"model": Problem, "description": "No such question"}})
    def one_task(request: Request, person: Asking, task: TaskId) -> WholeTask:
        """A question with what both systems hold, who it may be, and the answers it takes."""
        with site.engine.connect() as connection:
            found = replying.find(tasks.clocked(site), connection, person.tenant, task)
            if found is None:
                raise Unknown
            halted = (
                None if found.question.run is None else halting.halted(connection, person.tenant, found.question.run)
            )
            beside = _beside(connection, found)
        return _whole(site, spoken(site, request), person, found, beside, "" if halted is None else halted.mark)

    @made.post(
        "/tasks/{task}/answers",
        tags=["tasks"],
        openapi_extra=needs("settle"),
        responses={
            400: {"model": Problem, "description": "No answer to this question"},
            403: {"model": Problem, "description": "No right to answer so"},
            404: {"model": Problem, "description": "No such question"},
            409: {"model": Problem, "description": "The question is another one by now, or closed"},
        },
    )
    def answers(request: Request, person: Asking, task: TaskId, given: AnswerGiven) -> Replied:
        """Answer a question. Values are chosen with `POST /customers/{crm_id}/decisions`."""
        words = spoken(site, request)
        if given.answer in {"release", "stop"}:
            went = halting.say(site, person, task, "release" if given.answer == "release" else "stop", given.seen)
            if went is None:
                raise Conflict("it has changed since it was shown")
            return Replied(decision=None, state="done", reason="", text="", went=went[0], left=went[1])
        try:
            saved = tasks.reply(site, person, task, _given(given), given.id)
        except NotDecided as why:
            raise Senseless(why.text, **why.values) from why
        if isinstance(saved, str):
            raise Conflict("it has changed since it was shown")
        reason = next((one.reason for one in saved.outcome if one.result == "refused"), "")
        return Replied(
            decision=saved.decision.id, state=saved.state, reason=reason, text=answered.said(words, saved).text
        )


def spoken(site: Site, request: Request) -> Words:
    """The words of the language a service asked for."""
    return Words(
        language(request.query_params.get("lang"), accepted=request.headers.get("accept-language", "")), site.now()
    )


def told(words: Words, one: Question) -> Task:
    """A question as a service is told it."""
    return Task(
        id=one.id,
        kind=one.kind,
        text=asks.line(words, one),
        reason=one.reason,
        details=one.details,
        crm_id=one.customer,
        customer_number=one.number,
        name=one.name,
        opened=one.opened,
        waiting_for=one.holder,
    )


def moment(day: date | None) -> datetime | None:
    """When that day begins in Denmark."""
    return None if day is None else filters.since(day.isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a question's customer is looked at beside: who it may be, of a merge both, and what a creation may get."""

    may_be: tuple[facing.Facing, ...] = ()
    heirs: tuple[facing.Facing, ...] = ()
    offered: Reference | None = None


def _beside(connection: sa.Connection, found: Found) -> Beside:
    if found.task is None or found.stored is None:
        return Beside()
    task, link = found.task, found.stored.link
    merged, missing = task.kind == "merged", task.kind == "missing"
    return Beside(
        may_be=facing.candidates(connection, task, link),
        heirs=(facing.heirs(connection, replying.heir(connection, link), link) or ()) if merged else (),
        offered=facing.choices(connection, link) if missing else None,
    )


def _whole(site: Site, words: Words, person: Person, found: Found, beside: Beside, mark: str) -> WholeTask:
    task, allowed_to = found.task, doors.rights(site, person)
    return WholeTask(
        task=told(words, found.question),
        closed=found.closed,
        seen=mark if task is None else task.fingerprint,
        values=tuple(
            Value(field=one.field, person=one.person, crm=one.crm, economic=one.economic, last_agreed=one.base)
            for one in (() if task is None else task.shown)
        ),
        candidates=tuple(_candidate(one) for one in beside.may_be),
        heirs=tuple(_candidate(one) for one in beside.heirs),
        offered=None if beside.offered is None else _lists(beside.offered),
        answers=tuple(_offered(one, allowed=allowed_to(one.right)) for one in found.offers),
    )


def _candidate(one: facing.Facing) -> Candidate:
    return Candidate(
        customer_number=one.number, crm_id=one.customer, name=one.name, values=dict(one.values), same=one.same,
        linked_to=one.taken,
    )  # fmt: skip


def _lists(offered: Reference) -> Lists:
    return Lists(
        groups=choices_of(offered.groups), zones=choices_of(offered.zones), terms=choices_of(offered.terms),
        currencies=currencies(offered),
    )  # fmt: skip


def _offered(one: Offer, *, allowed: bool) -> Offered:
    known: dict[str, Any] = {
        "answer": one.answer, "right": one.right, "number": one.number, "customer": one.customer, "record": one.record,
        "other": one.other, "typed": one.typed,
    }  # fmt: skip
    return Offered(**known, allowed=allowed)


def _given(given: AnswerGiven) -> Given:
    if given.answer == "release" or given.answer == "stop":  # noqa: PLR1714 - so that mypy knows
        raise Senseless("that is no answer to this question")
    offer = Offer(
        answer=given.answer, number=given.number, customer=given.customer, record=given.record, other=given.other
    )
    supplied = None if given.supply is None else Supplied(**given.supply.model_dump())
    return Given(offer=offer, seen=given.seen, supplied=supplied)
