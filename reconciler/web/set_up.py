"""Where does an admin set the integration up? Access with its checks, on and off, when customers are transferred, disconnecting.

What is chosen here is kept at once; what it writes to customers goes out as a pass, which the brake stops.
"""

import secrets
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from sqlalchemy import Connection

from reconciler import agreements, checks, overview, passes, people, runs, setting_up, steering, switching
from reconciler.agreement import Agreement
from reconciler.checks import Stage
from reconciler.person import Language, Person
from reconciler.setting_up import NotNow
from reconciler.web import access_words, doors, our_keys, progress, run_words, screen
from reconciler.web.doors import Conflict, Known, Senseless
from reconciler.web.our_keys import OurKeys
from reconciler.web.set_up_choices import (
    FIELDS,
    Misread,
    Misreading,
    Wanted,
    Who,
    misread,
    ordered,
    standing,
    wanted_of,
)
from reconciler.web.site import Site

INVITED: Final = timedelta(minutes=30)
"""How long an address at which access is given holds."""
_SHOWN: Final = frozenset({"previewed", "confirmed", "running", "paused", "braked", "done"})
ASKING: Final = timedelta(seconds=30)
"""How long a page waits for an answer before it says that there is none."""
_ASKED_AGAIN, _HEARD_AGAIN = 2, 10
"""Seconds between two looks of a page at what e-conomic answered, and at whether the adapter is heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What is set, and what is known of the agreement; ``known`` is none, or disconnected, where nothing is connected."""

    known: Agreement | None
    ours: OurKeys
    may_create: Who
    may_bulk: Who
    highest: int | None
    previewed: bool = False
    """Whether what switching on would do was shown."""
    tried: bool = False
    """Whether one customer was tried."""

    @property
    def used(self) -> Agreement | None:
        """The agreement, while it is connected."""
        return None if self.known is None or self.known.state == "disconnected" else self.known


def of(site: Site, person: Person) -> SetUp:
    """What is set up for that person's tenant; ``Lacking`` for who is no admin."""
    doors.must(site, person, "administer")
    with site.engine.connect() as connection:
        found = agreements.of_tenant(connection, person.tenant)
        known = progress.used(connection, person) or next(iter(found), None)
        kept = people.kept(connection, person.tenant)
        return SetUp(
            known=known,
            ours=our_keys.of(site, connection),
            may_create="admins" if kept.create else "users",
            may_bulk="admins" if kept.bulk else "users",
            highest=None if known is None else overview.highest_number(connection, known.tenant, known.agreement),
            previewed=known is not None and _got_to(connection, known, _SHOWN),
            tried=known is not None and _got_to(connection, known, {"done"}, trial=True),
        )


def stages(site: Site, found: SetUp) -> Sequence[Stage]:
    """The five steps of setting up."""
    return checks.stages(found.known, site.now(), previewed=found.previewed, tried=found.tried)


def _got_to(connection: Connection, known: Agreement, states: Set[str], *, trial: bool = False) -> bool:
    run = runs.newest(connection, known.tenant, known.agreement, "switch_on", trial=trial)
    return run is not None and run.state in states


def change(site: Site, person: Person, wanted: Wanted) -> None:
    """Keep what was chosen, all of it or nothing; ``Unknown`` where there is no agreement to keep it with."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        if wanted.is_of_the_agreement:
            known = progress.locked(connection, person)
            ordered(wanted, known.number_from, known.number_to)
            setting_up.change(
                connection,
                known,
                site.clocked,
                by=person,
                transfer=wanted.transfer,
                receive=wanted.receive,
                number_from=wanted.number_from,
                number_to=wanted.number_to,
                flows_first=wanted.flows_first,
            )
        create, bulk = (None if one is None else one == "admins" for one in (wanted.may_create, wanted.may_bulk))
        setting_up.keep(connection, person, site.now(), create=create, bulk=bulk)
    site.ring()


def switch_off(site: Site, person: Person, agreement: int) -> None:
    """Switch off: nothing is written to either side any more. Off already is no error."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        known = _shown(connection, person, agreement)
        if known.state in switching.IN_USE:
            steering.switch_off(connection, known, site.clocked, person)
    site.ring()


def answer(site: Site, person: Person, agreement: int, *, right: bool) -> None:
    """Say that the connected agreement is the right one, or give it up again."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        known = _shown(connection, person, agreement)
        if right:
            setting_up.confirm(connection, known, site.now(), person)
        elif known.is_asked_about:
            setting_up.disconnect(connection, known, site.clocked, person, wrong=True)
        else:
            raise Conflict("it was confirmed, or gone on with, meanwhile")
    site.ring()


def disconnect(site: Site, person: Person, agreement: int) -> None:
    """Give the agreement up; nothing is deleted. ``NotNow`` where something is carried out."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        setting_up.disconnect(connection, _shown(connection, person, agreement), site.clocked, person)
    site.ring()


def look_over(site: Site, person: Person, agreement: int) -> None:
    """Have e-conomic asked now how the access is; nothing of what is set is begun anew."""
    doors.must(site, person, "administer")
    with site.engine.begin() as connection:
        setting_up.look_over(connection, _shown(connection, person, agreement), site.clocked, person)
    site.ring()


def invitation(site: Site, person: Person, language: Language) -> tuple[str, datetime]:
    """The address at which access to e-conomic is given for that person's tenant, and until when; ``Conflict`` for none."""
    doors.must(site, person, "administer")
    with site.engine.connect() as connection:
        ours = our_keys.of(site, connection)
    if ours.entered == "missing":
        raise Conflict("the server lacks our keys to e-conomic; whoever runs it must enter them")
    return _invited(site, person, language)


