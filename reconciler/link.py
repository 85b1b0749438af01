"""What do we remember of one customer, and which messages and answers is a step made of? Values only.

What is remembered of one record of it stands in ``pair``; its words are given on here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from crm_outbox.contract import Customer, Many, NotSent, Outcome, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicCustomer, WriteEconomicCustomer
from reconciler.asked import Task
from reconciler.contract import State
from reconciler.decisions import Decision, Ended, Supplied
from reconciler.note import Note
from reconciler.pair import Base, Choice, Kind, Pair, Pause, Pending, Refusal, Side
from reconciler.rules import Rules, System

__all__ = [
    "Base", "Choice", "Command", "Create", "CrmSeen", "Decided", "Due", "EconomicSeen", "Heard", "Kind", "Link",
    "LinkState", "Linked", "Message", "Pair", "Pause", "Pending", "Refusal", "Side", "Status", "Step", "Stopped", "Unlinked",
    "new_link",
]  # fmt: skip


class LinkState(StrEnum):
    """Where the link is in its life. ``unlinked``: the CRM's customer is known, e-conomic has none of it (any more)."""

    UNLINKED = "unlinked"
    CREATING = "creating"
    LINKED = "linked"
    RESTING = "resting"


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
    suggested: tuple[int, ...] = ()
    """Customers of e-conomic that are recorded and may be this unlinked one, best first: told and shown, they hold up nothing."""
    apart: tuple[int, ...] = ()
    """Numbers a person said are not this customer, for good."""
    parted: tuple[int, ...] = ()
    """Numbers it was unlinked from by undo, or is being: neither side is created from the other again by itself."""
    linked_by: str = ""
    """How it was linked: created, person, or the evidence that matching went by."""
    linked_at: datetime | None = None
    run: UUID | None = None
    """The run that linked or created it, or the decision of the person who linked it: for its undo."""
    supplied: Supplied | None = None
    """What a person chose for its creation in e-conomic, for this customer alone."""
    waived: tuple[str, ...] = ()
    """Fingerprints of the questions that were answered with leaving it as it is."""
    notes: tuple[Note, ...] = ()
    """What is worth telling of late beside how it stands."""
    customer: Pair
    contacts: tuple[Pair, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The customer and its contact persons."""
        return (self.customer, *self.contacts)

    @property
    def may_be(self) -> tuple[int, ...]:
        """The numbers of e-conomic that this unlinked customer may have already, those of a held-back creation first."""
        if self.state is not LinkState.UNLINKED or not self.crm_id:
            return ()
        free = (one for one in self.suggested if one not in self.apart)
        return tuple(dict.fromkeys((*self.candidates, *free)))

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Every write that is not answered yet."""
        found = tuple(self.customer.pending.values())
        for pair in self.contacts:
            if pair.pending:
                found += tuple(pair.pending.values())
        return found

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
    candidates_many: Many | None = None
    """All that stopped it, where they were too many to be named."""
    caused: datetime | None = None
    """When what it tells was made, or noticed; none where nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The clock: time has passed. Also the word for "the rules changed, plan anew"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """This customer of the CRM is that one of e-conomic. What they agreed on is not known: the link begins without bases.

    ``by`` is a person, a run, or the evidence; ``economic`` is what is recorded of that number. ``differing``: ``rule``,
    and details that differ go by rule (a link made singly); ``keep``, and every difference stays, accepted (a pass);
    ``economic``, and e-conomic's value is written where they differ. Blanks are filled in any case. Other than by
    ``rule`` it links only what was seen on both sides. ``met`` says which customer that number was known to be: another
    one under it rests (R19).
    """

    number: int
    by: str
    run: UUID | None = None
    economic: EconomicSeen | None = None
    differing: Literal["rule", "keep", "economic"] = "rule"
    met: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    """The two are linked no longer. ``person``: they are not the same customer, for good; ``undo``: they may be;

    ``moved``: another customer of the CRM has the number now.
    """

    by: Literal["person", "undo", "moved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A person or a run wants this record created in that system now, whatever the transfer setting says.

    ``ruled_out`` are the customers of that system seen and told apart: the CRM's ids, or e-conomic's numbers as text;
    ``many`` all that an earlier attempt found, where they were too many to be named.
    ``economic`` is what is recorded of the number, for a link that only e-conomic has.
    """

    system: System
    run: UUID | None = None
    ruled_out: tuple[str, ...] = ()
    many: Many | None = None
    economic: EconomicSeen | None = None
    decision: UUID | None = None
    """The person's decision that ends when this creation is answered."""
    caused: datetime | None = None
    """When the customer came to be, or was noticed, where that is why it is created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A person decided this about the customer, and nothing of it is carried out yet.

    ``economic`` is what is recorded of the number it names. ``ended``: it was refused before it came here.
    """

    decision: Decision
    economic: EconomicSeen | None = None
    ended: tuple[Ended, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A person stopped a pass before it wrote to this customer: nothing of it is written, and what differs stays.

    ``economic`` is what is recorded of the number, for a link that only e-conomic has.
    """

    economic: EconomicSeen | None = None


Message = Heard | Due | Linked | Unlinked | Create | Decided | Stopped
Command = WriteCustomer | WriteEconomicCustomer


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the customer stands now; told when it differs from what was told before."""

    state: State
    details: tuple[str, ...] = ()
    reason: str = ""
    message: str = ""
    request_id: str = ""


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


def flows(link: Link, rules: Rules) -> bool:
    """Whether that customer flows by itself under these rules: one that is inactive in the CRM may rest."""
    return link.flows and not (rules.inactive_rests and link.stage is Stage.INACTIVE)
