"""How does a run go, and what does a person say to it? Its numbers as lists, its counts confirmed, paused, stopped, taken back."""

from collections.abc import Iterator
from typing import Final

from fastapi import Request, Response
from sqlalchemy import Connection

from reconciler import listed, proposing, questions, runs, steering, taking_back, worklists
from reconciler.proposing import NotProposed
from reconciler.runs import Run
from reconciler.web import doors, progress, run_words, screen, spreadsheet
from reconciler.web.doors import Known, Senseless
from reconciler.web.site import Site

A_PAGE: Final = 50

MOST_LEFT: Final = 200
"""Customers that are named of those that taking a run back would leave."""


def page(site: Site, request: Request, one: Known) -> Response:
    """One run: its preview, how far it came, or what came of it. One that another replaced leads to that."""
    doors.must(site, one.person, "administer")
    with site.engine.connect() as connection:
        run = progress.of(connection, one.person, doors.parsed(request.path_params["run"]))
        if run.state == "replaced" and (newer := _newer(connection, run)) is not None:
            return doors.to(site, f"/runs/{newer.id}")
        told = progress.shown(connection, run, site.now())
        question = questions.of_run(connection, run.id, "brake") if run.state == "braked" else None
        held = listed.count(connection, run.id, "planned") if run.state == "braked" else 0
    why = request.query_params.get("why", "")
    return screen.page(
        site,
        "run.html",
        one,
        title=run_words.TITLES[run.kind],
        question=question,
        held=held,
        **run_words.told_of(one.words, told, why),
    )


def confirm(site: Site, request: Request, one: Known) -> Response:
    """Confirm a preview by its counts; twice is once."""
    given = doors.form(site, request, one, "administer", "count.")
    run_id = doors.parsed(request.path_params["run"])
    counts = progress.counted(given)
    if counts is None:
        raise Senseless("counts")
    with site.engine.begin() as connection:
        progress.of(connection, one.person, run_id)
        try:
            run_id = proposing.confirm(connection, run_id, counts, progress.clocked(site), by=one.person)
        except NotProposed as refused:
            return doors.to(site, f"/runs/{run_id}?why={refused.why}")
    return doors.to(site, f"/runs/{run_id}")


def steer(site: Site, request: Request, one: Known) -> Response:
    """Pause, resume or stop."""
    given = doors.form(site, request, one, "administer", "action", "back")
    run_id = doors.parsed(request.path_params["run"])
    action = "".join(given.get("action", []))
    with site.engine.begin() as connection:
        run = progress.of(connection, one.person, run_id)
        match action:
            case "pause" | "resume" | "stop":
                went = steering.directed(connection, run.id, action, progress.clocked(site), one.person)
            case _:
                raise Senseless("an action that is none")
    after = "".join(given.get("back", []))
    back = (
        after if after in {"/set-up/preview", "/set-up/switch-on", "/set-up/pilot", "/transfer"} else f"/runs/{run.id}"
    )
    return doors.to(site, back if went else f"/runs/{run.id}?why=over")


def undo_page(site: Site, request: Request, one: Known) -> Response:
    """What taking a run back would do, and what it would leave."""
    doors.must(site, one.person, "administer")
    with site.engine.connect() as connection:
        run = progress.of(connection, one.person, doors.parsed(request.path_params["run"]))
        if not progress.shown(connection, run, site.now()).may_be_undone:
            return doors.to(site, f"/runs/{run.id}")
        foreseen = taking_back.foreseen(connection, run)
        known = [one.crm_id for one in foreseen.left[:MOST_LEFT] if one.crm_id]
        names = worklists.names(connection, run.tenant, known)
    left = [(left, run_words.because(one.words, left.reason)) for left in foreseen.left]
    return screen.page(site, "run_undo.html", one, run=run, foreseen=foreseen, left=left, most=MOST_LEFT, names=names)


def undo(site: Site, request: Request, one: Known) -> Response:
    """Take a run back where nobody edited since."""
    doors.form(site, request, one, "administer")
    run_id = doors.parsed(request.path_params["run"])
    with site.engine.begin() as connection:
        progress.of(connection, one.person, run_id)
        try:
            undoing = taking_back.begin(connection, run_id, progress.clocked(site), by=one.person)
        except NotProposed as refused:
            return doors.to(site, f"/runs/{run_id}?why={refused.why}")
    return doors.to(site, f"/runs/{undoing}")


def lines(site: Site, request: Request, one: Known) -> Response:
    """The customers behind a number of a run, fifty a page."""
    doors.must(site, one.person, "administer")
    number = _page(request.query_params.get("page", "1"))
    text = request.query_params.get("of", "")
    kind, about = progress.list_of(text)
    with site.engine.connect() as connection:
        run = progress.of(connection, one.person, doors.parsed(request.path_params["run"]))
        total = listed.count(connection, run.id, kind, about)
        found = list(listed.rows(connection, run.id, kind, about, limit=A_PAGE, skip=A_PAGE * (number - 1)))
    return screen.page(
        site,
        "run_list.html",
        one,
        run=run,
        title=run_words.TITLES[run.kind],
        of=text,
        heading=run_words.heading(one.words, kind, about),
        rows=[(row, run_words.what(one.words, kind, row)) for row in found],
        total=total,
        page=number,
        pages=max(1, -(-total // A_PAGE)),
    )


def csv(site: Site, request: Request, one: Known) -> Response:
    """The same list whole, as a file."""
    doors.must(site, one.person, "administer")
    kind, about = progress.list_of(request.query_params.get("of", ""))
    with site.engine.connect() as connection:
        run = progress.of(connection, one.person, doors.parsed(request.path_params["run"]))
    words = one.words
    header = [
        words("Customer in Clickmate"), words("Name"), words("Customer no."), words("Name in e-conomic"),
        words("Blocked in e-conomic"), words("What"), words("System"), words("Before"), words("After"),
    ]  # fmt: skip

    def each() -> Iterator[list[spreadsheet.Cell]]:
        with site.engine.connect() as connection:
            for row in listed.rows(connection, run.id, kind, about):
                barred = words("Yes") if row.barred else ""
                system = {"crm": "Clickmate", "economic": "e-conomic"}.get(row.system, "")
                said = run_words.what(words, kind, row)
                yield [row.crm_id, row.name, row.number, row.there, barred, said, system, row.before, row.after]

    return spreadsheet.download(f"{run.kind.replace('_', '-')}-{kind.replace('_', '-')}", header, each())


def _newer(connection: Connection, run: Run) -> Run | None:
    trial = run.options.get("only") is not None
    return runs.newest(connection, run.tenant, run.agreement, run.kind, trial=trial)


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 else 1


PAGES: Final = {
    ("GET", "/runs/{run}"): page,
    ("POST", "/runs/{run}/confirm"): confirm,
    ("POST", "/runs/{run}/steer"): steer,
    ("GET", "/runs/{run}/undo"): undo_page,
    ("POST", "/runs/{run}/undo"): undo,
    ("GET", "/runs/{run}/list"): lines,
    ("GET", "/runs/{run}/list.csv"): csv,
}
