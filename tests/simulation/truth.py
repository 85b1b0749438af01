"""What do people's edits amount to? The history of every cell, kept beside the systems and unknown to them.

A cell is one field of one record in one system. It carries which edits its value has taken in, so that a write that
loses an edit is seen at once, without asking the reconciler what it believes.
"""

from dataclasses import dataclass, field
from uuid import UUID

from reconciler import fields
from reconciler.link import Kind


@dataclass
class Entry:
    value: str
    edits: frozenset[int]


@dataclass
class Cell:
    """The values one field had in one system, oldest first."""

    entries: list[Entry] = field(default_factory=lambda: [Entry("", frozenset())])

    @property
    def now(self) -> Entry:
        return self.entries[-1]


class Truth:
    """Every cell, and what was found wrong."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str, str], Cell] = {}
        self.keys: dict[UUID, str] = {}
        """Which record a creation is of, by its operation."""
        self.without_base: set[str] = set()
        """Records that were paired although both sides had them: questions about them need no edit."""
        self.edits = 0
        self.wrong: list[str] = []

    def cell(self, system: str, record: str, name: str) -> Cell:
        return self.cells.setdefault((system, record, name), Cell())

    def edited(self, system: str, record: str, name: str, value: str) -> None:
        """A person sets a value."""
        self.edits += 1
        cell = self.cell(system, record, name)
        cell.entries.append(Entry(value, cell.now.edits | {self.edits}))

    def created(self, kind: Kind, target: str, source: str, record: str, values: dict[str, str]) -> None:
        """The product creates a record there, from what the other system held at some moment."""
        for name in fields.FIELDS[kind]:
            value, there = values.get(name, ""), self.cell(source, record, name)
            taken = [one for one in there.entries if _alike(kind, name, one.value, value)]
            if value and not taken:
                self.wrong.append(f"{target} {record} {name}: created with {value!r}, which {source} never held")
            edits = taken[-1].edits if taken else frozenset()
            self.cells[target, record, name] = Cell([Entry(value, edits)])

    def joined(self, kind: Kind, record: str, other: str) -> None:
        """e-conomic's record ``other`` turns out to be the CRM's ``record``; where one side is blank it may be filled."""
        self.without_base.add(record)
        for name in fields.FIELDS[kind]:
            self.cells["economic", record, name] = self.cells.pop(("economic", other, name), Cell())
            here, there = self.cell("crm", record, name), self.cell("economic", record, name)
            for cell in (here, there):
                if fields.blank(cell.now.value):
                    cell.entries.append(Entry("", frozenset()))
            if _alike(kind, name, here.now.value, there.now.value):
                here.now.edits = there.now.edits = here.now.edits | there.now.edits

    def written(
        self, kind: Kind, target: str, source: str, record: str, name: str, value: str, *, strict: bool
    ) -> None:
        """The product writes a value it took from the other system. ``strict``: no rule allows it to lose an edit."""
        here, there = self.cell(target, record, name), self.cell(source, record, name)
        taken = [
            (place, entry)
            for place, entry in enumerate(there.entries)
            if _alike(kind, name, entry.value, value)
        ]  # fmt: skip
        if not taken:
            self.wrong.append(f"{target} {record} {name}: wrote {value!r}, which {source} never held")
            return
        place, entry = taken[-1]
        known = any(_alike(kind, name, one.value, here.now.value) for one in there.entries[: place + 1])
        if strict and not known and not here.now.edits <= entry.edits:
            self.wrong.append(f"{target} {record} {name}: {here.now.value!r} lost to {value!r}")
        here.entries.append(Entry(value, here.now.edits | entry.edits))

    def clash(self, kind: Kind, record: str, names: tuple[str, ...]) -> bool:
        """Whether people changed that detail on both sides, neither edit having reached the other."""

        def news(one: str, other: str) -> bool:
            return any(
                not self.cell(one, record, name).now.edits <= self.cell(other, record, name).now.edits for name in names
            )

        return news("crm", "economic") and news("economic", "crm")


def _alike(kind: Kind, name: str, one: str, other: str) -> bool:
    return fields.agree(kind, name, one, other) or fields.agree(kind, name, other, one)
