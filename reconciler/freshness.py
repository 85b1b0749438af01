"""When was a customer last known to be as shown, and is anything being done about it? The second layer of a status, pure.

The first layer says what is true of the pair; it is said in the present tense only while this says it may be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from crm_outbox.messaging.envelope import Version

Freshness = Literal["fresh", "known", "older", "looking", "slow", "no_answer", "down", "throttled", "delayed"]

FRESH: Final = timedelta(seconds=15)
"""An observation younger than this is of this very moment."""
KNOWN: Final = timedelta(minutes=5)
"""One younger than this holds, as long as regular checks go well."""
SHOWN_AFTER: Final = timedelta(milliseconds=300)
"""A look that ends sooner is never shown to be under way."""
SLOW_AFTER: Final = timedelta(seconds=3)
DEADLINE: Final = timedelta(seconds=5)
"""So long a look may take once somebody has taken it, and so long it may lie before nobody did."""
GIVEN_UP_AFTER: Final = timedelta(seconds=10)
"""After this a page stops asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The last look at e-conomic that was asked for because of this customer, and how far it is."""

    asked: datetime
    taken: datetime | None = None
    refused: datetime | None = None
    """When e-conomic, or the way to it, refused an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How e-conomic and our own way to it stand for an agreement."""

    down_since: datetime | None = None
    """Since when no call is made, because none was answered."""
    throttled_until: datetime | None = None
    delayed_since: datetime | None = None
    """Since when something of ours lies, outbox, broker or adapter."""
    checked: bool = True
    """Whether regular checks, and webhooks where they were chosen, go well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known: when e-conomic was seen last, and against which version of the CRM's customer it was compared."""

    seen: datetime | None
    compared: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The second layer. ``present``: the first may be said in the present tense.

    ``behind``: the page shows a newer version than was compared; ``ahead``: an older one.
    ``seen``: when e-conomic was seen last; ``since``: the time a person is told first, which for an outage is its begin.
    """

    freshness: Freshness
    present: bool
    behind: bool
    ahead: bool
    seen: datetime | None
    since: datetime | None
    next_try: datetime | None = None


def layer(known: Known, look: Look | None, reach: Reach, shown: Version | None, now: datetime) -> Layer:
    """The second layer for a page that shows that version of the CRM's customer; without a version, in the past tense."""
    freshness = _freshness(known, look, reach, now)
    compared = known.compared is not None and shown is not None and known.compared >= shown
    behind = shown is not None and not compared
    held = known.seen is not None and (_younger(known.seen, FRESH, now) or _holds(known, reach, now))
    since = {"down": reach.down_since, "delayed": _delayed(look, reach, now)}.get(freshness, known.seen)
    return Layer(
        freshness=freshness,
        present=compared and held and freshness in {"fresh", "known", "looking", "slow"},
        behind=behind,
        ahead=compared and known.compared != shown,
        seen=known.seen,
        since=since,
        next_try=reach.throttled_until if freshness == "throttled" else None,
    )


def _freshness(known: Known, look: Look | None, reach: Reach, now: datetime) -> Freshness:
    if known.seen is not None and _younger(known.seen, FRESH, now):
        return "fresh"
    if reach.down_since is not None:
        return "down"
    if reach.throttled_until is not None and reach.throttled_until > now:
        return "throttled"
    if _delayed(look, reach, now) is not None:
        return "delayed"
    if look is not None and (known.seen is None or look.asked > known.seen) and (way := _under_way(look, now)):
        return way
    return "known" if known.seen is not None and _holds(known, reach, now) else "older"


def _under_way(look: Look, now: datetime) -> Freshness | None:
    waited = now - look.asked
    late = look.taken is not None and now - look.taken >= DEADLINE
    if look.refused is not None or late or waited >= GIVEN_UP_AFTER:
        return "no_answer"
    if waited >= SLOW_AFTER:
        return "slow"
    return "looking" if waited >= SHOWN_AFTER else None


def _delayed(look: Look | None, reach: Reach, now: datetime) -> datetime | None:
    """Since when we are the reason that nothing is heard."""
    if reach.delayed_since is not None:
        return reach.delayed_since
    lies = look is not None and look.taken is None and look.refused is None
    return look.asked if look is not None and lies and now - look.asked >= DEADLINE else None


def _holds(known: Known, reach: Reach, now: datetime) -> bool:
    return known.seen is not None and reach.checked and _younger(known.seen, KNOWN, now)


def _younger(moment: datetime, than: timedelta, now: datetime) -> bool:
    return now - moment < than
