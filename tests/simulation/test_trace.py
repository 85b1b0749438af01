"""Is a schedule the same every time, everywhere, and can a person read it?"""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from tests.simulation import __main__ as command
from tests.simulation import mutants, quick, story
from tests.simulation.schedule import schedule
from tests.simulation.shrink import lived, shrunk


def test_the_same_seed_gives_the_same_trace() -> None:
    for seed in range(1, 25):
        assert lived(schedule(seed)).trace.name == lived(schedule(seed)).trace.name


def test_what_makes_schedules_quick_changes_nothing_in_them() -> None:
    plain = [lived(schedule(seed)).trace.name for seed in range(1, 25)]
    with quick.core():
        assert [lived(schedule(seed)).trace.name for seed in range(1, 25)] == plain
    assert [lived(schedule(seed)).trace.name for seed in range(1, 25)] == plain
    with pytest.raises(FrozenInstanceError):
        schedule(1).seed = 2  # type: ignore[misc]


def test_another_seed_gives_another_trace() -> None:
    names = {lived(schedule(seed)).trace.name for seed in range(1, 25)}
    assert len(names) == 24


def test_the_order_of_sets_and_dicts_does_not_matter() -> None:
    code = (
        "from tests.simulation.schedule import schedule; from tests.simulation.shrink import lived;"
        "print([lived(schedule(seed)).trace.name for seed in range(1, 40)])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": hashes, "PYTHONPATH": "."}, check=True, text=True,
            capture_output=True,
        ).stdout
        for hashes in ("0", "1", "4711")
    }  # fmt: skip
    assert len(told) == 1


def test_a_story_is_short_and_names_who_did_what_to_whom() -> None:
    for seed in range(1, 30):
        lines = story.told(lived(schedule(seed)))
        assert 3 <= len(lines) <= 41
    assert any("somebody edits" in line and "->" in line for line in lines)


def test_a_failing_schedule_shrinks_and_still_fails() -> None:
    with mutants.without("version-check"):
        failing = next(one for one in map(schedule, range(1, 200)) if lived(one).broken)
        small = shrunk(failing)
        assert lived(small).broken
        assert len(small.events) < len(failing.events)
    assert not lived(small).broken


def test_a_missing_safety_is_told_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--without", "version-check", "--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert "lost to" in told
    assert "--without version-check --tell" in told
    assert "It breaks." in told


def test_an_unknown_safety_ends_with_2_and_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--without", "luck"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == list(mutants.NAMES)


def test_the_safeties_are_listed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list-mutants"]) == 0
    assert capsys.readouterr().out.splitlines() == list(mutants.NAMES)


def test_schedules_that_hold_end_with_0_and_say_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--schedules", "30", "--seed", "5", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "30 of 30 schedules" in told
    assert "nothing broke" in told
