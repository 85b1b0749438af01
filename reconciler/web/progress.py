"""What does a page show of a run? How far it came, the numbers of its preview, and what may be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final, get_args
from uuid import UUID

from sqlalchemy import Connection

from reconciler import agreements, items, listed, reading, runs, taking_back
from reconciler.agreements import Agreement
from reconciler.person import Person
from reconciler.previewed import SUMMARY, Asked, Summary
from reconciler.running import asked_of
from reconciler.runs import Run
from reconciler.stepping import Clocked
from reconciler.web.doors import Unknown
from reconciler.web.site import Site

A_WHILE: Final = timedelta(minutes=1)
"""How fast it went lately says how long it will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A run as a page shows it. ``reading`` is how far both sides are read, while they are."""

    run: Run
    done: int
    total: int
    minutes: int | None
    reading: "Shown | None" = None
    summary: Summary | None = None
    left_out: Mapping[str, int]
    carried_out: Mapping[str, int]
    """How many customers were carried out, by what was done with them."""
    may_be_undone: bool = False
    undone_by: UUID | None = None

    @property
    def moves(self) -> bool:
        """Whether it goes on by itself, so that a page looks again."""
        return self.run.ended is None and self.run.state in {"asked", "confirmed", "running"}


def used(connection: Connection, person: Person) -> Agreement | None:
    """The agreement that person's tenant uses."""
    found = agreements.of_tenant(connection, person.tenant)
    return next((one for one in found if one.state != "disconnected"), None)


def locked(connection: Connection, person: Person) -> Agreement:
    """The agreement that person's tenant uses, locked; ``Unknown`` where there is none."""
    known = used(connection, person)
    again = None if known is None else agreements.lock(connection, known.tenant, known.agreement)
    if again is None:
        raise Unknown
    return again


def of(connection: Connection, person: Person, run_id: UUID) -> Run:
    """That run of that person's tenant; ``Unknown`` for any other."""
    found = runs.find(connection, run_id)
    if found is None or found.tenant != person.tenant:
        raise Unknown
    return found


def is_made_with(run: Run, asked: Asked) -> bool:
    """Whether that run's list was made with just that chosen."""
    return replace(asked_of(run), run=asked.run) == asked


def clocked(site: Site) -> Clocked:
    """The time of the pages."""
    return Clocked(resend=site.resend, now=site.now)


def shown(connection: Connection, run: Run, now: datetime) -> Shown:
    """What is shown of a run."""
    return all_shown(connection, [run], now)[0]


def all_shown(connection: Connection, found: Sequence[Run], now: datetime) -> tuple[Shown, ...]:
    """What is shown of these runs of one agreement; in as many statements as of one, but for those that go on."""
    if not found:
        return ()
    ids, last = [run.id for run in found], runs.of_agreement(connection, found[0].tenant, found[0].agreement)
    undone = {one.of_run: one.id for one in reversed(last) if one.of_run is not None}
    told = runs.seen_of(connection, [run.id for run in found if run.kind == "read"])
    left_out, carried_out = items.left_out_of(connection, ids), items.carried_out_of(connection, ids)
    shown_ = []
    for run in found:
        done, total = reading.how_far(connection, run, told.get(run.id, 0))
        if run.kind not in {"read", "sweep"}:
            done += run.left_out
        shown_.append(
            Shown(
                run=run,
                done=done,
                total=total,
                minutes=_minutes(connection, run, done, total, now),
                reading=_reading(connection, run, now) if run.state in {"asked", "confirmed"} else None,
                summary=None if run.summary is None else SUMMARY.validate_python(run.summary),
                left_out=left_out[run.id],
                carried_out=carried_out[run.id],
                may_be_undone=run.id not in undone and taking_back.may_be(run, now),
                undone_by=undone.get(run.id),
            )
        )
    return tuple(shown_)


def _reading(connection: Connection, run: Run, now: datetime) -> Shown | None:
    found = runs.latest(connection, run.tenant, run.agreement, ["read"])
    return None if found is None or found.ended is not None else shown(connection, found, now)


def _minutes(connection: Connection, run: Run, done: int, total: int, now: datetime) -> int | None:
    if run.ended is not None or run.state != "running" or not 0 < done < total:
        return None
    if run.kind == "read":
        return left(done, total - done, now - run.started)
    return left(items.lately(connection, run.id, now - A_WHILE), total - done, A_WHILE)


def left(done: int, more: int, took: timedelta) -> int | None:
    """Minutes, rounded up, until so many more are done at that speed; none where it is not known yet."""
    seconds = took.total_seconds()
    return ceil(more * seconds / done / 60) if done > 0 and seconds > 0 else None


def list_of(text: str) -> tuple[listed.Kind, str]:
    """Which list an address asks for; ``Unknown`` for none."""
    name, _, rest = text.partition(".")
    for kind in get_args(listed.Kind):
        if name == kind:
            return kind, rest
    raise Unknown


def counted(given: Mapping[str, Sequence[str]]) -> dict[str, int] | None:
    """The counts that a form carries; none where one is no number."""
    found = {name.removeprefix("count."): "".join(texts) for name, texts in given.items() if name.startswith("count.")}
    if not all(one.isascii() and one.isdecimal() and len(one) < 10 for one in found.values()):
        return None
    return {name: int(text) for name, text in found.items()}
