"""What is paused, for a service: seen, paused until a moment or until further notice, and let go on."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Request
from pydantic import Field

from reconciler.pausing import NotLater
from reconciler.person import Person
from reconciler.rules import System
from reconciler.web import pause
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import Moment, needs
from reconciler.web.doors import Senseless, Unknown
from reconciler.web.pause import To
from reconciler.web.site import Site

_ERRORS: Final[Mapping[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The end is past; nothing was changed"},
    403: {"model": Problem, "description": "Only an administrator's key may"},
    404: {"model": Problem, "description": "No agreement is connected"},
}


class Paused(Said):
    """Nothing is written to that system; ``until`` none: until further notice."""

    system: System
    since: datetime
    until: datetime | None
    who: str


class Pauses(Said):
    """What is paused. ``waiting``: how many customers have something that waits for it."""

    paused: tuple[Paused, ...]
    waiting: int


class WantedPause(Said):
    """Which direction is to be paused, named by the system that is not written to, and until when."""

    to: To = Field(examples=["economic"])
    until: Moment | None = None


class GoOn(Said):
    """Which direction is to go on."""

    to: To = Field(examples=["both"])


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Seeing what is paused, pausing and going on."""

    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    given: dict[str, Any] = {"tags": ["set-up"], "responses": _ERRORS, "openapi_extra": needs("administer")}

    @made.get("/set-up/pause", **given)
    def paused(person: Asking) -> Pauses:
        """Which directions are paused, until when, and by whom."""
        return _said(site, person)

    @made.post("/set-up/pause", **given)
    def begin(person: Asking, wanted: Annotated[WantedPause, Body()]) -> Pauses:
        """Pause a direction; said again, the later word holds. Nothing is lost meanwhile."""
        try:
            pause.pause(site, person, wanted.to, wanted.until)
        except NotLater as refused:
            raise Senseless("the end is past") from refused
        return _said(site, person)

    @made.post("/set-up/pause/resume", **given)
    def end(person: Asking, wanted: Annotated[GoOn, Body()]) -> Pauses:
        """Let a direction go on; what waits is written in the order in which it began to wait."""
        pause.resume(site, person, wanted.to)
        return _said(site, person)


def _said(site: Site, person: Person) -> Pauses:
    with site.engine.connect() as connection:
        found = pause.held(connection, person)
    if found is None:
        raise Unknown
    return Pauses(
        paused=tuple(
            Paused(system=one.system, since=one.since, until=one.until, who=one.who) for one in found.known.halts
        ),
        waiting=found.waiting,
    )
