"""What do people's edits amount to? The history of every cell, kept beside the systems and unknown to them.

A cell is one field of one record in one system. It carries which edits its value has taken in, so that a write that
loses an edit is seen at once, without asking the reconciler what it believes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from reconciler import fields
from reconciler.link import Kind


@dataclass
class Entry:
    value: str
    edits: frozenset[int]
    ours: bool = False
    """Whether the product wrote it."""


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
        self.states: dict[tuple[str, str, str], dict[tuple[str, str], Entry]] = {}
        """The entries of each state that was told, by system, customer and version."""
        self.showings: dict[str, dict[tuple[str, str], Entry]] = {}
        """The entries of each record that e-conomic showed, by ``objectVersion``."""
        self.renamed: dict[str, str] = {}
        self.named: dict[str, str] = {}
        """Which record each ``objectVersion`` is of."""
        self.shown_as: dict[tuple[int, str], str] = {}
        """Which record each look at a number saw."""
        self.decided: dict[UUID, tuple[str, str, str]] = {}
        """Which state of the other side an operation was decided on."""
        self.leaving: dict[UUID | None, UUID] = {}
        """Which operation a call belongs to, by its idempotency key."""
        self.seen_apart: dict[UUID, frozenset[int]] = {}
        """Customers a creation was told apart from, by its operation."""
        self.once: dict[str, str] = {}
        """The name a record had before it was unlinked: a write decided then may still be under way."""
        self.by_person: dict[UUID, dict[str, str]] = {}
        """What a person saw in the target of each field they decided on, by the operation that carries it out."""
        self.removing: dict[UUID, str] = {}
        """The version that the removal of a contact person was decided on, by its operation."""
        self.kept: set[tuple[str, str]] = set()
        """Fields of records that were seen to differ and were to stay so."""
        self.edits = 0
        self.wrong: list[str] = []

    def cell(self, system: str, record: str, name: str) -> Cell:
        found = self.cells.get((system, record, name))
        if found is None:
            found = self.cells[system, record, name] = Cell()
        return found

    def edited(self, system: str, record: str, name: str, value: str) -> None:
        """A person sets a value."""
        self.edits += 1
        cell = self.cell(system, record, name)
        cell.entries.append(Entry(value, cell.now.edits | {self.edits}))

    def shown(self, version: str, record: str) -> None:
        """e-conomic shows a record under that ``objectVersion``: which entries it holds."""
        self.named[version] = record
        self.showings[version] = {
            (record, name): self.cell("economic", record, name).now for name in (*fields.FIELDS["customer"], "notes")
        }

    def looked(self, number: int, version: str, object_versions: Sequence[str]) -> None:
        """The adapter keeps what it was shown, under its own version: the customer first, then its persons."""
        if object_versions:
            self.shown_as[number, version] = self.named.get(object_versions[0], "")
        state: dict[tuple[str, str], Entry] = {}
        for one in object_versions:
            state |= self.showings.get(one, {})
        self.states["economic", str(number), version] = state

    def now_named(self, record: str) -> str:
        """What a record is called now that went by that name once."""
        return self.renamed.get(record, record)

    def told(self, system: str, about: str, version: str, records: Iterable[str]) -> None:
        """A state goes out: which entries it holds."""
        self.states[system, about, version] = {
            (record, name): self.cell(system, record, name).now
            for record in records
            for name in (*fields.FIELDS["customer"], "notes")
        }

    def taken(self, kind: Kind, source: str, record: str, name: str, value: str, operation: UUID) -> Entry | None:
        """The entry of the source that a written value comes from; none when it never held anything like it."""
        state = self.states.get(self.decided[operation], {}) if operation in self.decided else {}
        names = self._names(record)
        entry = next((state[one, name] for one in names if (one, name) in state), None)
        if entry is not None and _alike(kind, name, entry.value, value):
            return entry
        held = [entry for one in names for entry in reversed(self._entries(source, one, name))]
        return next((one for one in held if _alike(kind, name, one.value, value)), None)

    def _names(self, record: str) -> list[str]:
        """The name of a record, and those it went by before, the last first."""
        found = [record]
        for one in found:
            earlier = [self.once[one]] if one in self.once else []
            found += [
                name
                for name in (*earlier, *(name for name, now in self.renamed.items() if now == one))
                if name not in found
            ]
        return found

    def _entries(self, system: str, record: str, name: str) -> list[Entry]:
        cell = self.cells.get((system, record, name))
        return [] if cell is None else cell.entries

    def created(
        self, kind: Kind, target: str, source: str, record: str, values: dict[str, str], operation: UUID
    ) -> None:
        """The product creates a record there, from what the other system held at some moment."""
        for name in fields.FIELDS[kind]:
            value = values.get(name, "")
            entry = self.taken(kind, source, record, name, value, operation)
            if value and entry is None:
                self.wrong.append(f"{target} {record} {name}: created with {value!r}, which {source} never held")
            self.cells[target, record, name] = Cell([Entry(value, entry.edits if entry else frozenset(), ours=True)])

    def joined(
        self, kind: Kind, record: str, other: str, here: tuple[str, str, str], there: tuple[str, str, str], *,
        kept: bool = False,
    ) -> None:  # fmt: skip
        """e-conomic's record ``other`` turns out to be the CRM's ``record``, as the states told it; blanks may be filled.

        ``kept``: what differs otherwise was seen, and is to stay so.
        """
        self.without_base.add(record)
        again = self.renamed.get(other) == record  # under its other number: its history has moved already
        self._goes_by(other, record)
        stays = self._stays(kind, record, other, here, there) if kept else frozenset()
        self.kept |= {(record, name) for name in stays}
        for name in fields.FIELDS[kind]:
            moved = self.cell("economic", record, name) if again else Cell()
            cells = self.cell("crm", record, name), self.cells.pop(("economic", other, name), moved)
            self.cells["economic", record, name] = cells[1]
            seen = (
                self.states.get(here, {}).get((record, name), cells[0].now),
                self._shown_then(there, record, name) or cells[1].now,
            )
            same = name in stays or _alike(kind, name, seen[0].value, seen[1].value)
            both = seen[0].edits | seen[1].edits
            for cell, entry in zip(cells, seen, strict=True):
                settled = entry.edits if fields.blank(entry.value) and not same else frozenset()
                for one in _from(cell, entry):
                    one.edits = (one.edits | both) if same else one.edits - settled

    def _stays(
        self, kind: Kind, record: str, other: str, here: tuple[str, str, str], there: tuple[str, str, str]
    ) -> frozenset[str]:
        """The fields that stay different: of each detail that differs, unless one side has nothing of it."""
        stays: set[str] = set()
        for group in fields.GROUPS[kind]:
            crm, economic = {}, {}
            for name in group.fields:
                crm[name] = self.states.get(here, {}).get((record, name), self.cell("crm", record, name).now).value
                shown = self._shown_then(there, record, name) or self.cell("economic", other, name).now
                economic[name] = shown.value
            unlike = [one for one in group.fields if not _alike(kind, one, crm[one], economic[one])]
            blank = any(all(fields.blank(side[one]) for one in unlike) for side in (crm, economic))
            if unlike and not blank:
                stays.update(group.fields)
        return frozenset(stays)

    def _shown_then(self, state: tuple[str, str, str], record: str, name: str) -> Entry | None:
        """What a state told of a record, under the name it has now or one that it had then."""
        told = self.states.get(state, {})
        names = (record, *(one for one, now in self.renamed.items() if now == record))
        return next((told[one, name] for one in names if (one, name) in told), None)

    def parted(self, record: str, other: str) -> None:
        """e-conomic's record of that name is not the CRM's any more, and goes by another name."""
        self.once[other] = record
        mine = {one for one in (*self.shown_as.values(), *self.named.values()) if self.now_named(one) == record}
        self.shown_as = {key: other if name in mine else name for key, name in self.shown_as.items()}
        self.named = {key: other if name in mine else name for key, name in self.named.items()}
        self._goes_by(record, other)
        self.kept |= {(other, name) for key, name in self.kept if key == record}
        for system, key, name in [one for one in self.cells if one[:2] == ("economic", record)]:
            self.cells[system, other, name] = self.cells.pop((system, key, name))

    def _goes_by(self, name: str, now: str) -> None:
        """Whatever went by that name goes by another from here on."""
        self.renamed = {one: now if known == name else known for one, known in self.renamed.items() if one != now}
        self.renamed[name] = now

    def written(
        self, kind: Kind, target: str, source: str, record: str, name: str, value: str, operation: UUID, *, strict: bool
    ) -> None:
        """The product writes a value it took from the other system. ``strict``: no rule allows it to lose an edit."""
        of = record if (source, record, name) in self.cells else self.once.get(record, record)
        here, there = self.cell(target, record, name), self.cell(source, of, name)
        if name in (seen := self.by_person.get(operation, {})):
            if not _alike(kind, name, here.now.value, seen[name]):
                self.wrong.append(
                    f"{target} {record} {name}: {here.now.value!r} lost to a decision that had seen {seen[name]!r}"
                )
            self.kept.add((record, name))  # what is on the other side was seen, and may differ from then on
            shown = self._shown_then(self.decided[operation], record, name) or there.now
            here.entries.append(Entry(value, here.now.edits | shown.edits, ours=True))
            return
        entry = self.taken(kind, source, record, name, value, operation)
        if entry is None and self._of_another(record, name, operation):
            here.entries.append(Entry(value, here.now.edits, ours=True))
            return
        if entry is None:
            self.wrong.append(f"{target} {record} {name}: wrote {value!r}, which {source} never held")
            return
        strict = strict and not self._of_another(record, name, operation)
        later = _from(there, entry)
        before = there.entries[: len(there.entries) - len(later) + 1]
        known = any(_alike(kind, name, one.value, here.now.value) for one in before)
        fills = record in self.without_base and fields.blank(here.now.value)
        newer = entry.edits <= here.now.edits  # what is overwritten has taken in all that it is overwritten with
        if (record, name) in self.kept:  # seen and left different: it goes along with the rest of its detail
            newer = entry.edits < here.now.edits
        since = next((at for at in range(len(here.entries) - 1, 0, -1) if here.entries[at].ours), 0)
        back = any(
            _alike(kind, name, one.value, here.now.value) and one.edits <= entry.edits for one in here.entries[since:-1]
        )  # put back to what the decision had seen: no change, unless something of ours was put away by it
        if strict and not fills and not back and (newer or (not known and not here.now.edits <= entry.edits)):
            self.wrong.append(f"{target} {record} {name}: {here.now.value!r} lost to {value!r}")
        lost = here.now.edits
        here.entries.append(Entry(value, lost | entry.edits, ours=True))
        for one in later:  # both agreed on that value: what led to it is settled on either side
            one.edits |= lost

    def _of_another(self, record: str, name: str, operation: UUID) -> bool:
        """Whether it was decided of a customer that was merged into this one since, with the write under way."""
        state = self.states.get(self.decided.get(operation, ("", "", "")), {})
        return bool(state) and not {(record, name), (self.once.get(record, record), name)} & state.keys()

    def clash(self, kind: Kind, record: str, names: tuple[str, ...]) -> bool:
        """Whether people changed that detail on both sides, neither edit having reached the other."""

        def news(one: str, other: str) -> bool:
            return any(
                not self.cell(one, record, name).now.edits <= self.cell(other, record, name).now.edits for name in names
            )

        return news("crm", "economic") and news("economic", "crm")


def _from(cell: Cell, entry: Entry) -> list[Entry]:
    """That entry and the later ones."""
    return cell.entries[next((at for at, one in enumerate(cell.entries) if one is entry), 0) :]


def _alike(kind: Kind, name: str, one: str, other: str) -> bool:
    return fields.agree(kind, name, one, other) or fields.agree(kind, name, other, one)
