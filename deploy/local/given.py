"""Which servers did a person name? TEST_DATABASE_URL, TEST_BROKER_URL and TEST_BROKER_MANAGEMENT_URL: for tests only."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
import sqlalchemy as sa

from deploy.local import rabbitmq
from deploy.local.children import Unavailable


class Given:
    """A server of somebody's is never stopped by us."""

    def start(self) -> None:
        """Refuse."""
        raise Unavailable("a given server is not ours to start")

    def stop(self) -> None:
        """Refuse."""
        raise Unavailable("a given server is not ours to stop")

    kill = restart = stop


@dataclass(frozen=True, slots=True)
class GivenDatabase(Given):
    """A PostgreSQL by its superuser's address."""

    url: str


@dataclass(frozen=True, slots=True)
class GivenBus(Given):
    """A RabbitMQ by its addresses and its administrator."""

    amqp: str
    management: str
    admin: tuple[str, str]


def database(environ: Mapping[str, str]) -> tuple[GivenDatabase, str]:
    """TEST_DATABASE_URL, if a connection could be opened."""
    if not (text := environ.get("TEST_DATABASE_URL")):
        raise Unavailable("TEST_DATABASE_URL is not set")
    url = sa.make_url(text).set(drivername="postgresql+psycopg")
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=5) as connection:
            version = connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise Unavailable(f"TEST_DATABASE_URL does not answer: {error}") from error
    return GivenDatabase(url.render_as_string(hide_password=False)), f"{version} at {url.host}:{url.port or 5432}"


def bus(environ: Mapping[str, str]) -> tuple[GivenBus, str]:
    """TEST_BROKER_URL with user and password, if a connection could be opened and the management interface answered."""
    if not (text := environ.get("TEST_BROKER_URL")):
        raise Unavailable("TEST_BROKER_URL is not set")
    parts = urlsplit(text)
    amqp = f"{parts.scheme}://{parts.hostname}:{parts.port or 5672}"
    admin = (unquote(parts.username or "guest"), unquote(parts.password or "guest"))
    management = environ.get("TEST_BROKER_MANAGEMENT_URL", f"http://{parts.hostname}:15672").rstrip("/")
    if not rabbitmq.opens(amqp, *admin, management):
        raise Unavailable(f"TEST_BROKER_URL or its management interface {management} does not answer")
    return GivenBus(amqp, management, admin), f"at {parts.hostname}:{parts.port or 5672}"
