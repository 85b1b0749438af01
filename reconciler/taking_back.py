"""What would taking a run back do, and what would it leave? Foreseen before it is asked for; then begun."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from reconciler import acts, agreements, items, reading, restoring, runs, store, switching, undoing
from reconciler.agreements import Agreement
from reconciler.link import Link, LinkState
from reconciler.person import Person
from reconciler.proposing import NotProposed
from reconciler.reconcile import Clocked
from reconciler.runs import Run

MAY_BE: Final = frozenset({"on", *switching.OPENED_FROM})
"""The states of an agreement in which a run can be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One customer that is not taken back whole, and why."""

    crm_id: str | None
    number: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What taking back would do: links removed, details put back, customers of the CRM set inactive; and what it leaves."""

    links: int
    details: int
    inactive: int
    left: tuple[Left, ...]

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many are left, by reason."""
        return Counter(one.reason for one in self.left)


def last(connection: Connection, known: Agreement, kind: str, now: datetime, run: UUID | None = None) -> Run | None:
    """The last run of that kind that can be taken back, or that one; none where there is none."""
    found = runs.of_agreement(connection, known.tenant, known.agreement, limit=1000)
    return next((one for one in found if one.kind == kind and may_be(one, now) and run in {None, one.id}), None)


def may_be(run: Run, now: datetime) -> bool:
    """Whether there is anything of that run to take back, and time left for it."""
    return undoing.may_be(run, now) and run.done > 0


def foreseen(connection: Connection, run: Run) -> Foreseen:
    """What taking back that run would do with what is known now."""
    listed = list(items.listed(connection, run.id, ["done"]))
    wanted = {one.link for one in listed}
    links = {one.id: one for one in store.of_agreement(connection, run.tenant, run.agreement) if one.id in wanted}
    left, removed, inactive = [], 0, 0
    for item in listed:
        link = None if item.link is None else links.get(item.link)
        theirs = link is not None and (item.action == "change" or link.run == run.id)
        if link is None or not theirs or link.state is not LinkState.LINKED:
            left.append(Left(crm_id=item.crm_id, number=item.number, reason=undoing.UNLINKED))
            continue
        removed += item.action != "change"
        reason = _left(link, item)
        inactive += item.action == "create_here" and reason == restoring.DONE
        if reason != restoring.DONE:
            left.append(Left(crm_id=item.crm_id or link.crm_id, number=item.number or link.number, reason=reason))
    written = {
        (one.position, write.system, write.id, write.detail) for one in listed for write in one.writes if write.id
    }
    return Foreseen(links=removed, details=len(written), inactive=inactive, left=tuple(left))


def begin(connection: Connection, run_id: UUID, clocked: Clocked, *, by: Person) -> UUID:
    """Begin to take a run back; the run that does it. ``NotProposed`` where that cannot be now.

    Asked twice is once; where one that ended left somebody out, another one tries those again.
    """
    run = reading.locked(connection, run_id)
    known = None if run is None else agreements.lock(connection, run.tenant, run.agreement)
    if run is None or known is None:
        raise NotProposed("over")
    for one in runs.of_agreement(connection, run.tenant, run.agreement, limit=1000):
        if one.of_run == run.id and (one.ended is None or (one.state == "done" and not one.left_out)):
            return one.id
    if not may_be(run, clocked.now()):
        raise NotProposed("over")
    if known.busy is not None:
        raise NotProposed("busy")
    if known.state not in MAY_BE:
        raise NotProposed("access_lost" if known.state == "access_lost" else "not_connected")
    act: acts.Act = "undo_transfer" if run.kind == "transfer" else "undo_switch_on"
    acts.add(connection, by, act, clocked.now(), run.agreement)
    return undoing.begin(connection, known, run, clocked, by=by.name)


def _left(link: Link, item: items.Stored) -> str:
    if item.action == "create_there":
        return undoing.KEPT_THERE
    if item.action == "create_here":
        return restoring.EDITED if restoring.touched(link, item.writes) else restoring.DONE
    return restoring.wishes_of(link, item.writes)[1]
