"""With which settings does the adapter run? All read once, all wrong ones named at once."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

from crm_outbox.messaging.settings import Broker, Environment, Secret, broker, database_url
from economic_adapter.contract import SHORTEST_CONNECT_KEY
from economic_adapter.rhythm import Rhythm
from economic_adapter.sealing import KeyRing

DUTIES = ("relay", "intake", "hooks", "worker", "clock")
HOSTS = {
    "ECONOMIC_REST_URL": "restapi.e-conomic.com",
    "ECONOMIC_APIS_URL": "apis.e-conomic.com",
    "ECONOMIC_LOGIN_URL": "secure.e-conomic.com",
}
_USERS = {
    "relay": ("relay-economic",),
    "intake": ("economic-adapter",),
    "worker": ("economic-jobs",),
    "clock": ("economic-jobs", "attention"),
}
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Waits, in seconds."""

    poll: Rhythm
    gather: float
    gather_limit: float
    backoff_max: float
    resend: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the adapter's duties and commands need. Secrets are not shown by ``repr``."""

    database: str = field(repr=False)
    broker: Broker | None
    app_secret: Secret
    app_public: str
    keys: KeyRing
    invites: Secret
    """What the set-up page signs its invitations with; empty, and it cannot lead to ``/connect/economic``."""
    rest_url: str
    apis_url: str
    login_url: str
    customersapi: str
    webhooksapi: str
    development_hosts: frozenset[str]
    listen: tuple[str, int]
    public_url: str
    worker_threads: int
    clocks: Clocks
    metrics: tuple[str, int] | None
    """Where ``/metrics`` and ``/healthz`` are answered, if anywhere."""
    secrets: tuple[Secret, ...] = field(repr=False)
    """What the logs must never show."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """The settings without which nobody can be led to e-conomic and back, by name."""
        entered = {
            "ECONOMIC_APP_SECRET": self.app_secret, "ECONOMIC_APP_PUBLIC": self.app_public, "CONNECT_KEY": self.invites
        }  # fmt: skip
        return tuple(name for name, value in entered.items() if not value)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], needs: Collection[str] = ()) -> Self:
        """Read them for these duties, or for ``connect``; ``SettingsError`` names all problems."""
        environment = Environment(environ)
        development = _development(environment)
        calls = bool({"worker", "connect"} & set(needs))
        listen = environment.text("ECONOMIC_METRICS_LISTEN", default="")
        found = cls(
            database=database_url(environment, "ECONOMIC"),
            broker=_broker(environment, needs),
            app_secret=environment.secret("ECONOMIC_APP_SECRET", default=None if calls else "", least=_SHORTEST_SECRET),
            app_public=environment.text("ECONOMIC_APP_PUBLIC", default="", pattern=r"[\x21-\x7e]{1,200}"),
            keys=_keys(environment),
            invites=environment.secret("CONNECT_KEY", default="", least=SHORTEST_CONNECT_KEY),
            rest_url=_service(environment, "ECONOMIC_REST_URL", development),
            apis_url=_service(environment, "ECONOMIC_APIS_URL", development),
            login_url=_service(environment, "ECONOMIC_LOGIN_URL", development),
            customersapi=environment.text("ECONOMIC_CUSTOMERSAPI", default="v3.1.0", pattern=r"v\d+\.\d+\.\d+"),
            webhooksapi=environment.text("ECONOMIC_WEBHOOKSAPI", default="v1.0.0", pattern=r"v\d+\.\d+\.\d+"),
            development_hosts=development,
            listen=environment.listen("HOOKS_LISTEN", default="127.0.0.1:8081"),
            public_url=_public(environment, development, wanted="hooks" in needs or "worker" in needs),
            worker_threads=environment.integer("WORKER_THREADS", default=4, least=1, most=64),
            clocks=Clocks(
                poll=Rhythm(
                    active=environment.seconds("POLL_SECONDS", default=60, least=0.1),
                    idle=environment.seconds("POLL_IDLE_SECONDS", default=300, least=0.1),
                ),
                gather=environment.seconds("GATHER_SECONDS", default=2),
                gather_limit=environment.seconds("GATHER_LIMIT_SECONDS", default=10),
                backoff_max=environment.seconds("BACKOFF_MAX_SECONDS", default=900, least=0.1),
                resend=environment.seconds("RESEND_SECONDS", default=120, least=0.1),
            ),
            metrics=environment.listen("ECONOMIC_METRICS_LISTEN") if listen else None,
            secrets=tuple(environment.secrets),
        )
        environment.done()
        return found


def _broker(environment: Environment, needs: Collection[str]) -> Broker | None:
    users = sorted({user for duty in needs for user in _USERS.get(duty, ())})
    return broker(environment, *users) if users else None


def _development(environment: Environment) -> frozenset[str]:
    listed = environment.text("ECONOMIC_DEVELOPMENT_HOSTS", default="")
    hosts = frozenset(part.strip().lower() for part in listed.split(",") if part.strip())
    for host in sorted(hosts):
        if not re.fullmatch(r"[a-z0-9.\-\[\]:]+:[0-9]{1,5}", host):
            environment.wrong(f"ECONOMIC_DEVELOPMENT_HOSTS: {host!r} is not written host:port")
        elif host.rpartition(":")[0].rstrip(".").endswith("e-conomic.com"):
            environment.wrong(f"ECONOMIC_DEVELOPMENT_HOSTS: {host!r} is the real e-conomic")
    return hosts


def _service(environment: Environment, name: str, development: frozenset[str]) -> str:
    host = HOSTS[name]
    text = environment.text(name, default=f"https://{host}").rstrip("/")
    parts = _plain(text)
    if parts is None or (parts.path and parts.netloc.lower() not in development):
        environment.wrong(f"{name} is no plain address such as https://{host}")
    elif parts.netloc.lower() not in development and (parts.scheme, parts.netloc.lower()) != ("https", host):
        environment.wrong(
            f"{name} must be https://{host}; any other host gets no token unless ECONOMIC_DEVELOPMENT_HOSTS lists it"
        )
    return text


def _public(environment: Environment, development: frozenset[str], *, wanted: bool) -> str:
    text = environment.text("HOOKS_PUBLIC_URL", default=None if wanted else "").rstrip("/")
    parts = _plain(text)
    if text and parts is None:
        environment.wrong("HOOKS_PUBLIC_URL is no plain address such as https://sync.example.com")
    elif parts is not None and parts.scheme != "https" and not development:
        environment.wrong("HOOKS_PUBLIC_URL must be https")
    return text


def _keys(environment: Environment) -> KeyRing:
    text = environment.secret("ECONOMIC_KEYS")
    try:
        ring = KeyRing.parse(text) if text else KeyRing(keys={})
    except ValueError as error:
        environment.wrong(f"ECONOMIC_KEYS: {error}")
        return KeyRing(keys={})
    environment.secrets.extend(Secret(entry.partition(":")[2].strip()) for entry in text.split(","))
    return ring


def _plain(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    odd = parts.query or parts.fragment or parts.username is not None or parts.scheme not in {"http", "https"}
    return None if odd or not parts.hostname else parts
