"""How is an error tried again? One by one press; all that a filter shows by an admin, with how far it came, until it is stopped."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Request, Response

from reconciler import ordering, retrying
from reconciler.decided import Saved
from reconciler.narrowing import Filter
from reconciler.person import Person
from reconciler.retries import Retry
from reconciler.stepping import Clocked
from reconciler.web import doors, filters
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.lists import asked
from reconciler.web.site import Site


def one_again(site: Site, request: Request, one: Known) -> Response:
    """Try one error again; back to the list."""
    given = doors.form(site, request, one, "settle", "filter", "decision")
    again(site, one.person, doors.parsed(request.path_params["task"]), doors.parsed(_only(given, "decision")))
    return doors.to(site, f"/errors{filters.written(_filter(given), told='again')}")


def every_again(site: Site, request: Request, one: Known) -> Response:
    """Try everything again that the filter showed; back to the list, which says how far it came."""
    given = doors.form(site, request, one, "administer", "filter", "retry", "shown")
    try:
        shown = datetime.fromisoformat(_only(given, "shown"))
    except ValueError as error:
        raise Senseless("no moment") from error
    if shown.tzinfo is None:
        raise Senseless("no moment")
    found = all_again(site, one.person, _filter(given), shown, doors.parsed(_only(given, "retry")))
    return doors.to(site, f"/errors{filters.written(_filter(given), told='' if found else 'none')}")


def stopped(site: Site, request: Request, one: Known) -> Response:
    """Begin with no more of them."""
    given = doors.form(site, request, one, "administer", "filter")
    stop(site, one.person, doors.parsed(request.path_params["retry"]))
    return doors.to(site, f"/errors{filters.written(_filter(given))}")


def again(site: Site, person: Person, task: UUID, decision: UUID) -> Saved:
    """Try one error again. ``Unknown``, ``Lacking``."""
    doors.must(site, person, "settle")
    clocked = Clocked(resend=site.resend, now=site.now)
    saved = ordering.within(site.engine, lambda connection: retrying.one(clocked, connection, person, task, decision))
    if saved is None:
        raise Unknown
    return saved


def all_again(site: Site, person: Person, wanted: Filter, shown: datetime, retry: UUID) -> Retry | None:
    """Have everything tried again that a filter showed then; none where nothing of it is left. ``Lacking``."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        return retrying.many(connection, person, wanted, shown, retry, site.now())


def stop(site: Site, person: Person, retry: UUID) -> Retry:
    """Begin with no more of an attempt. ``Unknown``, ``Lacking``."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        found = retrying.stop(connection, person, retry, site.now())
    if found is None:
        raise Unknown
    return found


def _filter(given: Mapping[str, list[str]]) -> Filter:
    return asked("errors", dict(parse_qsl(_only(given, "filter").removeprefix("?")))).wanted


def _only(given: Mapping[str, list[str]], name: str) -> str:
    return "".join(given.get(name, []))


PAGES: Final = {
    ("POST", "/errors/retry"): every_again,
    ("POST", "/errors/{task}/retry"): one_again,
    ("POST", "/retries/{retry}/stop"): stopped,
}
