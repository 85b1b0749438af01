"""Which words does the CRM's side give to others? Its events, and the command it carries out.

A new field of a customer stands here, in ``economic_adapter.contract``, in ``customers`` and in ``reconciler.fields``.
An empty text is the one way to say "nothing there": null, missing and blanks are the same value.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal
from uuid import UUID

from pydantic import Field

from crm_outbox.messaging.envelope import MessageType, Words

EVENTS = "crm.events"
COMMANDS = "crm.commands"


class Stage(StrEnum):
    """A lead is a customer that is not active yet; only ``active`` ones are meant for the books."""

    LEAD = "lead"
    ACTIVE = "active"
    INACTIVE = "inactive"


class ContactPerson(Words):
    """A person at a customer, as the CRM holds it now."""

    id: str
    origin: UUID | None = None
    """The operation that created it, for life; none when a person did."""
    name: str = ""
    email: str = ""
    phone: str = ""
    notes: str = ""


class Customer(Words):
    """A customer, whole, as the CRM holds it now. ``street`` may have several lines."""

    id: str
    stage: Stage = Stage.ACTIVE
    deleted: bool = False
    merged_into: str | None = None
    origin: UUID | None = None
    """The operation that created it, for life; none when a person did."""
    created: datetime
    active_since: datetime | None = None
    number: int | None = None
    """A customer number the CRM gave; e-conomic is asked for the same one at creation."""
    name: str = ""
    cvr: str = ""
    ean: str = ""
    pnumber: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    phone: str = ""
    mobile: str = ""
    email: str = ""
    website: str = ""
    contacts: tuple[ContactPerson, ...] = ()


CUSTOMER_FIELDS = (
    "name", "cvr", "ean", "pnumber", "street", "postcode", "city", "country", "phone", "mobile", "email", "website",
)  # fmt: skip
CONTACT_FIELDS = ("name", "email", "phone", "notes")


class NotSent(Words):
    """Why a state is missing from a change: content no message can carry. ``detail`` names the field."""

    reason: str
    detail: str = ""


class CustomerChanged(Words):
    """``crm.customer.changed.v1``: the whole customer after a change. Version = the envelope's.

    ``change`` is for readers of a log; nothing is decided on it. Either ``customer`` or ``unsendable`` is there.
    """

    id: str
    change: str
    customer: Customer | None = None
    unsendable: NotSent | None = None
    run: UUID | None = None
    """The backfill that published it again, at the version it has."""


class Result(StrEnum):
    """How an operation ended. ``waiting`` is no end: it acknowledges a repeated command that still waits."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    WAITING = "waiting"


MOST_NAMED = 100
"""So many customers are named in a message one by one; of more, the whole of them is told by count and digest."""


class Many(Words):
    """Customers too many to be named: how many they are, and the SHA-256 (hex) of their sorted ids, a line each."""

    count: int
    digest: str


def many(ids: Iterable[str]) -> Many:
    """Those customers as a whole."""
    known = sorted(set(ids))
    return Many(count=len(known), digest=sha256("\n".join(known).encode()).hexdigest())


def unseen(found: Collection[str], named: Collection[str], whole: Many | None) -> tuple[str, ...]:
    """Those found that a decision had not ruled out, sorted: neither named, nor are all that were found exactly its many."""
    left = tuple(sorted(set(found) - set(named)))
    return () if left and whole is not None and many(found) == whole else left


class Outcome(Words):
    """How one operation ended, and for what was created, under which id."""

    operation: UUID
    result: Result
    reason: str = ""
    """For refused: ``version``, ``write_refused``, ``not_found``, ``candidates``, ``off``, or the other side's code."""
    message: str = ""
    """What the other side said, cut to 500 characters; shown to people, never decided on."""
    detail: str = ""
    """The field it is about, when known."""
    request_id: str = ""
    """What e-conomic calls its answer (`X-RequestId`), for its support; empty where it did not say."""
    created: str | None = None


class CustomerWritten(Words):
    """``crm.customer.written.v1``: the answer to a write; an outcome per part, and what the CRM holds now.

    Version = the envelope's. ``customer`` is none only when the CRM has no such customer.
    """

    id: str
    agreement: int
    customer: Customer | None = None
    outcomes: tuple[Outcome, ...]
    candidates: tuple[str, ...] = ()
    """Those that stopped a creation; of more than a hundred the first hundred, and ``candidates_many`` is all of them."""
    candidates_many: Many | None = None


class Part(Words):
    """One write to one record. An operation id is answered once, and repeated for free."""

    operation: UUID
    action: Literal["create", "change", "remove"]
    record: Literal["customer", "contact"]
    id: str | None = None
    """The record's id in the CRM; none for a creation."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Only what changes: field name to new value, empty text to clear it."""
    stage: Stage | None = None


class WriteCustomer(Words):
    """``crm.customer.write.v1``: write these parts of one customer, on the version the decision was made on.

    ``customer`` and ``version`` are none when the customer is to be created; ``ruled_out`` then names the customers
    the decision had seen and told apart. All parts land in one change, or each is refused with its reason.
    """

    agreement: int
    customer: str | None = None
    version: str | None = None
    parts: tuple[Part, ...]
    ruled_out: tuple[str, ...] = ()
    ruled_out_many: Many | None = None
    """In the place of ``ruled_out`` above a hundred: holds only where exactly these are found."""


class RunBackfill(Words):
    """``crm.backfill.run.v1``: publish every customer there is, once each, in the bulk lane. Its run is its operation id.

    ``start`` false ends a run early.
    """

    run: UUID
    start: bool = True


class BackfillProgressed(Words):
    """``crm.backfill.progressed.v1``: how far a backfill came; the first one, and the one that ends it, are its answers.

    ``read`` counts customers published, each once; ``count`` is how many there were at the start, as far as known.
    ``closed``: nothing more is published under this run; ``read`` is then the number of customers it published.
    """

    run: UUID
    read: int
    count: int
    closed: bool = False
    stopped: bool = False


TYPES = (
    MessageType(name="crm.customer.changed.v1", data=CustomerChanged, exchange=EVENTS, audience="public"),
    MessageType(name="crm.customer.written.v1", data=CustomerWritten, exchange=EVENTS),
    MessageType(name="crm.customer.write.v1", data=WriteCustomer, exchange=COMMANDS),
    MessageType(name="crm.backfill.run.v1", data=RunBackfill, exchange=COMMANDS),
    MessageType(name="crm.backfill.progressed.v1", data=BackfillProgressed, exchange=EVENTS),
)


def aggregate(customer: str) -> str:
    """The subject of every message about that customer of the CRM."""
    return f"customer/{customer}"
