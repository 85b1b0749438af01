"""Why does it say that? Who put a value where it stands, read off what happened to a record, pure.

A time or a person is told only where it is known: e-conomic does not say who edited, and neither system when.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler import fields
from reconciler.fields import Group
from reconciler.link import Kind
from reconciler.rules import System

By = Literal["edit", "flow", "rule", "person"]
"""Edited there; carried over because only the other side had changed; a rule chose between two; a person chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of one record's values in one system. ``record`` is the pair's id, or the record's own id there."""

    at: datetime
    record: str
    system: System
    by: By
    before: Mapping[str, str]
    after: Mapping[str, str]
    who: str = ""
    created: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from. ``system`` is where it was edited, chosen, or carried over from; ``before`` what stood there."""

    by: By
    system: System
    at: datetime
    who: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    created: bool = False


def origin(
    kind: Kind, group: Group, system: System, values: Mapping[str, str], events: Sequence[Event]
) -> Origin | None:
    """Where what ``system`` holds of that detail comes from, by the record's events, the newest first; none if not known."""
    last = _last(kind, group, system, values, events)
    if last is None:
        return None
    before = {**{name: fields.text(values, name) for name in group.fields}, **_of(group, last.before)}
    if last.by in {"edit", "person"}:
        return Origin(by=last.by, system=system, at=last.at, who=last.who, before=before, created=last.created)
    older = [one for one in events if one.at <= last.at]
    source = _last(kind, group, system.other, {**values, **last.after}, older) if last.by == "flow" else None
    at = source.at if source is not None and source.by == "edit" else last.at
    return Origin(by=last.by, system=system.other, at=at, before=before, created=last.created)


def settled_by_rule(events: Iterable[Event], since: datetime) -> list[Event]:
    """What rules chose since then, the newest first."""
    return [one for one in events if one.by == "rule" and one.at >= since and not one.created]


def _last(kind: Kind, group: Group, system: System, values: Mapping[str, str], events: Iterable[Event]) -> Event | None:
    """The newest event that brought what that side holds; none where something unheard of came after it."""
    for one in events:
        brought = _of(group, one.after)
        if one.system is not system or not brought:
            continue
        if all(fields.agree(kind, name, fields.text(values, name), new) for name, new in brought.items()):
            return one
        return None
    return None


def _of(group: Group, values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name in group.fields}
