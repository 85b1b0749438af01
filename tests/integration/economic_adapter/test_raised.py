"""Does what an edit left behind stand in a person's way? Whoever waits for it has it done among what people wait for."""

from uuid import uuid4

import pytest

from economic_adapter import tables
from economic_adapter.budget import Lane
from economic_adapter.contract import DAY_LIMIT
from tests.builders.economic import Bench, creation, part
from tests.integration.economic_adapter.test_overdue import values


@pytest.fixture
def number(at_desk: Bench) -> int:
    """A customer of e-conomic, and only what the day keeps for people is left of its calls."""
    at_desk.command(creation())
    at_desk.work()
    at_desk.new()
    values(at_desk, day=at_desk.time.date(), calls_today=Lane.EDIT.most)
    return 1001


def phone(at_desk: Bench, number: int, value: str) -> dict[str, object]:
    """A change of the phone, on the version that stands."""
    version = at_desk.sandbox.data.agreement().customers[number].version
    return {"operation": uuid4(), "number": number, "object_version": version, "fields": {"phone": value}}


def lanes(at_desk: Bench) -> list[int]:
    return [row["lane"] for row in at_desk.rows(tables.work)]


def test_an_edit_that_waits_goes_once_a_person_waits_for_it(at_desk: Bench, number: int) -> None:
    edit = part(**phone(at_desk, number, "11111111"))
    at_desk.command(edit, number=number)
    assert at_desk.work() == 0
    (told,) = at_desk.command(edit, number=number, person=True)
    assert (told.result, told.reason) == ("waiting", "")
    assert lanes(at_desk) == [Lane.PERSON]
    at_desk.work()
    assert at_desk.outcome(edit.operation).result == "written"
    assert at_desk.sandbox.data.agreement().customers[number].values["phone"] == "11111111"


def test_an_edit_that_the_day_does_not_reach_for_is_acknowledged_at_once_with_that_cause(
    at_desk: Bench, number: int
) -> None:
    edit = part(**phone(at_desk, number, "11111111"))
    for _ in range(2):
        (told,) = at_desk.command(edit, number=number)
        assert (told.operation, told.result, told.reason) == (edit.operation, "waiting", DAY_LIMIT)
    values(at_desk, calls_today=0)
    (told,) = at_desk.command(edit, number=number)
    assert told.reason == ""
    values(at_desk, calls_today=Lane.PERSON.most)
    (told,) = at_desk.command(part(**phone(at_desk, number, "22222222")), number=number, person=True)
    assert told.reason == DAY_LIMIT


def test_what_a_person_decided_comes_after_the_edit_of_the_same_record_and_is_decided_anew(
    at_desk: Bench, number: int
) -> None:
    edit, saved = part(**phone(at_desk, number, "11111111")), part(**phone(at_desk, number, "22222222"))
    elsewhere = part(**phone(at_desk, number, "33333333"))
    at_desk.command(elsewhere, number=4711, customer="4711")
    at_desk.command(edit, number=number)
    at_desk.command(saved, number=number, person=True)
    at_desk.work()
    assert [at_desk.outcome(one.operation).result for one in (edit, saved)] == ["written", "refused"]
    assert at_desk.outcome(saved.operation).reason == "version"  # it did not know of the edit, and is decided anew
    assert lanes(at_desk) == [Lane.EDIT]  # what nobody waits for waits on
