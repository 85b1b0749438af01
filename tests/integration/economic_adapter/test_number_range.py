"""A new customer gets a number of the range that an admin chose; when none is left its creation is refused, and says so."""

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Result
from economic_adapter import tables
from economic_adapter.sandbox import ui
from tests.builders.economic import Bench, creation

pytestmark = pytest.mark.slow


def between(at_desk: Bench, low: int | None, high: int | None) -> None:
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(number_from=low, number_to=high, next_number=None))


def made(at_desk: Bench, name: str) -> tuple[Result, str, str | None]:
    (one,) = at_desk.write(creation(fields={"name": name})).outcomes
    return one.result, one.reason, one.created


def test_the_last_number_is_given_and_no_other_beyond_it(at_desk: Bench) -> None:
    between(at_desk, 5000, 5001)
    assert made(at_desk, "Et ApS") == (Result.WRITTEN, "", "5000")
    assert made(at_desk, "To ApS") == (Result.WRITTEN, "", "5001")
    at_desk.calls()
    assert made(at_desk, "Tre ApS") == (Result.REFUSED, "no_number", None)
    assert not [one for one in at_desk.calls() if one.startswith("POST")]
    between(at_desk, 5000, 5010)
    assert made(at_desk, "Tre ApS") == (Result.WRITTEN, "", "5002")


def test_a_number_that_is_taken_is_passed_over_within_the_range(at_desk: Bench) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Andre ApS"}, 5000)
    between(at_desk, 5000, 5001)
    assert made(at_desk, "Et ApS") == (Result.WRITTEN, "", "5001")
    assert made(at_desk, "To ApS")[1] == "no_number"


def test_a_number_the_crm_chose_is_its_own(at_desk: Bench) -> None:
    between(at_desk, 5000, 5000)
    (one,) = at_desk.write(creation(number=7000, fields={"name": "Et ApS"})).outcomes
    assert (one.result, one.created) == (Result.WRITTEN, "7000")
