"""What does switching on do where both sides have customers already? Exactly what the preview showed, and nothing more."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import ConfigureAgreement, RunImport, WriteEconomicCustomer
from reconciler import clock, items, running, runs
from reconciler.__main__ import main
from reconciler.rehearsal import Write
from tests.builders.company import Company
from tests.builders.crm import a_customer, a_person
from tests.builders.sync import AGREEMENT, TENANT, there

ON = ("switch-on", "--tenant", TENANT, "--wait", "0")


def filled(company: Company) -> None:
    """Two that are the same by CVR, one a suggestion, a lead, and one only on each side."""
    alike = a_customer(id="alike", cvr="13748136", phone="", email="a@b.dk", mobile="11111111")
    spelled = a_customer(id="spelled", name="Alfa ApS", cvr="DK 35 20 45 39", contacts=(a_person(name="Bo Ny"),))
    perhaps = a_customer(id="perhaps", name="Beta Tømrer", postcode="8000", city="Aarhus")
    lead = a_customer(id="lead", name="Gamma", stage=Stage.LEAD)
    only = a_customer(id="only", name="Delta", cvr="11111119")
    company.here(alike, spelled, perhaps, lead, only)
    company.there(
        there(alike.model_copy(update={"phone": "22222222", "mobile": "33333333"}), 1, "a"),
        there(spelled.model_copy(update={"cvr": "35204539"}), 2, "a"),
        there(perhaps.model_copy(update={"city": "Århus C"}), 5, "a", barred=True),
        there(a_customer(name="Epsilon", cvr="22222228"), 9, "a"),
    )
    company.wire.later(seconds=1)


def previewed(company: Company, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What the preview printed, both sides read first."""
    if main([*ON, "--preview", *more]) == 3:
        company.read()
        capsys.readouterr()
        assert main([*ON, "--preview", *more]) == 0
    return capsys.readouterr().out


def counts(printed: str) -> str:
    found = re.search(r"--confirm (\S+)", printed)
    assert found is not None
    return found.group(1)


def carried_out(company: Company) -> None:
    company.catches_up()
    company.wire.switch(customers=len(company.economic))
    while clock.follow_runs(company.wire.engine, company.wire.clocked) + running.carry_out(
        company.wire.engine, company.wire.clocked
    ):
        company.wire.later(seconds=2)


def planned(company: Company) -> list[Write]:
    with company.wire.engine.connect() as connection:
        run = runs.latest(connection, TENANT, AGREEMENT, ["switch_on", "transfer"])
        assert run is not None
        return [write for item in items.listed(connection, run.id) for write in item.writes]


