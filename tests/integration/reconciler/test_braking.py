"""Does a pass stop before it writes to more customers than was confirmed? And does exactly its list go afterwards?"""

from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import CustomerObserved
from reconciler import clock, items, overview, running, runs
from reconciler.__main__ import main
from reconciler.contract import RunProgressed, TaskOpened
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT, envelope, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, previewed

CVRS = ("13748136", "35204539", "11111119", "22222228")


@pytest.fixture
def company(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    return four(company, capsys)


def four(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    """Four linked customers, and the limit of a pass two."""
    for number, cvr in enumerate(CVRS, 1):
        customer = a_customer(id=f"c{number}", name=f"Kunde {number}", cvr=cvr)
        company.here(customer)
        company.there(there(customer, number, "a"))
    company.wire.later(seconds=1)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    carried_out(company)
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set brake_customers = 2, brake_percent = 100"))
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    looked(company)
    company.work()
    capsys.readouterr()
    return company


def looked(company: Company) -> None:
    while clock.make_links(company.wire.engine) + clock.tell_again(company.wire.engine, company.wire.clocked):
        pass
    clock.follow_runs(company.wire.engine, company.wire.clocked)


def drifted(company: Company) -> None:
    """While nothing may be written, the phone of each is edited in the CRM; then all are looked at anew."""
    _paused(company, '["crm", "economic"]')
    for number in range(1, 5):
        company.here(company.crm[f"c{number}"].model_copy(update={"phone": f"1111111{number}"}))
    assert not company.work()
    _paused(company, "[]")
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set look_again = true"))


def _paused(company: Company, systems: str) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set paused = cast(:paused as jsonb)"), {"paused": systems})


def braked(company: Company) -> runs.Run:
    with company.wire.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["pass"])
    assert found is not None
    return found


def stopped(company: Company) -> runs.Run:
    """All four drifted; the pass wrote to two of them and stopped."""
    drifted(company)
    looked(company)
    company.work()
    return braked(company)


def edited(company: Company, run: runs.Run) -> None:
    """The first of those that are held is edited again in the CRM."""
    with company.wire.engine.connect() as connection:
        first = next(items.listed(connection, run.id, ["planned"]))
    assert first.crm_id is not None
    company.here(company.crm[first.crm_id].model_copy(update={"phone": "99999999"}))


def phones(company: Company) -> int:
    return sum(bool(one.phone) for one in company.economic.values())


def test_a_pass_stops_before_the_first_write_beyond_its_limit(company: Company) -> None:
    drifted(company)
    looked(company)
    company.work()
    assert phones(company) == 2
    run = braked(company)
    assert run.state == "braked"
    with company.wire.engine.connect() as connection:
        held = list(items.listed(connection, run.id, ["planned"]))
    assert len(held) == 2
    assert {write.field for one in held for write in one.writes} == {"phone"}
    assert main(["compare", "--tenant", TENANT]) == 0


def test_it_says_that_it_stopped(company: Company) -> None:
    drifted(company)
    company.wire.said()
    looked(company)
    said = [one.data for one in company.wire.said()]
    assert "braked" in [one.state for one in said if isinstance(one, RunProgressed)]
    (opened,) = [one for one in said if isinstance(one, TaskOpened)]
    assert (opened.kind, opened.page) == ("brake", f"/tasks/{opened.task}")


def test_operators_are_told_how_to_let_it_go(company: Company) -> None:
    drifted(company)
    looked(company)
    with company.wire.engine.connect() as connection:
        (item,) = clock.needs_a_person(connection, company.wire.time)
    assert item.kind.queue == "attention.import-stopped"
    assert "release-brake" in item.command


def test_while_a_direction_is_paused_those_that_wait_say_so_and_those_that_are_held_do_not(company: Company) -> None:
    _paused(company, '["economic"]')
    company.here(company.crm["c1"].model_copy(update={"phone": "11111111"}))
    with company.wire.engine.connect() as connection:
        assert overview.statuses(connection, TENANT, AGREEMENT) == {"paused": 1, "same": 3}
    drifted(company)
    looked(company)
    company.work()
    with company.wire.engine.connect() as connection:
        assert overview.statuses(connection, TENANT, AGREEMENT) == {"sending": 2, "same": 2}


def test_what_is_held_stays_held_whatever_is_heard_of_it(company: Company) -> None:
    drifted(company)
    looked(company)
    company.work()
    for number in range(1, 5):
        company.there(company.economic[number])
    assert not company.work()
    assert phones(company) == 2


def test_exactly_its_list_goes_when_a_person_says_so(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped(company)
    release = ["release-brake", "--tenant", TENANT, str(run.id)]
    assert main(release) == 0
    assert "we stopped: 2 more customers would be written to, 2 were" in capsys.readouterr().out
    assert not company.work()
    assert main([*release, "--yes"]) == 0
    company.work()
    assert phones(company) == 4
    assert braked(company).state == "done"


def test_one_that_moved_since_is_shown_anew(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped(company)
    edited(company, run)
    release = ["release-brake", "--tenant", TENANT, str(run.id), "--yes"]
    assert main(release) == 1
    assert "1 changed since the list was made" in capsys.readouterr().out
    company.work()
    assert phones(company) == 3
    assert main(release) == 0
    company.work()
    assert phones(company) == 4


def swept(company: Company) -> UUID:
    """A nightly pass is under way."""
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set since = since - interval '2 days'"))
        connection.execute(sa.text("update sync.run set started = started - interval '2 days'"))
    assert clock.sweep(company.wire.engine, company.wire.clocked, company.wire.time.hour) == 1
    with company.wire.engine.connect() as connection:
        sweep = runs.latest(connection, TENANT, AGREEMENT, ["sweep"])
    assert sweep is not None
    return sweep.id


def test_a_nightly_pass_that_finds_too_much_stops_too(company: Company) -> None:
    sweep = swept(company)
    company.wire.said()
    for number in range(1, 5):
        seen = company.economic[number].model_copy(update={"phone": f"2222222{number}", "object_version": "b"})
        words = CustomerObserved(
            agreement=AGREEMENT, why="sweep", number=number, version="1.9", economic=seen, run=sweep
        )
        company.wire.hear(envelope(words, agreement=AGREEMENT, number=number))
    assert len(company.wire.said_only(WriteCustomer)) == 2
    assert braked(company).state == "braked"


def test_a_pass_within_its_limit_ends_quietly(company: Company) -> None:
    _paused(company, '["economic"]')
    company.here(company.crm["c1"].model_copy(update={"phone": "11111111"}))
    _paused(company, "[]")
    with company.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set look_again = true"))
    looked(company)
    running.carry_out(company.wire.engine, company.wire.clocked)
    company.work()
    assert phones(company) == 1
    assert (braked(company).state, braked(company).done) == ("done", 1)
