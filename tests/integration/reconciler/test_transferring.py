"""Does each customer of e-conomic end exactly once in the CRM? Transfer all, and taking it back."""

import re

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage
from reconciler import clock, items, running, runs, undoing
from reconciler.__main__ import main
from reconciler.rehearsal import Write
from tests.builders.company import Company
from tests.builders.crm import a_customer, a_person
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, previewed

TRANSFER = ("transfer", "--tenant", TENANT, "--wait", "0")


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    """On, with one linked; in e-conomic also one with a person, one barred, and one that may be a customer of the CRM."""
    linked = a_customer(id="linked", name="Alfa ApS", cvr="13748136", phone="11111111")
    perhaps = a_customer(id="perhaps", name="Beta Tømrer", postcode="8000")
    company.here(linked, perhaps)
    person = a_person(name="Anne Holm", email="anne@gamma.dk")
    company.there(
        there(linked.model_copy(update={"phone": "22222222"}), 1, "a"),
        there(perhaps, 2, "a"),
        there(a_customer(name="Gamma A/S", cvr="35204539", contacts=(person,)), 3, "a"),
        there(a_customer(name="Delta I/S", cvr="11111119"), 4, "a", barred=True),
    )
    company.wire.later(seconds=1)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    carried_out(company)
    settled(company)
    capsys.readouterr()
    company.written.clear()
    return company


def settled(company: Company) -> None:
    for _ in range(4):
        clock.make_links(company.wire.engine)
        clock.tell_again(company.wire.engine, company.wire.clocked)
        company.work()
        company.wire.later(seconds=2)


def transferred(company: Company, capsys: pytest.CaptureFixture[str], *more: str) -> runs.Run:
    """Preview, confirm, carry out, answered."""
    assert main([*TRANSFER, "--preview", *more]) == 0
    confirmed = counts(capsys.readouterr().out)
    assert main([*TRANSFER, "--yes", "--confirm", confirmed, *more]) == 3
    for _ in range(4):
        running.carry_out(company.wire.engine, company.wire.clocked)
        company.work()
        company.wire.later(seconds=2)
    settled(company)
    with company.wire.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["transfer"])
    assert found is not None
    return found


def names(company: Company) -> list[str]:
    return sorted(one.name for one in company.crm.values())


def planned(company: Company, run: runs.Run) -> list[Write]:
    with company.wire.engine.connect() as connection:
        return [write for item in items.listed(connection, run.id) for write in item.writes]


def test_the_preview_counts_what_would_be_created_and_lists_what_is_skipped(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TRANSFER, "--preview"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"customers created in Clickmate +2\n", printed)
    assert re.search(r"skipped +1 +may be the same by name and postcode", printed)
    assert "--confirm 2" in printed


def test_each_customer_of_e_conomic_ends_once_in_the_crm_with_its_persons(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    run = transferred(company, capsys)
    assert names(company) == ["Alfa ApS", "Beta Tømrer", "Delta I/S", "Gamma A/S"]
    (gamma,) = [one for one in company.crm.values() if one.name == "Gamma A/S"]
    assert gamma.stage is Stage.ACTIVE
    assert [one.name for one in gamma.contacts] == ["Anne Holm"]
    assert company.crm["linked"].phone == "11111111"
    assert len(company.economic) == 4
    assert (run.state, run.done, run.left_out) == ("done", 2, 0)
    assert {(one.field, one.after) for one in company.written} == {
        (one.field, one.after) for one in planned(company, run)
    }


def test_what_it_created_flows(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    transferred(company, capsys)
    company.there(company.economic[3].model_copy(update={"phone": "77777777", "object_version": "b"}))
    company.work()
    (gamma,) = [one for one in company.crm.values() if one.name == "Gamma A/S"]
    assert gamma.phone == "77777777"


def test_blocked_ones_are_left_out_when_that_was_ticked(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    run = transferred(company, capsys, "--without-barred")
    assert names(company) == ["Alfa ApS", "Beta Tømrer", "Gamma A/S"]
    assert run.done == 1


def test_a_transfer_is_taken_back_without_deleting_anything(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    transferred(company, capsys)
    (touched,) = [one for one in company.crm.values() if one.name == "Delta I/S"]
    company.here(touched.model_copy(update={"phone": "88888888"}))
    company.work()
    assert main(["undo-transfer", "--tenant", TENANT, "--yes", "--wait", "0"]) == 3
    for _ in range(6):
        undoing.undo(company.wire.engine, company.wire.clocked)
        company.work()
        company.wire.later(seconds=2)
    settled(company)
    stages = {one.name: one.stage for one in company.crm.values()}
    assert stages["Gamma A/S"] is Stage.INACTIVE
    assert stages["Delta I/S"] is Stage.ACTIVE
    assert len(company.crm) == len(company.economic) == 4
    with company.wire.engine.connect() as connection:
        linked = connection.execute(sa.text("select crm_id from sync.link where state = 'linked'")).scalars().all()
    assert linked == ["linked"]


def test_it_waits_until_the_integration_is_on(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["switch-off", "--tenant", TENANT, "--yes"]) == 0
    assert main([*TRANSFER, "--preview"]) == 1
    assert "first switch it on" in capsys.readouterr().out
