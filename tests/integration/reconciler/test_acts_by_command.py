"""What the operator does by a command is in the history as the operator's, once, and only when it was done."""

import pytest
import sqlalchemy as sa

from reconciler import acts
from reconciler.__main__ import main
from tests.builders.company import Company
from tests.builders.sync import TENANT
from tests.integration.reconciler.test_braking import four, stopped
from tests.integration.reconciler.test_switching_on import ON, carried_out, counts, filled, previewed

pytestmark = pytest.mark.slow


def told(company: Company) -> list[str]:
    """The acts of the operator since the last question."""
    with company.wire.engine.begin() as connection:
        found = connection.execute(sa.text("select * from sync.act order by at, id")).all()
        connection.execute(sa.text("delete from sync.act"))
    assert {(one.who, one.who_id, one.tenant) for one in found} <= {(acts.OPERATOR, "", TENANT)}
    return [one.what for one in found]


def once(act: str) -> tuple[list[str], list[str]]:
    """What is told of a command, and of the same said again."""
    return [act], []


def test_on_off_rules_and_taking_back(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    filled(company)
    confirm = counts(previewed(company, capsys))
    assert main(["runs", "--tenant", TENANT]) == 0
    assert told(company) == [], "looking is no act"
    for expected in once("confirm_switch_on"):
        assert main([*ON, "--yes", "--confirm", confirm]) in {1, 3, 0}
        assert told(company) == expected
    carried_out(company)
    rules = ["rules", "--tenant", TENANT, "--detail", "website", "--decides", "ask"]
    undo = ["undo-switch-on", "--tenant", TENANT, "--wait", "0"]
    off = ["switch-off", "--tenant", TENANT]
    for command, act in ((rules, "rules"), (undo, "undo_switch_on"), (off, "switch_off")):
        main(command)
        assert told(company) == [], "nothing is done without --yes"
        for now in once(act):
            main([*command, "--yes"])
            assert told(company) == now, command


def test_a_reading_is_steered(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    filled(company)
    main([*ON, "--preview"])
    with company.wire.engine.connect() as connection:
        run = connection.scalar(sa.text("select id from sync.run"))
    told(company)
    for action in ("pause", "resume", "stop"):
        for expected in once(f"{action}_run"):
            main(["runs", "--tenant", TENANT, "--run", str(run), "--steer", action, "--yes"])
            assert told(company) == expected
    capsys.readouterr()


@pytest.mark.parametrize("word", ["release", "stop"])
def test_a_brake_is_answered(company: Company, capsys: pytest.CaptureFixture[str], word: str) -> None:
    four(company, capsys)
    run = stopped(company)
    told(company)
    for expected in once(f"{word}_brake"):
        main([f"{word}-brake", "--tenant", TENANT, str(run.id), "--yes"])
        assert told(company) == expected


def test_a_trial_begins_and_ends(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    filled(company)
    pilot = ["pilot", "--tenant", TENANT, "--customer", "alike", "--wait", "0"]
    if main([*pilot, "--preview"]) == 3:
        company.read()
        capsys.readouterr()
        main([*pilot, "--preview"])
    confirm = counts(capsys.readouterr().out)
    main([*pilot, "--yes", "--confirm", confirm])
    assert told(company) == ["confirm_trial"]
    for expected in once("keep_trial"):
        main(["pilot", "--tenant", TENANT, "--keep", "--yes"])
        assert told(company) == expected
