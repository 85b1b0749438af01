"""May a call be made? Lanes with ceilings, pauses, the breaker and the day, against buckets of both readings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter import budget as budgets
from economic_adapter.budget import BREAKER, DAY, DAY_SOFT, Budget, Lane
from economic_adapter.protocol import Rate

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FULL = Rate(limit=1000, window=60, used=1000)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def at(part: float) -> Budget:
    return budgets.told(Budget(), Rate(limit=1000, window=60, used=int(1000 * part)), NOW)


def test_before_any_answer_the_small_bucket_is_assumed_and_everyone_may_call() -> None:
    assert (Budget().limit, Budget().window) == (2000, 60)
    assert [budgets.check(Budget(), lane, NOW) for lane in Lane] == [None] * len(Lane)


@pytest.mark.parametrize(
    ("part", "served"),
    [(0.3, 5), (0.45, 4), (0.55, 3), (0.72, 2), (0.93, 1), (0.99, 0)],
)
def test_the_fuller_the_bucket_the_fewer_lanes_are_served(part: float, served: int) -> None:
    assert [budgets.check(at(part), lane, NOW) is None for lane in Lane] == [lane < served for lane in Lane]


def test_a_lane_over_its_ceiling_is_tried_again_when_a_steady_refill_would_allow_it() -> None:
    wait = budgets.check(at(0.8), Lane.HOOK, NOW)
    assert wait is not None
    assert (wait.cause, wait.until) == ("throttled", later(6))
    assert budgets.check(at(0.8), Lane.HOOK, later(6)) is None


@given(st.floats(0, 1), st.sampled_from(list(Lane)))
def test_a_lane_waits_at_most_one_window(part: float, lane: Lane) -> None:
    assert budgets.check(at(part), lane, later(60)) is None


def test_a_429_stops_every_lane_until_the_named_time() -> None:
    paused = budgets.throttled(Budget(), FULL, 30.0, NOW, 0.5)
    for lane in Lane:
        wait = budgets.check(paused, lane, later(30))
        assert wait is not None
        assert wait.cause == "throttled"
    assert budgets.stopped(paused, later(31)) is None
    assert paused.failures == 0


@given(st.none() | st.floats(0, 3600), st.floats(0, 1))
def test_a_429_is_never_obeyed_too_briefly_nor_much_too_long(retry_after: float | None, chance: float) -> None:
    paused = budgets.throttled(Budget(), None, retry_after, NOW, chance)
    least = budgets.THROTTLE if retry_after is None else retry_after
    assert paused.paused_until is not None
    assert timedelta(seconds=least) <= paused.paused_until - NOW <= timedelta(seconds=least + 1)


def test_a_second_429_never_shortens_the_pause() -> None:
    paused = budgets.throttled(budgets.throttled(Budget(), None, 60.0, NOW, 0), None, 1.0, NOW, 0)
    assert paused.paused_until == later(60)


def open_breaker() -> Budget:
    budget = Budget()
    for _ in range(BREAKER):
        budget = budgets.failed(budget, NOW, 900, 0.5)
    return budget


def test_a_few_failures_stop_nobody_and_some_more_open_the_breaker() -> None:
    budget = Budget()
    for _ in range(BREAKER - 1):
        budget = budgets.failed(budget, NOW, 900, 0.5)
    assert budgets.stopped(budget, NOW) is None
    assert budgets.stopped(open_breaker(), NOW) is not None


def test_an_open_breaker_lets_one_probe_through_at_a_time() -> None:
    opened = open_breaker()
    assert opened.probe_at is not None
    assert budgets.stopped(opened, opened.probe_at) is None
    probing = budgets.spend(opened, opened.probe_at)
    assert budgets.stopped(probing, opened.probe_at + timedelta(seconds=44)) is not None
    assert budgets.stopped(budgets.answered(probing, None, NOW), NOW) is None


def test_failed_probes_grow_further_apart_up_to_half_a_minute() -> None:
    budget, gaps = open_breaker(), []
    for _ in range(12):
        budget = budgets.failed(budget, NOW, 900, 1.0)
        assert budget.probe_at is not None
        gaps.append((budget.probe_at - NOW).total_seconds())
    assert gaps == sorted(gaps)
    assert gaps[-1] == budgets.PROBE_AT_MOST


@given(st.integers(0, 10_000), st.floats(0.1, 900), st.floats(0, 1))
def test_a_back_off_is_never_nothing_and_never_more_than_the_most(attempt: int, most: float, chance: float) -> None:
    wait = budgets.back_off(attempt, most, chance)
    assert timedelta(0) < wait <= timedelta(seconds=most + 0.001)


def test_a_day_is_counted_and_forgotten_at_midnight() -> None:
    spent = Budget()
    for look in (True, False, False):
        spent = budgets.spend(spent, NOW, look=look)
    assert (spent.calls, spent.looks) == (3, 1)
    assert budgets.calls_today(spent, NOW) == 3
    assert budgets.calls_today(spent, NOW + timedelta(days=1)) == 0
    assert budgets.spend(spent, NOW + timedelta(days=1)).calls == 1


def test_near_the_daily_cap_only_people_and_edits_are_served() -> None:
    full = Budget(day=NOW.date(), calls=budgets.DAY_SOFT)
    assert [budgets.check(full, lane, NOW) is None for lane in Lane] == [True, True, False, False, False]
    wait = budgets.check(full, Lane.HOOK, NOW)
    assert wait is not None
    assert wait.until == datetime(2026, 11, 25, tzinfo=UTC)
    assert budgets.check(full, Lane.HOOK, wait.until) is None


@pytest.mark.parametrize(
    ("calls", "served"),
    [
        (DAY_SOFT - 1, list(Lane)),
        (DAY_SOFT, [Lane.PERSON, Lane.EDIT]),
        (47_499, [Lane.PERSON, Lane.EDIT]),
        (47_500, [Lane.PERSON]),
        (DAY - 1, [Lane.PERSON]),
        (DAY, []),
    ],
)
def test_the_last_twentieth_of_a_day_is_kept_for_people(calls: int, served: list[Lane]) -> None:
    budget = Budget(day=NOW.date(), calls=calls)
    assert [lane for lane in Lane if budgets.check(budget, lane, NOW) is None] == served
    tomorrow = NOW + timedelta(days=1)
    assert [lane for lane in Lane if budgets.check(budget, lane, tomorrow) is None] == list(Lane)


@given(st.integers(0, 60_000))
def test_whoever_is_served_is_served_before_those_after_it(calls: int) -> None:
    budget = Budget(day=NOW.date(), calls=calls)
    served = [budgets.check(budget, lane, NOW) is None for lane in Lane]
    assert served == sorted(served, reverse=True)


def test_looks_of_people_use_at_most_their_share_of_the_day() -> None:
    full = Budget(day=NOW.date(), calls=20_000, looks=18_000)
    wait = budgets.check_look(full, NOW)
    assert wait is not None
    assert wait.until == datetime(2026, 11, 25, tzinfo=UTC)
    assert budgets.check_look(full, wait.until) is None
    assert [budgets.check(full, lane, NOW) for lane in Lane] == [None] * len(Lane)


def test_what_an_operator_stopped_is_told_as_such_and_not_as_e_conomics_doing() -> None:
    stopped = Budget(paused_until=budgets.UNTIL_RESUMED, failures=BREAKER, failing_since=NOW)
    assert budgets.reach(stopped, NOW) == budgets.Reach(paused=True)


@given(
    st.lists(st.tuples(st.sampled_from(list(Lane)), st.floats(0, 5), st.integers(1, 5)), min_size=1, max_size=300),
    st.booleans(),
    st.integers(60, 400),
)
def test_whatever_background_work_wants_no_bucket_of_either_kind_runs_over(
    wishes: list[tuple[Lane, float, int]], steady: bool, limit: int
) -> None:
    """Obeying ``check``, hooks and sweeps of several callers leave room: the real bucket never refuses them."""
    budget, now, used, started = Budget(limit=limit), NOW, 0.0, NOW
    for lane, gap, cost in wishes:
        step = timedelta(seconds=gap)
        now += step
        if steady:
            used = max(0.0, used - gap * limit / 60)
        elif now - started >= timedelta(seconds=60):
            used, started = 0.0, now
        background = max(lane, Lane.HOOK)
        if budgets.check(budget, background, now) is not None:
            continue
        budget = budgets.spend(budget, now)
        used += cost
        assert used <= limit
        budget = budgets.answered(budget, Rate(limit=limit, window=60, used=int(used) + 1), now)


def test_without_headers_our_own_calls_are_counted_for_a_window() -> None:
    budget = Budget(limit=10)
    for _ in range(7):
        budget = budgets.spend(budget, NOW)
    assert budgets.check(budget, Lane.HOOK, NOW) is not None
    assert budgets.spend(budget, later(61)).used == 1
    assert replace(budget, used=0).limit == 10
