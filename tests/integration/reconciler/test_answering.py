"""Do the commands of questions and decisions say what they would do, do it with ``--yes``, and name what is wrong?"""

import pytest

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.__main__ import main
from tests.builders.sync import TENANT, crm_changed, economic_seen, there
from tests.integration.reconciler.desks import Desk, a_desk

__all__ = ["a_desk"]


@pytest.fixture
def desk(a_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("DATABASE_URL", a_desk.engine.url.render_as_string(hide_password=False))
    a_desk.said()
    return a_desk


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_tasks_lists_what_waits_and_shows_both_values_and_the_last_common_one(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "--tenant", TENANT]) == 1
    listed = said(capsys)
    assert "values both: name" in listed
    assert "Nordhavn A" not in listed
    assert main(["tasks", "--customer", desk.customer.id]) == 1
    shown = said(capsys)
    assert "name: Clickmate 'Nordhavn A', e-conomic 'Nordhavn B', last the same 'Nordhavn ApS'" in shown
    assert main(["tasks", "--tenant", TENANT, "--kind", "merged"]) == 0
    assert "nothing waits" in said(capsys)


def test_settle_tells_what_each_system_gets_and_changes_nothing_without_yes(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["settle", desk.customer.id, "--text", "name=Nordhavn C"]) == 0
    told = said(capsys)
    assert "e-conomic gets: name 'Nordhavn C'" in told
    assert "Clickmate gets: name 'Nordhavn C'" in told
    assert "repeat with --yes" in told
    assert desk.said() == []


def test_settle_with_yes_decides_and_history_says_who(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", desk.customer.id, "--use", "name=crm", "--who", "Marie", "--yes"]) == 0
    assert "name: on its way" in said(capsys)
    (command,) = desk.said_only(WriteEconomicCustomer)
    desk.carried_out(command, 3)
    assert main(["history", desk.customer.id]) == 0
    told = said(capsys)
    assert "Marie decided settle: done" in told
    assert "economic customer name: 'Nordhavn B' -> 'Nordhavn A' (person, decision" in told
    assert main(["settle", desk.customer.id, "--use", "name=crm", "--leave", "name", "--yes"]) == 2
    assert "name was chosen twice" in said(capsys)


def test_what_moved_since_it_was_shown_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", desk.customer.id, "--use", "name=crm"]) == 0
    mark = said(capsys).split("seen as ")[1].split()[0]
    desk.hear(economic_seen(there(desk.customer, 7, "v3", name="Nordhavn Z"), 3))
    desk.said()
    assert main(["settle", desk.customer.id, "--use", "name=crm", "--seen", mark, "--yes"]) == 2
    assert "has moved" in said(capsys)
    assert desk.said() == []


def test_left_different_is_listed_and_undone(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", desk.customer.id, "--leave", "name", "--who", "Marie", "--yes"]) == 0
    assert "name: kept" in said(capsys)
    assert main(["kept", "--tenant", TENANT]) == 0
    listed = said(capsys)
    assert "name left different by Marie" in listed
    decision = listed.split("undo ")[1].split()[0]
    assert main(["undo", decision, "--tenant", "another", "--yes"]) == 1
    assert main(["undo", decision, "--tenant", TENANT]) == 0
    assert "repeat with --yes" in said(capsys)
    assert main(["undo", decision, "--tenant", TENANT, "--yes"]) == 0
    capsys.readouterr()
    assert main(["kept", "--tenant", TENANT]) == 0
    assert "nothing was left different" in said(capsys)
    assert main(["tasks", "--tenant", TENANT]) == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--use", "colour=crm"], "there is no detail colour"),
        (["--use", "name=both"], "say DETAIL=crm or DETAIL=economic"),
        (["--text", "shoe=42"], "there is no field shoe"),
        (["--text", "name"], "say FIELD=TEXT"),
        (["--text", "name= "], "a name may not be empty"),
        (["--text", f"city={'x' * 51}"], "e-conomic cannot hold that city: of 51 characters it would keep 50"),
        (["--text", "ean=1234567890123456"], "e-conomic cannot hold that ean"),
        (["--use", "name=crm", "--person", "nobody"], "there is no contact person nobody"),
        ([], "nothing was chosen"),
    ],
)
def test_bad_input_is_named(desk: Desk, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str) -> None:
    assert main(["settle", desk.customer.id, *arguments, "--yes"]) == 2
    assert why in said(capsys)
    assert desk.said() == []


def test_a_customer_nobody_knows_or_of_another_tenant_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", "nobody", "--use", "name=crm"]) == 1
    assert "has no link" in said(capsys)
    assert main(["settle", desk.customer.id, "--tenant", "another", "--use", "name=crm"]) == 1
    assert "has no link" in said(capsys)


def test_unlinked_and_linked_again_by_hand(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unlink", desk.customer.id]) == 0
    assert desk.link().number == 7
    assert main(["unlink", desk.customer.id, "--yes"]) == 0
    assert (desk.link().number, desk.link().apart) == (None, (7,))
    assert main(["link", desk.customer.id, "0", "--yes"]) == 2
    assert main(["link", desk.customer.id, "9999999999", "--yes"]) == 2
    assert main(["link", desk.customer.id, "7", "--yes"]) == 0
    assert desk.link().number == 7
    assert [one for one in desk.said() if isinstance(one.data, WriteCustomer | WriteEconomicCustomer)] == []
    assert main(["not-the-same", desk.customer.id, "9", "--yes"]) == 0
    assert desk.link().apart == (9,)


def test_a_question_is_answered_with_leaving_it(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    gone = desk.customer.model_copy(update={"deleted": True})
    desk.hear(crm_changed(gone, 3))
    assert main(["tasks", "--customer", desk.customer.id]) == 1
    assert "deleted_edited deleted_here" in said(capsys)
    assert main(["answer", desk.customer.id, "leave", "--kind", "values", "--yes"]) == 2
    assert "open: none" in said(capsys)
    assert main(["answer", desk.customer.id, "leave", "--yes"]) == 0
    capsys.readouterr()
    assert main(["tasks", "--customer", desk.customer.id]) == 0


def test_a_customer_deleted_in_the_crm_is_barred_in_e_conomic_when_a_person_says_so(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.hear(crm_changed(desk.customer.model_copy(update={"deleted": True}), 3))
    desk.said()
    assert main(["answer", desk.customer.id, "bar", "--who", "Marie", "--yes"]) == 0
    (command,) = desk.said_only(WriteEconomicCustomer)
    assert [(part.action, part.number, part.object_version) for part in command.parts] == [("bar", 7, "v2")]
    desk.carried_out(command, 3)
    capsys.readouterr()
    assert main(["history", desk.customer.id]) == 0
    assert "Marie decided bar: done" in said(capsys)
