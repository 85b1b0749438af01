"""The adapter's command line: dry unless told, and figures and ids only."""

import json
import uuid
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from crm_outbox.messaging import telemetry
from economic_adapter import __main__ as edge
from economic_adapter import agreements
from economic_adapter.contract import EconomicPart, WriteEconomicCustomer
from economic_adapter.sandbox.app import Running
from economic_adapter.tables import epoch
from tests.integration.economic_adapter.parts import AGREEMENT, GRANT, TENANT, Parts, environ

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    made = Parts(environ(database, None, sandbox), engine)
    yield made
    made.close()


@pytest.fixture
def say(database: str, sandbox: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command in this process; its exit code and what it printed."""
    for name, value in environ(database, None, sandbox, ECONOMIC_GRANT=GRANT).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(telemetry, "configure", lambda *_, **__: None)

    def command(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = edge.main(arguments)
        return code, capsys.readouterr().out

    return command


def write(parts: Parts) -> WriteEconomicCustomer:
    part = EconomicPart(
        operation=uuid.uuid4(),
        action="change",
        record="customer",
        number=7,
        object_version="1",
        fields={"phone": "86 12 34 56"},
    )
    command = WriteEconomicCustomer(agreement=AGREEMENT, customer="c1", number=7, parts=(part,))
    parts.receive(command)
    return command


def test_connecting_is_dry_unless_told(say: Say, parts: Parts) -> None:
    code, said = say("connect", "--tenant", TENANT)
    assert (code, "nothing was kept" in said) == (0, True)
    assert parts.told() == []
    assert say("connect", "--tenant", TENANT, "--agreement", "7", "--yes")[0] == 1
    assert parts.told() == []
    code, said = say("connect", "--tenant", TENANT, "--agreement", str(AGREEMENT), "--yes")
    assert (code, "Nordhavn Tømrer ApS" in said) == (0, True)
    assert GRANT not in said
    code, said = say("agreements")
    assert code == 0
    assert f"{AGREEMENT}  connected  tenant {TENANT}" in said


def test_a_pause_stops_all_calls_until_it_is_taken_back(say: Say, parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    waiting = write(parts)
    assert say("pause", "--agreement", str(AGREEMENT))[0] == 0
    assert say("pause", "--agreement", str(AGREEMENT), "--yes")[0] == 0
    calls = sum(sandbox.data.calls.values())
    assert parts.work() == 0
    parts.receive(waiting)
    (outcome,) = parts.told()[-1].data.outcomes  # type: ignore[attr-defined]
    assert outcome.reason == "paused"
    assert sum(sandbox.data.calls.values()) == calls
    assert say("resume", "--agreement", str(AGREEMENT), "--yes")[0] == 0
    assert parts.work() > 0
    assert say("pause", "--agreement", "999", "--yes")[0] == 1


def test_an_operation_is_shown_without_its_values(say: Say, parts: Parts) -> None:
    parts.switch_on()
    operation = str(write(parts).parts[0].operation)
    code, said = say("op", operation)
    assert code == 1
    assert "state: planned" in said
    assert "'phone'" in said
    assert "86 12 34 56" not in said
    parts.work()
    code, said = say("op", operation)
    assert code == 0
    assert "reason: not_found" in said
    assert say("op", str(uuid.uuid4()))[0] == 1


def test_the_status_says_what_waits(say: Say, parts: Parts) -> None:
    parts.switch_on()
    write(parts)
    code, said = say("status")
    assert code == 0
    report = json.loads(said)
    assert report["work"][0] | {"oldest_s": 0} == {"kind": "write", "waiting": "due", "count": 1, "oldest_s": 0}
    assert report["outbox"]["live"]["waiting"] == len(parts.told())


@pytest.fixture
def epoch_put_back(engine: sa.Engine) -> Iterator[None]:
    """The epoch is kept from test to test."""
    yield
    with engine.begin() as connection:
        connection.execute(sa.update(epoch).values(epoch=1))


@pytest.mark.usefixtures("epoch_put_back")
def test_a_new_epoch_makes_what_comes_newer_than_any_before(say: Say, parts: Parts) -> None:
    parts.connect()
    with parts.engine.begin() as connection:
        before = agreements.current_epoch(connection)
    assert say("epoch", "next")[0] == 0
    assert say("epoch", "next", "--yes")[0] == 0
    with parts.engine.begin() as connection:
        assert agreements.current_epoch(connection) == before + 1
    parts.switch_on()
    first, *_, last = [one.version for one in parts.told() if one.version is not None]
    assert last > first
    assert last.epoch == before + 1


def test_rotating_keys_is_dry_unless_told(say: Say, parts: Parts) -> None:
    parts.connect()
    code, said = say("rotate-keys")
    assert (code, "repeat with --yes" in said) == (0, True)
    assert say("rotate-keys", "--yes")[0] == 0
