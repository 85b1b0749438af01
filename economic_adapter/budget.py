"""May this call be made now? A bucket read from the answers' own headers, lanes, pauses, a day's count and a breaker.

All values; ``now`` and chance are given. Nothing here ends work: the answer is "yes" or "not before".
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

from economic_adapter.daily import next_day
from economic_adapter.protocol import Rate

LIMIT = 2000
WINDOW = 60
"""Tokens and seconds of the bucket until an answer has told better."""
DAY = 50_000
"""Calls a day at which e-conomic complains."""
DAY_SOFT = 45_000
"""Calls a day after which only people and edits are served."""
RESERVE = 0.05
"""The part of a day that is kept for people: edits that flow wait before it."""
_BEFORE_RESERVE = round(DAY * (1 - RESERVE))
LOOKS_SHARE = 0.4
"""The part of a day that people's looks may use."""
CALLS_OF_A_LOOK = 2
"""What is left of that share must be enough for a look at a customer and its contact persons."""
_MOST_LOOKS = DAY_SOFT * LOOKS_SHARE - CALLS_OF_A_LOOK
BREAKER = 5
"""So many failures in a row, and one probe at a time is sent until one succeeds."""
THROTTLE = 1.0
"""Seconds to wait after a 429 that does not say how long, before growth and jitter."""
UNTIL_RESUMED = datetime(9999, 1, 1, tzinfo=UTC)
"""The end of a pause that has none."""
LONGEST_BELIEVED = timedelta(hours=2)
"""Longer than any 429 is believed: a pause that ends later is an operator's."""
TOLD_FROM = timedelta(seconds=2)
"""A shorter wait is over before it is told."""
PROBE_AT_MOST = 30.0
"""Seconds between two probes at most."""
PROBE_AT_LEAST = timedelta(seconds=45)
"""How long a probe may be out before the next one; the deadline of a whole call."""


