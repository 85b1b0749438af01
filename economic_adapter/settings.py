"""With which settings does the adapter run? All read once, all wrong ones named at once."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

from crm_outbox.messaging.settings import Broker, Environment, SettingsError, broker
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
    "clock": ("economic-jobs",),
}
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Waits, in seconds."""

    poll: float
    gather: float
    gather_limit: float
    backoff_max: float
    resend: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the adapter's duties and commands need. Secrets are not shown by ``repr``."""

    database: str = field(repr=False)
    broker: Broker | None
    app_secret: str = field(repr=False)
    app_public: str
    keys: KeyRing
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

    @classmethod
    def from_env(cls, environ: Mapping[str, str], needs: Collection[str] = ()) -> Self:
        """Read them for these duties (or ``connect`` for commands that call e-conomic); ``SettingsError`` names all problems."""
        problems: list[str] = []
        environment = Environment(environ)
        development = _development(environ, problems)
        listen = environ.get("HOOKS_LISTEN") or "127.0.0.1:8081"
        values = {name: _service(environ, name, host, development, problems) for name, host in HOSTS.items()}
        public = _public(environ, development, problems, wanted="hooks" in needs or "worker" in needs)
        keys = _keys(environ, problems)
        secret = environ.get("ECONOMIC_APP_SECRET", "").strip()
        if not secret and {"worker", "connect"} & set(needs):
            problems.append("ECONOMIC_APP_SECRET is missing: the secret token of our app at e-conomic")
        elif secret and len(secret) < _SHORTEST_SECRET:
            problems.append(f"ECONOMIC_APP_SECRET is too short: at least {_SHORTEST_SECRET} characters")
        users = sorted({user for duty in needs for user in _USERS.get(duty, ())})
        found = cls(
            database=environment.url("ECONOMIC_DATABASE_URL", default=environ.get("DATABASE_URL")),
            broker=broker(environment, *users) if users else None,
            app_secret=secret,
            app_public=environ.get("ECONOMIC_APP_PUBLIC", "").strip(),
            keys=keys,
            rest_url=values["ECONOMIC_REST_URL"],
            apis_url=values["ECONOMIC_APIS_URL"],
            login_url=values["ECONOMIC_LOGIN_URL"],
            customersapi=_service_version(environ, "ECONOMIC_CUSTOMERSAPI", "v3.1.0", problems),
            webhooksapi=_service_version(environ, "ECONOMIC_WEBHOOKSAPI", "v1.0.0", problems),
            development_hosts=development,
            listen=_address(listen, problems),
            public_url=public,
            worker_threads=environment.integer("WORKER_THREADS", default=4),
            clocks=Clocks(
                poll=environment.seconds("POLL_SECONDS", default=60),
                gather=environment.seconds("GATHER_SECONDS", default=2),
                gather_limit=environment.seconds("GATHER_LIMIT_SECONDS", default=10),
                backoff_max=environment.seconds("BACKOFF_MAX_SECONDS", default=900),
                resend=environment.seconds("RESEND_SECONDS", default=120),
            ),
        )
        try:
            environment.done()
        except SettingsError as error:
            problems = [*error.problems, *problems]
        if problems:
            raise SettingsError(problems)
        return found


def _development(environ: Mapping[str, str], problems: list[str]) -> frozenset[str]:
    hosts = frozenset(
        part.strip().lower() for part in environ.get("ECONOMIC_DEVELOPMENT_HOSTS", "").split(",") if part.strip()
    )
    for host in sorted(hosts):
        if not re.fullmatch(r"[a-z0-9.\-\[\]:]+:[0-9]{1,5}", host):
            problems.append(f"ECONOMIC_DEVELOPMENT_HOSTS: {host!r} is not written host:port")
        elif host.rpartition(":")[0].endswith("e-conomic.com"):
            problems.append(f"ECONOMIC_DEVELOPMENT_HOSTS: {host!r} is the real e-conomic")
    return hosts


def _service(environ: Mapping[str, str], name: str, host: str, development: frozenset[str], problems: list[str]) -> str:
    text = (environ.get(name) or f"https://{host}").rstrip("/")
    parts = _split(text)
    if parts is None or parts.path or parts.query or parts.fragment or parts.username is not None:
        problems.append(f"{name} is no plain address such as https://{host}")
        return text
    if parts.netloc.lower() in development:
        return text
    if parts.scheme != "https" or parts.netloc.lower() != host:
        problems.append(
            f"{name} must be https://{host}; another host gets no token unless ECONOMIC_DEVELOPMENT_HOSTS lists its host:port"
        )
    return text


def _public(environ: Mapping[str, str], development: frozenset[str], problems: list[str], *, wanted: bool) -> str:
    text = environ.get("HOOKS_PUBLIC_URL", "").rstrip("/")
    if not text:
        if wanted:
            problems.append("HOOKS_PUBLIC_URL is missing: the https address at which e-conomic reaches the hooks duty")
        return ""
    parts = _split(text)
    if parts is None or parts.query or parts.fragment or parts.username is not None:
        problems.append("HOOKS_PUBLIC_URL is no plain address")
    elif parts.scheme != "https" and not development:
        problems.append("HOOKS_PUBLIC_URL must be https")
    return text


def _keys(environ: Mapping[str, str], problems: list[str]) -> KeyRing:
    try:
        return KeyRing.parse(environ.get("ECONOMIC_KEYS", ""))
    except ValueError as error:
        problems.append(f"ECONOMIC_KEYS: {error}")
        return KeyRing(keys={})


def _service_version(environ: Mapping[str, str], name: str, default: str, problems: list[str]) -> str:
    text = environ.get(name) or default
    if not re.fullmatch(r"v[0-9]+\.[0-9]+\.[0-9]+", text):
        problems.append(f"{name} is no version such as {default}")
    return text


def _address(text: str, problems: list[str]) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        problems.append("HOOKS_LISTEN is not written host:port")
        return "127.0.0.1", 0
    return host.strip("[]"), int(port)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None
