"""What do we remember of one customer? Both sides, what they last agreed on, and what is on its way: values only.

Field names are those of the contracts. A mapping by field may lack a field: of values that is an empty text, of bases it
is "no base yet".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from crm_outbox.contract import Customer, NotSent, Outcome, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import Defaults, EconomicCustomer, WriteEconomicCustomer
from reconciler.asked import Task
from reconciler.contract import State
from reconciler.decisions import Before, Decision, Ended
from reconciler.rules import System

Kind = Literal["customer", "contact"]


class LinkState(StrEnum):
    """Where the link is in its life. ``unlinked``: the CRM's customer is known, e-conomic has none of it (any more)."""

    UNLINKED = "unlinked"
    CREATING = "creating"
    LINKED = "linked"
    RESTING = "resting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one system holds of one record.

    ``id`` is the CRM's id or e-conomic's number as text. ``version`` is what a write must name: the CRM customer's
    ``epoch.number``, or the record's ``objectVersion``; empty when the record was answered for but not yet seen.
    ``superseded``: the version our answered write replaced, while the state after it is not seen yet; a read that still
    shows it is older. ``gone``: it was seen missing there, after having been seen.
    """

    id: str
    values: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    superseded: str = ""
    gone: bool = False


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
    action: Literal["create", "change", "bar"]
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
    decided: Mapping[str, UUID] = field(default_factory=dict)
    """The fields a person decided about, and in which decision."""
    mark: Literal["", "stage", "barred"] = ""
    """What a person chose beside the details: that the CRM's customer is inactive, or e-conomic's barred."""
    sent: datetime
    due: datetime
    resent: int = 0
    acknowledged: datetime | None = None
    cause: str = ""
    """Why it waits, as the acknowledgement said: away, throttled, paused, access_lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A write that was refused for what it said: left out until one of these values moves on either side.

    ``values`` holds (crm, economic) raw for each field it holds back. ``detail`` is the field that was named, or empty.
    ``action`` create: the record does not come into being while the refusal stands.
    """

    system: System
    action: Literal["create", "change"] = "change"
    code: str
    message: str = ""
    detail: str = ""
    values: Mapping[str, tuple[str, str]]


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
    the other that had not flowed); ``unclear`` contact persons wait for a person to say who they are.
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
    rest: Literal["", "removed", "removed_edited", "unclear"] = ""
    chosen: Mapping[str, Choice] = field(default_factory=dict)
    """By group: what a person decided and is not carried out yet, or that the two are to stay different."""
    apart: tuple[str, ...] = ()
    """Contact persons of e-conomic, by number, that a person said are another one."""

    def side(self, system: System) -> Side | None:
        """What that system holds; none when it never held the record."""
        return self.crm if system is System.CRM else self.economic


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One customer of the CRM and what is known of it in one agreement. ``agreement`` none: no e-conomic yet.

    ``crm_id`` empty: a customer of e-conomic that the CRM is being asked to create, or that a task is about.
    ``crm_version`` and ``economic_version`` gate what is recorded, each side alone. ``counter`` makes ids, so that a step
    needs no randomness. ``flows`` off: recorded and compared, nothing is written.
    """

    id: UUID
    tenant: str
    agreement: int | None
    crm_id: str
    state: LinkState = LinkState.UNLINKED
    rest: Literal["", "deleted_there", "merged", "other_identity", "renumbered"] = ""
    """Why a resting link rests."""
    number: int | None = None
    old_numbers: tuple[int, ...] = ()
    flows: bool = False
    counter: int = 0
    crm_version: Version | None = None
    economic_version: Version | None = None
    stage: Stage | None = None
    created: datetime | None = None
    active_since: datetime | None = None
    wanted: int | None = None
    """The customer number the CRM chose."""
    merged_into: str | None = None
    unsendable: str = ""
    """The CRM's newest state could not be sent: reason and field."""
    barred: bool | None = None
    candidates: tuple[int, ...] = ()
    """Customers e-conomic may already have: as matching found, or as the refused creation said."""
    candidates_here: tuple[str, ...] = ()
    """Customers the CRM may already have of this e-conomic customer."""
    apart: tuple[int, ...] = ()
    """Numbers a person said are not this customer, for good."""
    parted: tuple[int, ...] = ()
    """Numbers it was unlinked from by undo: neither side is created from the other again by itself."""
    linked_by: str = ""
    """How it was linked: created, person, or the evidence that matching went by."""
    linked_at: datetime | None = None
    run: UUID | None = None
    """The run that linked or created it, for its undo."""
    waived: tuple[str, ...] = ()
    """Fingerprints of the questions that were answered with leaving it as it is."""
    customer: Pair
    contacts: tuple[Pair, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The customer and its contact persons."""
        return (self.customer, *self.contacts)

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Every write that is not answered yet."""
        return tuple(one for pair in self.pairs for one in pair.pending.values())

    @property
    def due(self) -> datetime | None:
        """When the clock must look at this link again (message ``Due``); none when nothing waits for time."""
        pauses = (one.until for pair in self.pairs for one in pair.pause.values())
        return min((*(one.due for one in self.pending), *pauses), default=None)


def new_link(tenant: str, agreement: int | None, crm_id: str, link_id: UUID) -> Link:
    """The link of a CRM customer that was just heard of for the first time."""
    return Link(
        id=link_id,
        tenant=tenant,
        agreement=agreement,
        crm_id=crm_id,
        customer=Pair(id=uuid5(link_id, "customer"), kind="customer"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSeen:
    """The CRM's side of a customer at that version. Neither customer nor unsendable: the CRM has no such customer."""

    version: Version
    customer: Customer | None = None
    unsendable: NotSent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicSeen:
    """e-conomic's side of a customer at that version; ``customer`` none: it was seen missing, and that was confirmed."""

    version: Version
    number: int
    customer: EconomicCustomer | None = None
    old_numbers: tuple[int, ...] = ()
    unsendable: NotSent | None = None
    """Why ``customer`` comes without its contact persons; nothing is known of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one message said, settled and recorded together: outcomes first, then each side behind its own gate."""

    outcomes: tuple[Outcome, ...] = ()
    crm: CrmSeen | None = None
    economic: EconomicSeen | None = None
    candidates: tuple[int, ...] = ()
    """With a refused creation in e-conomic: the numbers that stopped it."""
    candidates_here: tuple[str, ...] = ()
    """With a refused creation in the CRM: the ids that stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The clock: time has passed. Also the word for "the rules changed, plan anew"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """This customer of the CRM is that one of e-conomic. What they agreed on is not known: the link begins without bases.

    ``by`` is a person, a run, or the evidence; ``economic`` is what is recorded of that number. ``differing``: ``rule``,
    and details that differ go by rule (a link made singly); ``keep``, and every difference stays, accepted (a pass);
    ``economic``, and e-conomic's value is written where they differ. Blanks are filled in any case. Other than by
    ``rule`` it links only what was seen on both sides.
    """

    number: int
    by: str
    run: UUID | None = None
    economic: EconomicSeen | None = None
    differing: Literal["rule", "keep", "economic"] = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    """The two are linked no longer. ``person``: they are not the same customer, for good; ``undo``: they may be;

    ``moved``: another customer of the CRM has the number now.
    """

    by: Literal["person", "undo", "moved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A person or a run wants this record created in that system now, whatever the transfer setting says.

    ``ruled_out`` are the customers of that system seen and told apart: the CRM's ids, or e-conomic's numbers as text.
    ``economic`` is what is recorded of the number, for a link that only e-conomic has.
    """

    system: System
    run: UUID | None = None
    ruled_out: tuple[str, ...] = ()
    economic: EconomicSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A person decided this about the customer, and nothing of it is carried out yet.

    ``economic`` is what is recorded of the number it names. ``ended``: it was refused before it came here.
    """

    decision: Decision
    economic: EconomicSeen | None = None
    ended: tuple[Ended, ...] = ()


Message = Heard | Due | Linked | Unlinked | Create | Decided
Command = WriteCustomer | WriteEconomicCustomer


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the customer stands now; told when it differs from what was told before."""

    state: State
    details: tuple[str, ...] = ()
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step made of a message. ``counted`` names what was ignored or found, for the metrics.

    ``asked`` are the open questions after it; ``ended`` the parts of people's decisions that were carried out or refused.
    """

    link: Link
    commands: tuple[Command, ...] = ()
    status: Status
    counted: tuple[str, ...] = ()
    asked: tuple[Task, ...] = ()
    ended: tuple[Ended, ...] = ()
