"""How is a question handed to a colleague? One person of the tenant is named; anybody with the right may still settle it."""

from typing import Final
from urllib.parse import quote

from fastapi import Request, Response

from reconciler import handover, views
from reconciler.handover import Colleague
from reconciler.person import Person
from reconciler.web import doors
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.site import Site


def hand(site: Site, request: Request, one: Known) -> Response:
    """Hand what is asked about a customer to whom the form names, or to nobody in particular."""
    given = doors.form(site, request, one, "settle", "to", "from")
    if "to" not in given:
        raise Senseless("nobody is named")
    crm_id, to = request.path_params["crm_id"], "".join(given["to"])
    handed(site, one.person, crm_id, to or None)
    came = "?from=list" if given.get("from") == ["list"] else ""
    return doors.to(site, f"/customers/{quote(crm_id, safe='')}{came}")


def handed(site: Site, person: Person, crm_id: str, to: str | None) -> Colleague | None:
    """Hand it over, for pages and services alike; who is to choose now, nobody where nothing is asked."""
    doors.must(site, person, "settle")
    with site.engine.begin() as connection:
        stored = views.customer(connection, person.tenant, crm_id).stored
        if stored is None:
            raise Unknown
        if not handover.hand(connection, stored.link.id, person, to, site.now()):
            raise Senseless("there is no such colleague")
        return handover.holder(connection, stored.link.id)


PAGES: Final = {("POST", "/customers/{crm_id}/handover"): hand}
"""The pages of this subject."""
