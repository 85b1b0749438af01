"""How are many differences settled at once? One table of all that wait for a choice, by detail; one choice for all it shows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, get_args
from urllib.parse import parse_qsl
from uuid import uuid4

from fastapi import Request, Response

from reconciler import bulking, differences
from reconciler.bulking import Form, Take
from reconciler.bulks import Bulk
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.web import asks, bulk, doors, filters, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.filters import A_PAGE
from reconciler.web.says import label, within
from reconciler.web.site import Site

TAKES: Final[tuple[Take, ...]] = get_args(Take)


def page(site: Site, request: Request, one: Known) -> Response:
    """Every difference that waits for a choice, a line for each detail of a customer, the oldest first."""
    wanted, paged = read(request.query_params), filters.page(request.query_params)
    with site.engine.connect() as connection:
        counts = differences.counts(connection, one.person.tenant, wanted)
        total = counts.get(wanted.detail, 0) if wanted.detail else sum(counts.values())
        rows = differences.shown(
            connection, one.person.tenant, wanted, site.resend, limit=A_PAGE, skip=A_PAGE * (paged - 1)
        )
    return screen.page(
        site,
        "differences.html",
        one,
        here="differences",
        rows=rows,
        counts=counts,
        all=sum(counts.values()),
        total=total,
        taken=min(total, bulking.MOST),
        detail=wanted.detail,
        customer=wanted.customer,
        page=paged,
        pages=max(1, -(-total // A_PAGE)),
        address=lambda **more: filters.written(wanted, **more),
        label=lambda name: label(one.words, name),
        within=lambda name: within(one.words, name),
        shown=asks.shown,
        bulk=uuid4(),
        takes={take: bulk.HEADINGS[take] for take in TAKES},
        may=doors.has(site, one.person, "bulk"),
        told=request.query_params.get("told", ""),
    )


def choose(site: Site, request: Request, one: Known) -> Response:
    """Show what one choice for all that the filter shows would write; nothing is decided yet."""
    given = doors.form(site, request, one, "bulk", "take", "filter", "bulk")
    take = next((each for each in TAKES if given.get("take") == [each]), None)
    if take is None:
        raise Senseless("no choice of ours")
    wanted = read(dict(parse_qsl("".join(given.get("filter", [])).removeprefix("?"))))
    form = Form(id=doors.parsed("".join(given.get("bulk", []))), session=bulk.mark(one), filter=filters.written(wanted))
    found = chosen(site, one.person, form, wanted, take)
    if found is None:
        return doors.to(site, f"/differences{filters.written(wanted, told='none')}")
    return doors.to(site, f"/bulk/{found.id}")


def chosen(site: Site, person: Person, form: Form, wanted: Filter, take: Take) -> Bulk | None:
    """Show what that choice would write, for pages and services alike; none where the filter shows nothing. ``Lacking``."""
    doors.must(site, person, "bulk")
    with site.engine.begin() as connection:
        return bulking.settle(site.clocked, connection, person, form, wanted, take)


def read(query: Mapping[str, str]) -> Filter:
    """What the table is filtered by."""
    given = filters.read(query)
    return replace(Filter(), detail=given.detail, customer=given.customer, since=given.since, group=given.group)


PAGES: Final = {("GET", "/differences"): page, ("POST", "/differences"): choose}
