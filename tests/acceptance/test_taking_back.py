"""A switching on is taken back after the integration was switched off: real processes, the real adapter, and nothing else flows."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.messaging.settings import Broker
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.seeding import seed
from tests.duties import GRANT, TENANT, Product, product
from tests.waiting import eventually

ON = ("switch-on", "--tenant", TENANT, "--wait", "120")
COUNT = 6
PHONE, MAIL = "86123456", "post@skovbo.example"


def _fill(database: str, sandbox: Running) -> None:
    """The same customers on both sides by CVR number; e-conomic lacks the phones, the CRM the e-mails."""
    engine = sa.create_engine(database)
    records = []
    with engine.begin() as connection:
        for nth in range(COUNT):
            same = {"name": f"Kunde {nth} ApS", "cvr": f"{20_000_000 + nth}", "country": "Danmark"}
            customers.create(connection, TENANT, customers.Edit(fields={**same, "phone": PHONE}))
            names = {"name": same["name"], "cvrNo": same["cvr"], "country": "Danmark"}
            records.append({"customerNumber": 5000 + nth, **names, "email": MAIL})
    engine.dispose()
    seed(sandbox.data, records=records)


def _books(running: Product, name: str) -> list[Any]:
    return [one.get(name) or "" for one in running.books()["customers"]]


def _crm(running: Product, name: str) -> list[Any]:
    with running.engine.connect() as connection:
        return [getattr(one, name) for one in customers.all_of(connection, TENANT).values()]


def _links(running: Product) -> set[str]:
    with running.engine.connect() as connection:
        return set(connection.execute(sa.text("select state from sync.link where crm_id is not null")).scalars())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_filled_in_comes_out_again_while_it_is_off(
    database: str, broker: Broker, sandbox: Running, tmp_path: Path
) -> None:
    _fill(database, sandbox)
    with product(database, broker, sandbox, tmp_path) as running:
        running.command("economic_adapter", "connect", "--tenant", TENANT, "--yes", given=GRANT)
        printed = running.command("reconciler", *ON, "--preview")
        confirmed = re.search(r"--confirm (\d+,\d+,0)", printed)
        assert confirmed is not None
        assert confirmed.group(1) == f"{COUNT},{2 * COUNT},0"
        running.command("reconciler", *ON, "--yes", "--confirm", confirmed.group(1))
        eventually(
            lambda: set(_books(running, "phone")) == {PHONE} and set(_crm(running, "email")) == {MAIL}, within=120
        )

        running.command("reconciler", "switch-off", "--tenant", TENANT, "--yes")
        with running.engine.begin() as connection:
            edited = next(iter(customers.all_of(connection, TENANT)))
            customers.change(connection, TENANT, edited, customers.Edit(fields={"website": "skovbo.example"}))
        told = running.command("reconciler", "undo-switch-on", "--tenant", TENANT, "--yes", "--wait", "120")
        assert "opened for this alone" in told
        assert f"done: {COUNT} of {COUNT} customers, 0 left out" in told

        assert set(_books(running, "phone")) == {""}
        assert set(_crm(running, "email")) == {""}
        assert set(_books(running, "email")) == {MAIL}
        assert set(_crm(running, "phone")) == {PHONE}
        assert set(_books(running, "website")) == {""}
        assert len(running.books()["customers"]) == COUNT
        assert _links(running) == {"unlinked"}
        with running.engine.connect() as connection:
            assert connection.scalar(sa.text("select state from sync.agreement")) == "off"

        def closed() -> bool:
            with running.engine.connect() as connection:
                return bool(connection.scalar(sa.text("select state = 'off' from economic.agreement")))

        eventually(closed, within=60)
