"""Does a status ever claim more than is known? The second layer, row by row and for whatever comes together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crm_outbox.messaging.envelope import Version
from reconciler.freshness import FRESH, KNOWN, Known, Layer, Look, Reach, layer

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
V7, V8 = Version(1, 7), Version(1, 8)


def ago(**given: float) -> datetime:
    return NOW - timedelta(**given)


def known(**given: float) -> Known:
    """e-conomic was seen so long ago, and compared with version 7."""
    return Known(seen=ago(**given), compared=V7)


@pytest.mark.parametrize(
    ("what", "look", "reach", "freshness"),
    [
        (known(seconds=14), None, Reach(), "fresh"),
        (known(seconds=14), None, Reach(down_since=ago(seconds=3)), "fresh"),
        (known(minutes=4), None, Reach(), "known"),
        (known(minutes=4), None, Reach(checked=False), "older"),
        (known(minutes=6), None, Reach(), "older"),
        (Known(seen=None, compared=None), None, Reach(), "older"),
        (known(minutes=6), Look(asked=ago(seconds=0.2)), Reach(), "older"),
        (known(minutes=6), Look(asked=ago(seconds=0.3)), Reach(), "looking"),
        (known(minutes=6), Look(asked=ago(seconds=3), taken=ago(seconds=3)), Reach(), "slow"),
        (known(minutes=6), Look(asked=ago(seconds=5.1), taken=ago(seconds=5)), Reach(), "no_answer"),
        (known(minutes=6), Look(asked=ago(seconds=1), taken=ago(seconds=1), refused=NOW), Reach(), "no_answer"),
        (known(minutes=6), Look(asked=ago(seconds=5)), Reach(), "delayed"),
        (known(minutes=6), Look(asked=ago(minutes=7), taken=ago(minutes=7)), Reach(), "older"),
        (known(minutes=6), None, Reach(delayed_since=ago(minutes=1)), "delayed"),
        (known(minutes=6), Look(asked=ago(seconds=1)), Reach(down_since=ago(minutes=2)), "down"),
        (known(minutes=6), None, Reach(throttled_until=NOW + timedelta(hours=1)), "throttled"),
        (known(minutes=4), None, Reach(throttled_until=NOW), "known"),
    ],
)
def test_each_row_of_the_table(what: Known, look: Look | None, reach: Reach, freshness: str) -> None:
    assert layer(what, look, reach, V7, NOW).freshness == freshness


def test_what_a_person_is_told_beside_it() -> None:
    down = layer(known(minutes=6), None, Reach(down_since=ago(minutes=2)), V7, NOW)
    assert (down.since, down.next_try) == (ago(minutes=2), None)
    later = NOW + timedelta(hours=1)
    throttled = layer(known(minutes=6), None, Reach(throttled_until=later), V7, NOW)
    assert (throttled.since, throttled.next_try) == (ago(minutes=6), later)
    delayed = layer(known(minutes=6), Look(asked=ago(seconds=7)), Reach(), V7, NOW)
    assert delayed.since == ago(seconds=7)


def test_the_present_tense_needs_the_version_on_the_screen_and_a_fresh_enough_look() -> None:
    assert layer(known(seconds=1), None, Reach(), V7, NOW).present
    assert layer(known(minutes=4), None, Reach(), V7, NOW).present
    assert not layer(known(seconds=1), None, Reach(), V8, NOW).present
    assert not layer(known(seconds=1), None, Reach(), None, NOW).present
    assert not layer(known(minutes=6), None, Reach(), V7, NOW).present
    assert not layer(known(minutes=4), None, Reach(down_since=ago(minutes=1)), V7, NOW).present


MOMENTS = some.integers(-600_000, 60_000).map(lambda one: NOW + timedelta(milliseconds=one))
MAYBE = some.none() | MOMENTS
VERSIONS = some.none() | some.builds(Version, some.integers(1, 2), some.integers(1, 9))
LOOKS = some.none() | some.builds(Look, asked=MOMENTS, taken=MAYBE, refused=MAYBE)
REACHES = some.builds(Reach, down_since=MAYBE, throttled_until=MAYBE, delayed_since=MAYBE, checked=some.booleans())


@given(what=some.builds(Known, seen=MAYBE, compared=VERSIONS), look=LOOKS, reach=REACHES, shown=VERSIONS)
def test_n6_the_present_tense_is_never_used_for_what_is_not_known_to_hold(
    what: Known, look: Look | None, reach: Reach, shown: Version | None
) -> None:
    said: Layer = layer(what, look, reach, shown, NOW)
    if said.present:
        assert what.seen is not None
        assert what.compared is not None
        assert shown is not None
        assert what.compared >= shown
        assert NOW - what.seen < KNOWN
        assert reach.checked or NOW - what.seen < FRESH
        assert said.freshness in {"fresh", "known", "looking", "slow"}
    without = layer(replace(what, seen=None), look, reach, shown, NOW)
    assert not without.present
