"""The pages on a real socket and a real database, and a browser that is only what the test makes it."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm_outbox.messaging.server import Server
from reconciler.web.app import app
from reconciler.web.site import Site
from tests.integration.web.browsing import CRM, KEYS, Pages


@pytest.fixture
def pages(engine: sa.Engine) -> Iterator[Pages]:
    """Everything up to the socket, as production has it; the time stands still."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Pages(engine=engine, url=f"http://127.0.0.1:{port}", time=datetime.now(UTC))
    site = Site(
        engine=engine,
        now=lambda: made.time,
        keys=KEYS,
        public_url=made.url,
        crm_origin=CRM,
        crm_launch=f"{CRM}/economic/launch",
        crm_customer=f"{CRM}/customers/{{id}}",
        resend=timedelta(minutes=2),
    )
    server = Server(app(site), "127.0.0.1", port)
    yield made
    made.close()
    server.close()
