"""How does an admin come to switch on? What will happen is shown first, the counts once more, then it is on."""

from typing import Any, Final
from uuid import uuid4

from fastapi import Request, Response
from sqlalchemy import Connection

from reconciler import proposing, runs
from reconciler.agreement import Agreement
from reconciler.previewed import Asked
from reconciler.proposing import NotProposed
from reconciler.receipt import GROUPS
from reconciler.running import asked_of
from reconciler.web import doors, progress, run_words, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.site import Site


def preview(site: Site, request: Request, one: Known) -> Response:
    """How far both sides are read, and then what switching on would do."""
    doors.must(site, one.person, "administer")
    shown = _shown(site, request, one)
    known, told = shown["known"], shown["told"]
    may_ask = known is not None and proposing.in_the_way(known, "switch_on") is None
    may_ask = may_ask and (told is None or not told.moves)
    return screen.page(site, "set_up_preview.html", one, here="set-up", may_ask=may_ask, **shown)


def ask(site: Site, request: Request, one: Known) -> Response:
    """Have both sides read where that is due, and the list made with what is ticked.

    On the way to switching on, a list that was made with just that is as good.
    """
    given = doors.form(site, request, one, "administer", "group", "create_there", "to")
    groups, to = frozenset(given.get("group", [])), "".join(given.get("to", ["preview"]))
    if not groups <= set(GROUPS) or to not in {"preview", "switch-on"}:
        raise Senseless("group or to")
    with site.engine.begin() as connection:
        known = progress.locked(connection, one.person)
        asked = Asked(
            tenant=known.tenant,
            agreement=known.agreement,
            run=uuid4(),
            groups=groups,
            create_there="create_there" in given,
        )
        try:
            if to == "preview" or not _is_shown(connection, known, asked):
                proposing.ask(connection, known, asked, progress.clocked(site), by=one.person)
        except NotProposed as refused:
            return doors.to(site, f"/set-up/preview?why={refused.why}")
    return doors.to(site, f"/set-up/{to}")


def _is_shown(connection: Connection, known: Agreement, asked: Asked) -> bool:
    """Whether the list that stands there was made with the same ticked."""
    run = runs.newest(connection, known.tenant, known.agreement, "switch_on")
    return run is not None and run.state == "previewed" and progress.is_made_with(run, asked)


def page(site: Site, request: Request, one: Known) -> Response:
    """The counts once more with the button that carries them; once it is on, what came of it."""
    doors.must(site, one.person, "administer")
    shown = _shown(site, request, one)
    known, told = shown["known"], shown["told"]
    moves = (told is not None and told.moves) or (known is not None and known.state == "switching_on")
    return screen.page(site, "set_up_switch_on.html", one, here="set-up", moves=moves, **shown)


def _shown(site: Site, request: Request, one: Known) -> dict[str, Any]:
    why = request.query_params.get("why", "")
    with site.engine.connect() as connection:
        known = progress.used(connection, one.person)
        run = None if known is None else runs.newest(connection, known.tenant, known.agreement, "switch_on")
        told = None if run is None else progress.shown(connection, run, site.now())
    found: dict[str, Any] = {"known": known, "told": None, "why": run_words.in_the_way(one.words, why), "groups": []}
    if told is not None:
        found |= run_words.told_of(one.words, told, why)
        found["chosen"] = asked_of(told.run)
        found["groups"] = [] if told.summary is None else run_words.groups(one.words, told.summary)
    return found


PAGES: Final = {
    ("GET", "/set-up/preview"): preview,
    ("POST", "/set-up/preview"): ask,
    ("GET", "/set-up/switch-on"): page,
}
