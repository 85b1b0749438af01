"""How does an admin try with one customer before all? Found, shown what would be done, followed edit by edit, kept or put back."""

from typing import Any, Final
from uuid import uuid4

from fastapi import Request, Response

from reconciler import proposing, runs, trying
from reconciler.previewed import Asked
from reconciler.proposing import NotProposed
from reconciler.receipt import GROUPS
from reconciler.web import doors, progress, run_words, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.rule_words import named
from reconciler.web.says import LABELS
from reconciler.web.site import Site
from reconciler.web.words import Words

_LONGEST: Final = 200


def page(site: Site, request: Request, one: Known) -> Response:
    """Choose one, see what would be done, follow its edits, end it."""
    doors.must(site, one.person, "administer")
    why, text = request.query_params.get("why", ""), request.query_params.get("q", "")[:_LONGEST]
    with site.engine.connect() as connection:
        known = progress.used(connection, one.person)
        found: dict[str, Any] = {
            "known": known,
            "told": None,
            "q": text,
            "customers": [],
            "arrivals": [],
            "tried": None,
        }
        if known is not None:
            proposed = runs.newest(connection, known.tenant, known.agreement, "switch_on", trial=True)
            last = trying.trial(connection, known)
            run = last if known.pilot is not None else proposed
            found["customers"] = trying.search(connection, known, text) if text.strip() else []
            found["told"] = None if run is None else progress.shown(connection, run, site.now())
            found["tried"] = None if run is None else trying.customer(connection, known, str(run.options.get("only")))
            if known.pilot is not None and last is not None:
                found["arrivals"] = [
                    (
                        each,
                        ", ".join(
                            sorted({_named(one.words, each.record, name) for name in each.fields if name in LABELS})
                        ),
                    )
                    for each in trying.arrivals(connection, known, last)
                ]
    told = found["told"]
    if told is not None:
        found |= run_words.told_of(one.words, told, why)
        if known is not None and known.pilot is None and told.run.confirmed is not None and told.run.ended is not None:
            found["ended"] = True
    moves = told is not None and (told.moves or (known is not None and known.pilot is not None))
    may_ask = known is not None and proposing.in_the_way(known, "switch_on") is None
    said = {"why": run_words.in_the_way(one.words, why), **found}
    return screen.page(site, "set_up_pilot.html", one, here="set-up", moves=moves, may_ask=may_ask, **said)


def _named(words: Words, record: str, name: str) -> str:
    return named(words, name if record == "customer" else f"contact.{name}")


def ask(site: Site, request: Request, one: Known) -> Response:
    """Have shown what trying with that customer would do."""
    given = doors.form(site, request, one, "administer", "customer", "number", "create_there")
    crm_id, number = ("".join(given.get(name, [])).strip() for name in ("customer", "number"))
    if not crm_id or len(crm_id) > _LONGEST or not (number == "" or trying.is_number(number)):
        raise Senseless("customer")
    with site.engine.begin() as connection:
        known = progress.locked(connection, one.person)
        asked = Asked(
            tenant=known.tenant,
            agreement=known.agreement,
            run=uuid4(),
            groups=frozenset(GROUPS),
            create_there="create_there" in given,
            only=crm_id,
            only_number=int(number) if number else None,
        )
        try:
            proposing.ask(connection, known, asked, progress.clocked(site), by=one.person)
        except NotProposed as refused:
            return doors.to(site, f"/set-up/pilot?why={refused.why}")
    return doors.to(site, "/set-up/pilot")


def end(site: Site, request: Request, one: Known) -> Response:
    """Keep what was tried, or put it back where nobody edited since; ended twice is once."""
    given = doors.form(site, request, one, "administer", "answer")
    answer = "".join(given.get("answer", []))
    if answer not in {"keep", "undo"}:
        raise Senseless("an answer that is none")
    with site.engine.begin() as connection:
        known = progress.locked(connection, one.person)
        if known.pilot is None:
            return doors.to(site, "/set-up/pilot?why=over")
        undo = trying.end(connection, known, progress.clocked(site), undo=answer == "undo", by=one.person)
    return doors.to(site, "/set-up/pilot" if undo is None else f"/runs/{undo}")


def skip(site: Site, request: Request, one: Known) -> Response:
    """Do without a trial."""
    doors.form(site, request, one, "administer")
    with site.engine.begin() as connection:
        known = progress.locked(connection, one.person)
        trying.skip(connection, known, site.now(), one.person)
    return doors.to(site, "/set-up/switch-on")


PAGES: Final = {
    ("GET", "/set-up/pilot"): page,
    ("POST", "/set-up/pilot"): ask,
    ("POST", "/set-up/pilot/end"): end,
    ("POST", "/set-up/pilot/skip"): skip,
}