def test_nothing_is_asked_of_e_conomic_but_to_be_read_until_it_is_confirmed(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    previewed(company, capsys)
    said = [one.data for one in company.wire.said()]
    assert not [one for one in said if isinstance(one, ConfigureAgreement | WriteCustomer | WriteEconomicCustomer)]


def test_the_preview_reads_like_a_receipt_whose_numbers_add_up(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    printed = previewed(company, capsys)
    assert "e-conomic (4)" in printed
    assert "Clickmate (5)" in printed
    for line in (
        r"linked by CVR no\. +2\n",
        r"suggested by name and postcode +1\n",
        r"only in e-conomic +1\n",
        r"of which blocked +1\n",
        r"leads +1\n",
        r"only in Clickmate +1\n",
        r"customers linked +2\n",
        r"details filled in +1 +phone 1",
        r"details that differ and stay +1 +mobile 1",
        r"customers created in e-conomic +0\n",
    ):
        assert re.search(line, printed), (line, printed)
    assert counts(printed) == "2,1,0"


def test_without_the_counts_nothing_is_switched_on(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    filled(company)
    previewed(company, capsys)
    assert main([*ON, "--yes"]) == 1
    assert main([*ON, "--yes", "--confirm", "2,0,0"]) == 1
    assert company.wire.said_only(ConfigureAgreement) == []


def test_the_run_writes_exactly_what_the_preview_showed(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    filled(company)
    confirmed = counts(previewed(company, capsys))
    assert main([*ON, "--yes", "--confirm", confirmed]) == 3
    carried_out(company)
    shown = planned(company)
    company.work()
    assert sorted(company.written, key=repr) == sorted(shown, key=repr)
    assert company.crm["alike"].phone == "22222222"
    assert company.crm["alike"].mobile == "11111111"
    assert company.economic[1].mobile == "33333333"
    assert len(company.economic) == 4
    assert statuses(company)["alike"] == "different"


def test_a_set_that_moved_since_the_preview_is_shown_anew_and_not_switched_on(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    confirmed = counts(previewed(company, capsys))
    company.here(company.crm["alike"].model_copy(update={"mobile": ""}))
    assert main([*ON, "--yes", "--confirm", confirmed]) == 1
    assert "something changed since the list was made" in capsys.readouterr().out
    assert company.wire.said_only(ConfigureAgreement) == []


def test_one_that_moved_after_it_was_confirmed_is_left_out_and_reported(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    confirmed = counts(previewed(company, capsys))
    assert main([*ON, "--yes", "--confirm", confirmed]) == 3
    company.there(company.economic[1].model_copy(update={"phone": "44444444"}))
    carried_out(company)
    with company.wire.engine.connect() as connection:
        run = runs.latest(connection, TENANT, AGREEMENT, ["switch_on"])
        assert run is not None
        assert items.left_out(connection, run.id) == {"moved": 1}
        assert (run.state, run.done, run.left_out) == ("done", 1, 1)
    capsys.readouterr()
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id)]) == 0
    assert "changed since the preview" in capsys.readouterr().out


def test_a_ticked_group_is_linked_and_the_ticked_box_creates(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    more = ("--link-group", "name_postcode", "--create-in-economic")
    confirmed = counts(previewed(company, capsys, *more))
    assert confirmed.endswith(",1")
    assert main([*ON, "--yes", "--confirm", confirmed, *more]) == 3
    carried_out(company)
    shown = planned(company)
    company.work()
    assert sorted(company.written, key=repr) == sorted(shown, key=repr)
    assert len(company.economic) == 5
    assert statuses(company)["only"] == "same"
    assert statuses(company)["perhaps"] in {"same", "different"}


def test_ticking_something_else_than_what_was_previewed_is_refused(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    confirmed = counts(previewed(company, capsys))
    assert main([*ON, "--yes", "--confirm", confirmed, "--link-group", "name_postcode"]) == 1
    assert company.wire.said_only(ConfigureAgreement) == []


def test_a_paused_run_goes_on_where_it_was(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    filled(company)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    run = latest(company)
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id), "--steer", "pause", "--yes"]) == 0
    carried_out(company)
    assert (latest(company).state, latest(company).done) == ("paused", 0)
    assert main(["runs", "--tenant", TENANT, "--run", str(run.id), "--steer", "resume", "--yes"]) == 0
    running.carry_out(company.wire.engine, company.wire.clocked)
    assert latest(company).done == 2


def test_a_clock_that_dies_between_two_customers_goes_on_where_it_was(
    company: Company, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(company)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    company.wire.switch(customers=4)
    mark, marked = items.mark, []

    def dying(*given: Any, **more: Any) -> None:
        marked.append(given)
        if len(marked) == 2:
            raise KeyboardInterrupt
        mark(*given, **more)

    monkeypatch.setattr(items, "mark", dying)
    with pytest.raises(KeyboardInterrupt):
        running.carry_out(company.wire.engine, company.wire.clocked)
    monkeypatch.undo()
    monkeypatch.setenv("DATABASE_URL", str(company.wire.engine.url.render_as_string(hide_password=False)))
    assert latest(company).done == 1
    while running.carry_out(company.wire.engine, company.wire.clocked):
        company.wire.later(seconds=2)
    shown = planned(company)
    company.work()
    assert latest(company).done == 2
    assert sorted(company.written, key=repr) == sorted(shown, key=repr)


def test_what_is_written_of_a_run_is_forgotten_after_its_undo_has_run_out(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    carried_out(company)
    assert planned(company)
    with company.wire.engine.begin() as connection:
        runs.forget(connection, company.wire.time - timedelta(days=31))
    assert planned(company)
    with company.wire.engine.begin() as connection:
        runs.forget(connection, company.wire.time + timedelta(days=1))
    assert not planned(company)


def test_what_has_no_link_waits_while_the_run_goes_on_and_is_looked_at_after(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    company.wire.switch(customers=4)
    company.catches_up()
    company.wire.said()
    company.here(a_customer(id="new", name="Ny ApS", created=company.wire.time, active_since=company.wire.time))
    assert company.wire.said_only(WriteEconomicCustomer) == []
    while running.carry_out(company.wire.engine, company.wire.clocked):
        pass
    company.wire.said()
    clock.make_links(company.wire.engine)
    clock.tell_again(company.wire.engine, company.wire.clocked)
    (creation,) = company.wire.said_only(WriteEconomicCustomer)
    assert creation.customer == "new"


def test_when_it_is_done_what_changed_meanwhile_is_read_once(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(company)
    assert main([*ON, "--yes", "--confirm", counts(previewed(company, capsys))]) == 3
    carried_out(company)
    assert clock.sweep(company.wire.engine, company.wire.clocked, None) == 0
    while clock.make_links(company.wire.engine) + clock.tell_again(company.wire.engine, company.wire.clocked):
        pass
    company.wire.said()
    assert clock.sweep(company.wire.engine, company.wire.clocked, None) == 1
    (asked,) = company.wire.said_only(RunImport)
    assert asked.kind == "sweep"
    assert clock.sweep(company.wire.engine, company.wire.clocked, None) == 0


def latest(company: Company) -> runs.Run:
    with company.wire.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["switch_on"])
    assert found is not None
    return found


def statuses(company: Company) -> dict[str, str]:
    with company.wire.engine.connect() as connection:
        rows = connection.execute(sa.text("select crm_id, status from sync.link where crm_id is not null")).all()
    return {row.crm_id: row.status for row in rows}
