"""Both sides read in full over the bus, in real processes, before anything is switched on: everything known, nothing written."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.messaging.settings import Broker
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.seeding import seed
from tests.duties import AGREEMENT, GRANT, TENANT, Product, product
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def connected(database: str, broker: Broker, sandbox: Running, tmp_path: Path) -> Iterator[Product]:
    with product(database, broker, sandbox, tmp_path) as started:
        started.command("economic_adapter", "connect", "--tenant", TENANT, "--yes", given=GRANT)
        yield started


def found(running: Product, query: str) -> list[tuple[Any, ...]]:
    with running.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query)).all()]


def test_both_sides_are_known_in_full_and_nothing_was_written(connected: Product, sandbox: Running) -> None:
    seed(sandbox.data, customers=60, contacts=75)
    sandbox.data.settings.cursor_page = 10
    sandbox.data.settings.latency_ms = 1000  # so slow that e-conomic is still read when all of that has happened
    ids = [connected.create({"name": "Anne Holm"}, name=f"Kunde {n} ApS") for n in range(25)]
    reading = threading.Thread(
        target=connected.command, args=("reconciler", "read", "--tenant", TENANT, "--yes", "--wait", "150")
    )
    reading.start()
    eventually(lambda: found(connected, "select 1 from economic.import where read >= 10"), within=120)
    eventually(lambda: found(connected, "select 1 from crm.backfill where state = 'closed'"))
    ui.create_customer(sandbox.data, {"name": "Ny ApS"}, 999, agreement=AGREEMENT)
    ui.edit_customer(sandbox.data, 3, {"name": "Ændret ApS"}, agreement=AGREEMENT)
    later = connected.create(name="Oprettet imens ApS")
    sandbox.data.settings.latency_ms = 0
    reading.join(180)
    assert found(connected, "select state from sync.run") == [("done",)]
    assert found(connected, "select state, read, count from economic.import") == [("closed", 61, 61)]
    assert found(connected, "select state, read, count from crm.backfill") == [("closed", 25, 25)]
    known = found(connected, "select number, state ->> 'name' from sync.economic_side")
    assert dict(known) == {
        **{n: f"Kunde {n} ApS" for n in range(1, 61)},
        3: "Ændret ApS",
        999: "Ny ApS",
    }
    persons = found(connected, "select sum(jsonb_array_length(state -> 'contacts')) from sync.economic_side")
    assert persons == [(75,)]
    eventually(lambda: len(found(connected, "select crm_id from sync.crm_side")) == 26, within=60)
    assert {one for (one,) in found(connected, "select crm_id from sync.crm_side")} == {*ids, later}
    assert found(connected, "select count(*) from sync.link where number is not null") == [(0,)]
    assert not [one for one in sandbox.data.calls if not one.startswith("GET")]
    for schema in ("crm", "economic", "sync"):
        assert found(connected, f"select reason from {schema}.refusal") == []
