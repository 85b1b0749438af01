"""Can a person decide about a customer that only e-conomic has, by its number? On real PostgreSQL, from the command line."""

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import EconomicCustomer
from reconciler import clock
from reconciler.__main__ import main
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import TENANT

pytestmark = pytest.mark.slow


@pytest.fixture
def both(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Both:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    wire = Both(engine=engine)
    wire.switch_on(Transfer.HAND)
    return wire


def sydhavn(both: Both, number: int = 50, **given: str) -> None:
    words = {"name": "Sydhavn Maler A/S", "cvr": "87654321", "object_version": "v1", **given}
    both.in_economic(EconomicCustomer.model_validate({"number": number, **words}), why="import")


def asked(both: Both) -> tuple[str, str]:
    """Two customers of the CRM that may be number 50: a person is asked."""
    ids = []
    for name in ("Sydhavn afdeling 1", "Sydhavn afdeling 2"):
        customer = both.new(name=name, cvr="87654321")
        both.in_crm(customer)
        ids.append(customer.id)
    both.in_economic(
        EconomicCustomer(number=50, object_version="v2", name="Sydhavn Maler A/S", cvr="87654321"), 2, why="hook"
    )
    (stranger,) = [one for one in both.links() if not one.crm_id]
    assert set(stranger.candidates_here) == set(ids)
    both.said()
    return ids[0], ids[1]


def test_one_nobody_was_asked_about_is_created_in_the_crm_by_its_number(
    both: Both, capsys: pytest.CaptureFixture[str]
) -> None:
    sydhavn(both)
    assert main(["answer", "--number", "50", "create"]) == 0
    assert "number 50: would be decided: create; repeat with --yes" in capsys.readouterr().out
    assert both.said() == []
    assert main(["answer", "create", "--number", "50", "--tenant", TENANT, "--who", "Marie", "--yes"]) == 0
    assert "open" in capsys.readouterr().out
    (command,) = both.creations()
    both.answered(command, both.made(command, "c9"))
    assert both.pairs() == [("c9", 50, "linked")]
    assert main(["decisions", "--tenant", TENANT]) == 0
    told = capsys.readouterr().out
    assert "customer c9 number 50 Marie decided create: done" in told
    assert "written" in told


def test_one_that_may_be_several_is_created_anyway_with_all_of_them_ruled_out(both: Both) -> None:
    first, second = asked(both)
    assert main(["answer", "--number", "50", "create", "--yes"]) == 0
    (command,) = both.said_only(WriteCustomer)
    assert set(command.ruled_out) == {first, second}


def test_it_is_linked_with_the_one_that_is_named(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    _, second = asked(both)
    assert main(["answer", "--number", "50", "link", "--yes"]) == 2
    assert "say --with" in capsys.readouterr().out
    assert main(["answer", "--number", "50", "link", "--with", second, "--yes"]) == 0
    assert both.of(second).number == 50
    assert main(["decisions", "--tenant", TENANT]) == 0
    assert "decided link: done" in capsys.readouterr().out


def test_it_is_none_of_those_that_were_shown(both: Both) -> None:
    first, second = asked(both)
    assert main(["answer", "--number", "50", "not-the-same", "--yes"]) == 0
    assert (both.of(first).apart, both.of(second).apart) == ((50,), (50,))
    with both.engine.connect() as connection:
        open_ = connection.execute(sa.text("select kind from sync.task where closed is null")).scalars().all()
    assert open_ == []
    assert both.said_only(WriteCustomer) == []
    clock.tell_again(both.engine, both.clocked)
    (command,) = both.said_only(WriteCustomer)
    assert set(command.ruled_out) == {first, second}, "it is none of them, so it is new"


def test_told_apart_while_nothing_is_received_it_waits_for_a_person(both: Both) -> None:
    first, second = asked(both)
    both.set(receive=False)
    assert main(["answer", "--number", "50", "not-the-same", "--yes"]) == 0
    clock.tell_again(both.engine, both.clocked)
    assert both.said_only(WriteCustomer) == []
    assert main(["answer", "--number", "50", "create", "--yes"]) == 0
    (command,) = both.said_only(WriteCustomer)
    assert set(command.ruled_out) == {first, second}


def test_there_is_nothing_to_settle_where_only_one_side_has_it(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    asked(both)
    assert main(["settle", "--number", "50", "--use", "name=crm", "--yes"]) == 2
    assert "answer it with create, link or not-the-same" in capsys.readouterr().out
    assert main(["history", "--number", "50"]) == 0


def test_a_number_nobody_has_and_a_customer_named_twice_are_said(
    both: Both, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = both.linked_by_hand(7)
    assert main(["answer", "--number", "99", "create", "--yes"]) == 1
    assert "number 99 has no link" in capsys.readouterr().out
    assert main(["settle", customer.id, "--number", "7", "--use", "name=crm"]) == 2
    assert "say either" in capsys.readouterr().out
    assert main(["unlink", "--number", "7", "--yes"]) == 0
    assert both.of(customer.id).number is None
