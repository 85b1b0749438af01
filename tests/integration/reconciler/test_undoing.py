"""What comes back when a switching on is taken back? Links and fills nobody edited since; never a customer."""

from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Result
from economic_adapter.contract import ConfigureAgreement
from reconciler import agreements, clock, deciding, items, running, runs, store, undoing, wishing
from reconciler.__main__ import main
from reconciler.decisions import Decision
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, previewed

UNDO = ("undo-switch-on", "--tenant", TENANT, "--wait", "0")


@pytest.fixture
def on(company: Company, capsys: pytest.CaptureFixture[str]) -> Company:
    """Two linked by CVR; a phone was filled in here, a website there."""
    one = a_customer(id="one", cvr="13748136", phone="", website="one.dk")
    two = a_customer(id="two", name="Beta ApS", cvr="35204539", email="")
    company.here(one, two)
    company.there(
        there(one.model_copy(update={"phone": "22222222", "website": ""}), 1, "a"),
        there(two.model_copy(update={"email": "b@b.dk"}), 2, "a"),
    )
    company.wire.later(seconds=1)
    confirmed = counts(previewed(company, capsys))
    assert main([*ON, "--yes", "--confirm", confirmed]) == 3
    carried_out(company)
    company.work()
    assert company.crm["one"].phone == "22222222"
    assert company.economic[1].website == "one.dk"
    assert company.crm["two"].email == "b@b.dk"
    return company


def undone(company: Company) -> runs.Run:
    for _ in range(6):
        undoing.undo(company.wire.engine, company.wire.clocked)
        company.work()
        company.wire.later(seconds=2)
    with company.wire.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["undo"])
    assert found is not None
    return found


def links(company: Company) -> dict[str, tuple[str, int | None]]:
    with company.wire.engine.connect() as connection:
        rows = connection.execute(sa.text("select crm_id, state, number from sync.link where crm_id is not null"))
        return {row.crm_id: (row.state, row.number) for row in rows}


def test_without_yes_it_only_says_what_it_would_take_back(on: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*UNDO]) == 0
    assert "2 links are removed, 3 details are put back" in capsys.readouterr().out
    assert links(on)["one"] == ("linked", 1)


def test_links_and_fills_are_taken_back_and_it_is_off(on: Company) -> None:
    on.wire.said()
    assert main([*UNDO, "--yes"]) == 3
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("done", 2, 0)
    assert on.crm["one"].phone == ""
    assert on.economic[1].website == ""
    assert on.economic[1].phone == "22222222"
    assert on.crm["two"].email == ""
    assert links(on) == {"one": ("unlinked", None), "two": ("unlinked", None)}
    assert len(on.crm) == len(on.economic) == 2
    with on.wire.engine.connect() as connection:
        assert connection.scalar(sa.text("select state from sync.agreement")) == "off"


def test_what_somebody_edited_since_is_left_with_its_reason(on: Company, capsys: pytest.CaptureFixture[str]) -> None:
    on.here(on.crm["one"].model_copy(update={"phone": "55555555"}))
    on.work()
    assert main([*UNDO, "--yes"]) == 3
    run = undone(on)
    assert on.crm["one"].phone == "55555555"
    assert on.economic[1].website == ""
    assert links(on)["one"] == ("unlinked", None)
    assert (run.done, run.left_out) == (1, 1)
    capsys.readouterr()
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id)]) == 0
    assert "somebody has edited it since" in capsys.readouterr().out


def test_after_thirty_days_there_is_nothing_to_take_back(on: Company, capsys: pytest.CaptureFixture[str]) -> None:
    with on.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.run set ended = ended - :age"), {"age": timedelta(days=30, hours=1)})
    assert main([*UNDO, "--yes"]) == 1
    assert "nothing to take back" in capsys.readouterr().out


def test_an_undone_pair_is_not_linked_again_by_itself(on: Company) -> None:
    assert main([*UNDO, "--yes"]) == 3
    undone(on)
    on.wire.said()
    for _ in range(3):
        clock.make_links(on.wire.engine)
        clock.tell_again(on.wire.engine, on.wire.clocked)
        running.carry_out(on.wire.engine, on.wire.clocked)
    on.here(on.crm["one"].model_copy(update={"phone": "66666666"}))
    assert [type(one.data) for one in on.wire.said() if isinstance(one.data, ConfigureAgreement)] == []
    assert links(on)["one"] == ("unlinked", None)
    assert not on.work()


def test_the_items_of_the_run_are_undone(on: Company) -> None:
    assert main([*UNDO, "--yes"]) == 3
    run = undone(on)
    assert run.of_run is not None
    with on.wire.engine.connect() as connection:
        assert {one.state for one in items.listed(connection, run.of_run)} == {"undone"}