def _invited(site: Site, person: Person, language: Language) -> tuple[str, datetime]:
    until = site.now() + INVITED
    back = f"{site.public_url.rstrip('/')}/set-up"
    nonce = secrets.token_urlsafe(16)
    whom = {"tenant": person.tenant, "by": person.id}
    text = passes.invite(site.connect_key, **whom, lang=language, nonce=nonce, until=until, back=back)
    return f"{site.hooks_url}{passes.TAKEN_AT}?{urlencode({'attempt': text})}", until


def _shown(connection: Connection, person: Person, agreement: int) -> Agreement:
    """The agreement in use, locked; ``Unknown`` where it is another than was shown."""
    known = progress.locked(connection, person)
    if known.agreement != agreement:
        raise doors.Unknown
    return known


def page(site: Site, request: Request, one: Known) -> Response:
    """Everything that is set up, and what is next."""
    return _page(site, request, one)


def _page(
    site: Site,
    request: Request,
    one: Known,
    given: Mapping[str, Sequence[str]] | None = None,
    wrong: Mapping[str, Misreading] | None = None,
) -> Response:
    """The page; where something of what was given is wrong, with all of that as it was typed, and what is wrong at its field."""
    found, words = of(site, one.person), one.words
    typed = {name: "".join(texts) for name, texts in (given or {}).items()}
    known = found.known
    ours, missing = found.ours, found.ours.entered == "missing"
    steps = stages(site, found)
    asking = found.used is not None and setting_up.is_asked(found.used)
    step = access_words.step(known)
    # whether a person is led to the adapter from here: only there it matters what the adapter has
    unheard = our_keys.unknown(words, ours) if found.used is None or step == "reconnect" else ""
    late = asking and found.used is not None and site.now() - setting_up.asked_at(found.used, site.now()) > ASKING
    return screen.page(
        site,
        "set_up.html",
        one,
        400 if wrong else 200,
        here="set-up",
        chosen={**standing(found.used, found.may_create, found.may_bulk), **typed},
        wrong={name: misread(words, why, typed[name]) for name, why in (wrong or {}).items()},
        saved="saved" in request.query_params,
        why=run_words.in_the_way(one.words, request.query_params.get("why", "")),
        set_up=found,
        known=known,
        used=found.used,
        access=checks.state(known),
        ours=ours,
        connect="" if missing else _invited(site, one.person, one.words.language)[0],
        unheard=unheard,
        # a page that is loaded anew would lose what was typed
        again_after=None if wrong else _ASKED_AGAIN if asking and not late else _HEARD_AGAIN if unheard else None,
        asking=asking and not late,
        late=late,
        figures=None if found.used is None else found.used.figures,
        lines=[] if found.used is None else access_words.lines(one.words, found.used),
        stages=[(one, words(access_words.STAGES[one.name]), access_words.STAGE_PAGES[one.name]) for one in steps],
        next=checks.next_of(steps),
        lack_words=access_words.LACKS,
        lack_pages=access_words.LACK_PAGES,
        step=step,
        calls=None if found.used is None else checks.calls(found.used),
        highest_number=setting_up.HIGHEST_NUMBER,
    )


def save(site: Site, request: Request, one: Known) -> Response:
    """Keep what was chosen; a number that is none is shown again, with what is wrong."""
    given = doors.form(site, request, one, "administer", *FIELDS)
    try:
        change(site, one.person, wanted_of(given))
    except Misread as refused:
        return _page(site, request, one, given, refused.wrong)
    return doors.to(site, "/set-up?saved=yes")


def check(site: Site, request: Request, one: Known) -> Response:
    """Ask e-conomic again how the access is."""
    look_over(site, one.person, _agreement(doors.form(site, request, one, "administer", "agreement")))
    return doors.to(site, "/set-up")


def off(site: Site, request: Request, one: Known) -> Response:
    """Switch off the agreement that was shown."""
    switch_off(site, one.person, _agreement(doors.form(site, request, one, "administer", "agreement")))
    return doors.to(site, "/set-up")


def right(site: Site, request: Request, one: Known) -> Response:
    """Whether the agreement that was shown is the right one."""
    given = doors.form(site, request, one, "administer", "agreement", "right")
    said = "".join(given.get("right", []))
    if said not in {"yes", "no"}:
        raise Senseless("right")
    try:
        answer(site, one.person, _agreement(given), right=said == "yes")
    except NotNow as refused:
        return doors.to(site, f"/set-up?why={refused.why}")
    except Conflict:
        return doors.to(site, "/set-up?why=over")
    return doors.to(site, "/set-up")


def disconnect_page(site: Site, _request: Request, one: Known) -> Response:
    """What giving the agreement up does and does not, with the button that does it."""
    found = of(site, one.person)
    why = None if found.used is None else setting_up.obstacle(found.used)
    return screen.page(
        site,
        "set_up_disconnect.html",
        one,
        here="set-up",
        used=found.used,
        access=checks.state(found.known),
        why=run_words.in_the_way(one.words, why or ""),
    )


def part(site: Site, request: Request, one: Known) -> Response:
    """Give the agreement up that was shown."""
    given = doors.form(site, request, one, "administer", "agreement")
    try:
        disconnect(site, one.person, _agreement(given))
    except NotNow as refused:
        return doors.to(site, f"/set-up?why={refused.why}")
    return doors.to(site, "/set-up")


def _agreement(given: Mapping[str, Sequence[str]]) -> int:
    text = "".join(given.get("agreement", []))
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise Senseless("agreement")
    return int(text)


PAGES: Final = {
    ("GET", "/set-up"): page,
    ("POST", "/set-up"): save,
    ("POST", "/set-up/agreement"): right,
    ("POST", "/set-up/check"): check,
    ("POST", "/set-up/off"): off,
    ("GET", "/set-up/disconnect"): disconnect_page,
    ("POST", "/set-up/disconnect"): part,
}
