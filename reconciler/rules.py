"""What did an admin choose? Where each detail may be changed, who decides, when new customers go to e-conomic: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from economic_adapter.contract import Defaults

RESEND = timedelta(seconds=120)
"""How long an operation may stay unanswered before its command is sent again; the gap then doubles."""


class System(StrEnum):
    """The two systems that hold records."""

    CRM = "crm"
    ECONOMIC = "economic"

    @property
    def other(self) -> "System":
        return System.ECONOMIC if self is System.CRM else System.CRM


class Direction(StrEnum):
    """Where a detail may be changed."""

    BOTH = "both"
    ONLY_CRM = "crm"
    ONLY_ECONOMIC = "economic"
    NONE = "none"


class Decides(StrEnum):
    """Whose value holds when both sides changed it."""

    CRM = "crm"
    ECONOMIC = "economic"
    ASK = "ask"


class Transfer(StrEnum):
    """When a customer of the CRM is created in e-conomic by itself."""

    CREATED = "created"
    ACTIVE = "active"
    HAND = "hand"


class Area(StrEnum):
    """Which defaults a new customer gets, by its country."""

    DENMARK = "denmark"
    EU = "eu"
    ABROAD = "abroad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one detail, or one group of them, is kept the same."""

    direction: Direction = Direction.BOTH
    decides: Decides = Decides.ASK
    may_be_empty: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an admin chose for one agreement. A group that is missing has the rule of ``fields``.

    ``agreement`` is the state the reconciler gave it; ``since`` is when it was switched on. ``paused`` names the systems
    that are not written to. ``receive`` off: what e-conomic changes is compared and not written to the CRM by itself.
    ``held``: by a pass that braked, which pauses both for this link alone.
    ``only_decision``: that decision is carried out, and nothing else is written.
    """

    agreement: Literal["none", "connected", "on", "off", "access_lost", "disconnected"] = "none"
    since: datetime | None = None
    customer: Mapping[str, Rule] = field(default_factory=dict)
    contact: Mapping[str, Rule] = field(default_factory=dict)
    transfer: Transfer = Transfer.HAND
    defaults: Mapping[Area, Defaults] = field(default_factory=dict)
    paused: frozenset[System] = frozenset()
    receive: bool = True
    held: bool = False
    only_decision: UUID | None = None
    inactive_rests: bool = False
    """A customer that is inactive in the CRM does not flow; what a person decides about it is still carried out."""
    flows_first: bool = True
    """Whether a customer flows by itself once it is linked, transferred or created; a lead from when it becomes one."""
    numbers: str = ""
    """From where to where the numbers of new customers go: who was refused for want of one is tried again in another range."""
    removes: frozenset[System] = frozenset()
    """From which systems a contact person is removed who was removed in the other: an admin's recorded choice."""
    resend: timedelta = RESEND
