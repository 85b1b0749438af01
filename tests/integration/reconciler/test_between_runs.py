"""What if others come between what was confirmed and its end? Each of these was found by a seed of the simulation."""

import pytest
import sqlalchemy as sa

from economic_adapter.contract import EconomicCustomer
from reconciler import clock, items, releasing, running, runs, undoing
from reconciler.__main__ import main
from reconciler.link import Link
from reconciler.rules import Transfer
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, previewed
from tests.integration.reconciler.test_undoing import UNDO, links, undone

pytestmark = pytest.mark.slow


def paused(company: Company, systems: str) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set paused = cast(:paused as jsonb)"), {"paused": systems})


def one_linked(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    """One linked by CVR, its phone on the way into the CRM and its website into e-conomic."""
    one = a_customer(id="one", cvr="13748136", phone="", website="one.dk")
    company.here(one)
    company.there(there(one.model_copy(update={"phone": "22222222", "website": ""}), 1, "a"))
    company.wire.later(seconds=1)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    carried_out(company)


def test_one_that_turns_up_on_the_other_side_after_the_preview_is_not_created_beside_it(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    only = a_customer(id="only", name="Beta Tømrer ApS", postcode="8000")
    linked = a_customer(id="linked", name="Alfa ApS", cvr="13748136")
    company.here(only, linked)
    company.there(there(linked, 1, "a"))
    company.wire.later(seconds=1)
    confirmed = counts(previewed(company, capsys, "--create-in-economic"))
    company.wire.later(seconds=1)
    assert main([*ON, "--yes", "--create-in-economic", "--confirm", confirmed]) == 3
    company.catches_up()
    company.wire.later(seconds=1)
    company.there(there(only, 2, "a"))
    carried_out(company)
    assert [one.action for one in _listed(company, "left_out")] == ["create_there"]
    assert not company.work()


def test_what_a_run_wrote_and_nobody_answered_yet_is_taken_back_when_it_is_there(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    one_linked(company, capsys)
    assert main([*UNDO, "--yes"]) == 3
    company.wire.later(seconds=2)
    assert undoing.undo(company.wire.engine, company.wire.clocked) == 1
    company.work()
    run = undone(company)
    assert (run.state, run.done, run.left_out) == ("done", 1, 0)
    assert (company.crm["one"].phone, company.economic[1].website) == ("", "")
    assert links(company)["one"] == ("unlinked", None)


def test_an_undo_that_met_a_pause_goes_on_when_it_is_over(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    one_linked(company, capsys)
    company.work()
    paused(company, '["crm", "economic"]')
    assert main([*UNDO, "--yes"]) == 3
    assert undone(company).state == "running"
    assert company.crm["one"].phone == "22222222"
    paused(company, "[]")
    run = undone(company)
    assert (run.state, run.done) == ("done", 1)
    assert (company.crm["one"].phone, company.economic[1].website) == ("", "")


def test_customers_of_e_conomic_that_waited_for_a_pause_count_for_the_brake(engine: sa.Engine) -> None:
    both = Both(engine=engine)
    both.switch_on(Transfer.CREATED)
    both.set(paused='["crm"]', brake_customers=2)
    for number in range(50, 54):
        both.in_economic(EconomicCustomer(number=number, object_version="a", name=f"Kunde {number} ApS"))
    assert both.creations() == []
    both.set(paused="[]")
    with engine.begin() as connection:
        connection.execute(sa.text("update sync.link set look_again = true"))
    while clock.tell_again(engine, both.clocked):
        pass
    assert len(both.creations()) == 1
    with engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["pass"])
        assert found is not None
        assert (found.state, found.total) == ("braked", 3)


def test_one_of_e_conomic_that_a_pass_holds_and_that_moved_since_is_shown_anew(engine: sa.Engine) -> None:
    both = Both(engine=engine)
    both.switch_on(Transfer.CREATED)
    both.set(paused='["crm"]', brake_customers=1)
    for number in (50, 51, 52):
        both.in_economic(EconomicCustomer(number=number, object_version="a", name=f"Kunde {number} ApS"))
    both.set(paused="[]")
    with engine.begin() as connection:
        connection.execute(sa.text("update sync.link set look_again = true"))
    while clock.tell_again(engine, both.clocked):
        pass
    (first,) = both.creations()
    held = next(one for one in (50, 51, 52) if one != next(iter(_numbers(both, "creating"))))
    both.in_economic(EconomicCustomer(number=held, object_version="b", name=f"Kunde {held} ApS", city="Aarhus"), 2)
    with engine.connect() as connection:
        run = runs.latest(connection, TENANT, AGREEMENT, ["pass"])
        assert run is not None
    assert releasing.release(engine, both.clocked, run.id) == (1, 1)
    assert all(one.parts[0].fields.get("city", "") == "" for one in both.creations())
    assert releasing.release(engine, both.clocked, run.id) == (1, 0)
    (last,) = both.creations()
    assert (first.parts[0].fields.get("city"), last.parts[0].fields["city"]) == (None, "Aarhus")


def test_a_customer_that_was_renumbered_is_no_namesake_of_itself(engine: sa.Engine) -> None:
    both = Both(engine=engine)
    both.switch_on(Transfer.HAND)
    both.in_crm(both.new(id="c1", name="Sydhavn Maler A/S", postcode="5000"))
    names = {"name": "Sydhavn Maler A/S", "postcode": "5000", "object_version": "a"}
    for number in (50, 51):
        both.in_economic(EconomicCustomer(number=number, **names))
    both.in_economic(EconomicCustomer(number=60, **names), old_numbers=(50,))
    assert both.creations() == []
    asked: list[Link] = [one for one in both.links() if one.number == 60]
    assert [one.candidates_here for one in asked] == [("c1",)]


def _numbers(both: Both, state: str) -> set[int | None]:
    return {one.number for one in both.links() if one.state == state}


def _listed(company: Company, state: str) -> list[items.Stored]:
    with company.wire.engine.connect() as connection:
        run = runs.latest(connection, TENANT, AGREEMENT, list(running.CARRIED))
        assert run is not None
        return list(items.listed(connection, run.id, [state]))
