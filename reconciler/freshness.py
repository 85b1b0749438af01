"""When was a customer last known to be as shown, and is anything being done about it? The second layer of a status, pure.

The first layer says what is true of the pair; it is said in the present tense only while this says it may be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import Figures

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
HEARD: Final = timedelta(minutes=3)
"""The adapter tells of itself every minute; one that was not heard for so long is not there, or the way from it is not."""
CHECKED: Final = timedelta(minutes=15)
"""Three times as long as the longest pause between two regular checks."""
EXPIRES: Final = timedelta(seconds=30)
"""A look that nobody took for so long is not made any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The last look at e-conomic that was asked for because of this customer, and how far it is."""

    id: UUID | None = None
    asked: datetime | None = None
    taken: datetime | None = None
    refused: datetime | None = None
    """When e-conomic, or the way to it, refused an answer."""
    answered: datetime | None = None
    """When this look, or one before it, was answered last."""
    missing: bool = False
    """Whether e-conomic answered that there is no such customer, which is not believed yet."""

    @property
    def is_over(self) -> bool:
        """Whether it was answered, or refused."""
        ends = (self.answered, self.refused)
        return self.asked is None or any(one is not None and one >= self.asked for one in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How e-conomic and our own way to it stand for an agreement."""

    down_since: datetime | None = None
    """Since when no call is made, because none was answered."""
    throttled_until: datetime | None = None
    paused_since: datetime | None = None
    """Since when an operator of ours has stopped every call."""
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


def is_asked(look: Look, seen: datetime | None, reach: Reach, now: datetime) -> bool:
    """Whether a person who opens the customer now makes a look, after the last one.

    Not while one is on its way or was just made, nor while none would be served.
    """
    if not is_served(reach, now):
        return False
    if seen is not None and _younger(seen, FRESH, now):
        return False
    return not (look.asked is not None and _younger(look.asked, FRESH, now)) and not is_on_its_way(look, now)


def is_served(reach: Reach, now: datetime) -> bool:
    """Whether a look that is asked for now would be made."""
    if reach.down_since is not None or reach.paused_since is not None:
        return False
    return reach.throttled_until is None or reach.throttled_until <= now


def is_waited_for(look: Look, now: datetime) -> bool:
    """Whether a look may still be answered: one that was refused is tried again until it expires."""
    answered = look.asked is not None and look.answered is not None and look.answered >= look.asked
    return look.asked is not None and _younger(look.asked, EXPIRES, now) and not answered


def is_on_its_way(look: Look, now: datetime) -> bool:
    """Whether a look was asked for and may still be served."""
    return look.asked is not None and _younger(look.asked, EXPIRES, now) and not look.is_over


def lags(figures: Figures | None) -> bool:
    """Whether e-conomic was not asked for all that had changed for so long that regular checks do not go well."""
    return figures is not None and figures.checked is not None and figures.at - figures.checked >= CHECKED


def delayed_since(unsent: datetime | None, figures: Figures | None, now: datetime) -> datetime | None:
    """Since when something of ours lies. ``unsent``: since when our oldest message has waited; ``figures``: as last told."""
    lies = [unsent] if unsent is not None and now - unsent >= DEADLINE else []
    if figures is not None:
        lies += [figures.late_since] if figures.late_since is not None else []
        lies += [figures.at] if now - figures.at >= HEARD else []
    return min(lies, default=None)


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
    if look is not None and _waits(look, known) and (way := _under_way(look, now)):
        return way
    return "known" if known.seen is not None and _holds(known, reach, now) else "older"


def _waits(look: Look, known: Known) -> bool:
    """Whether that look was asked for after e-conomic was seen last."""
    return look.asked is not None and (known.seen is None or look.asked > known.seen)


def _under_way(look: Look, now: datetime) -> Freshness | None:
    waited = timedelta(0) if look.asked is None else now - look.asked
    late = look.taken is not None and now - look.taken >= DEADLINE
    if look.refused is not None or late or waited >= GIVEN_UP_AFTER:
        return "no_answer"
    if waited >= SLOW_AFTER:
        return "slow"
    return "looking" if waited >= SHOWN_AFTER else None


def _delayed(look: Look | None, reach: Reach, now: datetime) -> datetime | None:
    """Since when we are the reason that nothing is heard."""
    if reach.paused_since is not None or reach.delayed_since is not None:
        return reach.paused_since or reach.delayed_since
    if look is None or look.asked is None or now - look.asked < DEADLINE:
        return None
    lies = look.taken is None and look.refused is None and (look.answered is None or look.answered < look.asked)
    return look.asked if lies else None


def _holds(known: Known, reach: Reach, now: datetime) -> bool:
    return known.seen is not None and reach.checked and _younger(known.seen, KNOWN, now)


def _younger(moment: datetime, than: timedelta, now: datetime) -> bool:
    return now - moment < than
