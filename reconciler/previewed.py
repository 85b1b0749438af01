"""What does a preview show? What was asked, each customer with what would be written, who is skipped, and the sums: values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_json

from reconciler.evidence import Found
from reconciler.rehearsal import Write
from reconciler.rules import System

Action = Literal["link", "create_here", "create_there", "change"]
PILOT = "pilot"
"""The evidence of a pair that a person named to try it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the run is to do. ``groups``: suggestions of this evidence were ticked. ``only``: nobody but this customer."""

    kind: Literal["switch_on", "transfer"] = "switch_on"
    tenant: str
    agreement: int
    run: UUID
    differing: Literal["keep", "economic"] = "keep"
    groups: frozenset[str] = frozenset()
    create_there: bool = False
    without_barred: bool = False
    only: str | None = None
    only_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One thing that the numbers of a preview count: a detail filled in or overwritten, a person made, a detail that differs.

    ``system`` is where it is written; none for what differs and stays.
    """

    kind: Literal["filled", "overwritten", "person", "differs"]
    system: System | None
    detail: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One customer of a system and its class; ``partner`` is who it is, or may be, on the other side, where that is one."""

    system: System
    id: str
    label: str
    partner: str = ""
    barred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One customer of the run and all that is written for it. ``differing``: the details that then still differ."""

    action: Action
    crm_id: str | None = None
    number: int | None = None
    evidence: str = ""
    writes: tuple[Write, ...] = ()
    differing: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """One customer the run leaves as it is although it could have been meant, and why."""

    crm_id: str | None = None
    number: int | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The numbers of a preview, as they are stored and shown. ``counts`` are those a person confirms."""

    crm: Mapping[str, int]
    economic: Mapping[str, int]
    barred: Mapping[str, int]
    actions: Mapping[str, int]
    filled: Mapping[str, int]
    overwritten: Mapping[str, int]
    persons: Mapping[System, int]
    differing: Mapping[str, int]
    skipped: Mapping[str, int]
    counts: Mapping[str, int]
    calls: int
    minutes: int
    safe: tuple[str, ...]


SUMMARY = TypeAdapter(Summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The receipt before the purchase. ``crm`` and ``economic`` count every customer of a system once, by class.

    ``barred`` are counted beside the classes. ``safe`` names the cases in which nothing can go wrong.
    """

    asked: Asked
    crm: Mapping[str, int]
    economic: Mapping[str, int]
    barred: Mapping[str, int]
    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    filled: Mapping[str, int] = field(default_factory=dict)
    overwritten: Mapping[str, int] = field(default_factory=dict)
    persons: Mapping[System, int] = field(default_factory=dict)
    differing: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    minutes: int = 0
    safe: tuple[str, ...] = ()
    placed: tuple[Placed, ...] = ()
    suggested: tuple[Found, ...] = ()
    """The pairs that were found, those that link by themselves first."""

    def count(self, action: Action) -> int:
        """How many customers of the run have that action."""
        return sum(one.action == action for one in self.items)

    @property
    def confirmed_by(self) -> Mapping[str, int]:
        """The counts a person confirms, in the order they are printed."""
        over = sum(self.overwritten.values())
        if self.asked.kind == "transfer":
            counts = {"created": self.count("create_here")}
        else:
            counts = {
                "linked": self.count("link"),
                "filled": sum(self.filled.values()) + sum(self.persons.values()),
                "created": self.count("create_there"),
            }
        return {**counts, "overwritten": over} if over else counts

    @property
    def summary(self) -> Summary:
        """Its numbers."""
        return Summary(
            crm=self.crm,
            economic=self.economic,
            barred=self.barred,
            actions=Counter(one.action for one in self.items),
            filled=self.filled,
            overwritten=self.overwritten,
            persons=self.persons,
            differing=self.differing,
            skipped=Counter(one.reason for one in self.skipped),
            counts=self.confirmed_by,
            calls=self.calls,
            minutes=self.minutes,
            safe=self.safe,
        )

    @property
    def fingerprint(self) -> str:
        """A digest of everything the run would do: another one, and something moved."""
        return sha256(to_json([_plain(one) for one in self.items])).hexdigest()


def _plain(item: Item) -> list[object]:
    writes = sorted((one.system, one.record, one.id, one.field, one.before, one.after) for one in item.writes)
    return [item.action, item.crm_id, item.number, item.evidence, writes]


def options(asked: Asked) -> dict[str, Any]:
    """What was chosen for a run, as it is stored; equal texts are equal choices."""
    return {
        "differing": asked.differing,
        "groups": sorted(asked.groups),
        "create_there": asked.create_there,
        "without_barred": asked.without_barred,
        "only": asked.only,
        "only_number": asked.only_number,
    }


def chosen(
    stored: Mapping[str, Any], *, kind: Literal["switch_on", "transfer"], tenant: str, agreement: int, run: UUID
) -> Asked:
    """What is to be done with choices as they were stored."""
    return Asked(
        kind=kind,
        tenant=tenant,
        agreement=agreement,
        run=run,
        differing=stored.get("differing", "keep"),
        groups=frozenset(stored.get("groups", ())),
        create_there=stored.get("create_there", False),
        without_barred=stored.get("without_barred", False),
        only=stored.get("only"),
        only_number=stored.get("only_number"),
    )
