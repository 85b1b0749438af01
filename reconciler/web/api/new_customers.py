"""What a new customer gets in e-conomic, for a service: what is chosen, what can be chosen, and choosing it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Request
from pydantic import Field

from reconciler import newcomers
from reconciler.agreement import Inactive, Removed
from reconciler.newcomers import NotOffered, Wanted
from reconciler.person import Person
from reconciler.prefill import currencies
from reconciler.rules import Area
from reconciler.web import new_customers
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import WHOLE, needs
from reconciler.web.doors import Conflict, Senseless, Unknown
from reconciler.web.new_customers import BUSY, NotSaved
from reconciler.web.site import Site

Number = Annotated[int, Field(ge=0, lt=1_000_000_000), WHOLE]
_ERRORS: Final[Mapping[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The agreement does not offer it; nothing was changed"},
    403: {"model": Problem, "description": "Only an administrator's key may"},
    404: {"model": Problem, "description": "No agreement is connected"},
    409: {"model": Problem, "description": "Others are at these customers just now; nothing was changed"},
}


class Defaults(Said):
    """What a new customer gets, by the numbers of e-conomic's own lists."""

    group: Number = Field(examples=[1])
    zone: Number = Field(examples=[1])
    terms: Number = Field(examples=[2])
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(examples=["DKK"])


class Choice(Said):
    """One row of a list of e-conomic's."""

    number: int
    name: str


class NewCustomers(Said):
    """What is chosen, by where the customer is, and what the agreement offers. ``waiting``: customers that wait for a choice.

    ``inactive``: whether a customer that is inactive in the CRM ``flows`` on or ``rests``. ``removed_in_economic``: what becomes
    in the CRM of a contact person who is removed in e-conomic from then on; ``removed_in_crm`` the other way.
    """

    defaults: Mapping[Area, Defaults]
    suggested: Mapping[Area, Defaults]
    groups: tuple[Choice, ...]
    zones: tuple[Choice, ...]
    terms: tuple[Choice, ...]
    currencies: tuple[str, ...]
    waiting: int
    inactive: Inactive
    removed_in_economic: Removed
    removed_in_crm: Removed


class WantedDefaults(Said):
    """What is to be chosen; what is not named stays. An area without defaults has its creations wait."""

    defaults: dict[Area, Defaults | None] = Field(default={}, max_length=len(Area))
    inactive: Inactive | None = Field(default=None, examples=["flows"])
    removed_in_economic: Removed | None = Field(default=None, examples=["keep"])
    removed_in_crm: Removed | None = Field(default=None, examples=["keep"])


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Seeing and choosing what new customers get."""

    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    given: dict[str, Any] = {"tags": ["set-up"], "responses": _ERRORS, "openapi_extra": needs("administer")}

    @made.get("/set-up/new-customers", **given)
    def chosen(person: Asking) -> NewCustomers:
        """What new customers get in e-conomic, and what can be chosen."""
        return _said(site, person)

    @made.patch("/set-up/new-customers", **given)
    def choose(person: Asking, wanted: Annotated[WantedDefaults, Body()]) -> NewCustomers:
        """Choose it; who waited for it is created, and no customer that exists is changed."""
        defaults = {
            area: None if one is None else newcomers.Defaults(**one.model_dump())
            for area, one in wanted.defaults.items()
        }
        try:
            asked = Wanted(
                defaults=defaults,
                inactive=wanted.inactive,
                gone_there=wanted.removed_in_economic,
                gone_here=wanted.removed_in_crm,
            )
            new_customers.give(site, person, asked)
        except NotOffered as refused:
            raise Senseless("the agreement does not offer that for {v}", v=str(refused)) from refused
        except NotSaved as refused:
            raise Conflict(BUSY) from refused
        return _said(site, person)


def _said(site: Site, person: Person) -> NewCustomers:
    with site.engine.connect() as connection:
        found = new_customers.held(connection, person)
    if found is None:
        raise Unknown
    offered = found.offered or newcomers.Reference()
    return NewCustomers(
        defaults=_defaults(found.known.defaults),
        suggested=_defaults(found.suggested),
        groups=choices_of(offered.groups),
        zones=choices_of(offered.zones),
        terms=choices_of(offered.terms),
        currencies=currencies(offered),
        waiting=found.waiting,
        inactive=found.known.inactive,
        removed_in_economic=found.known.gone_there,
        removed_in_crm=found.known.gone_here,
    )


def _defaults(known: Mapping[Area, newcomers.Defaults]) -> dict[Area, Defaults]:
    return {area: Defaults.model_construct(**one.model_dump()) for area, one in known.items()}


def choices_of(offered: tuple[newcomers.Choice, ...]) -> tuple[Choice, ...]:
    """The rows of a list of e-conomic's."""
    return tuple(Choice(number=one.number, name=one.name) for one in offered)
