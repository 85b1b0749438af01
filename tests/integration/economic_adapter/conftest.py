"""A worker's desk for each test, and the customer that most are about."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from economic_adapter import desk
from economic_adapter.sandbox.app import Running
from tests.builders.economic import Bench, bench, creation


@pytest.fixture
def at_desk(engine: sa.Engine, sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """One agreement that is on, its worker, and the e-conomic it talks to."""
    monkeypatch.setattr(desk, "LOOK_SECONDS", 60.0)  # how long a look takes says how busy the machine is
    made = bench(engine, sandbox)
    yield made
    made.client.close()


@pytest.fixture
def number(at_desk: Bench) -> int:
    """A customer that the adapter created and everyone knows."""
    at_desk.write(creation())
    at_desk.calls()
    return 1001
