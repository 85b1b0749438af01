"""Who holds our keys to e-conomic says so: the adapter's process, over the bus, before anything is connected.

The pages' process has an environment of its own, and what stands in that is no answer.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import sqlalchemy as sa

from crm_outbox.messaging.settings import Broker
from economic_adapter.sandbox.app import Running
from reconciler import people
from tests.duties import TENANT, Product, product
from tests.waiting import eventually

TOKENS = ("ECONOMIC_APP_SECRET", "ECONOMIC_APP_PUBLIC")
WITHOUT: Mapping[str, str] = dict.fromkeys(TOKENS, "")
GROUPS = {
    "adapter": ("economic_adapter", "run", "hooks"),
    "relay-economic": ("economic_adapter", "run", "relay"),
    "reconciler": ("reconciler", "run", "reconcile"),
    "web": ("reconciler", "run", "web"),
}


class Service:
    """An administrator's service, which asks the set-up what it needs."""

    def __init__(self, running: Product) -> None:
        self.url = f"{running.environ['WEB_PUBLIC_URL']}/api/v1/set-up"
        with running.engine.begin() as connection:
            secret = people.make_key(connection, TENANT, "CRM", "admin", datetime.now(UTC))[1]
        self.headers = {"authorization": f"Bearer {secret}"}

    def says(self, lacking: list[str], keys: str) -> bool:
        answer = httpx.get(self.url, headers=self.headers, timeout=60)
        assert answer.status_code == 200, answer.text
        access = answer.json()["access"]
        assert access["lacking_settings"] == lacking
        assert access["our_keys"] == keys
        return True

    def invited(self) -> int:
        return httpx.post(f"{self.url}/connect-link", headers=self.headers, timeout=60).status_code


@contextmanager
def running(
    database: str, broker: Broker, sandbox: Running, logs: Path, **special: Mapping[str, str]
) -> Iterator[Product]:
    with product(database, broker, sandbox, logs, groups=GROUPS, special=special) as made:
        yield made


def test_tokens_in_the_pages_environment_are_none_where_the_adapter_has_none(
    database: str, broker: Broker, sandbox: Running, tmp_path: Path
) -> None:
    adapters = dict(WITHOUT)
    with running(database, broker, sandbox, tmp_path, adapter=adapters) as made:
        service = Service(made)

        eventually(lambda: service.says([*TOKENS], "missing"), within=60)
        assert service.invited() == 409
        with made.engine.connect() as connection:
            agreements = connection.scalar(sa.text("select count(*) from economic.agreement"))
        assert agreements == 0, "it is told before anything is connected"
        # entered where they belong: the adapter is started again, nobody else
        made.processes.kill("adapter")
        adapters.clear()
        made.processes.start_group("adapter")

        eventually(lambda: service.says([], "there"), within=60)
        assert service.invited() == 201


def test_pages_without_any_token_know_that_the_adapter_has_them(
    database: str, broker: Broker, sandbox: Running, tmp_path: Path
) -> None:
    everyones = {**WITHOUT, "ECONOMIC_KEYS": ""}
    with running(database, broker, sandbox, tmp_path, web=everyones, reconciler=everyones) as made:
        service = Service(made)

        eventually(lambda: service.says([], "there"), within=60)
        assert service.invited() == 201