class Lane(IntEnum):
    """Who is served first, and up to which part of the bucket: the rest is kept for those before."""

    PERSON = 0
    EDIT = 1
    HOOK = 2
    SWEEP = 3
    IMPORT = 4

    @property
    def ceiling(self) -> float:
        """The part of the bucket at which this lane waits; background work slows down above 70 percent."""
        return (0.98, 0.9, 0.7, 0.5, 0.4)[self]

    @property
    def most(self) -> int:
        """Calls of a day, by whomever they were made, after which this lane waits for the next day."""
        return (DAY, _BEFORE_RESERVE, DAY_SOFT, DAY_SOFT, DAY_SOFT)[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is known of one agreement's bucket, day and health."""

    limit: int = LIMIT
    window: int = WINDOW
    used: int = 0
    seen_at: datetime | None = None
    paused_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    """When the first of these failures in a row was."""
    probe_at: datetime | None = None
    day: date | None = None
    calls: int = 0
    looks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Not before ``until``, because of ``cause``: away, throttled or paused."""

    until: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether e-conomic is called, as people may be told: since when it is not answering, and when a look is served next."""

    down_since: datetime | None = None
    next_call: datetime | None = None
    paused: bool = False
    """An operator stopped every call."""


def reach(budget: Budget, now: datetime) -> Reach:
    """How e-conomic can be reached. An operator's pause is not e-conomic's, and is told apart."""
    if budget.paused_until is not None and now + LONGEST_BELIEVED < budget.paused_until:
        return Reach(paused=True)
    if budget.failures >= BREAKER:
        return Reach(down_since=budget.failing_since)
    wait = check_look(budget, now)
    if wait is None or wait.until - now < TOLD_FROM:
        return Reach()
    return Reach(next_call=wait.until)


def stopped(budget: Budget, now: datetime) -> Wait | None:
    """What every call has to wait for, also one in the middle of a row: a 429, or the breaker's next probe."""
    if budget.paused_until is not None and now < budget.paused_until:
        return Wait(until=budget.paused_until, cause="throttled")
    if budget.failures >= BREAKER and budget.probe_at is not None and now < budget.probe_at:
        return Wait(until=budget.probe_at, cause="away")
    return None


def check(budget: Budget, lane: Lane, now: datetime) -> Wait | None:
    """What a call in that lane has to wait for, if anything."""
    if (stop := stopped(budget, now)) is not None:
        return stop
    if used_up(budget, lane, now):
        return Wait(until=next_day(now), cause="paused")
    free_at = _free_at(budget, lane)
    if free_at is not None and now < free_at:
        return Wait(until=free_at, cause="throttled")
    return None


def used_up(budget: Budget, lane: Lane, now: datetime) -> bool:
    """Whether that lane waits for the next day, for the calls of this one are made."""
    return budget.calls >= lane.most and _today(budget, now).calls >= lane.most


def check_look(budget: Budget, now: datetime) -> Wait | None:
    """What a look that a person waits for has to wait for: looks have a share of the day."""
    if budget.looks > _MOST_LOOKS and _today(budget, now).looks > _MOST_LOOKS:
        return stopped(budget, now) or Wait(until=next_day(now), cause="paused")
    return check(budget, Lane.PERSON, now)


def calls_today(budget: Budget, now: datetime) -> int:
    """How many calls were made today, by UTC."""
    return _today(budget, now).calls


def spend(budget: Budget, now: datetime, *, look: bool = False) -> Budget:
    """One call leaves, for a look that a person waits for or for something else. With the breaker open it is the probe, and the next one is far enough away."""
    today, over = _today(budget, now), _window_over(budget, now)
    return replace(
        today,
        used=1 if over else today.used + 1,
        seen_at=now if over else today.seen_at,
        calls=today.calls + 1,
        looks=today.looks + look,
        probe_at=now + PROBE_AT_LEAST if budget.failures >= BREAKER else budget.probe_at,
    )


def answered(budget: Budget, rate: Rate | None, now: datetime) -> Budget:
    """An answer came, good or bad: e-conomic is there, and may have told how full the bucket is."""
    healthy = replace(budget, failures=0, failing_since=None, probe_at=None)
    return told(healthy, rate, now)


def told(budget: Budget, rate: Rate | None, now: datetime) -> Budget:
    """Believe what an answer said of the bucket."""
    if rate is None:
        return budget
    return replace(budget, limit=rate.limit, window=rate.window, used=rate.used, seen_at=now)


def throttled(budget: Budget, rate: Rate | None, retry_after: float | None, now: datetime, chance: float) -> Budget:
    """A 429: nobody calls for this agreement before the time it named. No failure, and no attempt of any work."""
    wait = THROTTLE if retry_after is None else retry_after
    until = now + timedelta(seconds=wait + chance * min(1.0, 0.1 + wait * 0.05))
    pause = until if budget.paused_until is None else max(until, budget.paused_until)
    return replace(answered(budget, rate, now), paused_until=pause)


def failed(budget: Budget, now: datetime, most: float, chance: float) -> Budget:
    """No usable answer. After some in a row the breaker opens, and probes are as far apart as the back-off says, but no
    further than half a minute: people watch.
    """
    failures = budget.failures + 1
    probe_at = now + back_off(failures, min(most, PROBE_AT_MOST), chance) if failures >= BREAKER else None
    return replace(budget, failures=failures, failing_since=budget.failing_since or now, probe_at=probe_at)


def back_off(attempt: int, most: float, chance: float) -> timedelta:
    """How long to wait after that many failures: twice as long each time, at most ``most`` seconds, full jitter.

    ``chance`` is from 0 to 1. A tenth of the time is always waited, so that nothing spins.
    """
    longest = min(most, 2.0 ** min(attempt, 30) / 2)
    return timedelta(seconds=longest * (0.1 + 0.9 * chance))


def _window_over(budget: Budget, now: datetime) -> bool:
    # whether the bucket refills steadily or all at once is unknown: nothing is taken as refilled before a window ended
    return budget.seen_at is None or now - budget.seen_at >= timedelta(seconds=budget.window)


def _free_at(budget: Budget, lane: Lane) -> datetime | None:
    # One call as soon as a steady refill would allow it; its answer then tells how full the bucket really is.
    over = budget.used - lane.ceiling * budget.limit
    if over < 0 or budget.seen_at is None:
        return None
    wait = min(max(over * budget.window / budget.limit, 1.0), float(budget.window))
    return budget.seen_at + timedelta(seconds=wait)


def _today(budget: Budget, now: datetime) -> Budget:
    day = now.astimezone(UTC).date()
    return budget if budget.day == day else replace(budget, day=day, calls=0, looks=0)
