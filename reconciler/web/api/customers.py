"""Which customers are there, for a service? The six lists with their counts, and the customers of one by name."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request

from reconciler import listing
from reconciler.categories import Category, LeftOut
from reconciler.listing import Cursor
from reconciler.person import Person
from reconciler.web import customers
from reconciler.web.api import acting
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import ASKED_WHOLE, TEXT
from reconciler.web.doors import Senseless
from reconciler.web.site import Site

_MOST: Final = 500


class Customer(Said):
    """One customer: its list, why it is left out, and whether edits of it are carried over."""

    crm_id: str | None
    customer_number: int | None
    name: str
    list: Category
    left_out_because: LeftOut
    flows: bool
    blocked: bool


class Counts(Said):
    """How many customers stand in each list; together they are all there are."""

    same: int
    different: int
    waiting: int
    choice: int
    error: int
    left_out: int


class Customers(Said):
    """Some customers in order of their names; ``next`` is what ``after`` takes for those that follow."""

    total: int
    counts: Counts
    customers: tuple[Customer, ...]
    next: str | None


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked about all customers, and done about one."""
    acting.routes(made, site, asking)
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/customers", tags=["customers"], responses={400: {"model": Problem, "description": "No such place"}})
    def all_customers(
        person: Asking,
        only: Annotated[
            Category | None, Query(alias="list", description="Only the customers of this list.", examples=["error"])
        ] = None,
        search: Annotated[
            str,
            Query(
                max_length=customers.LONGEST,
                pattern=TEXT,
                description="The beginning of a name, or a CVR or customer number.",
                examples=["nordhavn"],
            ),
        ] = "",
        after: Annotated[
            str, Query(max_length=1000, pattern=TEXT, description="Where to go on: `next` of the answer before.")
        ] = "",
        limit: Annotated[int, Query(ge=1, le=_MOST, examples=[50]), ASKED_WHOLE] = customers.A_PAGE,
    ) -> Customers:
        """Every customer of the CRM and those that only e-conomic has, each in exactly one list."""
        cursor = Cursor.parsed(after)
        if after and cursor is None:
            raise Senseless("`after` is no `next` of ours")
        known = customers.in_use(site, person.tenant)
        with site.engine.connect() as connection:
            counts = listing.counts(connection, person.tenant, known)
            found = listing.page(
                connection,
                person.tenant,
                known,
                category=only,
                search=customers.searched(search),
                cursor=cursor,
                limit=limit,
            )
        return Customers(
            total=sum(counts.values()),
            counts=Counts(**counts),
            customers=tuple(
                Customer(
                    crm_id=row.crm_id,
                    customer_number=row.number,
                    name=row.name,
                    list=row.category,
                    left_out_because=row.left_out,
                    flows=row.flows,
                    blocked=row.barred,
                )
                for row in found.rows
            ),
            next=found.rows[-1].cursor().text if found.rows and found.after else None,
        )
