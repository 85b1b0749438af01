"""What waits for a person, for a service? The open questions with what is known of each, and their answers."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from reconciler import facing, replying, worklists
from reconciler.contract import TaskKind
from reconciler.deciding import NotDecided
from reconciler.decisions import Supplied
from reconciler.narrowing import Filter
from reconciler.person import Person, Right
from reconciler.replies import Answer, Offer
from reconciler.replying import Found, Given
from reconciler.rules import Area
from reconciler.web import answered, asks, doors, filters, halting, tasks
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import ASKED_WHOLE, TEXT, WHOLE, Day, needs
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
Number = Annotated[int, Field(ge=1, le=999_999_999), WHOLE] | None


class Task(Said):
    """One open question. ``text`` is what the page says, in the language that was asked for."""

    id: UUID
    kind: TaskKind
    text: str
    reason: str
    details: tuple[str, ...]
    crm_id: str | None
    customer_number: int | None
    name: str
    opened: datetime
    waiting_for: str


class Tasks(Said):
    """A page of open questions, the oldest first. ``total`` is counted up to 10,000."""

    total: int
    tasks: tuple[Task, ...]


class Counted(Said):
    """How many wait: for whoever asks, for anybody; and how many errors there are."""

    mine: int
    all: int
    errors: int


class Value(Said):
    """One value a question is about; ``last_agreed`` is what each side held when both last agreed."""

    field: str
    person: str
    crm: str
    economic: str
    last_agreed: tuple[str, str] | None


class Candidate(Said):
    """A customer that may be the one: its number in e-conomic, or its id in the CRM; ``same`` names what agrees."""

    customer_number: int | None
    crm_id: str
    name: str
    values: dict[str, str]
    same: tuple[str, ...]
    linked_to: str


class Offered(Said):
    """One answer that may be given, and the right it needs. Send it back as it is; ``typed``: with a number of one's own."""

    answer: Answer
    right: Right
    allowed: bool
    number: int | None
    customer: str
    record: UUID | None
    other: UUID | None
    typed: bool


class WholeTask(Said):
    """A question with everything known of it. ``seen`` marks it as it is now; an answer carries it."""

    task: Task
    closed: bool
    seen: str
    values: tuple[Value, ...]
    candidates: tuple[Candidate, ...]
    answers: tuple[Offered, ...]


class Supply(Said):
    """What a new customer gets in e-conomic, for this customer alone."""

    area: Area | None = None
    group: Number = None
    terms: Number = None
    zone: Number = None
    currency: Annotated[str, Field(max_length=3, pattern=r"^[A-Z]{0,3}$")] = ""


class AnswerGiven(Said):
    """An answer, once for its ``id``: sent again it changes nothing and tells how the first stands."""

    id: UUID
    answer: Answer | Literal["release", "stop"]
    seen: Annotated[str, Field(max_length=64, pattern=TEXT)]
    number: Number = None
    customer: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    record: UUID | None = None
    other: UUID | None = None
    supply: Supply | None = None


class Replied(Said):
    """What came of an answer. ``decision`` and its state: open, done, refused; of a pass how many went and how many had moved."""

    decision: UUID | None
    state: Literal["open", "done", "refused", "partly"]
    reason: str
    text: str
    went: int = 0
    left: int = 0


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
            may_be = (
                facing.candidates(connection, found.task, found.stored.link)
                if found.task is not None and found.stored is not None
                else ()
            )
        return _whole(site, spoken(site, request), person, found, may_be, "" if halted is None else halted.mark)

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
            raise Senseless(str(why)) from why
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


def _whole(
    site: Site, words: Words, person: Person, found: Found, may_be: tuple[facing.Facing, ...], mark: str
) -> WholeTask:
    task, allowed_to = found.task, doors.rights(site, person)
    return WholeTask(
        task=told(words, found.question),
        closed=found.closed,
        seen=mark if task is None else task.fingerprint,
        values=tuple(
            Value(field=one.field, person=one.person, crm=one.crm, economic=one.economic, last_agreed=one.base)
            for one in (() if task is None else task.shown)
        ),
        candidates=tuple(
            Candidate(
                customer_number=one.number, crm_id=one.customer, name=one.name, values=dict(one.values), same=one.same,
                linked_to=one.taken,
            )
            for one in may_be
        ),
        answers=tuple(_offered(one, allowed=allowed_to(one.right)) for one in found.offers),
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
