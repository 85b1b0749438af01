"""What can a service have done about a customer? What each button of its status does, with what it would do shown first.

Every press carries an id that its caller makes: sent again it is the same decision.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from reconciler import pressing
from reconciler.beside import Row
from reconciler.offer import Hindrance
from reconciler.overwriting import Left
from reconciler.person import Person
from reconciler.pressing import Pressed
from reconciler.web import acting, doors, panels
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.status import CrmId
from reconciler.web.api.strict import TEXT, WHOLE, Flag, needs
from reconciler.web.site import Site

Mark = Annotated[str, Field(pattern="^[0-9a-f]{0,64}$", examples=["9f2c1d7a5b3e8064"])]
Number = Annotated[int, Field(ge=1, le=999_999_999, examples=[1042]), WHOLE]
Decision = Annotated[UUID, Field(description="An id you make; the same id again is the same decision.")]


class Detail(Said):
    """One detail that *Update* would overwrite, as it stands on both sides; ``person`` names the contact person it is of."""

    key: str
    detail: str
    person: str
    crm: str
    economic: str
    mark: str


class LeftAlone(Said):
    """One detail that differs and is left alone, and why."""

    detail: str
    person: str
    why: Left


class Update(Said):
    """What *Update in e-conomic* would overwrite there."""

    overwrites: tuple[Detail, ...]
    left: tuple[LeftAlone, ...]


class Seen(Said):
    """A detail as it was seen, by its key and mark."""

    key: Annotated[str, Field(max_length=100, pattern=TEXT)]
    mark: Mark


class UpdateNow(Said):
    """The details to overwrite, each as it was seen."""

    decision: Decision
    details: Annotated[tuple[Seen, ...], Field(min_length=1, max_length=500)]


class Twin(Said):
    """A customer of e-conomic that may be this one."""

    number: int
    name: str
    cvr: str
    city: str


class Creation(Said):
    """What a creation in e-conomic would use, who may be that customer already, and why none can be asked for now."""

    hindrance: Hindrance
    lead: bool
    group: str
    zone: str
    terms: str
    currency: str
    number: int | None
    twins: tuple[Twin, ...]
    task: str


class CreateNow(Said):
    """``not_these``: the twins that were shown and are not it. ``lead``: also if it is a lead. ``task`` as it was told."""

    decision: Decision
    not_these: Annotated[tuple[Number, ...], Field(max_length=500)] = ()
    lead: Flag = False
    task: Mark = ""


class Once(Said):
    """A press that says nothing but its id."""

    decision: Decision


class UnlinkNow(Said):
    """The number it is to be linked with no longer, as it was seen."""

    decision: Decision
    number: Number


class LeaveNow(Said):
    """The question that is answered, as it was told."""

    decision: Decision
    task: Mark


class Writing(Said):
    """One detail that would be written."""

    system: Literal["crm", "economic"]
    record: Literal["customer", "contact"]
    field: str
    before: str
    after: str


class Flow(Said):
    """What would be written if the customer flowed automatically from now on, and the mark of just that."""

    writes: tuple[Writing, ...]
    mark: str


class FlowNow(Said):
    """Off at once; on only with the mark of what would be written."""

    decision: Decision
    on: Flag
    mark: Mark = ""


class Refused(Said):
    """A part that was not carried out, and why."""

    detail: str
    reason: str


class Done(Said):
    """What came of it. ``state`` empty: nothing was decided, for all of it moved since it was seen (``stale``, ``moved``)."""

    decision: UUID
    state: str
    stale: tuple[str, ...]
    moved: bool
    refused: tuple[Refused, ...]


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Every button, with its preview where it has one."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    told: dict[int | str, dict[str, Any]] = {
        400: {"model": Problem, "description": "It cannot be chosen; nothing was changed"},
        403: {"model": Problem, "description": "The key's role may not do this"},
        404: {"model": Problem, "description": "No such customer of this tenant"},
    }
    given: Any = {"tags": ["customers"], "responses": told, "openapi_extra": needs("settle")}
    creates: Any = {**given, "openapi_extra": needs("create")}

    def press(person: Person, crm_id: str, decision: UUID, does: acting.Does) -> Done:
        return done(decision, acting.press(site, person, crm_id, decision, does))

    @made.get("/customers/{crm_id}/update", **given)
    def what_update_overwrites(person: Asking, crm_id: CrmId) -> Update:
        """Which details *Update in e-conomic* would overwrite, with both values, and which it leaves alone."""
        update = panels.seen(site, person, crm_id, "update").update
        if update is None:
            raise doors.Unknown
        left = (LeftAlone(detail=row.detail, person=row.person, why=why) for row, why in update.left)
        return Update(overwrites=tuple(_detail(row) for row in update.overwrites), left=tuple(left))

    @made.post("/customers/{crm_id}/update", **given)
    def update(person: Asking, crm_id: CrmId, now: UpdateNow) -> Done:
        """Overwrite these details in e-conomic; one that moved since is left out and named."""
        marks = {one.key: one.mark for one in now.details}
        return press(person, crm_id, now.decision, partial(pressing.update, marks=marks))

    @made.get("/customers/{crm_id}/create", **creates)
    def what_create_uses(person: Asking, crm_id: CrmId) -> Creation:
        """The defaults of a creation in e-conomic, and possible twins there."""
        offered = panels.seen(site, person, crm_id, "create").create
        if offered is None:
            raise doors.Unknown
        twins = tuple(Twin(number=one.number, name=one.name, cvr=one.cvr, city=one.city) for one in offered.twins)
        return Creation(
            hindrance=offered.hindrance,
            lead=offered.lead,
            group=offered.group,
            zone=offered.zone,
            terms=offered.terms,
            currency=offered.currency,
            number=offered.number,
            twins=twins,
            task=offered.task,
        )

    @made.post("/customers/{crm_id}/create", **creates)
    def create(person: Asking, crm_id: CrmId, now: CreateNow) -> Done:
        """Create the customer in e-conomic now; while e-conomic is away, when it answers."""
        does = partial(pressing.create, not_these=now.not_these, task=now.task, also_a_lead=now.lead)
        return press(person, crm_id, now.decision, does)

    @made.post("/customers/{crm_id}/retry", **given)
    def retry(person: Asking, crm_id: CrmId, now: Once) -> Done:
        """Try again what was refused."""
        return press(person, crm_id, now.decision, pressing.retry)

    @made.post("/customers/{crm_id}/unlink", **given)
    def unlink(person: Asking, crm_id: CrmId, now: UnlinkNow) -> Done:
        """Link the customer no longer with that number; nothing is written or deleted."""
        return press(person, crm_id, now.decision, partial(pressing.unlink, number=now.number))

    @made.post("/customers/{crm_id}/leave", **given)
    def leave(person: Asking, crm_id: CrmId, now: LeaveNow) -> Done:
        """Leave a customer that was deleted in e-conomic as it is."""
        return press(person, crm_id, now.decision, partial(pressing.leave, task=now.task))

    @made.get("/customers/{crm_id}/flow", **given)
    def what_flowing_writes(person: Asking, crm_id: CrmId) -> Flow:
        """What would be written if the customer flowed automatically from now on."""
        seen = panels.seen(site, person, crm_id, "flow")
        writes = (
            Writing(system=one.system.value, record=one.record, field=one.field, before=one.before, after=one.after)
            for one in seen.writes
        )
        return Flow(writes=tuple(writes), mark=seen.mark)

    @made.post("/customers/{crm_id}/flow", **given)
    def flow(person: Asking, crm_id: CrmId, now: FlowNow) -> Done:
        """The customer flows automatically from here on, or no longer."""
        does: acting.Does = partial(pressing.flow, shown=now.mark) if now.on else pressing.still
        return press(person, crm_id, now.decision, does)


def _detail(row: Row) -> Detail:
    return Detail(
        key=row.key, detail=row.detail, person=row.person, crm=row.crm, economic=row.economic, mark=row.mark
    )  # fmt: skip


def done(decision: UUID, pressed: Pressed) -> Done:
    """What came of a press."""
    saved = pressed.saved
    ended = () if saved is None else saved.outcome
    return Done(
        decision=decision,
        state="" if saved is None else saved.state,
        stale=pressed.stale,
        moved=pressed.moved,
        refused=tuple(Refused(detail=one.detail, reason=one.reason) for one in ended if one.result == "refused"),
    )
