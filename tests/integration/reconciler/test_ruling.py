"""Where each detail may be changed: shown, foreseen, changed for good, and carried out as a pass under the brake?"""

import threading

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements, ruleset, ruling
from reconciler.__main__ import main
from reconciler.person import Person
from reconciler.rules import Direction
from tests.builders.company import Company
from tests.builders.sync import AGREEMENT, TENANT, crm_changed
from tests.integration.reconciler.test_braking import braked, four, looked, phones
from tests.waiting import eventually

METTE = Person(tenant=TENANT, id="m", name="Mette Krogh", role="admin")

pytestmark = pytest.mark.slow

RULES = ("rules", "--tenant", TENANT)


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    return four(company, capsys)


def drifted(company: Company) -> None:
    """While phones are not kept the same, each is edited in the CRM."""
    assert main([*RULES, "--detail", "phone", "--direction", "none", "--yes"]) == 0
    looked(company)
    for number in range(1, 5):
        company.here(company.crm[f"c{number}"].model_copy(update={"phone": f"1111111{number}"}))
    assert not company.work()


def test_the_rules_are_shown(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(RULES)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"  {'name':<22}may be changed in both, if both did: ask, on invoices, never empty" in lines
    assert f"  {'contact.notes':<22}is not kept the same" in lines
    assert len(lines) == len(ruleset.DETAILS)


def test_a_changed_rule_is_a_pass_and_the_brake_stops_it(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    drifted(company)
    capsys.readouterr()
    both = [*RULES, "--detail", "phone", "--direction", "both"]
    assert main(both) == 0
    said = capsys.readouterr().out
    assert "4 customers would be written to at once: phone 4" in said
    assert "after 2 of them it stops and asks" in said
    looked(company)
    assert not company.work()
    assert main([*both, "--yes"]) == 0
    looked(company)
    company.work()
    assert phones(company) == 2
    run = braked(company)
    assert (run.state, run.done) == ("braked", 2)
    assert main(["release-brake", "--tenant", TENANT, str(run.id), "--yes"]) == 0
    company.work()
    assert phones(company) == 4


def test_a_detail_that_may_be_changed_in_e_conomic_only_is_put_back_in_the_crm(company: Company) -> None:
    assert main([*RULES, "--detail", "website", "--detail", "phone", "--direction", "economic", "--yes"]) == 0
    looked(company)
    company.here(company.crm["c1"].model_copy(update={"phone": "11111111"}))
    (command,) = company.work()
    assert isinstance(command, WriteCustomer)
    assert company.crm["c1"].phone == ""
    assert main([*RULES, "--detail", "phone", "--usual", "--yes"]) == 0
    looked(company)
    company.here(company.crm["c1"].model_copy(update={"phone": "11111111"}))
    (command,) = company.work()
    assert isinstance(command, WriteEconomicCustomer)


def test_a_rule_that_answers_open_questions_says_so(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RULES, "--detail", "name", "--direction", "none", "--yes"]) == 0
    looked(company)
    company.here(company.crm["c1"].model_copy(update={"name": "Kunde Et"}))
    company.there(company.economic[1].model_copy(update={"name": "Kunde 1 ApS", "object_version": "b"}))
    capsys.readouterr()
    assert main([*RULES, "--detail", "name", "--direction", "both", "--yes"]) == 0
    assert "0 open questions are answered by it, 1 new ones are asked" in capsys.readouterr().out
    looked(company)
    assert not company.work()
    assert main([*RULES, "--detail", "name", "--decides", "economic", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "1 customers would be written to at once: name 1" in said
    assert "1 open questions are answered by it, 0 new ones are asked" in said
    looked(company)
    company.work()
    assert company.crm["c1"].name == "Kunde 1 ApS"


def test_invoice_details_are_protected_with_one_word(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RULES, "--protect-invoice-details", "--yes"]) == 0
    capsys.readouterr()
    assert main(list(RULES)) == 0
    shown = capsys.readouterr().out.splitlines()
    protected = {line.split()[0] for line in shown if "only in e-conomic" in line}
    assert protected == {"name", "cvr", "ean", "address", "email", "contact.invoice_email"}
    looked(company)
    company.here(company.crm["c1"].model_copy(update={"name": "Andet navn"}))
    company.work()
    assert company.crm["c1"].name == "Kunde 1"
    assert main([*RULES, "--protect-invoice-details"]) == 0
    assert "that is how it is already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--detail", "shoe", "--direction", "both"], "no such detail: shoe; there are name, cvr"),
        (["--detail", "name"], "say --direction, --decides or both, or --usual"),
        (["--direction", "both"], "say which one with --detail"),
        (["--protect-invoice-details", "--detail", "name"], "stands alone"),
    ],
)
def test_what_is_said_wrongly_changes_nothing(
    company: Company, capsys: pytest.CaptureFixture[str], given: list[str], says: str
) -> None:
    assert main([*RULES, *given, "--yes"]) == 2
    assert says in capsys.readouterr().out
    with company.wire.engine.connect() as connection:
        assert agreements.current(connection, TENANT, AGREEMENT).chosen == {}


def test_whoever_waited_for_a_changing_rule_goes_by_the_new_one(company: Company) -> None:
    edited = company.crm["c1"].model_copy(update={"phone": "11111111"})
    engine = company.wire.engine
    waits = sa.text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )
    hearing = threading.Thread(target=company.wire.hear, args=(crm_changed(edited, 99),), daemon=True)
    with engine.begin() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
        change = ruling.give(
            connection,
            known,
            lambda chosen: ruleset.changed(chosen, "phone", Direction.NONE),
            company.wire.time,
            by=METTE,
        )
        assert change is not None
        hearing.start()

        def waited() -> bool:
            with engine.connect() as other:
                return bool(other.scalar(waits))

        eventually(waited)
    hearing.join(60)
    assert not hearing.is_alive()
    assert not company.work()
