"""How are readings, switching on, trials and transfers asked for and steered, by a service? As on the pages, by the same functions."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from sqlalchemy import Connection

from reconciler import listed, proposing, runs, steering, taking_back, trying
from reconciler.items import digest
from reconciler.listed import Kind
from reconciler.person import Person
from reconciler.previewed import Asked
from reconciler.proposing import NotProposed
from reconciler.receipt import GROUPS
from reconciler.web import halting, progress
from reconciler.web.api.problems import Problem
from reconciler.web.api.run_shapes import (
    AnswerBrake,
    Arrival,
    AskForRun,
    Confirm,
    EndTrial,
    LeftAsItIs,
    Lines,
    OneRun,
    Runs,
    Settled,
    Steer,
    Trial,
    WouldUndo,
    line,
    of,
)
from reconciler.web.api.strict import ASKED_WHOLE, TEXT, needs
from reconciler.web.doors import Conflict, Unknown
from reconciler.web.site import Site

RunId = Annotated[UUID, Path(description="The run's id.", examples=["0a4e6a52-8f3c-4c0e-9a43-3a1f5f2f1d11"])]
_MOST: Final = 500
_ERRORS: Final[Mapping[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "What was sent is no JSON"},
    403: {"model": Problem, "description": "The key's role may not administer"},
    404: {"model": Problem, "description": "Nothing of that id is in this tenant"},
    409: {"model": Problem, "description": "Not now, or not any more; `detail` says why"},
}


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked about runs, and said to them."""
    Admin = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    given: dict[str, Any] = {"tags": ["runs"], "responses": _ERRORS, "openapi_extra": needs("administer")}

    @made.get("/runs", **given)
    def all_runs(person: Admin, limit: Annotated[int, Query(ge=1, le=100), ASKED_WHOLE] = 20) -> Runs:
        """The runs of the agreement, the newest first."""
        with site.engine.connect() as connection:
            known = progress.used(connection, person)
            found = [] if known is None else runs.of_agreement(connection, known.tenant, known.agreement, limit=limit)
            return Runs(runs=tuple(of(one) for one in progress.all_shown(connection, found, site.now())))

    @made.post("/runs", status_code=202, **given)
    def ask(person: Admin, wanted: Annotated[AskForRun, Body()]) -> OneRun:
        """Ask for a preview; both sides are read first where that is due. Asked twice it is one."""
        if (wanted.kind == "trial") != (wanted.customer is not None):
            raise Conflict("a trial names its customer, and nothing else does")
        with site.engine.begin() as connection:
            known = progress.locked(connection, person)
            asked = Asked(
                kind="transfer" if wanted.kind == "transfer" else "switch_on",
                tenant=known.tenant,
                agreement=known.agreement,
                run=uuid4(),
                differing=wanted.differing,
                groups=frozenset(GROUPS) if wanted.kind == "trial" else frozenset(wanted.groups),
                create_there=wanted.create_in_economic,
                without_barred=wanted.without_blocked,
                only=wanted.customer,
                only_number=wanted.customer_number if wanted.kind == "trial" else None,
            )
            run = _proposed(lambda: proposing.ask(connection, known, asked, progress.clocked(site), by=person))
            return _one(connection, person, run, site)

    @made.get("/runs/{run}", **given)
    def one(person: Admin, run: RunId) -> OneRun:
        """One run."""
        with site.engine.connect() as connection:
            return _one(connection, person, run, site)

    @made.get("/runs/{run}/list", **given)
    def lines(
        person: Admin,
        run: RunId,
        wanted: Annotated[
            Kind,
            Query(alias="of", description="Which number: a system's classes, what is written, or what came of it."),
        ],
        about: Annotated[
            str, Query(max_length=60, pattern=TEXT, description="One class, detail, action or reason.")
        ] = "",
        limit: Annotated[int, Query(ge=1, le=_MOST), ASKED_WHOLE] = 50,
        skip: Annotated[int, Query(ge=0, le=10_000_000), ASKED_WHOLE] = 0,
    ) -> Lines:
        """The customers behind a number."""
        with site.engine.connect() as connection:
            progress.of(connection, person, run)
            found = listed.rows(connection, run, wanted, about, limit=limit, skip=skip)
            return Lines(total=listed.count(connection, run, wanted, about), lines=tuple(line(each) for each in found))

    @made.post("/runs/{run}/confirm", status_code=202, **given)
    def confirm(person: Admin, run: RunId, said: Annotated[Confirm, Body()]) -> OneRun:
        """Confirm a preview by its counts. The answer is another run where a new preview is made instead."""
        with site.engine.begin() as connection:
            progress.of(connection, person, run)
            counts = dict(said.counts)
            begun = _proposed(lambda: proposing.confirm(connection, run, counts, progress.clocked(site), by=person))  # type: ignore[arg-type]
            return _one(connection, person, begun, site)

    @made.post("/runs/{run}/steer", **given)
    def steer(person: Admin, run: RunId, said: Annotated[Steer, Body()]) -> OneRun:
        """Pause, resume or stop; what is done stays."""
        with site.engine.begin() as connection:
            progress.of(connection, person, run)
            if not steering.directed(connection, run, said.action, progress.clocked(site), person):
                raise Conflict("over")
            return _one(connection, person, run, site)

    @made.post("/runs/{run}/brake", **given)
    def brake(person: Admin, run: RunId, said: Annotated[AnswerBrake, Body()]) -> Settled:
        """Let exactly those of a pass that stopped go that were shown, or none of them."""
        went = halting.said(site, person, run, said.answer, said.seen)
        if went is None:
            raise Conflict("the list is another by now")
        return Settled(settled=went[0], moved=went[1])

    @made.get("/runs/{run}/undo", **given)
    def would_undo(person: Admin, run: RunId) -> WouldUndo:
        """What taking the run back would do, and what it would leave."""
        with site.engine.connect() as connection:
            found = progress.of(connection, person, run)
            if not progress.shown(connection, found, site.now()).may_be_undone:
                raise Conflict("over")
            foreseen = taking_back.foreseen(connection, found)
        return WouldUndo(
            links=foreseen.links,
            details=foreseen.details,
            set_inactive=foreseen.inactive,
            left=tuple(
                LeftAsItIs(crm_id=one.crm_id, customer_number=one.number, reason=one.reason) for one in foreseen.left
            ),
        )

    @made.post("/runs/{run}/undo", status_code=202, **given)
    def undo(person: Admin, run: RunId) -> OneRun:
        """Take the run back where nobody edited since; the run that does it. Asked twice it is one."""
        with site.engine.begin() as connection:
            progress.of(connection, person, run)
            begun = _proposed(lambda: taking_back.begin(connection, run, progress.clocked(site), by=person))
            return _one(connection, person, begun, site)

    @made.get("/trial", **given)
    def trial(person: Admin) -> Trial:
        """Who is tried, and what arrived."""
        with site.engine.connect() as connection:
            known = progress.used(connection, person)
            if known is None:
                raise Unknown
            run = trying.trial(connection, known)
            found = [] if run is None or known.pilot is None else trying.arrivals(connection, known, run)
        return Trial(
            customer=known.pilot,
            run=None if run is None else run.id,
            skipped=known.pilot_skipped,
            arrivals=tuple(
                Arrival(
                    system=each.system.value,
                    record=each.record,
                    fields=each.fields,
                    sent=each.sent,
                    arrived=each.arrived,
                    refused=each.refused,
                )
                for each in found
            ),
        )

    @made.post("/trial/end", status_code=202, **given)
    def end_trial(person: Admin, said: Annotated[EndTrial, Body()]) -> Trial:
        """End the trial."""
        with site.engine.begin() as connection:
            known = progress.locked(connection, person)
            if known.pilot is None:
                raise Conflict("over")
            trying.end(connection, known, progress.clocked(site), undo=said.answer == "undo", by=person)
        return trial(person)

    @made.post("/trial/skip", **given)
    def skip_trial(person: Admin) -> Trial:
        """Do without a trial."""
        with site.engine.begin() as connection:
            known = progress.locked(connection, person)
            trying.skip(connection, known, site.now(), person)
        return trial(person)


def _proposed(does: Callable[[], UUID]) -> UUID:
    try:
        return does()
    except NotProposed as refused:
        raise Conflict(refused.why) from refused


def _one(connection: Connection, person: Person, run: UUID, site: Site) -> OneRun:
    found = progress.of(connection, person, run)
    seen = digest(connection, run) if found.state == "braked" else ""
    return of(progress.shown(connection, found, site.now()), seen)
