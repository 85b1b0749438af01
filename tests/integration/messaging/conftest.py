"""What tests of sending and receiving share: something to publish with, something to count with, and what may break."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import structlog

from crm_outbox.messaging import consumer as receiving
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from tests.builders.receiving import Depths, Effects, Post
from tests.integration.messaging.relaying import Line, line
from tests.prepared import Vhosts
from tests.proxy import Proxy


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """A traceback drawn in colours takes a second; these tests make many. Whatever a test before these set up is gone."""
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
def post(broker: Broker) -> Iterator[Post]:
    made = Post(broker)
    yield made
    made.close()


@pytest.fixture
def admin(_vhosts: Vhosts) -> tuple[str, str]:
    """The administrator of the test's broker."""
    return _vhosts.admin


@pytest.fixture
def depth(broker: Broker, admin: tuple[str, str], manager: Management) -> Iterator[Depths]:
    made = Depths(broker, admin)
    yield made
    made.close()


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between connections are not what is tested."""
    monkeypatch.setattr(receiving, "pause", lambda _: 0.02)
    monkeypatch.setattr(receiving, "_LONGEST_WAIT", 0.05)


@pytest.fixture
def lane(database: str, broker: Broker, manager: Management) -> Iterator[Line]:
    with line(database, broker, manager) as made:
        yield made


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    address = urlsplit(broker.address)
    with Proxy(str(address.hostname), address.port or 5672) as made:
        yield made
