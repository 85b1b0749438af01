"""To whom can a service hand a customer's questions? The colleagues of the tenant, and the handing over."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import StringConstraints

from reconciler import handover
from reconciler.person import Person, Role
from reconciler.web import handing
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.status import CrmId
from reconciler.web.api.strict import TEXT, needs
from reconciler.web.site import Site

_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "There is no such colleague"},
    403: {"model": Problem, "description": "The key's role may only look"},
    404: {"model": Problem, "description": "Nothing of that id in this tenant"},
}


class Colleague(Said):
    """Somebody of the tenant who may settle; of two of one name, ``name`` has the mail address, or else the id, behind it."""

    id: str
    name: str
    role: Role


class Handing(Said):
    """Who is to choose, by the id the CRM knows them by; null: nobody in particular."""

    to: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=TEXT)] | None


class Holder(Said):
    """Who is to choose now; null where nobody is named or nothing is asked."""

    holder: Colleague | None


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be handed over."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/colleagues", tags=["people"])
    def colleagues(person: Asking) -> tuple[Colleague, ...]:
        """Everybody of the tenant who may settle, by name; those the CRM ever sent here."""
        with site.engine.connect() as connection:
            return tuple(_told(one) for one in handover.colleagues(connection, person.tenant))

    @made.post("/customers/{crm_id}/handover", tags=["customers"], responses=_REFUSED, openapi_extra=needs("settle"))
    def hand_over(person: Asking, crm_id: CrmId, given: Handing) -> Holder:
        """Name who is to choose; anybody with the right may still."""
        holder = handing.handed(site, person, crm_id, given.to)
        return Holder(holder=None if holder is None else _told(holder))


def _told(one: handover.Colleague) -> Colleague:
    return Colleague(id=one.id, name=one.name, role=one.role)
