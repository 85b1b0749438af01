"""What happened, in order? Plain values only: hashed they are the trace's name, told they are the story."""

import hashlib
from collections import Counter
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

COUNTED = (
    "links", "edits", "creations", "crashes", "losses", "duplicates", "decisions", "tasks", "renumberings", "switch-ons",
    "transfers", "removals",
)  # fmt: skip
"""What is counted of every run, in this order."""


class Note(NamedTuple):
    """One thing that happened. ``who`` did it: a person, a system, or a part of the product."""

    at: datetime
    who: str
    what: str
    about: str
    more: tuple[object, ...]


class Trace:
    """Every note of one schedule, and how often the counted things happened."""

    def __init__(self, now: datetime) -> None:
        self.notes: list[Note] = []
        self.counts: Counter[str] = Counter()
        self.now = now
        self.told: set[UUID] = set()
        """Operations that were told of."""

    def note(self, who: str, what: str, about: str, *more: object) -> None:
        """It happened. ``more`` holds values whose text is the same in every process."""
        self.notes.append(Note(self.now, who, what, about, more))

    def count(self, what: str, times: int = 1) -> None:
        """It happened so often."""
        self.counts[what] += times

    @property
    def name(self) -> str:
        """The hash of everything that happened."""
        told = hashlib.sha256()
        for one in self.notes:
            told.update(repr((one.at.isoformat(), *one[1:])).encode())
        return told.hexdigest()[:16]
