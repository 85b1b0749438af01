"""A contact person who is gone in e-conomic is looked at once more; one who is to be removed there is read just before."""

from datetime import timedelta

import pytest

from crm_outbox.contract import Result
from economic_adapter.sandbox import ui
from tests.builders.economic import Bench, part, person

pytestmark = pytest.mark.slow


@pytest.fixture
def number(at_desk: Bench) -> int:
    return ui.create_customer(at_desk.sandbox.data, {"name": "Nordhavn Tømrer ApS"}, 1042).number


@pytest.fixture
def made(at_desk: Bench, number: int) -> int:
    """A contact person who was told."""
    return int(at_desk.write(person(), number=number).outcomes[0].created or 0)


def later(at_desk: Bench) -> None:
    at_desk.passes(at_desk.desk.confirm_missing + 1)
    at_desk.work()


def test_who_is_seen_missing_is_looked_for_once_more_and_then_no_more(at_desk: Bench, number: int, made: int) -> None:
    ui.delete_contact(at_desk.sandbox.data, made)
    at_desk.look(number)
    at_desk.work()
    first = at_desk.new()
    assert [[one.deleted for one in told.economic.contacts] for told in first if told.economic] == [[True]]
    at_desk.work()
    assert at_desk.new() == [], "not at once"
    later(at_desk)
    (again,) = at_desk.new()
    assert again.economic is not None
    assert [one.deleted for one in again.economic.contacts] == [True]
    later(at_desk)
    assert at_desk.new() == []


def test_who_we_removed_ourselves_is_not_looked_for_again(at_desk: Bench, number: int, made: int) -> None:
    version = at_desk.sandbox.data.agreement().contacts[made].version
    gone = part(action="remove", record="contact", number=made, object_version=version)
    assert at_desk.write(gone, number=number).outcomes[0].result is Result.WRITTEN
    at_desk.new()
    later(at_desk)
    assert at_desk.new() == []


def test_an_edit_nobody_has_looked_at_keeps_the_person(at_desk: Bench, number: int, made: int) -> None:
    version = at_desk.sandbox.data.agreement().contacts[made].version
    ui.edit_contact(at_desk.sandbox.data, made, {"phone": "22334455"})
    at_desk.calls()
    answer = at_desk.write(part(action="remove", record="contact", number=made, object_version=version), number=number)
    assert [(one.result, one.reason) for one in answer.outcomes] == [(Result.REFUSED, "version")]
    assert at_desk.calls() == ["GET /Contacts"]
    assert answer.economic is not None
    assert answer.economic.contacts[0].phone == "22334455"


def test_who_is_used_on_a_document_stays(at_desk: Bench, number: int, made: int) -> None:
    contact = at_desk.sandbox.data.agreement().contacts[made]
    contact.in_use = True
    answer = at_desk.write(
        part(action="remove", record="contact", number=made, object_version=contact.version), number=number
    )
    assert [(one.result, one.reason) for one in answer.outcomes] == [(Result.REFUSED, "CustomerContactIsInUse")]
    assert not contact.deleted


def test_a_sweep_that_misses_somebody_has_them_looked_for_once_more(at_desk: Bench, number: int, made: int) -> None:
    ui.delete_contact(at_desk.sandbox.data, made)
    at_desk.run(kind="sweep")
    at_desk.work()
    assert [one.why for one in at_desk.new() if one.economic is not None] == ["sweep"]
    at_desk.passes(timedelta(seconds=at_desk.desk.confirm_missing + 1).total_seconds())
    at_desk.work()
    assert [one.number for one in at_desk.new() if one.economic is not None] == [number]
