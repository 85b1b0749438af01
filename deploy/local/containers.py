"""How do the servers come out of a container engine? Through testcontainers, on loopback ports that survive a restart."""

import secrets
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import docker.errors
import psycopg
import requests

from deploy.local import ports, rabbitmq
from deploy.local.children import Supervisor, Unavailable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.docker_client import DockerClient, get_docker_host

POSTGRES_IMAGE = "postgres:17-alpine"
RABBITMQ_IMAGE = "rabbitmq:4.2-management-alpine"
_PULL_SECONDS = 30
_START_SECONDS = 60
_SOCKET = "unix:///var/run/docker.sock"
_REMOVE = """
import sys
from testcontainers.core.docker_client import DockerClient
DockerClient().client.containers.get(sys.argv[1]).remove(force=True, v=True)
"""

Say = Callable[[str], None]


def engine() -> str:
    """Which engine answers; Unavailable if none does. A client without an engine is common, so the engine is asked."""
    host = get_docker_host() or _SOCKET
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        # Asked first: docker's own client leaves an open socket behind when there is none.
        raise Unavailable(f"no container engine answers ({host.removeprefix('unix://')} does not exist)")
    try:
        client = _client(3)
        try:
            client.ping()
            return f"engine {client.version().get('Version', '?')}"
        finally:
            client.close()
    except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
        raise Unavailable(f"no container engine answers ({_short(error)})") from error


@dataclass(slots=True, kw_only=True)
class _Contained:
    """A server in a container."""

    container: DockerContainer
    answers: Callable[[], bool]

    def start(self) -> None:
        """Start it and wait until it accepted a connection."""
        self._do("start")
        wait(self.container, self.answers)

    def stop(self) -> None:
        """Stop it cleanly."""
        self._do("stop", timeout=20)

    def kill(self) -> None:
        """End it at once."""
        self._do("kill")

    def restart(self) -> None:
        """Stop it cleanly and start it again."""
        self.stop()
        self.start()

    def _do(self, what: str, **options: Any) -> None:
        try:
            getattr(self.container.get_wrapped_container(), what)(**options)
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise Unavailable(f"{what} of the container: {_short(error)}") from error


@dataclass(slots=True, kw_only=True)
class ContainedDatabase(_Contained):
    """A PostgreSQL in a container."""

    url: str


@dataclass(slots=True, kw_only=True)
class ContainedBus(_Contained):
    """A RabbitMQ in a container."""

    amqp: str
    management: str
    admin: tuple[str, str] = field(repr=False)


def database(supervisor: Supervisor, *, durable: bool, say: Say) -> tuple[ContainedDatabase, str]:
    """A PostgreSQL."""
    version = engine()
    password = secrets.token_urlsafe(18)
    [port] = ports.free(1)
    quick = [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    container = _container(
        supervisor,
        POSTGRES_IMAGE,
        {"POSTGRES_PASSWORD": password, "POSTGRES_INITDB_ARGS": "--no-locale -E UTF8"},
        {5432: port},
        say,
        command=["postgres", "-c", "max_connections=300", *quick],
    )
    plain = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"

    def answers() -> bool:
        try:
            psycopg.connect(plain, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait(container, answers)
    url = plain.replace("postgresql:", "postgresql+psycopg:")
    return ContainedDatabase(container=container, answers=answers, url=url), f"image {POSTGRES_IMAGE}, {version}"


def bus(supervisor: Supervisor, *, say: Say) -> tuple[ContainedBus, str]:
    """A RabbitMQ with its management plugin."""
    version = engine()
    admin = (rabbitmq.ADMIN, secrets.token_urlsafe(18))
    amqp_port, management_port = ports.free(2)
    container = _container(
        supervisor,
        RABBITMQ_IMAGE,
        {"RABBITMQ_DEFAULT_USER": admin[0], "RABBITMQ_DEFAULT_PASS": admin[1]},
        {5672: amqp_port, 15672: management_port},
        say,
    )
    amqp, management = f"amqp://127.0.0.1:{amqp_port}", f"http://127.0.0.1:{management_port}"

    def answers() -> bool:
        return ports.open_on(amqp_port) and rabbitmq.opens(amqp, *admin, management)

    wait(container, answers)
    bus = ContainedBus(container=container, answers=answers, amqp=amqp, management=management, admin=admin)
    return bus, f"image {RABBITMQ_IMAGE}, {version}"


def wait(container: DockerContainer, answers: Callable[[], bool]) -> None:
    """Until the server in it answers; Unavailable with the end of its log."""
    deadline = time.monotonic() + _START_SECONDS
    wrapped = container.get_wrapped_container()
    while not answers():
        wrapped.reload()
        if wrapped.status in {"exited", "dead"} or time.monotonic() > deadline:
            said = wrapped.logs(tail=4).decode(errors="replace").strip().replace("\n", " / ")
            raise Unavailable(f"the container is {wrapped.status} and does not answer on 127.0.0.1: {said}")
        time.sleep(0.1)


def _container(
    supervisor: Supervisor, image: str, environ: dict[str, str], published: dict[int, int], say: Say, **options: Any
) -> DockerContainer:
    name = f"crm-economic-{secrets.token_hex(6)}"
    # Our supervisor ends it, also after a SIGKILL; so testcontainers' own reaper, one more image, is not needed.
    testcontainers_config.ryuk_disabled = True
    try:
        _pull(image, say)
        supervisor.last([sys.executable, "-c", _REMOVE, name])
        container = DockerContainer(image, env=environ, name=name, **options)
        for inside, outside in published.items():
            container.ports[str(inside)] = ("127.0.0.1", outside)  # type: ignore[assignment]
        return container.start()
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise Unavailable(f"{image} did not start: {_short(error)}") from error


def _pull(image: str, say: Say) -> None:
    """Have the image here; gives up after 30 s, since other providers are quicker then."""
    client = _client(10)
    try:
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            pass
        else:
            return
        say(f"{image}: pulling, at most {_PULL_SECONDS} s")
        repository, _, tag = image.rpartition(":")
        deadline, told = time.monotonic() + _PULL_SECONDS, time.monotonic()
        layers: dict[str, tuple[int, int]] = {}
        for event in client.api.pull(repository, tag, stream=True, decode=True):
            if "error" in event:
                raise Unavailable(f"{image} could not be pulled: {event['error']}")
            detail = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and detail.get("total"):
                layers[event["id"]] = (detail["current"], detail["total"])
            if time.monotonic() > deadline:
                raise Unavailable(f"pulling {image} takes over {_PULL_SECONDS} s")
            if layers and time.monotonic() > told + 2:
                told = time.monotonic()
                have, whole = (sum(pair[index] for pair in layers.values()) / 1e6 for index in (0, 1))
                say(f"{image}: {have:.1f} of {whole:.1f} MB")
    finally:
        client.close()


def _client(timeout: float) -> "docker.client.DockerClient":
    client: docker.client.DockerClient = DockerClient(timeout=timeout).client
    return client


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
