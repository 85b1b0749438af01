"""What can a service ask of us? JSON under ``/api/v1``, described by OpenAPI; an API key says who asks, and for which tenant."""

import secrets
from datetime import datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Depends, Path, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from reconciler.contract import State
from reconciler.freshness import Freshness
from reconciler.person import Person
from reconciler.standing import Act, Badge, Note, Standing
from reconciler.web import doors, status
from reconciler.web.site import Site

log = structlog.get_logger(__name__)

_KEY = HTTPBearer(auto_error=False, description="An API key of the tenant, as `reconciler api-key` made it.")
CrmId = Annotated[str, Path(max_length=200, description="The customer's id in the CRM.", examples=["48211"])]


class Said(BaseModel):
    """Part of an answer; nothing but what is named is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Said):
    """What went wrong (RFC 9457): what happened, to what, and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


AWAY: Final = (sa.exc.OperationalError, sa.exc.TimeoutError)
"""The database cannot be reached, or cannot work."""


def problem(error: Exception) -> Response:
    """What a service is told instead of an answer."""
    match error:
        case doors.NotIn():
            said = "No key", 401, "Send an API key of the tenant that holds: `Authorization: Bearer cme_...`."
        case doors.Lacking():
            said = "No right", 403, "The key's role may not do this; an administrator's may."
        case RequestValidationError():
            wrong = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
            said = "Not understood", 422, f"{wrong}. Nothing was changed."
        case HTTPException():
            said = (
                {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Refused"),
                error.status_code,
                ("There is no such address. The description is at /api/v1/openapi.json."),
            )
        case _ if isinstance(error, AWAY):
            said = "Try again later", 503, "Our database does not answer. Nothing is lost; repeat it in a few seconds."
        case _:
            known_as = secrets.token_hex(6)
            log.error("api.failed", id=known_as, error=type(error).__name__)
            said = "Our mistake", 500, f"Something went wrong on our side. Nothing is lost. Technical: {known_as}"
    title, status, detail = said
    told = Problem(title=title, status=status, detail=detail)
    headers = {"retry-after": "5"} if status == 503 else {}
    return Response(told.model_dump_json(), status, headers, "application/problem+json")


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
    """One field that differs."""

    field: str
    crm: str
    economic: str
    person: str


class Action(Said):
    """One button; ``why_not`` names who may press it, where this person may not."""

    name: Act
    allowed: bool
    why_not: str


class CustomerStatus(Said):
    """How one customer stands: what is true of it, and when that was last known."""

    state: State
    reason: str
    message: str
    also: tuple[State, ...]
    badges: tuple[Badge, ...]
    notes: tuple[Note, ...]
    differs: tuple[Differs, ...]
    choices: int
    agreement: int | None
    customer_number: int | None
    contacts: Contacts | None
    compared: Compared
    freshness: Freshness
    since: datetime | None
    next_try_at: datetime | None
    flows: bool
    actions: tuple[Action, ...]


def status_of(site: Site, person: Person, crm_id: str, version: str | None) -> CustomerStatus:
    """How that customer stands, for that person, on a page that shows that version of it."""
    told = status.of(site, person, crm_id, version)
    found, second = told.found, told.second
    return CustomerStatus(
        **_first(told.first, list(told.admins)),
        agreement=None if found.agreement is None else found.agreement.agreement,
        customer_number=told.number,
        compared=Compared(
            crm_version=None if found.known.compared is None else str(found.known.compared),
            at=found.known.seen,
            live=second.present,
        ),
        freshness=second.freshness,
        since=second.since,
        next_try_at=second.next_try,
    )


def router(site: Site) -> APIRouter:
    """Everything under ``/api/v1``."""
    made = APIRouter(
        prefix="/api/v1", responses={401: {"model": Problem, "description": "No key, or one that does not hold"}}
    )

    def asking(request: Request, _key: Annotated[Any, Security(_KEY)]) -> Person:
        return doors.of_key(site, request)

    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/customers/{crm_id}/status", tags=["customers"])
    def customer_status(
        person: Asking,
        crm_id: CrmId,
        version: Annotated[
            str | None,
            Query(max_length=30, description="The version the page shows, `epoch.number`.", examples=["1.17"]),
        ] = None,
    ) -> CustomerStatus:
        """How one customer stands. Without a version nothing is said to hold now."""
        return status_of(site, person, crm_id, version)

    return made


def _first(said: Standing, admins: list[str]) -> dict[str, Any]:
    return {
        "state": said.status.state,
        "reason": said.status.reason,
        "message": said.status.message,
        "also": said.also,
        "badges": said.badges,
        "notes": said.notes,
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
