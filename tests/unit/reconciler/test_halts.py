"""Do pauses hold what was said last of each system, end when they are to, and leave the other direction alone?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler import halts
from reconciler.halts import Halt, Halts
from reconciler.rules import System

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ENDS = st.none() | st.integers(-5, 5).map(lambda hours: NOW + timedelta(hours=hours))
HALT = st.builds(
    Halt, system=st.sampled_from(System), since=st.just(NOW), until=ENDS, who=st.sampled_from(["", "Mette"])
)
SOME = st.lists(HALT, max_size=4)
SYSTEMS = st.sets(st.sampled_from(System))


def held(given_: list[Halt]) -> Halts:
    return halts.paused((), given_)


@given(SOME, SOME)
def test_of_each_system_the_later_word_holds_and_a_system_is_named_once(before: list[Halt], later: list[Halt]) -> None:
    found = halts.paused(held(before), later)
    said = {one.system: one for one in (*before, *later)}
    assert {one.system: one for one in found} == said
    assert len(found) == len(said)
    assert list(found) == sorted(found, key=lambda one: one.system)


@given(SOME, SYSTEMS)
def test_what_goes_on_is_paused_no_more_and_the_rest_is(before: list[Halt], systems: set[System]) -> None:
    known = held(before)
    found = halts.resumed(known, systems)
    assert set(halts.systems(found)) == set(halts.systems(known)) - systems
    assert set(found) <= set(known)


@given(SOME)
def test_a_pause_is_left_until_its_end_and_the_first_end_is_known(before: list[Halt]) -> None:
    known = held(before)
    left = halts.left(known, NOW)
    assert all((one in left) is (one.until is None or one.until > NOW) for one in known)
    end = halts.ends(known)
    assert end == min((one.until for one in known if one.until is not None), default=None)
    if end is not None:
        assert halts.left(known, end) != known
        assert halts.left(known, end - timedelta(microseconds=1)) == known
