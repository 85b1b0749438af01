"""What tests of receiving share: something to publish with, something to count with."""

from collections.abc import Iterator

import pytest
import structlog

from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from tests.builders.receiving import Depths, Effects, Post
from tests.prepared import Vhosts


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """A traceback drawn in colours takes a second; these tests make many."""
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
