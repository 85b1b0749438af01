"""What has an admin paused? Which systems are not written to, until when and by whom: values only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.rules import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Nothing is written to that system, until that moment (none: until further notice)."""

    system: System
    since: datetime
    until: datetime | None = None
    who: str = ""


Halts = tuple[Halt, ...]


def paused(known: Halts, halts: Iterable[Halt]) -> Halts:
    """With these as well; of a system that is paused already the later word holds."""
    given = {one.system: one for one in halts}
    return _ordered([*(one for one in known if one.system not in given), *given.values()])


def resumed(known: Halts, systems: Iterable[System]) -> Halts:
    """Without those of these systems."""
    over = set(systems)
    return tuple(one for one in known if one.system not in over)


def left(known: Halts, now: datetime) -> Halts:
    """Those that are not over yet."""
    return tuple(one for one in known if one.until is None or one.until > now)


def ends(known: Halts) -> datetime | None:
    """When the first of them is over by itself; none: never."""
    return min((one.until for one in known if one.until is not None), default=None)


def systems(known: Halts) -> tuple[System, ...]:
    """The systems that are not written to."""
    return tuple(one.system for one in known)


def _ordered(halts: Iterable[Halt]) -> Halts:
    return tuple(sorted(halts, key=lambda one: one.system))
