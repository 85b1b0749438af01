"""How does a customer stand, for whoever asks? The one answer behind the widget, the customer's page and the JSON."""

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_outbox.messaging.envelope import Version
from reconciler import looks, measures, snapshots, views
from reconciler.agreement import Agreement
from reconciler.freshness import Layer, Reach, delayed_since, is_served, is_waited_for, layer
from reconciler.halts import Halts
from reconciler.lately import Lately, lately
from reconciler.note import Note
from reconciler.person import Person
from reconciler.snapshots import Snapshot
from reconciler.standing import Standing, standing, unknown
from reconciler.standing import lasts as standing_lasts
from reconciler.views import Customer
from reconciler.web.doors import Unknown
from reconciler.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """What of a status becomes another by time alone: cheaply reckoned anew, also where nothing was written."""

    second: Layer
    lately: Lately
    """What was written of it last."""
    waits: bool = False
    """Whether a look is on its way that may still be answered, also one that was refused and is tried again."""
    compares: bool = False
    """Whether there is something to ask e-conomic about it, and it would be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Passing):
    """Both layers of a status, and who may help where a right is lacking."""

    found: Customer
    first: Standing
    admins: tuple[str, ...]
    lasts: bool = False
    """Whether the first layer stays as it is until a row is written."""

    @property
    def halts(self) -> Halts:
        """What was paused that something of this customer waits for."""
        if self.first.status.state != "paused" or self.found.agreement is None:
            return ()
        reason = self.first.status.reason
        return tuple(one for one in self.found.agreement.halts if reason in {"both", one.system})

    @property
    def number(self) -> int | None:
        """The customer number in e-conomic, if it is linked."""
        return None if self.found.stored is None else self.found.stored.link.number


def of(
    site: Site, person: Person, crm_id: str, version: str | None, *, ours: bool = False, opening: bool = False
) -> Told:
    """How that customer of that person's tenant stands, on a page that shows that version of it.

    ``ours``: the page shows the version that was compared, whatever it is. ``opening``: the person opens it, or wants it
    compared again, so that e-conomic is asked unless it just was.
    """
    now = site.now()
    if opening:
        with site.engine.begin() as connection:
            found, asked = views.opened(connection, person.tenant, crm_id, now)
            known, unsent = snapshots.read(connection, person.tenant, found), measures.unsent(connection, now)
        if asked:
            site.ring()
    else:
        with site.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")  # one statement as a rule, and no other trip
            known, unsent = site.snapshots.of(connection, person.tenant, crm_id, now)
    shown = known.found.known.compared if ours else views.parsed(version)
    return told(site, person, known, passing(known, unsent, shown, now), shown, now)


def passing(known: Snapshot, unsent: datetime | None, shown: Version | None, now: datetime) -> Passing:
    """What is told of that customer now because of the time, on a page that shows that version of it.

    ``unsent``: since when the oldest message of ours waits.
    """
    found = known.found
    reach = Reach() if found.agreement is None else _reach(found.agreement, unsent, now)
    return Passing(
        second=layer(found.known, found.look, reach, shown, now),
        lately=lately(known.landed, now),
        waits=found.look is not None and is_waited_for(found.look, now),
        compares=found.compares and is_served(reach, now),
    )


def told(
    site: Site, person: Person, known: Snapshot, passes: Passing, shown: Version | None, now: datetime
) -> Told:  # fmt: skip
    """How that customer stands, with what passes as it is at that moment."""
    found, kept = known.found, known.kept
    lasts = not found.is_missing
    if found.stored is None:
        first = unknown(found.without_link, person, kept)
    else:
        link = found.stored.link
        rules = found.stored.agreement.rules_for(link, site.resend)
        first, lasts = standing(link, rules, person, kept, now, shown), lasts and standing_lasts(link, rules)
    if found.is_missing:
        first = replace(first, notes=(*first.notes, Note(kind="not_found", at=found.known.seen or now)))
    return Told(
        found=found, first=first, admins=tuple(known.admins), lasts=lasts, second=passes.second, lately=passes.lately,
        waits=passes.waits, compares=passes.compares,
    )  # fmt: skip


def _reach(agreement: Agreement, unsent: datetime | None, now: datetime) -> Reach:
    """How e-conomic is reached, and since when something of ours lies on the way."""
    lies = delayed_since(unsent, agreement.figures, now)
    return replace(agreement.reach, delayed_since=lies)


def compare(site: Site, person: Person, crm_id: str) -> None:
    """Ask e-conomic about that customer, unless it just was, and wait for its answer for a moment; ``Unknown`` for none."""
    found = of(site, person, crm_id, None, opening=True).found
    if found.stored is None:
        raise Unknown
    if found.look is not None and found.look.id is not None:
        _wait(site, found.stored.link.id, found.look.id)


def _wait(site: Site, link: UUID, look: UUID) -> None:
    """Until that look at a customer was answered or refused, at most two seconds; not at all where many wait already."""
    if not _WAITING.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < until:
            with site.engine.connect() as connection:
                found = looks.of(connection, link)
            if found is None or found.id != look or found.is_over:
                return
            time.sleep(_BETWEEN)
    finally:
        _WAITING.release()


LONGEST_WAIT: Final = 2.0
_BETWEEN: Final = 0.05
_WAITING: Final = threading.BoundedSemaphore(8)
"""Who waits holds a thread of the server: so many may, all others are shown what there is."""
