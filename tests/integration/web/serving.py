"""The pages on a real socket and a real database, with the settings a test gives them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm_outbox.messaging.server import Server
from reconciler.web.app import app
from reconciler.web.site import Site
from tests.integration.web.browsing import CONNECT, CONNECT_KEY, CRM, KEYS, Pages


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def served(engine: sa.Engine, **given: Any) -> Iterator[Pages]:
    """Everything up to the socket, as production has it; the time stands still."""
    port = free_port()
    made = Pages(engine=engine, url=f"http://127.0.0.1:{port}", time=datetime.now(UTC))
    words: dict[str, Any] = {
        "engine": engine,
        "now": lambda: made.time,
        "keys": KEYS,
        "public_url": made.url,
        "crm_origin": CRM,
        "crm_launch": f"{CRM}/economic/launch",
        "crm_customer": f"{CRM}/customers/{{id}}",
        "resend": timedelta(minutes=2),
        "connect_url": CONNECT,
        "connect_key": CONNECT_KEY,
        "hooks_url": CONNECT.removesuffix("/connect/economic"),
        "has_app": True,
    }
    server = Server(app(Site(**{**words, **given})), "127.0.0.1", port)
    try:
        yield made
    finally:
        made.close()
        server.close()