def _off(company: Company) -> None:
    """It was switched off, and e-conomic's side answered; then one was edited on each side in a detail of no run."""
    assert main(["switch-off", "--tenant", TENANT, "--yes"]) == 0
    company.wire.switch()
    looked(company)
    company.here(company.crm["one"].model_copy(update={"mobile": "77777777"}))
    company.there(company.economic[2].model_copy(update={"website": "beta.dk", "object_version": "z"}))
    assert not company.work()


def looked(company: Company) -> None:
    while clock.make_links(company.wire.engine) + clock.tell_again(company.wire.engine, company.wire.clocked):
        pass


def _configured(company: Company) -> list[bool]:
    with company.wire.engine.connect() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
    return [] if known.configure is None else [known.configure.on]


def test_it_is_taken_back_also_when_it_is_off_and_nothing_else_flows(
    on: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    _off(on)
    capsys.readouterr()
    assert main([*UNDO]) == 0
    assert "opened for this alone" in capsys.readouterr().out
    assert main([*UNDO, "--yes"]) == 3
    assert _configured(on) == [True]
    assert undoing.undo(on.wire.engine, on.wire.clocked) == 0
    on.wire.switch()
    before = (on.crm["one"].mobile, on.economic[1].mobile, on.crm["two"].website, on.economic[2].website)
    run = undone(on)
    assert (run.state, run.done, run.left_out) == ("done", 2, 0)
    assert (on.crm["one"].phone, on.economic[1].website, on.crm["two"].email) == ("", "", "")
    assert links(on) == {"one": ("unlinked", None), "two": ("unlinked", None)}
    assert before == (on.crm["one"].mobile, on.economic[1].mobile, on.crm["two"].website, on.economic[2].website)
    assert _configured(on) == [False]
    with on.wire.engine.connect() as connection:
        assert connection.scalar(sa.text("select state from sync.agreement")) == "off"
    looked(on)
    assert statuses_of(on) == {"off"}


def test_another_decision_about_the_customer_is_not_carried_out_by_it(on: Company) -> None:
    _off(on)
    with on.wire.engine.begin() as connection:
        stored = store.lock(connection, TENANT, AGREEMENT, "one")
        assert stored is not None
        wish = wishing.wish(stored.link, stored.link.customer, "mobile", "text", {"mobile": "88888888"})
        said = Decision(
            id=uuid4(), tenant=TENANT, agreement=AGREEMENT, link=stored.link.id, means="settle", who="Marie",
            at=on.wire.time, wishes=(wish,), seen=deciding.versions(stored.link),
        )  # fmt: skip
        deciding.save(on.wire.clocked, connection, said)
    assert main([*UNDO, "--yes"]) == 3
    on.wire.switch()
    assert undone(on).state == "done"
    assert on.economic[1].website == ""
    assert "88888888" not in {on.crm["one"].mobile, on.economic[1].mobile}


def test_a_value_put_back_on_both_sides_is_put_back_while_it_is_off_too(on: Company) -> None:
    with on.wire.engine.begin() as connection:
        connection.execute(
            sa.text("""
                update sync.run_item set writes = writes || (
                    select jsonb_agg(one || '{"system": "economic", "id": "1", "before": "", "after": "22222222"}')
                    from jsonb_array_elements(writes) one where one ->> 'field' = 'phone')
                where crm_id = 'one'
            """)
        )
    _off(on)
    assert main([*UNDO, "--yes"]) == 3
    on.wire.switch()
    assert undone(on).state == "done"
    assert (on.crm["one"].phone, on.economic[1].phone) == ("", "")


def test_where_e_conomic_s_side_cannot_be_opened_nothing_is_taken_back(on: Company) -> None:
    _off(on)
    assert main([*UNDO, "--yes"]) == 3
    on.wire.switch(outcome=Result.REFUSED, reason="access_lost")
    run = undone(on)
    assert (run.state, run.reason) == ("failed", "access_lost")
    assert links(on)["one"] == ("linked", 1)
    with on.wire.engine.connect() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
    assert (known.state, known.busy) == ("off", None)


def test_one_that_is_stopped_is_closed_again(on: Company) -> None:
    _off(on)
    assert main([*UNDO, "--yes"]) == 3
    on.wire.switch()
    with on.wire.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["undo"])
    assert found is not None
    assert main(["runs", "--tenant", TENANT, "--run", str(found.id), "--steer", "stop", "--yes"]) == 0
    assert _configured(on) == [False]


def test_without_access_it_says_what_comes_first(on: Company, capsys: pytest.CaptureFixture[str]) -> None:
    with on.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set state = 'access_lost'"))
    assert main([*UNDO, "--yes"]) == 1
    assert "give access again with `economic_adapter connect`" in capsys.readouterr().out


def statuses_of(company: Company) -> set[str]:
    with company.wire.engine.connect() as connection:
        return set(connection.scalars(sa.text("select status from sync.link where crm_id is not null")))
