"""What can a service ask of us? JSON under ``/api/v1``, described by OpenAPI; an API key says who asks, and for which tenant."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.security import HTTPBearer

from reconciler.person import Person
from reconciler.web.api import (
    bulk,
    candidates,
    customers,
    decisions,
    details,
    errors,
    handing,
    health,
    lists,
    mailing,
    new_customers,
    pause,
    runs,
    set_up,
    status,
    strict,
    suggestions,
    tasks,
)
from reconciler.web.api.problems import Problem
from reconciler.web.site import Site

_KEY: Final = HTTPBearer(
    auto_error=False, description="An API key of the tenant, as `reconciler make-api-key` made it."
)
_SUBJECTS: Final = (
    bulk,
    suggestions,
    customers,
    candidates,
    decisions,
    handing,
    status,
    set_up,
    mailing,
    runs,
    tasks,
    errors,
    lists,
    health,
    details,
    new_customers,
    pause,
)
"""Each adds what can be asked about it, with ``routes``."""


def router(site: Site) -> APIRouter:
    """Everything under ``/api/v1``."""
    made = APIRouter(
        prefix="/api/v1",
        route_class=strict.routes(site),
        dependencies=[Depends(_spoken)],
        responses={401: {"model": Problem, "description": "No key, or one that does not hold"}},
    )

    def asking(request: Request, _key: Annotated[Any, Security(_KEY)]) -> Person:
        person: Person = request.state.person
        return person

    for one in _SUBJECTS:
        one.routes(made, site, asking)
    return made


def _spoken(
    lang: Annotated[
        Literal["da", "en"] | None, Query(description="The language of texts, where there are any.")
    ] = None,
) -> None:
    """What every operation takes; whoever says texts reads it."""
