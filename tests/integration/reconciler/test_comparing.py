"""Does a difference nobody knows of show? The comparison of everything, and the nightly pass."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm_outbox.contract import RunBackfill
from economic_adapter.contract import RunImport
from reconciler import clock
from reconciler.__main__ import main
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import TENANT, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, previewed

pytestmark = pytest.mark.slow


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    """Three linked customers: one the same, one left different, one that both sides are to hold soon."""
    same = a_customer(id="same", cvr="13748136")
    differs = a_customer(id="differs", name="Beta ApS", cvr="35204539", phone="11111111")
    company.here(same, differs)
    company.there(there(same, 1, "a"), there(differs.model_copy(update={"phone": "22222222"}), 2, "a"))
    company.wire.later(seconds=1)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    carried_out(company)
    company.work()
    capsys.readouterr()
    return company


def test_nothing_differs_without_being_known(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--tenant", TENANT]) == 0
    printed = capsys.readouterr().out
    assert "2 customers compared: accepted 1, same 1" in printed
    assert "silent differences: 0" in printed


def test_an_edit_on_its_way_is_no_silent_difference(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    company.here(company.crm["same"].model_copy(update={"phone": "33333333"}))
    assert main(["compare", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["agreements"]
    assert found["on_its_way"] == 1
    assert found["compared"] == 2


def test_a_question_to_a_person_is_no_silent_difference(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    company.there(company.economic[1].model_copy(update={"name": "Delta A/S", "object_version": "b"}))
    company.here(company.crm["same"].model_copy(update={"name": "Gamma A/S"}))
    assert main(["compare", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["agreements"]
    assert found["silent"] == []


def test_what_was_recorded_and_never_told_is_silent(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.crm_side set number = number + 1 where crm_id = 'same'"))
    assert main(["compare", "--tenant", TENANT]) == 1
    printed = capsys.readouterr().out
    assert "silent differences: 1" in printed
    assert "same ['state']" in printed


def test_a_write_that_was_lost_from_the_books_is_silent(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    company.here(company.crm["same"].model_copy(update={"phone": "33333333"}))
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("delete from sync.operation where settled is null"))
    assert main(["compare", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["silent_differences"] == 1
    assert found["agreements"][0]["silent"][0]["details"] == ["phone"]


def test_every_night_both_sides_are_read_once(company: Company) -> None:
    company.wire.time = datetime.now(UTC).replace(hour=1, minute=0) + timedelta(days=1)
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
        connection.execute(sa.text("update sync.agreement set since = since - interval '2 days'"))
        connection.execute(sa.text("update sync.run set started = started - interval '2 days'"))
    company.wire.said()

    def swept() -> int:
        return clock.sweep(company.wire.engine, company.wire.clocked, 2)

    assert swept() == 1
    assert swept() == 0
    company.wire.later(hours=2)
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    assert swept() == 1
    said = [one.data for one in company.wire.said()]
    assert {one.kind for one in said if isinstance(one, RunImport)} == {"sweep"}
    assert len([one for one in said if isinstance(one, RunBackfill)]) == 2
    assert clock.sweep(company.wire.engine, company.wire.clocked, None) == 0


def test_one_that_was_only_just_switched_on_is_not_swept_at_once(company: Company) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    company.wire.said()
    assert clock.sweep(company.wire.engine, company.wire.clocked, company.wire.time.hour) == 0
