"""What is left of a pass that was stopped? Nothing of its list is written, by no later look either, until the next edit."""

from typing import Any

import pytest
import sqlalchemy as sa

from economic_adapter.contract import CustomerObserved, EconomicCustomer
from reconciler import clock, items, meeting
from reconciler.__main__ import main
from reconciler.contract import TaskClosed
from reconciler.link import Step
from tests.builders.company import Company
from tests.builders.sync import AGREEMENT, TENANT, envelope
from tests.integration.reconciler.test_braking import braked, edited, four, looked, phones, stopped, swept

pytestmark = pytest.mark.slow


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    return four(company, capsys)


def test_a_pass_that_is_stopped_writes_nothing_of_its_list(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stopped(company)
    stop = ["stop-brake", "--tenant", TENANT, str(run.id)]
    assert main(stop) == 0
    assert "we stopped: 2 more customers would be written to, 2 were" in capsys.readouterr().out
    assert braked(company).state == "braked"
    company.wire.said()
    assert main([*stop, "--yes"]) == 0
    assert "2 stay as they are" in capsys.readouterr().out
    said = [one.data for one in company.wire.said()]
    assert [one.kind for one in said if isinstance(one, TaskClosed)] == ["brake"]
    assert (braked(company).state, braked(company).ended is not None) == ("stopped", True)
    with company.wire.engine.connect() as connection:
        assert items.left_out(connection, run.id) == {"stopped": 2}
        assert not clock.needs_a_person(connection, company.wire.time)
    _all_looked_at_again(company)
    assert phones(company) == 2
    assert main(["compare", "--tenant", TENANT]) == 0
    assert main([*stop, "--yes"]) == 1


def test_what_was_stopped_flows_again_with_its_next_edit(company: Company) -> None:
    run = stopped(company)
    assert main(["stop-brake", "--tenant", TENANT, str(run.id), "--yes"]) == 0
    left = [one for one in company.economic.values() if not one.phone]
    company.here(company.crm[f"c{left[0].number}"].model_copy(update={"phone": "99999999"}))
    company.there(left[1].model_copy(update={"phone": "88888888", "object_version": "z"}))
    company.work()
    assert company.economic[left[0].number].phone == "99999999"
    assert company.crm[f"c{left[1].number}"].phone == "88888888"


def test_an_edit_made_since_is_not_stopped_unseen(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped(company)
    edited(company, run)
    stop = ["stop-brake", "--tenant", TENANT, str(run.id), "--yes"]
    assert main(stop) == 1
    assert "1 changed since the list was made" in capsys.readouterr().out
    assert braked(company).state == "braked"
    assert main(stop) == 0
    _all_looked_at_again(company)
    assert phones(company) == 2


def test_stopping_that_was_killed_half_way_is_said_once_more(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stopped(company)
    take, taken = meeting.take, 0

    def dies_at_the_second(*given: Any, **more: Any) -> Step:
        nonlocal taken
        taken += 1
        if taken == 2:
            raise KeyboardInterrupt
        return take(*given, **more)

    monkeypatch.setattr(meeting, "take", dies_at_the_second)
    stop = ["stop-brake", "--tenant", TENANT, str(run.id), "--yes"]
    with pytest.raises(KeyboardInterrupt):
        main(stop)
    assert braked(company).state == "braked"
    assert not company.work()
    assert main(stop) == 0
    assert (braked(company).state, braked(company).left_out) == ("stopped", 2)
    _all_looked_at_again(company)
    assert phones(company) == 2


def test_a_customer_of_e_conomic_that_was_stopped_is_not_created_by_itself(company: Company) -> None:
    sweep = swept(company)
    company.wire.said()
    for number in range(11, 15):
        seen = EconomicCustomer(number=number, object_version="a", name=f"Ny {number}", email=f"{number}@ny.example")
        company.economic[number] = seen
        words = CustomerObserved(
            agreement=AGREEMENT, why="sweep", number=number, version="1.1", economic=seen, run=sweep
        )
        company.wire.hear(envelope(words, agreement=AGREEMENT, number=number))
    assert len(company.work()) == 2
    run = braked(company)
    assert run.state == "braked"
    with company.wire.engine.connect() as connection:
        (one, other) = (item.number for item in items.listed(connection, run.id, ["planned"]))
    assert one is not None
    assert other is not None
    assert main(["stop-brake", "--tenant", TENANT, str(run.id), "--yes"]) == 0
    _all_looked_at_again(company)
    assert {held.name for held in company.crm.values()}.isdisjoint({f"Ny {one}", f"Ny {other}"})
    company.counters[one] = 1
    company.there(company.economic[one].model_copy(update={"phone": "12345678", "object_version": "b"}))
    company.work()
    assert f"Ny {one}" in {held.name for held in company.crm.values()}


def _all_looked_at_again(company: Company) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set look_again = true"))
    looked(company)
    company.work()
