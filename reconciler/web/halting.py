"""How is a pass that stopped answered on its page? The list with every write, and an admin's word: exactly these, or none."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import items, releasing, replying, runs
from reconciler.items import Stored
from reconciler.person import Person
from reconciler.releasing import Word
from reconciler.runs import Run
from reconciler.web import doors
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.site import Site

MOST_SHOWN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """A pass that stopped: its list, and the mark of it. ``ended``: it was let go or stopped since."""

    run: Run
    listed: tuple[Stored, ...]
    mark: str
    ended: bool


def halted(connection: sa.Connection, tenant: str, run_id: UUID) -> Halted | None:
    """The pass of a question, as it stands; none of another tenant's."""
    run = runs.find(connection, run_id)
    if run is None or run.tenant != tenant:
        return None
    listed = tuple(items.listed(connection, run_id, ["planned"]))
    return Halted(run=run, listed=listed, mark=items.digest_of(listed), ended=run.state != "braked")


def answer(site: Site, request: Request, one: Known) -> Response:
    """Let exactly the list go that was shown, or stop it: nothing of it is written."""
    given = doors.form(site, request, one, "administer", "answer", "seen")
    word = "".join(given.get("answer", []))
    if word not in {"release", "stop"}:
        raise Senseless("a word to a pass that is none")
    task = doors.parsed(request.path_params["task"])
    found = say(site, one.person, task, "release" if word == "release" else "stop", "".join(given.get("seen", [])))
    if found is None:
        return doors.to(site, f"/tasks/{task}?refused=moved")
    return doors.to(site, f"/tasks/{task}?went={found[0]}&left={found[1]}")


def say(site: Site, person: Person, task: UUID, word: Word, seen: str) -> tuple[int, int] | None:
    """Answer a pass that stopped; how many went as was said, and how many had moved and are shown anew.

    None where its list is another by now, or it is answered already. ``Unknown``, ``Lacking``.
    """
    with site.engine.connect() as connection:
        found = replying.find(site.clocked, connection, person.tenant, task)
    if found is None or found.question.run is None or found.question.kind != "brake":
        raise Unknown
    return said(site, person, found.question.run, word, seen)


def said(site: Site, person: Person, run: UUID, word: Word, seen: str) -> tuple[int, int] | None:
    """As ``say``, of the pass itself."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        runs.lock(connection, run)
        known = halted(connection, person.tenant, run)
        if known is None:
            raise Unknown
        if known.ended or known.mark != seen:
            return None
        releasing.note(connection, known.run, word, seen, site.now(), person)
    does = releasing.release if word == "release" else releasing.stop
    return does(site.engine, site.clocked, run, seen=seen)


PAGES: Final = {("POST", "/tasks/{task}/brake"): answer}
