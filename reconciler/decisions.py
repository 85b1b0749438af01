"""What did a person decide, having seen what? Values that are kept for good, and how each part of them ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from reconciler.person import Person
from reconciler.rules import Area, System

KEEP = timedelta(days=30)
"""How long a decision can be undone."""

Means = Literal[
    "settle", "undo", "retry", "leave", "link", "renumbered", "not_the_same", "create", "unlink", "inactive", "bar",
    "same_customer", "same_person", "another_person", "supply", "flow", "still",
]  # fmt: skip
"""What a decision is about. ``leave``: the question is answered with leaving everything as it is. ``supply``: what a creation lacks
is given for this customer alone. ``flow``: from here on the customer flows automatically; ``still``: it does not."""

Take = Literal["crm", "economic", "text", "different", "undo"]
"""Whose value both get: one side's, a new one; or none, and they stay different. ``undo``: what was there before."""

Before = Literal["", "ask", "kept"]
"""How a detail stood apart from its values: asked about, or kept different by an earlier decision."""

Result = Literal["written", "kept", "done", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be done about one detail (a group of fields) of one record.

    ``crm`` and ``economic`` are what each side is to hold; none, and it keeps what it has. ``seen_*`` is what the person
    saw there; ``over`` the choice that stood for the detail then. ``after``: how the detail stands once this is done.
    """

    record: UUID
    detail: str
    take: Take
    crm: Mapping[str, str] | None = None
    economic: Mapping[str, str] | None = None
    seen_crm: Mapping[str, str]
    seen_economic: Mapping[str, str]
    over: UUID | None = None
    after: Before = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """What a person chose for one new customer in e-conomic, where its country or an admin's defaults do not say.

    ``area`` stands for the country where the CRM names none that is known; each of the others goes before the defaults.
    """

    area: Area | None = None
    group: int | None = None
    terms: int | None = None
    zone: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about one customer. Saved once by its id, however often it is sent.

    ``seen`` holds the versions the page showed, of the CRM and of e-conomic; ``task`` the fingerprint of the question it
    answers. ``number`` and ``ids`` name customers, ``record`` and ``other`` contact persons. ``who_id`` is the id of the person
    ``who`` names, or of an API key; empty where only the name is known.
    """

    id: UUID
    tenant: str
    agreement: int
    link: UUID
    means: Means
    who: str
    at: datetime
    wishes: tuple[Wish, ...] = ()
    undoes: UUID | None = None
    task: str = ""
    system: System | None = None
    number: int | None = None
    ids: tuple[str, ...] = ()
    record: UUID | None = None
    other: UUID | None = None
    seen: tuple[str, str] = ("", "")
    supplied: Supplied | None = None
    who_id: str = ""

    def is_by(self, person: Person) -> bool:
        """Whether that person decided it: by the id where it is known, else by the name."""
        return self.who_id == person.id if self.who_id else self.who == person.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one part of a decision ended; ``detail`` empty for what is not about a detail.

    ``reason``, of refused: ``moved`` (a shown value is another now), ``chosen`` (by the decision ``other``), ``gone``
    (the record is not on both sides any more), ``expired``, or the code of the side that refused it. The values before
    and after are those of an undo; ``was`` is how the detail stood before.
    """

    decision: UUID
    result: Result
    record: UUID | None = None
    detail: str = ""
    reason: str = ""
    other: UUID | None = None
    crm: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    economic: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    was: Before = ""
    became: Before = ""


class NotDecided(Exception):
    """The decision was not even stored: it names a customer, a detail or a decision that is not there; says which.

    ``text`` are its English words, ``values`` what is filled in, in whatever language it is said.
    """

    def __init__(self, text: str, **values: str) -> None:
        super().__init__(text.format_map(values) if values else text)
        self.text = text
        self.values = values


class NotUndone(NotDecided):
    """It cannot be undone: ``old`` (over 30 days), ``open`` (not carried out yet), or there is ``nothing`` to put back."""

    def __init__(self, why: Literal["old", "open", "nothing"], text: str) -> None:
        super().__init__(text)
        self.why = why


def state(asked: int, ended: Iterable[Ended]) -> Literal["open", "done", "refused", "partly"]:
    """How a decision of so many parts stands."""
    results = [one.result for one in ended]
    if len(results) < asked:
        return "open"
    refused = results.count("refused")
    if not refused:
        return "done"
    return "refused" if refused == len(results) else "partly"


def backwards(ended: Iterable[Ended], standing: Mapping[tuple[UUID, str], UUID]) -> tuple[Wish, ...]:
    """The wishes that put back what those parts did; a part that did nothing gives none.

    ``standing`` holds the decision that now stands for a detail, by record and detail. Undoing what this makes gives the
    first decision again.
    """
    wishes = []
    for one in ended:
        if one.record is None or one.crm is None or one.economic is None or one.result not in {"written", "kept"}:
            continue
        crm, economic = one.crm, one.economic
        wishes.append(
            Wish(
                record=one.record,
                detail=one.detail,
                take="undo",
                crm=None if crm[0] == crm[1] else crm[0],
                economic=None if economic[0] == economic[1] else economic[0],
                seen_crm=crm[1],
                seen_economic=economic[1],
                over=standing.get((one.record, one.detail)),
                after=one.was,
            )
        )
    return tuple(wishes)
