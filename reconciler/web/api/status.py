"""How does a customer stand, for a service? The JSON of the one status, with nothing in it that the pages do not show."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from reconciler.contract import State
from reconciler.freshness import Freshness
from reconciler.note import Kind
from reconciler.person import Person
from reconciler.rules import System
from reconciler.standing import Act, Badge, Standing
from reconciler.status import goes_at
from reconciler.web import etag, status
from reconciler.web.api.problems import Said
from reconciler.web.api.strict import ASKED_FLAG, TEXT
from reconciler.web.site import Site

CrmId = Annotated[
    str, Path(max_length=200, pattern=r"^[^\x00]+$", description="The customer's id in the CRM.", examples=["48211"])
]


class Contacts(Said):
    """How many contact persons are the same on both sides, of how many there are."""

    same: int
    total: int


class Compared(Said):
    """Which version of the CRM's customer was compared with e-conomic, when, and whether that holds now."""

    crm_version: str | None
    at: datetime | None
    live: bool


class Differs(Said):
    """One detail that differs, of the customer or of a contact person: an address is one."""

    field: str
    crm: str
    economic: str
    person: str


class Action(Said):
    """One button; ``why_not`` names who may press it, where this person may not."""

    name: Act
    allowed: bool
    why_not: str


class Noted(Said):
    """Something worth telling beside it, until that detail is edited or a week has gone.

    ``limit``: so many characters e-conomic holds of it; ``old`` and ``new``: customer numbers.
    """

    note: Kind
    at: datetime
    detail: str
    limit: int | None
    old: int | None
    new: int | None


class Done(Said):
    """Something was written to e-conomic within the last minute; ``created``: the number of a customer that this made."""

    at: datetime
    created: int | None


class Fetched(Said):
    """What was written last came from e-conomic: when, and of which details."""

    at: datetime
    details: tuple[str, ...]


class Paused(Said):
    """A pause that something of the customer waits for: writes to that system; ``until`` none: until further notice."""

    system: System
    until: datetime | None
    who: str


class CustomerStatus(Said):
    """How one customer stands: what is true of it, and when that was last known."""

    state: State
    reason: str
    message: str
    request_id: str
    also: tuple[State, ...]
    badges: tuple[Badge, ...]
    notes: tuple[Noted, ...]
    differs: tuple[Differs, ...]
    choices: int
    agreement: int | None
    customer_number: int | None
    contacts: Contacts | None
    compared: Compared
    freshness: Freshness
    since: datetime | None
    next_try_at: datetime | None
    done: Done | None
    fetched: Fetched | None
    flows: bool
    pauses: tuple[Paused, ...] = ()
    actions: tuple[Action, ...]
    look_id: UUID | None
    """The look at e-conomic that was asked for last, shared by all who watch this customer."""
    etag: str = ""
    """Another one where anything of this is another."""


def status_of(site: Site, person: Person, crm_id: str, version: str | None, *, look: bool = True) -> CustomerStatus:
    """How that customer stands, for that person, on a page that shows that version of it. ``look``: the person opens it."""
    told = status.of(site, person, crm_id, version, opening=look)
    found, second = told.found, told.second
    made = CustomerStatus(
        **_first(told.first, list(told.admins)),
        done=None if told.lately.done is None else Done(at=told.lately.done.at, created=told.lately.done.created),
        fetched=None
        if told.lately.fetched is None
        else Fetched(at=told.lately.fetched.at, details=told.lately.fetched.details),
        agreement=None if found.agreement is None else found.agreement.agreement,
        customer_number=told.number,
        compared=Compared(
            crm_version=None if found.known.compared is None else str(found.known.compared),
            at=found.known.seen,
            live=second.present,
        ),
        freshness=second.freshness,
        since=second.since,
        next_try_at=goes_at(told.first.status, site.now()) or second.next_try,
        pauses=tuple(Paused(system=one.system, until=one.until, who=one.who) for one in told.halts),
        look_id=None if found.look is None else found.look.id,
    )
    return made.model_copy(update={"etag": etag.of(made.model_dump_json())})


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked about one customer's status."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get(
        "/customers/{crm_id}/status",
        tags=["customers"],
        response_model=CustomerStatus,
        responses={304: {"description": "As it was told under the `ETag` in `If-None-Match`"}},
    )
    def customer_status(
        request: Request,
        person: Asking,
        crm_id: CrmId,
        version: Annotated[
            str | None,
            Query(
                max_length=30,
                pattern=TEXT,
                description="The version the page shows, `epoch.number`.",
                examples=["1.17"],
            ),
        ] = None,
        look: Annotated[
            bool,
            Query(description="Whether e-conomic is asked, unless it just was; a page that only polls says no."),
            ASKED_FLAG,
        ] = True,
    ) -> Response:
        """How one customer stands. Without a version nothing is said to hold now."""
        told = status_of(site, person, crm_id, version, look=look)
        return etag.answer(request, told.etag, told.model_dump_json, "application/json")


def _first(said: Standing, admins: list[str]) -> dict[str, Any]:
    return {
        "state": said.status.state,
        "reason": said.status.reason,
        "message": said.status.message,
        "request_id": said.status.request_id,
        "also": said.also,
        "badges": said.badges,
        "notes": tuple(
            Noted(note=one.kind, at=one.at, detail=one.detail, limit=one.limit, old=one.old, new=one.new)
            for one in said.notes
        ),
        "differs": tuple(
            Differs(field=one.field, crm=one.crm, economic=one.economic, person=one.person) for one in said.differs
        ),
        "choices": said.choices,
        "contacts": None if said.contacts is None else Contacts(same=said.contacts[0], total=said.contacts[1]),
        "flows": said.flows,
        "actions": tuple(
            Action(name=one.name, allowed=one.allowed, why_not="" if one.allowed else ", ".join(admins))
            for one in said.actions
        ),
    }
