"""Does one customer flow while everything else stays off? The trial before switching on, kept or put back."""

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result, WriteCustomer
from economic_adapter.contract import ConfigureAgreement, WriteEconomicCustomer
from reconciler import running, undoing
from reconciler.__main__ import main
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import TENANT, agreement_seen, there
from tests.integration.reconciler.test_switching_on import counts

pytestmark = pytest.mark.slow

PILOT = ("pilot", "--tenant", TENANT, "--wait", "0")


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    """Two customers on both sides, read; one has a blank phone here."""
    one, two = a_customer(id="one", cvr="13748136", phone=""), a_customer(id="two", name="Beta", cvr="35204539")
    company.here(one, two)
    company.there(there(one.model_copy(update={"phone": "22222222"}), 1, "a"), there(two, 2, "a"))
    company.wire.later(seconds=1)
    assert main([*PILOT, "--customer", "one", "--preview"]) == 3
    company.read()
    capsys.readouterr()
    return company


def tried(company: Company, capsys: pytest.CaptureFixture[str], customer: str = "one") -> None:
    assert main([*PILOT, "--customer", customer, "--preview"]) == 0
    confirmed = counts(capsys.readouterr().out)
    assert confirmed == "1,1,0"
    assert main([*PILOT, "--customer", customer, "--yes", "--confirm", confirmed]) == 3
    answered(company)
    for _ in range(2):
        running.carry_out(company.wire.engine, company.wire.clocked)
    company.work()


def answered(company: Company) -> None:
    (asked,) = company.wire.said_only(ConfigureAgreement)
    assert asked.on
    company.wire.later(seconds=1)
    outcome = Outcome(operation=asked.operation, result=Result.WRITTEN)
    company.wire.hear(agreement_seen(company.wire.time, customers=2, outcome=outcome))


def state(company: Company) -> tuple[str, str | None]:
    with company.wire.engine.connect() as connection:
        row = connection.execute(sa.text("select state, pilot from sync.agreement")).one()
    return row.state, row.pilot


def linked(company: Company) -> list[str]:
    with company.wire.engine.connect() as connection:
        found = connection.execute(sa.text("select crm_id from sync.link where state = 'linked' order by 1"))
        return list(found.scalars())


def test_that_customer_flows_both_ways_and_no_other(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    tried(company, capsys)
    assert state(company) == ("connected", "one")
    assert linked(company) == ["one"]
    assert company.crm["one"].phone == "22222222"
    company.here(company.crm["one"].model_copy(update={"phone": "33333333"}))
    company.here(company.crm["two"].model_copy(update={"phone": "44444444"}))
    company.work()
    assert company.economic[1].phone == "33333333"
    assert company.economic[2].phone == ""
    company.there(company.economic[1].model_copy(update={"website": "one.dk", "object_version": "z"}))
    company.work()
    assert company.crm["one"].website == "one.dk"


def test_a_pair_is_tried_by_the_number_a_person_named(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    tried(company, capsys, "one=1")
    assert linked(company) == ["one"]


def test_it_is_put_back_where_nobody_edited_since(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    tried(company, capsys)
    assert main([*PILOT, "--undo", "--yes"]) == 3
    for _ in range(4):
        undoing.undo(company.wire.engine, company.wire.clocked)
        company.work()
        company.wire.later(seconds=2)
    assert company.crm["one"].phone == ""
    assert linked(company) == []
    assert state(company) == ("connected", None)


def test_it_is_kept_and_everything_is_off_again(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    tried(company, capsys)
    company.wire.said()
    assert main([*PILOT, "--keep", "--yes"]) == 0
    said = [one.data for one in company.wire.said()]
    assert [one.on for one in said if isinstance(one, ConfigureAgreement)] == [False]
    assert state(company) == ("connected", None)
    assert linked(company) == ["one"]
    company.here(company.crm["one"].model_copy(update={"phone": "55555555"}))
    later = [one.data for one in company.wire.said()]
    assert not [one for one in later if isinstance(one, WriteCustomer | WriteEconomicCustomer)]


def test_one_without_a_partner_is_not_tried(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    company.here(a_customer(id="alone", name="Gamma"))
    assert main([*PILOT, "--customer", "alone", "--yes"]) == 1
    assert "no partner that could be tried" in capsys.readouterr().out
    assert company.wire.said_only(ConfigureAgreement) == []


def test_only_one_is_tried_at_a_time(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    tried(company, capsys)
    assert main([*PILOT, "--customer", "two", "--yes"]) == 1
    assert "is being tried already" in capsys.readouterr().out
