"""How long edits took, measured on the whole road: none that flowed is left out, whatever came between."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_outbox.messaging.settings import Broker
from deploy.local.demo.compare import Entered
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from reconciler import measures
from reconciler.health import Lag
from reconciler.rules import System
from tests.duties import AGREEMENT, TENANT, Product, product
from tests.waiting import eventually

CVRS = (
    "13748136", "35204539", "10007127", "10007135", "10007143", "10007151", "10007178", "10007186",
)  # fmt: skip
BUSY, *OTHERS = CVRS


@pytest.fixture
def running(database: str, broker: Broker, sandbox: Running, tmp_path: Path) -> Iterator[Product]:
    with product(database, broker, sandbox, tmp_path) as started:
        started.connect()
        yield started


def lags(running: Product) -> dict[System, Lag]:
    with running.engine.connect() as connection:
        return dict(measures.of(connection, TENANT, datetime.now(UTC), has_mail=False).lags)


def counted(running: Product, to_economic: int, to_crm: int) -> dict[System, Lag]:
    """Wait until so many edits are measured."""

    def all_of_them() -> dict[System, Lag]:
        found = lags(running)
        assert {system: one.edits for system, one in found.items()} == {
            system: edits for system, edits in ((System.ECONOMIC, to_economic), (System.CRM, to_crm)) if edits
        }
        return found

    return eventually(all_of_them, within=60)


def test_every_edit_that_flowed_is_measured(running: Product) -> None:
    # an edit counts from the first hook that is not looked into yet: it may be the creation's
    began = datetime.now(UTC)
    customers = {cvr: running.create(name=f"Firma {cvr} ApS", cvr=cvr, country="Danmark") for cvr in CVRS}
    running.settles()
    counted(running, to_economic=len(CVRS), to_crm=0)
    numbers = {one["cvrNo"]: one["customerNumber"] for one in running.books()["customers"]}
    for nth, cvr in enumerate(OTHERS):
        # each is edited on both sides at once: whichever write comes second is refused for its version and made again
        street = {"address1": f"Havnegade {nth}"}
        ui.edit_customer(running.sandbox.data, numbers[cvr], street, agreement=AGREEMENT)
        running.change(customers[cvr], phone=f"8612340{nth}")
    details = {"phone": "86 12 34 99", "mobile": "20 30 40 50", "website": "www.skovbo.example"}
    for name, value in details.items():
        running.change(customers[BUSY], **{name: value})  # the later ones wait for the first, and leave together
    entered = {cvr: {"phone": f"8612340{nth}", "street": f"Havnegade {nth}"} for nth, cvr in enumerate(OTHERS)}
    running.settles(Entered(customers={**entered, BUSY: details}))
    found = counted(running, to_economic=len(CVRS) + len(OTHERS) + len(details), to_crm=len(OTHERS))
    took = (datetime.now(UTC) - began).total_seconds()
    assert 0 < found[System.CRM].half <= found[System.CRM].most <= took
    assert 0 < found[System.ECONOMIC].half <= found[System.ECONOMIC].most
