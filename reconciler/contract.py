"""Which words does the reconciler give to others? How a customer stands, told to anyone who wants to know."""

from datetime import datetime
from typing import Literal

from crm_outbox.messaging.envelope import MessageType, Words

EVENTS = "sync.events"

State = Literal[
    "not_set_up", "off", "access_lost", "error", "creating", "sending", "choice", "different", "not_there",
    "not_there_yet", "deleted", "same",
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
    """For ``error``: the code; for waiting: why."""
    message: str = ""
    """For ``error``: the other side's own words, cut."""
    since: datetime


TYPES = (
    MessageType(
        name="sync.customer.status_changed.v1", data=StatusChanged, exchange=EVENTS, must_route=False, audience="public"
    ),
)
