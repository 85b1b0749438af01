"""Which links are suggested, for a service? The pairs with all that speaks for them, linked or told apart many at once."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from reconciler import agreements, suggestions
from reconciler.bulking import Form
from reconciler.enlisted import Marked
from reconciler.evidence import Evidence
from reconciler.pairing import Answer
from reconciler.person import Person
from reconciler.web import filters
from reconciler.web import suggestions as pages
from reconciler.web.api.bulk import NAMED, BulkTold, told
from reconciler.web.api.lists import NO_RIGHT, STALE
from reconciler.web.api.problems import Said
from reconciler.web.api.strict import TEXT, WHOLE, Flag, needs
from reconciler.web.api.tasks import Limit, Page
from reconciler.web.doors import Conflict
from reconciler.web.site import Site

Weak = Literal["name_postcode", "name_phone", "name_email", "email", "phone", "name_city"]


class Suggested(Said):
    """One suggested pair; ``same`` are codes of all that agrees. ``holds``: the evidence still does."""

    crm_id: str
    customer_number: int
    evidence: Evidence
    same: tuple[str, ...]
    crm: dict[str, str]
    economic: dict[str, str]
    holds: bool


class AllSuggested(Said):
    """A page of suggested pairs, the strongest evidence first. ``approved`` are groups an administrator lets be linked;
    ``asked_at``: since when they are looked for anew."""

    total: int
    counts: dict[str, int]
    approved: tuple[str, ...]
    found_at: datetime | None
    asked_at: datetime | None
    suggestions: tuple[Suggested, ...]


class Pair(Said):
    """A customer of the CRM and a customer number of e-conomic."""

    crm_id: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    customer_number: Annotated[int, Field(ge=1, le=999_999_999), WHOLE]


class PairsGiven(Said):
    """Link these pairs, or say that they are not the same customer; ``every`` in their place names whole groups. Once for its
    ``id``."""

    id: UUID
    answer: Literal["link", "not_the_same"]
    pairs: Annotated[tuple[Pair, ...], Field(max_length=NAMED)] = ()
    every: Annotated[tuple[Evidence, ...], Field(max_length=len(Evidence))] = ()


class GroupGiven(Said):
    """Let a group of weaker evidence be linked, or no more."""

    evidence: Weak
    approved: Flag


class Searching(Said):
    """Since when pairs are looked for anew, and which groups may be linked."""

    asked_at: datetime | None
    found_at: datetime | None
    approved: tuple[str, ...]


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked of suggested links."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/suggestions", tags=["bulk"])
    def suggested(
        person: Asking, evidence: Annotated[Evidence | None, Query(description="Only of this evidence.")] = None,
        page: Page = 1, limit: Limit = filters.A_PAGE,
    ) -> AllSuggested:  # fmt: skip
        """The pairs that may be one customer, one-to-one over the whole of both systems."""
        with site.engine.connect() as connection:
            agreement = agreements.in_use(connection, person.tenant) or 0
            counts = suggestions.counts(connection, person.tenant, agreement)
            wanted = pages.groups(evidence or "")
            found = suggestions.shown(
                connection, person.tenant, agreement, wanted, limit=limit, skip=limit * (page - 1)
            )
            state = suggestions.state(connection, person.tenant, agreement)
        return AllSuggested(
            total=sum(n for name, n in counts.items() if name in wanted), counts=counts,
            approved=tuple(sorted(state.approved)), found_at=state.made, asked_at=state.asked,
            suggestions=tuple(_suggested(one) for one in found),
        )  # fmt: skip

    @made.post(
        "/suggestions", tags=["bulk"], status_code=202, responses={**NO_RIGHT, **STALE}, openapi_extra=needs("bulk")
    )
    def answer(person: Asking, given: PairsGiven) -> BulkTold:
        """Link pairs or tell them apart; what is not suggested, or in a group that is not approved, is left out."""
        marked = Marked(
            pairs=[(one.crm_id, one.customer_number) for one in given.pairs], everything_of=[str(one) for one in given.every]
        )  # fmt: skip
        try:
            answered: Answer = "link" if given.answer == "link" else "apart"
            return told(pages.answered_to(site, person, Form(id=given.id), answered, marked))
        except Conflict as why:
            none = "the group is not approved" if str(why) == "approve" else "none of these is suggested"
            raise Conflict(none) from why

    @made.post("/suggestions/groups", tags=["bulk"], responses=NO_RIGHT, openapi_extra=needs("administer"))
    def approve(person: Asking, given: GroupGiven) -> Searching:
        """Let a group of weaker evidence be linked many at once, or no more; an administrator's right."""
        pages.approved(site, person, given.evidence, to=given.approved)
        return _searching(site, person)

    @made.post(
        "/suggestions/search",
        tags=["bulk"],
        status_code=202,
        responses={**NO_RIGHT, **STALE},
        openapi_extra=needs("bulk"),
    )
    def search(person: Asking) -> Searching:
        """Have pairs looked for anew; ``asked_at`` is empty when they are there."""
        if not pages.searched(site, person):
            raise Conflict("no agreement is in use")
        return _searching(site, person)


def _searching(site: Site, person: Person) -> Searching:
    with site.engine.connect() as connection:
        state = suggestions.state(connection, person.tenant, agreements.in_use(connection, person.tenant) or 0)
    return Searching(asked_at=state.asked, found_at=state.made, approved=tuple(sorted(state.approved)))


def _suggested(one: suggestions.Suggestion) -> Suggested:
    return Suggested(
        crm_id=one.crm_id, customer_number=one.number, evidence=Evidence(one.evidence), same=one.reasons,
        crm=dict(one.here.values), economic=dict(one.there.values), holds=one.holds,
    )  # fmt: skip
