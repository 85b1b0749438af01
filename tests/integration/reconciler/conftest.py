"""The reconciler on a real database: nothing connected, connected, or switched on."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.builders.company import Company
from tests.builders.meeting import Both
from tests.builders.sync import Wire, agreement_seen
from tests.integration.reconciler.flows import switch_on


@pytest.fixture
def wire(engine: sa.Engine) -> Wire:
    """Nothing is connected."""
    return Wire(engine=engine)


@pytest.fixture
def on(wire: Wire) -> Wire:
    """Switched on by messages, with no customers in e-conomic."""
    switch_on(wire)
    wire.switch()
    wire.later(minutes=1)
    return wire


@pytest.fixture
def both(engine: sa.Engine) -> Both:
    """Switched on, with what both sides hold read."""
    wire = Both(engine=engine)
    wire.switch_on()
    return wire


@pytest.fixture
def company(engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A company that is connected and not switched on; commands find its database."""
    monkeypatch.setenv("DATABASE_URL", database)
    company = Company(Wire(engine=engine, time=datetime.now(UTC)))
    company.wire.hear(agreement_seen(company.wire.time, state="connected"))
    return company
