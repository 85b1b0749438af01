"""Which customers are there, and how does each stand? All of them in six lists that add up, by name, fifty a page."""

from collections.abc import Mapping
from typing import Final, get_args
from uuid import uuid4

from fastapi import Request, Response

from reconciler import agreements, listing
from reconciler.agreement import Agreement
from reconciler.categories import Category, LeftOut
from reconciler.listing import Cursor, Row
from reconciler.web import doors, screen, spreadsheet
from reconciler.web.doors import Known
from reconciler.web.site import Site
from reconciler.web.words import Words

A_PAGE: Final = 50
LONGEST: Final = 100
"""Letters of what may be searched for."""
CATEGORIES: Final[Mapping[Category, str]] = {
    "same": "Same", "different": "Different", "waiting": "Waiting", "choice": "Needs a choice", "error": "Error",
    "left_out": "Left out",
}  # fmt: skip
LEFT_OUT: Final[Mapping[LeftOut, str]] = {
    "lead": "Lead", "inactive": "Inactive", "does_not_flow": "Does not flow", "only_crm": "Only in Clickmate",
    "only_economic": "Only in e-conomic", "not_transferred": "Left out of the transfer", "off": "The integration is off",
}  # fmt: skip


def page(site: Site, request: Request, one: Known) -> Response:
    """The customers of one list or all, or those that were searched for."""
    category, search = _asked(request)
    cursor = Cursor.parsed(request.query_params.get("from", ""))
    with site.engine.connect() as connection:
        known = in_use(site, one.person.tenant)
        counts = listing.counts(connection, one.person.tenant, known)
        found = listing.page(
            connection, one.person.tenant, known, category=category, search=search, cursor=cursor, limit=A_PAGE
        )
    return screen.page(
        site,
        "customers.html",
        one,
        here="customers",
        categories=CATEGORIES,
        counts=counts,
        total=sum(counts.values()),
        category=category,
        search=search,
        rows=[(row, stands(one.words, row)) for row in found.rows],
        still=sum(_still(row) for row in found.rows) if doors.has(site, one.person, "bulk") else 0,
        is_still=_still,
        bulk=uuid4(),
        before=found.rows[0].cursor(backwards=True).text if found.rows and found.before else "",
        after=found.rows[-1].cursor().text if found.rows and found.after else "",
    )


def download(site: Site, request: Request, one: Known) -> Response:
    """The same customers as CSV, all of them."""
    category, search = _asked(request)
    known = in_use(site, one.person.tenant)
    words = one.words

    def rows() -> "list[tuple[str | int | None, ...]]":
        with site.engine.connect() as connection:
            found = listing.everything(connection, one.person.tenant, known, category=category, search=search)
            return [(row.name, row.crm_id, row.number, *stands(words, row)) for row in found]

    header = [words(text) for text in ("Customer", "Clickmate", "Customer no.", "Status", "Left out")]
    return spreadsheet.download("customers", header, rows())


def in_use(site: Site, tenant: str) -> Agreement | None:
    """The agreement a tenant uses."""
    with site.engine.connect() as connection:
        found = next(iter(agreements.of_tenant(connection, tenant)), None)
    return None if found is None or found.state == "disconnected" else found


def _still(row: Row) -> bool:
    """Whether a customer is linked and could flow automatically."""
    return row.linked and not row.flows and row.crm_id is not None


def stands(words: Words, row: Row) -> tuple[str, str]:
    """The list a customer stands in, and why it is left out."""
    return words(CATEGORIES[row.category]), words(LEFT_OUT[row.left_out]) if row.left_out else ""


def searched(text: str) -> str:
    """What is searched for, as far as it can be."""
    return text.replace("\0", "").strip()[:LONGEST]


def _asked(request: Request) -> tuple[Category | None, str]:
    given = request.query_params.get("list", "")
    category: Category | None = next((one for one in get_args(Category) if one == given), None)
    return category, searched(request.query_params.get("search", ""))


PAGES: Final = {
    ("GET", "/customers"): page,
    ("GET", "/customers.csv"): download,
}
