"""A database whose network a test can take away."""

from typing import Self

import sqlalchemy as sa

from crm_outbox.messaging.database import engine as make_engine
from tests.proxy import Proxy


class Behind:
    """An engine that reaches its database through a proxy."""

    def __init__(self, url: str) -> None:
        parts = sa.make_url(url)
        self.proxy = Proxy(parts.host or "127.0.0.1", parts.port or 5432)
        through = parts.set(host="127.0.0.1", port=self.proxy.port).render_as_string(hide_password=False)
        self.engine = make_engine(through, "test")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()
        self.proxy.close()
