"""Is what a person chose for one new customer kept, offered by the agreement, and carried into the creation? From the
command line, on real PostgreSQL."""

import pytest

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.__main__ import main
from reconciler.decisions import Supplied
from reconciler.rules import Area
from tests.builders.meeting import Both
from tests.builders.sync import REFERENCE, TENANT

pytestmark = pytest.mark.slow


@pytest.fixture
def both(both: Both, database: str, monkeypatch: pytest.MonkeyPatch) -> Both:
    monkeypatch.setenv("DATABASE_URL", database)
    return both


@pytest.fixture
def customer(both: Both) -> Customer:
    """A new customer without a country: nobody knows which VAT zone it should have."""
    made = both.new(country="")
    both.in_crm(made)
    assert both.said_only(WriteEconomicCustomer) == []
    return made


def test_the_area_is_given_and_the_creation_carries_its_defaults(
    both: Both, customer: Customer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "--tenant", TENANT]) == 1
    assert "missing" in capsys.readouterr().out
    assert main(["answer", customer.id, "supply", "--area", "eu"]) == 0
    assert both.of(customer.id).supplied is None
    assert main(["answer", customer.id, "supply", "--area", "eu", "--who", "Marie", "--yes"]) == 0
    (command,) = both.said_only(WriteEconomicCustomer)
    defaults = command.parts[0].defaults
    assert defaults is not None
    assert REFERENCE.zones[1].name == "EU"
    assert defaults.zone == REFERENCE.zones[1].number
    assert both.of(customer.id).supplied == Supplied(area=Area.EU)
    assert main(["tasks", "--tenant", TENANT]) == 0
    assert main(["history", customer.id]) == 0
    assert "Marie decided supply: done" in capsys.readouterr().out


def test_only_what_the_agreement_offers_can_be_given(
    both: Both, customer: Customer, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, said in (
        (["--group", "9"], "there is no group 9; there are: 1 Danske kunder"),
        (["--terms", "9"], "there are no terms 9; there are: "),
        (["--zone", "9"], "there is no VAT zone 9; there are: 1 Indland, 2 EU, 3 Udland"),
        (["--currency", "XXX"], "there is no currency XXX; there are: DKK, EUR"),  # ISO 4217: no currency
        ([], "nothing was chosen"),
    ):
        assert main(["answer", customer.id, "supply", *given, "--yes"]) == 2
        assert said in capsys.readouterr().out
    assert both.of(customer.id).supplied is None
    assert both.said_only(WriteEconomicCustomer) == []


def test_numbers_of_ones_own_are_kept_with_the_customer_through_a_refusal(both: Both, customer: Customer) -> None:
    given = ["--group", "1", "--terms", "2", "--zone", "3", "--currency", "EUR"]
    assert main(["answer", customer.id, "supply", *given, "--yes"]) == 0
    (command,) = both.said_only(WriteEconomicCustomer)
    both.refused(command, 60)
    assert main(["answer", customer.id, "create", "--yes"]) == 0
    (again,) = both.said_only(WriteEconomicCustomer)
    defaults = again.parts[0].defaults
    assert defaults is not None
    assert (defaults.group, defaults.terms, defaults.zone, defaults.currency) == (1, 2, 3, "EUR")
    both.created(again, customer, 7)
    assert both.pairs() == [(customer.id, 7, "linked")]
