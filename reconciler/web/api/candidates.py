"""Whom of e-conomic may an unlinked customer be, for a service? Each with what agrees, and the answers: it is this one, or not."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from reconciler import facing, views
from reconciler.person import Person
from reconciler.web import candidates
from reconciler.web.api.acting import Decision, Done, Number, done
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.status import CrmId
from reconciler.web.api.strict import needs
from reconciler.web.api.task_shapes import Candidate
from reconciler.web.doors import Unknown
from reconciler.web.site import Site


class Candidates(Said):
    """The customers of e-conomic that this one may be, the likeliest first; none of one that is linked."""

    customer: str
    candidates: tuple[Candidate, ...]


class ItIs(Said):
    """A customer of e-conomic, as it was told among the candidates."""

    decision: Decision
    number: Number


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Who it may be, and the two answers."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    not_there: dict[int | str, dict[str, Any]] = {
        404: {"model": Problem, "description": "No such customer of this tenant"}
    }
    refused: dict[int | str, dict[str, Any]] = {
        **not_there,
        400: {"model": Problem, "description": "It cannot be chosen; nothing was changed"},
        403: {"model": Problem, "description": "The key's role may not do this"},
    }
    given: Any = {"tags": ["customers"], "responses": refused, "openapi_extra": needs("settle")}

    def press(person: Person, crm_id: str, answer: candidates.Answer, now: ItIs) -> Done:
        return done(now.decision, candidates.press(site, person, crm_id, now.decision, answer, now.number))

    @made.get("/customers/{crm_id}/candidates", tags=["customers"], responses=not_there)
    def who_it_may_be(person: Asking, crm_id: CrmId) -> Candidates:
        """Whom of e-conomic an unlinked customer may be, as found when it was opened last, or looked for over the whole."""
        with site.engine.connect() as connection:
            stored = views.customer(connection, person.tenant, crm_id).stored
            if stored is None:
                raise Unknown
            found = facing.there(connection, stored.link, stored.link.may_be)
        told = (
            Candidate(
                customer_number=one.number, crm_id="", name=one.name, values=dict(one.values), same=one.same,
                linked_to=one.taken,
            )
            for one in found
        )  # fmt: skip
        return Candidates(customer=crm_id, candidates=tuple(told))

    @made.post("/customers/{crm_id}/link", **given)
    def it_is(person: Asking, crm_id: CrmId, now: ItIs) -> Done:
        """The customer is that one: they are linked. One that is no candidate any more is not, and `moved` says so."""
        return press(person, crm_id, "link", now)

    @made.post("/customers/{crm_id}/not-the-same", **given)
    def it_is_not(person: Asking, crm_id: CrmId, now: ItIs) -> Done:
        """The customer is not that one, for good: it is suggested never again."""
        return press(person, crm_id, "not-the-same", now)
