"""What goes on when access was given up and is given again? The links, nothing twice; and another agreement starts without."""

import pytest
import sqlalchemy as sa

from economic_adapter.contract import RunImport, WriteEconomicCustomer
from reconciler import clock
from reconciler.__main__ import main
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, agreement_seen, crm_changed, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, filled, previewed, statuses

pytestmark = pytest.mark.slow

OTHER = AGREEMENT + 1


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    """Two pairs that flow, and customers that only one side has; then access is given up."""
    filled(company)
    confirmed = counts(previewed(company, capsys))
    assert main([*ON, "--yes", "--confirm", confirmed]) == 3
    carried_out(company)
    company.work()
    looked(company)
    assert links(company) == {"alike": 1, "spelled": 2}
    company.wire.later(seconds=1)
    company.wire.hear(agreement_seen(company.wire.time, state="disconnected"))
    looked(company)
    company.work()
    return company


def looked(company: Company) -> None:
    while clock.make_links(company.wire.engine) + clock.tell_again(company.wire.engine, company.wire.clocked):
        pass


def links(company: Company, agreement: int = AGREEMENT) -> dict[str, int]:
    with company.wire.engine.connect() as connection:
        rows = connection.execute(
            sa.text("select crm_id, number from sync.link where agreement = :agreement and state = 'linked'"),
            {"agreement": agreement},
        )
        return {row.crm_id: row.number for row in rows}


def states(company: Company) -> dict[int, str]:
    with company.wire.engine.connect() as connection:
        rows = connection.execute(sa.text("select agreement, state from sync.agreement"))
        return {row.agreement: row.state for row in rows}


def reconnected(company: Company, agreement: int = AGREEMENT) -> None:
    company.wire.later(seconds=1)
    company.wire.hear(agreement_seen(company.wire.time, state="connected", agreement=agreement))
    looked(company)


def drifted(company: Company) -> None:
    """While there is no access somebody edits and somebody creates, in both systems."""
    company.here(company.crm["alike"].model_copy(update={"email": "ny@b.dk"}))
    company.here(a_customer(id="both", name="Zeta", cvr="25313763", created=company.wire.time))
    company.economic[2] = company.economic[2].model_copy(update={"website": "alfa.dk", "object_version": "n"})
    company.economic[20] = there(a_customer(name="Zeta", cvr="25313763"), 20, "n")
    assert company.work() == []


def read_anew(company: Company) -> None:
    """e-conomic tells what it holds now, as an import does; both sides close."""
    for number in (1, 2, 5, 9, 20):
        company.there(company.economic[number])
    company.read()


def test_nothing_is_written_while_there_is_no_access_and_nothing_by_reconnecting_alone(company: Company) -> None:
    assert states(company) == {AGREEMENT: "disconnected"}
    drifted(company)
    assert links(company) == {"alike": 1, "spelled": 2}
    reconnected(company)
    assert states(company) == {AGREEMENT: "off"}
    assert links(company) == {"alike": 1, "spelled": 2}
    assert company.work() == []


def test_what_was_linked_goes_on_and_nothing_is_created_twice(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {
        "perhaps": "perhaps",
        "alike": "different",
        "spelled": "choice",
        "lead": "not_there",
        "only": "not_there",
    }
    drifted(company)
    reconnected(company)
    company.wire.said()
    capsys.readouterr()
    assert main([*ON, "--preview"]) == 3  # what was read before is old: both sides are read once more
    read_anew(company)
    capsys.readouterr()
    assert main([*ON, "--preview"]) == 0
    printed = capsys.readouterr().out
    customers = (len(company.crm), len(company.economic))
    assert main([*ON, "--yes", "--confirm", counts(printed)]) == 3
    carried_out(company)
    company.work()
    looked(company)
    company.work()
    assert links(company) == {"alike": 1, "spelled": 2, "both": 20}
    assert company.economic[1].email == "ny@b.dk"
    assert company.crm["spelled"].website == "alfa.dk"
    assert (len(company.crm), len(company.economic)) == customers
    assert statuses(company) == {**before, "both": "same"}


def test_another_agreement_starts_without_links_and_the_first_keeps_its_own(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    reconnected(company, OTHER)
    assert states(company) == {AGREEMENT: "disconnected", OTHER: "connected"}
    edited = company.crm["alike"].model_copy(update={"email": "ny@b.dk"})
    company.wire.hear(crm_changed(edited, 9, agreement=None))
    looked(company)
    assert company.work() == []
    assert links(company, OTHER) == {}
    assert links(company) == {"alike": 1, "spelled": 2}
    company.wire.said()
    assert main([*ON, "--agreement", str(OTHER), "--preview"]) == 3
    (asked,) = company.wire.said_only(RunImport)
    assert asked.agreement == OTHER
    assert company.wire.said_only(WriteEconomicCustomer) == []
