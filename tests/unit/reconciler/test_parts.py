"""A part of a decision about many is done, moved or refused as its values are; every part is counted once."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from reconciler.decisions import Ended, Result
from reconciler.parts import Part, Tally, Value, tally

RECORD, DECISION = UUID(int=1), UUID(int=2)
DETAILS = ("name", "phone", "email")


def a_part(*details: str) -> Part:
    return Part(detail=details[0], values=tuple(Value(key=f"{RECORD}.{one}", detail=one) for one in details))


def ended(detail: str, result: Result = "written", reason: str = "") -> Ended:
    return Ended(decision=DECISION, record=RECORD, detail=detail, result=result, reason=reason)


def test_what_was_refused_because_it_moved_is_told_from_what_the_other_side_refused() -> None:
    outcome = [ended("name"), ended("phone", "refused", "moved"), ended("email", "refused", "CustomerInvalidEmail")]
    whole = [a_part(one) for one in DETAILS]
    assert tally(whole, (), outcome) == Tally(done=1, moved=1, failed=1)


def test_a_line_of_several_values_is_done_when_all_of_them_are() -> None:
    line = a_part("name", "phone")
    assert tally([line], (), [ended("name"), ended("phone")]) == Tally(done=1)
    assert tally([line], (f"{RECORD}.phone",), [ended("name")]) == Tally(moved=1)
    assert tally([line], (), [ended("name"), ended("phone", "refused", "odd")]) == Tally(failed=1)


def test_a_decision_that_is_refused_as_a_whole_is_so_for_each_of_its_parts() -> None:
    gone = Ended(decision=DECISION, result="refused", reason="gone")
    assert tally([Part(detail="")], (), [gone]) == Tally(moved=1)
    assert tally([Part(detail="")], (), [Ended(decision=DECISION, result="done")]) == Tally(done=1)


@given(
    some.lists(some.lists(some.sampled_from(DETAILS), min_size=1), max_size=5),
    some.sets(some.sampled_from(DETAILS)),
    some.lists(some.tuples(some.sampled_from(DETAILS), some.sampled_from(["written", "refused"]), some.text(max_size=5))),
)  # fmt: skip
def test_every_part_is_counted_once(
    lines: list[list[str]], stale: set[str], outcomes: list[tuple[str, Result, str]]
) -> None:
    parts = [a_part(*one) for one in lines]
    keys, outcome = {f"{RECORD}.{one}" for one in stale}, [ended(*one) for one in outcomes]
    found = tally(parts, keys, outcome)
    assert found.done + found.moved + found.failed == len(parts)
