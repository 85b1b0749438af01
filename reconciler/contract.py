"""Which words does the reconciler give to others? How a customer stands, told to anyone who wants to know."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from crm_outbox.messaging.envelope import MessageType, Words

EVENTS = "sync.events"

State = Literal[
    "not_set_up", "off", "access_lost", "paused", "error", "creating", "sending", "choice", "different", "not_there",
    "not_there_yet", "deleted", "perhaps", "same",
]  # fmt: skip
"""How one customer stands, by the keys people's pages use too."""


class StatusChanged(Words):
    """``sync.customer.status_changed.v1``: this customer stands differently than told before."""

    customer: str
    agreement: int | None = None
    number: int | None = None
    state: State
    details: tuple[str, ...] = ()
    """The fields it is about: differing, waiting for a choice, or refused."""
    reason: str = ""
    """For ``error``: the code; for waiting: why; for ``paused``: which system is not written to, or ``both``."""
    message: str = ""
    """For ``error``: the other side's own words, cut."""
    request_id: str = ""
    """For ``error``: what e-conomic calls its answer (`X-RequestId`), for its support."""
    since: datetime


TaskKind = Literal[
    "values", "candidates", "deleted_there", "deleted_here", "deleted_edited", "renumbered", "other_identity", "merged",
    "contact", "refused", "empty", "bouncing", "missing", "brake", "unclear", "silent",
]  # fmt: skip
"""Why a person is asked, by the keys people's pages use too."""


class TaskOpened(Words):
    """``sync.task.opened.v1``: a person must choose. Without values: those stand on the page the task leads to.

    Told again, under the same id, when what it is about changes.
    """

    task: UUID
    kind: TaskKind
    reason: str = ""
    customer: str | None = None
    agreement: int
    number: int | None = None
    details: tuple[str, ...] = ()
    page: str = ""
    """The path of the page where it is chosen, below the address of our pages."""
    opened: datetime


class TaskClosed(Words):
    """``sync.task.closed.v1``: nothing is to be chosen any more; ``how``: a person did, or the cause is gone."""

    task: UUID
    kind: TaskKind
    customer: str | None = None
    agreement: int
    number: int | None = None
    how: Literal["settled", "gone"]
    page: str = ""
    """The path of the page that says how it ended."""
    closed: datetime


RunKind = Literal["read", "switch_on", "transfer", "undo", "sweep", "pass"]
"""What a run carries out; ``pass``: what a changed rule or direction, or switching on again, sends out at once."""


class RunProgressed(Words):
    """``sync.import.progressed.v1``: how far reading, switching on or a transfer came."""

    run: UUID
    agreement: int
    kind: RunKind
    state: str
    done: int
    total: int
    left_out: int = 0
    reason: str = ""


TYPES = (
    MessageType(
        name="sync.customer.status_changed.v1", data=StatusChanged, exchange=EVENTS, must_route=False, audience="public"
    ),
    MessageType(name="sync.task.opened.v1", data=TaskOpened, exchange=EVENTS, must_route=False, audience="public"),
    MessageType(name="sync.task.closed.v1", data=TaskClosed, exchange=EVENTS, must_route=False, audience="public"),
    MessageType(
        name="sync.import.progressed.v1", data=RunProgressed, exchange=EVENTS, must_route=False, audience="public"
    ),
)
