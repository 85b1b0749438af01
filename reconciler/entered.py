"""Were our own keys to e-conomic entered on the server? The adapter knows, and tells every minute; its silence says neither. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.freshness import HEARD

Entered = Literal["there", "missing", "unheard", "silent"]
"""``unheard``: the adapter never told. ``silent``: it told, and is heard no more, so what it told may hold no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the adapter told last, and when. ``lacks``: the settings that were not entered, by name."""

    at: datetime
    lacks: tuple[str, ...] = ()


def entered(told: Told | None, now: datetime) -> Entered:
    """Whether everything was entered that access needs, as far as that is known now."""
    if told is None:
        return "unheard"
    if now - told.at >= HEARD:
        return "silent"
    return "missing" if told.lacks else "there"
