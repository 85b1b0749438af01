"""How does an admin pause a direction and let it go on? Until further notice or until a day; what waits meanwhile is counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import pausing, resuming
from reconciler.agreement import Agreement
from reconciler.halts import Halt
from reconciler.pausing import NotLater
from reconciler.person import Person
from reconciler.rules import System
from reconciler.web import days, doors, filters, progress, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.rule_words import answer, asked
from reconciler.web.says import halted
from reconciler.web.site import Site

To = Literal["economic", "crm", "both"]
TO: Final[Mapping[To, str]] = {"economic": "Pause: to e-conomic", "crm": "to Clickmate", "both": "both"}
IS_PAUSED: Final[Mapping[System, str]] = {
    System.ECONOMIC: "Edits to e-conomic are paused",
    System.CRM: "Edits to Clickmate are paused",
}
SYSTEMS: Final[Mapping[To, tuple[System, ...]]] = {
    "economic": (System.ECONOMIC,), "crm": (System.CRM,), "both": tuple(System),
}  # fmt: skip
_NO_DAY: Final = '"{v}" is no day. Write it as {how}. Nothing was paused.'
_LATER: Final = "Choose a day that is still to come. Nothing was paused."


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The agreement with what is paused of it, and how many customers have something that waits for that."""

    known: Agreement
    waiting: int


def held(connection: sa.Connection, person: Person) -> Held | None:
    """What is paused of the agreement that person's tenant uses; none where none is connected."""
    known = progress.used(connection, person)
    if known is None:
        return None
    return Held(known=known, waiting=resuming.count(connection, known.tenant, known.agreement))


def pause(site: Site, person: Person, to: To, until: datetime | None) -> None:
    """Pause it; ``NotLater`` for an end that is past, ``Unknown`` where no agreement is connected."""
    with site.engine.begin() as connection:
        known = progress.locked(connection, person)
        pausing.pause(connection, known, SYSTEMS[to], site.now(), until=until, by=person)


def resume(site: Site, person: Person, to: To) -> bool:
    """Let it go on; whether it was paused. What waits leaves in the order in which it began to wait."""
    with site.engine.begin() as connection:
        return pausing.resume(connection, progress.locked(connection, person), SYSTEMS[to], site.now(), person)


def page(site: Site, _request: Request, one: Known) -> Response:
    """What is paused, and the form that pauses."""
    doors.must(site, one.person, "administer")
    return _shown(site, one)


def begin(site: Site, request: Request, one: Known) -> Response:
    """Pause a direction, or both."""
    given = doors.form(site, request, one, "administer", "to", "ends", "until")
    chosen = {name: texts[-1] for name, texts in given.items()}
    to, until = _to(chosen.get("to", "")), None
    match chosen.get("ends", "open"):
        case "open":
            pass
        case "day":
            written = chosen.get("until", "")
            until = filters.since(written)
            if until is None and written.strip():
                return _shown(site, one, chosen, one.words(_NO_DAY, v=written, how=one.words(days.PATTERN)))
            if until is None:
                return _shown(site, one, chosen, one.words(_LATER))
        case _:
            raise Senseless("an end that is none")
    try:
        pause(site, one.person, to, until)
    except NotLater:
        return _shown(site, one, chosen, one.words(_LATER))
    return doors.to(site, "/set-up/pause")


def end(site: Site, request: Request, one: Known) -> Response:
    """Let a direction go on, or both; what goes on already goes on."""
    given = doors.form(site, request, one, "administer", "to")
    resume(site, one.person, _to("".join(given.get("to", []))))
    return doors.to(site, "/set-up/pause")


def _to(text: str) -> To:
    found = next((one for one in TO if one == text), None)
    if found is None:
        raise Senseless("a direction that is none")
    return found


def _shown(site: Site, one: Known, chosen: Mapping[str, str] | None = None, wrong: str = "") -> Response:
    with site.engine.connect() as connection:
        found = held(connection, one.person)
    chosen = chosen or {}
    return screen.page(
        site,
        "set_up_pause.html",
        one,
        400 if wrong else 200,
        here="set-up",
        held=found,
        heading=asked(one.words, TO["economic"]),
        choices=[(to, answer(one.words, text)) for to, text in TO.items()],
        chosen={"to": "both", "ends": "open", "until": "", **chosen},
        halts=[]
        if found is None
        else [(each, one.words(IS_PAUSED[each.system]), _how_long(one, each)) for each in found.known.halts],
        wrong=wrong,
        no_day=bool(wrong),
    )


def _how_long(one: Known, halt: Halt) -> str:
    said = halted(one.words, halt)
    if halt.until is not None:
        return said
    return " · ".join([one.words("until further notice"), *([said] if said else [])])


PAGES: Final = {
    ("GET", "/set-up/pause"): page,
    ("POST", "/set-up/pause"): begin,
    ("POST", "/set-up/pause/resume"): end,
}
