"""What is a run to a service? The JSON of one, of its lists, and of what may be said to it; as the pages show it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from reconciler import listed
from reconciler.contract import RunKind
from reconciler.receipt import GROUPS
from reconciler.web.api.problems import Said
from reconciler.web.api.strict import TEXT, WHOLE, Flag
from reconciler.web.progress import Shown

Count = Annotated[int, Field(ge=0, le=2_000_000_000), WHOLE]
State = Literal[
    "asked", "previewed", "confirmed", "running", "paused", "braked", "done", "stopped", "failed", "replaced"
]  # fmt: skip


class Preview(Said):
    """The numbers of a preview: every customer of both systems in one class, what would be written, and what confirms it."""

    clickmate: Mapping[str, int]
    economic: Mapping[str, int]
    blocked: Mapping[str, int]
    actions: Mapping[str, int]
    filled: Mapping[str, int]
    overwritten: Mapping[str, int]
    contact_persons_made: Mapping[str, int]
    differing: Mapping[str, int]
    skipped: Mapping[str, int]
    safe: tuple[str, ...]
    calls: int
    minutes: int
    confirm: Mapping[str, int]


class Reading(Said):
    """How far both sides are read."""

    run: UUID
    done: int
    total: int
    calls: int
    minutes_left: int | None
    waits: str


class OneRun(Said):
    """One run: what it is, how far it came, and its preview."""

    id: UUID
    kind: RunKind
    state: State
    reason: str
    customer: str | None
    started: datetime
    ended: datetime | None
    asked_by: str
    done: int
    left_out: int
    total: int
    minutes_left: int | None
    calls: int
    reading: Reading | None
    preview: Preview | None
    left_out_because: Mapping[str, int]
    may_be_undone: bool
    undone_by: UUID | None
    seen: str
    """Of a pass that stopped: what its list is now; an answer names it."""


class Runs(Said):
    """The runs of the tenant's agreement, the newest first."""

    runs: tuple[OneRun, ...]


class AskForRun(Said):
    """What a run is to do. ``groups``: suggestions of this evidence are approved. Of a trial: ``customer``."""

    kind: Literal["switch_on", "transfer", "trial"] = Field(examples=["switch_on"])
    groups: frozenset[Literal[GROUPS]] = frozenset()  # type: ignore[valid-type]
    create_in_economic: Flag = False
    differing: Literal["keep", "economic"] = "keep"
    without_blocked: Flag = False
    customer: Annotated[str | None, Field(min_length=1, max_length=200, pattern=TEXT)] = None
    customer_number: Annotated[int, Field(gt=0, lt=1_000_000_000), WHOLE] | None = None


class Confirm(Said):
    """The counts of a preview, as it named them under ``confirm``."""

    counts: Annotated[dict[Literal["linked", "filled", "created", "overwritten"], Count], Field(min_length=1)] = Field(
        examples=[{"linked": 170, "filled": 46, "created": 0}]
    )


class Steer(Said):
    """Pause, go on, or stop."""

    action: Literal["pause", "resume", "stop"] = Field(examples=["pause"])


class AnswerBrake(Said):
    """Let exactly those go that were shown, or none of them."""

    answer: Literal["release", "stop"] = Field(examples=["release"])
    seen: Annotated[str, Field(max_length=64, pattern=TEXT)]


class Settled(Said):
    """How many went as was said, and how many had moved and are held still."""

    settled: int
    moved: int


class LeftAsItIs(Said):
    """One customer that is not taken back whole, and why."""

    crm_id: str | None
    customer_number: int | None
    reason: str


class WouldUndo(Said):
    """What taking a run back would do, and what it would leave."""

    links: int
    details: int
    set_inactive: int
    left: tuple[LeftAsItIs, ...]


class Line(Said):
    """One line of a list behind a number."""

    crm_id: str | None
    name: str
    customer_number: int | None
    name_in_economic: str
    blocked: bool
    system: str
    about: str
    action: str
    before: str
    after: str


class Lines(Said):
    """The customers behind a number of a run; ``total`` equals the number."""

    total: int
    lines: tuple[Line, ...]


class EndTrial(Said):
    """Keep the link, or put everything back that nobody edited since."""

    answer: Literal["keep", "undo"] = Field(examples=["keep"])


class Arrival(Said):
    """One write to the customer that is tried."""

    system: Literal["crm", "economic"]
    record: str
    fields: tuple[str, ...]
    sent: datetime
    arrived: datetime | None
    refused: str


class Trial(Said):
    """Who is tried, if anybody is, and what arrived since it began, the newest first."""

    customer: str | None
    run: UUID | None
    skipped: datetime | None
    arrivals: tuple[Arrival, ...]


def of(told: Shown, seen: str = "") -> OneRun:
    run, reading, summary = told.run, told.reading, told.summary
    return OneRun(
        id=run.id,
        kind=run.kind,
        state=run.state,
        reason=run.reason,
        customer=run.options.get("only"),
        started=run.started,
        ended=run.ended,
        asked_by=run.asked_by,
        done=told.done,
        left_out=run.left_out,
        total=told.total,
        minutes_left=told.minutes,
        calls=run.calls,
        reading=None
        if reading is None
        else Reading(
            run=reading.run.id,
            done=reading.done,
            total=reading.total,
            calls=reading.run.calls,
            minutes_left=reading.minutes,
            waits=reading.run.reason,
        ),
        preview=None
        if summary is None
        else Preview(
            clickmate=summary.crm,
            economic=summary.economic,
            blocked=summary.barred,
            actions=summary.actions,
            filled=summary.filled,
            overwritten=summary.overwritten,
            contact_persons_made={str(system): n for system, n in summary.persons.items()},
            differing=summary.differing,
            skipped=summary.skipped,
            safe=summary.safe,
            calls=summary.calls,
            minutes=summary.minutes,
            confirm=summary.counts,
        ),
        left_out_because=told.left_out,
        may_be_undone=told.may_be_undone,
        undone_by=told.undone_by,
        seen=seen,
    )


def line(row: listed.Row) -> Line:
    return Line(
        crm_id=row.crm_id,
        name=row.name,
        customer_number=row.number,
        name_in_economic=row.there,
        blocked=row.barred,
        system=row.system,
        about=row.about,
        action=row.action,
        before=row.before,
        after=row.after,
    )
