"""How do many customers begin to flow automatically? They are marked in the list, and what that would write is seen first."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response

from reconciler import bulking
from reconciler.bulking import Form
from reconciler.bulks import Bulk
from reconciler.person import Person
from reconciler.web import bulk, doors
from reconciler.web.customers import CATEGORIES, searched
from reconciler.web.doors import Known
from reconciler.web.site import Site


def choose(site: Site, request: Request, one: Known) -> Response:
    """Show what would be written if the marked customers flowed automatically; nothing is decided yet."""
    given = doors.form(site, request, one, "bulk", "bulk", "customer", "list", "search")
    back = {"list": "".join(given.get("list", [])), "search": searched("".join(given.get("search", [])))}
    if back["list"] not in CATEGORIES:
        del back["list"]
    address = f"?{urlencode(kept)}" if (kept := {name: text for name, text in back.items() if text}) else ""
    form = Form(id=doors.parsed("".join(given.get("bulk", []))), session=bulk.mark(one), filter=address)
    found = chosen(site, one.person, form, given.get("customer", []))
    return doors.to(site, f"/customers{address}" if found is None else f"/bulk/{found.id}")


def chosen(site: Site, person: Person, form: Form, customers: Sequence[str]) -> Bulk | None:
    """Show what that would write, for pages and services alike; none where none of them can begin to flow. ``Lacking``."""
    doors.must(site, person, "bulk")
    with site.engine.begin() as connection:
        return bulking.flow(site.clocked, connection, person, form, customers)


PAGES: Final = {("POST", "/flow"): choose}
