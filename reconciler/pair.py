"""What do we remember of one record, a customer or a contact person? Both sides, their base, what is under way: values only.

Field names are those of the contracts. A mapping by field may lack a field: of values that is an empty text, of bases it
is "no base yet".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from crm_outbox.contract import Many
from economic_adapter import contract
from economic_adapter.contract import Defaults
from reconciler.decisions import Before
from reconciler.rules import System

Kind = Literal["customer", "contact"]
Receives = contract.Receives
INVOICE_COPIES = contract.INVOICE_COPIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one system holds of one record.

    ``id`` is the CRM's id or e-conomic's number as text. ``version`` is what a write must name: the CRM customer's
    ``epoch.number``, or the record's ``objectVersion``; empty when the record was answered for but not yet seen.
    ``superseded``: the version our answered write replaced, while the state after it is not seen yet; a read that still
    shows it is older. ``gone``: it was seen missing there, after having been seen; ``confirmed``: by a later look too. ``without_persons``: why e-conomic's
    customer was told without its contact persons, of which nothing is known then. ``met``: e-conomic's name, CVR number and
    address when it was last known to be that customer, of those that have no base (R19). ``receives``: of a contact person
    in e-conomic, the documents they get a copy of; none where that was never told.
    """

    id: str
    values: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    superseded: str = ""
    gone: bool = False
    confirmed: bool = False
    without_persons: str = ""
    met: Mapping[str, str] = field(default_factory=dict)
    receives: tuple[Receives, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What each side held of one field when they last agreed. ``unknown``: a write could not be settled, so ask."""

    crm: str
    economic: str
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """One write that was recorded before it left and is not answered yet.

    ``becomes`` is the base its fields get once it is written, by field: also of those of a group that did not have to be
    written. ``seen`` is what the target held when it was decided. ``due`` is when the command goes out again.
    """

    operation: UUID
    system: System
    action: Literal["create", "change", "bar", "remove"]
    values: Mapping[str, str]
    becomes: Mapping[str, Base]
    seen: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    number: int | None = None
    """Creation of a customer in e-conomic: the number the CRM chose."""
    defaults: Defaults | None = None
    contacts_seen: tuple[int, ...] = ()
    """Creation of a contact person in e-conomic: the contact numbers the decision had seen."""
    ruled_out: tuple[str, ...] = ()
    """Creation of a customer: the customers of that side the decision had seen and told apart, by id or number."""
    many: Many | None = None
    """The same as a whole, where they are too many to be named."""
    decided: Mapping[str, UUID] = field(default_factory=dict)
    """The fields a person decided about, and in which decision."""
    mark: Literal["", "stage", "barred"] = ""
    """What a person chose beside the details: that the CRM's customer is inactive, or e-conomic's barred."""
    sent: datetime
    due: datetime
    resent: int = 0
    acknowledged: datetime | None = None
    caused: Mapping[str, datetime] = field(default_factory=dict)
    """The edits it carries, by field, and when each was made, or noticed; of a creation one for the whole record."""
    cause: str = ""
    """Why it waits, as the acknowledgement said: away, throttled, paused, access_lost, day_limit."""


UNCLEAR = frozenset({"ambiguous", "unclear"})
"""Reasons that say: sent, and it cannot be told whether it landed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A write that was refused for what it said: left out until one of these values moves on either side.

    ``values`` holds (crm, economic) raw for each field it holds back. ``detail`` is the field that was named, or empty.
    ``action`` create: the record does not come into being while the refusal stands; remove: a contact person stays there. ``many``: all the customers that stopped
    it, where they were too many to be named. ``request_id``: what e-conomic calls its answer.
    """

    system: System
    action: Literal["create", "change", "remove"] = "change"
    code: str
    message: str = ""
    request_id: str = ""
    detail: str = ""
    many: Many | None = None
    values: Mapping[str, tuple[str, str]]

    @property
    def perhaps_made(self) -> bool:
        """Whether it is a creation of which nobody can tell how it ended."""
        return self.action == "create" and self.code in UNCLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No write to that side until its version is another than this one, or until that time, whichever comes first."""

    version: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose for one group: what each system is to hold; none, and that side keeps what it has.

    Carried out only while both sides still hold what the person saw; it stands until both do as chosen, or a value moved.
    None for both: they stay different, and it stands until they agree; once one moves, a person is asked again.
    """

    decision: UUID
    crm: Mapping[str, str] | None = None
    economic: Mapping[str, str] | None = None
    seen_crm: Mapping[str, str]
    seen_economic: Mapping[str, str]
    written: tuple[System, ...] = ()
    """The systems that hold it since a write of ours landed."""
    was: Before = ""
    """How the group stood before."""
    after: Before = ""
    """How it stands once both do as chosen: the two agree, or are asked about again, or are kept different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One record, a customer or a contact person, as both sides hold it.

    ``pending`` and ``pause`` hold at most one entry per side written to. ``rest`` says why nothing flows any more between
    the two although one of them is there: ``removed`` or ``removed_edited`` (it was gone on one side and had an edit on
    the other that had not flowed); ``to_remove``: it was gone on one side, and is to be removed on the other, as an admin
    chose; ``unclear`` contact persons wait for a person to say who they are.
    """

    id: UUID
    kind: Kind
    crm: Side | None = None
    economic: Side | None = None
    base: Mapping[str, Base] = field(default_factory=dict)
    pending: Mapping[System, Pending] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    pause: Mapping[System, Pause] = field(default_factory=dict)
    bounces: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    """When e-conomic changed again what had just been written there, by group; three in a day stop the group."""
    rest: Literal["", "removed", "removed_edited", "to_remove", "unclear"] = ""
    chosen: Mapping[str, Choice] = field(default_factory=dict)
    """By group: what a person decided and is not carried out yet, or that the two are to stay different."""
    edited: Mapping[System, Mapping[str, datetime]] = field(default_factory=dict)
    """By the side where it was made: edits on their way to the other that no write carries yet, and since when."""
    apart: tuple[str, ...] = ()
    """Contact persons of e-conomic, by number, that a person said are another one."""

    @property
    def gets_invoices(self) -> bool:
        """Whether it is a contact person to whose e-mail address e-conomic sends copies of invoices or e-invoices."""
        return self.economic is not None and not INVOICE_COPIES.isdisjoint(self.economic.receives or ())

    def side(self, system: System) -> Side | None:
        """What that system holds; none when it never held the record."""
        return self.crm if system is System.CRM else self.economic
