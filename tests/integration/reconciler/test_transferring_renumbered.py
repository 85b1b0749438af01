"""Is a customer that was renumbered taken for a new one by a transfer? Neither under its old number nor under its new one."""

import pytest

from economic_adapter.contract import CustomerObserved
from reconciler import items
from reconciler.__main__ import main
from tests.builders.company import Company
from tests.builders.sync import AGREEMENT, economic_seen, envelope
from tests.integration.reconciler.test_transferring import TRANSFER, company, transferred

pytestmark = pytest.mark.slow

__all__ = ["company"]


def moved(company: Company, why: str = "hook", **given: object) -> None:
    """e-conomic has customer 1 under 60 now, and that was heard of."""
    seen = company.economic[60] = company.economic.pop(1).model_copy(update={"number": 60, "object_version": "moved"})
    company.counters[60] = company.counters[1] + 1
    company.wire.hear(economic_seen(seen, company.counters[60], why=why, **given))


def gone(company: Company) -> None:
    words = {"why": "look", "number": 1, "version": f"1.{company.counters[1] + 2}", "absent": True}
    company.wire.hear(
        envelope(CustomerObserved.model_validate({"agreement": AGREEMENT, **words}), agreement=AGREEMENT, number=1)
    )


def numbers(company: Company, capsys: pytest.CaptureFixture[str], *, done: bool) -> dict[int | None, str]:
    """Whom a transfer was about, by number, and what became of each."""
    run = transferred(company, capsys)
    with company.wire.engine.connect() as connection:
        found = items.listed(connection, run.id, ["done"] if done else ["left_out"])
        return {one.number: one.reason for one in found}


def names(company: Company) -> list[str]:
    return [one.name for one in company.crm.values()]


def test_under_its_old_number_nobody_is_left(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    moved(company, old_numbers=(1,))
    assert set(numbers(company, capsys, done=True)) == {3, 4}
    assert names(company).count("Alfa ApS") == 1


def test_whoever_may_be_asked_about_is_shown_as_one_of_several(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    moved(company)  # its hook told nothing of the old number: that is looked at first
    gone(company)
    capsys.readouterr()
    assert main([*TRANSFER, "--preview"]) == 0
    assert "several may be the same 1 only in e-conomic 2" in " ".join(capsys.readouterr().out.split())
    assert set(numbers(company, capsys, done=True)) == {3, 4}
    assert names(company).count("Alfa ApS") == 1


def test_one_that_may_have_had_another_number_is_not_created(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    moved(company, why="import")  # recorded, and judged by nobody
    gone(company)
    assert numbers(company, capsys, done=False) == {60: "renumbered"}
    assert names(company).count("Alfa ApS") == 1
