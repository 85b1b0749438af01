"""Keys of services on the command line: dry without ``--yes``, shown once, ended for good."""

import pytest
import sqlalchemy as sa

from reconciler.__main__ import main


@pytest.fixture(autouse=True)
def at_the_database(engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)


def test_a_key_is_made_listed_and_ended(capsys: pytest.CaptureFixture[str]) -> None:
    make = ["make-api-key", "--tenant", "t", "--name", "Billing", "--role", "user"]
    assert main(make) == 0
    assert main(["api-keys", "--tenant", "t"]) == 0
    assert "has no key" in capsys.readouterr().out
    assert main([*make, "--yes"]) == 0
    line, key = capsys.readouterr().out.splitlines()
    assert key.startswith("cme_")
    key_id = line.partition(" ")[0]
    assert main(["api-keys", "--tenant", "t"]) == 0
    said = capsys.readouterr().out
    assert f"{key_id} Billing (user)" in said
    assert key not in said
    assert main(["end-api-key", "--tenant", "other", key_id, "--yes"]) == 1
    assert main(["end-api-key", "--tenant", "t", key_id]) == 0
    assert main(["end-api-key", "--tenant", "t", key_id, "--yes"]) == 0
    capsys.readouterr()
    assert main(["api-keys", "--tenant", "t"]) == 0
    assert "has no key" in capsys.readouterr().out
