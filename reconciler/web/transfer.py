"""How are all customers transferred from e-conomic? Read, shown, confirmed by count, carried out, reported, and taken back."""

from typing import Any, Final
from uuid import uuid4

from fastapi import Request, Response

from reconciler import proposing, runs
from reconciler.previewed import Asked
from reconciler.proposing import NotProposed
from reconciler.receipt import GROUPS
from reconciler.running import asked_of
from reconciler.web import doors, progress, run_words, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.site import Site


def page(site: Site, request: Request, one: Known) -> Response:
    """How far the transfer is, what it would do, or what came of it."""
    doors.must(site, one.person, "administer")
    why = request.query_params.get("why", "")
    with site.engine.connect() as connection:
        known = progress.used(connection, one.person)
        run = None if known is None else runs.newest(connection, known.tenant, known.agreement, "transfer")
        told = None if run is None else progress.shown(connection, run, site.now())
    found: dict[str, Any] = {"told": None, "why": run_words.in_the_way(one.words, why)}
    groups, chosen = [], Asked(tenant="", agreement=0, run=uuid4())
    if told is not None:
        found |= run_words.told_of(one.words, told, why)
        chosen = asked_of(told.run)
        groups = [] if told.summary is None else run_words.groups(one.words, told.summary)
    may_ask = known is not None and proposing.in_the_way(known, "transfer") is None
    may_ask = may_ask and (told is None or not told.moves)
    return screen.page(
        site, "transfer.html", one, here="transfer", known=known, may_ask=may_ask, groups=groups, chosen=chosen, **found
    )


def ask(site: Site, request: Request, one: Known) -> Response:
    """Have both sides read where that is due, and the list made with what was chosen; or confirm the list that was made with just that.

    What was changed since the list was made is never carried out uncounted: a new list is made of it.
    """
    given = doors.form(site, request, one, "administer", "group", "differing", "without_barred", "to", "run", "count.")
    groups, differing = frozenset(given.get("group", [])), "".join(given.get("differing", ["keep"]))
    to = "".join(given.get("to", [""]))
    if not groups <= set(GROUPS) or differing not in {"keep", "economic"} or to not in {"", "carry-out"}:
        raise Senseless("chosen")
    counts = progress.counted(given)
    if to and counts is None:
        raise Senseless("counts")
    with site.engine.begin() as connection:
        known = progress.locked(connection, one.person)
        asked = Asked(
            kind="transfer",
            tenant=known.tenant,
            agreement=known.agreement,
            run=uuid4(),
            differing="economic" if differing == "economic" else "keep",
            groups=groups,
            without_barred="without_barred" in given,
        )
        run = progress.of(connection, one.person, doors.parsed("".join(given.get("run", [])))) if to else None
        try:
            if counts is not None and run is not None and progress.is_made_with(run, asked):
                proposing.confirm(connection, run.id, counts, progress.clocked(site), by=one.person)
                return doors.to(site, "/transfer")
            proposing.ask(connection, known, asked, progress.clocked(site), by=one.person)
        except NotProposed as refused:
            return doors.to(site, f"/transfer?why={refused.why}")
    return doors.to(site, "/transfer")


PAGES: Final = {("GET", "/transfer"): page, ("POST", "/transfer"): ask}
